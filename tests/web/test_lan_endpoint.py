"""The portal's door for other islands: sealed questions, sealed answers, one at a time."""

import importlib
import random

from node.replica.liveset import LiveSet
from node.replica.replica import Replica
from node.store.memory import MemoryStore
from node.transfer.bulk import IslandLabel, LocalBulkPort
from node.transfer.lan import LanService
from tests.sim.portals import CHARTER, ELSEWHERE


def visitor(neighbourhood):
    """Another island of the set, empty."""
    liveset, now = LiveSet(CHARTER), neighbourhood.clock.now
    replica = Replica(liveset, MemoryStore(), [])
    bulk = LocalBulkPort(liveset, MemoryStore(), IslandLabel(ELSEWHERE.key_id, "Île de la gare"), now,
                        lambda raws, via: replica.take_in(raws, via, now())[0])
    return liveset, LanService(bulk, CHARTER.subkey("lan"), random.Random(9).randbytes)


def test_another_island_learns_the_board_through_the_portal(portal, neighbourhood):
    neighbourhood.bulletin("Bal au canal")
    liveset, service = visitor(neighbourhood)
    answers = []

    def post(message):
        answers.append(portal.post("/lan", data=message))
        assert answers[-1].status_code == 200 and "Set-Cookie" not in answers[-1].headers
        return answers[-1].data

    assert service.visit(post).new == len(liveset) == len(neighbourhood.liveset)
    assert set(liveset.ids()) == set(neighbourhood.liveset.ids())


def test_strangers_get_nothing_and_are_counted(portal, neighbourhood):
    for message in (b"", b"hello", b"\1" + bytes(500)):
        answer = portal.post("/lan", data=message)
        assert answer.status_code == 403 and answer.data == b""
    assert portal.get("/lan").status_code == 405
    assert neighbourhood.lan.counters == {"refused lan-form": 2, "refused lan-seal": 1}


def test_more_than_a_message_is_not_read(portal, neighbourhood):
    assert portal.post("/lan", data=bytes((1 << 20) + 1)).status_code == 413
    assert not neighbourhood.lan.counters


def test_while_one_is_served_another_is_asked_to_come_again(portal, monkeypatch):
    monkeypatch.setattr(importlib.import_module("web.lan_endpoint"), "PATIENCE_S", 0.01)
    portal.application.extensions["counter"].acquire()
    assert portal.post("/lan", data=b"x").status_code == 503
