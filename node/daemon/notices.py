"""What other programs of this machine have to tell on the first page while the island runs."""

import os
import time
from collections.abc import Callable

from node.daemon.settings_reader import notices_in

NOTICES_VARIABLE = "ARCHIPEL_NOTICES"  # on the SD image: what its programs did (archipel-island.service), parted by ":"
NEWS_S = 7 * 86_400  # how long a line is news, counted from when it was seen first: no clock has to be right for it


class NoticeFile:
    """The lines of a file, read anew when it changes; a file that is not there has none, nor has one of a week ago."""

    def __init__(self, path: str, uptime: Callable[[], float] = time.monotonic):
        self._path, self._uptime = path, uptime
        self._seen, self._since = (0, 0), uptime()
        self._lines: list[str] = []

    def __call__(self) -> list[str]:
        """The lines as they are now."""
        seen = self._stamp()
        if seen != self._seen:
            self._seen, self._since, self._lines = seen, self._uptime(), notices_in(self._path)
        return self._lines if self._uptime() - self._since < NEWS_S else []

    def _stamp(self) -> tuple[int, int]:
        try:
            told = os.stat(self._path)
        except OSError:
            return 0, 0
        return told.st_mtime_ns, told.st_size


def notice_files() -> Callable[[], list[str]]:
    """The lines of all the files that this machine's programs write."""
    files = [NoticeFile(path) for path in os.environ.get(NOTICES_VARIABLE, "").split(":") if path]
    return lambda: [line for file in files for line in file()]
