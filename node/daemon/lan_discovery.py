"""Other islands on this network: found by mDNS (RFC 6762, 6763) or by addresses in the settings, visited in turn.

A service is announced under a random name with a tag that only members of the set recognise: the network learns that there
is an island, not whose. Each visit is on a thread of its own, so that a peer that hangs keeps nobody else waiting; whoever
does not answer is visited less and less often.
"""

import http.client
import logging
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import ifaddr
from zeroconf import Error as ZeroconfError
from zeroconf import IPVersion, ServiceBrowser, ServiceInfo, ServiceListener, Zeroconf

from node.board.status import Holding, PeerStatus
from node.daemon.settings import Settings
from node.model.clock import minute_of
from node.model.errors import RemoteFault
from node.store.index import StoreFailed
from node.transfer.bulk import LocalBulkPort
from node.transfer.lan import MAX_MESSAGE_BYTES, LanService, Visited, tag_of
from radio.conversation import Conversation, converse

log = logging.getLogger(__name__)

SERVICE = "_archipel._tcp.local."
PATH = "/lan"
HOST = "archipel.lan"  # a portal takes requests for other hosts for phones that look for the internet
TICK_S, SOON_S, PERIOD_S, MAX_PERIOD_S = 2.0, 5.0, 60.0, 3_600.0
CONNECT_S = 5.0
ANSWER_S = 30.0  # for one question and its answer, from looking the name up to the last octet
VISIT_S = 300.0  # for all questions of a visit: 10,000 records take 3 and some 50 s of a Pi Zero 2 W's CPU (docs/carry.md)
TURN_S = 3.0  # visits go one after the other, so that no record is fetched twice; one that takes longer keeps none waiting
LOOK_S = 30.0  # between two looks at this machine's own addresses
MAX_PEERS = 32
NO_MEMBER = "status-403"
BLOCK_BYTES = 1 << 16

Address = tuple[str, int]


class NoAnswer(Exception):
    """A peer was too slow, said too much, or will not talk to us."""


@dataclass
class Peer:
    """Another island's address and how visits there went. Moments are monotonic seconds."""

    address: Address
    visited_at: float = float("-inf")
    revision: int = -1  # of our set, when it was last visited
    failures: int = 0
    state: str = "new"
    new: int = 0
    given: int = 0
    agreed_at: float = float("-inf")  # when the last visit began after which both held the same
    wanted: bool = False  # a keeper wants it to be visited now
    visit: threading.Thread | None = field(default=None, repr=False)  # under way, or the last one

    @property
    def is_visited(self) -> bool:
        """Whether a visit is under way."""
        return self.visit is not None and self.visit.is_alive()

    def due(self, now: float, revision: int) -> bool:
        """Whether to go there now: soon after a change here, else each minute, later and later while it does not answer."""
        since = now - self.visited_at
        if self.wanted:
            return True
        if self.failures:
            return since >= min(PERIOD_S * 2 ** (self.failures - 1), MAX_PERIOD_S)
        return since >= PERIOD_S or (revision != self.revision and since >= SOON_S)


@dataclass(frozen=True)
class DiscoverySettings:
    """`secret`: the set's subkey that announcements are made and recognised by, `formers` those of earlier secrets, which
    are only recognised; `peers` to visit whether they are found or not; `discover` False: nothing is looked for nor
    announced; `port`: where others reach the portal, None if they cannot."""

    secret: bytes
    peers: tuple[Address, ...] = ()
    discover: bool = True
    port: int | None = None
    formers: tuple[bytes, ...] = ()


class LanDiscovery:
    """Visits the peers of its settings and those it finds, from `start` until closed."""

    def __init__(self, bulk: LocalBulkPort, service: LanService, settings: DiscoverySettings):
        self._bulk, self._service, self._settings = bulk, service, settings
        self._peers = {address: Peer(address) for address in settings.peers[:MAX_PEERS]}
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._finder: Finder | None = None
        self._looked_at = float("-inf")
        self._thread = threading.Thread(target=self._run, name="lan", daemon=True)

    def start(self) -> None:
        """Begin, on a thread of its own."""
        self._thread.start()

    def meet(self, address: Address) -> None:
        """There may be an island at this address."""
        with self._lock:
            known = self._peers.get(address)
            if known is not None:
                known.failures = 0  # it says that it is there
            elif len(self._peers) < MAX_PEERS or self._forget_one():
                self._peers[address] = Peer(address)

    def visit_soon(self) -> None:
        """Look for others, and visit all that are known, without waiting for their minute; from any thread."""
        self._looked_at = float("-inf")
        with self._lock:
            for peer in self._peers.values():
                peer.wanted = True

    def awaited(self) -> bool:
        """Whether a visit that `visit_soon` asked for is still to come, or under way; from any thread."""
        with self._lock:
            return any(peer.wanted or peer.is_visited for peer in self._peers.values())

    def status(self) -> tuple[PeerStatus, ...]:
        """Every peer; from any thread."""
        with self._lock:
            return tuple(PeerStatus(f"{peer.address[0]}:{peer.address[1]}", peer.state == "up", peer.state, peer.new,
                                    peer.given) for peer in self._peers.values())

    def holdings(self, now: float) -> tuple[Holding, ...]:
        """What each peer that answers was last known to hold, at `now` of the island's clock; from any thread."""
        ran_s = time.monotonic()
        with self._lock:
            return tuple(Holding(minute_of(now - (ran_s - peer.agreed_at)) if peer.agreed_at >= 0 else 0)
                         for peer in self._peers.values() if peer.state == "up")

    def close(self) -> None:
        """Stop looking and visiting; visits under way are left to end by themselves."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(CONNECT_S)
        if self._finder:
            self._finder.close()

    def _forget_one(self) -> bool:
        """Make room: of those that do not answer, the worst goes; not while it keeps a thread."""
        idle = [peer for peer in self._peers.values() if peer.failures and not peer.is_visited]
        if idle:
            del self._peers[max(idle, key=lambda peer: peer.failures).address]
        return bool(idle)

    def _run(self) -> None:
        while not self._closing.wait(TICK_S):
            if self._settings.discover and time.monotonic() - self._looked_at >= LOOK_S:
                self._look()
            with self._lock:
                peers = list(self._peers.values())
            for peer in sorted(peers, key=lambda peer: peer.failures):
                if not self._closing.is_set() and not peer.is_visited and peer.due(time.monotonic(), self._bulk.revision):
                    self._set_out(peer)

    def _set_out(self, peer: Peer) -> None:
        """Visit on a thread of its own, and wait for it a while if it answered the last time."""
        peer.wanted = False
        peer.visit = threading.Thread(target=self.visit, args=(peer,), name="lan visit", daemon=True)
        peer.visit.start()
        if not peer.failures:
            peer.visit.join(TURN_S)

    def _look(self) -> None:
        """Begin to look for others, or begin anew when this machine has other addresses than before."""
        self._looked_at = time.monotonic()
        try:
            addresses = own_addresses()
            if self._finder is not None and self._finder.addresses == addresses:
                return
            last, self._finder = self._finder, None
            if last is not None:
                last.close()
            self._finder = Finder(self._settings, self.meet, addresses) if addresses else None
        except (OSError, ZeroconfError) as error:
            log.info("looking for other islands on the network failed: %s", error)
        except Exception:  # the peers that are known must be visited all the same
            log.exception("looking for other islands on the network failed")

    def visit(self, peer: Peer) -> None:
        """Go there once, within VISIT_S; what went wrong is in its `state`."""
        peer.visited_at, peer.revision = time.monotonic(), self._bulk.revision
        end_at = peer.visited_at + VISIT_S
        try:
            visited = self._visited(peer.address, end_at)
        except (OSError, http.client.HTTPException, NoAnswer, RemoteFault, StoreFailed) as trouble:
            self._note_failure(peer, _slug(trouble))
            return
        except Exception:  # one peer's surprise must not end the visits to the others
            log.exception("visiting %s failed", peer.address)
            self._note_failure(peer, "failed")
            return
        with self._lock:
            peer.failures, peer.state = 0, "up"
            peer.new, peer.given = peer.new + visited.new, peer.given + visited.given
            if visited.new:
                peer.revision = self._bulk.revision  # what came from there need not be told there
            if visited.put_off:
                peer.revision = -1  # soon again
            else:
                peer.agreed_at = peer.visited_at

    def _visited(self, address: Address, end_at: float) -> Visited:
        """With the present secret; who is no member by that one may be one by an earlier one, and is led."""
        first, *formers = self._service.tables
        try:
            return first.visit(lambda message: ask(address, message, end_at))
        except NoAnswer as refusal:
            for table in formers if str(refusal) == NO_MEMBER else ():
                with suppress(NoAnswer):
                    return table.visit(lambda message: ask(address, message, end_at))
            raise

    def _note_failure(self, peer: Peer, state: str) -> None:
        with self._lock:
            peer.failures, peer.state = peer.failures + 1, state


def ask(address: Address, message: bytes, end_at: float = float("inf")) -> bytes:
    """Post a message to a portal and return its answer: MAX_MESSAGE_BYTES at most, within ANSWER_S and before `end_at`.

    `end_at` is in monotonic seconds. Raises OSError, HTTPException or NoAnswer.
    """
    within_s = min(ANSWER_S, end_at - time.monotonic())
    return converse(max(within_s, 0.0), lambda conversation: _answer(conversation, address, message))


def _answer(conversation: Conversation, address: Address, message: bytes) -> bytes:
    connection = http.client.HTTPConnection(*address)
    connection.sock = conversation.connect(address, CONNECT_S)
    try:
        connection.sock.settimeout(ANSWER_S)
        connection.request("POST", PATH, message, {"Host": HOST, "Content-Type": "application/octet-stream"})
        with connection.getresponse() as response:
            if response.status != 200:
                raise NoAnswer(f"status-{response.status}")
            return _body(response)
    finally:
        connection.close()


def own_addresses() -> list[str]:
    """This machine's IPv4 addresses but loopback, sorted."""
    found = (ip.ip for adapter in ifaddr.get_adapters() for ip in adapter.ips if isinstance(ip.ip, str))  # IPv6: a tuple
    return sorted(address for address in found if not address.startswith("127."))


def _body(response: http.client.HTTPResponse) -> bytes:
    body = bytearray()
    while block := response.read1(BLOCK_BYTES):
        body += block
        if len(body) > MAX_MESSAGE_BYTES:
            raise NoAnswer("too-much")
    return bytes(body)


def _slug(trouble: Exception) -> str:
    match trouble:
        case RemoteFault() | StoreFailed():
            return trouble.reason
        case NoAnswer():
            return str(trouble)
        case TimeoutError():
            return "slow"
    return "absent"


class Finder(ServiceListener):
    """Announces this island at `addresses`, and calls `met` with the address of each other one of the set."""

    def __init__(self, settings: DiscoverySettings, met: Callable[[Address], None], addresses: list[str]):
        self._secrets, self._met, self.addresses = (settings.secret, *settings.formers), met, addresses
        self._zeroconf = Zeroconf(ip_version=IPVersion.V4Only)
        self._name = f"{os.urandom(6).hex()}.{SERVICE}"
        if settings.port is not None:
            tag = {"tag": tag_of(settings.secret, self._name)}
            self._zeroconf.register_service(ServiceInfo(SERVICE, self._name, port=settings.port, properties=tag,
                                                        parsed_addresses=addresses))
        self._browser = ServiceBrowser(self._zeroconf, SERVICE, self)

    def add_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        """An island was announced: is it of our set?"""
        info = zc.get_service_info(type_, name, timeout=2_000) if name != self._name else None
        tags = {tag_of(secret, name) for secret in self._secrets}
        if info is None or (info.properties.get(b"tag") or b"").decode("ascii", "replace") not in tags:
            return
        if info.port is not None:
            for address in info.parsed_addresses(IPVersion.V4Only)[:4]:
                self._met((address, info.port))

    def update_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        """The same once more."""
        self.add_service(zc, type_, name)

    def remove_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        """It will not answer any more, and is forgotten for that."""

    def close(self) -> None:
        """Take the announcement back."""
        self._zeroconf.close()


def reachable_port(settings: Settings) -> int | None:
    """Where other machines reach the portal; None when only this one can."""
    host, port = settings.portal.listen
    if settings.portal.behind_front:
        return 80
    return None if host.startswith("127.") or host in ("localhost", "::1") else port
