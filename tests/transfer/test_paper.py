"""A record survives paper: printed, scanned, typed by hand."""

import random

import pytest
import segno
from hypothesis import given
from hypothesis import strategies as st

from node.model.errors import RemoteFault
from node.model.record import MAX_RECORD_BYTES
from node.transfer.paper import MAX_TEXT, WORD, code_of, codes_of, letters_of, record_in, records_in
from tests.sim.village import Village

records = st.binary(min_size=1, max_size=MAX_RECORD_BYTES).map(lambda rest: b"\x10" + rest[1:])


@given(records)
def test_what_was_printed_is_read_again_typed_or_scanned(raw):
    assert record_in(letters_of(raw)) == raw == record_in(code_of(raw))


@given(records, st.randoms(use_true_random=False))
def test_small_letters_blanks_and_digits_that_look_alike_do_no_harm(raw, rng):
    typed = letters_of(raw).lower().replace("o", "0").replace("i", "1").replace("b", "8")
    typed = "".join(char + rng.choice(["", "", " ", "\n", "-"]) for char in typed)
    assert len(typed) > 4_000 or record_in(typed) == raw


def test_one_wrong_letter_is_found():
    rng, letters = random.Random(5), letters_of(Village().bulletin(text="Rendez-vous au canal"))
    for _ in range(500):
        at = rng.choice([at for at, char in enumerate(letters) if char.isalnum()])
        wrong = rng.choice([char for char in "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567" if char != letters[at]])
        with pytest.raises(RemoteFault) as caught:
            record_in(letters[:at] + wrong + letters[at + 1:])
        assert caught.value.reason == "letters"


@given(st.text(max_size=300))
def test_nonsense_is_refused_as_letters(text):
    try:
        raw = record_in(text)
    except RemoteFault as fault:
        assert fault.reason == "letters"
    else:
        assert raw


def test_an_endless_text_is_not_read_to_its_end():
    with pytest.raises(RemoteFault):
        record_in("A" * 50_000_000)


def test_the_code_of_a_usual_record_is_small_enough_for_any_camera():
    raw = Village().bulletin(text="x" * 80)
    code = segno.make(code_of(raw), micro=False, error="m", boost_error=False)
    assert 150 <= len(raw) <= 165 and code.mode == "alphanumeric" and code.version <= 12
    assert code_of(raw).startswith(WORD)


@given(st.lists(records, min_size=1, max_size=8), st.integers(40, 2_000))
def test_many_records_share_codes_and_each_code_gives_its_own(raws, most):
    codes = codes_of(raws, most)
    read = [records_in(code) for code in codes]
    assert [raw for found, _wrong in read for raw in found] == raws and not any(wrong for _found, wrong in read)
    assert all(len(code) <= most or len(records_in(code)[0]) == 1 for code in codes)
    assert all(segno.encoder.is_alphanumeric(code.encode()) for code in codes)
    if len("\n".join(codes)) <= MAX_TEXT:
        assert records_in("\n".join(codes)) == (raws, 0) == records_in("\n".join(codes).lower())


def test_of_many_letters_with_a_mistake_in_some_the_others_are_read():
    raws = [Village().bulletin(text=text) for text in ("Bal", "Soupe", "Cantine")]
    codes = codes_of(raws, 2_000)
    assert len(codes) == 1
    at = codes[0].index("/") + 20
    wrong = codes[0][:at] + ("A" if codes[0][at] != "A" else "B") + codes[0][at + 1:]
    assert records_in(wrong) == ([raws[0], raws[2]], 1)
    with pytest.raises(RemoteFault, match="letters"):
        records_in("/ / ARCHIPEL")
