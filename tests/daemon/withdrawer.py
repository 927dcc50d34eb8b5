"""A real island that posts, corrects, schedules, refuses and takes back, and says what must be gone; killed by its parent.

    python -m tests.daemon.withdrawer FOLDER SEED [settle]

One line of JSON for each thing that was withdrawn and acknowledged: {"raw": hex, "word": a word of its text}. With `settle`
it does nothing but wait until nothing is to be erased any more, and says so.
"""

import json
import random
import sys
from pathlib import Path

from node.board.api import Draft
from node.daemon.app import App
from node.daemon.settings import MqttSettings, NodeSettings, PortalSettings, RadioSettings, Settings
from node.model.clock import RELEASED_AT, FastClock
from node.model.record import Kind
from tests.waiting import until

SPEED = 600.0  # an hour in six seconds


def main(folder, seed, settle=False):
    node, radio = NodeSettings("a", Path(folder)), RadioSettings(connect="none")
    settings = Settings(node, PortalSettings(), radio, MqttSettings("none"))
    island = App(settings, FastClock(SPEED, RELEASED_AT + 30 * 86_400.0))
    island.open()
    print("ready", flush=True)
    if settle:
        waiting = island.board.notes  # what a keeper refused may be brought back for ten minutes, and is erased after them
        until(lambda: not any(post.cleared for post in waiting.state.waiting.values()))
        until(lambda: not island.store.owes and island.maintenance.erasure.owed_s is None)
        print("erased", flush=True)
        sys.stdin.readline()
        return
    Busy(island, random.Random(seed), seed).go_on_for_ever()


class Busy:
    """Whatever takes something back."""

    def __init__(self, island, chance, seed):
        self._island, self._board, self._chance, self._seed, self._count = island, island.board, chance, seed, 0

    def go_on_for_ever(self):
        while True:
            self._chance.choice([self._withdraw, self._correct_and_withdraw, self._cancel_scheduled, self._refuse,
                                 self._keep])()

    def _draft(self, **more):
        self._count += 1
        word = f"motsecret{self._seed}q{self._count}z"
        return Draft(Kind.BULLETIN, text=f"Rendez-vous {word} derrière la mairie " + "à six heures " * 9, **more), word

    def _tell(self, raw, word):
        print(json.dumps({"raw": raw.hex(), "word": word}), flush=True)

    def _index(self):
        if self._chance.random() < 0.5:
            self._island.maintenance.index()
            self._board.search("rendez")

    def _keep(self):
        draft, _ = self._draft()
        self._board.post(draft)

    def _withdraw(self):
        draft, word = self._draft()
        posted = self._board.post(draft)
        raw = self._island.liveset.raw(bytes.fromhex(posted.id))
        self._index()
        self._board.withdraw(posted.id, posted.edit_code)
        self._tell(raw, word)

    def _correct_and_withdraw(self):
        (draft, word), (better, other) = self._draft(), self._draft()
        posted = self._board.post(draft)
        raw = self._island.liveset.raw(bytes.fromhex(posted.id))
        self._index()
        second = self._board.correct(posted.id, posted.edit_code, better)
        later = self._island.liveset.raw(bytes.fromhex(second.id))
        self._index()
        self._board.withdraw(second.id, posted.edit_code)
        self._tell(raw, word)
        self._tell(later, other)

    def _cancel_scheduled(self):
        draft, word = self._draft(publish_at=self._board.now() + 5000)
        posted = self._board.post(draft)
        raw = self._board.notes.state.waiting[posted.id].raw
        self._board.withdraw(posted.id, posted.edit_code)
        self._tell(raw, word)

    def _refuse(self):
        self._board.set_posting("moderated", "k")
        draft, word = self._draft()
        posted = self._board.post(draft)
        raw = self._board.notes.state.waiting[posted.id].raw
        self._board.refuse(posted.id, "k")
        self._board.set_posting("open", "k")
        self._tell(raw, word)


if __name__ == "__main__":
    main(*sys.argv[1:])
