"""Who may import whom: docs/architecture.md says it, for people and for this test; nothing else holds the rules."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
OURS = {"node", "radio", "web"}
BESIDE = {"radio", "web", "image-build"}  # rooms beside node/
IN_NODE = {path.name for path in (ROOT / "node").iterdir() if path.is_dir() and path.name != "__pycache__"}
FREE = {"__init__", "__main__"}  # the version, and `python -m node`: they belong to no room

CORE = {"model", "textpack", "store", "sync", "replica", "board", "ical", "transfer"}
# What the core may use: nothing here opens, waits, reads a clock, starts a thread or draws chance of its own.
PURE = {
    "abc", "array", "base64", "bisect", "calendar", "collections", "contextlib", "copy", "dataclasses", "datetime", "enum",
    "functools", "hashlib", "heapq", "hmac", "html", "itertools", "json", "math", "operator", "re", "struct", "typing",
    "unicodedata", "urllib.parse", "zlib", "zoneinfo",
    "random.Random",  # a value that whoever starts a simulation or a node passes in
    "cryptography", "icalendar", "tinydb",
}
EXEMPT = {  # file: what else it may import, and why
    "node/model/clock.py": {"time"},  # the one file that reads the machine's clock, for the daemon to pass in
    "node/store/disk.py": {"errno", "fcntl", "os", "pathlib", "shutil"},  # the card
    "node/store/sqlitefile.py": {"pathlib", "sqlite3", "threading"},  # the archive's file, opened through SQLite
    "node/store/archive.py": {"pathlib", "threading"},  # from here on: paths as values, and locks, as posts come from
    "node/store/backup.py": {"pathlib"},  # several threads and share a sync; none starts a thread
    "node/store/documents.py": {"pathlib", "threading"},
    "node/store/journal.py": {"pathlib"},
    "node/store/journalstore.py": {"pathlib", "threading"},
    "node/transfer/bulk.py": {"threading"},  # locks again: the portal's threads and the visits to other islands
    "node/transfer/recent.py": {"threading"},
    "node/textpack/modelfile.py": {"sys.byteorder"},  # a fact, not an access
    "node/textpack/__init__.py": {"importlib.resources"},  # the frozen models that ship with it
}


def modules_of(path: Path) -> Iterator[str]:
    """Absolute dotted names of what a file imports: the module, and each name taken from it."""
    for item in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(item, ast.Import):
            yield from (alias.name for alias in item.names)
        elif isinstance(item, ast.ImportFrom):
            assert item.level == 0 and item.module, f"{path}: relative import"
            yield from (f"{item.module}.{alias.name}" for alias in item.names)


def files_of(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    assert found
    return [path for path in found if "training" not in path.parts]


def room_of(module: str) -> str:
    """The room that a dotted name of ours leads to: `node.store.index.Row` is in `store`, `radio.link` in `radio`."""
    top, _, rest = module.partition(".")
    return rest.split(".")[0] if top == "node" else top


def under(module: str, prefixes: set[str]) -> bool:
    """Whether a dotted name is one of the prefixes, or lies below one."""
    return any(f"{module}.".startswith(f"{prefix}.") for prefix in prefixes)


def place_of(path: Path) -> str:
    return room_of(".".join(path.relative_to(ROOT).with_suffix("").parts))


def rules() -> dict[str, set[str]]:
    """Room to the prefixes that it may import, from the page's table."""
    rows = re.findall(r"^\| `([a-z0-9-]+)/` \|.*\|([^|]*)\|$", PAGE, re.M)
    assert len(rows) == len({room for room, _ in rows}) > 10
    return {room: set(re.findall(r"`([a-z0-9_.]+)`", may)) for room, may in rows}


def arrows() -> set[tuple[str, str]]:
    """(importing room, imported room), from the code."""
    found = set()
    for path in files_of(*OURS):
        here = place_of(path)
        for module in modules_of(path):
            there = room_of(module)
            if module.split(".")[0] in OURS and there != here and here not in FREE and there in IN_NODE | OURS - {"node"}:
                found.add((here, there))
    return found


def drawn() -> set[tuple[str, str]]:
    """The arrows of the page's diagram."""
    diagram = re.search(r"```mermaid\n(.*?)```", PAGE, re.S)
    assert diagram
    return set(re.findall(r"^\s*([a-z0-9]+) --> ([a-z0-9]+)$", diagram.group(1), re.M))


def reached(pairs: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Everything that can be reached along the arrows."""
    found = set(pairs)
    while more := {(a, d) for a, b in found for c, d in pairs if b == c} - found:
        found |= more
    return found


def test_every_room_has_its_row_and_there_is_no_room_beside_them():
    assert set(rules()) == IN_NODE | BESIDE
    known = {"node", "radio", "web", "image-build", "tests", "docs", "build", "dist", "node_modules", "demo-data"}
    assert {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")} <= known
    assert {path.stem for path in (ROOT / "node").glob("*.py")} == FREE


@pytest.mark.parametrize("room", sorted(IN_NODE | BESIDE))
def test_a_room_imports_what_its_row_allows(room):
    allowed, seen = rules()[room], 0
    for path in files_of(room if room in BESIDE else f"node/{room}"):
        for module in modules_of(path):
            if module.split(".")[0] not in OURS or room_of(module) == room:
                continue
            name = module.removeprefix("node.")
            assert name == "__version__" or under(name, allowed), (
                f"{path} imports {module}; docs/architecture.md lets its room import {sorted(allowed)}")
            seen += 1
    assert seen or not allowed


def test_no_import_leads_upwards_or_round_in_a_circle():
    assert not {(a, b) for a, b in reached(arrows()) if a == b}


def test_the_diagram_draws_what_the_imports_are():
    assert drawn() <= arrows(), "an arrow is drawn that no import makes"
    assert reached(drawn()) == reached(arrows())


def parts() -> list[tuple[str, str]]:
    """Rooms with parts of their own: (part, what of ours in the same room it may import)."""
    return [
        ("node/sync/codes", ""), ("node/sync/mqtt", "node.sync.events"), ("node/sync/lora", "node.sync.(events|codes)"),
        ("radio/meshtastic", r"radio\.(?!sim|mqtt|kiss)\w+"), ("radio/mqtt", r"radio\.(?!sim|meshtastic|kiss)\w+"),
        ("radio/kiss", r"radio\.(?!sim|meshtastic|mqtt)\w+"),
    ]


@pytest.mark.parametrize("part,may", parts())
def test_a_part_for_one_kind_of_link_knows_nothing_of_the_others(part, may):
    own, room = part.replace("/", "."), ".".join(part.split("/")[:-1])
    for path in files_of(part):
        for module in modules_of(path):
            if module.startswith(f"{room}.") and not module.startswith(f"{own}."):
                assert may and re.match(may, module), (path, module)


def test_nothing_but_the_demo_needs_what_is_simulated():
    for path in files_of("node", "radio", "web"):
        if path.parent != ROOT / "radio/sim":
            simulated = [module for module in modules_of(path) if module.startswith("radio.sim.")]
            assert not simulated or path.parent == ROOT / "node/cli", path


def test_the_core_uses_only_what_does_no_io():
    looked_at = 0
    for path in files_of(*(f"node/{room}" for room in sorted(CORE))):
        may = PURE | EXEMPT.get(str(path.relative_to(ROOT)), set())
        for module in modules_of(path):
            if module.split(".")[0] not in OURS:
                assert under(module, may), (path, module)
                looked_at += 1
    assert looked_at > 300
    assert all((ROOT / file).exists() for file in EXEMPT)


# `open` as a function: `Disk.open` and `Archive.open` are ours.
ON_FILES = {"read_bytes", "read_text", "write_bytes", "write_text", "mkdir", "unlink", "touch", "iterdir", "glob", "stat"}


def test_only_the_disk_touches_files_in_the_core():
    touch = {"node/store/disk.py", "node/store/sqlitefile.py", "node/textpack/__init__.py"}
    for path in files_of(*(f"node/{room}" for room in sorted(CORE))):
        calls = [item.func for item in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(item, ast.Call)]
        found = [call for call in calls if getattr(call, "attr", "") in ON_FILES or getattr(call, "id", "") == "open"]
        assert not found or str(path.relative_to(ROOT)) in touch, path
