"""The link to an MQTT broker (paho-mqtt 2), used as a store: each packet is kept by the broker (retained) in its own place.

A packet is a slot (16 B) and what is to stand in it; nothing after the slot empties it. A slot is the topic
`ROOT/H/HEX`, HEX the slot in 32 hexadecimal digits, H the first of them: one subscription to all of them would bring 1,020
of the packets and lose the others (mosquitto's max_queued_messages), so that 16 subscriptions follow one another.
What a broker sends is measured before it is looked at; too much of it is made to wait.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial

import paho.mqtt.client as mqtt
from paho.mqtt.reasoncodes import ReasonCode

from radio.conversation import Conversation
from radio.inbox import Inbox
from radio.link import Outcome, Received
from radio.mqtt.probe import BrokerSettings, knock

SLOT_BYTES = 16
QOS = 1
GROUPS = "0123456789abcdef"
MAX_PAYLOAD_BYTES = 2048
RATE_PER_S, BURST = 300, 1000  # packets that a broker may bring
KEEP_ALIVE_S = 60
MAX_GROUP_S = 10  # for what is kept in one group: 1,000 packets, and a broker that marks all it sends as kept
RESUBSCRIBE_S = 30  # after a broker refused a subscription
RENEW_S = 3_600  # all that the broker keeps is asked for again
LEAST_LOOK_S = 600  # between two looks at what the matter is with it, or whether it keeps anything
COMES_UP_S = 30  # until a broker that did not let us in is looked at: most networks are there by then
CLOSE_S = 5.0  # the library may be resolving a name or shaking hands


class MqttLink:
    """A `radio.link.Link` to a broker; starts at once, in the background.

    `verdict`: what `radio.mqtt.probe.knock` found when it was last looked at, "" so far. A broker that keeps nothing takes
    all that is put there as if it did, or hangs up at it; one whose certificate will not do is only `absent` otherwise.
    """

    def __init__(self, settings: BrokerSettings, name: str = "mqtt"):
        self.settings, self.name, self.max_payload = settings, name, MAX_PAYLOAD_BYTES
        self.counters: Counter[str] = Counter()
        self._problem, self._connected, self._closing = "connecting", False, False
        self._subscribed: set[int] = set()  # message ids of subscriptions that the broker took
        self._refused = self._ready = False
        self._lives = 0  # how often it was connected
        self._wanted = self._renewed = 0  # how often somebody wanted all that it keeps at once, how often that was done
        self.verdict = ""
        self._looked_at, self._was_ready = float("-inf"), False
        self._conversation = Conversation()  # of the last look
        self._look: threading.Thread | None = None
        self._told_at = 0.0  # when the broker last sent something that it keeps
        self._budget = _Budget(RATE_PER_S, BURST)
        self._quota = _Budget(settings.quota_per_h / 3600, settings.quota_per_h)
        self._inbox = Inbox()
        self._changed = threading.Condition()
        self._client = self._make_client()
        self._thread = threading.Thread(target=self._live, name=f"broker {name}", daemon=True)
        self._thread.start()

    @property
    def up(self) -> bool:
        """Whether it can carry packets now, and has brought what the broker keeps."""
        return self._ready and not self._closing

    @property
    def state(self) -> str:
        """`up`, or why not: `connecting`, `absent`, `refused`, `subscribing`, `lost`, `closed`."""
        return "closed" if self._closing else "up" if self._ready else self._problem

    def send(self, payload: bytes, hop_limit: int = 0, urgent: bool = False, to: str = "") -> Outcome:
        """Put what follows the slot into it; returns once the broker has confirmed, or after `ack_s`."""
        if not SLOT_BYTES <= len(payload) <= self.max_payload:
            raise ValueError(f"{len(payload)} bytes; a packet has {SLOT_BYTES} to {self.max_payload}")
        if not self._quota.has(time.monotonic()):
            outcome = Outcome.QUEUE_FULL  # others use this broker too
        else:
            outcome = self._publish(self._topic(payload[:SLOT_BYTES]), payload[SLOT_BYTES:])
        self.counters[outcome.value] += 1
        return outcome

    def receive(self, timeout_s: float) -> Received | None:
        """The next packet, or None after `timeout_s`."""
        return self._inbox.take(timeout_s)

    @property
    def renewing(self) -> bool:
        """Whether all that it keeps is being asked for, because somebody wants it now."""
        return self._wanted != self._renewed

    def renew(self) -> None:
        """Ask the broker for all that it keeps now rather than at its hour; from any thread."""
        with self._changed:
            self._wanted += self._ready
            self._changed.notify_all()

    def close(self) -> None:
        """Stop; `receive` then returns None at once. Closing twice is allowed."""
        with self._changed:
            self._closing, self._ready = True, False
            self._changed.notify_all()
        self._inbox.close()  # the library's thread may be waiting for a place
        self._client.disconnect()
        stopping = threading.Thread(target=self._client.loop_stop, name=f"broker {self.name} closing", daemon=True)
        stopping.start()
        stopping.join(CLOSE_S)
        self._thread.join(CLOSE_S)
        self._end_look()

    # sending

    def _topic(self, slot: bytes) -> str:
        return f"{self.settings.root}/{slot.hex()[0]}/{slot.hex()}"

    def _publish(self, topic: str, content: bytes) -> Outcome:
        if not self._connected or self._closing:
            return Outcome.DOWN
        message = self._client.publish(topic, content, QOS, retain=True)
        give_up_at = time.monotonic() + self.settings.ack_s
        while message.rc == mqtt.MQTT_ERR_SUCCESS and time.monotonic() < give_up_at:
            message.wait_for_publish(0.2)
            if message.is_published():
                return Outcome.SENT
            if not self._connected or self._closing:
                return Outcome.DOWN
        return Outcome.FAILED

    # the connection: the library connects by itself, this link's own thread subscribes

    def _make_client(self) -> mqtt.Client:
        rng = random.SystemRandom()
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=f"{rng.getrandbits(64):016x}")
        if self.settings.login:
            client.username_pw_set(*self.settings.login)
        if self.settings.sealed:
            client.tls_set_context(self.settings.tls())
        first_s = self.settings.retry_first_s * rng.uniform(1, 2)  # not all islands at once
        last_s = self.settings.retry_last_s * rng.uniform(0.5, 1)
        client.reconnect_delay_set(first_s, last_s)  # type: ignore[arg-type]  # paho takes parts of seconds too
        client.max_queued_messages_set(16)
        client.on_connect, client.on_disconnect = self._on_connect, self._on_disconnect
        client.on_connect_fail, client.on_subscribe = self._on_connect_fail, self._on_subscribe
        client.on_message = self._on_message
        client.connect_async(*self.settings.where, KEEP_ALIVE_S)
        return client

    def _live(self) -> None:
        if not self.settings.has_name:  # the library's thread would end with a traceback
            self._turn(False, "absent")
            return
        self._client.loop_start()
        while not self._closing:
            self._wait(lambda: self._connected, COMES_UP_S)
            life, wanted = self._lives, self._wanted
            if self._connected and self._subscribe(life):
                self.counters["connected"] += 1
                with self._changed:
                    self._ready = self._lives_on(life)
            self._look_at_broker()
            self._renewed = wanted
            self._wait(partial(self._is_to_renew, life), RENEW_S if self._ready else RESUBSCRIBE_S)

    def _look_at_broker(self) -> None:
        """Whether it keeps what is put there, or why it will not have us, on connections and a thread of their own.

        What was found before it let us in holds no more once it does.
        """
        now, ready = time.monotonic(), self._ready
        if self._closing or (now - self._looked_at < LEAST_LOOK_S and ready <= self._was_ready):
            return
        self._looked_at, self._was_ready = now, ready
        self._end_look()
        conversation = self._conversation = Conversation()

        def look() -> None:
            found = knock(self.settings, conversation)
            if conversation is self._conversation:
                self.verdict = found

        self._look = threading.Thread(target=look, name=f"broker {self.name} look", daemon=True)
        self._look.start()

    def _end_look(self) -> None:
        """What the last look would find holds no more."""
        self._conversation.cut()
        if self._look is not None:
            self._look.join(CLOSE_S)

    def _lives_on(self, life: int) -> bool:
        """Whether the connection that was number `life` is still the one we have."""
        return self._connected and self._lives == life

    def _is_over(self, life: int) -> bool:
        return not self._lives_on(life)

    def _is_to_renew(self, life: int) -> bool:
        return self.renewing or self._is_over(life)

    def _is_taken(self, number: int | None, life: int) -> bool:
        """Whether the broker took subscription `number`, or never will."""
        return number in self._subscribed or self._is_over(life)

    def _subscribe(self, life: int) -> bool:
        """All groups, one after the other, each once the one before has brought what the broker keeps."""
        self._subscribed.clear()
        self._problem, self._refused = "subscribing", False
        for group in GROUPS:
            _, number = self._client.subscribe(f"{self.settings.root}/{group}/+", QOS)
            self._wait(partial(self._is_taken, number, life), self.settings.ack_s)
            if number not in self._subscribed or self._refused:
                self._problem = "refused"
                return False
            self._wait_for_quiet(life)
        return self._lives_on(life)

    def _wait_for_quiet(self, life: int) -> None:
        """Until the broker has sent what it keeps. What others put there meanwhile is marked otherwise (MQTT 3.1.1, section
        3.3.1.3), and is no reason to wait: on a busy broker that never ends."""
        self._told_at = time.monotonic()
        end_at = self._told_at + MAX_GROUP_S
        while self._lives_on(life) and time.monotonic() < min(self._told_at + self.settings.quiet_s, end_at):
            self._wait(partial(self._is_over, life), self.settings.quiet_s / 2)

    def _wait(self, ready: Callable[[], bool], timeout_s: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: ready() or self._closing, timeout_s)

    def _turn(self, connected: bool, problem: str) -> None:
        with self._changed:
            self._connected, self._problem = connected, problem
            self._lives += connected
            self._ready = self._ready and connected
            self._changed.notify_all()

    # called by the library, in its thread

    def _on_connect(self, client: mqtt.Client, _data: object, _flags: object, reason: ReasonCode, _more: object) -> None:
        if reason.is_failure:
            self._turn(False, "refused")
        else:
            self._turn(True, "subscribing")

    def _on_disconnect(self, client: mqtt.Client, _data: object, _flags: object, reason: ReasonCode, _more: object) -> None:
        self._turn(False, self._problem if self._problem == "refused" else "lost")

    def _on_connect_fail(self, client: mqtt.Client, _data: object) -> None:
        self._turn(False, "absent")

    def _on_subscribe(self, client: mqtt.Client, _data: object, number: int, reasons: list[ReasonCode],
                      _more: object) -> None:
        with self._changed:
            self._subscribed.add(number)
            self._refused |= any(reason.is_failure for reason in reasons)
            self._changed.notify_all()

    def _on_message(self, client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        heard_at = time.monotonic()
        if message.retain:
            self._told_at = heard_at
        slot = self._slot_of(message)
        if slot is None or len(message.payload) > self.max_payload - SLOT_BYTES:
            self.counters["dropped"] += 1
            return
        self._wait(lambda: False, self._budget.wait_s(heard_at))
        self.counters["received"] += 1
        while not (self._inbox.put(Received(slot + message.payload), patience_s=0.5) or self._closing):
            self.counters["waited"] += 1  # the broker has to wait too: its stream is not read meanwhile

    def _slot_of(self, message: mqtt.MQTTMessage) -> bytes | None:
        try:
            root, _, name = message.topic.rpartition("/")
        except UnicodeDecodeError:  # a topic that is no text: what is raised here would end the library's thread
            return None
        if len(name) != 2 * SLOT_BYTES or root != f"{self.settings.root}/{name[0]}" or set(name) - set(GROUPS):
            return None
        return bytes.fromhex(name)


class _Budget:
    """A token bucket: so many a second, and a burst."""

    def __init__(self, rate_per_s: float, burst: float):
        self._rate_per_s, self._burst = rate_per_s, burst
        self._left, self._at = burst, 0.0

    def has(self, now: float) -> bool:
        """Whether there is one left, and take it."""
        if self.wait_s(now) <= 0:
            return True
        self._left += 1
        return False

    def wait_s(self, now: float) -> float:
        """How long to wait before the next one."""
        self._left = min(self._left + (now - self._at) * self._rate_per_s, self._burst) - 1
        self._at = now
        return max(-self._left / self._rate_per_s, 0.0)
