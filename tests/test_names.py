"""One word per thing: names that mean two things are listed here, each with its reason; names that are cited exist."""

import ast
import importlib
import re
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TREES = ("node", "radio", "web")

MODULES_TWICE = {  # module name: why several files may have it
    "keys": "who signs (node/model), and the commands about it (node/cli)",
    "index": "what sorts rows (node/store), and contexts (node/textpack)",
    "engine": "one for each kind of link (node/sync); the folder says which",
    "link": "what every link promises (radio), and one for each kind of link",
    "tuning": "one for each engine (node/sync)",
    "lora": "frames as Meshtastic makes them (radio), and the daemon's side of the same link",
    "settings": "archipel.toml (node/daemon), and what a Meshtastic link is told (radio/meshtastic)",
}
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
    modules = [(path.stem, str(path.relative_to(ROOT))) for path in files() if path.stem not in ("__init__", "__main__")]
    assert set(twice(modules)) == set(MODULES_TWICE)


CITED = re.compile(r"`((?:node|radio|web|tests)(?:\.\w+)+)`")  # `node.model.record.encode`
# a path, or a pattern of paths; capitals are to be filled in (TAG.po), node/sub/ is in an archive that a test makes
FILED = re.compile(r"\b((?:node|radio|web|tests|docs|image-build)/[\w./*-]+\.(?:py|md|toml|json|xz|txt|css|html|po|mjs))\b")


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
    assert not gone
