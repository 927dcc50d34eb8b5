"""Reads a text aloud, with eSpeak NG (Debian's espeak-ng), as Ogg Opus (RFC 7845; Debian's opus-tools).

The text is what strangers posted, and a program that takes text apart may have holes. So both programs run in a sandbox
(`node.daemon.sandbox`), which opens nothing but the system's libraries; the text goes in by a pipe, never as an argument
or through a shell; time, processor, memory and what comes out are bounded.
"""

import contextlib
import os
import shutil
import subprocess
import sys
from collections import OrderedDict
from hashlib import blake2b
from pathlib import Path
from threading import Lock
from typing import IO

from node.daemon import sandbox
from node.model.errors import RemoteFault

VOICES = {"fr": "roa/fr", "en": "gmw/en", "es": "roa/es", "ar": "sem/ar"}  # by their files: no folder has to be searched
ALOUD_VARIABLE = "ARCHIPEL_ALOUD"  # on the SD image: the file that a unit waits for, plays and removes
DECODER, PLAYER = "opusdec", "aplay"  # Debian's opus-tools, alsa-utils
SPEAKER, ENCODER = "espeak-ng", "opusenc"
WORDS_A_MINUTE = 140  # 175 without being told: too fast to keep an hour in mind
BITS_A_MS = 16  # kbit/s: Opus for speech of one voice; a minute takes 120 kB
MOST_LETTERS = 4_000  # four minutes, for which the smallest Pi takes a quarter of one (a desktop's core 0.9 s)
MOST_BYTES = 1_000_000
PATIENCE_S = 60.0  # on the wall; each program gets 20 s of the processor's time
WAIT_S = 5.0  # that a request waits while another text is read; the portal has few threads
KEPT = 6  # readings: four languages, and what was there before an event was over
_Programs = tuple[list[str], list[str]]


def programs() -> _Programs | None:
    """Where the two programs are; None unless both are here."""
    found = shutil.which(SPEAKER), shutil.which(ENCODER)
    inside = [sys.executable, "-I", sandbox.__file__]
    return ([*inside, sandbox.THREADS, found[0]], [*inside, found[1]]) if found[0] and found[1] else None


def speakable(text: str) -> str:
    """A text without what the program would take for phonemes (`[[...]]`), of a bounded length."""
    return text.replace("[", " ").replace("]", " ").replace("\0", " ")[:MOST_LETTERS]


class Speech:
    """Readings, one made at a time, some of them kept in memory. Safe from any thread."""

    def __init__(self) -> None:
        self._kept: OrderedDict[bytes, bytes] = OrderedDict()
        self._reading, self._unable = Lock(), False

    @property
    def able(self) -> bool:
        """Whether texts can be read here."""
        return not self._unable and programs() is not None

    @property
    def loud(self) -> bool:
        """Whether a reading can be played in the room (`node.daemon.loudspeaker`), if there is a loudspeaker."""
        return bool(os.environ.get(ALOUD_VARIABLE)) or all(shutil.which(name) for name in (DECODER, PLAYER))

    def read(self, text: str, tag: str) -> bytes:
        """A text in the voice of a language (a tag of `VOICES`) as Ogg Opus.

        RemoteFault: `no-voice` (something is not installed), `busy`, `voice-failed`.
        """
        key = blake2b(f"{tag} {text}".encode(errors="replace"), digest_size=16).digest()
        if (found := self._kept.get(key)) is not None:
            return found
        if not self._reading.acquire(timeout=WAIT_S):
            raise RemoteFault("busy")
        try:
            if (found := self._kept.get(key)) is None:
                found = self._kept[key] = self._made(speakable(text), VOICES[tag])
                while len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
            return found
        finally:
            self._reading.release()

    def _made(self, text: str, voice: str) -> bytes:
        here = programs()
        if here is None:
            raise RemoteFault("no-voice")
        speaking = [*here[0], "-b", "1", "-s", str(WORDS_A_MINUTE), "-v", voice, "--stdin", "--stdout"]
        encoding = [*here[1], "--quiet", "--ignorelength", "--speech", "--bitrate", str(BITS_A_MS), "--comp", "0",
                    "--framesize", "60", "--padding", "0", "--discard-comments", "-", "-"]
        made, unable = _piped(text, speaking, encoding)
        self._unable = unable
        if unable:
            raise RemoteFault("no-voice")
        if not made.startswith(b"OggS") or len(made) > MOST_BYTES:
            raise RemoteFault("voice-failed")
        return made


def _piped(text: str, speaking: list[str], encoding: list[str]) -> tuple[bytes, bool]:
    """What comes out of the second program; whether the sandbox cannot be had here."""
    with contextlib.ExitStack() as running:
        speaker = running.enter_context(_started(speaking, subprocess.PIPE))
        running.callback(speaker.kill)
        encoder = running.enter_context(_started(encoding, speaker.stdout))
        running.callback(encoder.kill)
        assert speaker.stdin and speaker.stdout
        speaker.stdout.close()  # the encoder's now
        with contextlib.suppress(OSError):  # it has ended already
            speaker.stdin.write(text.encode(errors="replace"))
            speaker.stdin.close()
        try:
            made = encoder.communicate(timeout=PATIENCE_S)[0]
            return made, sandbox.UNABLE in (speaker.wait(PATIENCE_S), encoder.returncode)
        except subprocess.TimeoutExpired:
            return b"", False


def _started(command: list[str], stdin: IO[bytes] | int | None) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,  # noqa: S603
                            env={}, cwd=Path("/"))
