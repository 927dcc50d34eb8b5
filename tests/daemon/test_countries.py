"""The country that is meant: Wi-Fi law hangs on it, so what could be two countries is none."""

import pytest

from node.daemon.countries import CODES, TO_11, TO_13, country_of, highest_channel

pytestmark = pytest.mark.once


@pytest.mark.parametrize(("written", "code"), [
    ("FR", "FR"), ("fr", "FR"), (" F r.", "FR"), ("ＦＲ", "FR"), ("🇫🇷", "FR"), ("FRA", "FR"), ("fr_FR", "FR"),
    ("fr-BE", "BE"),
    ("France", "FR"), ("FRANCE", "FR"), ("la France", "FR"), ("France métropolitaine", "FR"), ("FR (France)", "FR"),
    ("Frankreich", "FR"), ("Francia", "FR"), ("فرنسا", "FR"), ("Frnace", "FR"), ("Fance", "FR"), ("españa", "ES"),
    ("l’Espagne", "ES"), ("UK", "GB"), ("Royaume Uni", "GB"), ("USA", "US"), ("Etats-Unis", "US"), ("المغرب", "MA"),
    ("Maroc", "MA"), ("Belgique/België", "BE"), ("Côte d'Ivoire", "CI"), ("Guinée-Bissau", "GW"), ("Guinée", "GN"),
    ("Niger", "NE"), ("Nigeria", "NG"), ("LA FRANCE", "FR"), ("la réunion", "RE"), ("Palestine", "PS"), ("Türkiye", "TR"),
])
def test_a_country_is_made_out(written, code):
    assert country_of(written) == code


@pytest.mark.parametrize("written",
                         ["", "XX", "EU", "ZZ", "EN", "00", "FR/BE", "Austrlia", "somewhere", "x" * 200, "\0", "12",
                                     "ce pays", "le", "(nothing)"])
def test_what_is_no_country_or_could_be_several_is_none(written):
    with pytest.raises(ValueError, match="country"):
        country_of(written)


def test_every_code_is_itself_and_has_channels():
    assert len(CODES) > 200 and not TO_11 & TO_13
    assert all(country_of(code) == code == country_of(code.lower()) for code in CODES)
    assert (highest_channel("FR"), highest_channel("US")) == (13, 11)
