"""The island's socket: only for who may read the folder, one line each way, and nonsense ends nothing."""

import socket
import stat
import threading

import pytest

from node.daemon.rpc import SOCKET_NAME, NotRunning, RefusalReason, Refused, RpcServer, _short, ask
from node.store.index import StoreFailed


@pytest.fixture
def folder(tmp_path):
    deep = tmp_path / ("very-long-name-" * 8) / ("even-longer-name-" * 8)
    deep.mkdir(parents=True)
    return deep


@pytest.fixture
def server(folder):
    def boom(_):
        raise RuntimeError("it is broken")

    def full(_):
        raise StoreFailed("full")

    def draft(_):
        raise Refused(RefusalReason.DRAFT, problems=[{"code": "empty"}])

    made = RpcServer(folder, {"echo": lambda request: request, "odd": lambda request: {1, 2}, "boom": boom, "full": full,
                              "draft": draft})
    yield made
    made.close()


def test_a_question_is_answered_even_in_a_deep_folder(folder, server):
    assert ask(folder, "echo", text="été") == {"text": "été"}


def test_a_failure_is_told_and_the_server_goes_on(folder, server):
    with pytest.raises(Refused) as refused:
        ask(folder, "boom")
    assert (refused.value.reason, refused.value.fields) == (RefusalReason.FAILED, {"what": "it is broken"})
    with pytest.raises(Refused) as refused:
        ask(folder, "unknown")
    assert refused.value.reason is RefusalReason.UNKNOWN_REQUEST
    with pytest.raises(Refused) as refused:
        ask(folder, "full")
    assert (refused.value.reason, refused.value.fields) == (RefusalReason.CLOSED, {"code": "full"})
    with pytest.raises(Refused) as refused:
        ask(folder, "draft")
    assert (refused.value.reason, refused.value.fields) == (RefusalReason.DRAFT, {"problems": [{"code": "empty"}]})
    assert ask(folder, "echo") == {}


def test_nonsense_and_callers_who_hang_up_do_no_harm(folder, server, monkeypatch):
    monkeypatch.chdir(folder)
    for line in (b"", b"nonsense\n", b"[]\n", b"\xff\n", b'{"do": []}\n', b"[" * 100_000 + b"\n", b'{"do": "odd"}\n'):
        with socket.socket(socket.AF_UNIX) as caller:
            caller.connect(SOCKET_NAME)
            caller.sendall(line)
    assert ask(folder, "echo", n=1) == {"n": 1}


def test_an_island_that_goes_away_while_it_is_asked_is_told_as_a_failure(folder, server):
    with pytest.raises(Refused) as refused:
        ask(folder, "odd")
    assert refused.value.reason is RefusalReason.FAILED and refused.value.fields["what"]
    assert ask(folder, "echo", n=1) == {"n": 1}


def test_its_thread_ends_when_it_is_closed(folder, server):
    answering = [thread for thread in threading.enumerate() if thread.name == "rpc"]
    server.close()
    for thread in answering:
        thread.join(30)
        assert not thread.is_alive()
    assert answering


def test_only_the_owner_may_ask(folder, server):
    assert stat.S_IMODE((folder / SOCKET_NAME).stat().st_mode) == 0o600


def test_without_an_island_nobody_answers(folder, server, tmp_path):
    server.close()
    with pytest.raises(NotRunning):
        ask(folder, "echo")
    with pytest.raises(NotRunning):
        ask(tmp_path / "absent", "echo")


def test_a_socket_left_by_a_dead_island_is_replaced(folder):
    left = socket.socket(socket.AF_UNIX)
    with _short(folder) as path:
        left.bind(path)
    left.close()
    made = RpcServer(folder, {"echo": lambda request: request})
    assert ask(folder, "echo", n=2) == {"n": 2}
    made.close()
