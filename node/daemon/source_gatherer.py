"""Asks the sources that keepers have approved (`node.board.gathering`), on a thread of its own, politely.

An island may see the internet for an hour in a week. So nothing is tried without a way out (`node.daemon.internet`); with
one, a first question that nobody takes costs one look-up of a name, and all sources wait for minutes, more and more of
them. Once somebody answers, those that were not asked for longest come first. A source that answers badly waits by itself,
for as long as its server says.
"""

import logging
import math
import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from urllib.parse import urlsplit

from node.board import explanations
from node.board.api import AuditEntry, BoardClosed, ImportBounds, ImportSummary, Origin
from node.board.board import Board
from node.board.drafts import site_of
from node.board.gathering import (
    MAX_GATHERED,
    GatheredSource,
    GatherRefused,
    GatherTerms,
    SourceLook,
    SourceView,
    source_id,
)
from node.board.reasons import AuditAction, ImportProblem
from node.daemon.fetch import Asking, Fetched, NotFetched, fetch
from node.daemon.settings import GatherSettings
from node.gather.cap_alerts import ToldAlert, alerts_in, posts_of_alerts
from node.gather.news import posts_of
from node.gather.post_taker import PostTaker
from node.gather.source_reading import MAX_SOURCE_BYTES, decoded, is_cap, told_in
from node.gather.told import ToldSource, calendar_of
from node.i18n.sentence import Sentence, sentence
from node.ical.sanitise import line_of
from node.ical.vevent import MAX_NAME
from node.model.errors import RemoteFault
from node.model.event import DAY_MIN
from radio.conversation import Conversation

log = logging.getLogger(__name__)

TICK_S = 20.0
AWAY_S, MAX_AWAY_S = 60.0, 600.0  # between two looks for an internet that does not answer: an hour of it is six of the last
FAILED_S, MAX_FAILED_S = 900.0, 86_400.0  # after a source failed, and at most
LOOK_S = 25.0  # a keeper waits for it before a page
MAX_LOOKS = 4
MAX_FOLLOWED = 10  # alerts of a feed that lists where they are
ALERTS_MIN = 15  # minutes between two questions to a source that gave alerts
ACCEPT = "text/calendar, application/atom+xml, application/rss+xml, application/feed+json, text/html;q=0.5"


@dataclass(frozen=True)
class GatherHost:
    """What gathering needs of the island: its settings, where it is (latitude, longitude), whether there is a way out,
    seconds that no setting of the clock touches, how fast its clock runs (1 but in a demo), the number of its language."""

    settings: GatherSettings
    position: tuple[float, float] | None
    has_way_out: Callable[[], bool]
    monotonic: Callable[[], float]
    rate: float = 1.0
    language: int = 1


@dataclass
class SourceTurn:
    """How one source fares since this start. Moments are monotonic seconds."""

    failures: int = 0
    not_before: float = -math.inf
    said: Sentence | None = None
    asking: bool = False
    wanted: bool = False  # by a keeper, now


class SourceGatherer:
    """See Gathering. `start` begins to ask; safe from any thread but the runner's."""

    def __init__(self, board: Board, host: GatherHost, posts: PostTaker):
        self._board, self._host, self._posts = board, host, posts
        self._turns: dict[str, SourceTurn] = {}
        self._looks: OrderedDict[str, SourceLook] = OrderedDict()
        self._looking = threading.Lock()
        self._away_s, self._away_until, self._had_way = AWAY_S, -math.inf, False
        self._talk: Conversation | None = None
        self._closing, self._woken = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="gathering", daemon=True)

    def start(self) -> None:
        """Begin, on a thread of its own."""
        self._thread.start()

    def close(self) -> None:
        """Stop; a question under way is broken off."""
        self._closing.set()
        self._woken.set()
        if talk := self._talk:
            talk.cut()
        if self._thread.is_alive():
            self._thread.join(10)

    # what keepers do

    def sources(self) -> list[SourceView]:
        """See Gathering."""
        now, minute = self._host.monotonic(), self._board.now()
        return [self._view(source, now, minute) for source in self._approved().values()]

    def look(self, address: str, terms: GatherTerms) -> SourceLook:
        """See Gathering."""
        if not self._looking.acquire(blocking=False):
            raise GatherRefused(sentence("Another source is being looked at. Please try again in half a minute."))
        try:
            known = self._approved().get(source_id(address))
            source = replace(known or GatheredSource(address, day=self._today()), terms=terms)
            fetched = fetch(address, self._asking(), within_s=LOOK_S)
            summary, often = self._brought(source, fetched, fetched.tag or fetched.modified)
        except NotFetched as trouble:
            raise GatherRefused(sentence("Nothing could be fetched: %(why)s", why=trouble.sentence)) from trouble
        finally:
            self._looking.release()
        if summary.problem:
            raise GatherRefused(explanations.agenda(summary.problem))
        look = SourceLook(summary.id, replace(source, name=summary.origin.name, alerts=often), summary)
        self._looks[look.id] = look
        while len(self._looks) > MAX_LOOKS:
            self._looks.popitem(last=False)
        return look

    def approve(self, look_id: str, keeper: str) -> ImportSummary:
        """See Gathering."""
        look = self._looks.get(look_id)
        if look is None:
            raise GatherRefused(sentence("This was looked at too long ago. Please look at the source again."))
        now = self._board.now()
        source = replace(look.source, keeper=keeper, since=now, paused=False, asked=now)
        if source.id not in self._approved() and len(self._approved()) >= MAX_GATHERED:
            raise GatherRefused(sentence("This island asks %(most)s sources at most. Please remove one first.",
                                         most=MAX_GATHERED))
        self._keep(source, AuditAction.GATHER, keeper)
        self._turns.pop(source.id, None)
        summary = self._take(look_id, keeper)
        self._count(source.id, summary)
        return summary

    def pause(self, source_id: str, paused: bool, keeper: str) -> None:
        """See Gathering."""
        source = self._approved().get(source_id)
        if source and source.paused != paused:
            action = AuditAction.GATHER_PAUSE if paused else AuditAction.GATHER_ON
            self._keep(replace(source, paused=paused), action, keeper)
            self._turns.pop(source_id, None)

    def forget(self, source_id: str, keeper: str, why: str = "") -> None:
        """See Gathering."""
        source = self._approved().get(source_id)
        entry = AuditEntry(self._board.now(), keeper, AuditAction.GATHER_GONE, source.name if source else "", why)
        self._board.notes.update(lambda state: replace(state, gathered={
            id_: one for id_, one in state.gathered.items() if id_ != source_id}) if source_id in state.gathered else state,
            entry)
        self._turns.pop(source_id, None)

    def ask_now(self) -> None:
        """See Gathering."""
        for id_, source in self._approved().items():
            if not source.paused:
                self._turn(id_).wanted = True
        self._woken.set()

    # asking

    def _run(self) -> None:
        while not self._closing.is_set():
            self._woken.wait(TICK_S / self._host.rate)
            self._woken.clear()
            try:
                self.gather_due()
            except Exception:  # a full card: the next time may be better
                log.exception("gathering failed")

    def gather_due(self) -> None:
        """Ask those whose turn it is, one after the other."""
        has_way, now = self._host.has_way_out(), self._host.monotonic()
        if has_way and not self._had_way:
            self._away_s, self._away_until = AWAY_S, -math.inf
        self._had_way = has_way
        for source in self._due():
            turn = self._turn(source.id)
            near = self._is_near(source)
            if not (near or turn.wanted or (has_way and now >= self._away_until)):
                continue
            if self._closing.is_set() or (self._gather(source, turn) and not near):
                return

    def _due(self) -> list[GatheredSource]:
        """Those whose turn it is, those that were not asked for longest first."""
        now, minute = self._host.monotonic(), self._board.now()
        for gone in self._turns.keys() - self._approved().keys():
            self._turns.pop(gone, None)
        sources = sorted(self._approved().values(), key=lambda source: (not self._turn(source.id).wanted, source.asked))
        return [source for source in sources
                if not source.paused and (self._turn(source.id).wanted or self._wait_min(source, now, minute) == 0)]

    def _gather(self, source: GatheredSource, turn: SourceTurn) -> bool:
        """Ask one source; True if nobody took the call, so that there is no use in asking another one."""
        turn.asking, turn.wanted = True, False
        try:
            tag = self._board.imports.tag(source.address)
            self._talk = Conversation()
            fetched = fetch(source.address, self._asking(tag), self._talk)
            turn.said, turn.failures, turn.not_before = self._taken(source, fetched), 0, -math.inf
            self._away_s, self._away_until = AWAY_S, -math.inf
        except NotFetched as trouble:
            turn.said = trouble.sentence
            if trouble.away:
                self._away_until = self._host.monotonic() + self._away_s
                self._away_s = min(2 * self._away_s, MAX_AWAY_S)
                return True
            self._failed(turn, trouble.retry_s)
        except BoardClosed as closed:
            turn.said = explanations.closed(closed.reason)
            self._failed(turn, None)
        finally:
            turn.asking, self._talk = False, None
        return False

    def _failed(self, turn: SourceTurn, retry_s: float | None) -> None:
        wait_s = min(FAILED_S * 2 ** min(turn.failures, 10), MAX_FAILED_S)
        turn.failures += 1
        turn.not_before = self._host.monotonic() + max(wait_s, retry_s or 0.0)

    def _taken(self, source: GatheredSource, fetched: Fetched) -> Sentence:
        """Post what it brings; how that went."""
        now = self._board.now()
        self._update(source.id, lambda kept: replace(kept, asked=now))
        if fetched.content is None:
            return sentence("nothing has changed there.")
        summary, often = self._brought(source, fetched, fetched.tag or fetched.modified)
        self._update(source.id, lambda kept: replace(kept, alerts=often))
        if not summary.problem:
            summary = self._take(summary.id, "")
        if summary.problem:
            return explanations.agenda(summary.problem)
        self._count(source.id, summary)
        return sentence("%(new)s new, %(changed)s changed, %(cancelled)s cancelled, %(unchanged)s as they are here.",
                        new=len(summary.new), changed=len(summary.changed), cancelled=len(summary.cancelled),
                        unchanged=summary.unchanged)

    def _brought(self, source: GatheredSource, fetched: Fetched, tag: str) -> tuple[ImportSummary, bool]:
        """What came, compared with the board, within what the source may bring today: events, alerts, or news; and whether
        it is to be asked often: it gives alerts, or nothing yet, as who gives alerts on a quiet day."""
        spent = source if source.day == self._today() else replace(source, records=0, air_s=0.0)
        bounds = ImportBounds(partial(source.terms.leaves_out, now=self._board.now(), here=self._host.position),
                              source.terms.records - spent.records, source.terms.air_s - spent.air_s)
        content = fetched.content or b""
        try:
            told = told_in(content, fetched.address)
            if told is None or told.events:
                calendar = calendar_of(told) if told else content
                return self._board.imports.look_within(calendar, source.address, tag, bounds), False
            alerts = self._alerts(told, content)
        except RemoteFault as fault:
            size = fault.reason == "source-size"
            return ImportSummary(problem=ImportProblem.AGENDA_SIZE if size else ImportProblem.SOURCE_MARK), False
        posts = posts_of_alerts(alerts, self._host.position, self._board.not_urgent() is None) if alerts else posts_of(
            told.news, self._host.language, self._board.now())
        name = line_of(told.name, MAX_NAME) or next((one.alert.issuer for one in alerts), "")
        origin = Origin(name, site_of(source.address))
        return self._posts.look(posts, (source.address, origin), tag, bounds), bool(alerts) or not told.news

    def _alerts(self, told: ToldSource, content: bytes) -> list[ToldAlert]:
        """Those in what came, or those that a feed lists, each asked for; raises RemoteFault."""
        if not (told.alert_links or told.news or told.events):
            text = decoded(content)
            return alerts_in(text, self._host.language) if is_cap(text) else []
        found: list[ToldAlert] = []
        for address in told.alert_links[:MAX_FOLLOWED]:
            with suppress(NotFetched, RemoteFault):  # the others count
                asked = fetch(address, self._asking(), within_s=LOOK_S)
                found += alerts_in(decoded(asked.content or b""), self._host.language)
        return found

    def _take(self, look_id: str, keeper: str) -> ImportSummary:
        """Post what was looked at, whoever holds it."""
        summary = self._board.imports.take(look_id, keeper)
        return self._posts.take(look_id, keeper) if summary.problem is ImportProblem.STALE else summary

    def _count(self, id_: str, summary: ImportSummary) -> None:
        """Remember what a source has brought today."""
        today = self._today()

        def counted(kept: GatheredSource) -> GatheredSource:
            before = kept if kept.day == today else replace(kept, records=0, air_s=0.0)
            return replace(kept, day=today, records=before.records + summary.size, name=summary.origin.name or kept.name,
                           air_s=before.air_s + summary.cost.airtime_s)

        if not summary.problem:
            self._update(id_, counted)

    # what is kept

    def _approved(self) -> dict[str, GatheredSource]:
        return dict(self._board.notes.state.gathered)

    def _keep(self, source: GatheredSource, action: AuditAction, keeper: str) -> None:
        entry = AuditEntry(self._board.now(), keeper, action, source.name or source.address)
        self._board.notes.update(lambda state: replace(state, gathered={**state.gathered, source.id: source}), entry)

    def _update(self, id_: str, change: Callable[[GatheredSource], GatheredSource]) -> None:
        """Change what is kept of a source, if it is still there."""
        self._board.notes.update(lambda state: replace(state, gathered={
            **state.gathered, id_: change(state.gathered[id_])}) if id_ in state.gathered else state)

    def _turn(self, id_: str) -> SourceTurn:
        return self._turns.setdefault(id_, SourceTurn())

    def _view(self, source: GatheredSource, now: float, minute: int) -> SourceView:
        turn = self._turn(source.id)
        wait_min = None if source.paused else self._wait_min(source, now, minute)
        return SourceView(source, turn.asking or turn.wanted, turn.said, wait_min)

    def _wait_min(self, source: GatheredSource, now: float, minute: int) -> int:
        """In how many minutes it is asked next, if there is a way; at once where the clock was set back."""
        period = ALERTS_MIN if source.alerts else self._host.settings.hours * 60
        by_hours = source.asked + period - minute if source.asked <= minute else 0
        by_failures = math.ceil((self._turn(source.id).not_before - now) / 60) if self._turn(source.id).failures else 0
        return max(by_hours, by_failures, 0)

    def _asking(self, tag: str = "") -> Asking:
        """Conditional by whichever name its server gave the version that was taken: only an ETag is in quotes."""
        quoted = tag.endswith('"')
        return Asking(MAX_SOURCE_BYTES, tag if quoted else "", "" if quoted else tag, ACCEPT, self._host.settings.contact,
                      self._host.settings.private)

    def _is_near(self, source: GatheredSource) -> bool:
        """Whether it is asked without the internet: its host is one that the settings allow in a private network."""
        parts = urlsplit(source.address)
        return bool({parts.hostname, parts.netloc.lower()} & set(self._host.settings.private))

    def _today(self) -> int:
        return self._board.now() // DAY_MIN
