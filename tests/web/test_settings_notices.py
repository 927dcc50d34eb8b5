"""What is wrong with the settings is told in the reader's language."""

import json
import re
from dataclasses import replace
from html import unescape

import pytest

from node.daemon.settings_reader import first_of, read
from node.i18n.catalogue import catalogue
from node.i18n.sentence import sentence
from web import create_app
from web.settings_notices import notice

WRONG = """[node]
name = ""
colour = "red"
[portall]
x = 1
[box]
channel = 99
country = FR
wifi_password = "abc"
contry = "France"
keeper = "Samira"
share = 3
what is this
[radio]
name = "Place"
name = "Fêtes"
"""


@pytest.fixture
def told(board, settings):
    """Notices as a page in some language has them."""
    app = create_app(board, settings)

    def tell(lines, tag):
        with app.test_request_context(f"/?lang={tag}"):
            app.preprocess_request()
            return [unescape(re.sub("<[^>]+>", "", str(notice(line)))) for line in lines]

    return tell


def troubles():
    """Every kind of notice that the settings write, and one of the SD image's kind, without a place to fill."""
    found = [*read(WRONG.encode()).notices, *read(b"\0" * 9).notices, *read(b"x\n" * 40_000).notices]
    return [*(notice.sentence for notice in found), sentence("Nothing yet.")]


def lines_of(sentences):
    return [json.dumps(one.to_json()) for one in sentences]


def test_every_notice_is_told_in_the_readers_language(told):
    found = troubles()
    assert len({one.text for one in found}) >= 10
    assert told(lines_of(found), "en") == list(map(str, found))
    for tag in ("fr", "es", "ar"):
        for one, shown in zip(found, told(lines_of(found), tag), strict=True):
            assert shown == one.said(catalogue(tag)) != str(one)
            assert not {"Write", "card", "known", "read"} & set(shown.split()), shown


def test_what_it_names_stays_as_it_is(told):
    shown = " ".join(told(lines_of(troubles()), "ar"))
    for name in ("archipel.toml", "[box] channel", "99", "[node] colour", "contry"):
        assert name in shown


def test_a_value_that_looks_like_markup_or_like_a_place_stays_text(board, settings):
    app = create_app(board, settings)
    wrong = sentence("%(file)s: is not UTF-8 text. Save it again as UTF-8.", file="<b>%(x)s down</b>")
    with app.test_request_context("/?lang=fr"):
        app.preprocess_request()
        assert "&lt;b&gt;%(x)s down&lt;/b&gt;" in str(notice(*lines_of([wrong])))


def test_a_line_that_is_no_sentence_is_shown_as_it_is(told):
    lines = ["<b>the fan</b> is broken", "{", "3", '{"text": 3}', "[" * 100_000]
    assert told(lines, "fr") == lines


def test_notices_stand_on_the_first_page(portal, neighbourhood):
    lines = lines_of(troubles())
    neighbourhood.host = replace(neighbourhood.host, notices=tuple(lines))
    page = unescape(portal.get("/?lang=fr").get_data(as_text=True))
    assert "ne convient pas" in page and "portall" in page and len(page.encode()) < 14_000


@pytest.mark.parametrize("tag", ["fr", "en", "es", "ar"])
def test_the_first_page_holds_the_worst_settings_file(portal, neighbourhood, tag):
    worst = "".join(f"[{'w' * 50}{number}]\n[box]\n{'x' * 50}{number} = 1\n[node]\nlanguage = \"{'<' * 90}\"\n"
                    for number in range(40))
    notices = [notice.line() for notice in read(worst.encode()).notices]
    neighbourhood.host = replace(neighbourhood.host, notices=first_of(notices))
    page = portal.get(f"/?lang={tag}").get_data()
    assert len(page) < 14_000 and page.count(b"<li>") > 10


def test_the_wall_shows_what_was_passed_over_and_not_what_was_read_as_it_is_meant(portal, neighbourhood):
    lines = [notice.line() for notice in read("[node]\ncolour = 1\nname = “Fêtes”\n".encode()).notices]
    neighbourhood.host = replace(neighbourhood.host, notices=tuple(lines))
    page = portal.get("/wall?lang=fr").get_data(as_text=True)
    assert "colour" in page and "ont été comprises" not in page and len(lines) == 2
    neighbourhood.host = replace(neighbourhood.host, notices=(lines[1], *["no JSON"] * 9))
    page = portal.get("/wall?lang=en").get_data(as_text=True)
    assert page.count("no JSON") == 3
    neighbourhood.host = replace(neighbourhood.host, notices=(lines[1],))
    assert "For the keeper" not in portal.get("/wall?lang=en&size=large").get_data(as_text=True)
