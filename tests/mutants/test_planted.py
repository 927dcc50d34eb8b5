"""The list of faults fits the code as it is: whoever refactors a place mends its entries (docs/contributing.md)."""

import ast
from collections import Counter
from functools import cache

import pytest

from tests.mutants.planted import faults
from tests.mutants.small import mutations
from tests.mutants.tree import ROOT

SUBJECTS = {"verification", "admission", "quotas", "expiry", "erasure", "airtime", "journal", "sealing", "reconciliation",
            "import", "moderation", "privacy", "pages", "tokens", "escaping", "headers", "sessions", "redirects",
            "settings", "updates", "systems", "cards", "clocks"}
MAX_TESTS = 2  # of one fault


@cache
def text_of(file):
    return (ROOT / file).read_text(encoding="utf-8")


@cache
def names_in(file):
    return {node.name for node in ast.parse(text_of(file)).body if isinstance(node, ast.FunctionDef)}


def misfits(fault):
    """What of an entry is not there any more."""
    try:
        if fault.planted(text_of(fault.file)) == text_of(fault.file):
            yield "it changes nothing"
    except (OSError, ValueError) as error:
        yield str(error)
    for test in fault.tests:
        file, _, name = test.partition("::")
        if not (ROOT / file).is_file() or (name and name.partition("[")[0] not in names_in(file)):
            yield f"there is no {test}"


def test_every_fault_can_be_planted_and_its_tests_are_there():
    found = faults()
    assert len(found) >= 110 and len({fault.id for fault in found}) == len(found)
    assert [(fault.subject, fault.id, misfit) for fault in found for misfit in misfits(fault)] == []


def test_every_fault_says_what_it_does_to_people_and_names_few_tests():
    assert [fault.id for fault in faults() if not fault.harm.strip() or not 1 <= len(fault.tests) <= MAX_TESTS] == []


def test_every_subject_has_five_faults_at_least():
    count = Counter(fault.subject for fault in faults())
    assert set(count) == SUBJECTS and min(count.values()) >= 5


@pytest.mark.parametrize(("text", "others"), [
    ("a < 1", {"(a <= 1)", "a < 2"}), ("x = f(a, 20)", {"x = f(20, a)", "x = f(a, 40)"}),
    ("def é(): return a and not b", {"def é(): return None", "def é(): return (a or not b)", "def é(): return a and (b)"}),
    ("x: int | str = 'ab' + c", set()), ("n.x = ü + b", {"pass", "n.x = (ü - b)"}), ("assert a == b", set()),
    ("A, B = 3, 0", set()), ("a, b = 3, 0", {"a, b = 4, 0", "a, b = 3, 1"}),
    ("y = (1 if a else b)", {"y = ((b if a else 1))", "y = (2 if a else b)"}), ("f'{a + 1}'", set()),
])
def test_small_mutations_change_one_place_and_nothing_else(text, others):
    assert {mutation.applied(text) for mutation in mutations(text)} == others
