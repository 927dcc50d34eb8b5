"""Makes the captures in the tree: python -m tests.replay.make [FOLDER]

Real islands on simulated radios, at a real mosquitto, on a network: posts, corrections, withdrawals, strangers, forgeries.
One of them records. They differ a little each time, as radios do.
"""

import random
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import paho.mqtt.client as mqtt

from node.board.api import Draft
from node.daemon.app import App
from node.daemon.capture_tap import capture_handlers
from node.daemon.keyfiles import KeyFolder
from node.daemon.mqtt import root_of
from node.daemon.settings import MqttSettings, NodeSettings, PortalSettings, RadioSettings, Settings
from node.model.clock import FastClock
from node.model.keys import SigningKey
from node.model.record import Kind, Record, encode, record_id, sign
from node.sync.events import PacketReceived
from node.sync.lora import packets
from node.sync.lora.packets import Packet, Whole
from node.transfer.lan import ASKED, Envelope
from radio.sim.simradio import SimulatedMesh
from radio.sim.topology import line
from tests.mosquitto import Mosquitto
from tests.waiting import until

SPEED = 20.0
FOLDER = Path(__file__).parent / "captures"
LONG = "Réunion de quartier : " + "nous parlerons des jardins partagés, de la cantine et du marché. " * 12


@contextmanager
def islands(folder, count, **links):
    """So many islands of one set; `links` are their settings, by name a list of one each."""
    names = [folder / f"island{number}" for number in range(count)]
    keys = [KeyFolder(name) for name in names]
    keys[0].found("Belleville", "a")
    for number, one in enumerate(keys[1:], 1):
        one.join(keys[0].invite(), f"island {number}")
    with ExitStack() as open_:
        apps = []
        for number, name in enumerate(names):
            radio, broker = (links.get(kind, ["none"] * count)[number] for kind in ("radios", "brokers"))
            app = App(Settings(NodeSettings(name.name, name), PortalSettings(), RadioSettings(connect=radio),
                               MqttSettings(broker)), FastClock(SPEED, time.time()))
            app.open()
            open_.callback(app.close)
            apps.append(app)
        yield apps


@contextmanager
def recorded(app, path):
    """What goes on meanwhile is in the file."""
    ask = capture_handlers(app.tap, app.runner.call, app.links)
    assert ask["capture-begin"]({"minutes": 700})
    lines, over = [], threading.Event()

    def follow():
        while not over.wait(0.5):
            lines.extend(ask["capture-take"]({})["lines"])

    following = threading.Thread(target=follow)
    following.start()
    try:
        yield
    finally:
        over.set()
        following.join()
        lines += ask["capture-end"]({})["lines"]
        path.write_text("".join(lines))


def post(app, text, **more):
    return app.board.post(Draft(Kind.BULLETIN, text=text, **more))


def stranger(app, text):
    """A record whose author nobody let in."""
    key = SigningKey(random.randbytes(32))
    record = Record(Kind.BULLETIN, key.key_id, app.board.now(), 24, packed=text.encode())
    return encode(sign(record, app.charter.set_id, key.sign))


def spoilt(app, raw):
    """A founder's record that somebody changed."""
    return raw[:-70] + b"x" + raw[-69:]


def equal(least, *apps):
    """All hold the same records, so many at least."""
    until(lambda: len({frozenset(app.liveset.ids()) for app in apps}) == 1 and len(apps[0].liveset) >= least, 240)


def hostile_packets(app):
    """What no member sends, and what a mad one does."""
    key = app.charter.subkey("tag")
    good = packets.encode(Packet(0x4242, 1, (Whole(stranger(app, "inconnu"), True),)), key)
    bad = packets.encode(Packet(0x4242, 2, (Whole(spoilt(app, next(app.liveset.raw(id_) for id_ in app.liveset.ids())),
                                                  False),)), key)
    own = packets.encode(Packet(app.air._member.identity.address, 3, ()), key)
    short = b"\x10" + packets.tag(b"\x10" + b"\x42\x42\x04\x80\xc8", key) + b"\x42\x42\x04\x80\xc8"
    for payload in (good, good, bad, own, short, bytes(50), b"\x10" + bytes(40), b"\x10", b"\x20" + bytes(30)):
        app.runner.take(PacketReceived("radio", payload, "!00c0ffee", 1, 2, "ee", -3.5, -101))


def air(folder, path):
    """Three radios in a line with loss; the one in the middle records."""
    with SimulatedMesh(line(3), seed=7, speed=SPEED) as mesh:
        radios = [f"tcp:127.0.0.1:{port}" for port in mesh.ports.values()]
        with islands(folder, 3, radios=radios) as (one, two, three):
            until(lambda: all(link.up for app in (one, two, three) for link in app.links), 60)
            with recorded(two, path):
                first = post(one, "Soupe à 19 h")
                post(three, "Le code de la porte : " + random.Random(1).randbytes(140).hex())
                equal(7, one, two, three)
                post(two, "Cours de français mardi")
                one.board.correct(first.id, first.edit_code, Draft(Kind.BULLETIN, text="Soupe à 20 h"))
                equal(8, one, two, three)
                hostile_packets(two)
                post(three, "Une chatte grise est perdue")
                equal(9, one, two, three)


def broker(folder, path):
    """Two islands at a broker, and somebody else who writes there."""
    (folder / "broker").mkdir()
    at = Mosquitto(folder / "broker").start()
    try:
        with islands(folder, 2, brokers=[at.url] * 2) as (one, two):
            until(lambda: all(link.up for app in (one, two) for link in app.links), 60)
            with recorded(two, path):
                post(one, "Soupe à 19 h")
                post(two, LONG[:500])
                equal(5, one, two)
                root, other = root_of(one.charter), mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
                other.connect("127.0.0.1", at.port)
                other.loop_start()
                slot = bytes(range(16)).hex()
                for content in (bytes(256), bytes(77), b""):
                    other.publish(f"{root}/{slot[0]}/{slot}", content, 1, retain=True).wait_for_publish(10)
                first = next(iter(two.liveset.ids()))
                seal = two.tap._seal
                name = seal.slot(first).hex()
                other.publish(f"{root}/{name[0]}/{name}", seal.close(bytes.fromhex(name), stranger(two, "autre")), 1,
                              retain=True).wait_for_publish(10)
                raw = stranger(two, "inconnu")
                name = seal.slot(record_id(raw)).hex()
                other.publish(f"{root}/{name[0]}/{name}", seal.close(bytes.fromhex(name), raw), 1,
                              retain=True).wait_for_publish(10)
                other.loop_stop()
                time.sleep(3)
    finally:
        at.stop()


def lan(folder, path):
    """Two islands visit each other; strangers ask, too."""
    with islands(folder, 2) as (one, two), recorded(two, path):
        one.lan.visit(two.board.transfer.trade)
        post(one, "Soupe à 19 h")
        post(two, "Cours de français mardi")
        one.lan.visit(two.board.transfer.trade)
        post(one, LONG[:400])
        two.lan.visit(one.board.transfer.trade)
        one.lan.visit(two.board.transfer.trade)
        envelope = Envelope(one.charter.subkey("lan"), random.randbytes)
        question = envelope.close(ASKED, b"\1" + bytes(24))
        raws = [stranger(two, "inconnu"), spoilt(two, two.liveset.raw(next(iter(two.liveset.ids()))))]
        brought = b"\2" + bytes(4) + b"".join(len(raw).to_bytes(2, "big") + raw for raw in raws)
        for message in (question, question, envelope.close(ASKED, brought), envelope.close(ASKED, b"\7"), bytes(9),
                        b"\1" + bytes(200)):
            two.board.transfer.trade(message)
        two.runner.take_in([stranger(two, "apporté")], "bundle")


def main(folder):
    for make in (air, broker, lan):
        with tempfile.TemporaryDirectory() as scratch:
            make(Path(scratch), folder / f"{make.__name__}.capture")
        print(make.__name__, (folder / f"{make.__name__}.capture").stat().st_size, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else FOLDER)
