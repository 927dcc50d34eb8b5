"""Reads the agenda aloud in the room, at the hours that keepers have chosen: for who does not read. Off until they do.

Never at night (hours are from 7 to 22), never while anything of the island rests, never by a clock that is not sure, and
not on a day without events. On the SD image another unit plays it, as the island's own opens no sound.
"""

import logging
import os
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from node.board.board import Board
from node.board.loud_hours import hours_of
from node.board.night_rest import resting
from node.board.spans import EPOCH
from node.board.spoken import SpokenAgenda
from node.daemon.speech import ALOUD_VARIABLE, DECODER, PLAYER, Speech
from node.daemon.timekeeper import Timekeeper
from node.i18n.moments import Dates
from node.model.errors import RemoteFault

log = logging.getLogger(__name__)

LATE_MIN = 10  # an island that starts anew reads what was due so long ago
PERIOD_S = 20.0
LONGEST_S = 600.0  # of a reading, which takes four minutes at most


@dataclass(frozen=True)
class LoudspeakerHost:
    """What is needed of the island. `hours()`: as the setting says; `name` and `language` are the island's."""

    board: Board
    speech: Speech
    timekeeper: Timekeeper
    zone: ZoneInfo
    name: str
    language: str
    hours: Callable[[], str]


class Loudspeaker:
    """Runs from `start` until closed. `play(ogg)` is bounded, and what fails is told in the log."""

    def __init__(self, host: LoudspeakerHost, play: Callable[[bytes], object] | None = None):
        self._host, self._play = host, play or self._sound
        self._closing, self._done = threading.Event(), (date.min, -1)
        self._playing: list[subprocess.Popen[bytes]] = []
        self._thread = threading.Thread(target=self._run, name="loudspeaker", daemon=True)

    def start(self) -> None:
        """Begin, on a thread of its own."""
        self._thread.start()

    def close(self) -> None:
        """Stop, in the midst of a sentence too."""
        self._closing.set()
        for one in self._playing:
            one.kill()
        if self._thread.is_alive():
            self._thread.join(10)

    def _run(self) -> None:
        while not self._closing.wait(PERIOD_S / self._host.timekeeper.rate):
            try:
                self.look()
            except Exception:  # whatever it is: the next hour is another try
                log.exception("the agenda could not be read aloud")

    def look(self) -> bool:
        """Read it if its hour has come; whether it was read."""
        due = self._due()
        if due is None or due == self._done:
            return False
        self._done = due
        host = self._host
        agenda = SpokenAgenda(host.board, host.zone, Dates(host.language))
        if not agenda.has_events():
            return False
        try:
            self._play(host.speech.read(agenda.text(host.name), host.language))
        except (RemoteFault, OSError, subprocess.SubprocessError) as error:
            log.warning("the agenda was not read aloud: %s", error)
            return False
        return True

    def _due(self) -> tuple[date, int] | None:
        """The day and the hour that has come; None while it is to be silent."""
        host, minute = self._host, self._host.board.now()
        if not host.timekeeper.sure or any(resting(rest, minute, host.zone) for rest in host.board.rests().values()):
            return None
        clock = _clock(minute, host.zone)
        of_day = clock.hour * 60 + clock.minute
        hour = max((one for one in hours_of(host.hours()) if of_day - LATE_MIN < one <= of_day), default=None)
        return None if hour is None else (clock.date(), hour)

    def _sound(self, ogg: bytes) -> None:
        """Play it: by who waits for the file, or here."""
        path = os.environ.get(ALOUD_VARIABLE, "")
        if path:
            beside = Path(f"{path}.new")
            beside.write_bytes(ogg)
            beside.replace(path)
            return
        decoder = subprocess.Popen([DECODER, "--quiet", "--force-wav", "-", "-"], stdin=subprocess.PIPE,  # noqa: S603
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        player = subprocess.Popen([PLAYER, "-q", "-"], stdin=decoder.stdout, stderr=subprocess.DEVNULL)  # noqa: S603
        self._playing = [decoder, player]
        with decoder, player:
            try:
                decoder.communicate(ogg, LONGEST_S)
                player.wait(LONGEST_S)
            finally:
                decoder.kill()
                player.kill()
                self._playing = []


def _clock(minute: int, zone: ZoneInfo) -> datetime:
    return (EPOCH + timedelta(minutes=minute)).replace(tzinfo=ZoneInfo("UTC")).astimezone(zone)
