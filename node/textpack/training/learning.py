"""Learns a model's guesses and weights from recorded decisions. Floats are only added, multiplied, divided and rooted,
in a fixed order, so that every machine learns the same (IEEE 754)."""

from array import array
from math import sqrt
from operator import add, mul

from node.textpack.mixing import CHANCES, MAX_GUESS, ONE, guess_of

BATCH = 1024
RATES = (1.0, 0.3)  # one pass over the decisions each
GUESS_RATE, WEIGHT_RATE = 0.02, 0.005
FIRST_WEIGHTS = 0.3  # of all the sets together
STRIDE = 7_368_787  # a prime: batches take decisions from everywhere


class Decisions:
    """Recorded decisions: of each, the cells of its guesses, the chosen rows of weights, and whether it was a yes."""

    def __init__(self, slots: int, kinds: int):
        self._slots, self._kinds = slots, kinds
        self._cells, self._choices, self._answers = array("i"), array("B"), bytearray()

    def ask(self, cells: list[int], choices: list[int]) -> None:
        """Record a question."""
        self._cells.extend(cells)
        self._choices.extend(choices)

    def answer(self, yes: bool) -> None:
        """Record its answer."""
        self._answers.append(yes)

    def __len__(self) -> int:
        return len(self._answers)

    def __getitem__(self, at: int) -> tuple[array, array, int]:
        cells = self._cells[at * self._slots : (at + 1) * self._slots]
        return cells, self._choices[at * self._kinds : (at + 1) * self._kinds], self._answers[at]


class Adam:
    """Gradient descent with a step size for each number (Kingma and Ba 2015); numbers without a gradient stay."""

    def __init__(self, numbers: list[float], rate: float):
        self.numbers, self._rate = numbers, rate
        self._mean, self._square = [0.0] * len(numbers), [0.0] * len(numbers)
        self._mean_decay, self._square_decay = 1.0, 1.0

    def step(self, gradients: dict[int, float], factor: float) -> None:
        """One step against the gradients of a batch."""
        self._mean_decay *= 0.9
        self._square_decay *= 0.99
        rate = self._rate * factor / (1 - self._mean_decay)
        for place, gradient in gradients.items():
            mean = self._mean[place] = 0.9 * self._mean[place] + 0.1 * gradient
            square = self._square[place] = 0.99 * self._square[place] + 0.01 * gradient * gradient
            self.numbers[place] -= rate * mean / (sqrt(square / (1 - self._square_decay)) + 1e-8)


def first_guesses(decisions: Decisions, cells: int) -> list[float]:
    """For each cell, how often the answer was yes, as a guess in natural units."""
    yes, every = [0] * cells, [0] * cells
    for at in range(len(decisions)):
        used, _, answer = decisions[at]
        for cell in used:
            every[cell] += 1
            yes[cell] += answer
    return [guess_of(ONE * (10 * y + 3) // (10 * n + 10)) / 256 for y, n in zip(yes, every, strict=True)]


class Learner:
    """Guesses and weights on their way to foretelling the decisions' answers."""

    def __init__(self, decisions: Decisions, cells: int, slots: int, sizes: list[int]):
        self._decisions, self._slots = decisions, slots
        self._starts = [sum(sizes[:kind]) * slots for kind in range(len(sizes))]
        self.guesses = Adam(first_guesses(decisions, cells), GUESS_RATE)
        self.weights = Adam([FIRST_WEIGHTS / len(sizes)] * (sum(sizes) * slots), WEIGHT_RATE)

    def learn(self) -> None:
        """All the passes."""
        count = len(self._decisions)
        for factor in RATES:
            for first in range(0, count, BATCH):
                batch = range(first, min(first + BATCH, count))
                self._batch([at * STRIDE % count for at in batch], factor)

    def _batch(self, places: list[int], factor: float) -> None:
        guesses, rows = {}, {}
        for at in places:
            cells, choices, answer = self._decisions[at]
            starts = [start + choice * self._slots for start, choice in zip(self._starts, choices, strict=True)]
            self._descend(cells, starts, answer, guesses, rows)
        self.guesses.step({cell: slope / len(places) for cell, slope in guesses.items()}, factor)
        slopes = {start + at: slope / len(places) for start, row in rows.items() for at, slope in enumerate(row)}
        self.weights.step(slopes, factor)

    def _descend(self, cells: array, starts: list[int], answer: int, guesses: dict, rows: dict) -> None:
        """Add one decision's slopes to those of its batch."""
        numbers, slots = self.weights.numbers, self._slots
        inputs = [self.guesses.numbers[cell] for cell in cells]
        row = [sum(column) for column in zip(*[numbers[start : start + slots] for start in starts], strict=True)]
        place = min(max(int(sum(map(mul, inputs, row)) * 256), -MAX_GUESS), MAX_GUESS)
        error = CHANCES[place + MAX_GUESS] / ONE - answer
        for cell, weight in zip(cells, row, strict=True):
            guesses[cell] = guesses.get(cell, 0.0) + error * weight
        slopes = [error * value for value in inputs]
        for start in starts:
            rows[start] = list(map(add, rows[start], slopes)) if start in rows else slopes
