"""A stream to a radio is opened as radios want it, and ends when it is told to."""

import select
import socket
import subprocess
import sys
import termios
import threading
from types import SimpleNamespace

import pytest
import serial
from serial.tools import list_ports

from radio.meshtastic.protobuf import OutgoingPacket
from radio.meshtastic.wire import RadioLine, Wire, WireListener, serial_paths, serial_wire, tcp_wire
from tests.waiting import until


class Listener:
    """What a wire brought."""

    def __init__(self):
        self.messages, self.garbage, self.ends = [], 0, 0
        self.given = WireListener(self.messages.append, self._hear_garbage, self._hear_end)

    def _hear_garbage(self):
        self.garbage += 1

    def _hear_end(self):
        self.ends += 1


def test_a_radio_is_woken_before_it_is_asked(puppet):
    wire = tcp_wire("127.0.0.1", puppet.port)
    wire.connect(Listener().given)
    assert puppet.heard.get(timeout=30).want_config_id == wire.config_id
    assert puppet.raw.startswith(b"\xc3" * 32 + b"\x94\xc3")
    wire.hang_up()
    assert puppet.heard.get(timeout=30).disconnect


def test_each_handshake_has_a_number_of_its_own_that_asks_for_everything(puppet):
    asked = set()
    for _ in range(5):
        wire = tcp_wire("127.0.0.1", puppet.port)
        wire.connect(Listener().given)
        asked.add(wire.config_id)
        wire.hang_up()
    assert len(asked) == 5 and min(asked) > 69_421, "69420 and 69421 ask for a part only"


def test_no_two_packets_have_the_same_id_even_after_a_new_start(puppet):
    ids, heard = [], []
    for _ in range(2):
        wire = tcp_wire("127.0.0.1", puppet.port)
        wire.connect(Listener().given)
        ids += [wire.post(OutgoingPacket(b"x", 256)) for _ in range(1100)]
        heard += [puppet.next_packet().id for _ in range(1100)]  # before hanging up, which may cut off what is under way
        wire.hang_up()
    assert len(set(ids)) == 2200 and all(0 < packet_id < 1 << 32 for packet_id in ids)
    assert heard == ids


def test_a_radio_that_takes_nothing_keeps_nobody_from_hanging_up():
    with socket.create_server(("127.0.0.1", 0)) as server:
        wire, listener = tcp_wire(*server.getsockname()), Listener()
        wire.connect(listener.given)
        radio, _ = server.accept()  # and never reads
        blocked = threading.Thread(target=post_until_it_breaks, args=(wire,))
        blocked.start()
        until(lambda: is_full(wire))
        wire.hang_up()
        blocked.join(5)
        assert not blocked.is_alive() and listener.ends == 1
        radio.close()


def post_until_it_breaks(wire):
    with pytest.raises(OSError):
        while True:
            wire.post(OutgoingPacket(bytes(231), 256))


def is_full(wire):
    """Whether the machine's own buffers take nothing more for the radio."""
    return not select.select([], [wire._stream._socket], [], 0)[1]


def test_a_wire_hung_up_takes_nothing_more_and_hangs_up_twice(puppet):
    wire, listener = tcp_wire("127.0.0.1", puppet.port), Listener()
    wire.hang_up()
    wire.connect(listener.given)
    wire.hang_up()
    wire.hang_up()
    with pytest.raises(OSError, match="closed"):
        wire.post(OutgoingPacket(b"x", 256))
    assert listener.ends == 1


def test_a_serial_line_is_ours_alone_and_the_radio_does_not_restart_when_we_let_it_go(mesh, tmp_path):
    path, listener = str(tmp_path / "ttyUSB0"), Listener()
    mesh.plug(0, path)
    wire = serial_wire(path)
    wire.connect(listener.given)
    until(lambda: any(message.config_complete_id == wire.config_id for message in listener.messages))
    with open(path, "rb", buffering=0) as line:
        assert not termios.tcgetattr(line)[2] & termios.HUPCL
    with pytest.raises(OSError, match="lock"):
        serial_wire(path).connect(Listener().given)
    wire.hang_up()
    assert listener.ends == 1
    serial.Serial(path, exclusive=True).close()


def test_what_is_no_serial_line_is_an_error(tmp_path):
    (tmp_path / "file").write_text("no line")
    for path in (tmp_path / "file", tmp_path / "nothing"):
        with pytest.raises(OSError):
            serial_wire(str(path)).connect(Listener().given)


@pytest.mark.parametrize(("lines", "paths"), [
    ([(0x10C4, "/dev/ttyUSB1"), (0x303A, "/dev/ttyACM1"), (0x239A, "/dev/ttyACM0")], ["/dev/ttyACM0", "/dev/ttyACM1"]),
    ([(0x1366, "/dev/ttyACM0"), (0x10C4, "/dev/ttyUSB1"), (None, "/dev/ttyS0")], ["/dev/ttyUSB1"]),
    ([(None, "/dev/ttyAMA0")], []),
])
def test_likely_radios_are_tried_first_and_debuggers_never(monkeypatch, lines, paths):
    found = [SimpleNamespace(vid=vid, device=device) for vid, device in lines]
    monkeypatch.setattr(list_ports, "comports", lambda: found)
    assert serial_paths() == paths


def test_the_library_is_not_loaded_for_its_definitions_and_can_be_loaded_after():
    lean = ("import sys, threading, radio.meshtastic.link, radio.sim.simradio\n"
            "assert not {'meshtastic', 'meshtastic.node', 'requests', 'pubsub'} & set(sys.modules)\n"
            "assert threading.active_count() == 1\n"
            "from meshtastic.tcp_interface import TCPInterface\n"
            "from meshtastic.protobuf import mesh_pb2\n"
            "from radio.meshtastic import protobuf\n"
            "assert mesh_pb2.FromRadio is protobuf.mesh_pb2.FromRadio\n")
    assert subprocess.run([sys.executable, "-c", lean]).returncode == 0


def test_an_open_that_fails_leaves_nothing_to_hang_up():
    def fail():
        raise OSError("nobody there")

    wire = Wire(fail)
    with pytest.raises(OSError, match="nobody"):
        wire.connect(Listener().given)
    wire.hang_up()


def test_a_radio_is_restarted_by_its_line_as_espressifs_tool_does_it(mesh, tmp_path, monkeypatch):
    path, said = str(tmp_path / "ttyUSB0"), []
    mesh.plug(0, path)
    line = RadioLine(path)
    assert not line.restart(), "a pty has neither DTR nor RTS"
    for name in ("dtr", "rts"):
        monkeypatch.setattr(serial.Serial, name, property(None, lambda _, value, name=name: said.append((name, value))))
    assert line.restart()
    lines, states = {"dtr": True, "rts": True}, []
    for name, value in said:
        lines[name] = value
        states.append((lines["dtr"], lines["rts"]))
    held_down = len(states) - 1 - states[::-1].index((False, True))
    assert states[held_down + 1] == (False, False), "it starts with DTR down: else it would wait for new firmware"
    assert states[-1] == (True, True)
    monkeypatch.undo()
    line.close()
    assert not line.restart()
