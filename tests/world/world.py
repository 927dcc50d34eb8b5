"""One world: a few islands, what lies between them, and time. Everything in it comes from one seed."""

import hashlib
import heapq
import logging
import random
import tempfile
from collections import Counter, deque
from contextlib import suppress
from pathlib import Path

from node.board import edit_codes
from node.daemon.lora import RADIO
from node.model.clock import RELEASED_AT
from node.model.errors import RemoteFault
from node.model.keys import Charter, SigningKey
from node.store.index import StoreFailed
from node.sync.events import PacketReceived, SendDone
from node.transfer.bundle import Bundle
from radio.lora import frame_bytes
from radio.sim import topology
from radio.sim.air import Air, Delivered, Mischief, Sent
from tests.sim.simulatedcard import PowerCut
from tests.world.card import flip_in
from tests.world.invariants import airtime_bounds
from tests.world.island import DOWN, QUEUE_FULL, SENT, Errors, WorldIsland, visitor
from tests.world.ledger import Ledger
from tests.world.opinion import Opinion, takes_in
from tests.world.place import SHAPES, STRANGER, Place, Violation, WorldBroker

START = RELEASED_AT + 30 * 86_400.0
TURN_S, MAINTENANCE_S, VISIT_S, BROKER_S = 60.0, 240.0, 600.0, 0.4
MOST_ISLANDS = 6
IN_ARCHIVE, IN_A_WORD = 0.4, 0.7  # of the bits that change: where most of a file is, little is to be seen
LEAST_S = 0.01  # between two turns, as in the runner
MOST_TURNS = 2_000  # in a minute: an engine that asks for another one each time has no way out
edit_codes.SCRYPT_N = 16  # as little as scrypt takes: nobody tries to find a code by guessing here
WORDS = "bcdfghjklmnpqrstvwxz"


class World:
    """A seed's world. `trace`: print what happens."""

    def __init__(self, seed, kinds=(), trace=None):
        self.seed, self.trace = seed, trace
        self.place = Place.of(random.Random(f"{seed} place"), kinds)
        place = self.place
        self.now, self.ledger, self.counts = START, Ledger(), Counter()
        self.folder = Path(tempfile.mkdtemp(prefix="world-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
        self.errors, self.slowest_s = Errors(), 0.0
        self.digest = hashlib.blake2b(digest_size=16)
        self.loss, self.healing = place.loss, False
        self.air = Air(random.Random(f"{seed} air"), mischief=Mischief(place.repeat, place.delay_s),
                       signs=place.firmware >= "2.8")
        pairs = [(one + 1, other + 1) for one, other in SHAPES[place.shape](place.islands)]
        topology.lay(self.air, [(STRANGER, 1), (STRANGER, 2), *pairs], place.loss)
        for number in range(1, place.islands + 1):
            self.air.switch(number, False, self.now)
        self.broker, self.reachable = WorldBroker(), set()  # islands that reach the broker
        self.urgent = {}  # packet on its way -> whether it is urgent
        self.heard = deque(maxlen=400)  # packets that were on the air, for whoever replays them
        self.spent = {}  # island number -> for an hour and a day, (when, seconds of air) of its own packets
        self.bag = deque(maxlen=40)  # bundles that somebody carries about
        self._agenda, self._order = [], 0
        self.deaf_pairs = set()
        self.founder = SigningKey(random.Random(f"{seed} founder").randbytes(32))
        secret = random.Random(f"{seed} secret").randbytes(32)
        self.charter = Charter.found("Belleville", [self.founder.public], secret)
        self.opinion = Opinion(self.charter)
        self.visits = deque(maxlen=60)  # (island's number, its life, message): what was asked on the local network
        self.islands = []
        self.guests = []
        self.strangers = [SigningKey(random.Random(f"{seed} stranger {number}").randbytes(32)) for number in range(3)]
        self._rng = random.Random(f"{seed} world")
        for _ in range(place.islands):
            self.add_island().found(self.founder, self.charter)
        logging.getLogger("node").addHandler(self.errors)
        for island in self.islands:
            self.power(island)

    def add_island(self):
        """One more, which has no keys yet."""
        number = len(self.islands) + 1
        island = WorldIsland(self, number, f"Island {number}")
        island.clock.right = self._rng.random() < 0.6
        island.clock.battery = self._rng.random() < 0.4
        self.islands.append(island)
        self.spent[number] = deque(), deque()
        return island

    def close(self):
        """Remove all that it has put on the machine."""
        self.counts["lost on the air"] += self.air.counters["lost"]
        self.counts["collided"] += self.air.counters["collided"]
        for island in self.islands:
            self.counts["failed write"] += island.card.failures
        logging.getLogger("node").removeHandler(self.errors)
        self.opinion.close()
        for island in self.islands:
            island.remove()
        self.folder.rmdir()

    # saying and failing

    def say(self, text):
        if self.trace:
            self.trace(f"{(self.now - START) / 3600:8.2f} h  {text}")

    def took(self, seconds):
        """So much of a processor a turn took."""
        self.slowest_s = max(self.slowest_s, seconds)

    def note(self, what):
        """Part of the digest."""
        self.digest.update(repr(what).encode())

    def check(self, holds, what):
        if not holds:
            raise Violation(what)

    # power

    def running(self):
        return [island for island in self.islands if island.on]

    def guarded(self, island, work):
        """Do something with an island; None if its power goes meanwhile."""
        try:
            return work()
        except PowerCut:
            self.cut(island)
            return None

    def cut(self, island):
        """The power of an island is gone."""
        self.counts["power cut"] += 1
        self.say(f"{island.name}: power cut")
        self.note((island.number, "cut"))
        island.lose_power()
        self._went_off(island)

    def _went_off(self, island):
        self.air.switch(island.number, False, self.now)

    def power(self, island):
        """Power on. It may go again while it starts; then it is off."""
        if island.on:
            return
        try:
            island.start()
        except StoreFailed as failure:
            self.check(island.card.mood or island.flipped, f"{island.name} does not start: {failure.reason}")
            island.lose_power()
        except PowerCut:
            self.counts["power cut at start"] += 1
            island.lose_power()

    def came_up(self, island):
        """It has started: its radio is on, its links come up."""
        self.air.switch(island.number, True, self.now)
        self.note((island.number, "up"))
        island.change_link(RADIO, True)
        self.connect(island)
        island.planned_at = None
        self._plan(island, self.now + LEAST_S)
        self._at(self.now + MAINTENANCE_S * island.chance.random(), "maintain", (island, island.lives))

    def stop(self, island):
        """A clean stop."""
        if island.on:
            self.guarded(island, island.close)
            self._went_off(island)

    def restart(self, island):
        self.stop(island)
        self.power(island)

    # the broker

    def connect(self, island):
        """Its links to the broker come up or go down."""
        up = island.on and self.broker.up and island.number in self.reachable
        for name, broker in (island.app.brokers.items() if island.on else ()):
            link = island.link(name)
            if up and link is not None and not link.up:
                for (root, _), payload in sorted(self.broker.retained.items()):
                    if root == broker.root:
                        self._at(self.now + BROKER_S * self._rng.random(), "shown", (island.number, name, payload))
            self.guarded(island, lambda name=name: island.change_link(name, up))
            if not island.on:
                return

    def broker_shows(self, root, payload):
        """The broker passes a message on to all that listen there."""
        for island in self.running():
            for name, broker in island.app.brokers.items():
                link = island.link(name)
                if broker.root == root and link is not None and link.up:
                    self._at(self.now + BROKER_S * self._rng.random(), "shown", (island.number, name, payload))

    # packets

    def carry_out(self, island, sends):
        """What an island sends goes on its way."""
        for send in sends:
            self.counts["packets"] += 1
            if send.link == RADIO:
                self._radio_sends(island, send)
            else:
                self._broker_takes(island, send)

    def _radio_sends(self, island, send):
        self.heard.append(send.payload)
        self.urgent[bytes(send.payload)] = send.urgent
        to = int(send.to, 16) if send.to else None
        if self.air.send(island.number, send.payload, self.now, send.hop_limit, to) is None:
            self._at(self.now, "done", (island.number, RADIO, QUEUE_FULL))

    def _broker_takes(self, island, send):
        link, broker = island.link(send.link), island.app.brokers[send.link]
        up = link.up and self.broker.up
        if up:
            self.broker.put(broker.root, send.payload)
            self.broker_shows(broker.root, send.payload)
        self._at(self.now + BROKER_S * self._rng.random(), "done", (island.number, send.link, SENT if up else DOWN))

    def _at(self, moment, what, about):
        self._order += 1
        heapq.heappush(self._agenda, (moment, self._order, what, about))

    # time

    def pass_time(self, seconds):
        """Let so much time go by."""
        end = self.now + seconds
        self.counts["node seconds"] += int(seconds) * len(self.running())
        while (moment := self._next()) <= end:
            self.now = max(moment, self.now)
            for happening in self.air.advance(self.now):
                self._happened(happening)
            while self._agenda and self._agenda[0][0] <= self.now:
                _, _, what, about = heapq.heappop(self._agenda)
                getattr(self, f"_do_{what}")(about)
        self.now = end

    def _next(self):
        moments = [self._agenda[0][0]] if self._agenda else [float("inf")]
        if self.air.next_at() is not None:
            moments.append(self.air.next_at())
        return min(moments)

    def island(self, number):
        return self.islands[number - 1]

    def tell(self, island, event):
        """An event for an island's runner."""
        if island.on:
            self.guarded(island, lambda: island.app.runner.take(event))
            self.look_at(island)

    def look_at(self, island):
        """After something happened: when does it want a turn?"""
        if not island.on:
            return
        if island.wants_anew:
            self.counts["opened anew"] += 1
            self.restart(island)
            return
        moment = island.deadline
        self._plan(island, self.now + TURN_S if moment is None else min(max(moment, self.now + LEAST_S), self.now + TURN_S))

    def _plan(self, island, moment):
        if island.planned_at is None or moment < island.planned_at:
            island.planned_at = moment
            self._at(moment, "turn", (island, island.lives, moment))

    def _do_turn(self, about):
        island, life, moment = about
        if not island.on or island.lives != life or island.planned_at != moment:
            return
        island.planned_at = None
        island.turns = island.turns + 1 if int(self.now // TURN_S) == island.turns_in else 0
        island.turns_in = int(self.now // TURN_S)
        self.check(island.turns < MOST_TURNS, f"{island.name} asks to be ticked again and again")
        self.guarded(island, island.app.runner.turn)
        self.look_at(island)

    def _do_maintain(self, about):
        island, life = about
        if island.on and island.lives == life:
            self._at(self.now + MAINTENANCE_S, "maintain", about)
            self.guarded(island, island.maintain)
            self.look_at(island)

    def _do_done(self, about):
        number, link, outcome = about
        self.tell(self.island(number), SendDone(link, outcome))

    def _do_shown(self, about):
        number, name, payload = about
        island = self.island(number)
        if island.on and (link := island.link(name)) is not None and link.up:
            self.tell(island, PacketReceived(name, payload))

    def _happened(self, happening):
        if not 1 <= happening.node <= len(self.islands):
            return
        island, frame = self.island(happening.node), happening.frame
        if isinstance(happening, Sent):
            if frame.origin == happening.node:
                self._count_air(happening)
                self.tell(island, SendDone(RADIO, SENT))
        elif isinstance(happening, Delivered) and frame.to in (None, happening.node):
            relay = "" if happening.relay is None else f"{happening.relay:04x}"[-2:]
            self.tell(island, PacketReceived(RADIO, frame.payload, f"{frame.origin:04x}", happening.hops, frame.hop_limit,
                                             relay, happening.snr_db, happening.rssi_dbm))

    def _count_air(self, sent):
        """No hour and no day holds more of an island's packets than the law and its share allow."""
        size = frame_bytes(len(sent.frame.payload), self.air.signs, direct=sent.frame.to is not None)
        airtime_s = self.air.modem.time_on_air_s(size)
        island = self.island(sent.node)
        island.lent |= island.on and island.app.air.governor._lent_s > 0
        urgent = self.urgent.pop(bytes(sent.frame.payload), True)  # one that is said again is urgent or as good as that
        bounds = airtime_bounds(self.place.share, len(self.islands) - 1 if island.lent else 0, urgent)
        for (span_s, most_s), spent in zip(bounds, self.spent[sent.node], strict=True):
            spent.append((sent.at, airtime_s))
            while spent[0][0] <= sent.at - span_s:
                spent.popleft()
            total_s = sum(one for _, one in spent)
            self.check(total_s <= most_s + 0.01, f"island {sent.node} was on the air for {total_s:.1f} s within "
                                                 f"{span_s / 3600:.0f} h, {most_s:.1f} at most")

    # by hand and by cable

    def visit(self, one, other, drop=0.0, rng=None):
        """One island visits another on a network; with a chance of `drop` each question or answer is lost."""
        def post(message):
            return self._asked(other, message, lambda: rng is not None and rng.random() < drop)

        def visiting():
            for table in one.app.lan.tables:
                with suppress(RemoteFault, StoreFailed):
                    visited = table.visit(post)
                    return not visited.put_off and table is one.app.lan.tables[0]
            return False

        if one.on and other.on:
            there = {id_: other.liveset.encoding(id_) for id_ in other.liveset.ids()}
            if self.guarded(one, visiting):
                self._have_traded(one, other, there)
            for island in (one, other):
                self.look_at(island)

    def _asked(self, other, message, is_lost):
        """What an island answers on a network, where questions and answers may be lost, and others listen."""
        if not is_lost():
            self.visits.append((other.number, other.lives, message))
            answer = self.guarded(other, lambda: other.board.transfer.trade(message))
            if answer is not None and not is_lost():
                return answer
        raise RemoteFault("lan-lost")

    def _have_traded(self, one, other, there):
        """One has all that the other held when the visit began (what the visit itself brought there may have let more in),
        and has not declined of late, if they speak with one secret."""
        alike = one.on and other.on and one.app.secret.known[0].secret == other.app.secret.known[0].secret
        if alike and not (one.card.mood or other.card.mood):
            stays, declined = set(other.liveset.ids()), one.app.bulk.declined()
            takes_in(self, one, [raw for id_, raw in there.items() if id_ in stays and id_[:8] not in declined])

    def bundle_of(self, island):
        """A stick is filled at an island."""
        return self.guarded(island, lambda: b"".join(island.board.transfer.bundle())) if island.on else None

    def deliver(self, island, content):
        """A stick is read at an island."""
        if island.on and content is not None:
            blocks = [content[at:at + 4096] for at in range(0, len(content), 4096)]
            delivery = self.guarded(island, lambda: island.board.transfer.deliver(blocks))
            if delivery and not delivery.problem and not delivery.faults:
                takes_in(self, island, list(Bundle([content])))
            self.look_at(island)

    def set_loss(self, loss):
        self.loss = loss
        for radio in self.air._radios.values():
            for path in radio.heard_by.values():
                path.loss = loss

    def flip(self, island, rng):
        """A bit of a card changes while the power is off."""
        archive = island.folder / "archive.db"
        words = [one.word for one in self.ledger.promises.values()]
        word = rng.choice(words).encode() if words and rng.random() < IN_A_WORD else b""
        done = flip_in(archive, rng, word) if rng.random() < IN_ARCHIVE else island.card.flip(rng)
        if done:
            self.counts["flipped bit"] += 1
            island.flipped = True
            self.ledger.card_damaged(island.name)

    def some_visitor(self, rng):
        return visitor(rng.randrange(40), int(self.now // 3600))

    def word(self, rng):
        """One that is in no other text."""
        return "".join(rng.choice(WORDS) for _ in range(9))

    def deafen(self, one, other):
        """`one` no longer hears `other`."""
        path = self.air._radios[other].heard_by.get(one)
        if path is not None:
            self.air.deafen(one, other)
            self.deaf_pairs.add((other, one, path.snr_db))

    def mend_card(self, island):
        """It takes writes again."""
        island.card.mood, island.healthy_since = "", self.now

    def _do_visits(self, _):
        running = self.running()
        for one, other in zip(running, running[1:] + running[:1], strict=True):
            if one is not other:
                self.visit(one, other)
        self.plan_visits()

    def plan_visits(self):
        """Who is on one network asks a neighbour there now and then."""
        self._at(self.now + VISIT_S, "visits", None)
