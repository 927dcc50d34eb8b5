"""One word per thing: names that mean two things are listed here, each with its reason; names that are cited exist."""

import ast
import importlib
import re
import tomllib
from collections import defaultdict
from fnmatch import filter as filter_names
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TREES = ("node", "radio", "web")

# Name of a module or a folder: where it is, and why several may have it.
MODULES_TWICE = {
    "keys": ({"node/model", "node/cli"}, "who signs, and the commands about it"),
    "index": ({"node/store", "node/textpack"}, "what sorts rows, and contexts"),
    "model": ({"node", "node/textpack"}, "the room of values, and what a text coder knows of a language"),
    "keyring": ({"node/board", "node/daemon"}, "what keepers do about keys: its face, and who does it"),
    "care": ({"node/board", "node/daemon"}, "what keepers do for their box: its face, and who does it"),
    "board": ({"node", "node/board"}, "the room, and its face"),
    "replica": ({"node", "node/replica"}, "the room, and what is put together there"),
    "transfer": ({"node", "node/cli"}, "the room, and the commands about it"),
    "engine": ({"node/sync/lora", "node/sync/mqtt"}, "one for each kind of link; the folder says which"),
    "tuning": ({"node/sync/lora", "node/sync/mqtt"}, "one for each engine"),
    "link": ({"radio", "radio/meshtastic", "radio/mqtt", "radio/kiss"}, "what every link promises, and one for each kind"),
    "lora": ({"node/sync", "node/daemon", "radio"}, "a kind of link: its engine, the daemon's side, frames"),
    "mqtt": ({"node/sync", "node/daemon", "radio"}, "the other kind, the same"),
    "settings": ({"node/daemon", "radio/meshtastic"}, "archipel.toml, and what a Meshtastic link is told"),
}
NO_NAMES = re.compile(r"utils?|helpers?|managers?|misc|common|base|data|stuff|tools")  # they say nothing
CLASSES_TWICE: dict[str, str] = {}


def files() -> list[Path]:
    return [path for tree in TREES for path in sorted((ROOT / tree).rglob("*.py")) if "training" not in path.parts]


def twice(found: list[tuple[str, str]]) -> dict[str, set[str]]:
    """Of (name, place) the names with several places."""
    places = defaultdict(set)
    for name, place in found:
        places[name].add(place)
    assert len(places) > 100
    return {name: where for name, where in places.items() if len(where) > 1}


def classes() -> list[tuple[str, str]]:
    return [(item.name.lstrip("_"), str(path.relative_to(ROOT))) for path in files()
            for item in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(item, ast.ClassDef)]


def test_a_class_name_means_one_thing():
    assert set(twice(classes())) == set(CLASSES_TWICE)


def test_a_module_name_means_one_thing():
    places = [path.parent if path.stem == "__init__" else path.with_suffix("") for path in files()]
    modules = [(place.name, str(place.parent.relative_to(ROOT))) for place in places
               if place.parent != ROOT and place.name != "__main__"]
    assert twice(modules) == {name: where for name, (where, _) in MODULES_TWICE.items()}
    assert not [name for name, _ in modules if NO_NAMES.fullmatch(name)]


ROOMS_UNSAID = {"model", "i18n", "textpack", "sync", "ical", "transfer", "cli"}  # parts of the code, and of nothing else


def test_the_glossary_has_a_line_for_each_room_that_people_speak_of():
    rooms = {path.name for path in (ROOT / "node").iterdir() if path.is_dir() and path.name != "__pycache__"}
    rows = re.findall(r"^\| \*\*(.+?)\*\* \| \S", (ROOT / "docs/glossary.md").read_text(), re.M)
    words = [word.strip() for row in rows for word in row.split(",")]
    assert rooms - ROOMS_UNSAID <= set(words), rooms - ROOMS_UNSAID - set(words)
    assert len(rows) > 40 and len(words) == len(set(words))


def test_each_word_of_the_glossary_is_used_for_something():
    rows = re.findall(r"^\| \*\*(.+?)\*\* \| \S", (ROOT / "docs/glossary.md").read_text(), re.M)
    said = " ".join(path.read_text(encoding="utf-8").lower() for path in files())
    assert len(rows) > 40
    for word in (word.strip() for row in rows for word in re.sub(r"\(.*?\)", "", row).split(",")):
        assert re.search(rf"\b{word.lower().replace(' ', '.?').replace('-', '.?')}", said.replace("_", " ")), word


def test_who_is_let_off_in_the_tools_is_there():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    sources = [path for path in map(Path, all_files()) if path.suffix in (".py", ".html") and "tests" not in path.parts]
    words = set(re.findall(r"\w+", " ".join(path.read_text(encoding="utf-8") for path in sources)))
    assert [name for name in settings["tool"]["vulture"]["ignore_names"] if not filter_names(words, name)] == []


@pytest.mark.parametrize("page", [*sorted((ROOT / "docs").rglob("*.md")), *sorted(ROOT.glob("*.md")),
                                  ROOT / "image-build/README.md"], ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    assert not [link for link in links if "://" not in link and not (page.parent / link).exists()]


CITED = re.compile(r"`((?:node|radio|web|tests)(?:\.\w+)+)`")  # `node.model.record.encode`
# a path, or a pattern of paths; capitals are to be filled in (TAG.po), node/sub/ is in an archive that a test makes
FILED = re.compile(r"\b((?:node|radio|web|tests|docs|image-build)/[\w./*-]+\.(?:py|md|toml|json|xz|txt|css|html|po|mjs))\b")
PART = re.compile(r"`([a-z_]\w*(?:/[a-z_]\w*)+\.(?:py|html|css|mjs))`")  # `board/notes.py`
MEMBER = re.compile(r"`([A-Z]\w+)\.([a-z_]\w*)")  # `Board.status`


@cache
def all_files() -> list[str]:
    folders = [*TREES, "tests", "docs", "image-build"]
    return [str(path) for folder in folders for path in (ROOT / folder).rglob("*.*") if "node_modules" not in path.parts]


@cache
def bodies() -> dict[str, set[str]]:
    """Class name -> the words of its body and of those that it stands on, as far as they are ours."""
    found = {item.name: item for path in files() for item in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
             if isinstance(item, ast.ClassDef)}

    def words(name: str) -> set[str]:
        above = [base.id for base in found[name].bases if isinstance(base, ast.Name) and base.id in found]
        return members(found[name]).union(*map(words, above))

    return {name: words(name) for name in found}


def members(kind: ast.ClassDef) -> set[str]:
    """What it defines: methods, fields, and what is set on `self`."""
    names = {item.name for item in ast.walk(kind) if isinstance(item, ast.FunctionDef)}
    names |= {item.attr for item in ast.walk(kind) if isinstance(item, ast.Attribute) and isinstance(item.ctx, ast.Store)}
    return names | {item.id for item in ast.walk(kind) if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store)}


def prose() -> list[Path]:
    return [*files(), *sorted((ROOT / "tests").rglob("*.py")), *sorted((ROOT / "image-build").rglob("*.py")),
            *sorted((ROOT / "docs").rglob("*.md")), ROOT / "image-build/README.md", ROOT / "README.md",
            ROOT / "Makefile", ROOT / "pyproject.toml", ROOT / ".ci/run"]


def exists(name: str) -> bool:
    """Whether a dotted name leads to a module, or to something in one."""
    parts = name.split(".")
    for size in range(len(parts), 0, -1):
        place = ROOT.joinpath(*parts[:size])
        if place.is_dir() or place.with_suffix(".py").exists():
            if size == len(parts):
                return True
            if parts[0] == "tests":  # its modules may do things when they are imported
                return True
            thing = importlib.import_module(".".join(parts[:size]))
            return all(thing is not None and (thing := part_of(thing, part)) is not None for part in parts[size:])
    return False


def part_of(thing: object, name: str) -> object | None:
    """An attribute, or the type of a field that has no default."""
    return getattr(thing, name, None) or getattr(thing, "__annotations__", {}).get(name)


@pytest.mark.parametrize("path", prose(), ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_cited_exists(path):
    text = path.read_text(encoding="utf-8")
    gone = [name for name in CITED.findall(text) if not exists(name)]
    paths = [name for name in FILED.findall(text) if not re.search("[A-Z]{3}|node/sub/", name)]
    gone += [name for name in paths if not any(ROOT.glob(name))]
    gone += [name for name in PART.findall(text) if not any(file.endswith(f"/{name}") for file in all_files())]
    gone += [f"{name}.{part}" for name, part in MEMBER.findall(text) if name in bodies() and part not in bodies()[name]]
    assert not gone
