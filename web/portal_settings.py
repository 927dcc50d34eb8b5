"""What the portal is told at its start; the shell fills it in."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class WebSettings:
    """`secret_key` signs forms and keepers' marks: the shell keeps it, so that they survive restarts.

    `position` is the island's (latitude, longitude). `monotonic` gives seconds.
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

    @cached_property
    def zone(self) -> ZoneInfo:
        """Where the island is, for what people type and for its days."""
        return ZoneInfo(self.timezone)

    @property
    def host(self) -> str:
        """The host part of the portal's own address."""
        return urlsplit(self.base_url).hostname or ""
