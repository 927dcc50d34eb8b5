"""Tests that cannot fail are none: each asserts, whatever happens, on what can be false; loops over cases count them."""

import ast
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
Function = ast.FunctionDef | ast.AsyncFunctionDef
Names = frozenset[str] | set[str]
FAILING = {"raises", "warns", "fail", "skip", "until"}  # of pytest; `tests.waiting.until` fails when it waits too long
KEEPING = {"enumerate", "sorted", "reversed", "list", "tuple", "set", "zip", "product", "permutations", "combinations",
           "cycle", "items", "values", "keys", "split", "splitlines"}  # as many parts as what they are made of has
LATER = {ast.Lambda, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef}
# who asserts by other means
EXEMPT = {
    "tests/store/test_machine.py::test_a_journal_store_shows_what_a_store_in_memory_shows": "its machine does at each step",
}


@cache
def functions() -> dict[str, Function]:
    """file::name -> each function here, and each method."""
    paths = [path for path in sorted((ROOT / "tests").rglob("*.py")) if "node_modules" not in path.parts]
    return {f"{path.relative_to(ROOT)}::{item.name}": item for path in paths
            for item in functions_in(ast.parse(path.read_text(encoding="utf-8")).body)}


def functions_in(body: list[ast.stmt]) -> Iterator[Function]:
    for item in body:
        if isinstance(item, Function):
            yield item
        if isinstance(item, Function | ast.ClassDef):
            yield from functions_in(item.body)


@cache
def every_test() -> dict[str, Function]:
    return {name: item for name, item in functions().items() if "/test_" in name and item.name.startswith("test_")}


@cache
def asserting() -> set[str]:
    """Names of helpers, anywhere in the tests, that assert on every way through them, or call one that does."""
    left = {name: item for name, item in functions().items() if name not in every_test()}
    known: set[str] = set()
    while more := {name for name, item in left.items() if holds(item.body, known | written_out(item))}:
        known |= {left.pop(name).name for name in more}
    return known


@cache
def of_the_program() -> set[str]:
    paths = [path for folder in ("node", "radio", "web") for path in (ROOT / folder).rglob("*.py")]
    return {name for path in paths for name in re.findall(r"(?m)^ *(?:async )?def (\w+)", path.read_text(encoding="utf-8"))}


# what asserts whatever happens; `known`: helpers that do, and names of what has parts

def holds(body: list[ast.stmt], known: Names) -> bool:
    """Whether a block asserts: by itself, by a helper, in both parts of a branch, in a loop that has a turn."""
    return any(HOLDING.get(type(each), calls_one)(each, known) for each in body)


def branch_holds(item: ast.If, known: Names) -> bool:
    return holds(item.body, known) and holds(item.orelse, known)


def try_holds(item: ast.Try, known: Names) -> bool:
    whole = holds([*item.body, *item.orelse], known) and all(holds(each.body, known) for each in item.handlers)
    return whole or holds(item.finalbody, known)


def with_holds(item: ast.With, known: Names) -> bool:
    return holds(item.body, known) or any(calls_one(each.context_expr, known) for each in item.items)


def match_holds(item: ast.Match, known: Names) -> bool:
    last = item.cases[-1].pattern
    return isinstance(last, ast.MatchAs) and last.pattern is None and all(holds(each.body, known) for each in item.cases)


HOLDING: dict[type, Callable] = {
    ast.Assert: lambda item, known: not is_vacuous(item.test, known),
    ast.For: lambda item, known: is_full(item.iter, known) and holds(item.body, known),
    ast.While: lambda item, known: calls_one(item.test, known),
    ast.If: branch_holds, ast.Try: try_holds, ast.With: with_holds, ast.AsyncWith: with_holds, ast.Match: match_holds,
    **dict.fromkeys((ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef), lambda item, known: False),
}


def calls_one(item: ast.AST, known: Names) -> bool:
    """Whether something in it fails. Of a method whose name the program has too, nobody knows here whose it is."""
    return any(name in known | FAILING and (by_itself or name not in of_the_program()) for name, by_itself in calls(item))


@cache
def calls(item: ast.AST) -> list[tuple[str, bool]]:
    """(name, whether it is no method) of what is called when `item` is reached: not what waits in a lambda."""
    found, waiting = [], [item]
    while waiting:
        each = waiting.pop()
        if isinstance(each, ast.Call) and isinstance(each.func, ast.Name | ast.Attribute):
            found.append((each.func.id, True) if isinstance(each.func, ast.Name) else (each.func.attr, False))
        waiting += [child for child in ast.iter_child_nodes(each) if type(child) not in LATER]
    return found


# what has parts, so that a loop over it has a turn

def is_full(what: ast.expr, known: Names) -> bool:
    """Whether it has: it is written out, it counts to a number, it is a table of the file, a helper has looked."""
    return FULL.get(type(what), lambda what, known: False)(what, known)


def sum_is_full(what: ast.BinOp, known: Names) -> bool:
    sides = [is_full(what.left, known), is_full(what.right, known) or isinstance(what.op, ast.Mult)]
    return all(sides) if isinstance(what.op, ast.Mult) else any(sides)


def call_is_full(what: ast.Call, known: Names) -> bool:
    name, args = getattr(what.func, "id", getattr(what.func, "attr", "")), what.args
    if name == "range":
        return all(isinstance(each, ast.Constant | ast.Name | ast.BinOp | ast.UnaryOp) for each in args)
    if name in KEEPING:
        made_of = what.func.value if isinstance(what.func, ast.Attribute) and not args else args[0] if args else None
        return made_of is not None and is_full(made_of, known)
    return calls_one(what, known)


def parts_are_full(what: ast.Tuple | ast.List | ast.Set, known: Names) -> bool:
    return any(not isinstance(each, ast.Starred) or is_full(each.value, known) for each in what.elts)


def made_list_is_full(what: ast.ListComp | ast.SetComp | ast.DictComp, known: Names) -> bool:
    return all(is_full(each.iter, known) and not each.ifs for each in what.generators)


FULL: dict[type, Callable] = {
    **dict.fromkeys((ast.Tuple, ast.List, ast.Set), parts_are_full),
    **dict.fromkeys((ast.ListComp, ast.SetComp, ast.DictComp), made_list_is_full),
    ast.Dict: lambda what, known: bool(what.keys), ast.Constant: lambda what, known: bool(what.value),
    ast.BinOp: sum_is_full, ast.Call: call_is_full,
    ast.Name: lambda what, known: what.id.isupper() or what.id in known,
    ast.Attribute: lambda what, known: what.attr.isupper(),
}


@cache
def written_out(function: Function) -> set[str]:
    """Names in it that stand for something whose parts are written out there."""
    full: set[str] = set()
    for item in ast.walk(function):
        if isinstance(item, ast.Assign) and is_full(item.value, full):
            full |= {each.id for each in item.targets if isinstance(each, ast.Name)}
    return full


# what is true whatever the program does

def is_vacuous(test: ast.expr, known: Names) -> bool:
    """Whether it is, or may be because there was nothing to look at."""
    return cannot_fail(test) or (isinstance(test, ast.Call) and of_nothing(test, known)) or (
        isinstance(test, ast.BoolOp) and (all if isinstance(test.op, ast.And) else any)(
            is_vacuous(each, known) for each in test.values))


def of_nothing(test: ast.Call, known: Names) -> bool:
    """Whether it is an `all` over what may be nothing."""
    named = isinstance(test.func, ast.Name) and test.func.id == "all"
    return named and isinstance(test.args[0], ast.GeneratorExp) and not is_full(test.args[0].generators[0].iter, known)


def cannot_fail(test: ast.expr) -> bool:
    """Whether it is true by what it is: a text, a pair, something compared with itself."""
    if isinstance(test, ast.Compare):
        same = len(test.comparators) == 1 and ast.dump(test.left) == ast.dump(test.comparators[0])
        return same and isinstance(test.ops[0], ast.Eq | ast.Is | ast.LtE | ast.GtE) and not calls(test)
    if isinstance(test, ast.BoolOp):
        return (all if isinstance(test.op, ast.And) else any)(map(cannot_fail, test.values))
    if isinstance(test, ast.Constant):
        return bool(test.value)
    return isinstance(test, ast.JoinedStr | ast.GeneratorExp | ast.Lambda) or (
        isinstance(test, ast.Tuple | ast.List | ast.Dict) and bool(list(ast.iter_child_nodes(test))))


# loops that may have had no turn

def uncounted(test: Function) -> list[str]:
    """What it goes through with asserts inside, unless it asserts elsewhere on what that is made of, or counts."""
    known = asserting() | written_out(test)
    loops = [item for item in ast.walk(test) if isinstance(item, ast.For)]
    inner = {id(item) for loop in loops for item in ast.walk(loop) if item is not loop}
    return [ast.unparse(loop.iter) for loop in loops if id(loop) not in inner and holds(loop.body, known)
            and not is_full(loop.iter, known) and not asked_elsewhere(test, loop)]


def asked_elsewhere(test: Function, loop: ast.For) -> bool:
    within = {id(item) for item in ast.walk(loop)}
    told = {name for item in ast.walk(test) if isinstance(item, ast.Assert) and id(item) not in within
            for name in names_in(item)}
    counted = {name for item in loop.body for name in names_in(item, ast.Store)}
    kept = {name for item in ast.walk(loop) if isinstance(item, ast.Call) and isinstance(item.func, ast.Attribute)
            for name in names_in(item.func)}
    return bool(told & (set(names_in(loop.iter)) | counted | kept))


def names_in(item: ast.AST, context: type = ast.expr_context) -> Iterator[str]:
    return (each.id for each in ast.walk(item) if isinstance(each, ast.Name) and isinstance(each.ctx, context))


def test_every_test_asserts_whatever_happens():
    silent = {name for name, item in every_test().items() if not holds(item.body, asserting() | written_out(item))}
    assert silent == set(EXEMPT) and len(every_test()) > 2_000


def test_every_assertion_can_fail():
    found = {name: [ast.unparse(item) for item in ast.walk(test) if isinstance(item, ast.Assert) and cannot_fail(item.test)]
             for name, test in functions().items()}
    assert {name: items for name, items in found.items() if items} == {}


def test_every_loop_over_cases_is_counted():
    found = {name: uncounted(test) for name, test in every_test().items()}
    assert {name: loops for name, loops in found.items() if loops} == {}


def parsed(body: str) -> Function:
    return ast.parse("def test_it(portal):\n" + "\n".join(f"    {line}" for line in body.splitlines())).body[0]


VACUOUS = ("board.post(draft)", "for item in board.items:\n    assert item.text", "if portal:\n    assert portal.up",
           "try:\n    assert portal.up\nexcept OSError:\n    pass", "assert all(item.text for item in board.items)",
           "assert True", "assert ('a', 'b')", "assert found or True", "assert found == found", "assert f'{found}'",
           "def inner():\n    assert portal.up", "for at in [*found]:\n    assert at", "while found:\n    assert found.up")
SOUND = ("assert board.items == []", "for item in (1, 2):\n    assert item.text",
         "with pytest.raises(OSError):\n    portal.go()", "if portal:\n    assert portal.up\nelse:\n    assert portal.down",
         "cases = [1, 2]\nfor case in cases:\n    assert case.up", "until(lambda: portal.up)",
         "for at in range(5):\n    assert portal.up(at)", "assert all(item.text for item in (1, 2))")


def test_what_cannot_fail_is_told_from_what_can():
    for body in VACUOUS:
        assert not holds(parsed(body).body, written_out(parsed(body))), body
    for body in SOUND:
        assert holds(parsed(body).body, written_out(parsed(body))), body
    loop = "for item in board.items:\n    assert item.text\n"
    assert uncounted(parsed(loop)) == ["board.items"] and uncounted(parsed(loop + "assert len(board.items) == 3")) == []
