"""What mypy is asked to look at, so that nobody takes a room from it quietly. The types themselves: `make lint`."""

import ast
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
MYPY = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]
TREES = ("node", "radio", "web", "image-build")
STRICT_ROOMS = {"model", "replica", "store", "sync", "textpack", "i18n"}
STRICT = {  # what `mypy --strict` means, beside what is on for the whole tree
    "disallow_any_generics", "disallow_subclassing_any", "disallow_untyped_calls", "disallow_untyped_defs",
    "disallow_incomplete_defs", "check_untyped_defs", "disallow_untyped_decorators", "warn_return_any",
    "no_implicit_reexport", "strict_equality", "extra_checks",
}
EVERYWHERE = {"disallow_untyped_defs", "check_untyped_defs", "strict_equality", "warn_unused_ignores",
              "warn_redundant_casts"}
MAX_IGNORED = 10
# Calls that fill a dataclass from a mapping whose types nobody checks: file and class, and why it may be.
FROM_MAPPINGS = {
    ("node/daemon/rpc.py", "Refused"): "an answer of the island in JSON: fields of an error, of any kind",
    ("node/daemon/rpc_handlers.py", "Draft"): "a request of our own command line in JSON",
    ("node/daemon/settings_reader.py", "Settings"): "sections by name, each made and checked before",
}


def sources() -> list[Path]:
    return [path for tree in TREES for path in sorted((ROOT / tree).rglob("*.py")) if "training" not in path.parts]


def test_every_tree_is_looked_at_and_the_strict_rooms_strictly():
    assert set(MYPY["files"]) == set(TREES) and all(MYPY[flag] for flag in EVERYWHERE)
    strict = [one for one in MYPY["overrides"] if one.keys() & STRICT]
    assert len(strict) == 1 and all(strict[0][flag] for flag in STRICT)
    assert set(strict[0]["module"]) == {f"node.{room}.*" for room in STRICT_ROOMS}
    loosened = [one for one in MYPY["overrides"] if one not in strict]
    assert all(one.keys() == {"module", "ignore_missing_imports"} for one in loosened)
    assert not [name for one in loosened for name in one["module"] if name.split(".")[0] in TREES]
    assert MYPY["exclude"] == ["node/textpack/training/"]


def test_what_mypy_is_told_to_pass_over_has_its_reason():
    lines = [line for path in sources() for line in path.read_text(encoding="utf-8").splitlines() if "type: ignore" in line]
    assert len(lines) <= MAX_IGNORED
    assert not [line for line in lines if not re.search(r"# type: ignore\[[a-z-]+\]  # \w.{10,}", line)]
    files = [str(path.relative_to(ROOT)) for path in sources() if re.search(r"# *mypy:", path.read_text(encoding="utf-8"))]
    assert files == [], "a file loosens the rules for itself"


def test_no_dataclass_is_filled_from_a_mapping_that_nobody_checks():
    trees = {str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8")) for path in sources()}
    classes = {item.name for tree in trees.values() for item in ast.walk(tree) if isinstance(item, ast.ClassDef)}
    found = {(file, name) for file, tree in trees.items() for item in ast.walk(tree)
             if isinstance(item, ast.Call) and any(one.arg is None for one in item.keywords)
             and (name := ast.unparse(item.func).split(".")[-1]) in classes}
    assert found == set(FROM_MAPPINGS)
