"""The link to a broker, against a real one: nothing is thought delivered that is not, and nothing is lost."""

import random
import socket
import threading
import time
from subprocess import DEVNULL, run
from types import SimpleNamespace

import paho.mqtt.client as mqtt
import pytest

from node.daemon.runner import Runner
from node.model.clock import FastClock, minute_of
from node.model.keys import Charter, SigningKey
from node.model.record import Kind, Record, encode, record_id, sign
from node.replica.liveset import LiveSet
from node.replica.replica import Replica
from node.store.memory import MemoryStore
from node.sync.mqtt.engine import MqttEngine
from radio.inbox import MAX_WAITING
from radio.link import Outcome
from radio.mqtt.link import BrokerSettings, MqttLink
from tests.mosquitto import Mosquitto
from tests.waiting import until

SLOT = bytes(range(16))
OTHER_SLOT = bytes(15) + b"\x77"
ROOT = "5eed"
START, FAST = time.time(), 50
KEY = SigningKey(bytes(range(32)))
CHARTER = Charter.found("Belleville", [KEY.public], b"\7" * 32)


@pytest.fixture
def make_broker(tmp_path):
    """Makes brokers, not yet started, that are stopped when the test ends."""
    made = []

    def _make(extra=""):
        made.append(Mosquitto(tmp_path, extra))
        return made[-1]

    yield _make
    for broker in made:
        broker.stop()


@pytest.fixture
def broker(make_broker):
    return make_broker().start()


@pytest.fixture
def connect():
    """Opens links that are closed when the test ends."""
    links = []

    def _connect(url, **settings):
        links.append(MqttLink(BrokerSettings(url, ROOT, quiet_s=0.02, retry_first_s=0.05, retry_last_s=0.2, **settings)))
        return links[-1]

    yield _connect
    for link in links:
        link.close()


def outsider(broker):
    """Another client of the same broker."""
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    return client


def test_a_packet_stays_for_those_who_come_later_and_an_empty_one_takes_it_away(broker, connect):
    here = connect(broker.url)
    until(lambda: here.up)
    assert here.send(SLOT + b"kept") is Outcome.SENT
    there = connect(broker.url)
    assert there.receive(60).payload == SLOT + b"kept"
    assert here.send(SLOT) is Outcome.SENT
    assert there.receive(60).payload == SLOT
    late = connect(broker.url)
    until(lambda: late.up)
    assert here.send(OTHER_SLOT + b"next") is Outcome.SENT
    assert late.receive(60).payload == OTHER_SLOT + b"next", "nothing came before it"


def test_a_broker_that_comes_later_is_found(make_broker, connect):
    broker = make_broker()
    link = connect(broker.url)
    until(lambda: link.state == "absent")
    assert link.send(SLOT + b"x") is Outcome.DOWN
    broker.start()
    until(lambda: link.up)
    assert link.send(SLOT + b"x") is Outcome.SENT


def test_a_restarted_broker_is_found_again_and_brings_what_it_kept(broker, connect):
    here, there = connect(broker.url), connect(broker.url)
    until(lambda: here.up and there.up)
    here.send(SLOT + b"before")
    there.receive(60)
    broker.stop()
    until(lambda: not here.up and not there.up)
    broker.start()
    until(lambda: here.up and there.up)
    assert there.receive(60).payload == SLOT + b"before"
    assert here.send(SLOT + b"after") is Outcome.SENT
    assert until(lambda: there.receive(1)).payload == SLOT + b"after"


def test_who_cannot_wait_for_the_hour_is_brought_all_that_the_broker_keeps_once_more(broker, connect):
    link = connect(broker.url)
    link.renew()
    assert not link.renewing, "one that is not up has nothing to renew"
    until(lambda: link.up)
    assert link.send(SLOT + b"kept") is Outcome.SENT
    until(lambda: link.receive(0.1))
    lives = link.counters["connected"]
    link.renew()
    assert link.renewing
    assert until(lambda: link.receive(0.1)).payload == SLOT + b"kept"
    until(lambda: not link.renewing)
    assert link.up and link.counters["connected"] == lives + 1


def test_who_cannot_wait_is_heard_whenever_it_is_said(broker, connect, monkeypatch):
    said = []

    def just_up(link):
        if link.up and not said:
            link.renew()
            said.append(link)

    monkeypatch.setattr("radio.mqtt.link.MqttLink._look_at_broker", just_up)  # it comes between being up and waiting
    link = connect(broker.url)
    until(lambda: said and not link.renewing)
    assert link.up and link.counters["connected"] == 2


def test_more_than_a_thousand_packets_come_in_one_go(broker, connect):
    client = outsider(broker)
    rng, slots = random.Random(1), set()
    for _ in range(1200):
        slots.add(slot := rng.randbytes(16))
        last = client.publish(f"{ROOT}/{slot.hex()[0]}/{slot.hex()}", bytes(256), qos=1, retain=True)
    last.wait_for_publish(60)
    client.disconnect()
    client.loop_stop()
    link, came = connect(broker.url), set()
    while len(came) < 1200:
        received = link.receive(60)
        assert received, f"only {len(came)} came"
        came.add(received.payload[:16])
    assert came == slots


def test_a_broker_that_is_never_quiet_is_joined_all_the_same(broker, connect):
    client, over = outsider(broker), threading.Event()

    def talk():
        while not over.wait(0.01):
            client.publish(f"{ROOT}/0/{SLOT.hex()}", b"again", qos=0, retain=True)

    talking = threading.Thread(target=talk)
    talking.start()
    try:
        link = connect(broker.url)
        until(lambda: link.up)
        assert link.send(OTHER_SLOT + b"mine") is Outcome.SENT
        until(lambda: (heard := link.receive(1)) and heard.payload == SLOT + b"again")
    finally:
        over.set()
        talking.join()
        client.disconnect()
        client.loop_stop()


def test_what_is_no_packet_of_ours_is_dropped_before_it_is_looked_at(broker, connect):
    link = connect(broker.url)
    until(lambda: link.up)
    client, name = outsider(broker), SLOT.hex()
    for topic, payload in ((f"{ROOT}/0/{name}", bytes(3000)), (f"{ROOT}/0/{name[:-1]}", b"x"), (f"{ROOT}/1/{name}", b"x"),
                           (f"{ROOT}/0/{name.upper()}", b"x"), (f"{ROOT}/0/{'é' * 32}", b"x")):
        client.publish(topic, payload, qos=1).wait_for_publish(60)
    client.publish(f"{ROOT}/0/{name}", b"good", qos=1).wait_for_publish(60)
    assert link.receive(60).payload == SLOT + b"good"
    assert link.counters["dropped"] == 5 and link.receive(0) is None
    client.disconnect()
    client.loop_stop()


def test_a_flood_waits_at_the_broker_and_not_in_our_memory(broker, connect):
    link = connect(broker.url)
    until(lambda: link.up)
    client = outsider(broker)
    for number in range(600):
        last = client.publish(f"{ROOT}/0/{SLOT.hex()}", b"%d" % number, qos=1)
    last.wait_for_publish(60)
    until(lambda: link.counters["waited"])
    assert len(link._inbox) <= MAX_WAITING
    assert [link.receive(60).payload[16:] for _ in range(600)] == [b"%d" % number for number in range(600)]
    assert link.up
    client.disconnect()
    client.loop_stop()


def test_a_broker_that_never_confirms_means_failed():
    server = socket.create_server(("127.0.0.1", 0))
    talk = threading.Thread(target=_half_a_broker, args=(server,), daemon=True)
    talk.start()
    link = MqttLink(BrokerSettings(f"mqtt://127.0.0.1:{server.getsockname()[1]}", ROOT, ack_s=0.3, quiet_s=0.01))
    until(lambda: link.up)
    assert link.send(SLOT + b"x") is Outcome.FAILED
    link.close()
    server.close()
    talk.join(60)


def _half_a_broker(server, published=None):
    """Takes connections and subscriptions, confirms nothing that is published (but sets `published`)."""
    client, _ = server.accept()
    with client:
        client.recv(1024)
        client.sendall(b"\x20\x02\x00\x00")
        while data := client.recv(4096):
            while data[:1] == b"\x82":  # SUBSCRIBE: answer SUBACK with its number
                client.sendall(b"\x90\x03" + data[2:4] + b"\x01")
                data = data[2 + data[1]:]
            if data[:1] == b"\x33" and published:  # PUBLISH, QoS 1, retain
                published.set()


@pytest.mark.parametrize("topic", [b"\xff/0", f"{ROOT}/0/\xe9".encode("latin-1"), b"", b"a\0b",
                                   f"{ROOT}/0/".encode() + b"G" * 32])
def test_a_topic_that_no_slot_has_is_dropped_and_the_librarys_thread_goes_on(topic):
    named = SimpleNamespace(settings=BrokerSettings("mqtt://127.0.0.1:1", ROOT))
    good = f"{ROOT}/{SLOT.hex()[0]}/{SLOT.hex()}".encode()
    assert MqttLink._slot_of(named, mqtt.MQTTMessage(1, good)) == SLOT
    assert MqttLink._slot_of(named, mqtt.MQTTMessage(1, topic)) is None  # what is raised here ends paho's thread


def test_a_broker_that_goes_away_while_sending_is_down_not_sent():
    server = socket.create_server(("127.0.0.1", 0))
    published = threading.Event()
    talk = threading.Thread(target=_half_a_broker, args=(server, published), daemon=True)
    talk.start()
    link = MqttLink(BrokerSettings(f"mqtt://127.0.0.1:{server.getsockname()[1]}", ROOT, ack_s=30, quiet_s=0.01))
    until(lambda: link.up)
    results = []
    sending = threading.Thread(target=lambda: results.append(link.send(SLOT + b"x")))
    sending.start()
    assert published.wait(30)
    link._client.socket().shutdown(socket.SHUT_RDWR)
    sending.join(60)
    assert results == [Outcome.DOWN]
    link.close()
    server.close()
    talk.join(60)


def test_user_and_password_are_used_and_a_wrong_one_is_a_state(tmp_path, make_broker, connect):
    run(["mosquitto_passwd", "-b", "-c", str(tmp_path / "users"), "île", "p@ss:/word"], check=True)
    broker = make_broker(f"allow_anonymous false\npassword_file {tmp_path}/users").start()
    good = connect(f"mqtt://%C3%AEle:p%40ss%3A%2Fword@127.0.0.1:{broker.port}")
    bad = connect(f"mqtt://%C3%AEle:wrong@127.0.0.1:{broker.port}")
    until(lambda: good.up)
    until(lambda: bad.state == "refused")


def test_a_broker_that_forbids_our_topics_is_a_state(tmp_path, make_broker, connect):
    (tmp_path / "acl").write_text("topic read elsewhere/#\n")
    broker = make_broker(f"acl_file {tmp_path}/acl").start()
    link = connect(broker.url)
    until(lambda: link.state in ("refused", "up"))  # some brokers say so, some take the subscription and bring nothing


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # paho leaves the socket to the collector
def test_tls_refuses_a_certificate_that_nobody_vouches_for(tmp_path, make_broker, connect, monkeypatch):
    run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", tmp_path / "key", "-out", tmp_path / "cert",
         "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"], check=True, stderr=DEVNULL)
    broker = make_broker(f"certfile {tmp_path}/cert\nkeyfile {tmp_path}/key").start()
    url = f"mqtts://127.0.0.1:{broker.port}"
    wary = connect(url)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert"))
    trusting = connect(url)
    until(lambda: trusting.up)
    until(lambda: wary.state == "absent")
    assert not wary.up


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # paho leaves the socket to the collector
@pytest.mark.parametrize(("extra", "scheme", "verdict"), [
    ("allow_anonymous false", "mqtt", "not-allowed"), ("certfile {0}/cert\nkeyfile {0}/key", "mqtts", "certificate")])
def test_why_a_broker_does_not_let_the_island_in_is_found_out(tmp_path, make_broker, connect, monkeypatch, extra, scheme,
                                                              verdict):
    monkeypatch.setattr("radio.mqtt.link.COMES_UP_S", 0.1)
    run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", tmp_path / "key", "-out", tmp_path / "cert",
         "-days", "2", "-subj", "/CN=localhost"], check=True, stderr=DEVNULL)
    link = connect(f"{scheme}://127.0.0.1:{make_broker(extra.format(tmp_path)).start().port}")
    until(lambda: link.verdict == verdict)
    assert not link.up


def test_what_was_found_before_a_broker_let_the_island_in_holds_no_more_then(make_broker, connect, monkeypatch):
    monkeypatch.setattr("radio.mqtt.link.COMES_UP_S", 0.1)
    broker = make_broker()
    link = connect(broker.url)
    until(lambda: link.verdict == "absent")
    broker.start()
    until(lambda: link.up and link.verdict == "up")


@pytest.mark.parametrize("url", ["http://broker", "mqtt://", "broker", ""])
def test_what_is_no_broker_is_refused(url):
    with pytest.raises(ValueError, match="broker"):
        BrokerSettings(url, ROOT)


@pytest.mark.parametrize("root", ["", "a/+", "#", "$SYS"])
def test_a_root_that_is_a_pattern_is_refused(root):
    with pytest.raises(ValueError, match="root"):
        BrokerSettings("mqtt://broker", root)


class Isle:
    """A whole island on a broker: live set, engine, runner, link."""

    def __init__(self, url):
        self.liveset = LiveSet(CHARTER)
        engine = MqttEngine("mqtt", CHARTER, self.liveset, random.Random(1))
        self.link = MqttLink(BrokerSettings(url, ROOT, quiet_s=0.02, retry_first_s=0.05, retry_last_s=0.2))
        self.runner = Runner(Replica(self.liveset, MemoryStore(), [engine]), [self.link], FastClock(FAST, START))
        self.runner.start()

    def post(self, raw):
        assert self.runner.publish(raw).kept

    @property
    def ids(self):
        return set(self.liveset.ids())

    def close(self):
        self.runner.stop()


@pytest.fixture
def isles(broker):
    pair = [Isle(broker.url), Isle(broker.url)]
    yield pair
    for isle in pair:
        isle.close()


def bulletin(number):
    created = minute_of(START) - 10
    record = Record(Kind.BULLETIN, KEY.key_id, created, 24, packed=b"bulletin %d" % number)
    return encode(sign(record, CHARTER.set_id, KEY.sign))


def test_islands_meet_at_the_broker_whatever_befalls_it(broker, isles):
    one, other = isles
    until(lambda: one.link.up and other.link.up)
    one.post(bulletin(1))
    until(lambda: len(other.ids) == 1)
    broker.stop()
    one.post(bulletin(2))
    other.post(bulletin(3))
    broker.start()
    until(lambda: len(one.ids) == len(other.ids) == 3, 120)
    broker.wipe()
    broker.start()
    late = Isle(broker.url)
    until(lambda: late.ids == one.ids == other.ids and len(late.ids) == 3, 120)
    late.close()


def test_an_island_that_comes_late_has_everything_and_the_broker_saw_only_noise(broker, isles):
    one, _ = isles
    until(lambda: one.link.up)
    raws = [bulletin(number) for number in range(20)]
    for raw in raws:
        one.post(raw)
    until(lambda: one.link.counters["sent"] >= 20)
    late = Isle(broker.url)
    until(lambda: late.ids == {record_id(raw) for raw in raws})
    late.close()
    broker.stop()
    kept = b"".join(file.read_bytes() for file in broker.folder.glob("mosquitto.db"))
    assert len(kept) > 20 * 256
    for raw in raws:
        assert raw[80:] not in kept and record_id(raw) not in kept and b"bulletin" not in kept
    assert CHARTER.set_id.hex().encode() not in kept and CHARTER.set_id not in kept
