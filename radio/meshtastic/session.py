"""Staying connected to one radio: open the stream, watch it, open it again. A thread of its own does all of it.

The stream's reading thread calls `_hear`; whoever waits for something the radio will say uses `wait`.
"""

import math
import random
import threading
import time
from collections import Counter
from collections.abc import Callable

from radio.meshtastic.protobuf import FromRadio, kind_of
from radio.meshtastic.settings import Patience
from radio.meshtastic.wire import Wire, WireListener

SHORT_LIVES = 3  # thrown out so often right after the handshake: somebody else wants this radio
CLOSE_S = 15  # opening a device may block that long
MAX_SILENCE_S = 3600


class Session:
    """The connection to a radio, whatever becomes of it. `find_wire` gives a stream not yet connected, or None when there
    is no radio; `on_message(message)` gets what the radio says, one at a time, with the lock of `wait` held.
    `restart(wire)` is called, if given, when the line is there and the radio says nothing for too long.
    """

    def __init__(self, find_wire: Callable[[], Wire | None], on_message: Callable[[FromRadio], None], patience: Patience,
                 restart: Callable[[Wire], None] | None = None):
        self.counters: Counter[str] = Counter()
        self.problem = "connecting"
        self.wire: Wire | None = None
        self.configured = self.closing = False
        self._find_wire, self._on_message, self._patience = find_wire, on_message, patience
        self._silence_s = patience.silence
        self._heard_at = 0.0  # of this stream: the last message, or its beginning
        self._asked_at: float | None = None  # when it was asked how it is set up, if it has not told since
        self._told_at, self._ask_soon = 0.0, False  # when it told that last; whether somebody wants to know it now
        self._restart = restart
        self._quiet_since, self._restarted_at = time.monotonic(), -math.inf
        self._rng = random.Random()  # noqa: S311 - jitter, not a secret
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._live, name="radio session", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End the connection and the thread; twice is allowed."""
        with self._changed:
            self.closing = True
            self._changed.notify_all()
        self._thread.join(CLOSE_S)

    def locked(self) -> threading.Condition:
        """For reading together what `on_message` writes."""
        return self._changed

    def wait(self, ready: Callable[[], bool], timeout_s: float) -> None:
        """Until `ready()`, looked at whenever the radio said something; at most `timeout_s`, and not beyond `close`."""
        if timeout_s > 0:
            with self._changed:
                self._changed.wait_for(lambda: ready() or self.closing, timeout_s)

    def pause(self, pause_s: float) -> None:
        """Let time pass."""
        self.wait(lambda: False, pause_s)

    def holds(self, wire: Wire) -> bool:
        """Whether `wire` is still the open stream."""
        return self.wire is wire and not self.closing

    def lose(self, wire: Wire) -> None:
        """`wire` has ended; a newer one may already be in its place."""
        with self._changed:
            if self.wire is wire:
                self.wire, self.configured = None, False
            self._changed.notify_all()

    def beat(self, wire: Wire) -> None:
        """Send a heartbeat: firmware since 2.7 answers with the state of its queue."""
        try:
            wire.beat()
        except OSError:
            self.lose(wire)

    def ask_soon(self) -> None:
        """Ask the radio how it is set up, within a second, unless it is being asked."""
        self._ask_soon = True

    # the thread

    def _live(self) -> None:
        retry_s, short_lives = self._patience.retry_first, 0
        while not self.closing:
            began_at = time.monotonic()
            answered = self._connect_once()
            if time.monotonic() - began_at > self._patience.settled:
                retry_s, short_lives = self._patience.retry_first, 0
            short_lives = short_lives + 1 if answered else 0
            if short_lives >= SHORT_LIVES:
                self.problem = "contested"
                self.counters["contested"] += 1
            self.pause(retry_s * self._rng.uniform(0.7, 1.3))
            retry_s = min(2 * retry_s, self._patience.retry_last)

    def _connect_once(self) -> bool:
        """Open a stream and stay with it until it ends; whether the radio answered at all."""
        wire = None
        try:
            wire = self._find_wire()
            if wire:
                wire.connect(self._take_up(wire))
        except Exception:  # no device, no permission, refused, no such address ...: we go on trying
            self._end(wire)
            wire = None
        if wire is None:
            self.problem = "absent"
            return False
        try:
            return self._stay(wire)
        finally:
            self._end(wire)

    def _take_up(self, wire: Wire) -> WireListener:
        with self._changed:
            self.wire, self.configured = wire, False
            self._heard_at = self._asked_at = time.monotonic()
        return WireListener(message=lambda message: self._hear(wire, message),
                        garbage=lambda: self.counters.update(["radio-garbage"]),
                        end=lambda: self.lose(wire))

    def _end(self, wire: Wire | None) -> None:
        if wire:
            self.lose(wire)
            wire.hang_up()

    def _stay(self, wire: Wire) -> bool:
        """Watch an open stream until it ends; whether the handshake was completed."""
        self.wait(lambda: self.configured or not self.holds(wire), self._patience.handshake)
        if not self.configured:
            self.problem = "no-answer" if self.holds(wire) else "lost"
            if self.problem == "no-answer":
                self._without_answer(wire)
            return False
        self.problem = "lost"
        beaten_at = time.monotonic()
        while self.holds(wire) and not self._is_silent() and not self._misses_handshake():
            self.wait(lambda: not self.holds(wire), min(self._patience.heartbeat, 1))
            self._ask_again(wire)
            if time.monotonic() - beaten_at > self._patience.heartbeat:
                beaten_at = time.monotonic()
                self.beat(wire)
        return True

    def _ask_again(self, wire: Wire) -> None:
        """Ask how it is set up, now and then: another program may have changed that, or it does nothing but beat."""
        due = self._ask_soon or time.monotonic() - self._told_at > self._patience.refresh
        if self._asked_at is not None or not due:
            return
        self._ask_soon = False
        with self._changed:
            self._asked_at = time.monotonic()
        try:
            wire.ask()
        except OSError:
            self.lose(wire)

    def _without_answer(self, wire: Wire) -> None:
        """It hangs, when this lasts: let it be restarted, but not again and again."""
        self.counters["no-answer"] += 1
        now = time.monotonic()
        mute, again = now - self._quiet_since > self._patience.mute, now - self._restarted_at > self._patience.restart
        if self._restart and mute and again:
            self._restarted_at = now
            self.counters["radio-restarted"] += 1
            self._restart(wire)

    def _is_silent(self) -> bool:
        """Whether nothing came for too long. A radio that has nothing to say is asked less and less often."""
        if time.monotonic() - self._heard_at <= self._silence_s:
            return False
        self._silence_s = min(2 * self._silence_s, max(MAX_SILENCE_S, self._patience.silence))
        self.counters["silent"] += 1
        self.problem = "silent"
        return True

    def _misses_handshake(self) -> bool:
        """Whether a radio that was asked has not told how it is set up for too long: it may have missed the question, as it
        restarted, or do nothing but answer heartbeats (docs/radio.md): it is never silent then.
        """
        if self._asked_at is None or time.monotonic() - self._asked_at <= self._patience.handshake:
            return False
        self.counters["no-answer"] += 1
        self.problem = "no-answer"
        return True

    def _hear(self, wire: Wire, message: FromRadio) -> None:
        with self._changed:
            if not self.holds(wire):
                return
            self._heard_at = time.monotonic()
            kind = kind_of(message)
            if kind == "rebooted":
                self._asked_at = self._heard_at if self.configured else self._asked_at
                self.configured = False
                self.counters["rebooted"] += 1
            self._on_message(message)
            if kind == "config_complete_id" and message.config_complete_id == wire.config_id:
                self._asked_at, self._told_at = None, self._heard_at
                self.counters["connected"] += not self.configured
                self.configured = True
            if self.configured:  # else it may say much, and is of no use
                self._quiet_since = self._heard_at
            self._changed.notify_all()
