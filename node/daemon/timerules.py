"""What an island makes of what it is told about the time: the rules of docs/store.md ("Time"), without any clock.

A *claim* is what one voice says; the *anchor* is what the clock rests on. Moments are seconds since 1970 UTC, `mono` are
seconds of a clock that never jumps. Everything here is an immutable value: `hear`, `keeper_says`, `undo` and `settle` give
the next one.
"""

from dataclasses import dataclass, replace
from enum import IntEnum
from itertools import combinations
from typing import NamedTuple

MINUTE_S, HOUR_S, DAY_S = 60.0, 3600.0, 86_400.0
DRIFT = 1e-4  # a part of time gone by; crystals of cheap boards are off by half of it at most, cold ones too
UNSURE_S = DAY_S  # how far one unsure voice moves a clock whose last hours are unknown; as far as records may be ahead
MACHINE_S = 60 * DAY_S  # how long a machine whose clock was right may have been off for its clock to be followed alone
SPEAKING_S = 600.0  # a satellite receiver or a synchronised system is asked each 20 s; after so long it has gone
FRESH_S = DAY_S  # how long what a voice said counts
SAME_S = 600.0  # voices that differ by less say the same
EXACT_S = 2 * HOUR_S  # what two agree on is no more exact than a summary's hour, or it rests on records
CONTRADICTS_S = HOUR_S  # best sources that differ by more contradict each other: slow packets and rounding explain less
SETTLES_S = {4: DAY_S, 3: 7 * DAY_S, 2: 7 * DAY_S}  # of running, by worth, until the floor follows: people notice by then
FURTHEST_S = 20 * 365.25 * DAY_S  # no claim further from the release than this is believed; minutes end in 2055
MAX_CLAIMS, MAX_VIA = 16, 4  # voices remembered, in all and by one way; the oldest goes


class Voice(NamedTuple):
    """Who says so, and the way it came."""

    who: str
    via: str


class TimeSource(IntEnum):
    """Where the time comes from, best first; `worth` is the rank, in which some are equal."""

    SYSTEM = 7
    GPS = 6
    KEEPER = 5
    AGREED = 4
    RADIO = 3
    ISLAND = 2
    MACHINE = 1
    FLOOR = 0

    @property
    def worth(self) -> int:
        """4 best, 3 a keeper, 2 two voices that agree, 1 one unsure voice, 0 nobody."""
        return (0, 1, 1, 1, 2, 3, 4, 4)[self]


BEST, SURE = 4, 2  # worths
THE_MACHINE, A_KEEPER = Voice("machine", "machine"), Voice("keeper", "keeper")


@dataclass(frozen=True)
class TimeSpan:
    """From the earliest moment meant to the latest."""

    earliest: float
    latest: float

    def moved(self, by_s: float) -> "TimeSpan":
        """The same, later."""
        return TimeSpan(self.earliest + by_s, self.latest + by_s)

    def widened(self, before_s: float, after_s: float) -> "TimeSpan":
        """The same with room before and after."""
        return TimeSpan(self.earliest - before_s, self.latest + after_s)

    def meets(self, other: "TimeSpan", within_s: float = 0.0) -> bool:
        """Whether they have a moment in common, or nearly."""
        return self.earliest <= other.latest + within_s and other.earliest <= self.latest + within_s

    def holds(self, utc: float, within_s: float = 0.0) -> bool:
        """Whether a moment is in it, or nearly."""
        return self.earliest - within_s <= utc <= self.latest + within_s

    def nearest(self, utc: float) -> float:
        """The moment in it that is nearest to another."""
        return min(max(utc, self.earliest), self.latest)


def around(utc: float, within_s: float) -> TimeSpan:
    """A moment, give or take some seconds."""
    return TimeSpan(utc - within_s, utc + within_s)


@dataclass(frozen=True)
class TimeClaim:
    """What one voice said at `at` (mono). `who` is the island or device, `via` the way it came: claims that share either
    are of one voice. `since`: when it began to say so; `settled`: whether it said so twice."""

    source: TimeSource
    who: str
    via: str
    span: TimeSpan
    at: float
    since: float
    settled: bool = True

    def by(self, mono: float) -> TimeSpan:
        """What it means by now."""
        return self.span.moved(mono - self.at)

    def apart_from(self, other: "TimeClaim") -> bool:
        """Whether one neighbour's error cannot be behind both."""
        return self.who != other.who and self.via != other.via


@dataclass(frozen=True)
class Anchor:
    """What the clock rests on: the last thing known to be sure, with the time that went by since.

    `kept`: it is from before a restart, or from nobody; how long the island was off is then unknown.
    """

    source: TimeSource
    span: TimeSpan
    at: float
    who: str = ""
    kept: bool = False

    def by(self, mono: float) -> TimeSpan:
        """What it means by now, if the island was not off."""
        return self.span.moved(mono - self.at)

    def window(self, mono: float, off_s: float) -> TimeSpan:
        """Where one unsure voice may put the clock; `off_s`: how long the island is believed to have been off."""
        drift_s = DRIFT * (mono - self.at)
        return self.by(mono).widened(drift_s, drift_s + (off_s if self.kept else 0.0))


@dataclass(frozen=True)
class Floor:
    """A moment that is certainly past, as surely as `worth` says; `at`, if anybody has looked: since when it is."""

    utc: float
    worth: int
    at: float | None = None

    def by(self, mono: float) -> "Floor":
        """What is certainly past by now: while the island runs time goes by, whatever day it is."""
        gone_s = 0.0 if self.at is None else mono - self.at
        return Floor(self.utc + gone_s * (1 - DRIFT), self.worth, mono)


@dataclass(frozen=True)
class RisingFloor:
    """A floor on trial: it holds once the island ran long enough and it was not taken back; `run_s` so far, as of `at`."""

    utc: float
    worth: int
    run_s: float
    at: float


@dataclass(frozen=True)
class Before:
    """How things stood before a keeper set the clock, as of `at`."""

    utc: float
    at: float
    source: TimeSource
    who: str
    anchor: Anchor
    floor: Floor


@dataclass(frozen=True)
class Knowledge:
    """All that an island knows of the time: it is `utc` at `at`, as `source` says.

    `least`: the release; what claims an earlier moment is not believed, whoever says so.
    """

    utc: float
    at: float
    source: TimeSource
    who: str
    anchor: Anchor
    floor: Floor
    least: float
    rising: RisingFloor | None = None
    claims: tuple[TimeClaim, ...] = ()
    before: Before | None = None
    machine: bool = False  # its machine's own clock was right when the island last was sure

    def now(self, mono: float) -> float:
        """Seconds since 1970 by now."""
        return self.utc + mono - self.at

    @property
    def sure(self) -> bool:
        """Whether something that cannot be one neighbour's error has told the time since the start."""
        return self.anchor.source.worth >= SURE and not self.anchor.kept

    def speaking(self, mono: float) -> list[TimeClaim]:
        """What satellites and the synchronised system say just now."""
        return [claim for claim in self.claims if claim.source.worth == BEST and mono - claim.at <= SPEAKING_S]

    def contradictions(self, mono: float) -> list[TimeClaim]:
        """Fresh claims that the clock does not follow."""
        return [claim for claim in _fresh(self, mono) if not claim.by(mono).holds(self.now(mono), CONTRADICTS_S)]


def hear(known: Knowledge, claim: TimeClaim) -> Knowledge:
    """What is known after somebody has said what time it is (at `claim.at`)."""
    mono = claim.at
    if not _conceivable(claim.span, known.least):
        return known
    known = replace(known, claims=_with(known.claims, claim))
    claim = known.claims[-1]
    best = _best(known, mono)
    if best is not None:
        return _taken_back_by(_resting_on(known, best.source, best.by(mono), mono, best.who), mono)
    agreed = _agreed(known, mono)
    if agreed is not None:
        return _resting_on(known, TimeSource.AGREED, agreed, mono)
    return _nudged(known, claim, mono)


def keeper_says(known: Knowledge, utc: float, mono: float) -> Knowledge | None:
    """A keeper has read what it would do and confirmed the minute `utc`; None if a better source is speaking.

    Any moment since the release is believed, before the floor too: what told the floor may have been wrong.
    """
    span = TimeSpan(utc, utc + MINUTE_S)
    if utc < known.least or not _conceivable(span, known.least):
        return None
    claim = TimeClaim(TimeSource.KEEPER, *A_KEEPER, span, mono, mono)
    backed = replace(known, claims=_with(known.claims, claim))
    if known.speaking(mono):
        best = _best(backed, mono)
        if best is None or not best.by(mono).meets(span, CONTRADICTS_S) or _is_near(known, claim, mono):
            return None
        return _resting_on(backed, best.source, best.by(mono), mono, best.who)  # with a keeper on its side
    before = Before(known.now(mono), mono, known.source, known.who, _as_of(known.anchor, mono), known.floor)
    if not span.holds(known.now(mono)):
        backed = _set(backed, utc, mono)
    return _resting_on(replace(backed, before=before), TimeSource.KEEPER, span, mono, "keeper")


def undo(known: Knowledge, mono: float) -> Knowledge | None:
    """How things would stand if the keeper had said nothing; None if there is nothing to undo."""
    before = known.before
    if before is None:
        return None
    claims = tuple(claim for claim in known.claims if claim.source is not TimeSource.KEEPER)
    anchor = before.anchor
    utc = before.utc + mono - before.at
    known = replace(known, utc=utc, at=mono, source=before.source, who=before.who, anchor=anchor, claims=claims,
                    floor=before.floor, before=None, rising=_still_rising(known.rising, utc))
    agreed = _agreed(known, mono)
    return known if agreed is None else _resting_on(known, TimeSource.AGREED, agreed, mono)


def settle(known: Knowledge, mono: float) -> Knowledge:
    """Let the floor follow what has stood long enough. To be called now and then."""
    rising, known = known.rising, replace(known, floor=known.floor.by(mono))
    if rising is not None:
        rising = replace(rising, run_s=rising.run_s + mono - rising.at, at=mono)
        if rising.run_s >= SETTLES_S[rising.worth]:
            higher = rising.utc > known.floor.utc
            known, rising = replace(known, floor=Floor(rising.utc, rising.worth, mono) if higher else known.floor), None
    if rising is None and known.sure:
        certain = min(known.anchor.by(mono).earliest, known.now(mono))
        rising = RisingFloor(certain, known.anchor.source.worth, 0.0, mono)
    return replace(known, rising=rising)


def _conceivable(span: TimeSpan, least: float) -> bool:
    return span.latest >= least and span.earliest <= least + FURTHEST_S


def _with(claims: tuple[TimeClaim, ...], claim: TimeClaim) -> tuple[TimeClaim, ...]:
    """With a claim in the place of what its voice said before, which tells how long it has been saying so."""
    earlier = next((one for one in claims if (one.who, one.via) == (claim.who, claim.via)), None)
    if earlier and earlier.source is claim.source and earlier.by(claim.at).meets(claim.span, SAME_S):
        claim = replace(claim, since=earlier.since)
    others = [one for one in claims if one is not earlier]
    same_way = [one for one in others if one.via == claim.via]
    if len(same_way) >= MAX_VIA:
        others.remove(same_way[0])
    return (*others[-(MAX_CLAIMS - 1):], claim)


def _fresh(known: Knowledge, mono: float) -> list[TimeClaim]:
    return [claim for claim in known.claims if mono - claim.at <= FRESH_S or claim.source is TimeSource.KEEPER]


def _support(known: Knowledge, span: TimeSpan, mono: float, *but: str) -> int:
    """By how many ways others say the same; `but`: whose word does not count, and what came by them."""
    agreeing = [claim for claim in _fresh(known, mono) if claim.by(mono).meets(span, CONTRADICTS_S)]
    return len({claim.via for claim in agreeing if claim.who not in but and claim.via not in but})


def _best(known: Knowledge, mono: float) -> TimeClaim | None:
    """Which of the best sources the clock follows now: whom more others support, then whom it followed, then the system."""
    anchor = known.anchor
    speaking = [claim for claim in known.speaking(mono) if claim.settled or not known.sure or _is_near(known, claim, mono)]
    if not speaking:
        return None

    def merit(claim: TimeClaim) -> tuple[int, bool, int]:
        followed = not anchor.kept and anchor.who == claim.who and anchor.source is claim.source
        contested = not all(one.by(mono).meets(claim.by(mono), CONTRADICTS_S) for one in speaking)
        support = _support(known, claim.by(mono), mono, claim.who) if contested else 0
        return support, contested and followed, claim.source

    best = max(speaking, key=merit)
    return best if _outdoes(known, best, mono) else None


def _is_near(known: Knowledge, claim: TimeClaim, mono: float) -> bool:
    return claim.by(mono).holds(known.now(mono), CONTRADICTS_S)


def _outdoes(known: Knowledge, claim: TimeClaim, mono: float) -> bool:
    """Whether a source may contradict an equal one that is silent now, while time has been counted on from it: after a day
    of saying so, or at once if others support it."""
    anchor = known.anchor
    if anchor.kept or anchor.source.worth < BEST or anchor.who == claim.who or _is_near(known, claim, mono):
        return True
    if mono - claim.since >= FRESH_S:
        return True
    both = claim.who, anchor.who
    return _support(known, claim.by(mono), mono, *both) > _support(known, anchor.by(mono), mono, *both)


def _agreed(known: Knowledge, mono: float) -> TimeSpan | None:
    """What two voices agree on, if that may move the clock or makes it sure."""
    if known.sure and known.anchor.source.worth > SURE:
        return None
    voices = [claim for claim in _fresh(known, mono) if claim.source is not TimeSource.KEEPER]
    pairs = [(one.by(mono), other.by(mono)) for one, other in combinations(voices, 2)
             if one.apart_from(other) and one.by(mono).meets(other.by(mono), SAME_S)]
    hulls = [TimeSpan(min(one.earliest, other.earliest), max(one.latest, other.latest)) for one, other in pairs]
    hulls = [hull for hull in hulls if hull.latest >= known.floor.utc or known.floor.worth <= SURE]
    now = known.now(mono)
    hulls = [hull for hull in hulls if _is_exact(hull) or hull.latest >= now]
    return max(hulls, default=None, key=lambda hull: (
        _is_exact(hull) and hull.holds(now), _support(known, hull, mono), hull.earliest))


def _is_exact(hull: TimeSpan) -> bool:
    """Whether it rests on no record, which says that it is its minute at least: that sets no clock back."""
    return hull.latest - hull.earliest <= EXACT_S


def _nudged(known: Knowledge, claim: TimeClaim, mono: float) -> Knowledge:
    """One unsure voice: no further than it can be believed, and not away from what another one has just said."""
    off_s = MACHINE_S if claim.source is TimeSource.MACHINE and claim.settled else UNSURE_S
    window, span, now = known.anchor.window(mono, off_s), claim.by(mono), known.now(mono)
    if claim.source is TimeSource.KEEPER or not span.meets(window):
        return known
    utc = window.nearest(span.nearest(now))
    if known.sure:
        return _set(known, utc, mono)
    followed = [other for other in _fresh(known, mono) if other.who == known.who != claim.who]
    if utc != now and any(other.by(mono).holds(now) for other in followed):
        return known
    if known.source is not TimeSource.FLOOR and utc == now:
        return known
    return replace(_set(known, max(utc, known.floor.utc), mono), source=claim.source, who=claim.who)


def _resting_on(known: Knowledge, source: TimeSource, span: TimeSpan, mono: float, who: str = "") -> Knowledge:
    known = _set(known, span.nearest(known.now(mono)), mono)
    floor = known.floor if known.utc >= known.floor.utc else Floor(known.utc, source.worth, mono)
    return replace(known, source=source, who=who, anchor=Anchor(source, span, mono, who), floor=floor)


def _taken_back_by(known: Knowledge, mono: float) -> Knowledge:
    """After better evidence than a keeper's word: there is nothing to undo, and a word that was wrong is forgotten."""
    claims = tuple(claim for claim in known.claims
                   if claim.source is not TimeSource.KEEPER or _is_near(known, claim, mono))
    return replace(known, claims=claims, before=None)


def _set(known: Knowledge, utc: float, mono: float) -> Knowledge:
    return replace(known, utc=utc, at=mono, rising=_still_rising(known.rising, utc))


def _still_rising(rising: RisingFloor | None, utc: float) -> RisingFloor | None:
    """A floor on trial that the clock was set back before has failed."""
    return rising if rising is None or utc >= rising.utc else None


def _as_of(anchor: Anchor, mono: float) -> Anchor:
    return replace(anchor, span=anchor.window(mono, 0.0), at=mono)
