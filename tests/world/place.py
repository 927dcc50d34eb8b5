"""What a seed draws for the whole of a world, and what else is in it beside islands and the air."""

from collections import deque
from dataclasses import dataclass

from radio.sim import topology

SHAPES = {"line": topology.line, "ring": topology.ring, "star": topology.star, "cell": topology.cell}
STRANGER = 0  # a radio that belongs to no island


@dataclass(frozen=True)
class Place:
    """What a seed draws for the whole of a world. `rates`: how often each kind of fault is drawn, 1 as its weight says."""

    islands: int
    shape: str
    loss: float
    broker: bool
    lan: bool
    firmware: str
    share: float
    repeat: float
    delay_s: float
    rates: dict[str, float]

    @classmethod
    def of(cls, rng, kinds):
        return cls(rng.randint(3, 5), rng.choice(sorted(SHAPES)), rng.choice((0.0, 0.1, 0.3, 0.5, 0.75)),
                   rng.random() < 0.6, rng.random() < 0.6, rng.choice(("2.7.4", "2.8.0")), rng.choice((0.0, 2.0, 50.0)),
                   rng.choice((0.0, 0.0, 0.2)), rng.choice((0.0, 0.0, 20.0)),
                   {kind: rng.choice((0.0, 0.3, 1.0, 3.0)) for kind in kinds})


class Violation(AssertionError):
    """Something that must hold does not."""


class WorldBroker:
    """Keeps the last message of each topic, and shows it to whoever is there; it may be down, forget, lie."""

    def __init__(self):
        self.up, self.retained, self.history = True, {}, deque(maxlen=200)

    def put(self, root, payload):
        topic = root, payload[:16]
        self.history.append((root, payload))
        if payload[16:]:
            self.retained[topic] = payload
        else:
            self.retained.pop(topic, None)
