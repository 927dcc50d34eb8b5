"""What may happen in a world: one function a step, each with how often it is drawn. They are in the files beside this one.

Each draws what it needs from a seed of its own, so that leaving out other steps changes as little of it as may be.
"""

from collections.abc import Callable
from dataclasses import dataclass

from node.board.api import BoardClosed, DraftRefused, Overtaken
from node.board.keyring import KeyRefused

STEPS = {}
REFUSED = (BoardClosed, DraftRefused, Overtaken, KeyRefused)


@dataclass(frozen=True)
class StepKind:
    """What to do (`do(world, rng)`), how often beside others, and of which kind of fault it is ("" if it is none)."""

    do: Callable
    weight: float
    fault: str


def step(weight, fault=""):
    """Make a function a step."""
    def made(do):
        STEPS[do.__name__] = StepKind(do, weight, fault)
        return do

    return made


def faults():
    """Every kind of fault."""
    return sorted({kind.fault for kind in STEPS.values() if kind.fault})


def some_island(world, rng):
    """One that is on, or None."""
    running = world.running()
    return rng.choice(running) if running else None


def acted(world, island, work):
    """What a page does: its answer, None for none (the power went) or a refusal; and whether the power went."""
    life = island.lives
    try:
        answer = world.guarded(island, work)
    except REFUSED as refused:
        world.say(f"{island.name}: refused, {type(refused).__name__} {refused}")
        world.counts["refused"] += 1
        answer = None
    went = not island.on or island.lives != life
    world.look_at(island)
    return answer, went
