"""Founders' keys while they are made: in memory alone, and written over when the set is founded.

What can be written over is: the seeds. Words and keys that were made of them are immutable in Python and stay in the
process's memory until that is used again; so the process that knew them ends right after founding (the island starts anew),
and the SD image has no swap.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from node.board.founding import ASKED, FounderKey
from node.board.keyring import KeyRefused
from node.board.keywords import SEED_WORDS, fingerprint_words, same_word, seed_words
from node.i18n.sentence import sentence
from node.model.keys import SEED_BYTES, SigningKey


class UnkeptKeys:
    """The founders' keys of one set to be (`node.board.founding.FounderKeys`). Safe from any thread.

    `random(n)` gives n random bytes.
    """

    def __init__(self, count: int, random: Callable[[int], bytes]):
        self.count, self._random = count, random
        self._lock = threading.Lock()
        self._seeds: list[bytearray] = []
        self._shown: bytearray | None = None
        self._language = ""
        self._places: tuple[int, ...] = ()

    def written(self) -> int:
        """How many were shown and found to be written down."""
        return len(self._seeds)

    def show(self, language: str) -> FounderKey:
        """A new key, in the place of the last one if that was not found to be written down."""
        with self._lock:
            _overwrite(self._shown)
            self._shown = bytearray(self._random(SEED_BYTES))
            self._language, self._places = language, tuple(sorted(_some(self._random, ASKED, SEED_WORDS)))
            seed, number = bytes(self._shown), len(self._seeds) + 1
        public = SigningKey(seed).public
        return FounderKey(number, self.count, seed_words(seed, language), public.hex(), fingerprint_words(public, language))

    def asked(self) -> tuple[int, ...]:
        """Which of its words are to be typed (from 1 on), in their order; none when no key waits for that."""
        return self._places if self._shown is not None else ()

    def check(self, typed: tuple[str, ...]) -> bool:
        """Whether these are the words that were asked for; then the key counts as written down."""
        with self._lock:
            if self._shown is None or len(typed) != len(self._places) or len(self._seeds) >= self.count:
                return False
            words = seed_words(bytes(self._shown), self._language)
            if not all(same_word(one, words[place - 1]) for one, place in zip(typed, self._places, strict=True)):
                return False
            self._seeds.append(self._shown)
            self._shown = None
            return True

    @contextmanager
    def signing(self) -> Iterator[list[SigningKey]]:
        """All of them, to sign with; they are forgotten at the end, if nothing went wrong. Raises KeyRefused while one is
        not written down, or after they were forgotten."""
        with self._lock:
            keys = [SigningKey(bytes(seed)) for seed in self._seeds]
        if len(keys) != self.count:
            raise KeyRefused(sentence("First write down all founders’ keys."))
        yield keys
        self.forget()

    def forget(self) -> None:
        """Write over every seed."""
        with self._lock:
            for seed in (*self._seeds, self._shown):
                _overwrite(seed)
            self._seeds, self._shown = [], None


def _overwrite(seed: bytearray | None) -> None:
    if seed is not None:
        seed[:] = bytes(len(seed))


def _some(random: Callable[[int], bytes], count: int, highest: int) -> set[int]:
    """So many different numbers from 1 on."""
    found: set[int] = set()
    while len(found) < count:
        found.add(random(1)[0] % highest + 1)
    return found
