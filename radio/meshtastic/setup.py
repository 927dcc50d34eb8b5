"""Setting up a Meshtastic radio: the few settings that can keep an island from being heard.

A section of the configuration is replaced whole by the firmware (`AdminModule::handleSetConfig`), so it is read first and
sent back with what is wanted changed, unknown fields included. `SecurityConfig` holds the radio's private key: it is kept
no longer than that takes, and never sent back without the key, for the radio would make itself another one.
"""

from dataclasses import dataclass
from typing import Any

from radio.meshtastic.facts import POLICIES, SIGNATURE_POLICY, Facts
from radio.meshtastic.protobuf import config_pb2, definitions
from radio.regions import REGIONS

KEY_BYTES = 32
MAX_HOPS = 7
DEVICE, LORA, SECURITY = "device", "lora", "security"


@dataclass(frozen=True)
class RadioWish:
    """What a radio shall be set to; what is "" or None stays. Raises ValueError for what no radio knows."""

    region: str = ""
    signatures: str = ""
    role: str = ""
    pass_on: str = ""
    hops: int | None = None
    send: bool = False

    def __post_init__(self) -> None:
        device = config_pb2.Config.DeviceConfig
        known = [(self.region, REGIONS), (self.signatures, POLICIES), (self.role, device.Role.keys()),
                 (self.pass_on, device.RebroadcastMode.keys())]
        for word, words in known:
            if word and word not in words:
                raise ValueError(word)
        if self.hops is not None and not 0 <= self.hops <= MAX_HOPS:
            raise ValueError(str(self.hops))

    @property
    def sections(self) -> frozenset[str]:
        """The sections of the configuration that it changes."""
        wanted = {LORA: self.region or self.send or self.hops is not None, DEVICE: self.role or self.pass_on,
                  SECURITY: self.signatures}
        return frozenset(section for section, changed in wanted.items() if changed)

    def holds(self, facts: Facts) -> bool:
        """Whether a radio that told this is set so."""
        pairs = [(self.region, facts.region), (self.signatures, facts.signature_policy), (self.role, facts.role),
                 (self.pass_on, facts.rebroadcast)]
        return (all(not wanted or wanted == told for wanted, told in pairs)
                and self.hops in (None, facts.hop_limit) and (facts.sends or not self.send))


def orders(wish: RadioWish, told: dict[str, Any]) -> list[bytes]:
    """The AdminMessages for a wish, from the sections that the radio `told`; raises ValueError if they do not suffice."""
    changes = {LORA: _lora, DEVICE: _device, SECURITY: _security}
    if not wish.sections <= told.keys():
        raise ValueError("the radio told too little of itself")
    return [_order(section, changes[section](wish, told[section])) for section in sorted(wish.sections)]


def _lora(wish: RadioWish, told: Any) -> bytes:
    lora = type(told).FromString(told.SerializeToString())
    if wish.region:
        lora.region = REGIONS[wish.region].code
    if wish.hops is not None:
        lora.hop_limit = wish.hops
    lora.tx_enabled = lora.tx_enabled or wish.send
    return bytes(lora.SerializeToString())


def _device(wish: RadioWish, told: Any) -> bytes:
    device = type(told).FromString(told.SerializeToString())
    if wish.role:
        device.role = wish.role
    if wish.pass_on:
        device.rebroadcast_mode = wish.pass_on
    return bytes(device.SerializeToString())


def _security(wish: RadioWish, told: Any) -> bytes:
    if len(told.private_key) != KEY_BYTES:
        raise ValueError("the radio does not tell its key, and would make itself another one")
    wanted = bytes([SIGNATURE_POLICY << 3, POLICIES.index(wish.signatures)])  # of two the last counts
    return bytes(told.SerializeToString()) + wanted


def _order(section: str, content: bytes) -> bytes:
    admin, = definitions("admin_pb2")
    message = admin.AdminMessage()
    part = getattr(message.set_config, section)
    part.SetInParent()
    part.MergeFromString(content)
    return bytes(message.SerializeToString())
