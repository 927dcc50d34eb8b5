"""What fuzzing has kept, and what once broke a parser, is read once more with each change (tests/fuzz/kinds.py)."""

import re

import pytest

from tests.effort import EFFORT
from tests.fuzz import kinds
from tests.fuzz.pruning import pruned

MOST_OCTETS = 400_000  # of all corpora


@pytest.mark.parametrize("name", kinds.names())
def test_a_parser_stands_all_that_its_corpus_holds(name):
    target = kinds.target(name)
    inputs = [*kinds.kept(kinds.CORPUS, name)[::target.share if EFFORT == 1 else 1], *kinds.kept(kinds.FOUND, name)]
    for octets in inputs:
        target.run(octets)
    assert len(inputs) > 1, "python -m tests.fuzz --prune"


def test_corpora_stay_small_and_belong_to_a_target():
    held = [path for folder in (kinds.CORPUS, kinds.FOUND) for path in folder.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in held) < MOST_OCTETS
    assert {path.parent.name for path in held} <= set(kinds.names())


def test_every_file_that_a_target_reads_is_there():
    read = [path for name in kinds.names() for path in kinds.target(name).files]
    assert len(read) > 20 and all((kinds.ROOT / path).is_file() for path in read)


def test_of_many_inputs_those_stay_that_take_a_step_of_their_own():
    charter = kinds.target("charter")
    good = next(iter(charter.seeds()))
    assert pruned(charter, [good, b"??", good, b"?"]) == [b"?", good]


ROW = re.compile(r"\| [^|]+ \| [^|]+ \| ([^|]+) \| `(\w+)` \|")
PATH = re.compile(r"`([\w/-]+\.py)`")
TAKES_APART = re.compile(
    r"json\.loads?\(|\.recv\(|FromString\(|HTMLParser|decompressobj|struct\.unpack|fromstring\(|raw_decode\(|import osmium|"
    r"\.readline\(")


def test_every_reader_of_what_comes_from_outside_has_its_target():
    told = (kinds.ROOT / "docs/fuzzing.md").read_text(encoding="utf-8")
    rows = {target: PATH.findall(readers) for readers, target in ROW.findall(told)}
    assert sorted(rows) == kinds.names()
    for target, readers in rows.items():  # a target runs what it is said to run, whether or not it measures all of it
        assert readers and set(readers) & set(kinds.target(target).files), target
    assert all((kinds.ROOT / path).is_file() for path in PATH.findall(told) if "/" in path)


def test_no_module_takes_octets_apart_that_the_table_does_not_tell_of():
    told = set(PATH.findall((kinds.ROOT / "docs/fuzzing.md").read_text(encoding="utf-8")))
    ours = [path for room in ("node", "radio", "web", "image-build/overlay") for path in (kinds.ROOT / room).rglob("*.py")
            if not {"sim", "training"} & set(path.parts)]
    found = {str(path.relative_to(kinds.ROOT)) for path in ours if TAKES_APART.search(path.read_text(encoding="utf-8"))}
    assert len(found) > 25 and found <= told, found - told
