"""What somebody posts by text, replies to, and takes back: by the island's posting rules, as any other visitor.

The code that takes a post back is two letters that say which post it is, and its edit code, which is good on the pages too.
"""

from node.board import explanations
from node.board.api import LANGUAGES, BoardClosed, Draft, DraftRefused
from node.board.edit_codes import CODE_LETTERS, LETTERS
from node.board.reasons import ProblemCode
from node.handheld.commands import counted, number_in
from node.handheld.cutting import shortened
from node.handheld.talks import WRONG_CODES, OwnPost
from node.handheld.turn import TextTurn
from node.handheld.wording import TITLE_BYTES, caption
from node.handheld.words import Verb, plain
from node.i18n.sentence import Sentence, sentence
from node.model.record import Kind

TAG_LETTERS = 2  # of 31 each: of 1,000 posts one other, or two, have the same
MOST_TRIED = 3  # posts of one tag, as each try costs a slow hash
MOST_OWN_POSTS = 8
LANGUAGE_NUMBERS = {tag: number for number, tag in LANGUAGES.items()}


def post(turn: TextTurn, text: str) -> list[str]:
    """A bulletin; a number alone was meant to be read."""
    if not text or number_in(text) is not None:
        return turn.say(sentence("Send: %(usage)s", usage=turn.speaker.usage(Verb.POST)))
    return _brought(turn, Draft(Kind.BULLETIN, text, _language(turn), by_radio=True), "")


def reply(turn: TextTurn, rest: str) -> list[str]:
    """A reply to the item that was read last, or to a number of the last list."""
    target, text = turn.talk.read, rest
    if not target and (chosen := counted(rest)) and 1 <= chosen[0] <= len(turn.talk.choices):
        target, text = turn.talk.choices[chosen[0] - 1].item_id, chosen[1]
    item = turn.board.item(target, turn.at.patience()) if target else None
    if item is None or not text:
        return turn.say(sentence("First read a post, then send: %(usage)s", usage=turn.speaker.usage(Verb.REPLY)))
    return _brought(turn, Draft(Kind.REPLY, text, _language(turn), target=item.id, by_radio=True),
                    shortened(caption(item), TITLE_BYTES))


def cancel(turn: TextTurn, rest: str) -> list[str]:
    """Take a post back, by its code; without one the last post of this radio, as long as that is remembered."""
    letters = plain(rest)
    if not letters:
        return _cancel_last(turn)
    if len(letters) != TAG_LETTERS + CODE_LETTERS:
        return _usage_of_cancel(turn)
    if turn.talk.wrong_codes >= WRONG_CODES or turn.codes.wait_s(turn.now):
        return turn.say(sentence("There were too many wrong codes. Please wait an hour."))
    code = letters[TAG_LETTERS:]
    for item_id in _tagged(turn, letters[:TAG_LETTERS])[:MOST_TRIED]:
        if (answer := _withdrawn(turn, item_id, code)) is not None:
            return answer
    turn.talk.wrong_codes += 1
    turn.codes.take(turn.now)
    return turn.say(sentence("No post has this code. Please check each letter."))


def tag_of_root(root: bytes) -> str:
    """Two letters for a post, before its edit code."""
    return "".join(LETTERS[octet % len(LETTERS)] for octet in root[:TAG_LETTERS])


def _language(turn: TextTurn) -> int:
    return LANGUAGE_NUMBERS.get(turn.talk.tag, 0)


def _brought(turn: TextTurn, draft: Draft, about: str) -> list[str]:
    """Post it; the same words again from the same radio are a message that was sent twice."""
    typed = f"{draft.target or ''} {draft.text}"
    own = next((one for one in turn.talk.posts if one.typed == typed), None)
    if own is None:
        try:
            posted = turn.board.post(draft, visitor=turn.question.who)
        except (DraftRefused, BoardClosed) as refused:
            return turn.say(_why(refused))
        own = OwnPost(typed, posted.id, posted.edit_code, turn.question.private, bool(posted.waiting))
        turn.talk.posts = (*turn.talk.posts, own)[-MOST_OWN_POSTS:]
    undo = f"{turn.speaker.word(Verb.CANCEL)} {tag_of_root(bytes.fromhex(own.item_id))} {own.code}"
    if own.waits:
        return turn.say(sentence("A keeper reads it first. To take it back: %(undo)s", undo=undo))
    if about:
        return turn.say(sentence("Reply to \"%(title)s\" posted. To take it back: %(undo)s", title=about, undo=undo))
    return turn.say(sentence("Posted. To take it back: %(undo)s", undo=undo))


def _why(refused: DraftRefused | BoardClosed) -> Sentence:
    if isinstance(refused, BoardClosed):
        return explanations.closed(refused.reason)
    problem = refused.problems[0]
    if problem.code is ProblemCode.MEMBERS_ONLY:
        return sentence("Only groups post on this island, on its pages.")
    return explanations.problem(problem.code, problem.amount)


def _cancel_last(turn: TextTurn) -> list[str]:
    own = turn.talk.posts[-1] if turn.talk.posts else None
    if own is None or not (own.private and turn.question.private):  # on an open channel anybody writes in anybody's name
        return _usage_of_cancel(turn)
    return _withdrawn(turn, own.item_id, own.code) or turn.say(sentence("It is no longer on the board."))


def _usage_of_cancel(turn: TextTurn) -> list[str]:
    return turn.say(sentence("Send: %(usage)s. The code came with the answer to your post.",
                             usage=turn.speaker.usage(Verb.CANCEL)))


def _withdrawn(turn: TextTurn, item_id: str, code: str) -> list[str] | None:
    """Take one back; None if this is not its code, or it is gone."""
    try:
        turn.board.withdraw(item_id, code, visitor=turn.question.who)
    except DraftRefused:
        return None
    except BoardClosed as closed:
        return turn.say(explanations.closed(closed.reason))
    turn.talk.posts = tuple(one for one in turn.talk.posts if one.item_id[:len(item_id)] != item_id)
    return turn.say(sentence("It is taken back."))


def _tagged(turn: TextTurn, tag: str) -> list[str]:
    """Ids of the posts of this island that a tag may mean."""
    waiting = {post.root: item_id for item_id, post in turn.board.notes.state.waiting.items() if not post.changes}
    roots = [root for root in turn.board.notes.edit_codes() if tag_of_root(root) == tag]
    return sorted(waiting.get(root, root.hex()) for root in roots)
