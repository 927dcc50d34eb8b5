"""What a broker says when one knocks, against real ones: TLS, certificates, passwords, forbidden topics."""

import datetime
import gc
import ipaddress
import socket
import subprocess
import threading

import paho.mqtt.client as mqtt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from node.board.concerns import TROUBLES
from node.daemon.mqtt import brokers_of, root_of
from node.daemon.settings import MqttSettings
from node.daemon.settings_reader import read
from radio.link import Outcome
from radio.mqtt import probe
from radio.mqtt.link import MqttLink
from radio.mqtt.probe import CERTIFICATES, REFUSALS, BrokerSettings, knock
from tests.mosquitto import Mosquitto
from tests.radio.hostile_server import HostileServer, falling_silent, pouring, silent, trickling
from tests.radio.test_conversation import NO_NAMES
from tests.sim.village import Village
from tests.waiting import until

ROOT = "archipel/x"


class Authority:
    """Signs certificates; everything as PEM files in `folder`."""

    def __init__(self, folder):
        self.folder, self.key = folder, ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
        self.file = self._write("authority", self._signed(self.name, self.key.public_key(), True))

    def certificate(self, name, days=(-1, 1), address="127.0.0.1"):
        """(certificate file, key file); valid between two days from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        secret = self.folder / f"{name}.key"
        secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                             serialization.NoEncryption()))
        return self._write(name, self._signed(subject, key.public_key(), False, days, address)), secret

    def _signed(self, subject, public, authority, days=(-1, 1), address="127.0.0.1"):
        now = datetime.datetime.now(datetime.UTC)
        made = (x509.CertificateBuilder().subject_name(subject).issuer_name(self.name).public_key(public)
                .serial_number(x509.random_serial_number()).not_valid_before(now + datetime.timedelta(days=days[0]))
                .not_valid_after(now + datetime.timedelta(days=days[1]))
                .add_extension(x509.BasicConstraints(authority, None), critical=True)
                .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), False))
        return made.sign(self.key, hashes.SHA256())

    def _write(self, name, certificate):
        path = self.folder / f"{name}.pem"
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return path


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """A machine with much to do is slow to answer, not absent."""
    monkeypatch.setattr(probe, "KNOCK_S", 60.0)


@pytest.fixture
def broker(tmp_path):
    """Starts one broker with these lines in its configuration."""
    made = []

    def start(extra=""):
        made.append(Mosquitto(tmp_path, extra))
        return made[-1].start()

    yield start
    for one in made:
        one.stop()


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


def sealed(port, **files):
    return BrokerSettings(f"mqtts://127.0.0.1:{port}", ROOT, quiet_s=0.02, **files)


def test_a_broker_that_lets_us_in_is_up_and_one_that_is_off_is_absent(broker):
    one = broker()
    assert knock(BrokerSettings(one.url, ROOT)) == "up"
    one.stop()
    assert knock(BrokerSettings(one.url, ROOT)) == "absent"
    assert knock(BrokerSettings("mqtt://no-such-name.invalid", ROOT)) == "unknown"


def test_a_broker_with_tls_is_trusted_by_its_authority_only(broker, authority):
    certificate, key = authority.certificate("broker")
    one = broker(f"certfile {certificate}\nkeyfile {key}")
    assert knock(sealed(one.port)) == "certificate"
    assert knock(sealed(one.port, authority=authority.file)) == "up"
    assert knock(BrokerSettings(one.url, ROOT)) in ("mute", "absent")
    assert knock(sealed(one.port, authority=authority.folder / "nowhere.pem")) == "files"


@pytest.mark.parametrize(("days", "address", "said"), [
    ((1, 2), "127.0.0.1", "early"), ((-3, -2), "127.0.0.1", "expired"), ((-1, 1), "127.0.0.9", "wrong-name"),
])
def test_what_is_wrong_with_a_certificate_is_told(broker, authority, days, address, said):
    certificate, key = authority.certificate("broker", days, address)
    one = broker(f"certfile {certificate}\nkeyfile {key}")
    assert knock(sealed(one.port, authority=authority.file)) == said


def test_that_the_clock_may_be_wrong_is_said_before_anybody_gives_up_tls():
    for slug in ("early", "expired"):
        assert "clock" in str(TROUBLES[slug].remedy) and "mqtt://" not in str(TROUBLES[slug].remedy)


@pytest.mark.parametrize(("extra", "said"), [
    ("acl_file {folder}/acl", "keeps-nothing"),  # reading only
    ("retain_available false", "keeps-nothing"),
    ("message_size_limit 1000", "keeps-small"),
    ("max_packet_size 1000", "keeps-small"),
    ("message_size_limit 10", "keeps-nothing"),
])
def test_a_broker_that_keeps_nothing_or_only_what_is_small_is_found(broker, tmp_path, extra, said):
    (tmp_path / "acl").write_text("topic read archipel/#\n")
    one = broker(extra.format(folder=tmp_path))
    assert knock(BrokerSettings(one.url, ROOT)) == said
    link = MqttLink(BrokerSettings(one.url, ROOT, quiet_s=0.02))
    try:
        until(lambda: link.verdict == said)
    finally:
        link.close()


def test_looking_leaves_nothing_on_the_broker_and_shows_islands_nothing(broker):
    one, heard = broker(), []
    link = MqttLink(BrokerSettings(one.url, ROOT, quiet_s=0.02))
    everything = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    everything.on_message = lambda client, data, message: heard.append((message.topic, message.payload))
    try:
        until(lambda: link.verdict == "up")
        assert link.up and link.counters["received"] == link.counters["dropped"] == 0
        everything.connect("127.0.0.1", one.port)
        everything.loop_start()
        everything.subscribe("archipel/#")
        everything.publish("archipel/last", b"last")
        until(lambda: heard)
        assert heard == [("archipel/last", b"last")]
    finally:
        everything.disconnect()
        everything.loop_stop()
        link.close()


ADMITTED, TAKEN = b"\x20\2\0\0", b"\x90\3\0\1\1"


@pytest.mark.parametrize("behave", [
    silent, trickling(b"", b"\x20"), trickling(ADMITTED, b"\xff"), falling_silent(ADMITTED), trickling(ADMITTED, b"\x90"),
    trickling(ADMITTED + TAKEN, b"\x40"), pouring(ADMITTED, b"\x30\3\0\1a"), pouring(ADMITTED + TAKEN, b"\x30\3\0\1a"),
], ids=range(8))
@pytest.mark.parametrize("scheme", ["mqtt", "mqtts"])
def test_a_broker_that_never_ends_is_left_in_time(behave, scheme, monkeypatch):
    monkeypatch.setattr(probe, "KNOCK_S", 0.5)
    with HostileServer(behave) as server:
        said = knock(BrokerSettings(f"{scheme}://127.0.0.1:{server.port}", ROOT))
        assert said in {*TROUBLES} - {"absent", "unknown"}
        server.is_left_alone()


@pytest.mark.parametrize("name", NO_NAMES)
def test_a_name_that_cannot_be_one_is_unknown_and_its_link_absent(name):
    settings = BrokerSettings(f"mqtt://{name}", ROOT)
    assert knock(settings) == "unknown"
    link = MqttLink(settings)
    until(lambda: link.state == "absent")
    link.close()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # paho leaves its socket to the collector
def test_a_link_whose_broker_hangs_in_the_handshake_is_closed_in_time(monkeypatch):
    monkeypatch.setattr("radio.mqtt.link.CLOSE_S", 0.1)
    with HostileServer(silent) as server:
        link = MqttLink(sealed(server.port))
        until(lambda: server.calls)
        closing = threading.Thread(target=link.close)
        closing.start()
        closing.join(3)  # below the handshake's own 5 s
        assert not closing.is_alive()
    until(lambda: not any(thread.name.startswith(("paho", "broker mqtt")) for thread in threading.enumerate()))
    gc.collect()


def test_tls_asked_of_a_plain_broker_is_told(broker):
    assert knock(sealed(broker().port)) == "tls"


def test_a_broker_that_wants_a_certificate_gets_ours(broker, authority):
    certificate, key = authority.certificate("broker")
    ours, secret = authority.certificate("island")
    one = broker(f"certfile {certificate}\nkeyfile {key}\ncafile {authority.file}\nrequire_certificate true")
    assert knock(sealed(one.port, authority=authority.file)) == "wants-certificate"
    settings = sealed(one.port, authority=authority.file, certificate=ours, key=secret)
    assert knock(settings) == "up"
    link = MqttLink(settings)
    try:
        until(lambda: link.up)
        assert link.send(bytes(16) + b"sealed") is Outcome.SENT
        assert link.receive(60).payload == bytes(16) + b"sealed"
    finally:
        link.close()


def test_user_and_password_are_checked(broker, tmp_path):
    subprocess.run(["mosquitto_passwd", "-b", "-c", tmp_path / "users", "jo", "p@ss/"], check=True, capture_output=True)
    one = broker(f"password_file {tmp_path / 'users'}\nallow_anonymous false")
    url = f"127.0.0.1:{one.port}"
    assert knock(BrokerSettings(f"mqtt://{url}", ROOT)) == "not-allowed"
    assert knock(BrokerSettings(f"mqtt://jo:wrong@{url}", ROOT)) in ("password", "not-allowed")
    assert knock(BrokerSettings(f"mqtt://jo:p%40ss%2F@{url}", ROOT)) == "up"


class Scripted:
    """A server that answers the first words with `answers`, whatever they are."""

    def __init__(self, answers):
        self._socket, self._answers = socket.create_server(("127.0.0.1", 0)), answers
        self.url = f"mqtt://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        with self._socket, self._socket.accept()[0] as stream:
            for answer in self._answers:
                stream.recv(1_000)
                stream.sendall(answer)


@pytest.mark.parametrize(("answers", "said"), [
    ([b"\x20\2\0" + bytes([code])], slug) for code, slug in REFUSALS.items()] + [
    ([b"HTTP/1.0 400 Bad Request\r\n\r\n"], "mute"),
    ([b""], "mute"),
    ([b"\x20\2\0\0", b"\x90\3\0\1\x80"], "topics"),
    ([b"\x20\2\0\0", b"\x31\5\0\1ahi" + b"\x90\3\0\1\1"], "keeps-nothing"),
    ([b"\xff" * 5_000], "mute"),
])
def test_every_answer_of_a_broker_is_understood(answers, said):
    assert knock(BrokerSettings(Scripted(answers).url, ROOT)) == said


def test_every_trouble_has_its_remedy():
    assert {"files", "unknown", "absent", "certificate", *CERTIFICATES.values(), "wants-certificate", "tls", "mute",
            "topics", "keeps-nothing", "keeps-small", *REFUSALS.values()} == set(TROUBLES)


def test_several_brokers_are_links_of_their_own():
    charter = Village().charter
    text = b'[mqtt]\nbroker = "mqtt://a, mqtts://jo:x@b:1"\nuser = "me"\npassword = "p@ss/"\nquota = 500\n'
    made = brokers_of(read(text).settings.mqtt, charter)
    assert {name: broker.url for name, broker in made.items()} == {"mqtt": "mqtt://me:p%40ss%2F@a", "mqtt2": "mqtts://jo:x@b:1"}
    assert made["mqtt"].login == ("me", "p@ss/") and made["mqtt2"].where == ("b", 1)
    assert {broker.root for broker in made.values()} == {root_of(charter)} and made["mqtt"].quota_per_h == 500
    assert brokers_of(MqttSettings(), charter) == {}
    for wrong in (b"mqtt://a, mqtt://b, mqtt://c, mqtt://d, mqtt://e", b"mqtt://a, none"):
        reading = read(b'[mqtt]\nbroker = "' + wrong + b'"\n')
        assert reading.settings.mqtt == MqttSettings() and len(reading.notices) == 1


def test_one_island_does_not_drown_a_shared_broker(broker):
    link = MqttLink(BrokerSettings(broker().url, ROOT, quiet_s=0.02, quota_per_h=100))
    try:
        until(lambda: link.up)
        outcomes = [link.send(number.to_bytes(16, "big") + b"x") for number in range(110)]
        assert outcomes[:100] == [Outcome.SENT] * 100 and Outcome.QUEUE_FULL in outcomes[100:]
        assert link.counters["queue-full"] >= 9
    finally:
        link.close()
