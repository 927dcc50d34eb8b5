"""What a program has on the card, and in which order: a file before it takes its place, its name after that."""

import os
from pathlib import Path

import pytest


class Syncs:
    """Every sync, move and new folder that the operating system is asked for, as long as `monkeypatch` lasts."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch):
        self.moves = 0
        self._steps: list[tuple[str, str]] = []
        for name in ("fsync", "fdatasync"):
            monkeypatch.setattr(os, name, self._told(getattr(os, name)))
        for name in ("rename", "replace"):
            monkeypatch.setattr(os, name, self._moved(getattr(os, name)))
        monkeypatch.setattr(os, "mkdir", self._made(os.mkdir))
        monkeypatch.setattr(os, "sync", lambda: self._steps.append(("sync", "all")))

    def lacking(self) -> list[str]:
        """What a power cut right now, or right after one of the moves, might leave empty or nameless."""
        found = []
        for at, (what, path) in enumerate(self._steps):
            if what == "from" and not self._is_synced(path, 0, at):
                found.append(f"the content of {path}")
            if what == "to" and not self._is_synced(str(Path(path).parent), at, len(self._steps)):
                found.append(f"the name of {path}")
        return found

    def _is_synced(self, path: str, since: int, until: int) -> bool:
        return any(step in (("sync", path), ("sync", "all")) for step in self._steps[since:until])

    def _told(self, sync):
        def watched(descriptor):
            number = descriptor if isinstance(descriptor, int) else descriptor.fileno()
            self._steps.append(("sync", os.readlink(f"/proc/self/fd/{number}")))
            return sync(descriptor)
        return watched

    def _made(self, make):
        def watched(path, mode=0o777, *, dir_fd=None):
            make(path, mode, dir_fd=dir_fd)
            self._steps.append(("to", _whole(path, dir_fd)))
        return watched

    def _moved(self, move):
        def watched(old, new, *, src_dir_fd=None, dst_dir_fd=None):
            move(old, new, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)
            self.moves += 1
            self._steps += [("from", _whole(old, src_dir_fd)), ("to", _whole(new, dst_dir_fd))]
        return watched


def _whole(path, folder):
    return os.path.join(os.readlink(f"/proc/self/fd/{folder}") if folder is not None else "", os.fspath(path))
