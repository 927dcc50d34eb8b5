"""What happened on the air of late, for whoever looks after the radio. In memory only, bounded, and about packets alone."""

from collections import Counter, OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from node.board.status import AirHistory, PacketStatus
from node.sync.events import PacketReceived, Send
from node.sync.lora.packets import Have, More, Need, Neighbours, Packet, Piece, Section, Sum, Whole

STEP_S = 600  # a column of a day's drawing, and three samples of a radio that tells its channel's use
STEPS = 144  # a day
MOST_PACKETS = 20  # of those that are shown one by one
MOST_SIGNALS = 64  # neighbours whose strength is kept, as the engine knows of so many
KINDS = {"data": "fresh", "repair": "repair", "need": "question", "sum": "summary", "lead": "lead"}  # by label of a Send
TEXT = "text"  # what is sent to radios in people's hands
ALL_KINDS = (*KINDS.values(), TEXT)


@dataclass(frozen=True)
class Signal:
    """How strong the last packet of a neighbour was, or of the last relay in between."""

    snr_db: float | None
    rssi_dbm: int | None


@dataclass
class _AirStep:
    """One column: it begins at `number` steps; seconds sent by kind, and what the radio told of the channel."""

    number: int
    sent_s: dict[str, float] = field(default_factory=lambda: dict.fromkeys(ALL_KINDS, 0.0))
    told: list[float] = field(default_factory=list)

    @property
    def channel_use(self) -> float | None:
        """The mean of what was told, None for nothing."""
        return round(sum(self.told) / len(self.told), 3) if self.told else None


class AirLog:
    """Belongs to one thread. `at` is the governor's own time everywhere, in seconds; it never goes back."""

    def __init__(self) -> None:
        self._steps: deque[_AirStep] = deque(maxlen=STEPS)
        self._total_s = dict.fromkeys(ALL_KINDS, 0.0)
        self._packets: deque[tuple[float, PacketStatus]] = deque(maxlen=MOST_PACKETS)
        self._signals: OrderedDict[int, Signal] = OrderedDict()

    def sent(self, send: Send, packet: Packet | None, airtime_s: float, at: float) -> None:
        """A packet of ours goes out; `packet` is None if it is in another set's words."""
        kind = KINDS.get(send.label, "fresh")
        self.spent(kind, airtime_s, at)
        sections = told_sections(packet.sections) if packet else ((send.label, 0),)
        self._packets.append((at, PacketStatus(0, True, send.to, len(send.payload), round(airtime_s, 2), sections)))

    def spent(self, kind: str, airtime_s: float, at: float) -> None:
        """Seconds of air went for something of this kind (`ALL_KINDS`)."""
        self._step(at).sent_s[kind] += airtime_s
        self._total_s[kind] += airtime_s

    def done(self, outcome: str) -> None:
        """What became of our last packet, which was under way."""
        for number in reversed(range(len(self._packets))):
            at, packet = self._packets[number]
            if packet.sent:
                self._packets[number] = at, replace(packet, outcome=packet.outcome or outcome)
                return

    def heard(self, packet: Packet, event: PacketReceived, airtime_s: float, at: float) -> None:
        """A packet of a neighbour came."""
        snr_db = event.snr_db if event.rssi_dbm else None  # a radio that tells no strength tells two zeros
        self._signals.pop(packet.sender, None)
        self._signals[packet.sender] = Signal(snr_db, event.rssi_dbm or None)
        if len(self._signals) > MOST_SIGNALS:
            self._signals.popitem(last=False)
        self._packets.append((at, PacketStatus(0, False, f"{packet.sender:04x}", len(event.payload), round(airtime_s, 2),
                                               told_sections(packet.sections), relays=event.hops, snr_db=snr_db)))

    def channel(self, use: float, at: float) -> None:
        """The radio told which part of its last minute was busy."""
        self._step(at).told.append(use)

    def signal(self, address: int) -> Signal:
        """How strong a neighbour was."""
        return self._signals.get(address, Signal(None, None))

    def packets(self, at: float) -> tuple[PacketStatus, ...]:
        """The last ones, the newest first."""
        return tuple(replace(packet, s_ago=round(max(at - then, 0))) for then, packet in reversed(self._packets))

    def history(self, at: float) -> AirHistory:
        """The last day, or as much of it as was lived through."""
        self._step(at)
        steps = list(self._steps)
        columns = {kind: tuple(round(step.sent_s[kind], 1) for step in steps) for kind in ALL_KINDS
                   if any(step.sent_s[kind] for step in steps)}
        total_s = {kind: round(self._total_s[kind], 1) for kind in ALL_KINDS}
        return AirHistory(STEP_S, columns, tuple(step.channel_use for step in steps), total_s)

    def _step(self, at: float) -> _AirStep:
        """The column of this moment; those in which nothing happened stand between."""
        number = int(at // STEP_S)
        if not self._steps:
            self._steps.append(_AirStep(number))
        for missing in range(max(self._steps[-1].number + 1, number - STEPS + 1), number + 1):
            self._steps.append(_AirStep(missing))
        return self._steps[-1]


def told_sections(sections: Sequence[Section]) -> tuple[tuple[str, int], ...]:
    """What a packet says, as (slug, number): what it is worth counting of each kind of section."""
    told: Counter[str] = Counter()
    for section in sections:
        match section:
            case Whole(fresh=fresh) | Piece(fresh=fresh):
                name = "record" if isinstance(section, Whole) else "piece"
                told[name if fresh else f"{name}-again"] += 1
            case Sum(count=count):
                told["holds"] = count
            case Have(count=count):
                told["filter"] = count
            case Need(elements=elements):
                told["lacks"] += len(elements)
            case More(missing=missing):
                told["lacks-pieces"] += missing
            case Neighbours(addresses=addresses):
                told["hears"] = len(addresses)
    return tuple(told.items())
