"""What goes into an engine and what comes out. Plain values; `now` travels beside them, in seconds since 1970."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """A link came up or went down."""

    link: str
    up: bool


@dataclass(frozen=True, slots=True)
class PacketReceived:
    """Bytes heard on `link`. `sender` is the link's name for who sent them, never an identity; `hops`, how many nodes
    passed them on, may be unknown; `hops_left`, how many more may; `relay`: the end of the link's name for who sent this
    copy, "" where that is not told; `snr_db` and `rssi_dbm`: how strong it was, where a radio tells that."""

    link: str
    payload: bytes
    sender: str = ""
    hops: int | None = None
    hops_left: int = 0
    relay: str = ""
    snr_db: float | None = None
    rssi_dbm: int | None = None


@dataclass(frozen=True, slots=True)
class SendDone:
    """The link is done with the last `Send` (one at most is under way per link); `outcome`: a radio.link.Outcome value."""

    link: str
    outcome: str


@dataclass(frozen=True, slots=True)
class RecordPosted:
    """A record posted here (portal, text command, command line)."""

    raw: bytes


@dataclass(frozen=True, slots=True)
class Imported:
    """Records that came in bulk by another way (`via`: "bundle", "lan", ...)."""

    raws: tuple[bytes, ...]
    via: str


@dataclass(frozen=True, slots=True)
class RecordKept:
    """`id` is now in the set and on disk. `via`: the link's name or "post", "bundle"; `bulk` when learnt in bulk."""

    id: bytes
    via: str
    bulk: bool = False


@dataclass(frozen=True, slots=True)
class RecordRefused:
    """What an engine asked to keep is not in the set: `reason` is a slug ("duplicate", "penned", "signature", ...)."""

    id: bytes
    via: str
    reason: str


@dataclass(frozen=True, slots=True)
class RecordsGone:
    """These ids left the set (expired, superseded, retracted, over a quota)."""

    ids: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Tick:
    """The deadline an engine asked for has come."""


@dataclass(frozen=True, slots=True)
class MeetNow:
    """A keeper wants the island to compare what it holds with the others soon, without waiting for its hour."""


Event = (LinkChanged | PacketReceived | SendDone | RecordPosted | Imported | RecordKept | RecordRefused | RecordsGone | Tick
         | MeetNow)


@dataclass(frozen=True, slots=True)
class Keep:
    """Admit and store this record before anything else happens."""

    raw: bytes
    via: str
    bulk: bool = False


@dataclass(frozen=True, slots=True)
class Send:
    """One packet for one link; `SendDone` answers it. `label` is what it is in a word: "data", "repair", "sum", "need";
    `to` is what the link calls the only node that it is for, "" for everybody."""

    link: str
    payload: bytes
    hop_limit: int = 0
    urgent: bool = False
    label: str = ""
    to: str = ""


@dataclass(frozen=True, slots=True)
class Drop:
    """Something heard was no good; counted under `reason`, a short slug."""

    link: str
    reason: str


Action = Keep | Send | Drop
