"""Whole islands whose radios refuse what the firmware refuses: runner, engine, link and simulated radio together."""

import pytest

from node.daemon.app import RADIO
from node.model.clock import FastClock
from radio.sim.simnodes import DeviceSettings
from radio.sim.simradio import FIRST_NUMBER, SimulatedMesh
from radio.sim.topology import line
from tests.daemon.test_app import START, folders, post, running, settings_for, texts  # noqa: F401 - a fixture
from tests.waiting import until

NEW, SPEED = "2.8.0", 100.0
ROUNDS = 20  # who speaks first, and so whether one asks or the other offers, is chance


@pytest.fixture
def between(folders):  # noqa: F811
    """Runs two islands of one set, each with the radio that was asked for."""

    def between(work, **setups):
        settings = {place: DeviceSettings(FIRST_NUMBER + place, **{"firmware": NEW, **setup})
                    for place, setup in enumerate(setups.values())}
        with SimulatedMesh(line(2), seed=3, speed=SPEED, settings=settings) as mesh:
            a, b = (settings_for(folder, f"tcp:127.0.0.1:{port}")
                    for folder, port in zip(folders, mesh.ports.values(), strict=False))
            return work(mesh, a, b)

    return between


def clock():
    return FastClock(SPEED, START)


def link_of(island):
    return next(link for link in island.links if link.name == RADIO)


def test_an_island_whose_radio_refuses_a_question_for_one_asks_everybody(between):
    def work(mesh, a, b):
        with running(a, clock()) as one, running(b, clock()) as two:
            until(lambda: one.board.status().set == two.board.status().set)
            asked = link_of(two).counters
            for number in range(ROUNDS):
                mesh.partition([0], [1])
                post(one, f"n° {number}")
                sent = link_of(one).counters["sent"]
                until(lambda sent=sent: link_of(one).counters["sent"] > sent)
                mesh.partition()
                until(lambda: texts(two) == texts(one))
                if asked["refused"]:
                    break
            return asked["refused"], asked["failed"]

    assert between(work, one={"licensed": True}, two={}) == (1, 1), "it was told once, and asked everybody from then on"
