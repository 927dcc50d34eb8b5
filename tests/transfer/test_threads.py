"""The portal's threads and the visits to other islands use the same bulk at the same time; nothing is lost by it."""

import random

from node.model.errors import RemoteFault
from node.model.record import record_id
from node.transfer.bulk import LocalBulkPort
from node.transfer.bundle import Header
from node.transfer.lan import ASKED, COMPARE, LanService, fingerprint
from node.transfer.recent import Recent
from tests.interleaving import in_between, interwoven
from tests.sim.village import Village
from tests.transfer.test_bulk import Shore, busy


def test_of_two_equal_questions_at_once_one_is_answered():
    village, tried = Village(), 0
    secret = village.charter.subkey("lan")

    def make():
        shore, told = Shore(village), []
        service = LanService(shore.bulk, secret, random.Random(1).randbytes)
        question = service.tables[0].envelope.close(ASKED, bytes([COMPARE]) + bytes(8) + fingerprint([]))

        def ask():
            try:
                service.answer(question)
                told.append("answered")
            except RemoteFault as fault:
                told.append(fault.reason)
        return ask, ask, told

    for told in in_between(make, (LanService.answer, Recent.add)):
        assert sorted(told) == ["answered", "lan-replay"]
        tried += 1
    assert tried > 8


def test_what_two_decline_at_once_stays_bounded_and_the_newest_is_kept():
    tried = 0

    def make():
        recent = Recent(2)
        for key in (b"old", b"older"):
            recent.add(key)
        return (lambda: recent.add(b"one")), (lambda: recent.add(b"other")), recent

    for recent in in_between(make, (Recent.add,)):
        assert {key for key, _ in recent.items()} == {b"one", b"other"}
        tried += 1
    assert tried > 5


def test_the_order_at_hand_is_that_of_its_revision():
    village, tried = Village(), 0
    raws = [raw for raw in busy(village, 3)][:5]

    def make():
        shore = Shore(village).hold(*raws[:4])

        def read():
            shore.bulk.ordered()

        def changed():
            shore.hold(raws[4])
            shore.bulk.ordered()
        return read, changed, shore

    for shore in interwoven(make, (LocalBulkPort.ordered,)):
        assert set(shore.bulk.ordered()) == shore.ids and record_id(raws[4]) in shore.ids
        tried += 1
    assert tried > 100


def test_bundles_of_two_islands_taken_in_at_once_are_both_remembered():
    village, tried = Village(), 0
    keys = [village.key(who).key_id for who in ("founder", "keeper")]

    def make():
        shore = Shore(village).hold(*busy(village, 3))
        one, other = (Header(village.charter.set_id, key, 0, key.hex()) for key in keys)
        return (lambda: shore.bulk.remember(one)), (lambda: shore.bulk.remember(other)), shore

    for shore in in_between(make, (LocalBulkPort.remember,)):
        assert {header.island for header, _ in shore.bulk.remembered()} == set(keys)
        tried += 1
    assert tried > 4
