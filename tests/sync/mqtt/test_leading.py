"""Where a set left its earlier secret, a broker keeps what leads to the present one, and in the end nothing."""

import random

import pytest

from node.model.record import record_id
from node.replica.generations import LeadingRecords
from node.replica.liveset import LiveSet
from node.replica.replica import Replica
from node.store.memory import MemoryStore
from node.sync.mqtt.engine import LeadingMqttEngine, MqttEngine
from node.sync.mqtt.sealing import Seal
from tests.sim.village import T0, Village
from tests.sync.mqtt.test_engine import NOW, Shore

VILLAGE = Village()
HOUR = 3600
MINUTE = int((NOW - 1_704_067_200) // 60) - T0


class EarlierRoot(Shore):
    """The broker's old root: island 0 has moved on and leads from there, island 1 was off and has not."""

    def __init__(self, over=False):
        self.over = over
        super().__init__(2)

    def _island(self, number):
        liveset = LiveSet(VILLAGE.charter)
        records = LeadingRecords(liveset, self.over) if number == 0 else liveset
        kind = LeadingMqttEngine if number == 0 else MqttEngine
        engine = kind("mqtt", VILLAGE.charter, records, random.Random(f"{number}"))
        return Replica(liveset, MemoryStore(), [engine, self.witnesses[number]])

    def there(self):
        """The ids of what the broker keeps, of all that the two islands hold."""
        seal = Seal(VILLAGE.charter)
        return {id_ for id_ in self.ids(0) | self.ids(1) if seal.slot(id_) in self.retained}


def raws_of(minute=MINUTE):
    """(what leads, the rest)."""
    leading = [*VILLAGE.renew("founder", "ana", "founder", minute=minute), VILLAGE.revoke("founder", "gone", minute=minute)]
    return leading, [VILLAGE.vouch("founder", "ana", minute=minute),
                     *(VILLAGE.bulletin(text=f"{number}", minute=minute, life=900) for number in range(20))]


@pytest.fixture
def shore():
    """Both had put all there before the change."""
    made = EarlierRoot()
    leading, rest = raws_of()
    made.post(1, *rest)
    made.switch(1, True)
    made.run(60)
    made.switch(1, False)
    made.post(0, *leading, *rest)
    return made


def test_who_was_off_finds_the_renewal_and_what_it_brings_is_learnt(shore):
    shore.switch(0, True)
    shore.run(60)
    late = VILLAGE.bulletin("ana", "posé sans les autres", minute=MINUTE + 1, life=900)
    shore.post(1, late)
    shore.switch(1, True)
    shore.run(60)
    leading, _ = raws_of()
    assert {record_id(raw) for raw in leading} <= shore.ids(1)
    assert record_id(late) in shore.ids(0) & shore.there()
    shore.switch(1, False)  # it goes on with the new secret, and so does what was learnt of it
    shore.run(9 * HOUR)
    assert shore.there() == {record_id(raw) for raw in leading}


def test_nothing_but_what_leads_is_put_there_and_all_else_is_taken_away(shore):
    shore.switch(0, True)
    shore.run(60)
    shore.post(0, VILLAGE.bulletin(text="nouvelle", minute=MINUTE + 5, life=900))
    shore.run(9 * HOUR)
    leading, _ = raws_of()
    assert shore.there() == {record_id(raw) for raw in leading} and len(shore.retained) == len(leading)


def test_when_its_time_is_over_nothing_is_left(shore):
    shore.switch(0, True)
    shore.run(9 * HOUR)
    assert shore.retained
    last = EarlierRoot(over=True)
    last.retained = dict(shore.retained)
    last.post(0, *raws_of()[0], *raws_of()[1])
    last.switch(0, True)
    last.run(9 * HOUR)
    assert last.retained == {}


def test_a_broker_that_lost_everything_is_given_what_leads_again(shore):
    shore.switch(0, True)
    shore.run(60)
    shore.switch(0, False)
    shore.run(1)
    shore.retained.clear()
    shore.switch(0, True)
    shore.run(HOUR)
    assert shore.there() == {record_id(raw) for raw in raws_of()[0]}
