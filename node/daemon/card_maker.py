"""How keepers have the box write a card (`node.board.cards.CardMaker`): what is asked of its program, and what that tells.

What is wanted of a new card may hold passwords and an invitation: it is asked in memory, never on this box's own card, and
goes when the program is done with it.
"""

import json
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from node.board import cards
from node.board.board import Board
from node.board.cards import KEEPER, KEEPER_PASSWORD, CardRefused, CardStage, CardState, CardWish, ReaderView
from node.board.island_settings import COUNTRY, LANGUAGE, ZONE
from node.board.keyring import InviteWish, TypedKey
from node.board.reasons import AuditAction
from node.daemon.card_order import (
    BUNDLE_FILE,
    CARD_KEYS,
    CARD_WORD,
    MAX_BUNDLE_BYTES,
    TOLD_FILE,
    WISH_FILE,
    settings_lines,
    told_in,
)
from node.daemon.keyfiles import write_private
from node.daemon.keyring import BriefMemory
from node.daemon.orders import Orders
from node.daemon.settings import Settings
from node.i18n.sentence import Sentence, sentence

# The first wish of a release waits until what cards are copied from is made (archipel-cardbase, 15 minutes at most; in QEMU
# 65 s on a quiet machine, four minutes on a busy one).
TAKEN_S = 1_200.0
SILENT_S = 300.0  # the program tells after each 4 MiB; the slowest card that still works takes some seconds for them
MOST_READERS, MOST_HELD = 8, 8
SHOWN_KEYS = (LANGUAGE, ZONE, COUNTRY)
BUSY_STAGES = frozenset({CardStage.LOOKING, CardStage.BLANKING, CardStage.WRITING, CardStage.CHECKING})
TOGETHER = {KEEPER: KEEPER_PASSWORD, KEEPER_PASSWORD: KEEPER}


@dataclass(frozen=True)
class CardHost:
    """What it needs of the island: `folders` where the program is asked and where it tells, None where there is none;
    `settings` those that count, `bundle` the live records as one, `uptime` of the machine, `random` so many octets."""

    folders: tuple[Path, Path] | None
    orders: Orders
    settings: Callable[[], Settings]
    bundle: Callable[[], Iterator[bytes]]
    uptime: Callable[[], float]
    random: Callable[[int], bytes] = os.urandom


class IslandCardMaker:
    """Cards of one island's box. Safe from any thread but the runner's."""

    def __init__(self, board: Board, host: CardHost):
        self._board, self._host = board, host
        self._lock = threading.RLock()
        self._label, self._asked_at, self._asked = "", 0.0, CardStage.IDLE
        self._prepared: BriefMemory[CardWish] = BriefMemory(board.now)

    def here(self) -> bool:
        """See CardMaker."""
        return self._host.folders is not None and CARD_WORD in self._host.orders.words

    def state(self) -> CardState:
        """See CardMaker."""
        if self._host.folders is None:
            return CardState()
        told = told_in(self._host.folders[1] / TOLD_FILE)
        state, now = _state(told), self._host.uptime()
        with self._lock:
            if self._label and told.get("label") != self._label:
                in_time = now - self._asked_at < TAKEN_S
                return CardState(self._asked) if in_time else CardState(CardStage.FAILED, trouble=cards.NO_LOOK)
        if state.stage in BUSY_STAGES and not 0 <= now - _number(told.get("at")) < SILENT_S:
            return replace(state, stage=CardStage.FAILED, trouble=cards.STOPPED)
        return state

    def standard(self) -> dict[str, str]:
        """See CardMaker."""
        shown = {key: _text(self._host.settings(), key) for key in SHOWN_KEYS}
        return {key: value for key, value in shown.items() if value}

    def look(self) -> None:
        """See CardMaker."""
        self._ask(CardStage.LOOKING, {"what": "look"})

    def prepare(self, wish: CardWish) -> str:
        """See CardMaker."""
        if not self.here():
            raise CardRefused(cards.NOT_HERE)
        if wish.board and not wish.days:
            raise CardRefused(cards.BOARD_ALONE)
        self.reader(wish)
        typed = {key: value.strip() for key, value in wish.settings.items() if key in CARD_KEYS and value.strip()}
        for key, other in TOGETHER.items():
            if key in typed and other not in typed:
                raise CardRefused(cards.KEEPER_WHOLE, other)
        reading = settings_lines(typed)
        wrong = [notice.sentence for notice in reading.notices if not notice.harmless]
        if wrong:
            raise CardRefused(wrong[0], next((key for key in typed if tuple(key.split(" ")) not in reading.given), ""))
        return self._prepared.put(replace(wish, settings={key: _text(reading.settings, key) for key in typed}))

    def prepared(self, label: str) -> CardWish | None:
        """See CardMaker."""
        return self._prepared.get(label)

    def reader(self, wish: CardWish) -> ReaderView:
        """See CardMaker."""
        found = [view for view in self.state().readers or () if (view.name, view.seen) == (wish.reader, wish.seen)]
        if not found:
            raise CardRefused(cards.NOT_SEEN)
        if found[0].trouble:
            raise CardRefused(found[0].trouble)
        return found[0]

    def write(self, label: str, keeper: str, key: TypedKey | None = None, why: str = "") -> None:
        """See CardMaker. The audit log has it before the box hears of it."""
        wish = self.prepared(label)
        if wish is None:
            raise CardRefused(cards.FORGOTTEN)
        title = self.reader(wish).title
        letters = self._board.keyring.invite(InviteWish(wish.days), keeper, key, why).letters if wish.days else ""
        self._board.log_act(AuditAction.CARD, keeper, title, why)
        asked = {"what": "write", "reader": wish.reader, "seen": wish.seen, "settings": wish.settings,
                 "invitation": letters, "board": wish.board}
        self._ask(CardStage.BLANKING, asked, self._host.bundle() if wish.board else ())
        self._prepared.take(label)

    def tidy(self) -> None:
        """See CardMaker."""
        if self._host.folders is not None and self.state().stage not in BUSY_STAGES:
            _take_back(self._host.folders[0])

    def _ask(self, stage: CardStage, wish: Mapping[str, Any], bundle: Iterable[bytes] = ()) -> None:
        """Leave a wish and order it; raises CardRefused."""
        if not self.here() or self._host.folders is None:
            raise CardRefused(cards.NOT_HERE)
        with self._lock:
            if self.state().stage in BUSY_STAGES:
                raise CardRefused(cards.BUSY)
            label = self._host.random(8).hex()
            try:
                _leave(self._host.folders[0], {**wish, "label": label}, bundle)
                self._host.orders.place(CARD_WORD)
            except OSError as error:
                raise CardRefused(sentence("The box cannot be asked (%(error)s): start it again.",
                                           error=error.strerror or "")) from error
            self._label, self._asked, self._asked_at = label, stage, self._host.uptime()


def _leave(folder: Path, wish: Mapping[str, Any], bundle: Iterable[bytes]) -> None:
    """Write what is asked, for those of the island's group."""
    _take_back(folder)
    folder.mkdir(exist_ok=True)
    folder.chmod(0o750)  # whatever the service's umask takes away
    if wish.get("board"):
        left = MAX_BUNDLE_BYTES
        with (folder / BUNDLE_FILE).open("wb") as file:
            for piece in bundle:
                left -= len(piece)
                if left < 0:
                    raise CardRefused(cards.TOO_MUCH)
                file.write(piece)
        (folder / BUNDLE_FILE).chmod(0o640)
    write_private(folder / WISH_FILE, json.dumps(wish, ensure_ascii=False))
    (folder / WISH_FILE).chmod(0o640)


def _take_back(folder: Path) -> None:
    for name in (WISH_FILE, BUNDLE_FILE):
        (folder / name).unlink(missing_ok=True)


# what the program tells is another user's: whatever it is, nothing of it raises


def _state(told: Mapping[str, Any]) -> CardState:
    stage = told.get("stage")
    readers = told.get("readers")
    size, done, total = (int(_number(told.get(name))) for name in ("size", "done", "total"))
    return CardState(
        CardStage(stage) if stage in set(CardStage) else CardStage.IDLE,
        tuple(map(_view, readers[:MOST_READERS])) if isinstance(readers, list) else None,
        _words(told.get("title")), size, done, total,
        None if told.get("left") is None else int(_number(told["left"])), _sentence(told.get("trouble")))


def _view(told: Any) -> ReaderView:
    told = told if isinstance(told, dict) else {}
    holds = told.get("holds")
    said = [_sentence(one) for one in (holds[:MOST_HELD] if isinstance(holds, list) else [])]
    return ReaderView(_words(told.get("name")), _words(told.get("seen")), _words(told.get("title")),
                      int(_number(told.get("size"))), tuple(one for one in said if one), _sentence(told.get("trouble")))


def _sentence(told: Any) -> Sentence | None:
    try:
        return Sentence.of(told)
    except ValueError:
        return None


def _words(told: Any) -> str:
    return told[:80] if isinstance(told, str) else ""


def _number(told: Any) -> float:
    return float(told) if isinstance(told, int | float) and not isinstance(told, bool) and abs(told) < 1e18 else 0.0


def _text(settings: Settings, key: str) -> str:
    section, name = key.split(" ")
    return str(getattr(getattr(settings, section), name))
