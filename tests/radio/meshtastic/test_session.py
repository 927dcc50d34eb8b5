"""The connection to a radio survives what radios, cables and other programs do to it."""

import contextlib
import threading
from dataclasses import replace

import pytest
import serial
from meshtastic.protobuf import mesh_pb2

from radio.link import Outcome
from radio.meshtastic import link as meshtastic_link
from radio.meshtastic.wire import RadioLine
from radio.sim.simradio import SimulatedMesh
from tests.radio.puppet import CALM, HASTY, SPEED, hears, packet_from
from tests.waiting import until


def test_a_radio_that_comes_later_is_found(connect):
    with SimulatedMesh([(0, 1)], speed=SPEED) as mesh:
        mesh.switch(0, False)
        link = connect(mesh.ports[0])
        until(lambda: link.state == "absent")
        assert link.send(b"nobody") is Outcome.DOWN
        mesh.switch(0, True)
        until(lambda: link.up)
        link.close()


def test_a_radio_that_restarts_is_found_again(mesh, connect):
    here, there = connect(mesh.ports[0]), connect(mesh.ports[1])
    until(lambda: here.up and there.up)
    mesh.switch(0, False)
    until(lambda: not here.up)
    mesh.switch(0, True)
    until(lambda: here.up)
    assert hears(here, there) and hears(there, here)


def test_a_radio_that_reboots_on_its_line_is_asked_for_its_configuration_again(puppet, connect):
    link = connect(puppet.port)
    until(lambda: link.up)
    puppet.answers = False
    puppet.say(rebooted=True)
    until(lambda: not link.up)
    puppet.answers = True
    puppet.say(rebooted=True)
    until(lambda: link.up)
    assert puppet.accepted == 1 and link.counters["rebooted"] == 2


def test_a_radio_that_restarts_and_misses_the_question_is_called_again(puppet, connect):
    link = connect(puppet.port, patience=replace(HASTY, handshake=0.3, heartbeat=0.1))
    until(lambda: link.up)
    puppet.answers = False
    puppet.say(rebooted=True)
    stop = threading.Event()

    def answer_heartbeats():
        while not stop.wait(0.02):
            with contextlib.suppress(OSError, IndexError):  # between two calls
                puppet.say(queueStatus=mesh_pb2.QueueStatus(free=16, maxlen=16))

    beating = threading.Thread(target=answer_heartbeats)
    beating.start()
    until(lambda: link.counters["no-answer"] == 1)
    puppet.answers = True
    until(lambda: link.up)
    stop.set()
    beating.join(30)
    assert puppet.accepted >= 2


def test_a_cable_pulled_and_plugged_in_again(mesh, connect, tmp_path):
    path = str(tmp_path / "ttyUSB0")
    link, other = connect(f"serial:{path}"), connect(mesh.ports[1])
    until(lambda: link.state == "absent" and other.up)
    for _ in range(2):
        mesh.plug(0, path)
        until(lambda: link.up)
        assert hears(link, other) and hears(other, link)
        mesh.unplug(0, path)
        until(lambda: not link.up)


def test_auto_takes_the_radio_that_is_plugged_in(mesh, connect, tmp_path, monkeypatch):
    path = str(tmp_path / "ttyACM0")
    monkeypatch.setattr(meshtastic_link, "serial_paths", lambda: [str(tmp_path / "mouse"), path])
    mesh.plug(0, path)
    link = connect("auto")
    until(lambda: link.up)


def test_no_radio_at_all_is_a_state_not_an_error(connect, monkeypatch):
    monkeypatch.setattr(meshtastic_link, "serial_paths", lambda: [])
    link = connect("serial")
    until(lambda: link.state == "absent")


def test_a_stream_that_breaks_while_sending_is_down_not_sent(puppet, connect):
    link = connect(puppet.port, patience=replace(CALM, status=30))
    until(lambda: link.up)
    results = []
    sending = threading.Thread(target=lambda: results.append(link.send(b"x")))
    sending.start()
    puppet.next_packet()
    puppet.hang_up()
    sending.join(30)
    assert results == [Outcome.DOWN]


def test_a_connection_that_is_reset_is_noticed_at_once(puppet, connect):
    link = connect(puppet.port)
    until(lambda: link.up)
    puppet.slam()
    until(lambda: not link.up or link.counters["connected"] == 2, 5)


def test_silence_ends_a_connection_and_heartbeats_keep_one_alive(puppet, mesh, connect):
    patience = replace(HASTY, silence=3)
    silent, lively = connect(puppet.port, patience=patience), connect(mesh.ports[0], patience=patience)
    until(lambda: silent.counters["silent"] >= 1 and silent.counters["connected"] >= 2)
    assert lively.up and lively.counters["connected"] == 1


def test_a_radio_that_takes_the_call_and_says_nothing_is_tried_again(puppet, connect):
    puppet.answers = False
    link = connect(puppet.port, patience=replace(HASTY, handshake=0.2))
    until(lambda: link.state == "no-answer")
    puppet.answers = True
    until(lambda: link.up)


def test_two_programs_on_one_radio_are_noticed(mesh, connect):
    one, other = connect(mesh.ports[0]), connect(mesh.ports[0])
    until(lambda: one.counters["contested"] and other.counters["contested"])
    other.close()
    until(lambda: one.up)


def test_garbage_from_the_radio_is_counted_and_harms_nothing(puppet, connect):
    link = connect(puppet.port)
    until(lambda: link.up)
    puppet.write(b"\x94\xc3\x00\x05\xff\xff\xff\xff\xff" + b"INFO | log line\r\n" + b"\x94\xc3\xff\xff" + bytes(50))
    until(lambda: link.counters["radio-garbage"] == 1)
    puppet.say(packet=packet_from(9, 4, 5, b"\xff\xff", request_id=1))
    puppet.say(packet=packet_from(9, 5, 67, b"\xff\xff"))
    puppet.say(packet=packet_from(8, 6, 256, b"good"))
    assert link.receive(5).payload == b"good" and link.up


def test_a_fault_of_ours_in_one_message_does_not_make_the_link_deaf(puppet, connect):
    link = connect(puppet.port, on_text=lambda text: 1 / 0)
    until(lambda: link.up)
    puppet.say(packet=packet_from(8, 1, 1, b"a text", to=9))
    puppet.say(packet=packet_from(8, 2, 256, b"good"))
    assert link.receive(5).payload == b"good" and link.up


def test_a_serial_line_that_another_program_holds_is_taken_once_it_is_free(mesh, connect, tmp_path):
    path = str(tmp_path / "ttyUSB0")
    mesh.plug(0, path)
    with serial.Serial(path, exclusive=True):
        link = connect(f"serial:{path}")
        until(lambda: link.state == "absent")
    until(lambda: link.up)


def test_half_a_message_and_then_a_new_connection_is_a_new_beginning(puppet, connect):
    link = connect(puppet.port)
    until(lambda: link.up)
    puppet.write(b"\x94\xc3\x01\xff" + bytes(100))
    puppet.hang_up()
    until(lambda: link.counters["connected"] == 2)
    puppet.say(packet=packet_from(8, 3, 256, b"whole"))
    assert link.receive(60).payload == b"whole"
    assert link.counters["radio-garbage"] == 0, "nothing of the new connection was taken for the rest of the old message"


def test_a_radio_that_is_quiet_is_sent_a_heartbeat_in_time(puppet, connect):
    link = connect(puppet.port, patience=replace(CALM, heartbeat=0.05))
    until(lambda: link.up)
    kinds = [puppet.heard.get(timeout=30).WhichOneof("payload_variant") for _ in range(3)]
    assert kinds == ["want_config_id", "heartbeat", "heartbeat"] and link.counters["silent"] == 0


def test_the_end_of_another_handshake_is_not_the_end_of_ours(puppet, connect):
    puppet.answers = False
    link = connect(puppet.port)
    asked = puppet.heard.get(timeout=30).want_config_id
    puppet.greet(asked ^ 1)
    puppet.say(queueStatus=mesh_pb2.QueueStatus(free=3, maxlen=16))
    until(lambda: link._free == 3)
    assert not link.up
    puppet.greet(asked)
    until(lambda: link.up)
    assert link.counters["connected"] == 1


IMPATIENT = replace(HASTY, handshake=0.1, silence=0.2, retry_last=0.05, mute=0.5)


def test_a_radio_that_hangs_is_given_no_power_for_a_moment_and_is_there_again(mesh, connect, tmp_path):
    path, cut = str(tmp_path / "ttyUSB0"), threading.Event()
    mesh.plug(0, path)
    link = connect(f"serial:{path}", IMPATIENT, on_hung=cut.set)  # a pty has no line that restarts
    until(lambda: link.up)
    mesh.hang(0)
    until(cut.is_set)
    mesh.switch(0, False)
    mesh.switch(0, True)
    (tmp_path / "ttyUSB0").unlink(missing_ok=True)
    mesh.plug(0, path)
    until(lambda: link.up)
    assert link.counters["radio-restarted"] == 1


@pytest.mark.parametrize("again", [3600.0, 0.0])
def test_a_radio_that_goes_on_saying_nothing_is_restarted_once_in_an_hour(mesh, connect, tmp_path, again):
    path, hung = str(tmp_path / "ttyUSB0"), []
    mesh.plug(0, path)
    mesh.hang(0)
    link = connect(f"serial:{path}", replace(IMPATIENT, restart=again), on_hung=lambda: hung.append(1))
    until(lambda: link.counters["radio-restarted"])
    tried = link.counters["no-answer"]
    until(lambda: link.counters["no-answer"] >= tried + 5)
    link.close()
    assert (link.counters["radio-restarted"] == len(hung) == 1) if again else len(hung) >= 5


def test_a_radio_that_is_reached_by_network_is_never_restarted(puppet, connect):
    puppet.answers = False
    link = connect(puppet.port, replace(IMPATIENT, mute=0), on_hung=lambda: 1 / 0)
    until(lambda: link.counters["no-answer"] >= 5)
    assert not link.counters["radio-restarted"]


def test_a_radio_that_its_line_restarts_keeps_its_power_unless_that_does_not_help(mesh, connect, tmp_path, monkeypatch):
    restarted, hung = [], []
    monkeypatch.setattr(RadioLine, "restart", lambda self: bool(restarted.append(len(hung)) or True))
    path = str(tmp_path / "ttyUSB0")
    mesh.plug(0, path)
    mesh.hang(0)
    connect(f"serial:{path}", replace(IMPATIENT, restart=0), on_hung=lambda: hung.append(len(restarted)))
    until(lambda: hung)
    assert hung[0] == 2 and restarted[:2] == [0, 0]
