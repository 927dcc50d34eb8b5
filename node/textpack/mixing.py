"""Many guesses into one chance, by logistic mixing (Mahoney 2005), in whole numbers only: the same on every machine.

A guess is a logarithm of odds, in 256ths. Counts meet their guesses in a table (how often a follower seen n times out
of r did come, learnt at build time), and weights chosen by the situation add the guesses up.
"""

from bisect import bisect_left
from itertools import accumulate

from node.textpack.index import COUNTS

ONE = 1 << 16  # chances, and a weight of one
MAX_GUESS = 2815  # e^11 to one: the surest chance that 16 bits can tell from certainty
_STEP = 18518942588666869714  # e^(1/256), times 2^64


def _odds() -> list[int]:
    """e^(g/256) in 64-bit fixed point, for g from 0 to MAX_GUESS."""
    return list(accumulate(range(MAX_GUESS), lambda odds, _: odds * _STEP >> 64, initial=1 << 64))


def _chances() -> list[int]:
    above = [ONE * odds // (odds + (1 << 64)) for odds in _odds()]
    return [ONE - chance for chance in reversed(above[1:])] + above


CHANCES = _chances()  # at guess + MAX_GUESS: the chance out of ONE, never 0 nor ONE


def guess_of(chance: int) -> int:
    """The guess nearest above a chance out of ONE."""
    return min(bisect_left(CHANCES, chance), 2 * MAX_GUESS) - MAX_GUESS


def _levels(edges: list[int]) -> bytes:
    """For each count below COUNTS, how many edges it reaches."""
    return bytes(sum(count >= edge for edge in edges) for count in range(COUNTS))


RUN_LEVELS = _levels([1, 2, 3, 4, 5, 6, 8, 11, 16, 24, 40, 80, 160, 320, 640])
_RUN_KINDS = RUN_LEVELS[-1] + 1
SEEN_CELLS = [level * _RUN_KINDS for level in _levels([1, 2, 3, 4, 5, 7, 10, 15, 25, 50, 100, 180, 320, 560])]
CELLS = SEEN_CELLS[-1] + _RUN_KINDS  # of one table: SEEN_CELLS[times seen] + RUN_LEVELS[out of]
