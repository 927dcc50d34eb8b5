"""A journal as a card may give it back, with lines that are damaged, torn, or right and strange: it is opened unless a
later version wrote it, and what was read is there again after the next start."""

from pathlib import Path

from node.store.documents import tables_in
from node.store.index import Slice, StoreFailed
from node.store.journal import HEADER, TITLE, line_of, payloads_in
from node.store.journalstore import JournalStore
from node.store.payload import UNFIT, payload_of, tables_of
from tests.fuzz.kinds import Target
from tests.sim.simulatedcard import Card, Held

FOLDER = Path("/card")
ID = "00" * 15
ROW = {"raw": 3, "kind": 0, "created": 5, "expires": 90, "topic": 1, "received": 6}


def run(octets):
    """The octets as a journal, as the payload of one line, and as payloads parted by newlines."""
    images = [octets, line_of(HEADER) + octets]
    for payloads in ([octets], octets.split(b"\n")):
        image = b""
        for payload in [HEADER, *payloads]:
            image += line_of(payload, len(image))
        assert list(payloads_in(image)) == [HEADER, *payloads]
        images += [image + b"\0" * 9 + octets[:20]]
    for image in images:
        tables_in(image)
    for image in images[1:]:
        opened(image, octets)
    try:
        tables = tables_of(octets)
    except UNFIT:
        return
    try:
        again = payload_of(tables)
    except UNFIT:
        return
    assert tables_of(again) == tables


def opened(image, octets):
    """As the records' journal and as the notes'."""
    for name in ("records", "notes") if b"notes" in image else ("records",):
        card = Card({FOLDER / f"{name}.journal": Held(image)})
        try:
            store = JournalStore(FOLDER, card)
        except StoreFailed as failed:
            assert failed.reason == "newer"
            continue
        rows = list(store.rows())
        notes = {name: store.note(name) for name in store.names()}
        assert len(store.page(Slice(), limit=10_000)[0]) == len(rows) == len(store)
        if rows:
            store.commit(delete=[rows[0].id])
        store.set_note("one more", octets.hex())
        store.compact()
        store.close()
        again = JournalStore(FOLDER, card)
        assert not again.damaged and list(again.rows()) == rows[1:], again.damaged
        assert {name: again.note(name) for name in again.names()} == notes | {"one more": octets.hex()}
        again.close()


def seeds():
    import json

    row = json.dumps({"records": {ID + "01": ROW}}).encode() + b"\tabc"
    yield row
    yield json.dumps({"records": {ID + "01": ROW, ID + "02": ROW | {"start": 9, "before": "AAAA"}}}).encode() + b"\tabcdef"
    yield row.replace(b'"kind": 0', b'"kind": -1')
    yield row + b"\n" + json.dumps({"records": {ID + "01": None}}).encode()
    yield row + b"\n" + row + b"\n" + json.dumps({"_default": {"1": {"value": [1, {"a": None}]}}}).encode()
    for name, note in (("welcome", {"value": "Bonjour"}), ("none", {}), ("list", [])):
        yield json.dumps({"notes": {name: note}}).encode()
    yield line_of(HEADER) + line_of(row, len(line_of(HEADER))) + bytes(4_096) + b"torn"
    yield line_of(TITLE + b"2")
    yield TITLE + b"2"
    yield b"0" * 8 + b" 00000003 abc\n" + line_of(b"{}", 22)
    yield b"{" + b'"records":{' * 9
    yield b"[" * 2_000


TARGET = Target(
    run, ("node/store/payload.py", "node/store/journal.py: payloads_in _line_at Journal.read Journal._take_up _used_bytes",
          "node/store/documents.py: tables_in _Replayed.take _Replayed._take JournalStorage._load",
          "node/store/journalstore.py: row_of _fit RowShelf.prepare RowShelf._fill JournalStore.note"), seeds,
    aside={"what we write": ("if not isinstance(raw, bytes)",)},
    words=(b'{"records":{"', b'{"notes":{"', b'"raw":', b'"value":', b"null", b"\t", b"\n", b'"before":"'))
