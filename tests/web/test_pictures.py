"""The guides and the pages say the same: each picture is there and shown, handing over has the page's own steps, what is
bold and quoted are the page's own words, and each link within a guide leads somewhere."""

import re

import pytest
from babel.messages.pofile import read_po

from node.i18n.catalogue import FOLDER as CATALOGUES
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


BLANKS = str.maketrans({"’": "'", "\u00a0": " ", "\u202f": " "})
QUOTED = {"fr": r"\*\*« (.+?) »\*\*", "en": r'\*\*"(.+?)"\*\*'}


def pages_words(tag):
    """Every sentence that the pages may say in a language."""
    with (CATALOGUES / "fr.po").open("rb") as file:
        for message in read_po(file):
            said = message.string if tag == "fr" else message.id
            yield from (text.translate(BLANKS) for text in ([said] if isinstance(said, str) else said))


@pytest.mark.parametrize("tag", LANGUAGES)
def test_what_is_bold_and_quoted_in_a_guide_are_the_words_of_a_page(tag):
    known = set(pages_words(tag))
    quoted = [words.translate(BLANKS) for words in re.findall(QUOTED[tag], guide(tag))]
    assert len(quoted) > 80 and [words for words in quoted if words not in known] == []


@pytest.mark.parametrize("tag", LANGUAGES)
def test_every_link_within_a_guide_leads_to_a_heading_and_no_command_is_typed(tag):
    heads = re.findall(r"^#+ (.+)$", guide(tag), re.M)
    headings = {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}
    links = set(re.findall(r"\]\(#([^)]*)\)", guide(tag)))
    assert len(links) > 15 and links - headings == set()
    typed = re.findall(r"`([^`\n]+)`", guide(tag)) + re.findall(r"^```(\w*)$", guide(tag), re.M)
    assert [each for each in typed if re.match(r"(archipel|make|ssh|scp|sudo|systemctl|sh|bash)( |$)", each)] == []
