"""What the portal is told at its start; the shell fills it in."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class SafeAddress:
    """Where the portal answers over https, with the box's own certificate.

    `names`: hosts that it answers to, the one to type first, then those for who has no names. `digest`: SHA-256 of the
    certificate, 32 bytes, by which browsers let it be compared with the keeper's sheet.
    """

    names: tuple[str, ...]
    digest: bytes

    @property
    def url(self) -> str:
        """What to type, such as `https://safe.archipel.lan/`."""
        return f"https://{self.names[0]}/"

    @property
    def fingerprint(self) -> str:
        """The digest as browsers show it: 32 pairs of hexadecimal digits, parted by spaces."""
        return self.digest.hex(" ").upper()

    @property
    def beginning(self) -> str:
        """Its first eight pairs: 64 bits, which nobody can make another certificate to."""
        return self.digest[:8].hex(" ").upper()


class ReadsAloud(Protocol):
    """What reads texts aloud (`node.daemon.speech`)."""

    @property
    def able(self) -> bool:
        """Whether it can, here."""

    @property
    def loud(self) -> bool:
        """Whether it can be heard in the room, too, if there is a loudspeaker."""

    def read(self, text: str, tag: str) -> bytes:
        """A text as Ogg Opus, in the voice of the language of this tag; RemoteFault says why not."""


@dataclass(frozen=True)
class WebSettings:
    """`secret_key` signs forms and keepers' marks: the shell keeps it, so that they survive restarts.

    `position` is the island's (latitude, longitude). `monotonic` gives seconds. `safe()`: the safe address,
    None if there is none. `metrics`: who may read /metrics: near (this machine and local networks), all, off. `speech`:
    what reads aloud, if something does.
    """

    name: str
    secret_key: bytes
    base_url: str = "http://archipel.lan/"
    language: str = "fr"
    timezone: str = "Europe/Paris"
    position: tuple[float, float] | None = None
    wifi: str = ""
    costly_airtime_s: float = 10.0
    monotonic: Callable[[], float] = time.monotonic
    safe: Callable[[], SafeAddress | None] = lambda: None
    metrics: str = "near"
    speech: ReadsAloud | None = None

    @cached_property
    def zone(self) -> ZoneInfo:
        """Where the island is, for what people type and for its days."""
        return ZoneInfo(self.timezone)

    @property
    def host(self) -> str:
        """The host part of the portal's own address."""
        return urlsplit(self.base_url).hostname or ""
