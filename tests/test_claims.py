"""Each promise names what holds it: tests that exist, programs, targets of `make`; and each threat has a promise."""

import ast
import re
from functools import cache

import pytest

from tests.claims import PAGE, ROOT, SHOWN, claims, page

TESTS = ROOT / "tests"
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


@cache
def names_in(path):
    """The functions of a file that are tests, and what stands there as a test case of a state machine."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}
    cases = {target.id for node in tree.body if isinstance(node, ast.Assign) for target in node.targets
             if isinstance(target, ast.Name) and target.id.startswith("Test")}
    return functions | cases


def is_there(named):
    """Whether a test, a program or a target of `make` that a claim names exists."""
    if named.startswith("make "):
        return re.search(rf"^{named[5:]}:", MAKEFILE, re.M) is not None
    if named.endswith(".py"):
        return (TESTS / named).is_file()
    file, _, name = named.partition("::")
    path = TESTS / file
    path = path.with_name(f"test_{path.name}.py")
    return path.is_file() and (name == "*" or name in names_in(path) or f"test_{name}" in names_in(path))


def rows_of_threats():
    """The first cell of each row of the table."""
    text = (ROOT / "docs/threats.md").read_text(encoding="utf-8").split("\n## ")[0]
    cells = [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("| ")]
    return [cell for cell in cells if cell != "who"]


def test_what_a_claim_names_is_there():
    named = [(claim["says"], each) for _, claim in claims() for each in claim["tests"]]
    assert [one for one in named if not is_there(one[1])] == []
    assert len(named) > 250 and not is_there("replica/trust::nobody_wrote_this") and not is_there("make nothing")


def test_a_claim_says_how_far_it_is_shown_and_what_is_not():
    for _, claim in claims():
        assert claim["shown"] in SHOWN and claim["says"].endswith("."), claim
        assert claim["tests"] or (claim["shown"] == "no" and claim["lacks"]), claim
        assert all((ROOT / where).is_file() for where in claim["where"]) and claim["where"], claim
    assert 80 <= len(claims()) <= 150


@pytest.mark.parametrize("row", rows_of_threats())
def test_each_threat_has_a_claim_with_tests_and_a_figure_or_the_reason_for_none(row):
    its = [claim for _, claim in claims() if claim.get("threat") == row]
    assert its, f"no claim of docs/claims.toml has the threat {row!r}"
    assert all(claim["tests"] and ("figure" in claim or "lacks" in claim) for claim in its)


def test_no_claim_is_about_a_threat_that_is_told_no_more():
    told = [claim["threat"] for _, claim in claims() if "threat" in claim]
    assert set(told) <= set(rows_of_threats()) and len(told) >= 50


def test_the_page_of_claims_is_made_from_the_file():
    assert PAGE.read_text(encoding="utf-8") == page(), "type: python -m tests.claims"
