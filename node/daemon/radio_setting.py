"""Setting up the radio of a running island, at a keeper's wish. It takes a minute: whoever asked comes back for the end."""

import logging
import threading
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from node.daemon.rpc import Handler
from radio.link import Link
from radio.meshtastic.link import MeshtasticLink
from radio.meshtastic.setup import RadioWish

log = logging.getLogger(__name__)


class Setting(StrEnum):
    """How far it is."""

    IDLE = "idle"
    WORKING = "working"
    DONE = "done"
    FAILED = "failed"  # the radio does not say that it is set so
    BUSY = "busy"  # with another wish
    NO_RADIO = "no-radio"
    NO_KEY = "no-key"  # it tells too little of itself to set only a part of it


def wish_of(request: dict[str, Any]) -> RadioWish:
    """A wish as the command line says it; raises ValueError for what no radio knows."""
    names = ("region", "signatures", "role", "pass_on")
    region, signatures, role, pass_on = (str(request.get(name) or "") for name in names)
    hops = request.get("hops")
    return RadioWish(region, signatures, role, pass_on, None if hops is None else int(hops), bool(request.get("send")))


def set_up(link: MeshtasticLink, wish: RadioWish) -> Setting:
    """Set a radio up and wait for the end."""
    if link.finds_none:
        return Setting.FAILED
    try:
        return Setting.DONE if link.set_up(wish) else Setting.FAILED
    except ValueError:
        return Setting.NO_KEY


class RadioSetter:
    """Sets up the one radio among `links`, one wish at a time. Its parts may be called by any thread."""

    def __init__(self, links: Sequence[Link]):
        self._link = next((link for link in links if isinstance(link, MeshtasticLink)), None)
        self._lock, self._state = threading.Lock(), Setting.IDLE

    @property
    def state(self) -> Setting:
        """How far the last wish is."""
        return self._state

    def begin(self, wish: RadioWish) -> Setting:
        """Take up a wish, unless one is being worked at."""
        with self._lock:
            if self._state is Setting.WORKING:
                return Setting.BUSY
            self._state = Setting.WORKING if self._link else Setting.NO_RADIO
            if self._link:
                threading.Thread(target=self._work, args=(self._link, wish), name="radio setting", daemon=True).start()
            return self._state

    def _work(self, link: MeshtasticLink, wish: RadioWish) -> None:
        try:
            self._state = set_up(link, wish)
        except Exception:  # or it would be at work for ever
            log.exception("the radio was not set up")
            self._state = Setting.FAILED


def radio_handlers(setter: RadioSetter) -> dict[str, Handler]:
    """By the name of the request."""
    return {"radio-set": lambda request: setter.begin(wish_of(request)), "radio-setting": lambda request: setter.state}
