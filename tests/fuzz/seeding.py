"""Good input for the fuzzer, out of the vectors that pin the formats; and what all targets begin with."""

import ast
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from node.model.errors import RemoteFault
from tests.fuzz.kinds import ROOT

MEMORY = "/dev/shm" if os.path.isdir("/dev/shm") else None  # where a target's folder is made: no card is waited for
VECTORS = Path(__file__).parents[1] / "vectors"


def vectors(name: str) -> dict:
    """One file of vectors."""
    return json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))


def octets_in(value: object, *keys: str) -> Iterator[bytes]:
    """Every text of hex digits that stands under one of these keys, however deep."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in keys and isinstance(inner, str):
                with suppress(ValueError):
                    yield bytes.fromhex(inner)
            else:
                yield from octets_in(inner, *keys)
    elif isinstance(value, list):
        for inner in value:
            yield from octets_in(inner, *keys)


def texts_in(test: str, least: int = 4) -> Iterator[bytes]:
    """Every text and all octets that a test says by themselves: whoever wrote it had tried what is odd."""
    for item in ast.walk(ast.parse((ROOT / test).read_text(encoding="utf-8"))):
        if isinstance(item, ast.Constant) and isinstance(item.value, str | bytes) and len(item.value) >= least:
            yield item.value if isinstance(item.value, bytes) else item.value.encode("utf-8", "replace")


def refusable(read, *arguments):
    """What `read` makes of them, None where it refuses them; a refusal is a RemoteFault with a slug, and nothing else."""
    try:
        return read(*arguments)
    except RemoteFault as fault:
        assert fault.reason and fault.reason.replace("-", "").isalnum() and fault.reason.isascii(), fault.reason
        return None
