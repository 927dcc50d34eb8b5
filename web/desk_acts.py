"""What keepers did, for the other keepers to see."""

from flask import Blueprint, request

from node.board.reasons import AuditAction
from web.pages import board, fitted
from web.signin import for_keepers, never_kept

ROWS = 60
ABOUT_A_POST = {AuditAction.HIDE, AuditAction.SHOW, AuditAction.APPROVE, AuditAction.REFUSE, AuditAction.WITHDRAW,
                AuditAction.CORRECT, AuditAction.CANCEL, AuditAction.SETTLE}
desk_acts = Blueprint("desk_acts", __name__, url_prefix="/keeper/acts")
desk_acts.after_request(never_kept)


@desk_acts.app_context_processor
def words() -> dict:
    """What templates of the desk ask of an act."""
    return {"about_a_post": ABOUT_A_POST}


@desk_acts.get("")
@for_keepers
def show() -> str:
    """All that is remembered, the newest first, a page at a time."""
    acts, begin = board().audit_log(), max(request.args.get("from", 0, type=int), 0)

    def fill(rows: int) -> dict:
        following = begin + rows if len(acts) > begin + rows else 0
        return {"acts": acts[begin:begin + rows], "begin": begin, "following": following}

    return fitted("keeper/acts.html", fill, ROWS)
