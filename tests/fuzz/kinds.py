"""What a target is: a function that takes any octets and may raise only what its parser says that it raises.

One file of `tests/fuzz/targets/` is one target, `TARGET`; the name of the file is its name. A new parser gets a new file
there, and is fuzzed, measured and replayed from then on.
"""

import importlib
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CORPUS, FOUND = HERE / "corpus", HERE / "found"
OVERLAY = "image-build/overlay/usr/lib/archipel"  # programs of the box, read by path and not as modules


@dataclass(frozen=True)
class Target:
    """`run(octets)` returns, whatever comes, or what it raises is a fault.

    `reads`: files whose branches it has to take; after a colon those of a file's functions that read, where most do not.
    `seeds()`: good input to begin with; what is longer than `most` octets is neither fuzzed nor kept, but measured: bounds
    of whole files are reached so. `share`: of a slow target the suite replays one input in so many. `words`: what the
    format is made of, for the fuzzer. `beside`: functions in those files that read nothing from outside ("Class.method",
    "function"), `aside`: lines, by how they begin, of which a branch cannot be taken here; both by the reason why not.
    """

    run: Callable[[bytes], object]
    reads: tuple[str, ...]
    seeds: Callable[[], Iterable[bytes]]
    most: int = 4_096
    words: tuple[bytes, ...] = ()
    share: int = 1
    aside: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    beside: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def files(self) -> list[str]:
        """What it reads, without functions."""
        return [each.partition(":")[0] for each in self.reads]

    def measures(self, file: str, function: str) -> bool:
        """Whether the branches of a function ("Class.method", or "" for a file's own lines) count."""
        named = next(each for each in self.reads if each.partition(":")[0] == file).partition(":")[2].split()
        name = function.split(".<locals>")[0]
        return name in named if named else name not in self.let_off

    @property
    def let_off(self) -> set[str]:
        """Every function that is not measured."""
        return {name for functions in self.beside.values() for name in functions}


if str(ROOT / "image-build") not in sys.path:
    sys.path.append(str(ROOT / "image-build"))  # as pytest does it


def names() -> list[str]:
    """Every target."""
    return sorted(path.stem for path in (HERE / "targets").glob("[a-z]*.py"))


def target(name: str) -> Target:
    """One target; its parser is imported only now."""
    return importlib.import_module(f"tests.fuzz.targets.{name}").TARGET


def inputs(name: str) -> list[bytes]:
    """What is kept of a target: its corpus, and what once broke it."""
    return [*kept(CORPUS, name), *kept(FOUND, name)]


def kept(folder: Path, name: str) -> list[bytes]:
    """One of both."""
    return [path.read_bytes() for path in sorted((folder / name).glob("*"))]
