"""The settings themselves: what each key takes, what it refuses, and what it makes of what is nearly right."""

import dataclasses
import pathlib
import tomllib

import pytest

from node.daemon.settings import SECTIONS, Settings
from node.daemon.settings_reader import UnreadableSettings, load, read
from node.model.record import MAX_RECORD_BYTES
from node.sync.codes.erasure import MAX_PARTS
from node.sync.lora.packets import HEADER_BYTES, PIECE_BYTES


def read_text(text):
    return read(text.encode())


def test_without_a_file_everything_has_a_default(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    settings = load(None).settings
    assert settings.node.data == tmp_path / "archipel"
    assert settings.radio.connect == "auto"
    assert settings.mqtt.broker == "none"


def test_a_full_file_is_read(tmp_path):
    path = tmp_path / "archipel.toml"
    path.write_text('''
[node]
name = "Place des Fêtes"
data = "~/island"
language = "ar"
[portal]
listen = "0.0.0.0:80"
[radio]
connect = "tcp:localhost:4404"
channel = "Voisins"
max_payload = 188
region = "EU_868"
[mqtt]
broker = "mqtts://me:secret@broker.example:8883"
[archive]
keep_days = 0
''')
    reading = load(path)
    settings = reading.settings
    assert reading.notices == ()
    assert (settings.node.name, settings.node.language) == ("Place des Fêtes", "ar")
    assert settings.portal.listen == ("0.0.0.0", 80)
    assert (settings.radio.max_payload, settings.radio.channel, settings.radio.region) == (188, "Voisins", "EU_868")
    assert settings.mqtt.broker == "mqtts://me:secret@broker.example:8883"
    assert settings.archive.keep_days == 0


def test_the_smallest_packets_that_are_accepted_still_carry_the_longest_record():
    assert read_text("[radio]\nmax_payload = 126").settings.radio.max_payload == 126
    assert MAX_RECORD_BYTES <= MAX_PARTS * (126 - HEADER_BYTES - PIECE_BYTES)
    assert "126 to 231" in str(read_text("[radio]\nmax_payload = 125").notices[0].sentence)


@pytest.mark.parametrize("text", [
    '[radio]\nconnect = "tcp:"', '[radio]\nconnect = "serial:ttyUSB0"', "[radio]\nmax_payload = 232",
    '[radio]\nconnect = "tcp:host:99999"', f'[radio]\nconnect = "tcp:{"a" * 70}"', '[radio]\nregion = "EU_999"',
    "[radio]\nmax_payload = true", f"[radio]\nmax_payload = {'9' * 3000}", "[radio]\nshare = nan", "[radio]\nshare = inf",
    '[mqtt]\nbroker = "http://x"', '[mqtt]\nbroker = "mqtt://h:port"', '[mqtt]\nbroker = "mqtt://a..b"',
    '[mqtt]\nbroker = "mqtt://[::1"', '[mqtt]\nbroker = "mqtt://h:99999"', '[mqtt]\nauthority = "~nosuchuser/ca"',
    '[portal]\nlisten = "h:70000"', '[portal]\nlisten = "80"', '[portal]\naddress = "http://["', '[node]\nname = ""',
    "[archive]\nkeep_days = 1.5", '[node]\ntimezone = "Mars/Olympus"', '[node]\ntimezone = "../x"',
    '[node]\nposition = "north"', '[node]\nposition = "91, 0"', '[node]\nposition = "48.8 E, 2.3 N"',
    '[node]\nlanguage = "de"', '[node]\ndata = ""', '[node]\ndata = "~nosuchuser/x"',
    '[portal]\nbehind_front = "perhaps"', '[portal]\nposting = "anything"',
    '[box]\ncountry = "XX"', '[box]\ncountry = "FRAU"', '[box]\nwifi_password = "short"',
    f'[box]\nwifi_password = "{"é" * 32}"', f'[box]\nkeeper = "{"x" * 41}"', '[box]\nkeeper_password = "short"',
    '[box]\nssh_key = "secret"', '[box]\nssh_key = "ssh-ed25519 AAAAB3NzaC1yc2EAAAADAQABAAAB someone"',
    "[box]\nchannel = 14",
])
def test_what_cannot_be_meant_is_passed_over_and_told(text):
    reading = read_text(text)
    assert reading.settings == Settings()
    assert [notice.harmless for notice in reading.notices] == [False] and "line 2" in str(reading.notices[0].sentence)


@pytest.mark.parametrize(("text", "value"), [
    ('node.language = "Français"', "fr"), ('node.language = "fr_FR.UTF-8"', "fr"), ('node.language = "العربية"', "ar"),
    ('node.timezone = "europe/paris"', "Europe/Paris"), ('node.timezone = "Paris"', "Europe/Paris"),
    ('node.position = "48,8752, 2,3931"', (48.8752, 2.3931)), ("node.position = [48.8752, 2.3931]", (48.8752, 2.3931)),
    ('node.position = "48.8752° N 2.3931° O"', (48.8752, -2.3931)), ('node.position = "48,2"', (48.0, 2.0)),
    ('portal.posting = " Moderated"', "moderated"), ('portal.posting = "moderate"', "moderated"),
    ('portal.address = "archipel.lan"', "http://archipel.lan/"), ('portal.listen = "http://[::]:8080/"', ("::", 8080)),
    ('radio.connect = "auto "', "auto"), ('radio.connect = " none"', "none"),
    ('radio.connect = "/dev/ttyUSB0"', "serial:/dev/ttyUSB0"),
    ('radio.connect = "TCP: 192.168.1.5"', "tcp:192.168.1.5"), ('radio.connect = "tcp:[::1]"', "tcp:[::1]"),
    ('radio.region = "eu868"', "EU_868"), ("radio.share = 2,5", 2.5), ('radio.share = "5 %"', 5.0),
    ('packet.connect = "none "', "none"), ('packet.callsign = "f4abc-1"', "F4ABC-1"), ("packet.public = oui", True),
    ('lan.discover = "nein"', False),
    ('lan.peers = ["192.168.1.20", "192.168.1.30:81"]', (("192.168.1.20", 80), ("192.168.1.30", 81))),
    ("mqtt.quota = 20 000", 20_000), ("mqtt.quota = 20.000", 20_000), ('mqtt.broker = "MQTT://h/"', "mqtt://h"),
    ('mqtt.broker = ["mqtt://a", "mqtt://b"]', "mqtt://a, mqtt://b"), ('box.channel = "6"', 6), ("box.channel = ١١", 11),
    ('box.wifi_password = "éàüéàüéà"', "éàüéàüéà"), ('portal.wifi = "' + "é" * 20 + '"', "é" * 16),
    ('node.name = "' + "x" * 60 + '"', "x" * 40), ('node.name = "Place\u00a0des\u202fFêtes\u200b"', "Place des Fêtes"),
])
def test_what_is_nearly_right_is_taken_as_it_is_meant_and_told(text, value):
    reading = read_text(text)
    (section, key), = reading.given
    assert getattr(getattr(reading.settings, section), key) == value
    assert [notice.harmless for notice in reading.notices] in ([True], [True, True])


@pytest.mark.parametrize("text", [
    '[box]\nkeeper_password = "hunter2 is it"\n', '[mqtt]\nbroker = "mqtt://me:hunter2@h/path"\n',
    '[box]\nwifi_password = "hunter2"\n',
    '[node]\nname = "x"\nhunter = "hunter2"\n', '[box]\nkeeper_pasword = "hunter2"\n',
    '[portal]\nposting = "password: hunter2"\n',
    '[box]\nmot de passe hunter2\n', '[box]\nssh_key = "ssh-ed25519 hunter2"\n',
    '[box]\nwifi_password = “hunter2 hunter2”\n',
])
def test_a_password_is_never_repeated_in_a_message(text):
    notices = read_text(text).notices
    assert notices and "hunter2" not in str(notices)


def test_a_file_that_cannot_be_opened_is_said(tmp_path):
    for path in (tmp_path / "absent.toml", tmp_path):
        with pytest.raises(UnreadableSettings, match="cannot be read"):
            load(path)


def test_an_empty_file_is_the_defaults():
    assert read(b"").settings == Settings() and read(b"").notices == ()


def test_the_documented_file_is_right_and_names_every_key():
    text = (pathlib.Path(__file__).parents[2] / "docs" / "settings.md").read_text()
    example = text.split("```toml\n")[1].split("```")[0]
    reading = read_text(example)
    assert reading.settings.node.name == "Place des Fêtes" and reading.notices == ()
    documented = tomllib.loads(example)
    assert {section: set(keys) for section, keys in documented.items()} == {
        section: {part.name for part in dataclasses.fields(kind)} for section, kind in SECTIONS.items()}


def test_every_default_is_a_value_that_its_own_check_takes():
    tried = 0
    for section, kind in SECTIONS.items():
        for part in dataclasses.fields(kind):
            if isinstance(part.default, str | int | float) and not isinstance(part.default, bool):
                assert part.metadata["check"](str(part.default)) == part.default, (section, part.name)
                tried += 1
    assert tried > 40
