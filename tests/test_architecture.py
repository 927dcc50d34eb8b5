"""Who may import whom: docs/architecture.md says it, for people and for this test; nothing else holds the rules."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
OURS = {"node", "radio", "web"}
BESIDE = {"radio", "web", "image-build"}  # rooms beside node/
IN_NODE = {path.name for path in (ROOT / "node").iterdir() if path.is_dir() and path.name != "__pycache__"}
AT_THE_TOP = {"pyproject.toml", "README.md", "node", "radio", "web", "image-build", "tests", "LICENSE", "Makefile",
              "CHANGELOG.md", "docs", "requirements.lock"}  # and dotfiles
MADE = {"build", "demo-data", "dist", "node_modules"}  # by commands; .gitignore has them
FREE = {"__init__", "__main__"}  # the version, and `python -m node`: they belong to no room

CORE = {"model", "textpack", "store", "sync", "replica", "board", "ical", "gather", "transfer", "handheld"}
# What the core may use: nothing here opens, waits, reads a clock, starts a thread or draws chance of its own.
PURE = {
    "abc", "array", "base64", "bisect", "collections", "contextlib", "copy", "dataclasses", "datetime", "enum",
    "functools", "hashlib", "heapq", "hmac", "html", "itertools", "json", "math", "operator", "re", "struct", "typing",
    "unicodedata", "urllib.parse", "xml.etree.ElementTree.Element", "zlib", "zoneinfo",
    "random.Random",  # a value that whoever starts a simulation or a node passes in
    "cryptography", "defusedxml", "feedparser", "icalendar", "mf2py", "tinydb",
}
EXEMPT = {  # file: what else it may import, and why
    "node/gather/source_feeds.py": {"io.BytesIO"},  # octets for a library that opens files by name
    "node/model/clock.py": {"time"},  # the one file that reads the machine's clock, for the daemon to pass in
    "node/store/disk.py": {"errno", "fcntl", "os", "pathlib", "shutil"},  # the card
    "node/store/sqlitefile.py": {"pathlib", "sqlite3", "threading.RLock"},  # the archive's file, opened through SQLite
    "node/store/archive.py": {"pathlib", "threading.Lock"},  # from here on: paths as values, and locks, as posts come
    "node/store/backup.py": {"pathlib"},  # from several threads and share a sync; none starts a thread
    "node/store/documents.py": {"pathlib", "threading.Condition", "threading.Lock"},
    "node/store/journal.py": {"pathlib"},
    "node/store/journalstore.py": {"pathlib", "threading.Lock"},
    "node/transfer/bulk.py": {"threading.Lock"},  # again: the portal's threads and the visits to other islands
    "node/transfer/lan.py": {"threading.Lock"},
    "node/transfer/recent.py": {"threading.Lock"},
    "node/board/keywords.py": {"mnemonic"},  # the word lists that ship with it
    "node/textpack/modelfile.py": {"sys.byteorder"},  # a fact, not an access
    "node/textpack/__init__.py": {"importlib.resources"},  # the frozen models that ship with it
}


def test_what_lies_at_the_top_can_be_seen_at_a_glance():
    top = {path.name for path in ROOT.iterdir() if not path.name.startswith((".", "__"))}
    assert top - MADE == AT_THE_TOP


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def modules_of(path: Path) -> list[str]:
    """Absolute dotted names of what a file imports: the module, and each name taken from it."""
    return list(imported(path))


def imported(path: Path) -> Iterator[str]:
    for item in ast.walk(tree_of(path)):
        if isinstance(item, ast.Import):
            yield from (alias.name for alias in item.names)
        elif isinstance(item, ast.ImportFrom):
            assert item.level == 0 and item.module, f"{path}: relative import"
            yield from (f"{item.module}.{alias.name}" for alias in item.names)


def files_of(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    assert found
    return [path for path in found if "training" not in path.parts]


def core() -> list[Path]:
    return files_of(*(f"node/{room}" for room in sorted(CORE)))


def room_of(module: str) -> str:
    """The room that a dotted name of ours leads to: `node.store.index.Row` is in `store`, `radio.link` in `radio`."""
    top, _, rest = module.partition(".")
    return rest.split(".")[0] if top == "node" else top


def under(module: str, prefixes: set[str]) -> bool:
    """Whether a dotted name is one of the prefixes, or lies below one."""
    return any(f"{module}.".startswith(f"{prefix}.") for prefix in prefixes)


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def place_of(path: Path) -> str:
    return room_of(module_of(path))


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
    ways, found = defaultdict(set), set()
    for here, there in pairs:
        ways[here].add(there)
    for start, waiting in [(start, set(ends)) for start, ends in ways.items()]:
        while waiting:
            there = waiting.pop()
            found.add((start, there))
            waiting |= {end for end in ways.get(there, ()) if (start, end) not in found}
    return found


def test_every_room_has_its_row_and_there_is_no_room_beside_them():
    assert set(rules()) == IN_NODE | BESIDE
    known = {"node", "radio", "web", "image-build", "tests", "docs", "share", "build", "dist", "node_modules", "demo-data"}
    assert {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")} <= known
    assert {path.stem for path in (ROOT / "node").glob("*.py")} == FREE
    assert list(ROOT.glob("*.py")) == []


@pytest.mark.parametrize("room", sorted(IN_NODE | BESIDE))
def test_a_room_imports_what_its_row_allows(room):
    allowed, used = rules()[room], set()
    for path in files_of(room if room in BESIDE else f"node/{room}"):
        for module in modules_of(path):
            if module.split(".")[0] not in OURS or room_of(module) == room:
                continue
            name = module.removeprefix("node.")
            assert name == "__version__" or under(name, allowed), (
                f"{path} imports {module}; docs/architecture.md lets its room import {sorted(allowed)}")
            used |= {prefix for prefix in allowed if under(name, {prefix})}
    assert used == allowed, "its row allows what it does not use"


def test_no_import_leads_upwards_or_round_in_a_circle():
    assert not {(a, b) for a, b in reached(arrows()) if a == b}


def test_no_module_imports_itself_through_others():
    modules = {module_of(path).removesuffix(".__init__"): path for path in files_of(*OURS)}
    pairs = {(name, there) for name, path in modules.items() for module in modules_of(path)
             if (there := module if module in modules else module.rpartition(".")[0]) in modules and there != name}
    assert len(pairs) > 500
    assert not {a for a, b in reached(pairs) if a == b}


def test_the_product_needs_neither_the_tests_nor_the_image():
    for path in files_of(*OURS):
        assert not {module.split(".")[0] for module in modules_of(path)} & {"tests", "archipel_image"}, path


# An import that no reader of the text sees; beside each file that may, why.
HIDDEN_IMPORTS = {
    "radio/meshtastic/protobuf.py": {"importlib", "importlib.util", "modules"},  # a library's definitions without it
    "node/textpack/__init__.py": {"importlib.resources.files"},
    "node/cli/help.py": {"modules"},  # click's own, to give them words
    "image-build/archipel_image/sources.py": {"importlib", "path"},  # programs of the overlay, which are no package
}


def hidden_imports(path: Path) -> set[str]:
    found = {module for module in modules_of(path) if under(module, {"importlib", "runpy", "pkgutil", "imp"})}
    for item in ast.walk(tree_of(path)):
        if isinstance(item, ast.Name) and item.id in ("__import__", "exec", "eval"):
            found.add(item.id)
        if isinstance(item, ast.Attribute) and ast.unparse(item) in ("sys.modules", "sys.path"):
            found.add(item.attr)
    return found


def test_every_import_stands_in_the_text():
    found = {str(path.relative_to(ROOT)): hidden_imports(path) for path in files_of(*OURS, "image-build")}
    assert len(found) > 200
    assert {path: names for path, names in found.items() if names} == HIDDEN_IMPORTS


def test_the_diagram_draws_what_the_imports_are():
    assert drawn() <= arrows(), "an arrow is drawn that no import makes"
    assert reached(drawn()) == reached(arrows())
    assert not [arrow for arrow in drawn() if reached(drawn() - {arrow}) == reached(drawn())], "drawn again"


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
    named = {module for path in files_of(part) for module in modules_of(path)}
    assert named
    for module in named:
        if module.startswith(f"{room}.") and not module.startswith(f"{own}."):
            assert may and re.match(may, module), module


def test_what_all_links_share_knows_none_of_them():
    shared = [*(ROOT / "node/sync").glob("*.py"), *(ROOT / "radio").glob("*.py")]
    assert len(shared) > 7
    for path in shared:
        assert not [module for module in modules_of(path) if re.match(r"node\.sync\.(lora|mqtt|codes)|"
                                                                     r"radio\.(meshtastic|mqtt|kiss|sim)", module)], path


def test_nothing_but_the_demo_needs_what_is_simulated():
    others = [path for path in files_of("node", "radio", "web") if path.parent != ROOT / "radio/sim"]
    need = {path.parent for path in others if any(module.startswith("radio.sim.") for module in modules_of(path))}
    assert need == {ROOT / "node/cli"} and len(others) > 300


def test_the_core_uses_only_what_does_no_io():
    looked_at, used, exempted = 0, set(), defaultdict(set)
    for path in core():
        name = str(path.relative_to(ROOT))
        for module in modules_of(path):
            if module.split(".")[0] not in OURS:
                pure = {prefix for prefix in PURE if under(module, {prefix})}
                exempt = {prefix for prefix in EXEMPT.get(name, ()) if under(module, {prefix})}
                assert pure or exempt, (path, module)
                used, looked_at = used | pure, looked_at + 1
                exempted[name] |= exempt
    assert looked_at > 300
    assert used == PURE and {file: names for file, names in exempted.items() if names} == EXEMPT, "allowed and not used"


# What reaches out without an import: functions by name, and methods by name whatever they are called on.
REACHES_OUT = {"open", "print", "input", "breakpoint"}
ON_FILES = {
    "read_bytes", "read_text", "write_bytes", "write_text", "mkdir", "rmdir", "unlink", "touch", "iterdir", "glob", "rglob",
    "stat", "lstat", "exists", "is_file", "is_dir", "resolve", "rename", "symlink_to", "chmod", "expanduser", "open",
}
OURS_ON = {"disk", "_disk", "envelope", "_seal"}  # whose `open`, `exists` and so on are our own
OWN_CLOCK = {"now", "today", "utcnow"}  # of datetime and date; `now` of a clock that was given is none of it
ON_DATES = {"datetime", "date", "dt"}


def reaching_out(path: Path) -> list[str]:
    """Calls that touch files or the terminal, or read the machine's clock."""
    calls = [item for item in ast.walk(tree_of(path)) if isinstance(item, ast.Call)]
    return [ast.unparse(call.func) for call in calls if is_reaching_out(call.func)]


def is_reaching_out(called: ast.expr) -> bool:
    if isinstance(called, ast.Name):
        return called.id in REACHES_OUT
    owner = getattr(called, "value", None)
    whose = getattr(owner, "attr", "") or getattr(owner, "id", "")
    name = getattr(called, "attr", "")
    return whose in ON_DATES if name in OWN_CLOCK else name in ON_FILES and whose not in OURS_ON


def test_only_the_disk_touches_files_in_the_core():
    touch = {"node/store/disk.py", "node/store/sqlitefile.py", "node/textpack/__init__.py"}
    found = {str(path.relative_to(ROOT)): reaching_out(path) for path in core()}
    assert {path for path, calls in found.items() if calls} == touch


def test_the_core_draws_no_chance_of_its_own():
    for path in core():
        calls = [item for item in ast.walk(tree_of(path)) if isinstance(item, ast.Call)]
        assert not [call for call in calls if ast.unparse(call.func) == "Random"], path
