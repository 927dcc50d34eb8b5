"""Our link and the real `meshtastic` library, untouched, get along: on one mesh, and in turns on one radio."""

import queue
from dataclasses import replace

import pytest
from meshtastic.tcp_interface import TCPInterface
from pubsub import pub

from radio.link import Outcome
from radio.meshtastic.framing import framed
from radio.meshtastic.protobuf import OutgoingPacket, mesh_pb2, request_to_send
from tests.radio.puppet import CALM
from tests.waiting import until


@pytest.fixture
def stock_hears():
    """Payloads that the library publishes, by sender."""
    packets = queue.Queue()

    def listen(packet, interface):
        packets.put((packet["from"], packet["decoded"]["payload"]))

    for topic in ("meshtastic.receive.data", "meshtastic.receive.text"):
        pub.subscribe(listen, topic)
    yield packets
    for topic in ("meshtastic.receive.data", "meshtastic.receive.text"):
        pub.unsubscribe(listen, topic)


def test_packets_and_texts_cross_between_our_link_and_a_stock_client(mesh, connect, stock_hears):
    texts = queue.Queue()
    link = connect(mesh.ports[0], on_text=lambda text: texts.put((text.sender, text.text, text.private)))
    until(lambda: link.up)
    with TCPInterface("127.0.0.1", portNumber=mesh.ports[1]) as stock:
        assert link.send(bytes(range(231))) is Outcome.SENT
        assert stock_hears.get(timeout=30) == (mesh.number(0), bytes(range(231)))
        stock.sendData(b"from stock", portNum=256)
        heard = link.receive(30)
        assert (heard.payload, heard.sender) == (b"from stock", "!a1c00001")
        assert link.send_text("!a1c00001", "Bonsoir") is Outcome.SENT
        assert stock_hears.get(timeout=30) == (mesh.number(0), b"Bonsoir")
        until(lambda: link.counters["text-acked"])
        stock.sendText("liste", destinationId=mesh.number(0), wantAck=True)
        assert texts.get(timeout=30) == ("!a1c00001", "liste", True)


def test_a_stock_client_on_our_radio_takes_our_place_and_leaves_it_again(mesh, connect):
    link = connect(mesh.ports[0], patience=replace(CALM, retry_first=1, retry_last=1))
    until(lambda: link.up)
    with TCPInterface("127.0.0.1", portNumber=mesh.ports[0]) as stock:
        assert stock.myInfo.my_node_num == mesh.number(0)
        until(lambda: not link.up or link.counters["connected"] > 1)
    until(lambda: link.up)


def test_what_we_ask_a_radio_for_is_what_the_library_would_ask():
    said = []
    stock = TCPInterface("nowhere.invalid", connectNow=False)
    stock._sendToRadioImpl = lambda message: said.append(framed(message.SerializeToString()))
    stock.currentPacketId = 7
    for packet in (OutgoingPacket(b"all", 256), OutgoingPacket(b"one", 300, 2, 3, 9, True, True)):
        priority = mesh_pb2.MeshPacket.Priority.HIGH if packet.urgent else mesh_pb2.MeshPacket.Priority.DEFAULT
        sent = stock.sendData(packet.payload, packet.to, portNum=packet.portnum, wantAck=packet.want_ack,
                              channelIndex=packet.channel, hopLimit=packet.hop_limit, priority=priority)
        assert said.pop() == framed(request_to_send(packet, sent.id))
