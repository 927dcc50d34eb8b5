"""What is wrong with the settings is told in the reader's language."""

import ast
import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

from node.daemon.settings import forgive
from web import create_app
from web.settings_notices import SENTENCES, notice

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
BOX = Path(__file__).parents[2] / "image-build/overlay/usr/lib/archipel/box.py"


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
    """Every kind of line that the settings and the SD image write."""
    file = folder / "archipel.toml"
    file.write_text(WRONG)
    lines = forgive(file)[1] + forgive(folder / "nowhere.toml")[1]
    file.write_bytes(b"\xff\xfe\xff")
    said = next(node.value for node in ast.walk(ast.parse(BOX.read_text()))
                if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "NO_COUNTRY")
    return [*lines, *forgive(file)[1], ast.literal_eval(said)]


def test_every_line_of_the_settings_and_the_image_is_recognised(told, tmp_path):
    lines = troubles(tmp_path)
    assert len(lines) > len(SENTENCES)
    assert told(lines, "en") == lines
    for tag in ("fr", "es", "ar"):
        for line, shown in zip(lines, told(lines, tag), strict=True):
            assert shown != line and not {"Write", "card", "known"} & set(shown.split()), shown


def test_what_it_names_stays_as_it_is(told, tmp_path):
    shown = " ".join(told(troubles(tmp_path), "ar"))
    for name in ("archipel.toml", "box.channel", "99", "node.colour", "portall"):
        assert name in shown


def test_a_line_that_nobody_knows_is_shown_as_it_is(told):
    assert told(["<b>the fan</b> is broken"], "fr") == ["<b>the fan</b> is broken"]


def test_notices_stand_on_the_first_page(portal, neighbourhood, tmp_path):
    lines = troubles(tmp_path)
    neighbourhood.host = replace(neighbourhood.host, notices=tuple(lines))
    page = unescape(portal.get("/?lang=fr").get_data(as_text=True))
    assert "ne convient pas" in page and "portall" in page and len(page.encode()) < 14_000
