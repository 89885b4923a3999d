"""One operation of CPython's asyncio: prints the CPU nanoseconds of each, and for sleepers the bytes of each."""

import asyncio
import random
import resource
import sys
import threading
import time


async def trivial():
    return 1


async def create_task_await(n):
    for _ in range(n):
        await asyncio.create_task(trivial())


async def child_await(n):
    for _ in range(n):
        await trivial()


async def give_way(n):
    for _ in range(n):
        await asyncio.sleep(0)


async def give_way_together(n):
    await asyncio.gather(*(give_way(n // 100) for _ in range(100)))


async def hop(n, places):
    queue = asyncio.Queue(places)

    async def produce():
        for i in range(n):
            await queue.put(i)

    producer = asyncio.create_task(produce())
    for _ in range(n):
        await queue.get()
    await producer


async def lock_release(n):
    lock = asyncio.Lock()
    for _ in range(n):
        await lock.acquire()
        lock.release()


async def gather_child(n):
    for _ in range(n // 100):
        await asyncio.gather(*(trivial() for _ in range(100)))


async def timers(n, by_delay):
    loop = asyncio.get_running_loop()
    delays = [3600 + random.random() * 100 for _ in range(10_000)]
    now = loop.time()
    live = [loop.call_at(now + delay, int) for delay in delays]
    begin = time.process_time_ns()
    for i in range(n):
        at = i * 4_999 % 10_000
        delay = delays[(at + 1) % 10_000]
        live[at].cancel()
        live[at] = loop.call_later(delay, int) if by_delay else loop.call_at(now + delay, int)
    return time.process_time_ns() - begin


async def cross_thread_wake(n):
    loop = asyncio.get_running_loop()
    over = asyncio.Event()

    def call():
        made = threading.Semaphore(0)
        for _ in range(n):
            loop.call_soon_threadsafe(made.release)
            made.acquire()
        loop.call_soon_threadsafe(over.set)

    thread = threading.Thread(target=call)
    thread.start()
    await over.wait()
    thread.join()


async def skynet(first, size):
    if size == 1:
        return first
    part = size // 10
    tasks = [asyncio.create_task(skynet(first + i * part, part)) for i in range(10)]
    return sum([await task for task in tasks])


async def skynet_task(_):  # fewer leaves than in C++: a million take 20 s
    assert await skynet(0, 10_000) == 49_995_000


def resident_bytes():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()


async def sleepers(n):
    before = resident_bytes()
    tasks = [asyncio.create_task(asyncio.sleep(10)) for _ in range(n)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    bytes_each = (resident_bytes() - before) / n
    for task in tasks:
        await task
    return None, bytes_each


operations = {
    "create_task_await": (create_task_await, 20_000),
    "sleep_0/tasks:1": (give_way, 50_000),
    "sleep_0/tasks:100": (give_way_together, 100_000),
    "child_await": (child_await, 200_000),
    "queue_hop/places:1": (lambda n: hop(n, 1), 20_000),
    "queue_hop/places:127": (lambda n: hop(n, 127), 50_000),
    "lock_release": (lock_release, 100_000),
    "gather_child": (gather_child, 20_000),
    "timer_call_later_cancel/live:10000": (lambda n: timers(n, True), 50_000),
    "timer_call_at_cancel/live:10000": (lambda n: timers(n, False), 50_000),
    "cross_thread_wake": (cross_thread_wake, 5_000),
    "skynet_task": (skynet_task, 11_111),
    "sleepers": (sleepers, 100_000),
}

if __name__ == "__main__":
    operation, n = operations[sys.argv[1]]
    begin = time.process_time_ns()
    told = asyncio.run(operation(n))
    spent = time.process_time_ns() - begin
    bytes_each = 0
    if isinstance(told, tuple):
        bytes_each = told[1]
    elif told is not None:
        spent = told
    print(n, round(bytes_each * n), spent, flush=True)
