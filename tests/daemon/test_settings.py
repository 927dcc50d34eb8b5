"""The settings file: what is right is taken, what is wrong is said with its line and a remedy."""

import dataclasses
import pathlib
import tomllib

import pytest

from node.daemon.settings import SECTIONS, BadSettings, Settings, forgive, load, parse
from node.model.record import MAX_RECORD_BYTES
from node.sync.codes.erasure import MAX_PARTS
from node.sync.lora.packets import HEADER_BYTES, PIECE_BYTES


def test_without_a_file_everything_has_a_default(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    settings = load(None)
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
    settings = load(path)
    assert settings.node.name == "Place des Fêtes"
    assert settings.portal.listen == ("0.0.0.0", 80)
    assert settings.radio.max_payload == 188
    assert settings.archive.keep_days == 0


def test_the_smallest_packets_that_are_accepted_still_carry_the_longest_record():
    assert parse("[radio]\nmax_payload = 126").radio.max_payload == 126
    assert MAX_RECORD_BYTES <= MAX_PARTS * (126 - HEADER_BYTES - PIECE_BYTES)
    with pytest.raises(BadSettings, match="126 to 231"):
        parse("[radio]\nmax_payload = 125")


def test_every_mistake_is_named_with_its_line_and_what_to_write():
    with pytest.raises(BadSettings) as error:
        parse('[node]\nnmae = "x"\nlanguage = "de"\n\n[radoi]\nconnect = "usb"\n[portal]\nlisten = "80"\n')
    first, second, third, fourth = map(str, error.value.problems)
    assert first.startswith("archipel.toml, line 2: node.nmae is not a setting") and "name, data, language" in first
    assert second.startswith("archipel.toml, line 3: node.language: 'de'") and "one of fr, en, es, ar" in second
    assert third.startswith("archipel.toml, line 5: [radoi]")
    assert fourth.startswith("archipel.toml, line 8: portal.listen") and "127.0.0.1:8080" in fourth


@pytest.mark.parametrize("text", [
    '[radio]\nconnect = "tcp:"', '[radio]\nconnect = "serial:ttyUSB0"', "[radio]\nmax_payload = 232",
    "[radio]\nmax_payload = true", '[mqtt]\nbroker = "http://x"', '[mqtt]\nbroker = "mqtt://h:port"',
    '[portal]\nlisten = "h:70000"', '[node]\nname = ""', '[node]\nname = "a\\u0007b"', "[archive]\nkeep_days = 1.5",
    '[node]\ntimezone = "Mars/Olympus"', '[node]\nposition = "north"', '[node]\nposition = "91, 0"',
    '[portal]\nbehind_front = "yes"',
    '[box]\ncountry = "fr"', '[box]\ncountry = "FRA"', '[box]\nwifi_password = "short"',
    '[box]\nwifi_password = "éééééééé"',
    '[box]\nssh_key = "secret"', "[box]\nchannel = 14",
    "node = 3", "[node]\ndata = 5",
])
def test_a_bad_value_is_refused(text):
    with pytest.raises(BadSettings):
        parse(text)


def test_a_password_is_never_repeated_in_a_message():
    with pytest.raises(BadSettings) as error:
        parse('[mqtt]\nbroker = "mqtt://me:hunter2@h/path"\n')
    assert "hunter2" not in str(error.value)


def test_what_is_not_toml_or_not_text_is_said_kindly(tmp_path):
    with pytest.raises(BadSettings, match="line 1"):
        parse("name = Place des Fêtes")
    path = tmp_path / "archipel.toml"
    path.write_bytes(b'[node]\nname = "\xff"')
    with pytest.raises(BadSettings, match="UTF-8"):
        load(path)
    with pytest.raises(BadSettings, match="cannot be read"):
        load(tmp_path / "absent.toml")


def test_an_empty_file_is_the_defaults():
    assert parse("") == Settings()


def test_the_documented_file_is_right_and_names_every_key():
    text = (pathlib.Path(__file__).parents[2] / "docs" / "settings.md").read_text()
    example = text.split("```toml\n")[1].split("```")[0]
    assert parse(example).node.name == "Place des Fêtes"
    documented = tomllib.loads(example)
    assert {section: set(keys) for section, keys in documented.items()} == {
        section: {part.name for part in dataclasses.fields(kind)} for section, kind in SECTIONS.items()}


def forgiven(tmp_path, text):
    path = tmp_path / "archipel.toml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return forgive(path)


def test_what_is_wrong_is_passed_over_and_told_when_a_box_must_come_up(tmp_path):
    text = '[node]\nname = Place\nlanguage = "en"\n[box]\ncountry = "France"\nchannel = 11\n'
    settings, problems = forgiven(tmp_path, text)
    assert (settings.node.name, settings.node.language) == ("Archipel", "en")
    assert (settings.box.country, settings.box.channel) == ("", 11)
    assert "line 2" in str(problems[0]) and str(problems[1]).startswith("archipel.toml, line 5: box.country: 'France'")


@pytest.mark.parametrize("text", [
    b"\xff\xfe\x00", '[node]\nname = """never closed', "[[[", "[node\n", "= = =\n" * 1_000, "\x00", "a = [",
    "a = " + "[" * 9_000,
    '[node]\nname = "A"\n[node]\nname = "B"\n',
])
def test_whatever_the_file_holds_there_are_settings_and_a_sentence(tmp_path, text):
    settings, problems = forgiven(tmp_path, text)
    assert settings.portal == Settings().portal and problems


def test_a_file_that_is_not_there_is_told_and_the_defaults_are_used(tmp_path):
    settings, problems = forgive(tmp_path / "absent.toml")
    assert settings == Settings() and "cannot be read" in str(problems[0])


def test_a_right_file_has_nothing_to_forgive(tmp_path):
    assert forgiven(tmp_path, '\ufeff[node]\nname = "Île"\n')[1] == []
