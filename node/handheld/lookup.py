"""What somebody reads by text: the agenda, the news, what was searched, one item, how the island is."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from node.board.api import Item, TextPatience
from node.handheld.cutting import parts_of
from node.handheld.days import Span, day_shown
from node.handheld.talks import Offered
from node.handheld.turn import TextTurn
from node.handheld.wording import MENU
from node.handheld.words import LANGUAGE_WORDS, TAGS, Verb
from node.i18n.sentence import Sentence, sentence
from node.model.clock import minute_of
from node.model.record import DAY_MIN
from node.model.visible_text import plain as visible

MOST_LISTED = 20  # items of one list
NEWS_BYTES = 79  # and its mark: with one message of 219 that is read it is less than 300
LIST_BYTES = 150
COMING_DAYS = 60
MOST_REPLIES = 10  # the newest, below an item
STILL_READING = sentence("This island is still reading its posts. Please ask again in a minute.")


def menu(turn: TextTurn) -> list[str]:
    """What can be asked; more of it is the next part."""
    title = turn.at.keepers().greeting or turn.at.name
    turn.talk.choices, turn.talk.read = tuple(Offered(verb=verb) for verb in MENU), ""
    return [f"{turn.speaker.menu(title)}\n(1/2) +", f"{turn.speaker.manual()} (2/2)"]


def languages(turn: TextTurn) -> list[str]:
    """Which languages there are."""
    lines = [f"{number} {LANGUAGE_WORDS[tag][0]}" for number, tag in enumerate(TAGS, 1)]
    return turn.offer(lines, [Offered(tag=tag) for tag in TAGS], LIST_BYTES)


def agenda(turn: TextTurn, days: Span | None, number: int | None = None) -> list[str]:
    """The events of some days, from now on; without days those that come."""
    now, patience = turn.board.now(), turn.at.patience()
    since, until = _minutes(days, turn) if days else (now, now + COMING_DAYS * DAY_MIN)
    found = turn.board.events(max(since, now) if since <= now < until else since, until, None, MOST_LISTED, patience)
    one_day = days[0] if days and days[0] == days[1] else None
    if not found:
        return _nothing(turn, patience, _no_events(turn, one_day))
    pages = _listed(turn, found, LIST_BYTES, one_day)
    return _picked(turn, found, number) or pages


def news(turn: TextTurn, number: int | None = None) -> list[str]:
    """What is urgent, then the newest bulletins."""
    patience = turn.at.patience()
    items = [*turn.board.urgent(patience=patience), *turn.board.bulletins(None, "", MOST_LISTED, patience).items]
    found = list({item.id: item for item in items}.values())[:MOST_LISTED]
    if not found:
        return _nothing(turn, patience, sentence("No news."))
    pages = _listed(turn, found, NEWS_BYTES)
    return _picked(turn, found, number) or pages


def search(turn: TextTurn, words: str) -> list[str]:
    """What holds these words."""
    if not words:
        return turn.say(sentence("Send: %(usage)s", usage=turn.speaker.usage(Verb.SEARCH)))
    patience = turn.at.patience()
    found = turn.board.search(words, "", MOST_LISTED, patience).items
    return _listed(turn, found, LIST_BYTES) if found else _nothing(turn, patience, sentence("Nothing found."))


def read(turn: TextTurn, item_id: str) -> list[str]:
    """One item, then its replies; its signature where that costs no message more."""
    item = turn.board.item(item_id, turn.at.patience())
    if item is None:
        return turn.say(sentence("It is no longer on the board."))
    turn.talk.read = item.id
    said, signed = turn.speaker.whole(item), f"\n{turn.speaker.signature(item)}"
    if not item.replies:
        return parts_of(said + signed if len((said + signed).encode()) <= turn.room else said, turn.room)
    newest = item.replies[-MOST_REPLIES:]
    replies = [f"@ {visible(one.text).strip()}\n{turn.speaker.signature(one)}" for one in newest]
    return parts_of("\n".join([said + signed, *replies]), turn.room)


def status(turn: TextTurn) -> list[str]:
    """How the island is: for who wonders whether it lives."""
    told, speaker = turn.board.status(), turn.speaker
    heard = told.host.last_heard
    others = speaker.say(sentence("never since its start")) if heard is None else _moment(speaker.wall(heard), turn)
    return turn.say(sentence("%(name)s, %(time)s. Another island was heard: %(heard)s.", name=turn.at.name,
                             time=f"{speaker.wall(turn.board.now()):%H:%M}", heard=others))


def _moment(moment: datetime, turn: TextTurn) -> str:
    today = turn.speaker.wall(turn.board.now()).date()
    return f"{moment:%H:%M}" if moment.date() == today else f"{day_shown(moment.date(), turn.talk.tag)} {moment:%H:%M}"


def _listed(turn: TextTurn, items: Sequence[Item], most_bytes: int, day: date | None = None) -> list[str]:
    """A numbered list; `day` is the one that all of it is about."""
    head = [day_shown(day, turn.talk.tag)] if day else []
    lines = [*head, *(turn.speaker.line(place, item, day) for place, item in enumerate(items, 1))]
    return turn.offer(lines, [Offered(item.id) for item in items], most_bytes)


def _picked(turn: TextTurn, items: Sequence[Item], number: int | None) -> list[str]:
    """The item of a list that was asked for with it; nothing if none was."""
    return read(turn, items[number - 1].id) if number is not None and 1 <= number <= len(items) else []


def _nothing(turn: TextTurn, patience: TextPatience, what: Sentence) -> list[str]:
    return turn.say(STILL_READING if patience.unread else what)


def _no_events(turn: TextTurn, day: date | None) -> Sentence:
    if day is None:
        return sentence("Nothing is planned.")
    return sentence("Nothing is planned on %(day)s.", day=day_shown(day, turn.talk.tag))


def _minutes(days: Span, turn: TextTurn) -> tuple[int, int]:
    """The first minute of some days, and the one after them, by the island's wall clock."""
    first, after = (datetime.combine(day, time(), turn.at.zone) for day in (days[0], days[1] + timedelta(1)))
    return minute_of(first.timestamp()), minute_of(after.timestamp())
