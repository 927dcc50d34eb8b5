"""What everybody reads: home, bulletins, one item, search."""

from datetime import timedelta

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from node.board.api import Item, Page
from node.model.marks import NO_MARKS, Marks
from node.model.record import Kind
from web.agenda_days import Days, days_ahead, days_from, first_after
from web.corrections import changes
from web.item_display import is_changed_here, today
from web.pages import MAX_BODY_BYTES, MOST_ROWS, board, fitted, kept, patience, published
from web.schema_org import schema_of
from web.sentences import MARKS, SLUGS
from web.turning import asked_part

MAX_QUERY = 100
MOST_HOME_ROWS, LEAST_BULLETINS, MOST_URGENT = 36, 3, 3
MOST_BRIEF = 60  # rows of an hour and a title
MOST_URGENT_EVER = 200  # whoever marks more as urgent marks nothing
public = Blueprint("public", __name__)


def asked_topic() -> int | None:
    """The topic of `?topic=`, None for all; an unknown one is not found."""
    slug = request.args.get("topic", "")
    if slug and slug not in SLUGS:
        abort(404)
    return SLUGS.get(slug)


def asked_mark() -> Marks:
    """The mark of `?mark=`, none for all; an unknown one is not found."""
    slug = request.args.get("mark", "")
    if slug and slug not in MARKS:
        abort(404)
    return MARKS.get(slug, NO_MARKS)


@public.get("/")
@kept
def home() -> str:
    """In one glance: what is urgent, today, this week, new."""
    return first_page()


def first_page(**more: bool) -> str:
    """The home page, with what stands above it."""
    week = days_from(today(), today() + timedelta(7))
    later, later_events = first_after(week.after)
    more_later = {"all": week, "later": later, "later_events": later_events}
    return fitted("home.html", lambda rows: {**more, **more_later, **glance(week, rows), "greeting": board().welcome()},
                  MOST_HOME_ROWS)


def glance(week: Days, rows: int) -> dict:
    """What is urgent, what comes in the week that begins today, and what is new on the board, in `rows` rows of both.

    All of today is there whatever its number, as long as that fits at all: what finds no row is `brief`, as is what is
    over. `onwards`: the place in the week of the first event that is not there at all, None if all are.
    """
    pressing, now = board().urgent(MOST_URGENT_EVER, patience()), board().now()
    urgent = pressing[:min(rows, MOST_URGENT)]
    over = [one for one in week.standing if one[0] == week.first and max(one[1].end, one[1].start) < now]
    coming = [one for one in week.standing if one not in over]
    full = max(rows - max(LEAST_BULLETINS, rows // 4), 1)
    shown, waiting = coming[:full], [one for one in coming[full:] if one[0] == week.first]
    brief = (waiting + over)[:min(MOST_BRIEF, 10 * rows)]
    left = [number for number, one in enumerate(week.standing) if one not in shown and one not in brief]
    left_today = [number for number in left if week.standing[number][0] == week.first]
    bulletins = board().bulletins(limit=min(max(rows - len(shown), LEAST_BULLETINS), MOST_ROWS), patience=patience()).items
    return {
        "urgent": urgent, "more_urgent": len(pressing) - len(urgent), "begin": week.first, "days": week.read(shown),
        "later_today": week.read([one for one in waiting if one in brief]),
        "over": week.read([one for one in over if one in brief]),
        "left_today": week.different(left_today), "left": week.different(left), "onwards": min(left, default=None),
        "bulletins": [item for item in bulletins if item.id not in {one.id for one in urgent}],
    }


@public.get("/urgent")
@kept
def urgent() -> str:
    """All that is urgent, what was posted last first."""
    found = board().urgent(MOST_URGENT_EVER, patience())

    def fill(rows: int) -> dict:
        part = asked_part(len(found), rows)
        return {"items": part.of(found), "part": part}

    return fitted("urgent.html", fill)


@public.get("/bulletins")
@kept
def bulletins() -> str:
    """Bulletins, newest first, a page at a time."""
    topic, mark, after = asked_topic(), asked_mark(), request.args.get("after", "")[:200]

    def fill(rows: int) -> dict:
        return {"page": board().bulletins(topic, after, rows, patience(), mark), "topic": topic, "after": after}

    return fitted("bulletins.html", fill)


@public.get("/past")
@kept
def past() -> str:
    """Bulletins that have ended, the newest first, a page at a time."""
    after = request.args.get("after", "")[:200]
    return fitted("past.html", lambda rows: {"page": board().past(after, rows, patience()), "after": after})


@public.get("/topics/<slug>")
@kept
def by_topic(slug: str) -> str:
    """All there is about one topic: what is ahead, and bulletins."""
    topic = SLUGS.get(slug)
    if topic is None:
        abort(404)
    ahead = days_ahead(topic)

    def fill(rows: int) -> dict:
        page = board().bulletins(topic, "", rows, patience())
        return {"topic": topic, "slug": slug, "days": ahead.read(ahead.standing[:rows]), "page": page,
                "beyond": ahead.beyond(rows), "onwards": rows}

    return fitted("topic.html", fill)


def found(item_id: str) -> Item:
    """The item of an address, or a page that says it is gone."""
    item = board().item(item_id, patience()) if _looks_like_an_id(item_id) else None
    if item is None:
        abort(404)
    return item


def _looks_like_an_id(text: str) -> bool:
    return 8 <= len(text) <= 32 and set(text) <= set("0123456789abcdef")


@public.get("/r/<item_id>")
@kept
def item(item_id: str) -> str:
    """One item with its replies, a part of them at a time (`?from=`, `?to=`)."""
    shown = found(item_id)
    ours, ended = is_changed_here(shown.author), shown.expires <= board().now()
    known = ours and not ended and not published()

    def fill(rows: int) -> dict:
        part = asked_part(len(shown.replies), rows)
        return {"item": shown, "replies": part.of(shown.replies), "part": part, "ours": ours,
                "spread": board().spread(shown) if known else None, "changes": changes(shown, rows),
                "turnout": None if published() else board().turnout(shown)}

    if shown.kind is Kind.EVENT and not published():  # what programs alone read is there if nothing else has to go for it
        page = render_template("item.html", schema=schema_of(shown), **fill(MOST_ROWS))
        if len(page.encode()) <= MAX_BODY_BYTES:
            return page
    return fitted("item.html", fill)


@public.get("/search")
def search() -> str:
    """Items that hold all the words, live and archived."""
    words, after = request.args.get("q", "")[:MAX_QUERY].strip(), request.args.get("after", "")[:200]

    def fill(rows: int) -> dict:
        page = board().search(words, after, rows, patience()) if words else Page([])
        return {"page": page, "words": words, "after": after}

    return fitted("search.html", fill)


@public.get("/favicon.ico")
def icon() -> Response:
    """Nothing, for a long time: browsers ask for it unbidden."""
    return Response(status=204, headers={"Cache-Control": "max-age=31536000"})


@public.route("/start", methods=["GET", "POST"])
@public.route("/start/<path:step>", methods=["GET", "POST"])
def started(step: str = "") -> BaseResponse:
    """Where the island was made: whoever still has that open, or comes back to it, looks after it."""
    return redirect(url_for("keeper.desk"), 303)


@public.app_errorhandler(404)
def missing(error: Exception) -> tuple[str, int]:
    """The page that says that there is no such page."""
    return render_template("missing.html"), 404


@public.app_errorhandler(405)
def asked_otherwise(error: Exception) -> BaseResponse | tuple[str, int]:
    """The address of a form's answer, typed or loaded again: the page it came from, or none."""
    if request.method in ("GET", "HEAD") and request.path.startswith("/keeper/"):
        return redirect(url_for("keeper.desk"), 303)
    return missing(error)[0], 405


@public.app_errorhandler(413)
def too_large(error: Exception) -> tuple[str, int]:
    """More was sent than any post can hold."""
    return render_template("too_large.html"), 413


@public.app_errorhandler(400)
def unreadable(error: Exception) -> tuple[str, int]:
    """What was sent makes no sense."""
    return render_template("broken.html"), 400


@public.app_errorhandler(500)
def broken(error: Exception) -> tuple[str, int]:
    """Something of ours failed: say so without asking the board for anything."""
    return render_template("broken.html"), 500
