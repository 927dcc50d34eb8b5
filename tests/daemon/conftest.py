"""An island that maintenance can be tried on, with a clock that a test moves."""

from types import SimpleNamespace

import pytest

from node.daemon.attendance import Attendance
from node.replica.liveset import LiveSet
from node.replica.replica import Replica
from node.store.archive import Archive
from node.store.journalstore import JournalStore
from tests.sim.village import NOW, Village


class Clock:
    """One that can be wrong: time passes, and jumps. `floor`, if set, is where it stays."""

    rate, floor_stays = 1, None

    def __init__(self):
        self.running, self.ahead = 0.0, NOW

    @property
    def floor(self):
        return self.now() if self.floor_stays is None else self.floor_stays

    def now(self):
        return self.running + self.ahead

    def monotonic(self):
        return self.running


@pytest.fixture
def island(tmp_path):
    village, clock = Village(), Clock()
    store, archive, liveset = JournalStore(tmp_path), Archive(tmp_path / "archive.sqlite"), LiveSet(village.charter)
    forgotten = []
    reader = SimpleNamespace(text_of=lambda id_: liveset.get(id_).packed.decode(), words_of=lambda raw: "",
                             is_searched=lambda id_: liveset.encoding(id_)[0] & 15 in (0, 1, 2))
    board = SimpleNamespace(reader=reader, on_first_pages=list, publish_due=lambda: 0, finish_clearings=lambda: 0,
                            forget_reports=lambda: None, tell_turnouts=lambda: None,
                            keyring=SimpleNamespace(send_due=lambda: 0),
                            care=SimpleNamespace(tidy=lambda: None), cards=SimpleNamespace(tidy=lambda: None),
                            retired=forgotten.extend, stray_codes=set, forget_codes=forgotten.extend)
    settings = SimpleNamespace(archive=SimpleNamespace(keep_days=3650), node=SimpleNamespace(data=tmp_path))
    replica = Replica(liveset, store, [])
    runner = SimpleNamespace(call=lambda work: work(), take_in=lambda raws, via: replica.take_in(raws, via, clock.now())[0])
    yield SimpleNamespace(village=village, folder=tmp_path, store=store, archive=archive, liveset=liveset, timekeeper=clock,
                          replica=replica, board=board, settings=settings, forgotten=forgotten, runner=runner,
                          attendance=Attendance(), desk=SimpleNamespace(look=lambda: None))
    archive.close()
    store.close()
