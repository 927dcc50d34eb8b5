"""A card in memory that forgets what was not synced, fails when told to, and loses power at any step.

What it keeps of unsynced writes after a power cut is up to chance, byte by byte if need be: reordered, torn, lost. A failed
sync forgets what it was to write, and the next one does not try again (what Linux does: Rebello et al., USENIX ATC 2020).
"""

import errno
import random

from node.store.disk import Disk, OpenFile, StoreLocked

SECTOR = 512


class PowerCut(BaseException):
    """The power went: nothing of the program runs any more."""


class Held:
    """What a file is: `seen` by programs, `safe` on the card, and the writes in between, in order."""

    def __init__(self, safe=b""):
        self.seen, self.safe, self.loose = bytearray(safe), bytearray(safe), []

    def write(self, block, at):
        put(self.seen, block, at)
        while block:
            room = SECTOR - at % SECTOR
            self.loose.append((bytes(block[:room]), at))
            block, at = block[room:], at + room

    def settle(self, chance, share):
        """Write a part of what is loose to the card; forget the rest."""
        for block, at in self.loose:
            if share == 1 or chance.random() < share:
                torn = 0 < share < 1 and chance.random() < 0.2
                put(self.safe, block[:chance.randrange(len(block))] if torn else block, at)
        self.loose = []


class CardFile(OpenFile):
    def __init__(self, card, held):
        self._card, self._held = card, held

    def write(self, block, at):
        if self._card.dark:
            raise PowerCut
        try:
            self._card.step("write")
        except (OSError, PowerCut):  # made in part
            self._held.write(block[:self._card.chance.randrange(len(block) + 1)], at)
            raise
        self._held.write(block, at)

    def cut(self, size):
        pass  # the zeros may stay

    def sync(self):
        if self._card.gate:
            assert self._card.gate.wait(60)
        try:
            self._card.step("sync")
        except OSError:
            self._held.settle(self._card.chance, 0.5)
            raise
        self._held.settle(self._card.chance, 1)

    def close(self):
        self._card.step("close")


class Card(Disk):
    """A disk for one folder. `fails`: step number -> errno; `cut_at`: the step at which the power goes.

    `late`: a rename that fails has been done. `gate`: an event that syncs wait for.
    """

    def __init__(self, names=None, seed=0, fails=None, cut_at=None, late=False):
        self.seen = dict(names or {})
        self.safe, self.loose = dict(self.seen), []
        self.chance = random.Random(seed)
        self.fails, self.cut_at = fails or {}, cut_at
        self.steps, self.dark, self.log = 0, False, []
        self.late, self.gate = late, None
        self._locked = False

    def step(self, kind):
        """Count one step, and let happen what was to happen there."""
        if self.dark:
            raise PowerCut
        if kind == "close":
            return
        self.steps += 1
        self.log.append(kind)
        if self.steps == self.cut_at:
            self.dark = True
            raise PowerCut
        if self.steps in self.fails:
            raise OSError(self.fails[self.steps], "as planned")

    def after_power_cut(self, seed, share):
        """The card as the next program finds it, when `share` of what was not synced is there by chance."""
        chance = random.Random(seed)
        names = dict(self.safe)
        kept = len(self.loose) if share == 1 else chance.randint(0, len(self.loose)) if share else 0
        for change in self.loose[:kept]:
            change(names)
        found = {}
        for path, held in names.items():
            rest = Held(held.safe)
            rest.loose = list(held.loose)
            rest.settle(chance, share)
            found[path] = Held(rest.safe)
        return Card(found, seed)

    def make_folder(self, path):
        pass  # it is there

    def read(self, path):
        if path not in self.seen:
            raise FileNotFoundError(errno.ENOENT, "no such file")
        return bytes(self.seen[path].seen)

    def create(self, path):
        self.step("create")
        held = Held()
        self._rename(lambda names: names.__setitem__(path, held))
        return CardFile(self, held)

    def open(self, path):
        self.step("open")
        return CardFile(self, self.seen[path])

    def rename(self, old, new):
        late = False
        try:
            self.step("rename")
        except OSError:
            late = self.late  # it may have happened and been reported as failed
            if not late:
                raise
        self._rename(lambda names: names.__setitem__(new, names.pop(old)) if old in names else None)
        if late:
            raise OSError(errno.EIO, "as planned, after the fact")

    def remove(self, path):
        if path not in self.seen:
            raise FileNotFoundError(errno.ENOENT, "no such file")
        self.step("remove")
        self._rename(lambda names: names.pop(path, None))

    def sync_folder(self, path):
        self.step("sync folder")
        for change in self.loose:
            change(self.safe)
        self.loose = []

    def lock(self, path):
        if self._locked:
            raise StoreLocked(path.parent, None)
        self._locked = True
        return self

    def release(self):
        self._locked = False

    def _rename(self, change):
        change(self.seen)
        self.loose.append(change)


def put(image, block, at):
    """Write into a growing image."""
    if at + len(block) > len(image):
        image.extend(bytes(at + len(block) - len(image)))
    image[at:at + len(block)] = block
