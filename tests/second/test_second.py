"""What docs/protocol.md says, told by a second implementation that was written from it alone: it agrees with ours, with
all vectors, on what is good, on what is refused and why. `EFFORT=20` tries twenty times as much."""

import json
import random
from collections import Counter
from pathlib import Path

import pytest

from tests.effort import EFFORT, SEED
from tests.second import random_carried
from tests.second.asking import SecondReader, differences, verdict
from tests.second.random_records import any_record, spoilt_record
from tests.second.random_sets import CrowdedSet, RandomSet, ToldSet, judged
from tests.sim.village import Village
from tests.vectors.make import described

pytestmark = pytest.mark.process
CORPUS = Path(__file__).parents[1] / "corpus"
LANGUAGES = {1: "fr", 2: "en", 3: "es", 4: "ar"}
BEATEN = {"retracted", "superseded", "over-share"}


@pytest.fixture(scope="module")
def second():
    reader = SecondReader()
    yield reader
    reader.close()


def told(raw):
    """A record as the vectors tell it."""
    return {name: value for name, value in described("", raw).items() if name not in ("name", "hex")}


def reasons(asked):
    """How often ours refused for what reason, "ok" for what it took."""
    return Counter(ours.get("no", "ok") for _, ours in asked)


def test_it_reads_every_vector_as_written(second):
    [answer] = second.answers([{"ask": "vectors"}])
    assert answer["ok"]["wrong"] == [] and answer["ok"]["tried"] >= 500


def test_it_reads_and_refuses_the_same_records(second):
    rng = random.Random(SEED)
    raws = [make(rng) for _ in range(600 * EFFORT) for make in (any_record, spoilt_record)]
    asked = [({"ask": "record", "hex": raw.hex()}, verdict(told, raw)) for raw in raws]
    assert differences(second, asked) == []
    found = reasons(asked)
    assert found["ok"] > len(asked) / 4 and len(found) >= 10


@pytest.mark.parametrize(("kind", "sets", "steps"), [
    pytest.param(RandomSet, 24, 1, id="at once"), pytest.param(RandomSet, 10, 7, id="step by step"),
    pytest.param(ToldSet, 6, 1, id="told by many"), pytest.param(CrowdedSet, 6, 1, id="over quotas"),
    pytest.param(CrowdedSet, 1, 5, id="over quotas, step by step")])
def test_the_same_records_make_the_same_set_names_and_secret(second, kind, sets, steps):
    rng, found = random.Random(SEED), Counter()
    for number in range(sets * EFFORT):
        made = kind(rng, number) if kind is CrowdedSet else kind(rng)
        question, ours = judged(made, rng, steps)
        _, answer = second.answers([random_carried.set_question(made.village)[0], question])
        assert {**answer["ok"], "reasons": None} == {**ours, "reasons": None}, json.dumps(question)
        if steps == 1:  # later the reason is that of the moment: what it rested on may have gone again
            assert same_reasons(answer["ok"]["reasons"], ours["reasons"]), json.dumps(question)
        found.update(ours["reasons"].values())
        found["live"] += len(ours["live"])
    assert found["live"] > 5 * sets and len(found) >= 4


def same_reasons(answer, ours):
    """Whether they are; but what is forged and beaten by a later one in the list was looked at before that came."""
    return {id_: reason for id_, reason in answer.items() if not (reason in BEATEN and ours.get(id_) == "signature")} == {
        id_: reason for id_, reason in ours.items() if not (reason == "signature" and answer.get(id_) in BEATEN)}


@pytest.mark.parametrize(("make", "times", "least"), [
    (random_carried.packets, 120, 9), (random_carried.codes, 15, 1), (random_carried.foreign_keys, 30, 1),
    (random_carried.bundles, 40, 2), (random_carried.letters, 30, 1), (random_carried.papers, 30, 8)])
def test_what_travels_is_read_and_refused_alike(second, make, times, least):
    rng = random.Random(SEED)
    asked = [each for _ in range(times * EFFORT) for each in make(rng)]
    assert differences(second, asked) == []
    assert reasons(asked)["ok"] > len(asked) / 4 and len(reasons(asked)) >= least


def test_what_is_sealed_opens_and_is_refused_alike(second):
    rng, village = random.Random(SEED), Village()
    asked = [random_carried.set_question(village)] + [
        each for _ in range(20 * EFFORT) for each in random_carried.sealed(rng, village)]
    assert differences(second, asked) == []
    assert {"ok", "seal", "seal-size", "lan-form", "lan-seal"} <= set(reasons(asked))


def test_texts_of_four_languages_are_read_alike(second):
    rng = random.Random(SEED)
    corpus = {number: (CORPUS / f"{name}.txt").read_text(encoding="utf-8").splitlines()
              for number, name in LANGUAGES.items()}
    asked = [each for _ in range(5 * EFFORT) for each in random_carried.texts(rng, corpus)]
    assert differences(second, asked) == []
    assert reasons(asked)["ok"] >= 5 * EFFORT
