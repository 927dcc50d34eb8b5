"""Two real islands, each in a network of its own, joined by a cable: they find each other and end alike, nobody told them.

Takes some ten seconds: two whole islands start, look at their network, announce themselves and visit.
"""

import os
import subprocess
import sys
import time
from contextlib import ExitStack

import pytest

from node.daemon.keyfiles import KeyFolder
from node.daemon.rpc import NotRunning, ask

pytestmark = pytest.mark.once

TEXTS = ["Distribution de légumes à l’école", "Réunion sur l’eau", "On cherche une échelle"]


def run(*words):
    subprocess.run(words, check=True, capture_output=True)


@pytest.fixture
def cable():
    """Two network namespaces joined by a pair of virtual Ethernet cards; their names."""
    ends = [f"archipel-{os.getpid()}-{side}" for side in "ab"]
    cards = [f"arch{os.getpid() % 100_000}{side}" for side in "ab"]
    with ExitStack() as undo:
        for end in ends:
            run("ip", "netns", "add", end)
            undo.callback(run, "ip", "netns", "del", end)
        run("ip", "link", "add", cards[0], "type", "veth", "peer", "name", cards[1])
        for number, (end, card) in enumerate(zip(ends, cards, strict=True)):
            run("ip", "link", "set", card, "netns", end)
            run("ip", "-n", end, "addr", "add", f"10.77.0.{number + 1}/24", "dev", card)
            run("ip", "-n", end, "link", "set", "lo", "up")
            run("ip", "-n", end, "link", "set", card, "up")
            run("ip", "-n", end, "route", "add", "224.0.0.0/4", "dev", card)
        yield ends


@pytest.fixture
def islands(cable, tmp_path):
    """Their folders, once both run."""
    folders = [tmp_path / side for side in "ab"]
    KeyFolder(folders[0]).found("Belleville", "A")
    KeyFolder(folders[1]).join(KeyFolder(folders[0]).invite(), "B")
    with ExitStack() as undo:
        for end, folder in zip(cable, folders, strict=True):
            settings = folder / "archipel.toml"
            settings.write_text(f'[node]\nname = "{folder.name}"\ndata = "{folder}"\n[portal]\nlisten = "0.0.0.0:8080"\n'
                                '[radio]\nconnect = "none"\n')
            log = undo.enter_context((folder / "log").open("wb"))
            command = ["ip", "netns", "exec", end, sys.executable, "-m", "node", "run", "--config", settings]
            island = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | {"PYTHONPATH": os.getcwd()})
            undo.callback(island.wait, 60)
            undo.callback(island.terminate)
        for folder in folders:
            until(lambda folder=folder: status(folder), folder)
        yield folders


def status(folder):
    try:
        return ask(folder, "status")
    except NotRunning:
        return None


def until(ready, folder, timeout_s=90):
    end = time.monotonic() + timeout_s
    while not ready():
        assert time.monotonic() < end, (folder / "log").read_text()
        time.sleep(0.1)


def test_two_islands_on_one_cable_find_each_other_and_end_alike(islands):
    for number, text in enumerate(TEXTS):
        ask(islands[number % 2], "post", draft={"text": text})

    def alike():
        told = [status(folder) for folder in islands]
        return told[0]["checksum"] == told[1]["checksum"] and told[0]["records"] >= len(TEXTS)

    until(alike, islands[0])
    assert len(islands) == 2
    for folder in islands:
        assert {item["headline"] for item in ask(folder, "list", limit=10)} == set(TEXTS)
    until(lambda: any(peer["up"] for folder in islands for peer in status(folder)["lan"]["peers"]), islands[0])
