"""What keepers set on their desk: values, and the part behind them.

A setting is known by its section and key in `archipel.toml`, such as "node name", and its value is the text that would
stand there. What the card's file sets, it sets at each start, and the desk does not. What could keep a keeper from coming
back is a **trial**: a keeper has to keep it within ten minutes, else what was before comes back.

The real part is `node.daemon.settings_keeper`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from node.i18n.sentence import Explained, Sentence

TRIAL_S = 600.0  # as long new settings last that nobody keeps
SETTLING_S = 60.0  # so long they cannot be kept yet: on the smallest Pi two programs start for it, 10 s each, and the Wi-Fi
NAME, LANGUAGE, ZONE = "node name", "node language", "node timezone"
POSTING, URGENT, KEEP_DAYS = "portal posting", "portal urgent", "archive keep_days"
TURNOUT, LOUDSPEAKER = "portal turnout", "portal loudspeaker"
CONFIRMATIONS = "portal confirmations"
WIFI_NAME, WIFI_PASSWORD = "portal wifi", "box wifi_password"
COUNTRY, CHANNEL = "box country", "box channel"
TEXTS, GREETING, TEXT_WORDS, ANNOUNCE = "radio texts", "radio texts_greeting", "radio texts_words", "radio texts_announce"
SHARE, REGION, MAX_PAYLOAD = "radio share", "radio region", "radio max_payload"


class SettingsGroup(StrEnum):
    """What is set together, on one page of the desk."""

    NAME = "name"
    URGENT = "urgent"
    CONFIRMATIONS = "confirmations"
    ARCHIVE = "archive"
    TURNOUT = "turnout"
    WIFI = "wifi"
    RADIO = "radio"
    TEXTS = "texts"
    LOUDSPEAKER = "loudspeaker"


GROUPS: Mapping[SettingsGroup, tuple[str, ...]] = {
    SettingsGroup.NAME: (NAME, LANGUAGE, ZONE),
    SettingsGroup.URGENT: (URGENT,),
    SettingsGroup.CONFIRMATIONS: (CONFIRMATIONS,),
    SettingsGroup.ARCHIVE: (KEEP_DAYS,),
    SettingsGroup.TURNOUT: (TURNOUT,),
    SettingsGroup.WIFI: (WIFI_NAME, WIFI_PASSWORD, COUNTRY, CHANNEL),
    SettingsGroup.RADIO: (SHARE, REGION, MAX_PAYLOAD),
    SettingsGroup.TEXTS: (TEXTS, GREETING, TEXT_WORDS, ANNOUNCE),
    SettingsGroup.LOUDSPEAKER: (LOUDSPEAKER,),
}
ON_TRIAL = frozenset({SettingsGroup.WIFI, SettingsGroup.RADIO})
STARTING_ANEW = frozenset({SettingsGroup.NAME, SettingsGroup.RADIO})  # the island starts anew with them, by itself


class SettingsRefused(Explained):
    """They cannot be set so; `key` is the setting that is wrong, "" if it is none alone."""

    def __init__(self, sentence: Sentence, key: str = ""):
        super().__init__(sentence)
        self.key = key


@dataclass(frozen=True)
class SettingsTrial:
    """Settings that nobody has kept yet: `before` is what the desk had set until then; `starts`: how many starts of the
    island they still outlive. It is 1 for those that the island starts anew for, and else 0: a power cut ends a trial."""

    group: SettingsGroup
    before: Mapping[str, str]
    starts: int
    keeper: str


@dataclass(frozen=True)
class TrialView:
    """A trial as keepers see it: who began it, how many seconds are left, and whether it can be kept by now."""

    group: SettingsGroup
    keeper: str
    left_s: float
    ready: bool


@dataclass(frozen=True)
class SettingView:
    """One setting: what counts, as text (never that of a password: whether there is one), and where that stands.

    `line` is the line of the card's file that sets it, 0 if the desk may.
    """

    value: str
    line: int = 0


@dataclass(frozen=True)
class SettingsView:
    """All of them by name. `file`: what the card's file is called, "" if there is none. `wifi_here`: whether this machine's
    Wi-Fi is the island's to set; `cable`: whether its cable leads in."""

    settings: Mapping[str, SettingView]
    file: str = ""
    wifi_here: bool = False
    cable: bool = True
    trial: TrialView | None = None
    regions: tuple[str, ...] = field(default=(), repr=False)


class IslandSettings(Protocol):
    """What the desk asks. Each act is one commit with its entry in the audit log, and raises BoardClosed if the card will
    not; what is refused raises SettingsRefused and changes nothing."""

    def view(self) -> SettingsView:
        """What counts now."""

    def meant(self, key: str, typed: str) -> str:
        """What was typed for a setting, in its right form; raises SettingsRefused."""

    def change(self, group: SettingsGroup, typed: Mapping[str, str], keeper: str, why: str = "") -> bool:
        """Set those of a group, by name; whether anything became another. On trial, if the group is `ON_TRIAL`."""

    def keep(self, keeper: str) -> bool:
        """End the trial for good; False if there is none (any more), or it cannot be kept yet."""

    def take_back(self, keeper: str) -> bool:
        """End the trial with what was before; False if there is none."""
