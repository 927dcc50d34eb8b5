"""Whether the machine's clock is set by something that knows the time (Linux adjtimex(2): chrony, timesyncd tell it)."""

import ctypes

TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised
TIMEX_BYTES = 208  # struct timex on 64-bit Linux; larger than on 32-bit


def system_is_synchronised() -> bool:
    """True only if the kernel says so."""
    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return False
    return 0 <= adjtimex(ctypes.create_string_buffer(TIMEX_BYTES)) < TIME_ERROR
