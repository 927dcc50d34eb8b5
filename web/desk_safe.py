"""The safe address on the keepers' desk: where it is, and the whole fingerprint to compare with."""

from flask import Blueprint, abort, render_template

from web.pages import settings
from web.signin import for_keepers, never_kept

desk_safe = Blueprint("desk_safe", __name__, url_prefix="/keeper/safe")
desk_safe.after_request(never_kept)


@desk_safe.get("")
@for_keepers
def show() -> str:
    """What stands on the sheet too."""
    safe = settings().safe()
    if safe is None:
        abort(404)
    return render_template("keeper/safe.html", safe=safe)
