"""A stream of bytes behaves alike on TCP and on a serial line: what goes wrong is an OSError, and nobody waits for ever."""

import contextlib
import os
import pty
import socket
import threading
import tty

import pytest

from radio.stream import SerialStream, TcpStream


class Device:
    """The other end, whatever it is: `say`, `hear`, `leave`."""

    def __init__(self, stream, descriptor, leave):
        self.stream, self._descriptor, self.leave = stream, descriptor, leave

    def say(self, content):
        os.write(self._descriptor, content)

    def hear(self):
        return os.read(self._descriptor, 100)


@contextlib.contextmanager
def on_tcp():
    with socket.create_server(("127.0.0.1", 0)) as server:
        stream = TcpStream(*server.getsockname())
        device, _ = server.accept()
        with device:
            yield Device(stream, device.fileno(), lambda: device.shutdown(socket.SHUT_RDWR))


@contextlib.contextmanager
def on_a_line():
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    stream = SerialStream(os.ttyname(theirs), 9600)
    os.close(theirs)
    left = threading.Event()
    yield Device(stream, ours, lambda: (left.set(), os.close(ours)))
    if not left.is_set():
        os.close(ours)


@pytest.fixture(params=[on_tcp, on_a_line])
def device(request):
    with request.param() as device:
        yield device
        device.stream.close()


def test_bytes_go_both_ways(device):
    device.stream.write(b"ping")
    assert device.hear() == b"ping"
    device.say(b"pong")
    assert device.stream.read() == b"pong"


def test_a_read_that_brings_nothing_ends(device):
    device.stream.hurry(0.01)
    assert device.stream.read() == b""


def test_a_device_that_leaves_is_an_error_for_who_reads(device):
    device.leave()
    with pytest.raises(OSError):
        device.stream.read()


def test_whoever_reads_is_woken_by_an_interruption(device):
    ended = threading.Event()

    def read():
        with contextlib.suppress(OSError):
            assert device.stream.read() == b""
        ended.set()

    threading.Thread(target=read).start()
    device.stream.interrupt()
    assert ended.wait(30)


def test_after_closing_everything_is_an_error_but_closing(device):
    device.stream.close()
    device.stream.close()
    device.stream.interrupt()
    for use in (device.stream.read, lambda: device.stream.write(b"x")):
        with pytest.raises(OSError):
            use()
