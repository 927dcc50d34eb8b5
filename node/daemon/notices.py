"""What another program of this machine has to tell on the first page while the island runs."""

import os

from node.daemon.settings_reader import notices_in

NOTICES_VARIABLE = "ARCHIPEL_NOTICES"  # on the SD image: what its watch over the Wi-Fi did (archipel-watch.service)


class NoticeFile:
    """The lines of a file, read anew when it changes; a file that is not there has none."""

    def __init__(self, path: str):
        self._path, self._seen = path, (0, 0)
        self._lines: list[str] = []

    def __call__(self) -> list[str]:
        """The lines as they are now."""
        seen = self._stamp()
        if seen != self._seen:
            self._seen, self._lines = seen, notices_in(self._path)
        return self._lines

    def _stamp(self) -> tuple[int, int]:
        try:
            told = os.stat(self._path)
        except OSError:
            return 0, 0
        return told.st_mtime_ns, told.st_size
