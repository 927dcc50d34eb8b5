"""Text of other programs is made fit for a record, whatever stands in it."""

from html.parser import HTMLParser

import pytest

from node.ical import sanitise
from node.ical.sanitise import line_of, text_of


@pytest.mark.parametrize("written", ["<p>Bal &#%s; ce soir</p>", "<b>Bal &#%s ce soir</b>", "<br>Bal &#x%s; ce soir"])
def test_the_number_of_no_sign_is_read_as_none_however_long_it_is(written):
    assert text_of(written % ("1" * 5_000)) == "Bal \N{REPLACEMENT CHARACTER} ce soir"
    assert "ce soir" in line_of(written % ("1" * 5_000), 20_000)


def test_the_number_of_a_sign_is_that_sign():
    assert text_of("<p>caf&#233; &#xe9; &#0065; &eacute;</p>") == "café é A é"


@pytest.mark.parametrize(("written", "shown"), [
    ("<p>3 < 5 et 5 > 3</p>", "3 < 5 et 5 > 3"), ("<b>Bal <i ce soir", "Bal <i ce soir"),
    ("<p>Bal<!-- <b>non</b> -->!</p>", "Bal!"),
    ("<b>a <b b <b c", "a <b b <b c"), ("<p>a</p><script>if (1<2) x</script>b", "a\nb"),
])
def test_a_tag_that_never_ends_is_text(written, shown):
    assert text_of(written) == shown


def test_tags_that_never_end_are_looked_at_once(monkeypatch):
    """Python's parser looks for the end of each, as far as the text goes: 10,000 signs took half a second of a desktop."""
    looked, look = [], HTMLParser.parse_starttag
    monkeypatch.setattr(sanitise._Seen, "parse_starttag", lambda self, at: looked.append(at) or look(self, at))
    assert text_of("<b>" + "<b " * 3_000) == ("<b " * 3_000).strip() and len(looked) == 1
