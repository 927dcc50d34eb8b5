"""What a simulated radio is to others, and what it knows of them: numbers, public keys, who signs, the way to them.

Nothing is encrypted or signed here. A packet carries in `public_key` what the real one proves: of a broadcast that is
signed, whose key signed it; of a packet for one node, whose two keys sealed it.
"""

import hashlib
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from google.protobuf.message import DecodeError

from radio.lora import BITFIELD_BYTES, HEADER_BYTES, MAX_FRAME_BYTES, SIGNATURE_BYTES
from radio.meshtastic.protobuf import EVERYBODY, MeshPacket, mesh_pb2, portnums_pb2
from radio.sim.habits import Habits, Role, SenderLimit

COMPATIBLE, BALANCED, STRICT = "COMPATIBLE", "BALANCED", "STRICT"
POLICIES = (COMPATIBLE, BALANCED, STRICT)  # by number, in the firmware's config.proto
MAX_NODES = 100  # the longest unheard gives way


@dataclass(frozen=True)
class DeviceSettings:
    """How a device is set up. `channels` are names, the first is the primary ("" is the preset's own). `number`: what
    firmware before 2.8 calls it; newer firmware makes its node number from its public key, of which `identity` names one.

    `acquainted`: it has heard everybody before, and told everybody of itself not long ago. `licensed`: an amateur's, which
    tells nobody a key and encrypts nothing for one node alone.
    """

    number: int
    firmware: str = "2.7.26.54e0d8d"
    region: str = "EU_868"
    preset: str = "LONG_FAST"
    channels: tuple[str, ...] = ("",)
    clock: Callable[[], int] | None = None  # seconds since 1970, if the radio knows the time
    identity: int = 0
    policy: str = COMPATIBLE
    role: str = "CLIENT"
    rebroadcast: str = "ALL"
    hop_limit: int = 3
    sends: bool = True
    limit: SenderLimit | None = None
    acquainted: bool = False
    licensed: bool = False

    @property
    def signs(self) -> bool:
        """Whether this firmware (>= 2.8) signs the broadcasts that leave room for it, and has a policy about others'."""
        major, minor = self.firmware.split(".")[:2]
        return (int(major), int(minor)) >= (2, 8)

    @property
    def habits(self) -> Habits:
        """How it passes on what others sent."""
        return Habits(Role[self.role] if self.role in Role.__members__ else Role.CLIENT, limit=self.limit)

    @property
    def public_key(self) -> bytes:
        """32 bytes."""
        return hashlib.sha256(f"{self.number} {self.identity}".encode()).digest()

    @property
    def private_key(self) -> bytes:
        """32 bytes, which its own client is told."""
        return hashlib.sha256(b"private" + self.public_key).digest()

    @property
    def node(self) -> int:
        """Its node number: `NodeDB::createNewIdentity` in firmware 2.8, the last 4 bytes of its MAC address before."""
        return zlib.crc32(self.public_key) if self.signs else self.number

    @property
    def name(self) -> str:
        """The node's id as people write it."""
        return f"!{self.node:08x}"

    @property
    def user(self) -> mesh_pb2.User:
        """What it tells of itself."""
        return mesh_pb2.User(id=self.name, long_name=f"Simulated {self.name[-4:]}", short_name=self.name[-4:],
                             hw_model=mesh_pb2.HardwareModel.PORTDUINO, is_licensed=self.licensed,
                             public_key=b"" if self.licensed else self.public_key)


@dataclass(slots=True)
class KnownNode:
    """Another node; `user` None as long as it has not told who it is. `next_hop`: who passes on what is for it (the last
    byte of its number), 0 for anybody; `answered_at`: when it was last told who we are, at its wish.
    """

    user: mesh_pb2.User | None = None
    signs: bool = False
    hops: int = 0
    snr_db: float = 0.0
    next_hop: int = 0
    answered_at: float = float("-inf")

    @property
    def key(self) -> bytes:
        """Its public key, as far as it is known."""
        return self.user.public_key if self.user else b""


class NodeList:
    """The nodes that one radio knows."""

    def __init__(self, settings: DeviceSettings):
        self._settings = settings
        self._nodes: dict[int, KnownNode] = {}

    def __iter__(self) -> Iterator[tuple[int, KnownNode]]:
        return iter(self._nodes.items())

    def of(self, settings: DeviceSettings) -> "NodeList":
        """The same list after the radio was set up anew."""
        self._settings = settings
        return self

    def get(self, number: int) -> KnownNode:
        """What is known of a node; heard now."""
        node = self._nodes.pop(number, None) or KnownNode()
        self._nodes[number] = node
        if len(self._nodes) > MAX_NODES:
            del self._nodes[next(iter(self._nodes))]
        return node

    def key(self, number: int) -> bytes:
        """A node's public key, b"" if unknown."""
        if number == self._settings.node:
            return self._settings.public_key
        return self._nodes[number].key if number in self._nodes else b""

    def next_hop(self, number: int) -> int:
        """Who passes on what is for a node, 0 for anybody."""
        return self._nodes[number].next_hop if number in self._nodes else 0

    def introduce(self, user: mesh_pb2.User, number: int, signed: bool) -> None:
        """Note who a node says it is: `NodeDB::updateUser`. A key once known is not replaced, a known signer signs;
        amateurs and others ignore each other."""
        node = self.get(number)
        if user.is_licensed != self._settings.licensed:
            return
        if (node.signs and not signed) or node.key not in (b"", user.public_key):
            return
        node.user, node.signs = user, node.signs or signed

    def seal(self, packet: MeshPacket) -> bool:
        """Encrypt a packet for its receiver alone; whether that one's key is known."""
        key = self.key(packet.to)
        packet.pki_encrypted, packet.channel = True, 0
        packet.public_key = _both(self._settings.public_key, key)
        return bool(key)

    def opens(self, packet: MeshPacket) -> bool:
        """Whether a packet for us was sealed with the key that we know of its sender, and with ours."""
        key = self.key(getattr(packet, "from"))
        return bool(key) and packet.public_key == _both(key, self._settings.public_key)

    def admits(self, packet: MeshPacket) -> bool:
        """Whether a packet that can be read is taken in: `checkXeddsaReceivePolicy` in firmware 2.8. Who signs is noted."""
        policy = self._settings.policy
        if not self._settings.signs or packet.pki_encrypted:
            return True
        if packet.public_key:
            return self._verifies(packet, policy)
        if policy == STRICT:
            return False
        return policy == COMPATIBLE or not (self._is_signer(packet) and packet.to == EVERYBODY and signable(packet))

    def _is_signer(self, packet: MeshPacket) -> bool:
        number = getattr(packet, "from")
        return number in self._nodes and self._nodes[number].signs

    def _verifies(self, packet: MeshPacket, policy: str) -> bool:
        number = getattr(packet, "from")
        known = self.key(number)
        if known:
            if known == packet.public_key:
                self.get(number).signs = True
            return known == packet.public_key
        user = user_of(packet)
        if user is not None:  # the first word of a stranger: its number comes from its key
            if zlib.crc32(user.public_key) != number or user.public_key != packet.public_key:
                return False
            self.introduce(user, number, signed=True)
            return True
        return policy != STRICT


def signable(packet: MeshPacket) -> bool:
    """Whether a broadcast leaves room for a signature."""
    return data_bytes(packet) + SIGNATURE_BYTES <= MAX_FRAME_BYTES


def data_bytes(packet: MeshPacket) -> int:
    """The frame's length, neither signed nor sealed."""
    return HEADER_BYTES + packet.decoded.ByteSize() + BITFIELD_BYTES * (not packet.decoded.HasField("bitfield"))


def user_of(packet: MeshPacket) -> mesh_pb2.User | None:
    """Who a NodeInfo says its sender is; None for any other packet."""
    if packet.decoded.portnum != portnums_pb2.NODEINFO_APP:
        return None
    try:
        return mesh_pb2.User.FromString(packet.decoded.payload)
    except DecodeError:
        return None


def _both(sender_key: bytes, receiver_key: bytes) -> bytes:
    return hashlib.sha256(sender_key + receiver_key).digest()
