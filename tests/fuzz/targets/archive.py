"""A row of the archive's file, as a broken card may give it back: it is read whole, or left out and counted."""

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from node.store.archive import Archive, live_words_in, past_in
from node.store.index import Slice, key_of, mark_of
from node.store.journal import line_of
from tests.fuzz.kinds import Target
from tests.fuzz.seeding import MEMORY
from tests.fuzz.targets.journal import ID, ROW

IDS = [bytes.fromhex(ID + f"{number:02x}") for number in range(4)]


def run(octets):
    """The octets as the row, as a line of a journal, as what was typed into the search, as a mark of a page."""
    typed = octets.decode("utf-8", "replace")
    key = key_of(typed)
    assert key is None or key_of(mark_of(key)) == key
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        path = Path(folder) / "archive.db"
        with closing(Archive(path)) as archive:
            archive.index(IDS[3], 5, typed)
            archive.search("a")
            for number, line in enumerate((octets, line_of(octets), octets.decode("latin-1"))):
                put(path, IDS[number], line)
            rows = list(archive.rows())
            assert len(rows) + archive.damaged == 3 and len(archive) == 3
            archive.search(typed)
            archive.search("soupe", typed)
            archive.page(Slice("start", kinds=(0, 1), topic=1, lasting=3, newest_first=True), typed, 2)
            found = archive.get(IDS[1])
            assert found is None or found in rows
            assert (list(past_in(path)) and list(live_words_in(path))) or not rows
            archive.keep(rows, {row.id: typed for row in rows})
            archive.sweep(lambda id_: False)
            archive.prune(1 << 33)
            archive.compact()


def put(path, id_, line):
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("INSERT OR REPLACE INTO past VALUES (?, 0, 1, 5, NULL, 90, ?)", (id_, line))


def seeds():
    import json

    yield json.dumps({"past": {ID + "01": ROW}}).encode() + b"\tabc"
    yield json.dumps({"past": {ID + "01": ROW, ID + "02": ROW}}).encode() + b"\tabcdef"
    yield json.dumps({"past": {ID + "01": None}}).encode()
    yield json.dumps({"past": {}}).encode()
    yield b'soupe "AND" NEAR(a b) * -x'
    yield b"5-" + ID.encode() + b"00"


TARGET = Target(run, (
    "node/store/archive.py: Archive.rows Archive.page Archive._readable past_in live_words_in _row_of _number_of",
    "node/store/index.py: mark_of key_of"), seeds, 1_024,
                (b'{"past":{"', b'"raw":', b"\t"), aside={"there is always a file": ("if read is None",)})
