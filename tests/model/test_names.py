"""Names of keepers and groups are read aloud, typed again, and never taken for an option."""

import pytest

from node.model.names import MAX_NAME, fit_name


@pytest.mark.parametrize(("typed", "kept"), [
    ("Samira", "Samira"), ("  Léa  B. ", "Léa B."), ("E\u0301lodie", "Élodie"), ("سميرة", "سميرة"), ("नमस्ते", "नमस्ते"),
    ("O’Brien", "O’Brien"), ("d'Aubervilliers", "d'Aubervilliers"), ("Droit au logement (DAL)", "Droit au logement (DAL)"),
    ("Jean-Luc & Zoé", "Jean-Luc & Zoé"), ("93", "93"), ("x" * MAX_NAME, "x" * MAX_NAME),
])
def test_a_name_is_kept_as_it_is_read(typed, kept):
    assert fit_name(typed) == kept == fit_name(kept)


@pytest.mark.parametrize("typed", [
    "", " ", "-", "--help", "-x", "--", "x" * (MAX_NAME + 1), "a\nb", "a\tb", "a\x00b",
    "\u202eabc", "a\u202eb", "a\u200bb",
    "\u3164", "a\ufe0f", "a\u034f", "\u2800", "\ufeffa", "a/b", "a\\b",
    "<b>", "a;b", "$(x)", "a`b", "\udcffa", "²", "\u0301a", "☕",
    "a\u00a0b", "a\u2028b",
])
def test_what_is_no_name_is_refused(typed):
    assert fit_name(typed) is None
