"""Answers are cut at ends of words, by octets, never inside what people see as one letter."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.handheld.cutting import clusters, light, pages_of, parts_of, shortened

FAMILY, FLAG, WAVE, ACUTE = "👩‍👩‍👧‍👦", "🇫🇷", "👋🏽", "e\u0301"
SCRIPTS = st.sampled_from(["été ", "soupe ", "حساء ", "مَرْحَبًا ", "日本", "नमस्ते ", FAMILY, FLAG, WAVE, ACUTE, " ", "\n"])
TEXTS = st.lists(SCRIPTS, max_size=120).map("".join)


def plain(parts):
    """The parts as one text, without their numbers."""
    ends = [part.rfind(" (") for part in parts]
    return [part[:end] for part, end in zip(parts, ends, strict=True)]


def test_what_fits_is_one_part_without_a_number():
    assert parts_of("Soupe à 19 h", 219) == ["Soupe à 19 h"]


def test_parts_end_with_their_number_and_all_but_the_last_with_what_to_send():
    parts = parts_of("Chat gris perdu rue des Envierges. " * 10, 100)
    assert [part.rpartition(" (")[2] for part in parts] == [f"{n}/4) +" for n in (1, 2, 3)] + ["4/4)"]
    assert all(part[:part.rfind(" (")].split(" ")[-1].strip(".") in "Chat gris perdu rue des Envierges" for part in parts)


@given(TEXTS, st.integers(80, 219))
def test_nothing_is_lost_doubled_or_too_long(text, most):
    parts = parts_of(text, most)
    assert parts or not text.strip()
    assert all(len(part.encode()) <= most for part in parts)
    if len(parts) > 1 and len(parts) < 20:
        assert "".join("".join(plain(parts)).split()) == "".join(text.split())


@given(TEXTS)
def test_no_letter_is_cut(text):
    whole = set(clusters(text)) | {" "}
    parts = plain(parts_of(text, 80))
    assert parts or not text.strip()
    for part in parts if len(text.encode()) > 80 else []:
        assert not part or not (unicodedata.combining(part[0]) or part[0] in "\u200d\ufe0f🏽")
        assert set(clusters(part)) <= whole, part


@given(TEXTS, st.integers(1, 60))
def test_a_beginning_is_no_longer_than_it_may_and_ends_with_a_letter(text, most):
    head = shortened(text, most)
    assert len(head.encode()) <= most and text.startswith(head)
    assert not head or set(clusters(head)) <= set(clusters(text)) | {" "}


@pytest.mark.parametrize("one", [FAMILY, FLAG, WAVE, ACUTE, "🏴\U000e0067\U000e0062\U000e007f", "☀️"])
def test_what_is_seen_as_one_letter_is_one(one):
    assert list(clusters(one * 3)) == [one] * 3


def test_a_letter_that_somebody_has_piled_up_is_cut_all_the_same():
    parts = parts_of("e" + "\u0301" * 4_000, 219)
    assert len(parts) == 20 and all(len(part.encode()) <= 219 for part in parts)


@pytest.mark.parametrize("text", [FAMILY * 3, f"Fête {FAMILY}", "e" + "\u0301" * 60])
def test_a_letter_larger_than_a_part_is_cut_rather_than_waited_for(text):
    parts = parts_of(text, 30)
    assert all(len(part.encode()) <= 30 for part in parts)
    assert "".join(part.rpartition(" (")[0] for part in parts).replace(" ", "") == text.replace(" ", "")


@given(st.lists(st.sampled_from(["1 Soupe", "2 حساء", "3 👩‍👩‍👧‍👦 à 19 h"]), min_size=1, max_size=20))
def test_a_list_is_cut_between_its_lines(lines):
    pages = pages_of(lines, 79)
    assert all(len(page.encode()) <= 79 for page in pages)
    kept = [line for page in pages for line in page.split("\n") if not line.startswith("(")]
    assert kept == lines


def test_signs_that_small_screens_lack_become_plain_ones():
    assert light("« L’été – déjà… »\u00a0!") == '"L\'été - déjà..." !'
