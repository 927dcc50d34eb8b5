"""A backup, sealed by a stranger or by who knows its passphrase: an island is made of it whole, which opens, or nothing is."""

import io
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from node.daemon.restoring import NotRestored, restored
from node.store.archive import Archive
from node.store.index import StoreFailed
from node.store.journalstore import JournalStore
from node.store.sealed import MAGIC, VERSION, R, _content, _key, _nonce, _write_chunk
from tests.fuzz.kinds import Target
from tests.fuzz.seeding import MEMORY
from tests.fuzz.targets.journal import ID, ROW

PASSPHRASE = "un chat gris"
HEADER = MAGIC + bytes([VERSION, 1, R, 1]) + bytes(16)  # as little of scrypt as it takes
CIPHER = ChaCha20Poly1305(_key(HEADER, PASSPHRASE))
PART = b"\n==\n"


def run(octets):
    """As a file; as what one chunk holds; as parts, each its name and what is in it: payloads, a line each, or a file."""
    parts = [part.partition(b"\n")[::2] for part in octets.split(PART)[:6]]
    taken(octets)
    taken(sealed([octets[:60_000], _content(True, "", b"")]))
    taken(sealed([*(_content(False, name.decode("utf-8", "replace")[:60], held(content)) for name, content in parts), _content(True, "", b"")]))


def held(content):
    """Payloads with their lengths before them; what begins with a blank is as it stands."""
    if content.startswith(b" "):
        return content[1:]
    return b"".join(len(line).to_bytes(4, "big") + line for line in content.split(b"\n"))


def sealed(chunks):
    stream = io.BytesIO()
    stream.write(HEADER)
    for number, content in enumerate(chunks):
        _write_chunk(stream, CIPHER.encrypt(_nonce(iter([number])), content, HEADER))
    return stream.getvalue()


def taken(content):
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        island = Path(folder) / "island"
        try:
            records, archived = restored(io.BytesIO(content), island, PASSPHRASE)
        except NotRestored as refused:
            assert str(refused.sentence)
            assert not list(Path(folder).iterdir())
            return
        assert {path.name for path in Path(folder).iterdir()} == {"island"}
        assert all(island in path.resolve().parents for path in island.rglob("*"))
        try:
            store = JournalStore(island)
        except StoreFailed as failed:
            assert failed.reason
            return
        assert len(list(store.rows())) == len(store) <= records
        store.set_note("one more", 1)
        store.close()
        archive = Archive(island / "archive.db")
        rows = list(archive.rows())
        assert len(rows) <= archived
        archive.close()


def seeds():
    import json

    row = json.dumps({"records": {ID + "01": ROW}}).encode() + b"\tabc"
    past = json.dumps({"archive": {ID + "02": ROW | {"words": "soupe"}}}).encode() + b"\tabc"
    words = json.dumps({"words": {ID + "01": {"created": 5, "words": "bal"}}}).encode()
    notes = json.dumps({"notes": {"welcome": {"value": "Bonjour"}}}).encode()
    parts = [b"records\n" + row, b"notes\n" + notes, b"archive\n" + past, b"words\n" + words, b"file/keys/island.key\n abc", b"file/archipel.toml\n [box]"]
    yield PART.join(parts)
    yield from parts
    for name in (b"file/../a", b"file//etc/a", b"file/", b"file/.a/b", b"file/a", b"file/a\0b", b"file/lock", b"file/records.journal", b"file/archive.db",
                 b"file/" + b"x" * 400, b"files/x", b"", b"file/a/b/c", b"file/keys", b"file/notes.journal/x", b"file/archive.db/x"):
        yield name + b"\n abc"
        yield parts[0] + PART + name + b"\n abc" + PART + parts[2]
    yield b"file/a\n x" + PART + b"file/a/b\n y"
    for table in ("records", "notes", "archive", "words"):
        for told in (b"{}", b"[]", b"7", b'{"x": {}}', b'{"%s": {"zz": {}}}', b'{"%s": {"1": null}}', b'{"%s": {"1": 7}}', b'{"a": {}, "b": {}}', b"{",
                     b'{"%s": {"' + ID.encode() + b'01": {"raw": 3}}}\tabc', b'{"%s": {"' + ID.encode() + b'01": {"raw": 9}}}\tabc',
                     b'{"%s": {"' + ID.encode() + b'01": {"created": "x", "words": 7}}}', b'{"%s": {"00": {"created": 1, "words": "a"}}}',
                     b'{"%s": {"' + ID.encode() + b'01": {"created": 1e99, "words": null}}}'):
            yield table.encode() + b"\n" + told.replace(b"%s", table.encode())
        yield table.encode() + b"\n \0\0\0\x05ab"
        yield table.encode() + b"\n \xff\xff\xff\xffab"
    yield row.replace(b'"kind": 0', b'"kind": "x"').join([b"records\n", b""])
    yield past.replace(b'"soupe"', b"7").join([b"archive\n", b""])
    yield past.replace(b'"received": 6', b'"received": 1e400').join([b"archive\n", b""])
    yield past.replace(b'"expires": 90', b'"expires": 99999999999999999999999').join([b"archive\n", b""])
    whole = sealed([_content(False, "records", b""), _content(True, "", b"")])
    yield from (whole, whole[:-1], whole + b"x", whole[:60], whole[:30], b"", MAGIC, b"zip")
    for at, value in ((len(MAGIC), 9), (len(MAGIC) + 1, 0), (len(MAGIC) + 1, 40), (len(MAGIC) + 2, 1), (len(MAGIC) + 3, 0), (len(MAGIC) + 3, 200), (-1, 9),
                      (len(HEADER), 0xFF)):
        yield whole[:at % len(whole)] + bytes([value]) + whole[at % len(whole) + 1:]
    yield from (b"\0\x05ab", b"\0\x02\xff\xff", b"\1\0", b"\2\0x", b"\0", b"\0\xffabc")


TARGET = Target(run, ("node/store/sealed.py: unseal _opened _read_header _open_chunk _exactly",
                      "node/store/backup.py: restore_from finish_restore _build _put_file _put_documents _put_past _put_words _batches _payloads _filed",
                      "node/daemon/restoring.py: restored _said"), seeds, 2_048, (
    PART, b"records\n", b"notes\n", b"archive\n", b"words\n", b"file/", b'{"archive":{"', b'"words":"', b'"raw":', b"\t"), share=4, aside={
        "a stick's folder is new here: tests/store/test_backup.py": ("if set(disk.names(folder))",)})
