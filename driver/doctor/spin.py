"""A child of the doctor's probe: for each line it reads, it computes on some cores and answers how long that took, in
ns.

usage: spin.py THREADS ROUNDS_OF_HASHING
"""

import hashlib
import sys
import threading
import time

BLOCK = bytes(1 << 16)  # hashlib lets go of Python's lock for it


def work(count: int) -> None:
    """Hashes a block so many times."""
    digest = hashlib.sha256()
    for _ in range(count):
        digest.update(BLOCK)


threads, count = int(sys.argv[1]), int(sys.argv[2])
for _ in sys.stdin:
    begin = time.perf_counter_ns()
    others = [threading.Thread(target=work, args=(count,)) for _ in range(threads - 1)]
    for thread in others:
        thread.start()
    work(count)
    for thread in others:
        thread.join()
    print(time.perf_counter_ns() - begin, flush=True)
