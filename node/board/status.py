"""The state of an island as one immutable value: what pages, `archipel status`, `archipel doctor` and /radio.csv tell.

What the island's links, clock and archive are like is in a HostStatus, which the thread that owns them makes now and then
(`node.daemon.status_reporter`). The board adds what it owns itself. Names are those of the JSON; `_s` are seconds, minutes
count from 2024 (`node.model.clock`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from enum import StrEnum
from typing import Any

IF_ANY = {"if_any": True}  # of a field: a None is left out of the JSON


@dataclass(frozen=True, slots=True)
class ClockVoice:
    """Somebody whose word on the time is not believed: a slug as of ClockStatus, and the minute it says that it is."""

    source: str
    minute: int


@dataclass(frozen=True, slots=True)
class ClockStatus:
    """What time the island takes it to be. `source`, a slug, told it; `sure`: no single neighbour's error can be behind it;
    `told`: somebody vouches for it; `undo`: a keeper's word can be taken back; `others` say something else."""

    source: str
    sure: bool
    now: int
    told: bool = True
    undo: bool = False
    others: tuple[ClockVoice, ...] = ()


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """Whether the card keeps posts, and the slug of why not."""

    ok: bool
    reason: str


@dataclass(frozen=True, slots=True)
class RulesStatus:
    """Who may post here: open, moderated or members."""

    posting: str


@dataclass(frozen=True, slots=True)
class ArchiveStatus:
    """Whether the archive works, the slug of why not, and how many past records it holds.

    `searched`: live records with words to search in; `unread`: how many of them search does not find yet.
    """

    ok: bool
    reason: str
    records: int
    searched: int = 0
    unread: int = 0


@dataclass(frozen=True, slots=True)
class RadioStatus:
    """What a Meshtastic radio told of itself; shares are parts of 1, None as long as it told none. `battery` above 1: it
    is fed from outside. `signature_policy`: which broadcasts it takes and passes on, "" where it has no such setting.
    `harms`: what in its settings harms this island (`node.board.radio_harms`)."""

    firmware: str
    region: str
    preset: str
    frequency_mhz: float
    channel_use: float | None
    own_use: float | None
    node: str = ""
    battery: float | None = field(default=None, metadata=IF_ANY)
    voltage_v: float | None = field(default=None, metadata=IF_ANY)
    temperature_c: float | None = field(default=None, metadata=IF_ANY)
    signature_policy: str = ""
    harms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OutlookStatus:
    """When a packet of the longest kind may go, in seconds (None: never), what holds it back
    (`node.board.air_words.HOLDS`), and how many seconds of air are left to its `claim` (urgent, fair, crowding)."""

    claim: str
    wait_s: float | None
    hold: str
    left_s: float


@dataclass(frozen=True, slots=True)
class AirWishes:
    """What keepers want of the radio for a while, in seconds that are left of it (0: nothing): silence, only what is
    urgent, another share in percent of the law."""

    silence_s: float = 0.0
    only_urgent_s: float = 0.0
    share_percent: float = 0.0
    share_s: float = 0.0


@dataclass(frozen=True, slots=True)
class AirtimeStatus:
    """What may be sent and was sent, in seconds of air.

    In any hour `limit_s` may be used, on average over the day `mean_s` an hour; the law allows `law_s`. `saved_s` of at
    most `most_saved_s` is there for who was silent. `next_send_s`: when the first packet of the queue may go, or the
    longest one if nothing waits (None: never), and `hold` why not sooner. `kept_urgent_s` is kept for urgent packets.
    """

    region: str
    limit_s: float
    used_s: float
    used_15_s: float
    left_s: float
    next_send_s: float | None
    hold: str = ""
    law_s: float = 0.0
    mean_s: float = 0.0
    saved_s: float = 0.0
    most_saved_s: float = 0.0
    kept_urgent_s: float = 0.0
    outlooks: tuple[OutlookStatus, ...] = ()
    wishes: AirWishes = field(default_factory=AirWishes)


@dataclass(frozen=True, slots=True)
class NeighbourStatus:
    """One neighbour on the air: `relays` between us, `loss` the part of its packets that we miss, `set` how its set
    compares with ours (a `node.sync.lora.neighbours.View`), `lacks` how many of our records it is believed to lack.

    `island`: its name in the set, "" if unknown. `snr_db` and `rssi_dbm` of its last packet, which the last relay sent if
    there are any. `hears_us`: it says so, or the contrary; None if it said nothing yet. `away`: records went by without a
    word from it.
    """

    name: str
    heard_s_ago: int
    relays: int
    loss: float
    set: str
    lacks: int
    island: str = ""
    snr_db: float | None = None
    rssi_dbm: int | None = None
    hears_us: bool | None = None
    away: bool = False


@dataclass(frozen=True, slots=True)
class Holding:
    """What another island was last known to hold of our records, from what islands exchange anyway: all that this one had
    kept before minute `compared` (0: nothing is known), but `lacking`, and `held` for certain. Ids; not in the status."""

    compared: int = 0
    lacking: frozenset[bytes] = frozenset()
    held: frozenset[bytes] = frozenset()

    def has(self, id_: bytes, kept: int) -> bool:
        """Whether it holds the record that this island has kept since minute `kept`."""
        return id_ in self.held or (kept < self.compared and id_ not in self.lacking)


@dataclass(frozen=True, slots=True)
class Holdings:
    """Of the islands heard by radio, and of those visited on this network: an island may be both."""

    radio: tuple[Holding, ...] = ()
    network: tuple[Holding, ...] = ()


@dataclass(frozen=True, slots=True)
class QueuedStatus:
    """One record that waits to be sent: its `kind` (trust, urgent, confirming, event, new, repair), how many packets it
    takes, how long it has waited, how many neighbours it is for, its claim on the air, when it goes (None: nobody
    knows) and why not now (as `AirtimeStatus.hold`, or "turn", "sending", "link-down")."""

    kind: str
    packets: int
    age_s: int
    neighbours: int
    claim: str
    wait_s: float | None
    hold: str


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """What waits to be sent on the air; `rows` are those that go first."""

    records: int
    packets: int
    rows: tuple[QueuedStatus, ...] = ()


@dataclass(frozen=True, slots=True)
class PacketStatus:
    """One packet on the air, `sent` by us or heard from `name` (its `island` if known): what is in it, as (slug, number)
    pairs of `node.board.air_words.SECTIONS`; `outcome` of one of ours, "" while it is under way."""

    s_ago: int
    sent: bool
    name: str
    size_bytes: int
    airtime_s: float
    sections: tuple[tuple[str, int], ...]
    island: str = ""
    relays: int | None = None
    snr_db: float | None = None
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class AirHistory:
    """The air of the last day since this start, in steps of `step_s`, oldest first; the last one goes on.

    `sent_s`: seconds of air by kind (fresh, repair, question, summary, lead, text), one number a step; `channel_use`: the
    mean part of the channel that was busy, None where the radio told nothing. `total_s` is since the start.
    """

    step_s: int
    sent_s: Mapping[str, tuple[float, ...]]
    channel_use: tuple[float | None, ...]
    total_s: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class BrokerStatus:
    """What a look at a broker found: `verdict` is a slug (`radio.mqtt.probe.knock`), "" as long as nobody has looked."""

    verdict: str


@dataclass(frozen=True, slots=True)
class LinkStatus:
    """One link: `state` is "up" or the slug of why not. `broker` is told of brokers, the rest of a LoRa radio."""

    name: str
    up: bool
    state: str
    counters: Mapping[str, int] = field(default_factory=dict)
    radio: RadioStatus | None = field(default=None, metadata=IF_ANY)
    airtime: AirtimeStatus | None = field(default=None, metadata=IF_ANY)
    neighbours: tuple[NeighbourStatus, ...] | None = field(default=None, metadata=IF_ANY)
    queue: QueueStatus | None = field(default=None, metadata=IF_ANY)
    packets: tuple[PacketStatus, ...] | None = field(default=None, metadata=IF_ANY)
    history: AirHistory | None = field(default=None, metadata=IF_ANY)
    broker: BrokerStatus | None = field(default=None, metadata=IF_ANY)


@dataclass(frozen=True, slots=True)
class PeerStatus:
    """Another island on this network: `new` records came from it, `given` went there."""

    name: str
    up: bool
    state: str
    new: int
    given: int


@dataclass(frozen=True, slots=True)
class LanStatus:
    """The visits to and from other islands on this network."""

    peers: tuple[PeerStatus, ...] = ()
    counters: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SecretStatus:
    """Which of the set's secrets this island speaks with: the minute from which it counts, None for the one that came with
    the set; `behind`: the others go on with one that this island was not given; `heard`: the minute in which somebody was
    last heard by radio or on the network who still speaks with an earlier one, None for nobody since the last start. By
    broker nobody can tell those from who leads them."""

    since: int | None = None
    behind: bool = False
    heard: int | None = None


@dataclass(frozen=True, slots=True)
class MachineStatus:
    """What the machine's sensors tell, None where it has none: degrees Celsius of its processor; `power_weak`: its supply
    was too weak within the last day of running."""

    temperature_c: float | None = field(default=None, metadata=IF_ANY)
    power_weak: bool | None = field(default=None, metadata=IF_ANY)


@dataclass(frozen=True, slots=True)
class TextsStatus:
    """Text messages to hand-held radios: how many went in the last hour, the seconds of air they took, and how many seconds
    more may go now. Nothing of whom they went to."""

    sent: int
    used_s: float
    left_s: float


@dataclass(frozen=True, slots=True)
class HostStatus:
    """What the board does not know itself. `last_heard`: the minute another island was heard last; `notices`: sentences
    for the keeper; `damaged`: records that the card lost; `erasure_owed_s`: for how many seconds of running something that
    was withdrawn has been waiting to be erased from the card, None when nothing is owed; `card_errors`: how often the
    card's file system failed; `version`: of the program."""

    name: str
    notices: tuple[str, ...]
    last_heard: int | None
    clock: ClockStatus
    archive: ArchiveStatus
    damaged: int = 0
    counters: Mapping[str, int] = field(default_factory=dict)
    links: tuple[LinkStatus, ...] = ()
    lan: LanStatus = field(default_factory=LanStatus)
    erasure_owed_s: float | None = None
    card_errors: int = 0
    secret: SecretStatus = field(default_factory=SecretStatus)
    machine: MachineStatus = field(default_factory=MachineStatus)
    texts: TextsStatus | None = field(default=None, metadata=IF_ANY)
    version: str = ""


@dataclass(frozen=True, slots=True)
class ShareStatus:
    """What the posts of this island take of its share of the set; half of them will have ended by minute `half_ends`."""

    records: int
    of_records: int
    size_bytes: int
    of_bytes: int
    half_ends: int


class RightsLack(StrEnum):
    """Why an island may not write in its set."""

    NONE = ""
    UNKNOWN = "unknown"  # nobody has vouched for its key
    ENDED = "ended"
    CUT = "cut"  # its key was revoked
    TAKEN_BACK = "taken-back"  # who gave it its rights took them back
    GIVER = "giver"  # who let it in may not, as far as is known here
    USED = "used"  # somebody else came in with its invitation
    CLOCK = "clock"  # its clock is behind what it was let in with


@dataclass(frozen=True, slots=True)
class KeyEnd:
    """A key whose rights end soon, or did lately: when, whether it is an unused invitation, or this island's own; whether
    this island can renew it, and the names of who can."""

    id: str
    name: str
    until: int
    invitation: bool
    here: bool
    renewable: bool
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RightsStatus:
    """Until which minute this island may write in its set: 0 if it may not, None for ever; `by`: who can renew that.

    `lack` says why it may not, and `since` when. `vouches`: it may let others in. `ends`: what ends soon, as KeyEnd.
    """

    until: int | None = field(default=None, metadata=IF_ANY)
    by: tuple[str, ...] = ()
    lack: RightsLack = RightsLack.NONE
    since: int = 0
    vouches: bool = False
    ends: tuple[KeyEnd, ...] = ()


@dataclass(frozen=True, slots=True)
class BackupStatus:
    """The minute of the last backup that was taken away, None if none was; and that from which it is missed."""

    last: int | None
    missed: int


@dataclass(frozen=True, slots=True)
class TrialStatus:
    """Settings that are on trial: their group (`node.board.island_settings.SettingsGroup`), and the seconds left to keep
    them."""

    group: str
    left_s: float


@dataclass(frozen=True, slots=True)
class SetStatus:
    """Which set the island belongs to: its name, and its fingerprint (the set's id, 32 hex digits)."""

    name: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Status:
    """One island. `checksum` (of the board) is the same on islands that hold the same records."""

    checksum: str
    set: SetStatus
    records: int
    store: StoreStatus
    rules: RulesStatus
    share: ShareStatus
    rights: RightsStatus
    backup: BackupStatus
    host: HostStatus
    trial: TrialStatus | None = field(default=None, metadata=IF_ANY)


def as_json(status: Status) -> dict[str, Any]:
    """As JSON values: the host's fields stand beside the board's."""
    told = _json(status)
    return {**{name: value for name, value in told.items() if name != "host"}, **told["host"]}


def _json(value: object) -> Any:
    if is_dataclass(value):
        told = [(one, getattr(value, one.name)) for one in fields(value)]
        return {one.name: _json(inner) for one, inner in told if inner is not None or "if_any" not in one.metadata}
    if isinstance(value, tuple):
        return [_json(inner) for inner in value]
    return {name: _json(inner) for name, inner in value.items()} if isinstance(value, Mapping) else value
