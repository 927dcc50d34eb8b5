"""What a LoRa link's status tells of the air: what may be sent when, what waits, whom we hear. For the engine's thread."""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import accumulate, chain

from node.board.status import (
    AirtimeStatus,
    AirWishes,
    Holding,
    LinkStatus,
    NeighbourStatus,
    OutlookStatus,
    QueuedStatus,
    QueueStatus,
)
from node.daemon.air_log import AirLog
from node.sync.lora.engine import AirEngine, QueuedRecord
from node.sync.lora.fairness import Claim
from node.sync.lora.neighbours import Neighbour
from node.sync.lora.packets import HEADER_BYTES, PIECE_BYTES, WHOLE_BYTES
from node.sync.lora.transmissions import CONFIRMING, EVENT, NEW, REPAIR, TRUST, URGENT, Transmission
from radio.airtime import URGENT_RESERVE, Governor, Outlook, Wish

ROWS = 12  # records of the queue that are told one by one; the others are counted
MOST_OF_ONE = 4  # packets of one record that are reckoned with: 48 in all take 0.7 ms of a desktop's core, once a second
QUARTER_S = 15
KIND_NAMES = {TRUST: "trust", URGENT: "urgent", CONFIRMING: "confirming", EVENT: "event", NEW: "new", REPAIR: "repair"}
TURN, SENDING, LINK_DOWN = "turn", "sending", "link-down"  # why a record waits, where no governor holds it back


class AirStatus:
    """Tells of one channel. `began` keeps since when a record waits: what the engine itself does not need to know."""

    def __init__(self, governor: Governor, log: AirLog, max_payload: int):
        self._governor, self._log, self._max_payload = governor, log, max_payload
        self._began: dict[bytes, float] = {}

    def told(self, link: LinkStatus, engine: AirEngine, wishes: AirWishes, now: float) -> LinkStatus:
        """The link's status with all of it."""
        at, queue = self._governor.moment(now), engine.queue(now)
        waiting = {one.transmission.id for one in queue}
        self._began = {id_: self._began.get(id_, at) for id_ in waiting}
        rows = self._rows(link, engine, queue, now)
        return replace(
            link, airtime=self._airtime(engine, rows, wishes, now),
            queue=QueueStatus(len(queue), sum(one.transmission.parts for one in queue), rows),
            packets=self._log.packets(at), history=self._log.history(at))

    def neighbours(self, engine: AirEngine, ages_s: dict[int, float]) -> tuple[NeighbourStatus, ...]:
        """Whom we hear, as long ago as `ages_s` says by address."""
        context = engine.context
        lacking = Counter(address for pending in context.transmissions
                          for address, reach in pending.reaches.items() if reach.missing)
        live = {one.address for one in context.neighbours.live()}
        return tuple(self._neighbour(one, lacking[one.address], one.address not in live, ages_s[one.address],
                                     context.address) for one in context.neighbours)

    def holdings(self, engine: AirEngine, minute_at: Callable[[float], int]) -> tuple[Holding, ...]:
        """What each of those we hear was last known to hold. `minute_at` makes the engine's moments minutes."""
        lacking: dict[int, set[bytes]] = defaultdict(set)
        held: dict[int, set[bytes]] = defaultdict(set)
        for pending in engine.context.transmissions:
            for address, reach in pending.reaches.items():
                (lacking if reach.missing > 0 else held)[address].add(pending.id)
        return tuple(Holding(minute_at(one.compared_at) if one.compared_at > -math.inf else 0,
                             frozenset(lacking[one.address]), frozenset(held[one.address]))
                     for one in engine.context.neighbours)

    def _neighbour(self, one: Neighbour, lacks: int, away: bool, age_s: float, our_address: int) -> NeighbourStatus:
        signal = self._log.signal(one.address)
        hears = our_address in one.around if one.told_at > -math.inf else None
        return NeighbourStatus(f"{one.address:04x}", round(max(age_s, 0)), one.hops, round(one.loss, 2), one.view.value,
                               lacks, snr_db=signal.snr_db, rssi_dbm=signal.rssi_dbm, hears_us=hears, away=away)

    def _airtime(self, engine: AirEngine, rows: tuple[QueuedStatus, ...], wishes: AirWishes, now: float) -> AirtimeStatus:
        governor, longest_s = self._governor, engine.channel.airtime_s(self._max_payload)
        outlooks = [self._outlook(claim, longest_s, now) for claim in Claim]
        held = [row for row in rows if row.hold not in (SENDING, LINK_DOWN)]
        first = min(held, key=lambda row: math.inf if row.wait_s is None else row.wait_s, default=None)
        next_s, hold = (first.wait_s, first.hold) if first else (outlooks[Claim.FAIR].wait_s, outlooks[Claim.FAIR].hold)
        saved_s, most_saved_s = governor.saved_s(now)
        return AirtimeStatus(
            governor.region, round(governor.limit_s, 1), round(governor.used_s(now), 1),
            round(governor.used_s(now, QUARTER_S), 1), round(governor.left_s(now), 1), next_s, hold,
            law_s=round(3600 * governor.duty_cycle, 1), mean_s=round(governor.mean_s, 1), saved_s=round(saved_s, 1),
            most_saved_s=round(most_saved_s, 1), kept_urgent_s=round(governor.limit_s * URGENT_RESERVE, 1),
            outlooks=tuple(outlooks), wishes=wishes)

    def _outlook(self, claim: Claim, longest_s: float, now: float) -> OutlookStatus:
        wish = wish_of(claim, longest_s)
        outlook = self._governor.outlook(wish, now)
        return OutlookStatus(claim.name.lower(), seconds(outlook), outlook.hold, round(self._governor.left_s(now, wish), 1))

    def _rows(self, link: LinkStatus, engine: AirEngine, queue: list[QueuedRecord], now: float) -> tuple[QueuedStatus, ...]:
        """Those that go first, each with the moment of its first packet if all go as they stand."""
        first = sorted(queue, key=lambda one: max(one.turn_s, 0.0))[:ROWS]  # what is due goes in the order given
        wishes, at = [list(_wishes(engine, one)) for one in first], self._governor.moment(now)
        foretold = self._governor.schedule(chain.from_iterable(wishes), now)
        begin = accumulate(map(len, wishes), initial=0)  # the first packet of each
        return tuple(self._row(link, one, foretold[number], at) for one, number in zip(first, begin, strict=False))

    def _row(self, link: LinkStatus, one: QueuedRecord, moment: Outlook, at: float) -> QueuedStatus:
        pending = one.transmission
        moment = replace(moment, wait_s=max(moment.wait_s, one.opens_s))
        hold = SENDING if one.sending else moment.hold or (TURN if moment.wait_s > 0 else "")
        wait_s = 0.0 if one.sending else seconds(moment)
        if not link.up:
            wait_s, hold = None, LINK_DOWN
        lacking = sum(1 for reach in pending.reaches.values() if reach.missing > 0)
        return QueuedStatus(KIND_NAMES[pending.rank.precedence], pending.parts, round(at - self._began[pending.id]),
                            lacking, one.claim.name.lower(), wait_s, hold)


def _wishes(engine: AirEngine, one: QueuedRecord) -> Iterator[Wish]:
    """The packets that are left of a record's turn, of a long one the first."""
    packets = one.transmission.parts - one.transmission.sent % one.transmission.parts
    airtime_s = packet_s(engine, one.transmission)
    for _ in range(min(packets, MOST_OF_ONE)):
        yield wish_of(one.claim, airtime_s, max(one.turn_s, 0.0))


def packet_s(engine: AirEngine, pending: Transmission) -> float:
    """Seconds of air of one packet of a record."""
    raw = engine.context.records.raw(pending.id) or b""
    head = HEADER_BYTES + (WHOLE_BYTES if pending.parts == 1 else PIECE_BYTES)
    size = min(-(-len(raw) // pending.parts) + head, engine.channel.max_payload)
    return float(engine.channel.airtime_s(size))


def wish_of(claim: Claim, airtime_s: float, after_s: float = 0.0) -> Wish:
    """A packet with a claim, as the governor is asked for it."""
    return Wish(airtime_s, claim is Claim.URGENT, claim is Claim.CROWDING, after_s)


def seconds(outlook: Outlook) -> float | None:
    """For the status: JSON knows no infinity."""
    return None if outlook.wait_s == math.inf else round(outlook.wait_s, 1)
