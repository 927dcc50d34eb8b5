"""Text of other programs is made fit for a record, whatever stands in it."""

import pytest

from node.ical.sanitise import line_of, text_of


@pytest.mark.parametrize("written", ["<p>Bal &#%s; ce soir</p>", "<b>Bal &#%s ce soir</b>", "<br>Bal &#x%s; ce soir"])
def test_the_number_of_no_sign_is_read_as_none_however_long_it_is(written):
    assert text_of(written % ("1" * 5_000)) == "Bal \N{REPLACEMENT CHARACTER} ce soir"
    assert "ce soir" in line_of(written % ("1" * 5_000), 20_000)


def test_the_number_of_a_sign_is_that_sign():
    assert text_of("<p>caf&#233; &#xe9; &#0065; &eacute;</p>") == "café é A é"
