"""Whatever mix of ways the records travelled, islands end with the same set."""

import contextlib
import random

import pytest

from node.daemon.usb import exchange
from node.model.record import record_id
from node.sync.events import PacketReceived, RecordKept, Send
from node.sync.mqtt.engine import MqttEngine
from node.transfer.bulk import load_bundle, unload_bundle
from node.transfer.lan import LanService
from node.transfer.paper import code_of, letters_of, record_in
from tests.sim.village import Village, at
from tests.transfer.test_bulk import Shore, busy

SEEDS = range(8)
ISLANDS = ("founder", "keeper", "writer", "island")


def bundle(one, other, rng, _):
    """A file, cut short or damaged now and then."""
    whole = bytearray(b"".join(load_bundle(one.bulk)))
    if rng.random() < 0.3:
        del whole[rng.randrange(100, len(whole)):]
    elif rng.random() < 0.3:
        whole[rng.randrange(60, len(whole))] ^= 1 << rng.randrange(8)
    unload_bundle(other.bulk, [bytes(whole)])


def stick(one, other, rng, folder):
    """The one stick that goes round."""
    for shore in (one, other):
        exchange(shore.bulk, folder)


def lan(one, other, rng, _):
    """Both on one network; the visit breaks off now and then."""
    secret = one.liveset.charter.subkey("lan")
    asks, answers = LanService(one.bulk, secret, rng.randbytes), LanService(other.bulk, secret, rng.randbytes)
    posts = []

    def post(message):
        posts.append(message)
        if len(posts) == 2 and rng.random() < 0.3:
            raise OSError("the cable was pulled")
        return answers.answer(message)

    with contextlib.suppress(OSError):
        asks.visit(post)


def paper(one, other, rng, _):
    """A handful of records, printed, typed or scanned."""
    for raw in one.bulk.load(rng.sample(sorted(one.ids), min(5, len(one.ids)))):
        other.bulk.unload([record_in(rng.choice((letters_of, code_of))(raw))], "paper")


def broker(one, other, rng, _):
    """What one island would leave on a broker, found there by the other, repeated and out of order."""
    charter, now = one.liveset.charter, at(one.minute)
    writes, reads = (MqttEngine("mqtt", charter, shore.liveset, rng) for shore in (one, other))
    sealed = [writes._seal.slot(id_) + writes._seal.close(writes._seal.slot(id_), one.liveset.raw(id_)) for id_ in one.ids]
    rng.shuffle(sealed)
    for packet in sealed + sealed[:10]:
        other.replica.engines = [reads]
        other.replica.handle(PacketReceived("mqtt", packet), now)
    other.replica.engines = []


class Eavesdropper:
    """An engine that would flood what it hears of, and must not for what came in bulk."""

    deadline = None

    def __init__(self):
        self.loud = []

    def handle(self, event, now):
        if isinstance(event, RecordKept) and not event.bulk:
            self.loud.append(event.id)
            return [Send("radio", event.id)]
        return []


@pytest.mark.parametrize("seed", SEEDS)
def test_random_mixes_of_ways_end_in_the_same_set(seed, tmp_path):
    rng, village = random.Random(seed), Village()
    raws = busy(village, 120)
    rng.shuffle(raws)
    shores = [Shore(village, who) for who in ISLANDS]
    for raw in raws:
        rng.choice(shores).hold(raw)
    whole = Shore(village).hold(*raws)
    ways = [bundle, stick, lan, paper, broker]
    for step in range(30):
        one, other = rng.sample(shores, 2)
        rng.choice(ways)(one, other, rng, tmp_path)
        if step == 10:
            late = village.retraction(record_id(raws[0]), "keeper", minute=130)
            rng.choice(shores).hold(late)
            whole.hold(late)
    for one, other in zip(shores, shores[1:] + shores[:1], strict=True):
        stick(one, other, rng, tmp_path)
    lan(shores[0], shores[1], random.Random(seed + 100), tmp_path)
    for shore in shores:
        stick(shore, shores[0], rng, tmp_path)
    assert [shore.ids == whole.ids for shore in shores] == [True] * len(shores)


def test_what_comes_in_bulk_is_not_flooded_by_radio(tmp_path):
    village = Village()
    full, empty = Shore(village).hold(*busy(village, 60)), Shore(village, "island")
    ear = Eavesdropper()
    empty.replica.engines = [ear]
    unload_bundle(empty.bulk, load_bundle(full.bulk))
    stick(full, empty, None, tmp_path)
    full.hold(village.bulletin(text="par le câble", minute=200))
    for seed in range(5):  # some of these visits break off
        lan(empty, full, random.Random(seed), tmp_path)
    assert empty.ids == full.ids and ear.loud == []
