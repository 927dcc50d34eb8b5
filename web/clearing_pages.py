"""Posts as keepers handle them: lists with boxes to tick, "everything posted between", a second look before anything is
done, and an undo for some minutes; and their own posts, which wait for nobody.
"""

import secrets
import threading
from collections import Counter, OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from flask import Blueprint, Flask, current_app, g, redirect, render_template, request, session, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from node.board import explanations
from node.board.api import Handle, Item
from node.board.reasons import Pile
from web.dates import here
from web.forms import KINDS, Typed, moment_of, typed
from web.languages import current, said
from web.languages import gettext as _
from web.pages import board, fitted, settings
from web.posting import answer_to, form_page
from web.signin import for_keepers, is_keepers, never_kept

ROWS, FIRST_TITLES = 40, 10
MAX_LOOKS, MAX_HANDLED = 8, 2_000
PILES = {"own": (Pile.WAITING, Pile.HERE)} | {pile.value: (pile,) for pile in Pile}
ACTIONS = ("clear", "approve", "show")
desk_posts = Blueprint("desk_posts", __name__, url_prefix="/keeper/posts")
desk_posts.after_request(never_kept)


@dataclass(frozen=True)
class Look:
    """What a keeper is about to do, and to which posts: those that were shown, whatever comes meanwhile."""

    action: str
    handles: tuple[Handle, ...]


class Looks:
    """The last of them, in memory: who waits too long looks again."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Look] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, look: Look) -> str:
        """The name by which it is taken."""
        name = secrets.token_hex(8)
        with self._lock:
            self._kept[name] = look
            while len(self._kept) > MAX_LOOKS:
                self._kept.popitem(last=False)
        return name

    def take(self, name: str) -> Look | None:
        """It, once."""
        with self._lock:
            return self._kept.pop(name, None)


@dataclass(frozen=True)
class PostFilter:
    """Which posts a list shows: of a pile, posted between two minutes. `fields` are those of its form, as typed."""

    pile: str
    since: int
    until: int | None
    fields: dict[str, str]

    @classmethod
    def of(cls, given: MultiDict) -> "PostFilter":
        """From a form or an address; a moment that cannot be read stands for none, and is a problem to be told."""
        what = typed(given)
        today = f"{here(board().now(), settings().zone):%Y-%m-%d}"
        since, until = (moment_of(what, name, settings(), fallback_day=today) for name in ("since", "until"))
        g.unread = bool(what.problems)
        pile = given.get("pile", "own")
        names = [f"{end}_{part}" for end in ("since", "until") for part in ("date", "time")]
        fields = {name: getattr(what, name) for name in names}
        return cls(pile if pile in PILES else "own", since or 0, until, fields)

    def handles(self) -> list[Handle]:
        """The posts, the newest first."""
        return board().handles(PILES[self.pile], self.since, self.until)

    @property
    def asked(self) -> dict[str, str]:
        """What leads to the same list again."""
        return {"pile": self.pile} | {name: value for name, value in self.fields.items() if value}


def add_clearing(app: Flask) -> None:
    """The keepers' lists of posts."""
    app.extensions["looks"] = Looks()
    app.register_blueprint(desk_posts)


def looks() -> Looks:
    """What keepers look at for the second time."""
    kept: Looks = current_app.extensions["looks"]
    return kept


def lately() -> dict[str, str]:
    """The last hour, as the form takes it."""
    ends = {"since": here(board().now() - 60, settings().zone), "until": here(board().now(), settings().zone)}
    return {f"{end}_{part}": f"{moment:{pattern}}" for end, moment in ends.items()
            for part, pattern in (("date", "%Y-%m-%d"), ("time", "%H:%M"))}


@desk_posts.app_context_processor
def words() -> dict:
    """What templates of the desk ask."""
    return {"pile_name": pile_name, "lately": lately}


def pile_name(pile: str) -> str:
    """Where posts are."""
    return _("All from here: waiting and on the board") if pile == "own" else said(explanations.pile(Pile(pile)))


@desk_posts.get("")
@for_keepers
def show() -> str:
    """Posts with boxes to tick; `?pile=`, `?since_date=` and so on choose them."""
    return list_page(PostFilter.of(request.args))


def list_page(choice: PostFilter, notice: str = "") -> str:
    """A part of the list, as many rows as fit."""
    handles = choice.handles()
    begin = max(request.args.get("from", 0, type=int), 0)

    def fill(rows: int) -> dict:
        page = handles[begin:begin + rows]
        following = begin + rows if len(handles) > begin + rows else 0
        return {"rows": with_items(page), "choice": choice, "count": len(handles), "begin": begin, "following": following,
                "piles": PILES, "notice": notice or (unread() if g.unread else "")}

    return fitted("keeper/posts.html", fill, ROWS)


def unread() -> str:
    """What is said of a moment that cannot be read."""
    return said(explanations.problem("moment"))


def with_items(handles: Iterable[Handle]) -> list[tuple[Handle, Item | None]]:
    """Each with its item, which is decoded now."""
    return [(handle, board().handled(handle)) for handle in handles]


@desk_posts.post("/look")
@for_keepers
def look() -> str | tuple[str, int]:
    """The second look: what will be done, to how many, and what the first of them say."""
    choice, (action, _dash, which) = PostFilter.of(request.form), request.form.get("action", "").partition("-")
    if action not in ACTIONS or g.unread:
        return list_page(choice, "" if g.unread else unread()), 422
    ticked = set(request.form.getlist("id"))
    meant = {"all": lambda id_: True, "rest": lambda id_: id_ not in ticked}.get(which, lambda id_: id_ in ticked)
    handles = tuple(one for one in choice.handles() if meant(one.id) and fits(one, action))[:MAX_HANDLED]
    if not handles:
        return list_page(choice, _("Nothing was chosen: please tick what you mean.")), 422
    counts = Counter(handle.pile for handle in handles)
    first = with_items(handles[:FIRST_TITLES])
    return render_template("keeper/look.html", action=action, counts=counts, first=first, more=len(handles) - len(first),
                           look=looks().keep(Look(action, handles)), choice=choice,
                           why=request.form.get("why", ""))


def fits(handle: Handle, action: str) -> bool:
    """Whether it can be done to this post."""
    wanted = {"approve": Pile.WAITING, "show": Pile.HIDDEN}.get(action)
    return handle.pile is wanted if wanted else handle.pile is not Pile.HIDDEN


@desk_posts.post("/do")
@for_keepers
def do() -> Response | tuple[str, int]:
    """Do what was looked at."""
    looked = looks().take(request.form.get("look", ""))
    if looked is None:
        notice = _("This page had been open for too long. Nothing was done: please try again.")
        return list_page(PostFilter.of(request.form), notice), 422
    ids, name = [handle.id for handle in looked.handles], session["name"]
    if looked.action == "clear":
        board().clear(ids, name, request.form.get("why", ""))
    elif looked.action == "approve":
        board().approve_all(ids, name)
    else:
        board().show_all(ids, name)
    return redirect(url_for("keeper.desk"), 303)


@desk_posts.post("/undo")
@for_keepers
def undo() -> Response:
    """Bring back what was put away with one press."""
    board().undo(request.form.get("id", ""), session["name"])
    return redirect(url_for("keeper.desk"), 303)


@desk_posts.get("/write")
@for_keepers
def write() -> str:
    """The form of a keeper's own post."""
    g.posts_as_keeper = True
    kind = request.args.get("kind", "bulletin")
    return form_page(Typed({"kind": kind if kind in KINDS else "bulletin", "language": current().tag}))


@desk_posts.post("/write")
def send() -> tuple[str, int, dict]:
    """As `web.posting.send`, but it waits for nobody. Who is signed in no more gets everything typed back."""
    what = typed(request.form)
    g.posts_as_keeper = is_keepers(request.form.get("csrf", ""))
    if not g.posts_as_keeper:
        notice = _("You are not signed in any more. Nothing is lost: sent from here it is a post like anybody’s.")
        return form_page(what, notice), 422, {"Cache-Control": "no-store"}
    return answer_to(what, lambda draft: board().post(draft, what.group.strip(), what.passphrase, keeper=session["name"]))
