"""Memory shared with processes that are forked later."""

from mmap import mmap


def shared_memory(size: int) -> memoryview:
    """Zeros, taken from the system page by page as they are written."""
    return memoryview(mmap(-1, size))
