"""Search sees words without accents, ligatures and capitals, and nothing that is typed makes it fail."""

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.model.search_text import MAX_TEXT, fold, query_of


@pytest.mark.parametrize(("text", "plain"), [
    ("Œuvre", "oeuvre"), ("L'ÉTÉ à Liège", "l'ete a liege"), ("Straße", "strasse"), ("ﬁn", "fin"), ("ÆGIR", "aegir"),
    ("e\u0301te\u0301", "ete"),
    ("مُظَاهَرَة", "مظاهره"), ("ساحة", "ساحه"), ("إلى", "الي"), ("تـــجمع", "تجمع"), ("Łódź", "lodz"), ("mañana", "manana"),
])
def test_accents_ligatures_vowel_signs_and_case_do_not_count(text, plain):
    assert fold(text) == plain


def test_folding_is_bounded_whatever_the_text():
    assert len(fold("ﷺ" * 10 * MAX_TEXT)) <= 18 * MAX_TEXT


def test_the_last_word_may_be_only_begun_and_nothing_typed_gives_no_query():
    assert query_of("Œuvre d'art popul") == '"oeuvre" "d" "art" "popul"*'
    assert query_of(" -- ") == query_of("") == query_of('"*"') == ""


@pytest.fixture(scope="module")
def table():
    table = sqlite3.connect(":memory:")
    table.execute("CREATE VIRTUAL TABLE words USING fts5(text)")
    yield table
    table.close()


HOSTILE = ['" OR 1', "NEAR(a b)", "a AND", "col:x", "^a", "a*b*", "\0", "\ud800", "{a}", "a" * 9999]


@given(typed=st.text() | st.sampled_from(HOSTILE))
def test_whatever_is_typed_is_a_query_that_sqlite_takes(table, typed):
    assert table.execute("SELECT * FROM words WHERE words MATCH ?", (query_of(typed) or '"a"',)).fetchall() == []
