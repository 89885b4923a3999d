"""The classes of work, the metrics and the families of models, in the order in which they are told, with their names
for people."""

from __future__ import annotations

CLASS_NAMES = {
    "io": "I/O-bound work",
    "cpu": "CPU-bound work",
    "coordination": "Coordination",
    "mixed": "Mixed work",
    "lessons": "Lessons of the tutorials",
    "memory": "Memory",
}
CLASSES = tuple(CLASS_NAMES)

METRIC_NAMES = {"time": "time", "cpu": "CPU cost", "latency": "latency", "memory": "memory"}
METRICS = tuple(METRIC_NAMES)
MAP_METRICS = ("time", "cpu")  # by which every case is compared, whatever decides its workload

FAMILY_NAMES = {
    "serial": "serial",
    "event_loop": "event loop",
    "threads": "threads",
    "processes": "processes",
    "fibers": "fibers",
    "tbb": "TBB",
    "peer": "peers",
}
FAMILIES = tuple(FAMILY_NAMES)

ENGINEERING = ("textbook", "best", "library")  # how a model is made
ORDERS = ("fifo", "barging")  # of those who wait at a semaphore or a channel
