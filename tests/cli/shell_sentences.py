"""Every sentence that the command line may say, found in its source: `{}` stands where something is filled in."""

import ast
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from node.daemon.settings import SECTIONS
from web.settings_notices import SENTENCES

NODE = Path(__file__).parents[2] / "node"
FILES = ("cli/island", "cli/posts", "cli/options", "cli/backups", "cli/keys", "cli/transfer", "cli/doctor",
         "daemon/mqtt", "daemon/keyfiles", "cli/serve",
         "cli/calendar", "daemon/fetch", "store/sealed")
SAID = {"say", "translated", "ClickException", "KeyTrouble", "PortTaken", "Finding", "passphrase", "new_passphrase",
        "NotFetched"}
TABLES = {"NO_BUNDLE", "NO_PICTURE", "CARD", "STICK", "IN_WORDS", "FAULTS", "REMEDIES", "SENTENCES", "PROBLEMS",
          "LEFT_OUT"}
LEVELS = {"ok", "note", "bad"}


def sentences() -> set[str]:
    """All of them, a line each."""
    return _said() | {re.sub(r"%\(\w+\)s", "{}", sentence) for sentence in SENTENCES[:-1]} | {  # the last is the image's
        setting.metadata["remedy"] for section in SECTIONS.values() for setting in fields(section)}


def _said() -> set[str]:
    return {line for name in FILES for text in _said_in(ast.parse((NODE / f"{name}.py").read_text()))
            for line in text.split("\n") if any(sign.isalpha() for sign in line.replace("{}", ""))} - LEVELS


def _said_in(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in SAID:
            for argument in node.args:
                yield from _texts(argument)
        elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in TABLES:
            for value in node.value.values:
                yield from (part.value for part in ast.walk(value) if isinstance(part, ast.Constant))


def _texts(node: ast.AST) -> Iterator[str]:
    """The texts that an expression may be, and those of ours that are filled into it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) > 1:
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join("{}" if isinstance(part, ast.FormattedValue) else part.value for part in node.values)
        for part in node.values:
            yield from _texts(part.value) if isinstance(part, ast.FormattedValue) else ()
    elif isinstance(node, ast.IfExp):
        yield from (*_texts(node.body), *_texts(node.orelse))
    elif isinstance(node, ast.BoolOp):
        yield from (text for value in node.values for text in _texts(value))
    elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "get":
        yield from (text for argument in node.args[1:] for text in _texts(argument))
