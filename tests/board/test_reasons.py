"""Every reason has a sentence, and whoever refuses uses a reason of the list."""

import ast
import re
from enum import StrEnum
from pathlib import Path

import pytest

from node.board import explanations, reasons
from node.i18n.catalogue import catalogue
from node.i18n.sentence import Sentence

NODE = Path(__file__).parents[2] / "node"
TABLES = {
    reasons.ProblemCode: explanations.PROBLEMS, reasons.DraftField: explanations.FIELDS,
    reasons.ClosedReason: explanations.CLOSED, reasons.VerdictReason: explanations.VERDICTS,
    reasons.DeliveryProblem: explanations.DELIVERIES, reasons.BundleFault: explanations.FAULTS,
    reasons.StickProblem: explanations.STICKS, reasons.ImportProblem: explanations.IMPORTS,
    reasons.LeftOut: explanations.LEFT_OUT, reasons.AuditAction: explanations.ACTIONS,
    reasons.WaitReason: explanations.WAITS, reasons.Pile: explanations.PILES,
    reasons.ReportReason: explanations.REPORTS,
}


def test_every_family_of_reasons_has_a_table_and_every_reason_a_sentence():
    families = {kind for kind in vars(reasons).values() if isinstance(kind, type) and issubclass(kind, StrEnum)} - {StrEnum}
    assert families == set(TABLES)
    for family, table in TABLES.items():
        assert set(table) == set(family), family


def slugs(called, argument, *places):
    """The slugs that calls of a name hold at one place, all over some files."""
    for place in places:
        for path in (NODE / place).rglob("*.py") if (NODE / place).is_dir() else [NODE / place]:
            for node in ast.walk(ast.parse(path.read_text())):
                calls = isinstance(node, ast.Call) and getattr(node.func, "id", "") == called
                if calls and len(node.args) > argument and isinstance(node.args[argument], ast.Constant):
                    yield node.args[argument].value


@pytest.mark.parametrize(("called", "argument", "places", "families"), [
    ("StoreFailed", 0, ("store",), (reasons.ClosedReason,)),
    ("RemoteFault", 0, ("board/image.py", "daemon/qr_reader.py", "transfer/paper.py"),
     (reasons.DeliveryProblem, reasons.ProblemCode)),
])
def test_rooms_below_use_a_slug_of_the_list(called, argument, places, families):
    known = {reason for family in families for reason in family}
    found = set(slugs(called, argument, *places)) - {""}
    assert found and found <= known, found - known


def test_a_slug_of_another_room_is_read_and_an_unknown_one_has_a_stand_in():
    problem = reasons.DeliveryProblem
    assert reasons.as_reason(problem, "other-set", problem.LETTERS) is problem.OTHER_SET
    assert reasons.as_reason(problem, "new", problem.LETTERS) is problem.LETTERS


def test_faults_of_a_bundle_and_events_left_out_are_of_the_list():
    bundle = "".join((NODE / "transfer" / name).read_text() for name in ("bundle.py", "bulk.py"))
    assert set(re.findall(r'faults\["([a-z-]+)"\]', bundle)) <= set(reasons.BundleFault)
    ical = "".join(path.read_text() for path in (NODE / "ical").glob("*.py"))
    found = set(re.findall(r'(?:left_out\[|leave_out\()"([a-z-]+)"', ical))
    assert len(found) > 2 and found <= set(reasons.LeftOut)


def test_a_problem_is_told_with_its_number_in_the_readers_language():
    told = explanations.problem("too-long", 3)
    assert str(told) == "Please shorten this by about 3 characters."
    assert told.said(catalogue("fr")) != str(told) and "3" in told.said(catalogue("fr"))


def test_what_another_version_says_is_told_in_general_words():
    for told in (explanations.problem("new-code"), explanations.closed("new"), explanations.delivery("new"),
                 explanations.field_name("new"), explanations.stick("new"), explanations.agenda("new"),
                 explanations.verdict("new"), explanations.left_out("new")):
        assert isinstance(told, Sentence) and told.said(catalogue("es")) != str(told)
