"""Finds what speaks to people without a mark: prose in sources and in templates that no catalogue would hold."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.i18n.messages import MARKS, ROOT, name_of

PROSE = re.compile(r"[^\W\d_]{2,}[,:;]? [^\W\d_]{2,}")  # two words
WORD = re.compile(r"[^\W\d_]{3,}")
PRINTING = {"echo", "secho", "style", "ClickException", "confirm", "prompt"}  # where one word is too much
SPEAKING = ("node/cli", "node/board/explanations.py", "node/daemon/fetch.py", "node/daemon/keyfiles.py",
            "node/daemon/mqtt.py", "node/daemon/settings.py", "web")
TEXT_OF_A_TEMPLATE = re.compile(r"\{[{%#].*?[}%#]\}|<(style|script)\b.*?</\1>|<[^>]*>|&\w+;", re.DOTALL)


def unmarked_in(path: Path) -> Iterator[str]:
    """Prose of a source that stands in no mark, no docstring, no log line and no decorator (help is found on its own)."""
    tree = ast.parse(path.read_text())
    passed = {id(part) for node in ast.walk(tree) for top in _known(node) for part in ast.walk(top)}
    printed = {id(part) for node in ast.walk(tree) if isinstance(node, ast.Call) and name_of(node.func) in PRINTING
               for argument in node.args for part in _itself(argument)}
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) and id(node) not in passed else None
        if isinstance(text, str) and (WORD if id(node) in printed else PROSE).search(text):
            yield text


def _itself(node: ast.AST) -> Iterator[ast.AST]:
    """A text, and the fixed parts of one that is put together."""
    yield node
    for part in getattr(node, "values", ()):
        yield from _itself(part)


def _known(node: ast.AST) -> Iterator[ast.AST]:
    """Parts that are marked, or that nobody but programmers reads."""
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
        yield node.body[0]
    if isinstance(node, ast.FunctionDef):
        yield from node.decorator_list
    if isinstance(node, ast.Call):
        name = name_of(node.func)
        yield from node.args[:MARKS.get(name, 0)]
        if name in ("setting", "option"):  # what they hold is found by looking at what they make
            yield node
        if name_of(getattr(node.func, "value", node)) == "log":
            yield node


def sources() -> list[Path]:
    """What speaks to people."""
    return [path for place in SPEAKING
            for path in ([ROOT / place] if place.endswith(".py") else sorted((ROOT / place).rglob("*.py")))]


def text_of(template: Path) -> str:
    """What a template says itself, without its calls and its markup."""
    return TEXT_OF_A_TEMPLATE.sub(" ", template.read_text())
