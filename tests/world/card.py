"""A card for a whole island: the journals on a simulated one, the archive in a folder that shares its faults and power."""

import errno
import shutil
from contextlib import contextmanager, suppress

from node.store.archive import SCHEMA, Archive
from node.store.sqlitefile import LOGS, SqliteFile
from tests.sim.simulatedcard import Card, PowerCut

ERRORS = {"full": errno.ENOSPC, "read-only": errno.EROFS, "flaky": errno.EIO}
FLAKY = 0.3  # of what is written to a flaky card fails
MUTABLE = ("write", "create", "rename", "remove", "sync", "sync folder", "archive")


class WorldCard(Card):
    """`mood`: "" or one of ERRORS; `cut_in`: after so many steps more the power goes. Both count for the archive too."""

    mood, cut_in, failures = "", None, 0

    def step(self, kind):
        if self.dark:
            raise PowerCut
        if kind == "close":
            return
        self.steps += 1
        if self.cut_in is not None:
            self.cut_in -= 1
            if self.cut_in < 0:
                self.dark = True
                raise PowerCut
        if self.mood and kind in MUTABLE and self._refuses(kind):
            self.failures += 1
            raise OSError(ERRORS[self.mood], "as planned")

    def _refuses(self, kind):
        if self.mood == "flaky":
            return self.chance.random() < FLAKY
        return self.mood == "read-only" or kind in ("write", "create", "archive")

    def after_power_cut(self, seed, share):
        found = super().after_power_cut(seed, share)
        card = WorldCard(found.seen, seed)
        card.mood, card.failures = self.mood, self.failures
        return card

    def after_kill(self):
        """As the next program finds it when only the program died: nothing is lost yet."""
        self.dark, self.cut_in, self._locked = False, None, False
        return self

    def flip(self, chance):
        """One bit of one file changes while the power is off; whether there was one."""
        files = [held for _, held in sorted(self.seen.items()) if held.safe]
        if not files:
            return False
        held = chance.choice(files)
        used = len(held.safe.rstrip(b"\0")) or 1
        at, bit = chance.randrange(used), 1 << chance.randrange(8)
        for image in (held.safe, held.seen):
            if at < len(image):
                image[at] ^= bit
        return True

    def octets(self):
        """All that is on it, by file."""
        for path, held in sorted({**self.safe, **self.seen}.items()):
            yield path.name, bytes(held.seen)
            yield path.name, bytes(held.safe)


class CardDatabase(SqliteFile):
    """The archive's file: its transactions are steps of the card, and what was not synced may be lost with the power."""

    def __init__(self, path, schema, card):
        self.card, self.synced = card, 0
        super().__init__(path, schema)

    @property
    def log(self):
        return self._path.with_name(self._path.name + LOGS[0])

    @contextmanager
    def write(self, sync="FULL"):
        with super().write(sync) as execute:
            self.card.step("archive")
            yield execute
            self.card.step("archive")
        if sync == "FULL":
            self.synced = self._logged()

    @contextmanager
    def replacing(self):
        self.card.step("archive")
        with super().replacing() as fresh:
            yield fresh
            self.card.step("archive")
        self.synced = 0

    def _logged(self):
        return self.log.stat().st_size if self.log.exists() else 0

    def lose_power(self, chance):
        """Leave the files as the next program finds them."""
        folder = self._path.parent
        kept = {path.name: path.read_bytes() for path in sorted(folder.glob(self._path.name + "*"))
                if not path.name.endswith(LOGS[1])}
        log = kept.get(self.log.name)
        if log and len(log) > self.synced:
            kept[self.log.name] = log[:chance.randint(self.synced, len(log))]
        self.close()
        for path in folder.glob(self._path.name + "*"):
            path.unlink()
        for name, content in kept.items():
            (folder / name).write_bytes(content)


def archive_on(card, path):
    """An archive whose file shares the faults of a card."""
    archive = Archive(path)
    archive._file.close()
    archive._file = CardDatabase(path, SCHEMA, card)
    return archive


def flip_in(path, chance, word=b""):
    """One bit of a file that nobody has open changes, in this word if it is there; whether there was a file."""
    with suppress(FileNotFoundError):
        content = bytearray(path.read_bytes())
        if content:
            at = content.find(word) if word else -1
            content[at if at >= 0 else chance.randrange(len(content))] ^= 1 << chance.randrange(8)
            path.write_bytes(content)
            return True
    return False


def remove_folder(path):
    shutil.rmtree(path, ignore_errors=True)
