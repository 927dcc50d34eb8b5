"""The settings that keepers set on their desk: what counts of them beside the card's file, trials and their end, the Wi-Fi.

What the card's file sets, it sets. The desk's own are the board's (`BoardState.settings`), so that a change and its entry
in the audit log are one commit. A trial ends with what was before: ten minutes after it began, and at the next start but
the one that it was begun for, so that neither a power cut nor an island that new settings bring down can make it last.
"""

import json
import logging
import os
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from node.board.api import AuditEntry, BoardClosed
from node.board.clearing import MAX_WHY
from node.board.drafts import in_one_line
from node.board.host import NoteStore
from node.board.island_settings import (
    CHANNEL,
    GROUPS,
    ON_TRIAL,
    POSTING,
    SETTLING_S,
    STARTING_ANEW,
    TRIAL_S,
    WIFI_NAME,
    SettingsGroup,
    SettingsRefused,
    SettingsTrial,
    SettingsView,
    SettingView,
    TrialView,
)
from node.board.night_rest import RestPart
from node.board.notes import BoardNotes, BoardState
from node.board.reasons import AuditAction
from node.daemon.countries import highest_channel
from node.daemon.settings import SECRET_KEYS, Settings
from node.daemon.settings_reader import KEYS, Notice, SettingsReading
from node.daemon.settings_text import tidy
from node.daemon.wifi_order import WifiOrders, WifiWish
from node.i18n.sentence import Sentence, sentence
from radio.regions import REGIONS

log = logging.getLogger(__name__)

CARD_VARIABLE = "ARCHIPEL_CARD"  # on the SD image: a file that tells what the card's file sets, and where
DESK = tuple(key for keys in GROUPS.values() for key in keys)
MAX_CARD_BYTES = 20_000
NOT_NOW = sentence("New settings are on trial: first keep them, or take them back.")
OF_THE_CARD = sentence("This is set on the card.")


@dataclass(frozen=True)
class CardLines:
    """What the card's file sets: its name, the line of each setting ("node name"), and the Wi-Fi's name by it ("" unless
    the Wi-Fi of this machine is the island's to set). `path`: the file that the island was started with, for backups."""

    file: str = ""
    lines: Mapping[str, int] = field(default_factory=dict)
    wifi: str = ""
    path: Path | None = None


NO_CARD = CardLines()


def card_lines(reading: SettingsReading, path: Path | None) -> CardLines:
    """Of the file at `path` that was read; on the SD image it was made of the card's, which `CARD_VARIABLE` leads to."""
    of_card = os.environ.get(CARD_VARIABLE, "")
    if not of_card:
        return CardLines(reading.name, {" ".join(place): line for place, line in reading.lines.items()}, path=path)
    try:
        with Path(of_card).open(encoding="utf-8") as file:
            told = json.loads(file.read(MAX_CARD_BYTES))
        lines = {str(key): int(line) for key, line in told["lines"].items()}
        return CardLines(str(told["file"]), lines, str(told["wifi"]), path)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        log.warning("what the card sets cannot be read")
        return CardLines(path=path)


def _value(key: str, text: str) -> Any:
    """What a setting's text means; raises SettingsRefused with what to write."""
    section, name = key.split(" ")
    about = KEYS[section][name].metadata
    try:
        return about["check"](tidy(text))
    except Exception as error:  # whatever a check makes of what was typed: the keeper reads what to write
        raise SettingsRefused(sentence("This will not do. Write %(remedy)s.", remedy=about["remedy"]), key) from error


def with_desk(file: Settings, card: CardLines, desk: Mapping[str, str]) -> Settings:
    """What counts: the file, and what the desk sets beside it. What can be meant no more is passed over."""
    for key, text in desk.items():
        if key in DESK and key not in card.lines:
            section, name = key.split(" ")
            with suppress(SettingsRefused):
                changed = replace(getattr(file, section), **{name: _value(key, text)})
                file = replace(file, **{section: changed})
    return file


def taken_up(store: NoteStore, file: Settings, card: CardLines, minute: int) -> tuple[Settings, list[str]]:
    """What counts from this start of an island on, and lines for the first page about what of the desk's does not."""
    desk = _begun(store, minute)
    return with_desk(file, card, desk), [notice.line() for notice in _silenced(desk, card)]


def _begun(store: NoteStore, minute: int) -> Mapping[str, str]:
    """What the desk has set; a trial that this start is not for ends here."""
    notes = BoardNotes(store, threading.Lock())
    trial = notes.state.trial
    if trial is None:
        return notes.state.settings
    try:
        if trial.starts:
            notes.update(lambda state: replace(state, trial=replace(trial, starts=trial.starts - 1)))
        else:
            notes.update(_brought_back, AuditEntry(minute, "", AuditAction.SETTINGS_BACK, trial.group))
    except BoardClosed:  # as the card keeps nothing, what was before counts without it
        return _brought_back(notes.state).settings
    return notes.state.settings


def _brought_back(state: BoardState) -> BoardState:
    """The state as it was before its trial."""
    trial = state.trial
    if trial is None:
        return state
    others = {key: text for key, text in state.settings.items() if key not in GROUPS[trial.group]}
    return replace(state, settings=others | dict(trial.before), trial=None)


def _silenced(desk: Mapping[str, str], card: CardLines) -> list[Notice]:
    """A notice for each setting of the desk that counts no more, as the card's file sets it."""
    return [Notice(sentence("%(file)s, line %(line)s: %(key)s is set on the card. What keepers have set on their desk does "
                            "not count.", file=card.file, line=card.lines[key], key="[{}] {}".format(*key.split(" "))),
                   harmless=True) for key in desk if key in card.lines]


@dataclass(frozen=True)
class SettingsHost:
    """What is needed of the island. `rests(part)`: whether a part rests now; `apply(settings, wifi)`: these count from now
    on, without a new start, and this is the name of the open Wi-Fi ("" if there is none)."""

    minute: Callable[[], int]
    monotonic: Callable[[], float]
    rests: Callable[[RestPart], bool]
    apply: Callable[[Settings, str], object]
    start_anew: Callable[[], object]


class SettingsKeeper:
    """One island's desk settings. Safe from any thread but the runner's, as a change waits for the card.

    `file` is what the settings file says, defaults among it; `wifi` leads to the Wi-Fi of this machine, if it is ours.
    """

    def __init__(self, notes: BoardNotes, file: Settings, card: CardLines, host: SettingsHost,
                 wifi: WifiOrders | None = None):
        self._notes, self._file, self._card, self._host, self._wifi = notes, file, card, host, wifi
        self._trial_ends_at = host.monotonic() + TRIAL_S

    @property
    def settings(self) -> Settings:
        """What counts now."""
        return with_desk(self._file, self._card, self._notes.state.settings)

    @property
    def wifi_shown(self) -> str:
        """The name of the open Wi-Fi, for posters; "" if there is none."""
        return "" if self._wifi is not None and self.settings.box.wifi_password else self.wifi_name

    @property
    def wifi_name(self) -> str:
        """The name of the Wi-Fi that leads here, open or not; "" if there is none."""
        if self._wifi is None:
            return self.settings.portal.wifi
        return self._wifi_name if self.settings.box.country else ""

    @property
    def _wifi_name(self) -> str:
        return self._desk().get(WIFI_NAME) or self._card.wifi

    def _desk(self) -> dict[str, str]:
        """What of the desk's counts."""
        return {key: text for key, text in self._notes.state.settings.items() if key not in self._card.lines}

    # what the desk asks

    def view(self) -> SettingsView:
        """As `node.board.island_settings.IslandSettings`, and so are the others."""
        settings, shown = self.settings, {}
        for key in (*DESK, POSTING):
            section, name = key.split(" ")
            value = getattr(getattr(settings, section), name)
            text = self._wifi_name if key == WIFI_NAME and self._wifi else _as_text(value)
            shown[key] = SettingView("•" * bool(text) if name in SECRET_KEYS else text, self._card.lines.get(key, 0))
        return SettingsView(shown, self._card.file, self._wifi is not None, settings.box.ethernet != "off", self._trial(),
                            tuple(REGIONS))

    def _trial(self) -> TrialView | None:
        trial, left_s = self._notes.state.trial, self._trial_ends_at - self._host.monotonic()
        if trial is None:
            return None
        return TrialView(trial.group, trial.keeper, max(left_s, 0.0), self._settled)

    @property
    def _settled(self) -> bool:
        return 0 < self._trial_ends_at - self._host.monotonic() <= TRIAL_S - SETTLING_S

    def meant(self, key: str, typed: str) -> str:
        """What a setting's text means."""
        return str(_value(key, typed))

    def change(self, group: SettingsGroup, typed: Mapping[str, str], keeper: str, why: str = "") -> bool:
        """Set those of a group."""
        wanted = self._wanted(group, typed)
        ends_at = self._host.monotonic() + TRIAL_S

        def set_them(state: BoardState) -> BoardState:
            settings = self._without_defaults({**state.settings, **wanted})
            if settings == state.settings:
                return state
            if state.trial is not None:
                raise SettingsRefused(NOT_NOW)
            if group not in ON_TRIAL:
                return replace(state, settings=settings)
            before = {key: text for key, text in state.settings.items() if key in GROUPS[group]}
            self._trial_ends_at = ends_at
            return replace(state, settings=settings,
                           trial=SettingsTrial(group, before, int(group in STARTING_ANEW), keeper))

        action = AuditAction.SETTINGS_TRIAL if group in ON_TRIAL else AuditAction.SETTINGS
        entry = AuditEntry(self._host.minute(), keeper, action, group, in_one_line(why, MAX_WHY))
        return self._changed(set_them, entry, group)

    def keep(self, keeper: str) -> bool:
        """End the trial for good."""
        trial = self._notes.state.trial
        if trial is None or not self._settled:
            return False
        return self._changed(
            lambda state: replace(state, trial=None) if state.trial is trial else state,
            AuditEntry(self._host.minute(), keeper, AuditAction.SETTINGS_KEPT, trial.group), None)

    def take_back(self, keeper: str) -> bool:
        """End the trial with what was before; nobody's (`keeper` "") when its time is over."""
        trial = self._notes.state.trial
        if trial is None:
            return False
        return self._changed(
            lambda state: _brought_back(state) if state.trial is trial else state,
            AuditEntry(self._host.minute(), keeper, AuditAction.SETTINGS_BACK, trial.group), trial.group)

    def look(self) -> None:
        """Now and then: a trial whose time is over ends, and the Wi-Fi is told what it should be."""
        if self._notes.state.trial is not None and self._host.monotonic() >= self._trial_ends_at:
            self.take_back("")
        self._tell_wifi()

    # how

    def _wanted(self, group: SettingsGroup, typed: Mapping[str, str]) -> dict[str, str]:
        """What was typed, in its right form; raises SettingsRefused."""
        known = [key for key in GROUPS[group] if key in typed]
        for key in known:
            if key in self._card.lines:
                raise SettingsRefused(OF_THE_CARD, key)
        wanted = {key: self.meant(key, typed[key]) for key in known}
        if group is SettingsGroup.WIFI:
            if self._wifi is None:
                raise SettingsRefused(sentence("The Wi-Fi of this machine is not Archipel's to set."))
            if trouble := self._channel_trouble(with_desk(self._file, self._card, self._desk() | wanted)):
                raise SettingsRefused(trouble, CHANNEL)
        return wanted

    @staticmethod
    def _channel_trouble(settings: Settings) -> Sentence | None:
        box = settings.box
        if box.channel <= highest_channel(box.country):
            return None
        return sentence("Wi-Fi channel %(channel)s is not used in %(country)s. Take one from 1 to %(highest)s.",
                        channel=box.channel, country=box.country, highest=highest_channel(box.country))

    def _without_defaults(self, settings: Mapping[str, str]) -> dict[str, str]:
        """Only what differs from what counts without the desk: it then follows the file again."""
        def standard(key: str) -> str:
            section, name = key.split(" ")
            return self._card.wifi if key == WIFI_NAME else _as_text(getattr(getattr(self._file, section), name))

        return {key: text for key, text in settings.items() if key in self._card.lines or text != standard(key)}

    def _changed(self, change: Callable[[BoardState], BoardState], entry: AuditEntry, group: SettingsGroup | None) -> bool:
        """Make it so, durably, then in fact."""
        if not self._notes.update(change, entry):
            return False
        self._host.apply(self.settings, self.wifi_shown)
        if group in STARTING_ANEW:
            self._host.start_anew()
        with suppress(OSError):  # the next look tries again
            self._tell_wifi()
        return True

    def _tell_wifi(self) -> None:
        if self._wifi is None:
            return
        state, cable = self._notes.state, self.settings.box.ethernet != "off"
        rests = cable and state.trial is None and self._host.rests(RestPart.WIFI)
        self._wifi.wish(WifiWish(self._wifi_of(_brought_back(state).settings), self._wifi_of(state.settings), rests))

    def _wifi_of(self, settings: Mapping[str, str]) -> dict[str, str]:
        return {key: settings[key] for key in GROUPS[SettingsGroup.WIFI] if key in settings and key not in self._card.lines}


def _as_text(value: Any) -> str:
    """A value as it is typed."""
    return f"{value:g}" if isinstance(value, float) else str(value)


