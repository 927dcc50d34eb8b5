"""Whole islands whose radios hear only what is signed (firmware 2.8, policy STRICT), or have one between them that limits
senders. A strict one between them, which nobody tells of, takes hours: tests/sync/lora/test_sender_limits.py."""

from dataclasses import replace

import pytest

from node.board.status import LinkStatus
from node.daemon.app import RADIO
from radio.sim.habits import SenderLimit
from radio.sim.simnodes import STRICT, DeviceSettings
from radio.sim.simradio import FIRST_NUMBER, SimulatedMesh
from radio.sim.topology import line
from tests.daemon.test_app import SPEED, folders, post, running, settings_for, texts  # noqa: F401 - a fixture
from tests.waiting import until

# They have met before: a strict radio hears nothing of a stranger before its next NodeInfo, up to 3 h later.
NEW = DeviceSettings(FIRST_NUMBER, firmware="2.8.0", acquainted=True)
SHORT, LONG = "Soupe à 19 h", "Réunion des locataires : " + "le toit, le chauffage, la cour, les vélos ; " * 6
HANGS_S = 300  # an hour and a half of the air at SPEED: it takes some 20 minutes


def radio_of(island) -> LinkStatus:
    return next(link for link in island.board.status().host.links if link.name == RADIO)


@pytest.fixture(params=["all strict", "one strict", "a relay that limits senders between"])
def mesh(request):
    """Radios of two islands, nodes 0 and 1, maybe with a plain one between them."""
    strict, limited = replace(NEW, policy=STRICT), replace(NEW, limit=SenderLimit(6))
    pairs, settings = {
        "all strict": (line(2), (strict, strict)), "one strict": (line(2), (NEW, strict)),
        "a relay that limits senders between": ([(0, 2), (2, 1)], (NEW, NEW, limited)),
    }[request.param]
    each = {node: replace(one, number=FIRST_NUMBER + node) for node, one in enumerate(settings)}
    with SimulatedMesh(pairs, seed=5, speed=SPEED, settings=each) as mesh:
        mesh.strict = [node for node, one in each.items() if one.policy == STRICT]
        yield mesh


@pytest.mark.once
def test_what_is_posted_on_either_side_is_read_on_the_other(folders, mesh):  # noqa: F811 - the fixture
    a, b = (settings_for(folder, f"tcp:127.0.0.1:{mesh.ports[node]}") for node, folder in enumerate(folders[:2]))
    with running(a) as one, running(b) as two:
        until(lambda: radio_of(one).up and radio_of(two).up)
        for text in (SHORT, LONG):
            post(one, f"{text} (a)")
            post(two, f"{text} (b)")
        wanted = {f"{text} ({side})" for text in (SHORT, LONG.strip()) for side in "ab"}
        until(lambda: len(texts(one)) == len(texts(two)) == len(wanted), timeout_s=HANGS_S)
        assert texts(one) == texts(two)
        until(lambda: one.board.status().checksum == two.board.status().checksum, timeout_s=HANGS_S)
        for node, island in enumerate((one, two)):
            told = radio_of(island).radio
            assert (told.signature_policy, "strict" in told.harms) == (
                ("strict", True) if node in mesh.strict else ("compatible", False))
