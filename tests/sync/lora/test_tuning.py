"""What the engines were tuned to: each choice says its unit, its reason and what set it; each is used, and may differ."""

import ast
import re
from dataclasses import fields, replace
from itertools import pairwise
from pathlib import Path

import pytest

from node.sync.lora import tuning as lora_tuning
from node.sync.lora.packets import Need
from node.sync.lora.tuning import TUNING, Tuning
from node.sync.mqtt import tuning as mqtt_tuning
from node.sync.mqtt.tuning import BrokerTuning
from tests.bench import air
from tests.sim.archipelago import bulletin
from tests.sync.lora.test_engine import LoneIsland, summary

ROOT = Path(__file__).parents[3]
SAYS = re.compile(r"(?P<unit>[A-Z]\w*)\. (?P<reason>.{12,}?) Set by: (?P<source>.{6,})\.")
UNITS = {
    "T", "Seconds", "Hours", "Neighbours", "Records", "Elements", "Packets", "Messages", "Questions", "Doublings", "Bytes",
    "Probability", "Fraction", "Transmissions", "Pairs", "Authors", "Summaries", "Slots",
}


def said(module, name):
    """Field name -> the text below it in the class, its lines joined."""
    tree = ast.parse(Path(module.__file__).read_text())
    body = next(item for item in tree.body if isinstance(item, ast.ClassDef) and item.name == name).body
    return {field.target.id: " ".join(text.value.value.split()) for field, text in pairwise(body)
            if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr)}


CHOICES = [(kind, field.name, said(module, kind.__name__).get(field.name, ""))
           for module, kind in ((lora_tuning, Tuning), (mqtt_tuning, BrokerTuning)) for field in fields(kind)]


def test_every_choice_says_its_unit_its_reason_and_what_set_it():
    assert len(CHOICES) > 90
    unclear = [name for _, name, text in CHOICES if not (found := SAYS.fullmatch(text)) or found["unit"] not in UNITS]
    assert unclear == []


def test_what_is_named_as_having_set_a_choice_is_there():
    sources = " ".join(text.split("Set by: ")[1] for _, _, text in CHOICES)
    files, benches = set(re.findall(r"[\w/]+\.(?:py|md)", sources)), set(re.findall(r"\bbench (\w+)", sources))
    assert len(files) > 8 and {"air", "events", "broker"} <= benches
    assert [name for name in files if not (ROOT / name).is_file()] == []
    assert [name for name in benches if not (ROOT / "tests" / "bench" / f"{name}.py").is_file()] == []


def test_the_scenarios_that_the_choices_were_measured_in_can_be_run_as_they_are_written():
    lines = re.findall(r"^    (\w+) +(--.*)$", lora_tuning.__doc__, re.MULTILINE)
    assert len(lines) >= 6
    for _, words in lines:
        air.arguments("", words.split())


@pytest.mark.parametrize(("kind", "room"), [(Tuning, "lora"), (BrokerTuning, "mqtt")])
def test_no_choice_is_left_that_nothing_reads(kind, room):
    code = "".join(path.read_text() for path in (ROOT / "node" / "sync" / room).glob("*.py") if path.name != "tuning.py")
    assert [field.name for field in fields(kind) if not re.search(rf"\.{field.name}\b", code)] == []


@pytest.mark.parametrize("most", [1, 3])
def test_an_engine_goes_by_the_tuning_that_it_is_given(most):
    island = LoneIsland(tuning=replace(TUNING, max_asks=most))
    island.wait(1500)
    island.hear(summary([bulletin(1)], at=island.now))
    assert len(island.sections(Need, island.wait(3 * 3600))) == most


def test_the_bench_takes_another_value_for_any_choice():
    other = replace(TUNING, threshold=0.3, gap_t=(1, 2), max_asks=7)
    assert air.tuned(["threshold=0.3", "gap_t=1,2", "max_asks=7"]) == other
