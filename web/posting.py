"""Posting in three steps: write, look it over, done; and the edit code that corrects or withdraws later."""

from collections.abc import Callable
from dataclasses import fields, replace
from functools import partial

from flask import Blueprint, current_app, g, render_template, request, session, url_for

from node.board.api import BoardClosed, Cost, Draft, DraftRefused, Item, Overtaken, Posted, Problem
from node.board.reasons import ProblemCode
from node.model.record import Kind
from web.corrections import Changed, changes
from web.event_map import length, pick_chart
from web.forms import KINDS, Typed, draft_of, typed, typed_again, typed_of
from web.item_display import SHOWN_DIGITS, is_changed_here, root_digits
from web.languages import current
from web.languages import gettext as _
from web.pages import board, settings
from web.public import found
from web.rewriting import rewritten
from web.safe_address import in_the_clear, safe_form
from web.sentences import closed, problem, waits
from web.signin import tries
from web.tokens import Done, FormTokens, TokenExpired
from web.tries import TooManyTries
from web.visitor import visitor

posting = Blueprint("posting", __name__)
SHOWN_ROWS = 6  # of what two people have made of one text
PICK_SPANS_M = (500, 2_000, 10_000, 50_000)
NEVER_KEPT = {"Cache-Control": "no-store"}
Page = str | tuple[str, int, dict[str, str]]
WRONG_SECRET = {ProblemCode.PASSPHRASE_WRONG, ProblemCode.WORD_WRONG}


@posting.app_context_processor
def forms() -> dict:
    """What templates of forms ask."""
    by_keeper = bool(g.get("posts_as_keeper"))
    return {"form_address": form_address, "by_keeper": by_keeper, "asks_keepers": asks_keepers,
            "csrf_token": session.get("csrf", "") if by_keeper else ""}


def asks_keepers(item_id: str) -> bool:
    """Whether who lost the edit code of a post can ask the keepers: it is this island's, and no group's."""
    item = board().item(item_id)
    return item is not None and item.author.here


def tokens() -> FormTokens:
    """The tokens of this portal."""
    return current_app.extensions["tokens"]


@posting.get("/post")
def write() -> Page:
    """An empty form: a bulletin, `?kind=event`, or a reply by `?kind=reply&target=ID`; `?again=ID`: as that event, without
    its days."""
    kind = request.args.get("kind", "bulletin")
    if in_the_clear() and _rule() == "members":
        return safe_form(kind=kind)
    target = request.args.get("target", "")[:32]
    if kind == "reply":
        target = found(target).id
    again = found(request.args.get("again", "")[:32]) if kind == "event" and "again" in request.args else None
    empty = {"kind": kind if kind in KINDS else "bulletin", "target": target, "language": current().tag}
    return form_page(typed_again(again) if again else Typed(empty))


@posting.post("/post")
def send() -> tuple[str, int, dict]:
    """Look over (`action=preview`), go back to writing (`edit`), or publish (`publish`)."""
    what = typed(request.form)
    group = what.group.strip()
    if in_the_clear() and (group or what.passphrase):
        return safe_form()

    def post(draft: Draft) -> Posted:
        work = partial(board().post, draft, group, what.passphrase, visitor())
        return tried("passphrase", work) if group else work()

    return answer_to(what, post)


@posting.get("/r/<item_id>/edit")
def rewrite(item_id: str) -> Page:
    """The form of an item to correct, as it was typed."""
    item = written(item_id)
    return _elsewhere(item) or form_page(typed_of(item), item_id=_lasting_id(item))


@posting.post("/r/<item_id>/edit")
def correct(item_id: str) -> Page:
    """A new version takes the old one's place, for who knows the edit code. What is gone meanwhile is said on the form."""
    item, what = _corrected(item_id), typed(request.form)

    def post(draft: Draft) -> Posted:
        return tried("word", partial(board().correct, item_id, what.word.strip(), draft, visitor(), what.seen))

    return (item and _elsewhere(item)) or answer_to(what, post, item_id, item)


@posting.get("/r/<item_id>/withdraw")
def leave(item_id: str) -> Page:
    """How to withdraw or cancel an item; `?settled=1`: to say that a bulletin is met; its author was given an address for
    that with the edit code in it (`?word=`)."""
    item = written(item_id)
    word = {"word": request.args.get("word", "")[:200]}
    if elsewhere := _elsewhere(item):
        return elsewhere
    return withdraw_page(_lasting_id(item), Typed(word), settled="settled" in request.args), 200, NEVER_KEPT


@posting.post("/r/<item_id>/withdraw")
def withdraw(item_id: str) -> Page:
    """Withdraw it (`action=withdraw`), show it as cancelled (`cancel`) or as met (`settled`), for who has the edit code."""
    item, what, action = written(item_id), typed(request.form), request.form.get("action")
    if elsewhere := _elsewhere(item):
        return elsewhere
    reason = {"cancel": what.reason.strip(), "settled": ""}.get(action or "")
    if reason is None and not what.word.strip():
        what.problems.append(Problem("word", ProblemCode.WORD_WRONG))
    posted, notice = (None, "") if what.problems else attempt(
        what, lambda forgotten: tried("word", partial(board().withdraw, item_id, what.word.strip(), reason, visitor())))
    if posted is None:
        return withdraw_page(item_id, what, notice, action == "settled"), 422, NEVER_KEPT
    page = render_template("withdrawn.html", item=item, cancelled=reason is not None, waits=waits(posted.waiting))
    return page, 200, NEVER_KEPT


def written(item_id: str) -> Item:
    """An item that its author may change: on the board, or waiting (then by its whole id, which only its author has)."""
    waiting = board().waiting_post(item_id)
    return waiting.item if waiting else found(item_id)


def _lasting_id(item: Item) -> str:
    """What names it in the address of its forms whoever corrects it meanwhile; what waits has its own id alone."""
    return item.id if board().waiting_post(item.id) else root_digits(item)


def _elsewhere(item: Item) -> Page | None:
    """Where it is corrected or withdrawn instead, if not here: where it was posted, or at the safe address.

    A group's passphrase would cross the Wi-Fi in the clear. An edit code may: it opens one post, and its author has no
    other way (docs/decisions/plain-http.md).
    """
    if not is_changed_here(item.author):
        return render_template("elsewhere.html", item=item), 200 if request.method == "GET" else 403, NEVER_KEPT
    return safe_form() if item.author.group and in_the_clear() else None


def withdraw_page(item_id: str, what: Typed, notice: str = "", settled: bool = False) -> str:
    """What to press, and the edit code to give, to withdraw or cancel an item, or to say that a bulletin is met."""
    item = written(item_id)
    return render_template("withdraw.html", item=item, item_id=item_id, typed=what, notice=notice, token=tokens().issue(),
                           worded=_worded(what), settled=settled and item.kind is Kind.BULLETIN)


def form_page(what: Typed, notice: str = "", item_id: str = "") -> str:
    """The form with everything typed in it, its problems in sentences, and a fresh token."""
    target = board().item(what.target) if what.target else None
    return render_template(
        "form.html", typed=what, notice=notice, item_id=item_id, target=target, token=tokens().issue(),
        worded=_worded(what), groups=board().groups(), posting=_rule(), overtaken=_overtaken(what),
        **_urgent_offer(_corrected(item_id)))


def _urgent_offer(item: Item | None) -> dict:
    """Whether the form offers to mark a post as urgent: who writes may, or only as one of these groups."""
    groups = [] if item else [name for name in board().groups() if not board().not_urgent(name)]
    return {"may_be_urgent": not board().not_urgent(*_signing(Typed({}), item)), "urgent_groups": groups}


def _corrected(item_id: str) -> Item | None:
    """What a form corrects, hidden or not; None if it corrects nothing, or that is gone."""
    waiting = board().waiting_post(item_id)
    return waiting.item if waiting else board().kept_item(item_id) if item_id else None


def _overtaken(what: Typed) -> list[Changed]:
    """What somebody else has made of it meanwhile, beside what was typed."""
    if what.overtaken is None:
        return []
    mine = rewritten(Typed(dict(what.fields)), what.overtaken, settings(), board().now())
    shared = {field.name for field in fields(Draft)} & {field.name for field in fields(Item)}
    shown = {name: getattr(mine, name) for name in shared}
    return changes(replace(what.overtaken, before=what.overtaken, event=mine.event, **shown), SHOWN_ROWS)


def _signing(what: Typed, item: Item | None) -> tuple[str, bool]:
    """The group that will sign ("" for this island), and whether it is a visitor who asks (`Board.not_urgent`).

    `item` is what is corrected, if anything is: what is urgent already may stay so.
    """
    if item is None:
        return what.group.strip(), not g.get("posts_as_keeper")
    return item.author.name if item.author.group else "", not (g.get("posts_as_keeper") or item.urgent)


def _rule() -> str:
    return board().status().rules.posting


def _worded(what: Typed) -> list[tuple[str, str]]:
    """(field, sentence) for each problem, each sentence once."""
    return list(dict.fromkeys((found.field, problem(found)) for found in what.problems))


def form_address(item_id: str = "") -> str:
    """Where a form goes: a correction to its item, a keeper's to the desk, any other to the board."""
    if item_id:
        return url_for("desk_post.correct" if g.get("posts_as_keeper") else "posting.correct", item_id=item_id)
    return url_for("desk_posts.send" if g.get("posts_as_keeper") else "posting.send")


def answer_to(what: Typed, post: Callable[[Draft], Posted], item_id: str = "",
              item: Item | None = None) -> tuple[str, int, dict]:
    """The page that follows a form: the map to touch, the form again, the preview, or that it is done (by `post`).

    `item` is what a form corrects, `item_id` how its address names it.
    """
    action = _action(what)
    if action == "map":
        return _pick_page(what, item_id), 200, NEVER_KEPT
    now, notice = board().now(), ""
    draft = rewritten(what, item, settings(), now) if item else draft_of(what, settings(), now)
    if action == "edit":
        return form_page(what, item_id=item_id), 422 if what.problems else 200, NEVER_KEPT
    wrong = None if item or what.group.strip() else board().code_problem(draft)  # it is chosen on the preview
    if action == "publish" and not (wrong or what.problems):
        posted, notice = attempt(what, lambda forgotten: (forgotten and not item_id and _already(draft)) or post(draft))
        if posted:
            page = render_template("done.html", posted=posted, corrected=bool(item_id), waits=waits(posted.waiting),
                                   draft=draft, kept_at=_kept_at(posted), settle=_settling(posted, draft))
            return page, 200, NEVER_KEPT
    elif (cost := _cost(what, draft, item)) and not what.problems:
        what.problems += [wrong] if wrong else []
        return _preview_page(what, draft, cost, item_id), 422 if wrong else 200, NEVER_KEPT
    return form_page(what, notice, item_id), 422, NEVER_KEPT


def _settling(posted: Posted, draft: Draft) -> str:
    """The path where the author of an offer or a need says with one tap that it is met; "" if there is none."""
    if draft.kind is not Kind.BULLETIN or not (draft.marks and posted.edit_code) or posted.waiting:
        return ""
    return url_for("posting.leave", item_id=posted.id[:SHOWN_DIGITS], settled=1, word=posted.edit_code)


def _kept_at(posted: Posted) -> str:
    """The whole address where its author corrects it, for paper."""
    item_id = posted.id if posted.waiting else posted.id[:SHOWN_DIGITS]
    return f"{settings().base_url.rstrip('/')}/r/{item_id}/edit"


def _action(what: Typed) -> str:
    """What was pressed. A touch on the map fills in the position and goes back to the form."""
    if "span" in request.form:
        return "map"
    x, y = (request.form.get(f"at.{axis}", type=int) for axis in "xy")
    if x is not None and y is not None:
        what.fields["position"] = "{:.5f}, {:.5f}".format(*pick_chart(request.form.get("drawn", "")).position(x, y))
        return "edit"
    return request.form.get("action", "preview")


def _pick_page(what: Typed, item_id: str) -> str:
    return render_template("pick.html", typed=what, item_id=item_id, token=tokens().issue(), length=length,
                           chart=pick_chart(request.form.get("span", "")), spans=PICK_SPANS_M)


def _preview_page(what: Typed, draft: Draft, cost: Cost, item_id: str) -> str:
    return render_template(
        "preview.html", typed=what, worded=_worded(what), draft=draft, cost=cost, item_id=item_id, token=tokens().issue(),
        posting=_rule(), target=board().item(draft.target) if draft.target else None)


def _cost(what: Typed, draft: Draft, item: Item | None) -> Cost | None:
    """What it will take; None if the draft has problems, which go to `what.problems`."""
    try:
        return board().cost(draft, *_signing(what, item))
    except DraftRefused as refused:
        told = {one.field for one in what.problems}  # what cannot be read is not missing too
        what.problems += [one for one in refused.problems if one.field not in told]
        return None


def attempt(what: Typed, post: Callable[[bool], Done]) -> tuple[Done | None, str]:
    """Post once for the form's token: what was posted, else None and a sentence; problems go to `what.problems`."""
    try:
        return tokens().once(request.form.get("token", ""), post), ""
    except TokenExpired:
        return None, problem(Problem("", ProblemCode.TOKEN))
    except DraftRefused as refused:
        what.problems += refused.problems
        return None, ""
    except BoardClosed as shut:
        return None, closed(shut.reason)
    except Overtaken as overtaken:
        what.overtaken, what.fields["seen"] = overtaken.item, overtaken.item.id
        return None, _("Somebody has corrected this since you opened it. Nothing is lost: both stand below.")


def tried(field: str, work: Callable[[], Posted]) -> Posted:
    """What is posted with a passphrase or an edit code, which stands in `field`; whoever guesses is told to wait."""
    try:
        return tries().make(visitor().now, work, _is_wrong)
    except TooManyTries:
        raise DraftRefused([Problem(field, ProblemCode.TRIES)]) from None


def _is_wrong(outcome: Posted | Exception) -> bool:
    return isinstance(outcome, DraftRefused) and any(found.code in WRONG_SECRET for found in outcome.problems)


def _already(draft: Draft) -> Posted | None:
    """The same post, when the island was restarted since its form was opened; its edit code was shown then."""
    twin = next((item for item in _recent(draft) if _same(item, draft)), None)
    return Posted(twin.id, "", board().cost(draft)) if twin else None


def _recent(draft: Draft) -> list[Item]:
    if draft.kind is Kind.EVENT:
        return board().events(draft.start or 0, (draft.start or 0) + 1)
    if draft.kind is Kind.REPLY:
        target = board().item(draft.target or "")
        return list(target.replies) if target else []
    return board().bulletins(limit=10).items


def _same(item: Item, draft: Draft) -> bool:
    same = all(getattr(item, name) == getattr(draft, name) for name in ("kind", "text", "title", "event"))
    return same and item.author.here
