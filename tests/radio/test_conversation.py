"""Whatever another machine does, talking with it ends in time and leaves nothing behind."""

import socket
import threading

import pytest

from radio import conversation as module
from radio.conversation import connect, converse
from tests.radio.hostile_server import HostileServer, silent, trickling
from tests.waiting import until

NO_NAMES = ("a..b", "x" * 300 + ".example", "a" * 64, ".example", "nul\0byte", "é" * 70)


def read_all(address):
    def talk(conversation):
        with conversation.connect(address) as line:
            line.sendall(b"hello")
            return b"".join(iter(lambda: line.recv(100), b""))

    return talk


def test_what_is_said_in_time_is_the_answer():
    def brief(line, over):
        line.sendall(line.recv(100))

    with HostileServer(brief) as server:
        assert converse(60, read_all(server.address)) == b"hello"


@pytest.mark.parametrize("behave", [silent, trickling()])
def test_who_never_ends_is_cut_off_and_left(behave):
    with HostileServer(behave) as server:
        with pytest.raises(TimeoutError):
            converse(0.3, read_all(server.address))
        server.is_left_alone()


def test_what_hangs_without_a_line_is_left_behind():
    hanging = threading.Event()
    with pytest.raises(TimeoutError):
        converse(0.1, lambda conversation: hanging.wait(90))
    hanging.set()


def test_a_line_made_too_late_is_cut_at_once():
    begun, told = threading.Event(), []

    def talk(conversation):
        begun.wait(90)
        try:
            conversation.connect(server.address)
        except OSError as error:
            told.append(error)

    with HostileServer(silent) as server:
        with pytest.raises(TimeoutError):
            converse(0.1, talk)
        begun.set()
        until(lambda: told)
        server.is_left_alone()


def test_what_goes_wrong_is_raised_where_it_was_asked():
    with pytest.raises(ZeroDivisionError):
        converse(60, lambda conversation: 1 // 0)
    with socket.socket() as held, pytest.raises(ConnectionRefusedError):
        held.bind(("127.0.0.1", 0))  # and does not listen
        converse(60, read_all(held.getsockname()))


def test_those_that_hang_are_bounded_and_make_room_when_they_end(monkeypatch):
    monkeypatch.setattr(module, "_room", threading.BoundedSemaphore(2))
    hanging = threading.Event()
    for _ in range(2):
        with pytest.raises(TimeoutError):
            converse(0.01, lambda conversation: hanging.wait(90))
    with pytest.raises(TimeoutError, match="too many"):
        converse(60, lambda conversation: 1)
    hanging.set()
    until(lambda: module._room._value == 2)
    assert converse(60, lambda conversation: 1) == 1


@pytest.mark.parametrize("name", NO_NAMES)
def test_a_name_that_cannot_be_one_is_unknown_like_any_other(name):
    with pytest.raises(socket.gaierror):
        connect((name, 80), 5)


def test_a_port_that_cannot_be_one_is_told_as_an_error_of_the_connection():
    with pytest.raises(OSError):
        connect(("127.0.0.1", 70_000), 5)


