"""What the island asks of the program that writes cards, and what that program tells: files in memory, of a closed list.

    ASKED/wish.json       {"what": "look", "label": HEX}, or {"what": "write", "label", "reader", "seen", "settings",
                          "invitation", "board"}: what is to be done, for `write_card.py` of the SD image; mode 0640
    ASKED/board.bundle    what is on the board, if it is wanted
    TOLD/told.json        {"label": HEX, "stage", "at", ...}: how far that wish is (`node.board.cards.CardState`);
                          `at` is the machine's uptime in seconds; after a look there is what is in the "readers"

The order itself is a word (`node.daemon.orders`). Whoever has taken the island over can ask for a card as a keeper can: the
program holds all of it against what stands here, and takes nothing from the island's folder but these two files.
"""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from node.board.cards import KEEPER, KEEPER_PASSWORD
from node.board.island_settings import COUNTRY, LANGUAGE, NAME, WIFI_NAME, WIFI_PASSWORD, ZONE
from node.daemon.settings_reader import KEYS, SettingsReading, read

CARD_WORD = "card"
CARDS_VARIABLE = "ARCHIPEL_CARDS"  # on the SD image: ASKED and TOLD, parted by ":"
WISH_FILE, BUNDLE_FILE = "wish.json", "board.bundle"
TOLD_FILE = "told.json"
INVITATION_FILE = "invitation.txt"  # as the box that starts from the card knows it
MAX_WISH_BYTES, MAX_TOLD_BYTES, MAX_INVITATION = 60_000, 60_000, 20_000
MAX_BUNDLE_BYTES = 1 << 24  # the largest bundle (`node.transfer.bundle`)
# all that a keeper may choose for a new card
CARD_KEYS = (NAME, LANGUAGE, ZONE, COUNTRY, WIFI_NAME, WIFI_PASSWORD, KEEPER, KEEPER_PASSWORD)
LABEL, READER, SEEN = re.compile(r"[0-9a-f]{16}"), re.compile(r"(sd[a-z]{1,2}|mmcblk\d{1,2})"), re.compile(r"[0-9a-f]{16}")
TEXT = re.compile(r"[^\ud800-\udfff]+")  # JSON may hold halves of a sign, which no file does
FIELDS = {"look": {"what", "label"},
          "write": {"what", "label", "reader", "seen", "settings", "invitation", "board"}}


def wish_in(content: bytes) -> dict[str, Any] | None:
    """The wish that these octets are, None if they are none of the list. Never raises."""
    try:
        wish = json.loads(content) if len(content) <= MAX_WISH_BYTES else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(wish, dict) or set(wish) != FIELDS.get(str(wish.get("what"))):
        return None
    if not _is(LABEL, wish["label"]):
        return None
    if wish["what"] == "look":
        return wish
    settings, invitation = wish["settings"], wish["invitation"]
    right = (_is(READER, wish["reader"]) and _is(SEEN, wish["seen"]) and isinstance(wish["board"], bool)
             and isinstance(invitation, str) and len(invitation) <= MAX_INVITATION and invitation.isascii()
             and isinstance(settings, dict) and all(key in CARD_KEYS and _is(TEXT, value)
                                                    for key, value in settings.items()))
    return wish if right and not wrong_settings(settings) else None


def _is(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def settings_lines(settings: Mapping[str, str]) -> SettingsReading:
    """These settings, read as a settings file is."""
    lines = []
    for name, value in settings.items():
        section, key = name.split(" ")
        assert key in KEYS[section]
        lines += [f"[{section}]", f"{key} = {_text(value)}"]
    return read("\n".join(lines).encode("utf-8", "replace"))


def wrong_settings(settings: Mapping[str, str]) -> str:
    """The name of one that the card's reader would not take as it stands, "" if it takes all."""
    reading = settings_lines(settings)
    for name in settings:
        if tuple(name.split(" ")) not in reading.given:
            return name
    return next(iter(settings), "") if reading.notices else ""


def filled_in(template: str, settings: Mapping[str, str]) -> str:
    """A new card's settings file with these settings in it, each where the file explains it; LF ends its lines."""
    lines, section = [], ""
    left = dict(settings)
    for line in template.splitlines():
        header = re.fullmatch(r"\[([a-z]+)\]", line)
        section = header[1] if header else section
        key = re.match(r"# ([a-z_]+) = ", line)
        value = left.pop(f"{section} {key[1]}", None) if key else None
        lines.append(line if value is None or not key else f"{key[1]} = {_text(value)}")
    assert not left, left
    return "\n".join(lines) + "\n"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def told_in(path: Path) -> dict[str, Any]:
    """What the program told last; nothing when it told nothing, or nothing that can be read."""
    try:
        with path.open("rb") as file:
            told = json.loads(file.read(MAX_TOLD_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def folders_here() -> tuple[Path, Path] | None:
    """Where this machine's program is asked, and where it tells; None where there is none."""
    asked, _, told = os.environ.get(CARDS_VARIABLE, "").partition(":")
    return (Path(asked), Path(told)) if asked and told else None
