"""What others do, as engines on the same air: one copy per peer, and id lists with requests."""

from node.model.record import record_id
from node.sync.codes.erasure import piece
from node.sync.events import Keep, LinkChanged, PacketReceived, RecordKept, Send, SendDone

HOPS = 3
PIECE = 170
LIST_S = 1800
IDS_IN_LIST = 44
MAX_ATTEMPTS = 3  # Meshtastic sends a message that asks for an answer up to three times
ANSWER_S = 12


class _Queue:
    """Packets one after the other, as the governor allows."""

    def __init__(self, channel):
        self.channel, self.waiting, self.busy, self.turn_at = channel, [], False, 0.0
        self.up = False

    def put(self, payload, hops=0, label="data"):
        self.waiting.append((payload, hops, label))

    def next(self, now):
        if not self.waiting or self.busy or not self.up or now < self.turn_at:
            return []
        payload, hops, label = self.waiting[0]
        airtime_s = self.channel.airtime_s(len(payload))
        wait_s = self.channel.governor.wait_s(airtime_s, now)
        if wait_s:
            self.turn_at = now + wait_s
            return []
        self.channel.governor.charge(airtime_s, now)
        self.busy = True
        self.waiting.pop(0)
        return [Send(self.channel.link, payload, hops, label=label)]

    def note(self, event, now, rng):
        if isinstance(event, LinkChanged):
            self.up, self.busy = event.up, False
        if isinstance(event, SendDone):
            self.busy, self.turn_at = False, now + rng.uniform(0.5, 3)

    @property
    def deadline(self):
        return self.turn_at if self.waiting and not self.busy else float("inf")


def pieces_of(raw):
    """The record cut into packets: (index, parts, content)."""
    parts = -(-len(raw) // PIECE)
    return [(index, parts, piece(raw, parts, index)) for index in range(parts)]


class _Pieces:
    """Puts pieces together; only exact sizes are known to the receiver here, as sent with each piece."""

    def __init__(self):
        self.open = {}

    def add(self, id8, index, parts, size, content):
        got = self.open.setdefault(id8, {})
        got[index] = content
        return b"".join(got[i] for i in range(parts))[:size] if len(got) == parts else None


def _body(raw, index, parts, content):
    return record_id(raw)[:8] + bytes([index, parts]) + len(raw).to_bytes(2, "big") + content


class Push:
    """As TC2-BBS: who posts sends one copy to each peer it knows, three hops far, each asking for an answer."""

    def __init__(self, channel, records, address, peers, rng):
        self.records, self.address, self.peers, self.rng = records, address, peers, rng
        self.queue, self.pieces, self.link = _Queue(channel), _Pieces(), channel.link
        self.unanswered = {}  # number -> (payload, attempts, at)
        self.number = 0
        self.seen = set()

    @property
    def deadline(self):
        moments = [at for _, _, at in self.unanswered.values()] + [self.queue.deadline]
        moment = min(moments)
        return None if moment == float("inf") else moment

    def handle(self, event, now):
        self.queue.note(event, now, self.rng)
        actions = []
        if isinstance(event, RecordKept) and event.via == "post":
            self._post(self.records.raw(event.id), now)
        if isinstance(event, PacketReceived):
            actions = self._hear(event.payload)
        for number, (payload, attempts, at) in list(self.unanswered.items()):
            if at <= now:
                del self.unanswered[number]
                if attempts < MAX_ATTEMPTS:
                    self.queue.put(payload, HOPS)
                    self.unanswered[number] = payload, attempts + 1, now + ANSWER_S * (len(self.queue.waiting) + 1)
        return actions + self.queue.next(now)

    def _post(self, raw, now):
        for peer in self.peers:
            for index, parts, content in pieces_of(raw):
                self.number += 1
                payload = b"P" + bytes([self.address, peer]) + self.number.to_bytes(2, "big")
                payload += _body(raw, index, parts, content)
                self.queue.put(payload, HOPS)
                self.unanswered[self.number] = payload, 1, now + ANSWER_S * (len(self.queue.waiting) + 1)

    def _hear(self, payload):
        sender, peer, number = payload[1], payload[2], int.from_bytes(payload[3:5], "big")
        if peer != self.address:
            return []
        if payload[:1] == b"A":
            self.unanswered.pop(number, None)
            return []
        self.queue.put(b"A" + bytes([self.address, sender]) + payload[3:5], HOPS, "answer")
        raw = self.pieces.add(payload[5:13], payload[13], payload[14], int.from_bytes(payload[15:17], "big"), payload[17:])
        if raw is None or record_id(raw) in self.seen:
            return []
        self.seen.add(record_id(raw))
        return [Keep(raw, self.link)]


class IdList:
    """Sends new records once; every half an hour a list of all ids; asks for what it lacks; sends what is asked for."""

    def __init__(self, channel, records, address, rng):
        self.records, self.address, self.rng = records, address, rng
        self.queue, self.pieces, self.link = _Queue(channel), _Pieces(), channel.link
        self.list_at = None
        self.asked = {}

    @property
    def deadline(self):
        return min(self.queue.deadline, self.list_at or float("inf"))

    def handle(self, event, now):
        self.queue.note(event, now, self.rng)
        actions = []
        if self.list_at is None:
            self.list_at = now + self.rng.uniform(5, LIST_S)
        if isinstance(event, RecordKept) and event.via == "post":
            self._send(event.id)
        if isinstance(event, PacketReceived):
            actions = self._hear(event.payload, now)
        if self.list_at <= now:
            self.list_at = now + LIST_S * self.rng.uniform(0.8, 1.2)
            self._list()
        return actions + self.queue.next(now)

    def _list(self):
        ids = sorted(id_[:4] for id_ in self.records.ids())
        for start in range(0, max(len(ids), 1), IDS_IN_LIST):
            self.queue.put(b"L" + bytes([self.address]) + b"".join(ids[start : start + IDS_IN_LIST]), label="sum")

    def _send(self, id_):
        raw = self.records.raw(id_)
        for part in pieces_of(raw):
            payload = b"D" + _body(raw, *part)
            if payload not in [waiting[0] for waiting in self.queue.waiting]:
                self.queue.put(payload)

    def _hear(self, payload, now):
        if payload[:1] == b"D":
            size = int.from_bytes(payload[11:13], "big")
            raw = self.pieces.add(payload[1:9], payload[9], payload[10], size, payload[13:])
            return [Keep(raw, self.link)] if raw and record_id(raw) not in self.records else []
        named = [payload[at : at + 4] for at in range(2, len(payload), 4)]
        held = {id_[:4]: id_ for id_ in self.records.ids()}
        if payload[:1] == b"L":
            wanted = [name for name in named if name not in held and self.asked.get(name, 0) < now]
            self.asked |= {name: now + 120 for name in wanted}
            if wanted:
                self.queue.put(b"R" + payload[1:2] + b"".join(wanted), label="need")
        elif payload[1] == self.address:
            for name in named:
                if name in held:
                    self._send(held[name])
        return []
