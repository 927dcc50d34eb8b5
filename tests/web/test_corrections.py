"""What a correction changed is shown, old beside new, in words."""

from dataclasses import replace
from html import unescape

import pytest

from node.board.api import Author, Draft, Item
from node.model.record import Kind
from web import create_app
from web.corrections import changes

TEXT = "Rendez-vous à 18 h devant la mairie.\nApportez des chaises.\nMerci à tous et toutes."
PLAIN = Item("0" * 32, Kind.BULLETIN, TEXT, 1_000, 9_000, Author("0" * 16, "Île"))


@pytest.fixture
def compared(board, settings):
    """(label, before, now) of each change, as a page in English has them."""
    app = create_app(board, settings)

    def compare(before, now, rows=12):
        with app.test_request_context("/?lang=en"):
            app.preprocess_request()
            return [(one.label, str(one.before), str(one.now)) for one in changes(replace(now, before=before), rows)]

    return compare


def other(text):
    return replace(PLAIN, text=text)


def test_a_changed_word_is_marked_among_its_neighbours(compared):
    assert compared(PLAIN, other(TEXT.replace("18 h", "19 h"))) == [
        ("Text", "Rendez-vous à <del>18</del> h devant la mairie.", "Rendez-vous à <ins>19</ins> h devant la mairie.")]


def test_each_changed_line_is_shown_and_no_other(compared):
    now = other(TEXT.replace("mairie", "poste").replace("tous et ", ""))
    assert [before for _label, before, _now in compared(PLAIN, now)] == [
        "Rendez-vous à 18 h devant la <del>mairie.</del>", "Merci à <del>tous et </del>toutes."]


def test_lines_that_came_or_went_are_shown_in_one_piece(compared):
    assert compared(PLAIN, other(TEXT.replace("Apportez des chaises.\n", ""))) == [
        ("Text", "<del>Apportez des chaises.</del>", "")]
    more = other(TEXT + "\nEt du pain.\nEt du sel.")
    assert compared(PLAIN, more) == [("Text", "", "<ins>Et du pain.<br>Et du sel.</ins>")]


def test_what_stayed_the_same_is_shortened_and_so_is_what_is_long(compared):
    long = "un mot " * 200
    (_label, before, now), = compared(other(long + "rouge" + " de plus" * 200), other(long + "vert" + " de plus" * 200))
    assert before.startswith("…") and before.endswith("…") and "<del>rouge</del>" in before and len(before) < 120
    (_label, before, now), = compared(other("rien"), other("tout " * 500), rows=1)
    assert now.endswith("…</ins>") and len(now) < 80


def test_hostile_texts_stay_texts_and_take_no_time(compared):
    (_label, before, now), = compared(other("<script>x</script> " + "a " * 1900), other("a b " * 950 + "\u202e"))
    assert "<script" not in before and "&lt;script&gt;" in before and "\u202e" not in now


def test_the_facts_of_an_event_are_compared_one_by_one(compared):
    event = replace(PLAIN, kind=Kind.EVENT, title="Bal", place="Parc", start=1_000_000, end=1_000_090, offset=4, topic=8)
    moved = replace(event, place="Gymnase", start=1_000_060, end=1_000_150, topic=2, position=(48.87, 2.37), link="")
    found = {label: (before, now) for label, before, now in compared(event, moved)}
    assert list(found) == ["Day and time", "Place", "Position", "Topic"]
    assert found["Place"] == ("<del>Parc</del>", "<ins>Gymnase</ins>")
    assert found["Position"] == ("", "<ins>48.8700, 2.3700</ins>")
    assert "11:40" in found["Day and time"][0] and "12:40" in found["Day and time"][1]


@pytest.mark.parametrize(("tag", "before", "now"), [("fr", "Avant", "Maintenant"), ("en", "Before", "Now"),
                                                  ("es", "Antes", "Ahora"), ("ar", "قبل", "الآن")])
def test_the_page_of_a_corrected_post_says_what_it_was(portal, board, tag, before, now):
    posted = board.post(Draft(Kind.BULLETIN, TEXT))
    board.correct(posted.id, posted.edit_code, Draft(Kind.BULLETIN, TEXT.replace("18 h", "19 h"), topic=2))
    page = unescape(portal.get(f"/r/{posted.id[:12]}?lang={tag}").get_data(as_text=True))
    assert before in page and now in page and "<del>18</del>" in page and "<ins>19</ins>" in page


def test_an_island_that_never_saw_the_first_version_says_so(portal, neighbourhood):
    neighbourhood.bulletin("Après")
    raw = neighbourhood.board.bulletins().items[0]
    assert "What has changed" not in portal.get(f"/r/{raw.id[:12]}?lang=en").get_data(as_text=True)
    neighbourhood.bulletin("Encore après", target=b"\7" * 8)
    item = next(item for item in neighbourhood.board.bulletins().items if item.corrected)
    assert "has not seen the version before" in portal.get(f"/r/{item.id[:12]}?lang=en").get_data(as_text=True)


def test_a_long_post_wholly_rewritten_still_fits_its_page(portal, board):
    posted = board.post(Draft(Kind.BULLETIN, "اجتماع الجيران غدا مساء " * 90, language=4))
    board.correct(posted.id, posted.edit_code, Draft(Kind.BULLETIN, "تأجل الموعد إلى يوم آخر " * 90, language=4))
    answer = portal.get(f"/r/{posted.id[:12]}?lang=ar")
    assert b"<del>" in answer.data and len(answer.data) < 13_100


def test_topics_are_compared_by_name(compared):
    (label, before, now), = compared(PLAIN, replace(PLAIN, topic=4))
    assert (label, before, now) == ("Topic", "<del>Other</del>", "<ins>Food</ins>")
