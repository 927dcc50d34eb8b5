"""A Meshtastic radio of our own making on TCP: it says what a test wants it to, however wrong."""

import contextlib
import queue
import socket
import struct
import threading
from dataclasses import replace

from meshtastic.protobuf import config_pb2, mesh_pb2

from radio.link import Outcome
from radio.meshtastic.framing import Deframer, framed
from radio.meshtastic.link import MeshtasticLink
from radio.meshtastic.settings import MeshtasticSettings, Patience

SPEED = 50
HASTY = Patience(handshake=2, status=0.5, room=0.5, heartbeat=0.1, silence=0.4, retry_first=0.05, retry_last=0.2,
                 settled=30)
CALM = replace(HASTY, silence=60)


class Links:
    """Opens links, and closes them when the test ends."""

    def __init__(self):
        self._links = []

    def __call__(self, where, patience=CALM, on_text=None, on_hung=None, **settings):
        address = where if isinstance(where, str) else f"tcp:127.0.0.1:{where}"
        use = MeshtasticSettings(address, speed=SPEED, patience=patience, **settings)
        self._links.append(MeshtasticLink(use, on_text=on_text, on_hung=on_hung))
        return self._links[-1]

    def close(self):
        for link in self._links:
            link.close()


def hears(here, there):
    """Whether a packet from one link reaches the other."""
    return here.send(b"ping") is Outcome.SENT and there.receive(2) is not None


class Puppet:
    """A listening radio, node number 9 in EU_868. `answers` is whether it shakes hands by itself."""

    def __init__(self):
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self.heard = queue.Queue()
        self.raw = b""
        self.accepted = 0
        self.answers = True
        self._clients = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            self.accepted += 1
            self._clients.append(client)
            threading.Thread(target=self._read, args=(client,), daemon=True).start()

    def _read(self, client):
        deframer = Deframer()
        with contextlib.suppress(OSError, IndexError):  # whoever called has left
            while data := client.recv(4096):
                self.raw += data
                for raw in deframer.feed(data):
                    self._take(mesh_pb2.ToRadio.FromString(raw))

    def _take(self, message):
        if message.want_config_id and self.answers:
            self.greet(message.want_config_id)
        self.heard.put(message)

    def greet(self, config_id):
        lora = config_pb2.Config.LoRaConfig(use_preset=True, region=3, tx_enabled=True)
        self.say(my_info=mesh_pb2.MyNodeInfo(my_node_num=9))
        self.say(config=config_pb2.Config(lora=lora))
        self.say(config_complete_id=config_id)

    def say(self, **message):
        self.write(framed(mesh_pb2.FromRadio(**message).SerializeToString()))

    def write(self, raw):
        self._clients[-1].sendall(raw)

    def next_packet(self):
        while True:
            message = self.heard.get(timeout=30)
            if message.HasField("packet"):
                return message.packet

    def hang_up(self):
        client = self._clients.pop()
        with contextlib.suppress(OSError):  # it may have gone first
            client.shutdown(socket.SHUT_RDWR)
        client.close()

    def slam(self):
        """Reset the connection instead of closing it."""
        client = self._clients.pop()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.shutdown(socket.SHUT_RD)
        client.close()

    def close(self):
        self._server.shutdown(socket.SHUT_RDWR)
        self._thread.join()  # it may be about to take one more in
        self._server.close()
        while self._clients:
            self.hang_up()


def packet_from(sender, packet_id, port, payload, **fields):
    """A packet as a radio brings it."""
    data = mesh_pb2.Data(portnum=port, payload=payload, request_id=fields.pop("request_id", 0))
    packet = mesh_pb2.MeshPacket(id=packet_id, decoded=data, **fields)
    setattr(packet, "from", sender)
    return packet
