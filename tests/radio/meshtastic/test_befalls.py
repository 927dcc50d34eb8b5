"""What befalls a radio while an island talks to it, on TCP and on a serial line: every state has its end."""

from dataclasses import replace

import pytest
from meshtastic.protobuf import config_pb2

from radio.link import Outcome
from radio.meshtastic.link import node_name
from radio.meshtastic.setup import RadioWish, orders
from radio.sim.simnodes import STRICT, DeviceSettings
from radio.sim.simradio import FIRST_NUMBER, SimulatedMesh
from tests.radio.puppet import HASTY, SPEED, hears
from tests.waiting import until

OLD = DeviceSettings(FIRST_NUMBER, acquainted=True)
NEW = replace(OLD, firmware="2.8.0")
PATIENT = replace(HASTY, handshake=1, silence=60, heartbeat=0.2)


@pytest.fixture(params=["tcp", "serial"])
def radio(request, tmp_path, connect):
    """A mesh of two radios of firmware 2.8, and a link to each; the first by TCP or by a serial line."""

    class Radio:
        def __init__(self, mesh):
            self.mesh, self.settings = mesh, NEW
            path = str(tmp_path / "ttyUSB0")
            if request.param == "serial":
                mesh.plug(0, path)
            where = mesh.ports[0] if request.param == "tcp" else f"serial:{path}"
            self.link, self.other = self.open(where), connect(mesh.ports[1])
            until(lambda: self.link.up and self.other.up)

        def open(self, where, **patience):
            return connect(where, patience=replace(PATIENT, **patience))

        def works(self):
            return until(lambda: self.link.up and hears(self.link, self.other) and hears(self.other, self.link))

    with SimulatedMesh([(0, 1)], speed=SPEED, settings=NEW) as mesh:
        made = Radio(mesh)
        yield made
        made.link.close()
        made.other.close()


def test_a_radio_that_starts_anew_and_misses_the_question_is_asked_again(radio):
    radio.mesh.restart(0, misses=2)
    until(lambda: not radio.link.up)
    radio.works()


def test_a_radio_that_does_nothing_but_answer_heartbeats_is_found_out_by_the_first_packets(radio):
    radio.mesh.numb(0)
    assert [radio.link.send(b"x") for _ in range(2)][-1] in (Outcome.FAILED, Outcome.DOWN)
    until(lambda: radio.link.state == "no-answer")
    radio.mesh.restart(0)
    radio.works()


def test_a_radio_that_gets_another_key_or_newer_firmware_goes_on_under_another_number(radio):
    for changed in (replace(NEW, identity=1), replace(OLD, firmware="2.7.26"), NEW):
        radio.mesh.restart(0, changed)
        until(lambda changed=changed: radio.link.up and radio.link.facts.node == changed.node == radio.mesh.number(0))
        radio.works()
        assert radio.other.neighbours[-1].node == node_name(changed.node)


def test_a_radio_that_forgets_whom_it_knew_refuses_what_is_for_one_until_it_meets_it_again(radio):
    connected = radio.link.counters["connected"]
    radio.mesh.restart(0, replace(NEW, acquainted=False), forgets=True)
    until(lambda: radio.link.up and radio.link.counters["connected"] > connected)
    there = node_name(radio.mesh.number(1))
    assert radio.link.send(b"alone", to=there) is Outcome.FAILED and radio.link.counters["refused"] == 1
    until(lambda: radio.other.send(b"here I am") is Outcome.SENT and radio.link.send(b"alone", to=there) is Outcome.SENT)


def test_what_another_program_sets_is_known_within_the_hour(connect):
    with SimulatedMesh([(0, 1)], speed=SPEED, settings=NEW) as mesh:
        link = connect(mesh.ports[0], patience=replace(PATIENT, refresh=0.3))
        until(lambda: link.up)
        connected = link.counters["connected"]
        assert not link.facts.strict and link.facts.harms == ()
        mesh.set_up(0, replace(NEW, policy=STRICT, role="CLIENT_MUTE", rebroadcast="KNOWN_ONLY", hop_limit=7))
        until(lambda: link.facts.strict)
        assert link.facts.harms == ("known-only", "strict", "mute-role", "many-hops")
        assert link.up and link.counters["connected"] == connected, "it was asked on the same stream"
        mesh.set_up(0, replace(NEW, region="UNSET"))
        until(lambda: link.state == "region-unset")
        mesh.set_up(0, NEW)
        until(lambda: link.up)
        link.close()


def test_a_radio_that_beats_and_has_nothing_to_send_is_found_out_within_the_hour(connect):
    with SimulatedMesh([(0, 1)], speed=SPEED, settings=NEW) as mesh:
        link = connect(mesh.ports[0], patience=replace(PATIENT, refresh=0.3))
        until(lambda: link.up)
        mesh.numb(0)
        until(lambda: link.state == "no-answer")
        mesh.restart(0)
        until(lambda: link.up)
        link.close()


WISHES = [RadioWish(region="US"), RadioWish(signatures="balanced"),
          RadioWish(role="ROUTER_LATE", pass_on="LOCAL_ONLY", hops=5)]


@pytest.mark.parametrize("wish", WISHES, ids=["region", "signatures", "three sections"])
def test_an_island_sets_its_radio_up_itself(radio, wish):
    before = radio.link.facts
    assert radio.link.set_up(wish, within_s=60) and wish.holds(radio.link.facts) and not wish.holds(before)
    assert radio.link.facts.node == before.node, "it kept its key"
    assert radio.link.facts.preset == before.preset and radio.link.facts.channels == before.channels
    until(lambda: radio.link.up)


def test_a_radio_without_a_region_is_given_one(connect):
    with SimulatedMesh([], settings={0: replace(NEW, region="UNSET", sends=False)}, speed=SPEED) as mesh:
        link = connect(mesh.ports[0], patience=PATIENT)
        until(lambda: link.state == "region-unset")
        assert link.set_up(RadioWish(region="EU_868", send=True), within_s=60)
        until(lambda: link.up)
        link.close()


def test_what_no_radio_knows_is_no_wish_and_one_that_is_away_is_not_set_up(puppet, connect):
    for wrong in ({"region": "EU"}, {"signatures": "loose"}, {"role": "client"}, {"hops": 8}, {"pass_on": "SOME"}):
        with pytest.raises(ValueError):
            RadioWish(**wrong)
    puppet.answers = False
    link = connect(puppet.port, patience=PATIENT)
    assert not link.set_up(RadioWish(region="EU_868"), within_s=0.5)


@pytest.mark.parametrize("told", [{}, {"security": config_pb2.Config.SecurityConfig(public_key=bytes(32))}])
def test_a_radio_that_does_not_tell_its_key_keeps_it(told):
    """Without it, the firmware would make another one, and another number with it."""
    with pytest.raises(ValueError):
        orders(RadioWish(signatures="balanced"), told)
