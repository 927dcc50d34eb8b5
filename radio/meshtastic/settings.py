"""Which Meshtastic radio, and how it is used."""

from dataclasses import dataclass, field

from radio.lora import MAX_PAYLOAD_BYTES

TCP_PORT = 4403
PRIVATE_PORT, LAST_PORT = 256, 511  # of the port numbers that are for private applications


@dataclass(frozen=True)
class Patience:
    """Seconds of real time: how long is waited for what. `heartbeat` must stay below the firmware's 900.

    A radio whose line is there and that has told nothing of use for `mute` is restarted, once in `restart` at most. What it
    told of itself is believed for `refresh`: another program may have set it up anew, which nobody tells us.
    """

    handshake: float = 30
    status: float = 5
    room: float = 30
    heartbeat: float = 120
    silence: float = 420
    retry_first: float = 1
    retry_last: float = 60
    refresh: float = 3600
    mute: float = 600
    restart: float = 3600
    settled: float = 60  # a connection that lived so long was no accident


@dataclass(frozen=True)
class MeshtasticSettings:
    """Which radio, and how it is used. `connect`: `auto`, `serial`, `serial:/dev/...`, `tcp:HOST[:PORT]`.

    `channel` is a name or an index; `speed` is above 1 only with a simulated air that runs faster than time.
    """

    connect: str = "auto"
    channel: str | int = ""
    max_payload: int = MAX_PAYLOAD_BYTES
    portnum: int = PRIVATE_PORT
    speed: float = 1.0
    patience: Patience = field(default_factory=Patience)

    def __post_init__(self) -> None:
        if not 1 <= self.max_payload <= MAX_PAYLOAD_BYTES:
            raise ValueError(f"a packet holds 1 to {MAX_PAYLOAD_BYTES} bytes, not {self.max_payload}")
        if not PRIVATE_PORT <= self.portnum <= LAST_PORT:
            raise ValueError(f"port number {self.portnum} is not for private applications (256 to 511)")
        if self.connect.partition(":")[0] not in ("auto", "serial", "tcp"):
            raise ValueError(f"no such way to a radio: {self.connect}")


def split_address(address: str) -> tuple[str, int]:
    """Host and port of `HOST`, `HOST:PORT` or `[IPv6]:PORT`."""
    host, colon, port = address.rpartition(":")
    if colon and port.isdecimal() and (":" not in host or host.startswith("[")):
        return host.strip("[]"), int(port)
    return address.strip("[]"), TCP_PORT
