"""News of a feed as drafts of bulletins: title, the beginning of the text, and where the rest is."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from node.board.api import Draft
from node.board.drafts import LINE_LIMITS, is_link
from node.gather.post_taker import GatheredPost, key_of
from node.gather.told import ToldNews
from node.ical.sanitise import line_of, shortened, text_of
from node.ical.vevent import TOPIC_OF
from node.model.clock import EPOCH_S
from node.model.record import Kind
from node.model.search_text import fold

FRESH_DAYS, LIFE_DAYS = 14, 14  # what was published before is no news; what is posted stays so long
MAX_TEXT, MAX_TITLE = 400, 120  # characters: the whole takes some 20 s of air at most, and the link has the rest
MAX_UNDATED = 10  # of those that do not say when they were published: a feed has the newest first


def posts_of(news: Iterable[ToldNews], language: int, now: int) -> tuple[GatheredPost, ...]:
    """The fresh ones at minute `now`, the newest first where they say so."""
    return tuple(_fresh(news, language, now))


def _fresh(news: Iterable[ToldNews], language: int, now: int) -> Iterator[GatheredPost]:
    undated = 0
    for one in news:
        undated += one.published is None
        fresh = undated <= MAX_UNDATED if one.published is None else _age(one.published, now) < timedelta(FRESH_DAYS)
        if fresh and (draft := _draft(one, language)):
            yield GatheredPost(key_of(one.key), draft)


def _age(published: datetime, now: int) -> timedelta:
    minute = (int(published.timestamp()) - EPOCH_S) // 60
    return timedelta(minutes=now - minute)


def _draft(one: ToldNews, language: int) -> Draft | None:
    title, text = line_of(text_of(one.title), MAX_TITLE), shortened(text_of(one.text), MAX_TEXT)
    link = one.link if is_link(one.link) and len(one.link) <= LINE_LIMITS["link"] and one.link.isprintable() else ""
    if not title:
        return None
    said = "" if text.startswith(title.removesuffix("…")) else title
    named = {TOPIC_OF[word] for tag in one.categories if (word := fold(tag).strip()) in TOPIC_OF}
    return Draft(Kind.BULLETIN, "\n\n".join(part for part in (said, text, link) if part), language,
                 named.pop() if len(named) == 1 else 0, LIFE_DAYS)
