"""Finds what speaks to people without a mark: prose in sources and in templates that no catalogue would hold."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from jinja2 import Environment, nodes

from tests.i18n.messages import MARKS, ROOT, name_of

PROSE = re.compile(r"[^\W\d_]{2,}[,:;]? [^\W\d_]{2,}")  # two words
WORD = re.compile(r"[^\W\d_]{3,}")
PRINTING = {"echo", "secho", "style", "ClickException", "confirm", "prompt"}  # where one word is too much
PUT_TOGETHER = (ast.JoinedStr, ast.BinOp, ast.IfExp)
AS_IT_STANDS = (nodes.Const, nodes.Name, nodes.Getattr, nodes.Getitem)  # or looked up
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


def filled_first(path: Path) -> Iterator[str]:
    """Marks of a source whose text is put together before it is translated: no catalogue can hold that."""
    for node in ast.walk(ast.parse(path.read_text())):
        count = MARKS.get(name_of(node.func), 0) if isinstance(node, ast.Call) else 0
        if count and any(is_put_together(part) for part in node.args[:count]):
            yield ast.unparse(node)


def is_put_together(text: ast.expr) -> bool:
    """Whether it is no text as it stands, and none that was looked up in a table of marked ones."""
    made = name_of(text.func) if isinstance(text, ast.Call) else ""
    return isinstance(text, PUT_TOGETHER) or made in ("format", "join", "replace", "str")


def filled_first_in(template: str) -> Iterator[str]:
    """The same of a template's text."""
    for call in Environment(extensions=["jinja2.ext.i18n"]).parse(template).find_all(nodes.Call):
        count = MARKS.get(getattr(call.node, "name", ""), 0)
        if any(not isinstance(part, AS_IT_STANDS) for part in call.args[:count]):
            yield repr(call)


def sources() -> list[Path]:
    """What speaks to people."""
    return [path for place in SPEAKING
            for path in ([ROOT / place] if place.endswith(".py") else sorted((ROOT / place).rglob("*.py")))]


def text_of(template: Path) -> str:
    """What a template says itself, without its calls and its markup."""
    return TEXT_OF_A_TEMPLATE.sub(" ", template.read_text())
