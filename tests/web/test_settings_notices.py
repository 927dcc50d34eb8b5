"""What is wrong with the settings is told in the reader's language."""

import json
import re
from dataclasses import replace
from html import unescape

import pytest

from node.daemon.settings import forgive
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


def troubles(folder):
    """Every kind of notice that the settings write, and one of the SD image's kind, without a place to fill."""
    file = folder / "archipel.toml"
    file.write_text(WRONG)
    found = forgive(file)[1] + forgive(folder / "nowhere.toml")[1]
    file.write_bytes(b"\xff\xfe\xff")
    return [*found, *forgive(file)[1], sentence("Nothing yet.")]


def lines_of(sentences):
    return [json.dumps(one.to_json()) for one in sentences]


def test_every_notice_is_told_in_the_readers_language(told, tmp_path):
    found = troubles(tmp_path)
    assert len({one.text for one in found}) == 7
    assert told(lines_of(found), "en") == list(map(str, found))
    for tag in ("fr", "es", "ar"):
        for one, shown in zip(found, told(lines_of(found), tag), strict=True):
            assert shown == one.said(catalogue(tag)) != str(one)
            assert not {"Write", "card", "known"} & set(shown.split()), shown


def test_what_it_names_stays_as_it_is(told, tmp_path):
    shown = " ".join(told(lines_of(troubles(tmp_path)), "ar"))
    for name in ("archipel.toml", "box.channel", "99", "node.colour", "portall"):
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


def test_notices_stand_on_the_first_page(portal, neighbourhood, tmp_path):
    lines = lines_of(troubles(tmp_path))
    neighbourhood.host = replace(neighbourhood.host, notices=tuple(lines))
    page = unescape(portal.get("/?lang=fr").get_data(as_text=True))
    assert "ne convient pas" in page and "portall" in page and len(page.encode()) < 14_000
