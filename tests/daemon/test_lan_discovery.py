"""Islands on one network find each other and end alike; peers that are slow, endless or hostile cost bounded time."""

import contextlib
import http.client
import http.server
import random
import socket
import threading
import time
from dataclasses import replace

import pytest

from node.daemon.lan_discovery import (
    MAX_PEERS,
    SERVICE,
    DiscoverySettings,
    Finder,
    LanDiscovery,
    NoAnswer,
    Peer,
    ask,
    own_addresses,
)
from node.model.clock import minute_of
from node.model.errors import RemoteFault
from node.model.record import record_id
from node.transfer.lan import LanService
from tests.radio.hostile_server import HTTP, HostileServer, silent
from tests.radio.test_conversation import NO_NAMES
from tests.sim.village import Village
from tests.transfer.test_bulk import Shore, busy
from tests.transfer.test_lan import service
from tests.waiting import until


@contextlib.contextmanager
def serving(answer):
    """A portal that answers /lan with `answer(message)`: (status, body)."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            assert self.path == "/lan" and self.headers["Host"] == "archipel.lan"
            status, body = answer(self.rfile.read(int(self.headers["Content-Length"])))
            with contextlib.suppress(OSError):
                self.send_response(status)
                self.end_headers()
                for block in body:
                    self.wfile.write(block)

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield server.server_address
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def visits(shore, village, peers=()):
    settings = DiscoverySettings(village.charter.subkey("lan"), tuple(peers), discover=False)
    made = LanDiscovery(shore.bulk, service(shore, village), settings)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def village():
    return Village()


def test_a_peer_given_by_its_address_is_visited_and_both_end_alike(village):
    raws = busy(village)
    here, there = Shore(village).hold(*raws[:3], *raws[3::2]), Shore(village, "island").hold(*raws[:3], *raws[4::2])
    answers = service(there, village, 2)
    with serving(lambda message: (200, [answers.answer(message)])) as address, visits(here, village, [address]) as visiting:
        visiting.start()
        until(lambda: here.ids == there.ids)
        until(lambda: visiting.status()[0].up)
    assert here.ids == there.ids and visiting.status()[0].given > 100


def test_a_keeper_who_cannot_wait_has_every_peer_visited_now_the_silent_too(village):
    here, there = Shore(village).hold(*busy(village)), Shore(village, "island").hold(*busy(village))
    answers = service(there, village, 2)
    with serving(lambda message: (200, [answers.answer(message)])) as address, visits(here, village, [address]) as visiting:
        visiting.start()
        until(lambda: visiting.status()[0].up and not visiting.awaited())  # it is up a moment before its visit has ended
        silent_for_long = visiting._peers[address]
        silent_for_long.failures, before = 9, silent_for_long.visited_at
        assert not silent_for_long.due(before + 3_000, -1) and not visiting.awaited()
        visiting.visit_soon()
        assert visiting.awaited()
        until(lambda: silent_for_long.visited_at > before and not visiting.awaited())
        assert visiting.status()[0].up


def test_a_peer_that_still_speaks_with_an_earlier_secret_is_led(village):
    new = replace(village.charter, secret=bytes([7]) * 32)
    renewal, = village.renew("founder", "island")
    here, there = Shore(village).hold(*busy(village), renewal), Shore(village, "island").hold(*busy(village))
    answers = service(there, village, 2)
    leads = LanService(here.bulk, new.subkey("lan"), random.Random(3).randbytes, [village.charter.subkey("lan")])

    def answer(message):
        try:
            return 200, [answers.answer(message)]
        except RemoteFault:
            return 403, []

    with serving(answer) as address:
        visiting = LanDiscovery(here.bulk, leads, DiscoverySettings(new.subkey("lan"), (address,), False))
        peer = Peer(address)
        visiting.visit(peer)
        assert peer.state == "up" and record_id(renewal) in there.ids
        visiting._peers = {address: peer}
        (holding,) = visiting.holdings(1.8e9)
        assert holding.has(bytes(16), 0) and not holding.has(bytes(16), minute_of(1.8e9)), "what was there when it went"
        stranger = LanDiscovery(here.bulk, LanService(here.bulk, bytes(32), random.Random(4).randbytes, [bytes(range(32))]),
                                DiscoverySettings(bytes(32), (address,), False))
        peer = Peer(address)
        stranger.visit(peer)
        assert peer.state == "status-403"


@pytest.mark.parametrize(("answer", "state"), [
    (lambda message: (403, []), "status-403"),
    (lambda message: (200, [b"<html>a printer</html>"]), "lan-form"),
    (lambda message: (200, [b"\1" + bytes(100)]), "lan-seal"),
    (lambda message: (302, []), "status-302"),
    (lambda message: (200, (bytes(65_536) for _ in range(10_000))), "too-much"),
])
def test_who_does_not_answer_as_a_member_is_told_and_visited_less_and_less(village, answer, state):
    shore = Shore(village)
    with visits(shore, village) as visiting, serving(answer) as address:
        peer = Peer(address)
        visiting.visit(peer)
        visiting.visit(peer)
    assert peer.state == state and peer.failures == 2
    assert not peer.due(peer.visited_at + 100, 7) and peer.due(peer.visited_at + 121, 7)
    peer.failures = 50
    assert peer.due(peer.visited_at + 3_601, 7), "but never given up"


def test_nobody_there_is_told(village):
    with socket.socket() as held, visits(Shore(village), village) as visiting:
        held.bind(("127.0.0.1", 0))  # and does not listen
        visiting.visit(peer := Peer(held.getsockname()))
    assert peer.state == "absent"


@pytest.mark.parametrize("behaviour", HTTP)
def test_an_answer_that_never_ends_is_left_in_time(behaviour, monkeypatch):
    monkeypatch.setattr("node.daemon.lan_discovery.ANSWER_S", 0.5)
    with HostileServer(HTTP[behaviour]) as server:
        with pytest.raises((OSError, http.client.HTTPException, NoAnswer)):
            ask(server.address, b"")
        server.is_left_alone()
    assert server.calls <= 1  # on a busy machine the time may be over before that


@pytest.mark.parametrize("behaviour", HTTP)
def test_a_peer_that_never_ends_keeps_no_other_waiting(village, behaviour, monkeypatch):
    monkeypatch.setattr("node.daemon.lan_discovery.TURN_S", 0.05)
    here, there = Shore(village).hold(*busy(village, 3)), Shore(village, "island")
    answers = service(there, village, 2)
    with (HostileServer(HTTP[behaviour]) as hostile, serving(lambda message: (200, [answers.answer(message)])) as address,
          visits(here, village, [hostile.address, address]) as visiting):
        visiting.start()
        until(lambda: here.ids == there.ids)
        until(lambda: visiting.status()[1].up)
        assert hostile.calls <= 1


def test_a_peer_that_answers_each_question_late_has_one_deadline_for_the_whole_visit(village, monkeypatch):
    monkeypatch.setattr("node.daemon.lan_discovery.VISIT_S", 0.0)
    with HostileServer(silent) as server, visits(Shore(village), village) as visiting:
        visiting.visit(peer := Peer(server.address))
    assert peer.state == "slow"


def test_who_answers_after_the_end_of_a_visit_is_not_waited_for():
    over = threading.Event()

    def late(message):
        over.wait(5)
        return 200, [b"late"]

    with serving(late) as address:
        with pytest.raises(TimeoutError):
            ask(address, b"", time.monotonic())
        over.set()


def test_a_visit_under_way_is_not_begun_again_and_its_peer_not_forgotten(village, monkeypatch):
    monkeypatch.setattr("node.daemon.lan_discovery.TURN_S", 0.01)
    with HostileServer(silent) as server, visits(Shore(village), village) as visiting:
        peer = Peer(server.address, failures=5)
        visiting._peers = {server.address: peer}
        visiting._set_out(peer)
        assert peer.is_visited and not visiting._forget_one()
    until(lambda: not peer.is_visited)
    assert visiting._forget_one() and not visiting._peers


@pytest.mark.parametrize("name", NO_NAMES)
def test_a_peer_whose_name_cannot_be_one_is_absent_and_no_surprise(village, name, caplog):
    with visits(Shore(village), village) as visiting:
        visiting.visit(peer := Peer((name, 80)))
    assert peer.state == "absent" and not caplog.records


def test_a_machine_that_cannot_tell_its_addresses_visits_its_peers_all_the_same(village, monkeypatch):
    def lost():
        raise OSError(24, "too many open files")

    monkeypatch.setattr("node.daemon.lan_discovery.own_addresses", lost)
    here, there = Shore(village).hold(*busy(village, 3)), Shore(village, "island")
    answers = service(there, village, 2)
    with serving(lambda message: (200, [answers.answer(message)])) as address:
        made = LanDiscovery(here.bulk, service(here, village), DiscoverySettings(b"x", (address,)))
        made.start()
        try:
            until(lambda: here.ids == there.ids)
        finally:
            made.close()


def test_a_change_here_is_told_soon_and_what_is_equal_now_and_then():
    peer = Peer(("192.0.2.1", 80), visited_at=1_000.0, revision=4)
    assert not peer.due(1_030.0, 4) and peer.due(1_060.0, 4)
    assert not peer.due(1_003.0, 5) and peer.due(1_005.0, 5)


def test_what_comes_here_during_a_visit_is_told_there_soon(village):
    raws = busy(village, 3)
    here, there = Shore(village).hold(*raws[:-1]), Shore(village, "island")
    answers, asked = service(there, village, 2), []

    def answer(message):
        told = answers.answer(message)
        asked.append(message)
        if len(asked) == 2:  # compared and traded already
            here.hold(raws[-1])
        return 200, [told]

    with visits(here, village) as visiting, serving(answer) as address:
        visiting.visit(peer := Peer(address))
    assert peer.state == "up" and here.ids != there.ids
    assert peer.due(peer.visited_at + 5, here.bulk.revision)


def test_peers_that_are_met_are_bounded_and_the_silent_make_room(village):
    with visits(Shore(village), village) as visiting:
        for number in range(MAX_PEERS * 2):
            visiting.meet(("192.0.2.1", 1_000 + number))
        assert len(visiting._peers) == MAX_PEERS
        next(iter(visiting._peers.values())).failures = 3
        visiting.meet(("192.0.2.2", 80))
        assert ("192.0.2.2", 80) in visiting._peers and len(visiting._peers) == MAX_PEERS


class Announced:
    """What zeroconf tells of a service."""

    def __init__(self, name, tag, port=8080):
        self.name, self.port, self.properties = name, port, {b"tag": tag}

    def get_service_info(self, type_, name, timeout):
        return self if self.port else None

    def parsed_addresses(self, version):
        return ["192.0.2.9"]


def test_only_islands_of_the_set_are_recognised_by_their_tag(village, monkeypatch):
    from node.transfer.lan import tag_of

    met, secret, former = [], village.charter.subkey("lan"), bytes(32)
    finder = Finder.__new__(Finder)
    finder._secrets, finder._met, finder._name = (secret, former), met.append, f"me.{SERVICE}"
    name = f"other.{SERVICE}"
    for tag in (b"", None, b"\xff\xfe", b"0" * 16, tag_of(secret, f"else.{SERVICE}").encode()):
        finder.add_service(Announced(name, tag), SERVICE, name)
    finder.add_service(Announced(name, b"", port=0), SERVICE, name)
    finder.add_service(Announced(f"me.{SERVICE}", tag_of(secret, f"me.{SERVICE}").encode()), SERVICE, f"me.{SERVICE}")
    assert met == []
    finder.update_service(Announced(name, tag_of(secret, name).encode()), SERVICE, name)
    assert met == [("192.0.2.9", 8080)]
    finder.update_service(Announced(name, tag_of(former, name).encode()), SERVICE, name)
    assert met == 2 * [("192.0.2.9", 8080)], "who was off while the secret was renewed"


def test_loopback_is_no_address_for_others():
    assert not any(address.startswith("127.") for address in own_addresses())
