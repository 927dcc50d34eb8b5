"""People's text is shown as text: nothing of it becomes markup, nothing of it leaves its place."""

from hypothesis import given
from hypothesis import strategies as st

from web import safe_text


def test_markup_in_a_text_is_shown_not_obeyed():
    shown = safe_text.paragraphs('<script>alert(1)</script> "x" & <img src=x onerror=y>')
    assert "<script" not in shown and "<img" not in shown
    assert "&lt;script&gt;" in shown


@given(st.text())
def test_whatever_is_typed_adds_no_tag_but_paragraphs_breaks_and_links(text):
    shown = str(safe_text.paragraphs(text))
    for known in ('<p dir="auto">', "</p>", "<br>", "</a>"):
        shown = shown.replace(known, "")
    assert shown.count("<") == shown.count('<a href="http')


def test_paragraphs_and_line_breaks_are_kept():
    assert safe_text.paragraphs("un\ndeux\n\n\ntrois") == '<p dir="auto">un<br>\ndeux</p>\n<p dir="auto">trois</p>'


def test_only_web_addresses_become_links_and_they_tell_nobody_where_one_comes_from():
    shown = safe_text.paragraphs("voir https://example.org/a?b=1&c, ou javascript:alert(1) ou (http://example.org/x).")
    assert '<a href="https://example.org/a?b=1&amp;c" rel="nofollow noreferrer">' in shown
    assert '<a href="http://example.org/x" rel="nofollow noreferrer">' in shown
    assert shown.count("<a ") == 2
    beside = safe_text.paragraphs("<b onclick=x> https://example.org/ <i onclick=x>")
    assert beside.count("<a ") == 1 and "<b" not in beside and "<i" not in beside
    assert "<a" not in safe_text.anchor('javascript:alert("x")') and "<a" not in safe_text.anchor("https://a b")


def test_control_characters_and_direction_overrides_are_not_shown_but_marks_are():
    assert safe_text.plain("a\x00b\u202ec\u2066d\u200ee\ud800") == "abcd\u200ee"
    assert safe_text.one_line("a\n\tb  c") == "a b c"


def test_a_headline_is_the_first_line_and_says_when_it_leaves_something_out():
    assert safe_text.headline("Coupure d’eau\nrue du Canal") == "Coupure d’eau"
    long = "mot " * 60
    assert len(safe_text.headline(long)) <= 90 and safe_text.headline(long).endswith("mot…")
    assert len(safe_text.headline("x" * 500)) == 90


def test_a_headline_leaves_no_single_word_for_the_line_below():
    text = "Coupure d’eau mercredi de 22 h à 6 h dans tout l’îlot Saint-Blaise : remplissez vos bouteilles."
    assert len(text) > 90 and safe_text.headline(text) == text and safe_text.rest(text) == ""


def test_what_follows_a_headline_that_was_cut_ends_as_it_was_written():
    text = "mot " * 30 + "et la fin."
    assert safe_text.headline(text).endswith("mot…") and safe_text.rest(text).endswith("et la fin.")


def test_headline_and_rest_together_lose_nothing_of_a_short_text():
    text = "Coupure d’eau\nrue du Canal jusqu’à midi"
    assert f"{safe_text.headline(text)} {safe_text.rest(text)}" == safe_text.one_line(text)
    assert safe_text.rest("Une ligne") == ""


def test_the_body_repeats_the_headline_only_when_the_headline_is_cut():
    assert safe_text.body("Titre\nsuite") == "suite"
    assert safe_text.body("mot " * 60) == "mot " * 60


def test_no_stop_is_left_before_an_ellipsis_nor_after_it():
    text = "Cantine ce soir dès 17 h. Horaires et recettes à la mairie."
    assert safe_text.headline(text, 28) == "Cantine ce soir dès 17 h…"
    long = "mot " * 21 + "fin. Suite, et la fin de tout ce qui reste à dire."
    assert safe_text.headline(long).endswith("fin…") and safe_text.rest(long).startswith("Suite")


def test_a_headline_is_the_first_line_that_shows_something():
    text = "\u200b\n\u3164\u2800\nSoupe à 19 h\nApportez vos bols."
    assert safe_text.headline(text) == "Soupe à 19 h" and safe_text.rest(text) == "Apportez vos bols."
    assert safe_text.body(text) == "Apportez vos bols."
