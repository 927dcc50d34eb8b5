"""What a simulated radio tells a client that asks for its configuration: what real firmware tells, in its order.

Firmware `PhoneAPI.cpp` (`STATE_SEND_MY_INFO` and on). Some of it no library of today has a name for; a client skips that.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from radio.lora import PRESET_NAMES
from radio.meshtastic.protobuf import (
    MeshPacket,
    channel_pb2,
    config_pb2,
    definitions,
    mesh_pb2,
    number_in,
    portnums_pb2,
    telemetry_pb2,
)
from radio.regions import REGIONS, region_name
from radio.sim.simnodes import POLICIES, DeviceSettings, KnownNode

CONFIGS = range(1, 11)  # device, position, power, network, display, lora, bluetooth, security, sessionkey, device_ui
DEVICE, LORA, SECURITY = 1, 6, 8
MODULES, MODULES_BEFORE_2_8 = range(1, 18), range(1, 14)  # numbers in module_config.proto: mqtt is the first
REGION_PRESETS = 19  # a variant of FromRadio that firmware 2.8 brought
SIGNATURE_POLICY = 9  # a field of SecurityConfig that it brought
FILES = ("/prefs/config.proto", "/prefs/module.proto", "/prefs/channels.proto", "/prefs/device.proto", "/prefs/nodes.proto")
CHANNELS = 8
LENGTH_DELIMITED = 2


def greeting(settings: DeviceSettings, others: Iterable[tuple[int, KnownNode]],
             metrics: telemetry_pb2.DeviceMetrics) -> Iterator[bytes]:
    """FromRadio messages, without the last one (`config_complete_id`)."""
    for message in (_my_info(settings), _uiconfig(), _own_info(settings, metrics), _metadata(settings)):
        yield message.SerializeToString()
    if settings.signs:
        yield _field(REGION_PRESETS, b"")
    for channel in _channels(settings.channels):
        yield mesh_pb2.FromRadio(channel=channel).SerializeToString()
    for number in CONFIGS:
        yield mesh_pb2.FromRadio(config=_config(number, settings)).SerializeToString()
    for number in MODULES if settings.signs else MODULES_BEFORE_2_8:
        message = mesh_pb2.FromRadio()
        message.moduleConfig.MergeFromString(_field(number, b""))
        yield message.SerializeToString()
    for number, node in others:
        info = mesh_pb2.NodeInfo(num=number, user=node.user, snr=node.snr_db, hops_away=node.hops)
        yield mesh_pb2.FromRadio(node_info=info).SerializeToString()
    for name in FILES:
        yield mesh_pb2.FromRadio(fileInfo=mesh_pb2.FileInfo(file_name=name, size_bytes=len(name))).SerializeToString()


def administered(settings: DeviceSettings, packet: MeshPacket) -> DeviceSettings | None:
    """How the device is set up after an admin message of its client; None if that changes nothing."""
    if packet.decoded.portnum != portnums_pb2.ADMIN_APP:
        return None
    admin, = definitions("admin_pb2")
    config = admin.AdminMessage.FromString(packet.decoded.payload).set_config
    match config.WhichOneof("payload_variant"):
        case "lora":
            return replace(settings, region=region_name(config.lora.region), hop_limit=config.lora.hop_limit,
                           sends=config.lora.tx_enabled)
        case "device":
            kinds = config_pb2.Config.DeviceConfig
            return replace(settings, role=kinds.Role.Name(config.device.role),
                           rebroadcast=kinds.RebroadcastMode.Name(config.device.rebroadcast_mode))
        case "security":
            changed = replace(settings, policy=POLICIES[number_in(config.security, SIGNATURE_POLICY)])
            kept = config.security.private_key == settings.private_key
            return changed if kept else replace(changed, identity=settings.identity + 1)  # it makes itself another key
    return None


def _my_info(settings: DeviceSettings) -> mesh_pb2.FromRadio:
    return mesh_pb2.FromRadio(my_info=mesh_pb2.MyNodeInfo(my_node_num=settings.node, min_app_version=30200))


def _uiconfig() -> mesh_pb2.FromRadio:
    message = mesh_pb2.FromRadio()
    message.deviceuiConfig.SetInParent()
    return message


def _own_info(settings: DeviceSettings, metrics: telemetry_pb2.DeviceMetrics) -> mesh_pb2.FromRadio:
    info = mesh_pb2.NodeInfo(num=settings.node, user=settings.user, device_metrics=metrics, is_favorite=True)
    if settings.clock:
        info.last_heard = settings.clock()
    return mesh_pb2.FromRadio(node_info=info)


def _metadata(settings: DeviceSettings) -> mesh_pb2.FromRadio:
    hardware = mesh_pb2.HardwareModel.PORTDUINO
    return mesh_pb2.FromRadio(metadata=mesh_pb2.DeviceMetadata(
        firmware_version=settings.firmware, device_state_version=24, hw_model=hardware, hasPKC=True))


def _config(number: int, settings: DeviceSettings) -> config_pb2.Config:
    content = {DEVICE: _device, LORA: _lora, SECURITY: _security}.get(number, lambda _: b"")(settings)
    return config_pb2.Config.FromString(_field(number, content))


def _device(settings: DeviceSettings) -> bytes:
    kinds = config_pb2.Config.DeviceConfig
    return kinds(role=settings.role, rebroadcast_mode=settings.rebroadcast).SerializeToString()


def _lora(settings: DeviceSettings) -> bytes:
    region = REGIONS.get(settings.region)
    return config_pb2.Config.LoRaConfig(
        use_preset=True, modem_preset=PRESET_NAMES.index(settings.preset), region=region.code if region else 0,
        hop_limit=settings.hop_limit, tx_enabled=settings.sends, tx_power=27,
    ).SerializeToString()


def _security(settings: DeviceSettings) -> bytes:
    told = config_pb2.Config.SecurityConfig(
        public_key=settings.public_key, private_key=settings.private_key).SerializeToString()
    policy = POLICIES.index(settings.policy)
    return told + bytes([SIGNATURE_POLICY << 3, policy]) if policy else told


def _channels(names: tuple[str, ...]) -> Iterator[channel_pb2.Channel]:
    roles = channel_pb2.Channel.Role
    for index in range(CHANNELS):
        role = roles.PRIMARY if index == 0 else roles.SECONDARY if index < len(names) else roles.DISABLED
        channel = channel_pb2.Channel(index=index, role=role)
        if index < len(names):
            channel.settings.name, channel.settings.psk = names[index], b"\x01"
        yield channel


def _field(number: int, content: bytes) -> bytes:
    """A field of a message, by its number: what a library has no name for too."""
    tag = number << 3 | LENGTH_DELIMITED
    head = bytes([tag]) if tag < 0x80 else bytes([tag & 0x7F | 0x80, tag >> 7])  # as all varints
    return head + bytes([len(content)]) + content
