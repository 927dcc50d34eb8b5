"""A record: what is read is encoded the same, is bounded, and ends."""

from node.model.clock import MAX_MINUTE
from node.model.event import MAX_DATES, Event, occasions
from node.model.record import MAX_RECORD_BYTES, Kind, decode, encode, marks_of
from tests.fuzz.kinds import Target
from tests.fuzz.seeding import octets_in, refusable, vectors


def run(octets):
    record = refusable(decode, octets)
    if record is None:
        return
    assert encode(record) == octets
    assert record.created < record.expires <= MAX_MINUTE
    if record.kind is Kind.BULLETIN:
        assert marks_of(octets) == record.marks
    if isinstance(record.detail, Event):
        dates = occasions(record.detail)
        assert 1 <= len(dates) <= MAX_DATES and all(0 <= one.start <= one.end <= record.expires for one in dates), dates


def seeds():
    for name in ("records", "renewal", "foreign", "live", "invitation"):
        yield from octets_in(vectors(name), "hex", "record", "raw")


TARGET = Target(
    run, ("node/model/record.py", "node/model/event.py", "node/model/foreign.py", "node/model/byte_reader.py"), seeds,
    MAX_RECORD_BYTES + 1, aside={"a rule ends by its count, or is refused": (
        "for day in _all_days", "if day >= first", "for month in count(12")}, beside={
    "what we write": (
        "signed_part", "encode", "sign", "_signed_part", "_marked_life", "_when", "_origin", "_rule", "_subject", "_nibble",
        "_exactly", "angle", "foreign_key"),
})
