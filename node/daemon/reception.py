"""Who answers hand-held radios on a real island, put together: the radio, its air, the board, what keepers changed."""

from collections.abc import Callable
from functools import partial
from typing import Protocol
from zoneinfo import ZoneInfo

from node.board.api import TextPatience
from node.board.board import Board
from node.daemon.air_log import TEXT
from node.daemon.lora import LoraAdapter
from node.daemon.runner import Runner
from node.daemon.settings import RadioSettings, Settings
from node.daemon.text_air import TextAir
from node.daemon.text_service import TextHost, TextInbox, TextService
from node.daemon.timekeeper import Timekeeper
from node.handheld.answers import Answerer
from node.handheld.commands import tag_of
from node.handheld.turn import Reception
from node.handheld.wording import KeepersWords
from node.handheld.words import Vocabulary, own_words
from node.i18n.catalogue import catalogue
from node.i18n.sentence import Sentence
from radio.lora import time_on_air_s
from radio.meshtastic.link import MAX_TEXT_BYTES, MeshtasticLink
from web.visitor import VisitorHashes

PATIENCE_S = 10.0  # who waits for a radio waits longer than who waits for a page


class ReceivingIsland(Protocol):
    """What of `node.daemon.app.App` is needed."""

    settings: Settings
    board: Board
    runner: Runner
    timekeeper: Timekeeper
    text_air: TextAir


def text_air(air: LoraAdapter, radio: MeshtasticLink | None, monotonic: Callable[[], float]) -> TextAir:
    """The part of the radio's air that texts may take."""
    def on_air_s(size_bytes: int, to_one: bool) -> float:
        facts = radio.facts if radio else None
        return time_on_air_s(size_bytes, facts.modem, facts.signs, to_one) if facts else time_on_air_s(size_bytes)

    def failed() -> int:
        return radio.counters["text-failed"] if radio else 0

    def spent(airtime_s: float, now: float) -> None:
        air.log.spent(TEXT, airtime_s, air.governor.moment(now))

    texts = TextAir(air.governor, on_air_s, air.urgent_waits, failed, monotonic)
    texts.on_spent = spent
    return texts


def text_service(island: ReceivingIsland, radio: MeshtasticLink, inbox: TextInbox) -> TextService:
    """Who answers what comes by this radio."""
    node, monotonic, rate = island.settings.node, island.timekeeper.monotonic, island.timekeeper.rate

    def patience() -> TextPatience:
        until = monotonic() + PATIENCE_S * rate
        return TextPatience(lambda: until - monotonic())

    def settings() -> RadioSettings:
        return island.settings.radio

    def said(tag: str, what: Sentence) -> str:
        return what.said(catalogue(tag))

    answerer = Answerer(island.board, Reception(
        node.name, ZoneInfo(node.timezone), tag_of(node.language), MAX_TEXT_BYTES, partial(keepers_words, settings),
        said, patience))
    return TextService(TextHost(radio, island.board, island.runner, island.timekeeper, island.text_air, answerer,
                                VisitorHashes(monotonic).of_name, settings, rate), inbox)


def keepers_words(settings: Callable[[], RadioSettings]) -> KeepersWords:
    """What keepers have changed of the menu."""
    now = settings()
    return KeepersWords(now.texts_greeting, Vocabulary(own_words(now.texts_words)))
