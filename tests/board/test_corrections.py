"""Corrections, withdrawals, cancellations and replies: who may, what is shown, what it said before."""

from dataclasses import replace

import pytest

from node.board.api import Draft
from node.model.record import Kind, Record, Right, encode, sign
from node.textpack import pack
from tests.board.test_rationing import somebody
from tests.sim.places import CHARTER, ELSEWHERE, HERE, event, problems
from tests.sim.village import spoilt


def test_its_author_corrects_it_with_the_edit_code_only(place):
    posted = place.board.post(Draft(Kind.BULLETIN, text="à 18 h"))
    better = Draft(Kind.BULLETIN, text="à 19 h")
    assert problems(place.board.correct, posted.id, "abcd-efgh", better) == [("word", "word-wrong")]
    corrected = place.board.correct(posted.id, posted.edit_code.upper().replace("-", " "), better)
    for id_ in (posted.id, posted.id[:12], corrected.id):
        item = place.board.item(id_)
        assert (item.text, item.corrected) == ("à 19 h", True)
    assert len(place.board.bulletins().items) == 1
    again = place.board.correct(posted.id, posted.edit_code, Draft(Kind.BULLETIN, text="à 20 h"))
    assert place.board.item(again.id).text == "à 20 h"
    assert len(place.board.bulletins().items) == 1


def test_a_correction_says_what_was_shown_first(place):
    posted = place.board.post(Draft(Kind.BULLETIN, text="à 18 h"))
    assert place.board.item(posted.id).before is None
    for text in ("à 19 h", "à 20 h"):
        corrected = place.board.correct(posted.id, posted.edit_code, Draft(Kind.BULLETIN, text=text))
        item = place.board.item(posted.id)
        assert (item.text, item.before.text, item.before.id) == (text, "à 18 h", posted.id)
    place.board.hide(posted.id)
    assert place.board.item(posted.id) is None
    place.board.hide(posted.id, hidden=False)
    place.board.withdraw(posted.id, posted.edit_code)
    assert place.store.get(bytes.fromhex(corrected.id)) is None  # what was shown first is kept nowhere else


@pytest.mark.parametrize("forge", [spoilt, lambda raw: raw[:40]])
def test_what_somebody_wrote_to_the_card_is_not_shown_as_the_version_before(place, forge):
    posted = place.board.post(Draft(Kind.BULLETIN, text="à 18 h"))
    other = place.board.post(Draft(Kind.BULLETIN, text="tout autre chose"))
    corrected = place.board.correct(posted.id, posted.edit_code, Draft(Kind.BULLETIN, text="à 19 h"))
    row = place.store.get(bytes.fromhex(corrected.id))
    for before in (forge(row.before), place.liveset.raw(bytes.fromhex(other.id))):
        place.store.commit(put=[replace(row, before=before)])
        assert place.board.item(posted.id).text == "à 19 h" and place.board.item(posted.id).before is None


def test_an_event_moved_to_an_earlier_day_does_not_bring_the_old_one_back(place):
    draft = event(place, start=place.minute + 14_400, end=place.minute + 14_460)
    posted = place.board.post(draft)
    place.board.correct(posted.id, posted.edit_code, replace(draft, start=place.minute + 600, end=place.minute + 660))
    assert [item.start for item in place.board.events(0, 9_000_000)] == [place.minute + 600]


def test_what_another_author_or_another_kind_says_is_no_earlier_version(place):
    posted = place.board.post(Draft(Kind.BULLETIN, text="à 18 h"))
    place.clock.advance(60)
    item = place.board.item(place.board.correct(posted.id, posted.edit_code, Draft(Kind.BULLETIN, text="à 19 h")).id)
    root, (codec, packed) = bytes.fromhex(posted.id)[:8], pack("jamais dit")
    said = Record(Kind.BULLETIN, HERE.key_id, place.minute, 24, codec=codec, packed=packed, target=root)
    tried = {}
    for name, record, key in (("its author", said, HERE), ("another", replace(said, author=ELSEWHERE.key_id), ELSEWHERE),
                              ("a reply", replace(said, kind=Kind.REPLY), HERE)):
        tried[name] = place.board.reader.earlier(item, encode(sign(record, CHARTER.set_id, key.sign)))
    assert tried["its author"].text == "jamais dit" and (tried["another"], tried["a reply"]) == (None, None)


def test_what_is_withdrawn_is_gone_and_what_is_cancelled_says_so(place):
    gone = place.board.post(Draft(Kind.BULLETIN, text="une erreur"))
    place.board.withdraw(gone.id, gone.edit_code)
    assert place.board.item(gone.id) is None and place.board.bulletins().items == []
    off = place.board.post(event(place))
    assert problems(place.board.withdraw, off.id, "nope", "pluie") == [("word", "word-wrong")]
    place.board.withdraw(off.id, off.edit_code, "pluie")
    assert place.board.item(off.id).cancelled == "pluie"


def test_somebody_elses_cancellation_does_not_count(place):
    posted = place.board.post(event(place))
    target = bytes.fromhex(posted.id)[:8]
    place.take(Record(Kind.CANCELLATION, ELSEWHERE.key_id, place.minute, 100, target=target), ELSEWHERE)
    assert place.board.item(posted.id).cancelled is None


def test_a_post_from_elsewhere_cannot_be_changed_here(place):
    codec, packed = pack("de loin")
    record = place.take(Record(Kind.BULLETIN, ELSEWHERE.key_id, place.minute, 24, codec=codec, packed=packed), ELSEWHERE)
    assert problems(place.board.withdraw, record.id.hex(), "x") == [("word", "not-yours")]


def test_replies_of_one_minute_stand_as_they_came(place):
    posted = place.board.post(Draft(Kind.BULLETIN, text="Qui vient ?"))
    said = [f"Réponse {number}" for number in range(8)]
    for text in said:
        place.board.post(Draft(Kind.REPLY, text=text, target=posted.id))
    assert [reply.text for reply in place.board.item(posted.id).replies] == said


def test_replies_stand_under_what_they_answer_also_after_a_correction(place):
    posted = place.board.post(Draft(Kind.BULLETIN, text="Qui a une remorque ?"))
    place.board.post(Draft(Kind.REPLY, text="Moi", target=posted.id))
    place.clock.advance(60)
    place.board.correct(posted.id, posted.edit_code, Draft(Kind.BULLETIN, text="Qui a une grande remorque ?"))
    place.board.post(Draft(Kind.REPLY, text="Moi aussi", target=place.board.item(posted.id).id))
    assert [reply.text for reply in place.board.item(posted.id).replies] == ["Moi", "Moi aussi"]
    assert len(place.board.bulletins().items) == 1


def test_of_a_reply_that_is_said_anew_nothing_is_kept(place):
    posted = place.board.post(Draft(Kind.BULLETIN, text="Qui vient ?"))
    said = place.board.post(Draft(Kind.REPLY, text="Moi", target=posted.id))
    place.clock.advance(60)
    anew = place.board.correct(said.id, said.edit_code, Draft(Kind.REPLY, text="Pas moi", target=posted.id))
    assert [reply.text for reply in place.board.item(posted.id).replies] == ["Pas moi"]
    assert place.board.notes.edit_codes() == {bytes.fromhex(post.id)[:8] for post in (posted, anew)}
    place.board.withdraw(anew.id, said.edit_code)
    assert place.board.notes.edit_codes() == {bytes.fromhex(posted.id)[:8]}


def test_an_urgent_reply_that_is_said_anew_stays_urgent_whoever_asks(place):
    place.let_in(HERE, Right.WRITE | Right.URGENT, "Café")
    posted = place.board.post(Draft(Kind.BULLETIN, text="Qui a un groupe électrogène ?"))
    said = place.board.post(Draft(Kind.REPLY, text="Moi", urgent=True, target=posted.id), keeper="lea")
    place.clock.advance(60)
    anew = Draft(Kind.REPLY, text="Moi, au 4", urgent=True, target=posted.id)
    place.board.correct(said.id, said.edit_code, anew, somebody(1))
    assert [(reply.text, reply.urgent) for reply in place.board.item(posted.id).replies] == [("Moi, au 4", True)]
