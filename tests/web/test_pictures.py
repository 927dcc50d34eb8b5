"""The guides and the pages say the same: each picture is there and shown, and handing over has the page's own steps."""

import re

import pytest

from node.i18n.catalogue import catalogue
from tests.web.pictures import FOLDER, LANGUAGES, PAGES
from web.desk_handover import TITLES


def guide(tag):
    return (FOLDER.parent / f"keeper-guide.{tag}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("tag", LANGUAGES)
def test_every_picture_is_there_small_and_shown_in_its_guide(tag):
    shown = set(re.findall(r"\]\(pictures/([^)]*)\)", guide(tag)))
    for name in PAGES:
        assert f"{name}.{tag}.png" in shown
    for file in shown:
        assert 1_000 < (FOLDER / file).stat().st_size < 120_000, file


@pytest.mark.parametrize("tag", LANGUAGES)
def test_the_guide_hands_over_by_the_steps_of_the_page_in_their_order(tag):
    titles = [catalogue(tag).gettext(title) for title in TITLES.values()]
    steps = re.findall(r"^\d+\. \*\*(.+?)\*\*", guide(tag), re.M)
    assert [step for step in steps if step in titles] == titles
