"""Records as letters, typed or scanned: what is read is drawn the same."""

from node.model.record import MAX_RECORD_BYTES
from node.transfer.paper import code_of, codes_of, letters_of, record_in, records_in
from tests.fuzz.kinds import Target
from tests.fuzz.seeding import octets_in, refusable, vectors


def run(octets):
    read(octets.decode("utf-8", "replace"))
    raw = octets[:MAX_RECORD_BYTES]
    if raw:  # whatever it is, letters carry it whole
        assert record_in(letters_of(raw)) == record_in(code_of(raw)) == raw
        assert records_in("\n".join(codes_of([raw, raw[::-1], raw], 200))) == ([raw, raw[::-1], raw], 0)


def read(text):
    found = refusable(records_in, text)
    if found is not None:
        assert found[0] and all(0 < len(raw) <= MAX_RECORD_BYTES for raw in found[0])
        assert records_in("\n".join(map(code_of, found[0]))) == (found[0], 0)


def seeds():
    told = vectors("carry")
    for raw in octets_in(told["bundle"], "records"):
        yield code_of(raw).encode()
    for raw in (bytes.fromhex(one) for one in told["bundle"]["records"]):
        yield letters_of(raw).encode()
        yield f"{code_of(raw)} / {letters_of(raw)[:30]} / {code_of(raw).lower()}".encode()


TARGET = Target(run, ("node/transfer/paper.py",), seeds, 4_096, (b"ARCHIPEL ", b"/", b"\n"))
