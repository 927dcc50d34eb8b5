"""Short pages for those who have never heard of any of this."""

from flask import Blueprint, Response, abort, make_response, render_template

from web.languages import gettext as _
from web.pages import board, kept, published

learn = Blueprint("learn", __name__)


def subjects() -> dict[str, str]:
    """Address and title of each page."""
    return {
        "board": _("What this is"),
        "privacy": _("What this island knows about you"),
        "conduct": _("How to behave on a public board"),
        "demonstration": _("Going to a demonstration without a phone"),
        "island": _("How to start an island"),
        "trouble": _("When something goes wrong"),
    }


@learn.get("/learn")
@kept
def index() -> str:
    """The list of them."""
    return render_template("learn/index.html", subjects=subjects())


@learn.get("/learn/trouble/print")
@kept
def trouble_on_paper() -> Response:
    """What to do when something goes wrong, on a sheet: when it is needed, the box may be gone."""
    return make_response(render_template("paper/trouble.html", title=subjects()["trouble"]))


@learn.get("/learn/<slug>")
@kept
def page(slug: str) -> str:
    """One of them."""
    if slug not in subjects():
        abort(404)
    here = board().cards.here() and not published()  # a copy of the pages gives no image away
    return render_template(f"learn/{slug}.html", subjects=subjects(), slug=slug, image_here=here)
