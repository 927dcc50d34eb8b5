"""What the machine's own clock is worth: whether something that knows the time sets it (Linux adjtimex(2): chrony and
timesyncd tell the kernel), and whether it runs on while the power is off (Linux rtc class)."""

import ctypes
from pathlib import Path

TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised
RTC = Path("/sys/class/rtc/rtc0/since_epoch")  # seconds since 1970 by the clock with a battery
RTC_WITHIN_S = 3_600  # one that is in summer time, or that nobody set, is none
TIMEX_BYTES = 208  # struct timex on 64-bit Linux; larger than on 32-bit


def system_is_synchronised() -> bool:
    """True only if the kernel says so."""
    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return False
    return 0 <= adjtimex(ctypes.create_string_buffer(TIMEX_BYTES)) < TIME_ERROR


def has_battery_clock(machine_utc: float) -> bool:
    """Whether a clock with a battery says what the machine's clock says: a system that has none begins with the time of
    some file, and so does one whose battery is empty."""
    try:
        return abs(int(RTC.read_text()) - machine_utc) <= RTC_WITHIN_S
    except (OSError, ValueError):
        return False
