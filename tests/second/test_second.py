"""What docs/protocol.md says, told by a second implementation that knows nothing else: it agrees with ours, with all
vectors, and with refusals. `EFFORT=20` tries twenty times as much."""

import random

import pytest

from node.model.record import decode
from tests.effort import EFFORT
from tests.second.asking import SecondReader, differences, verdict
from tests.second.random_records import any_record, spoilt_record
from tests.vectors.make import described

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def second():
    reader = SecondReader()
    yield reader
    reader.close()


def told(raw):
    """A record as the vectors tell it."""
    return {name: value for name, value in described("", raw).items() if name not in ("name", "hex")}


def test_it_reads_every_vector_as_written(second):
    [answer] = second.answers([{"ask": "vectors"}])
    assert answer["ok"]["wrong"] == [] and answer["ok"]["tried"] >= 490


def test_it_reads_and_refuses_the_same_records(second):
    rng = random.Random(EFFORT)
    raws = [make(rng) for _ in range(400 * EFFORT) for make in (any_record, spoilt_record)]
    asked = [({"ask": "record", "hex": raw.hex()}, verdict(told, raw)) for raw in raws]
    assert differences(second, asked) == []
    good = sum("ok" in ours for _, ours in asked)
    assert good > len(asked) / 3 and len({ours["no"] for _, ours in asked if "no" in ours}) >= 9
