"""Edit codes: short enough to type, slow to guess, and only a hash of them is kept."""

import hashlib
from dataclasses import replace

import pytest

from node.board.api import BoardClosed, Draft
from node.board.edit_codes import CODE_LETTERS, LETTERS, SALT_BYTES, hash_code, is_code, make_code
from node.model.record import Kind, Record
from node.store.index import StoreFailed
from tests.sim.places import HERE, event, problems

SALT = bytes(range(SALT_BYTES))


def test_a_code_has_eight_letters_that_nobody_mistakes():
    for seed in range(50):
        code = make_code(hashlib.sha256(bytes([seed])).digest())
        assert len(code.replace("-", "")) == CODE_LETTERS and set(code) <= set(LETTERS) | {"-"}
    assert not set("il1o0") & set(LETTERS)


def test_every_letter_can_come_out_and_other_randomness_gives_other_codes():
    assert {letter for octet in range(256) for letter in make_code(bytes([octet]) * 8)} == set(LETTERS) | {"-"}
    assert make_code(bytes(8)) != make_code(b"\xff" * 8)


def test_a_code_is_recognised_however_it_is_typed():
    kept = hash_code("abcd-efgh", SALT)
    assert all(is_code(typed, kept) for typed in ("abcd-efgh", "ABCD EFGH", " abcdefgh ", "abcd\u2011efgh"))
    assert not any(is_code(typed, kept) for typed in ("abcd-efgx", "", "abcd", "abcdefghi", "é" * 9_999))


def test_what_is_kept_does_not_hold_the_code_and_differs_for_the_same_code():
    kept, again = hash_code("abcd-efgh", SALT), hash_code("abcd-efgh", b"\1" * SALT_BYTES)
    assert "abcd" not in kept and b"abcd" not in bytes.fromhex(kept)
    assert kept[2 * SALT_BYTES:] != again[2 * SALT_BYTES:]


def test_an_author_s_own_code_is_recognised_however_a_keyboard_writes_it():
    kept = hash_code("la péniche ﬁle doucement", SALT)
    assert all(is_code(typed, kept) for typed in ("La pe\u0301niche file doucement", "LAPÉNICHEFILEDOUCEMENT"))
    assert not is_code("la peniche file doucement", kept)


def test_an_author_chooses_a_code_and_no_neighbour_can_guess_it(place):
    draft = replace(event(place), title="Bal des pompiers", place="Quai de Valmy", text="Venez avec vos accordéons")
    guessed = ("bal des pompiers", "quai de valmy 2026", "accordéons accordéons", "motdepasse2026", "belleville café",
               "abcdefghijkl", "!!!!!!!!!!!!!", "une une une une")
    for code in guessed:
        assert problems(place.board.post, replace(draft, own_code=code)) == [("own_code", "code-guessed")], code
    assert problems(place.board.post, replace(draft, own_code="péniche")) == [("own_code", "code-short")]
    assert problems(place.board.post, replace(draft, own_code="z" * 201)) == [("own_code", "code-long")]
    assert problems(place.board.post, replace(draft, own_code="la péniche\x00 bleue")) == [("own_code", "code-unreadable")]
    assert not place.board.events(0, 10**7)
    posted = place.board.post(replace(draft, own_code=" la péniche file "))
    assert posted.edit_code == "la péniche file"
    place.clock.advance(60)
    assert problems(place.board.withdraw, posted.id, "la péniche") == [("word", "word-wrong")]
    place.board.correct(posted.id, "La Péniche file", replace(draft, title="Bal des pompières"))
    place.board.withdraw(posted.id, "lapénichefile")
    assert not place.board.events(0, 10**7)


def test_what_was_given_no_code_is_changed_by_none(place):
    """As what was taken over from an agenda: it is this island's, and nobody's in particular."""
    ours = place.take(Record(Kind.BULLETIN, HERE.key_id, place.minute, 24, packed=b"bonjour"), HERE).id.hex()
    assert place.board.item(ours).author.here
    for code in ("", "abcd-efgh"):
        for change in (place.board.withdraw, lambda *given: place.board.correct(*given, Draft(Kind.BULLETIN, "faux"))):
            assert problems(change, ours, code) == [("word", "word-wrong")]
    assert place.board.item(ours).text == "bonjour"


def test_a_post_whose_code_the_card_does_not_keep_does_not_come_out(place, monkeypatch):
    def full(values):
        raise StoreFailed("full")

    with monkeypatch.context() as patch:
        patch.setattr(place.store, "set_notes", full)
        with pytest.raises(BoardClosed):
            place.board.post(Draft(Kind.BULLETIN, "bonjour"))
    assert place.board.bulletins().items == []
    assert place.board.post(Draft(Kind.BULLETIN, "bonjour")).edit_code and len(place.board.bulletins().items) == 1
