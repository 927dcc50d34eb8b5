"""The week in one text of a chosen size, for where no board can be seen: text messages, mail, a post elsewhere, a voice.

It changes with the board and as events end, and is the same for all who ask with the same language and size. What finds no
room is counted, and the text says where it is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from node.board.api import Item
from node.board.confirmed import confirmed_words
from node.board.spans import span_of
from node.board.spoken import SpokenAgenda
from node.board.text_messages import is_narrow, messages, narrowed
from node.i18n.sentence import N_, Plural, Sentence, entry
from node.model.event import DAY_MIN
from node.model.record import Kind
from node.model.visible_text import plain

WEEK_DAYS = 7
MOST_EVENTS, MOST_BULLETINS, MOST_URGENT = 300, 100, 10  # that are read: more never fit the largest size
MOST_MESSAGES = 10
MOST_SIGNS = {"short": 2_000, "mail": 20_000, "aloud": 4_000}  # the last is what `node.daemon.speech` reads
MORE = Plural("%(num)s more: %(address)s", "%(num)s more: %(address)s")
MORE_ALOUD = Plural("%(num)s more is on the board.", "%(num)s more are on the board.")


class DigestForm(StrEnum):
    """For what a text is."""

    SMS = "sms"
    SHORT = "short"
    MAIL = "mail"
    ALOUD = "aloud"


@dataclass(frozen=True)
class Fullness:
    """How much is told of each post: letters of its title, of its place, of its text; 0 for none of it."""

    title: int
    place: int
    text: int = 0


DETAILS = {
    DigestForm.SMS: (Fullness(60, 30), Fullness(36, 0)),
    DigestForm.SHORT: (Fullness(120, 60, 200), Fullness(120, 60), Fullness(60, 0)),
    DigestForm.MAIL: (Fullness(200, 120, 1_000), Fullness(200, 120, 200), Fullness(120, 60), Fullness(60, 0)),
    DigestForm.ALOUD: (Fullness(120, 120), Fullness(80, 0)),
}


@dataclass(frozen=True)
class DigestSize:
    """What a text may take: so many text messages, or the signs of its form."""

    form: DigestForm
    messages: int = 1

    def holds(self, text: str) -> bool:
        """Whether a text is not too long."""
        return messages(text) <= self.messages if self.form is DigestForm.SMS else len(text) <= MOST_SIGNS[self.form]


@dataclass(frozen=True)
class Told:
    """One post under its heading, "" for none."""

    heading: str
    line: str


class Digest:
    """The coming week of a board (as `agenda` has it), in one language, made to measure. `address`: where the board is."""

    def __init__(self, agenda: SpokenAgenda, island: str, address: str):
        self._agenda, self._board, self._dates = agenda, agenda.board, agenda.dates
        self._island, self._address, self._today = island, address, agenda.today()
        self._urgent = self._board.urgent(MOST_URGENT, agenda.patience)
        self._unread = 0
        self._events = self._coming()
        self._bulletins = self._new()

    def text(self, size: DigestSize) -> str:
        """As much as the size holds, in the fullest detail in which all of it does: first what is urgent, then events by
        their days, then what is new. Ends with a line break, unless it is a text message."""
        for detail in DETAILS[size.form]:
            told = list(self._told(size.form, detail))
            if size.holds(whole := self._joined(size.form, told, self._unread)):
                return whole
        left = self._unread + len(told)
        chosen = [told]
        if size.form is DigestForm.SMS:  # a post in another script would more than halve what fits
            chosen.append([one for one in told if is_narrow(narrowed(one.line))])
        return max((self._fitted(size, some, left) for some in chosen), key=lambda fitted: fitted[0])[1]

    def _fitted(self, size: DigestSize, told: list[Told], left: int) -> tuple[int, str]:
        """How many of these posts fit, and the text; `left` counts all that there are."""
        least, most = 0, len(told)
        while least < most:  # more posts never take less room
            middle = (least + most + 1) // 2
            fits = size.holds(self._joined(size.form, told[:middle], left - middle))
            least, most = (middle, most) if fits else (least, middle - 1)
        return least, self._joined(size.form, told[:least], left - least)

    def _coming(self) -> list[Item]:
        """Events of the week that are not over, each under the first day on which it can still be gone to."""
        now, after = self._board.now(), self._today + timedelta(WEEK_DAYS)
        found = [event for event in self._board.announced(now, now + (WEEK_DAYS + 1) * DAY_MIN)
                 if span_of(event).first_day < after]
        found.sort(key=lambda event: (max(span_of(event).first_day, self._today), span_of(event).first_day < self._today))
        self._unread += max(len(found) - MOST_EVENTS, 0)
        urgent = {item.id for item in self._urgent}
        return [item for item in self._board.read(found[:MOST_EVENTS], self._agenda.patience) if item.id not in urgent]

    def _new(self) -> list[Item]:
        """Bulletins that are not met, the newest first."""
        above = {item.id for item in self._urgent}
        page = self._board.bulletins(limit=MOST_BULLETINS, patience=self._agenda.patience)
        if page.after:
            self._unread += max(self._board.count(Kind.BULLETIN) - len(page.items), 0)
        return [item for item in page.items if item.met is None and item.id not in above]

    def _told(self, form: DigestForm, detail: Fullness) -> Iterator[Told]:
        for item in self._urgent:
            yield Told("", self._line(form, item, detail, f"{self._said(N_('Urgent'))}: "))
        for item in self._events:
            day = max(span_of(item).first_day, self._today)
            yield Told(self._heading(form, day), self._line(form, item, detail, self._hour(form, item, day)))
        heading = self._said(N_("New on the board")) + ("." if form is DigestForm.ALOUD else "")
        for item in self._bulletins:
            yield Told(heading, self._line(form, item, detail, "" if form in (DigestForm.SMS, DigestForm.ALOUD) else "- "))

    def _heading(self, form: DigestForm, day: date) -> str:
        if form is DigestForm.SMS:
            return f"{self._dates.weekday(day)} {day.day}"
        return _titled(self._dates.day(day)) + ("." if form is DigestForm.ALOUD else "")

    def _hour(self, form: DigestForm, item: Item, day: date) -> str:
        """What stands before an event; a voice has it in the sentence."""
        span = span_of(item)
        if form is DigestForm.ALOUD:
            return ""
        if form is not DigestForm.SMS:
            return f"- {self._dates.when(span, day, under=day)}: "
        return "" if span.whole_days or span.first_day < day else f"{self._dates.time(span.first)} "

    def _line(self, form: DigestForm, item: Item, detail: Fullness, before: str) -> str:
        state = N_("Cancelled") if item.cancelled is not None else N_("Not confirmed yet") if item.tentative else ""
        name = _cut(item.title or _first_line(item.text), detail.title)
        whose = f"({_cut(item.alert.issuer, detail.title)})" if item.alert else ""
        if form is DigestForm.ALOUD and item.event:
            span = span_of(item)
            return self._agenda.event(item, max(span.first_day, self._today), detail.title, detail.place)
        confirmed = confirmed_words(item)
        head = " ".join(filter(None, [f"{self._said(state)}:" if state else "", name, whose]))
        place = _cut(item.place, detail.place)
        text = _cut(item.text if item.title else _after_first(item.text), detail.text)
        told = confirmed.said(self._dates.sentences) if confirmed else ""
        line = before + " – ".join(filter(None, [", ".join(filter(None, [head, place])), told]))
        if form is DigestForm.ALOUD:
            return f"{line.rstrip('.…')}."
        return "\n  ".join(filter(None, [line, text, plain(item.link) if detail.text else ""]))

    def _joined(self, form: DigestForm, told: list[Told], left: int) -> str:
        """One text of what is told, and how many are left out; of a board that has nothing, that it has nothing."""
        lines, before, sms = [_cut(self._island, 30 if form is DigestForm.SMS else 100)], "", form is DigestForm.SMS
        for one in told:
            if one.heading and one.heading != before:
                lines += [f"{one.heading}:"] if sms else ["", one.heading]
            before = one.heading
            lines.append(one.line)
        if not told and not left:
            lines.append(self._said(N_("Nothing is announced for these days.")))
        lines += [*([] if sms else [""]), self._ending(form, left)]
        text = "\n".join(" ".join(line.split()) if sms else line for line in lines)
        return narrowed(text) if sms else f"{text.rstrip()}\n"

    def _ending(self, form: DigestForm, left: int) -> str:
        if form is DigestForm.ALOUD:
            return entry(MORE_ALOUD, left).said(self._dates.sentences) if left else ""
        more = Sentence(MORE.one, {"num": left, "address": self._address}, MORE.many)
        return more.said(self._dates.sentences) if left else self._address

    def _said(self, text: str) -> str:
        return Sentence(text).said(self._dates.sentences) if text else ""


def _first_line(text: str) -> str:
    return plain(text).strip().split("\n")[0]


def _after_first(text: str) -> str:
    return plain(text).strip().partition("\n")[2]


def _cut(text: str, most: int) -> str:
    """One line of people's text, cut at a word where it is long."""
    line = " ".join(plain(text).split())
    if len(line) <= most:
        return line
    return line[:most - 1].rsplit(" ", 1)[0].rstrip(" .,;:") + "…" if most else ""


def _titled(text: str) -> str:
    return text[:1].upper() + text[1:]
