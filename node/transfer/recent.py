"""The newest of what was seen, for as many threads as ask: the portal's answer at once, and visits go on meanwhile."""

from collections import OrderedDict
from threading import Lock


class Recent:
    """The `most` newest keys that were put in, each with the minute of it. Safe from any thread."""

    def __init__(self, most: int):
        self._most = most
        self._kept: OrderedDict[bytes, int] = OrderedDict()  # the oldest first
        self._gate = Lock()

    def add(self, key: bytes, minute: int = 0) -> bool:
        """Make it the newest; whether it was not there yet: of several who add it at once, one hears True."""
        with self._gate:
            is_new = key not in self._kept
            self._kept[key] = minute
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return is_new

    def items(self) -> list[tuple[bytes, int]]:
        """Keys and minutes as they are now, the oldest first."""
        with self._gate:
            return list(self._kept.items())
