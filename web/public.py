"""What everybody reads: home, bulletins, one item, search."""

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from node.board.api import Item, Page
from web import dates
from web.corrections import changes
from web.item_display import by_day, is_changed_here, today
from web.pages import board, fitted, kept, patience, settings
from web.sentences import SLUGS

DAY_MIN = 1440
MAX_QUERY = 100
public = Blueprint("public", __name__)


def asked_topic() -> int | None:
    """The topic of `?topic=`, None for all; an unknown one is not found."""
    slug = request.args.get("topic", "")
    if slug and slug not in SLUGS:
        abort(404)
    return SLUGS.get(slug)


@public.get("/")
@kept
def home() -> str:
    """In one glance: what is urgent, today, this week, new."""
    return fitted("home.html", glance)


def glance(rows: int) -> dict:
    """What home shows, with at most `rows` rows in each part."""
    begin, week = today(), 7 * DAY_MIN
    midnight = dates.midnight(begin, settings().zone)
    urgent = board().urgent(min(rows, 3), patience())
    events = board().events(midnight, midnight + week, None, rows, patience())
    shown = {item.id for item in urgent}
    bulletins = [item for item in board().bulletins(limit=rows, patience=patience()).items if item.id not in shown]
    return {"urgent": urgent, "days": by_day(events, begin), "bulletins": bulletins, "begin": begin,
            "greeting": board().welcome()}


@public.get("/bulletins")
@kept
def bulletins() -> str:
    """Bulletins, newest first, a page at a time."""
    topic, after = asked_topic(), request.args.get("after", "")[:200]

    def fill(rows: int) -> dict:
        return {"page": board().bulletins(topic, after, rows, patience()), "topic": topic, "after": after}

    return fitted("bulletins.html", fill)


@public.get("/topics/<slug>")
@kept
def by_topic(slug: str) -> str:
    """All there is about one topic: what happens in the month ahead, and bulletins."""
    topic = SLUGS.get(slug)
    if topic is None:
        abort(404)
    begin = today()
    midnight = dates.midnight(begin, settings().zone)

    def fill(rows: int) -> dict:
        days = by_day(board().events(midnight, midnight + 30 * DAY_MIN, topic, rows, patience()), begin)
        return {"topic": topic, "slug": slug, "days": days, "page": board().bulletins(topic, "", rows, patience())}

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
    """One item with its replies."""
    shown = found(item_id)
    begin = request.args.get("from", 0, type=int)

    ours, past = is_changed_here(shown.author), shown.expires <= board().now()

    def fill(rows: int) -> dict:
        replies = shown.replies[max(begin, 0):]
        following = max(begin, 0) + rows if len(replies) > rows else 0
        return {"item": shown, "replies": replies[:rows], "following": following, "ours": ours,
                "spread": board().spread(shown) if ours and not past else None, "changes": changes(shown, rows)}

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
