"""How the C library keeps memory: what a thread needed for a moment is given back, not kept in a heap of its own.

glibc gives each busy thread an arena, up to eight for each core, and keeps in it what was freed; and once a large block was
freed, blocks of that size are no longer mapped and unmapped but taken from these arenas (mallopt(3), "M_ARENA_MAX" and
"M_MMAP_THRESHOLD": the threshold grows up to 32 MB by itself). With 16 threads of which each hashes an edit code once
(8 MB) that is 130 MB for nothing.
"""

import ctypes
from contextlib import suppress

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # malloc.h
ARENAS = 2  # as much processor time as with 16 (tests/bench/memory.py): the interpreter runs one thread at a time
MAPPED_BYTES = 128 * 1024  # glibc's own threshold, which no longer grows once it was set


def give_memory_back() -> bool:
    """Tell the C library so, for this process and those forked from it; False where it cannot be told (musl, macOS).

    By a call, not by the environment: it holds however the island was started, and before the first thread.
    """
    with suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        return all([mallopt(M_ARENA_MAX, ARENAS), mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES),
                    mallopt(M_TRIM_THRESHOLD, MAPPED_BYTES)])
    return False
