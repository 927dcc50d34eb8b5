"""Brokers that are bridged, and islands on several brokers: what is posted anywhere arrives everywhere."""

import random
from contextlib import ExitStack

import pytest

from node.daemon.runner import Runner
from node.model.clock import FastClock
from node.replica.liveset import LiveSet
from node.replica.replica import Replica
from node.store.memory import MemoryStore
from node.sync.mqtt.engine import MqttEngine
from radio.mqtt.link import BrokerSettings, MqttLink
from tests.mosquitto import Mosquitto
from tests.radio.mqtt.test_link import CHARTER, FAST, ROOT, START, bulletin
from tests.waiting import until


class Isle:
    """An island on as many brokers as there are addresses."""

    def __init__(self, *urls):
        self.liveset = LiveSet(CHARTER)
        named = {f"mqtt{number}": url for number, url in enumerate(urls)}
        self.links = [MqttLink(BrokerSettings(url, ROOT, quiet_s=0.02, retry_first_s=0.05, retry_last_s=0.2), name)
                      for name, url in named.items()]
        engines = [MqttEngine(name, CHARTER, self.liveset, random.Random(1)) for name in named]
        self.runner = Runner(Replica(self.liveset, MemoryStore(), engines), self.links, FastClock(FAST, START))
        self.runner.start()

    @property
    def up(self):
        return all(link.up for link in self.links)

    @property
    def ids(self):
        return set(self.liveset.ids())


@pytest.fixture
def start():
    """Starts things that end with the test: brokers with lines of configuration, islands on brokers."""
    with ExitStack() as undo:
        def _start(what, *arguments):
            made = what(*arguments)
            if what is Mosquitto:
                made.start()
                undo.callback(made.stop)
            else:
                undo.callback(made.runner.stop)
                until(lambda: made.up)
            return made

        yield _start


def place(folder, name):
    (folder / name).mkdir()
    return folder / name


def test_islands_on_two_bridged_brokers_share_one_set(start, tmp_path):
    first = start(Mosquitto, place(tmp_path, "first"))
    bridge = f"connection other\naddress 127.0.0.1:{first.port}\ntopic {ROOT}/# both 1\nrestart_timeout 1"
    second = start(Mosquitto, place(tmp_path, "second"), bridge)
    here, there = start(Isle, first.url), start(Isle, second.url)
    here.runner.publish(bulletin(1))
    there.runner.publish(bulletin(2))
    until(lambda: len(here.ids) == len(there.ids) == 2, 120)
    late = start(Isle, second.url)
    until(lambda: late.ids == here.ids, 120)


def test_an_island_on_two_brokers_carries_from_one_to_the_other(start, tmp_path):
    brokers = [start(Mosquitto, place(tmp_path, name)) for name in ("first", "second")]
    here, there = (start(Isle, broker.url) for broker in brokers)
    start(Isle, *(broker.url for broker in brokers))
    here.runner.publish(bulletin(1))
    there.runner.publish(bulletin(2))
    until(lambda: len(here.ids) == len(there.ids) == 2, 120)
    brokers[0].stop()
    there.runner.publish(bulletin(3))
    brokers[0].start()
    until(lambda: len(here.ids) == 3, 120)
