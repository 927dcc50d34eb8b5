"""What `box.py` makes of the card: whatever stands there, the box's services get files that they read."""

import dataclasses
import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings

from archipel_image.sources import PROGRAMS, SOURCES, program
from node.daemon.settings import Settings
from node.daemon.settings_reader import Notice, read
from tests.daemon.test_settings_reader import FILLED_IN, GUIDES, RIGHT, broken_files
from tests.effort import EFFORT

SHIPPED = (SOURCES / "boot/archipel.toml").read_bytes()
OLD, NOW = 1_700_000_000, 1_800_000_000
COUNTRY = b'[box]\ncountry = "FR"\n'


@pytest.fixture
def card(tmp_path):
    folder = tmp_path / "card"
    folder.mkdir()
    return folder


def boxed(card):
    """What box.py writes for a card: {name: content}."""
    target = card.parent / "target"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    program("box").main(card, target)
    return {path.name: path.read_text() for path in target.iterdir()}


def for_text(card, text):
    (card / "archipel.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return boxed(card)


def put(card, name, content, at=NOW):
    (card / name).write_bytes(content)
    os.utime(card / name, (at, at))


def told_in(files):
    """The notices' sentences in English."""
    return "\n".join(str(Notice.of(line).sentence) for line in files["notices"].splitlines())


def settings_in(files):
    """What the island reads, which must hold nothing wrong."""
    reading = read(files["archipel.toml"].encode())
    assert reading.notices == (), files["archipel.toml"]
    return reading.settings


def test_the_settings_file_on_the_card_is_right_as_it_is_and_with_its_examples():
    assert read(SHIPPED).settings == Settings()
    assert read(FILLED_IN.encode()).settings.box.country == "FR"


def test_without_a_country_the_wifi_stays_off_and_the_portal_says_how_to_set_it(card):
    files = for_text(card, '[node]\nname = "Île"\n')
    assert "hostapd.conf" not in files and "dnsmasq.conf" not in files and settings_in(files).portal.wifi == ""
    assert "no country is set" in told_in(files) and 'country = "FR"' in told_in(files)


def test_with_a_country_the_wifi_is_open_and_keeps_visitors_apart(card):
    files = for_text(card, '[node]\nname = "Place des Fêtes"\n[box]\ncountry = "FR"\n')
    lines = files["hostapd.conf"].splitlines()
    assert {"country_code=FR", "ap_isolate=1", f"ssid2={'Place des Fêtes'.encode().hex()}"} <= set(lines)
    assert not [line for line in lines if line.startswith("wpa")]
    assert "interface=wlan0" in files["dnsmasq.conf"] and files["notices"] == ""
    assert settings_in(files).portal.wifi == "Place des Fêtes"


def test_posters_lead_into_no_wifi_that_asks_for_a_password(card):
    files = for_text(card, '[box]\ncountry = "FR"\nwifi_password = "été à la mer"\n')
    assert "wpa_passphrase=été à la mer" in files["hostapd.conf"] and settings_in(files).portal.wifi == ""


@pytest.mark.parametrize("line", [
    'wifi_password = "abc"', 'wifi_password = "abc"\nwifi_password = ""', f'wifi_password = "{"x" * 64}"',
    "password = abcdefgh", "le mot de passe est abcdefgh",
    "mot de passe du Wi-Fi : abc", "wifi_password abc def ghi", "[wifi]\npassword = abc",
    "كلمة مرور الواي فاي: abc"])
def test_who_wanted_a_closed_wifi_does_not_get_an_open_one(card, line):
    """It is closed with a password of the box's own, told on the card and nowhere else, and the same at the next start."""
    made = ""
    for _ in range(2):
        files = for_text(card, f'[box]\ncountry = "FR"\n{line}\n')
        program("problems").main(card.parent / "target", card / "archipel-problems.txt")
        told = (card / "archipel-problems.txt").read_text(encoding="utf-8-sig")
        made = made or files["made_password"]
        assert f"wpa_passphrase={made}\n" in files["hostapd.conf"] and len(made) == 14 and made in told
        assert "not open to everybody" in told_in(files) and made not in files["notices"]
        assert settings_in(files).portal.wifi == ""
    (card / "archipel-problems.txt").unlink()
    assert for_text(card, f'[box]\ncountry = "FR"\n{line}\n')["made_password"] != made


@pytest.mark.parametrize("line", ["", 'wifi_password = ""', 'keeper_password = "abc"', "# mot de passe",
                                  "keeper = Samira\nmot de passe gardien = abc", "[mqtt]\npassword = abc",
                                  "mqtt_pass = abc", "clé publique = abc", "broker_password abc def"])
def test_who_wanted_no_password_gets_an_open_wifi(card, line):
    files = for_text(card, f'[box]\ncountry = "FR"\n{line}\n')
    assert "wpa" not in files["hostapd.conf"] and "made_password" not in files


def test_a_long_name_of_the_wifi_is_cut_between_letters():
    name = program("box").ssid(read(f'[node]\nname = "{"é" * 20}x"\n'.encode()).settings)
    assert len(name) <= 32 and name.decode() == "é" * 16


@pytest.mark.parametrize("text",
                         [None, b"", b"\xff\xfe", b"\0" * 512, b"= = =\n" * 99, b"[x]\ny = 1\n", b"a = " + b"[" * 5_000,
                                  b'[node]\ndata = "~nosuchuser/x"\n[radio]\nconnect = "auto "\n',
                          b"[box]\nchannel = " + b"9" * 4_300])
def test_whatever_the_card_holds_the_island_gets_settings_that_it_reads(card, text):
    files = boxed(card) if text is None else for_text(card, text)
    given_on = settings_in(files)
    assert given_on.node.data == Path("/data/archipel") and given_on.portal.behind_front
    assert given_on.portal.listen == ("127.0.0.1", 8080) and "DHCP=ipv4" in files["cable.network"]
    assert "no country is set" in told_in(files) and str(card.parent) not in files["notices"]


@given(content=broken_files())
@settings(max_examples=150 * EFFORT)
def test_no_file_that_went_through_a_lot_keeps_the_box_from_its_work(tmp_path_factory, content):
    card = tmp_path_factory.mktemp("x") / "card"
    card.mkdir()
    files = for_text(card, content)
    shutil.rmtree(card.parent)
    meant, given_on = read(content).settings, settings_in(files)
    if "made_password" in files:  # the file's cannot be used, and the Wi-Fi is closed all the same
        meant = dataclasses.replace(meant, box=dataclasses.replace(meant.box, wifi_password=files["made_password"]))
    for section in ("radio", "packet", "lan", "archive", "box"):
        assert getattr(given_on, section) == getattr(meant, section)
    assert (given_on.node.name, given_on.node.position) == (meant.node.name, meant.node.position)
    assert ("hostapd.conf" in files) == bool(meant.box.country) and "[Network]" in files["cable.network"]
    for line in files.get("hostapd.conf", "").splitlines():
        assert re.fullmatch(r"[a-z0-9_]+=[^\x00-\x1f\x7f]+", line)


def test_a_mistake_of_ours_still_gives_a_box(card, monkeypatch, capsys):
    def fails(card):
        raise RuntimeError("a case that nobody thought of")

    monkeypatch.setattr(program("box"), "settings_on", fails)
    files = for_text(card, RIGHT)
    assert settings_in(files).node.data == Path("/data/archipel") and "could not be used at all" in told_in(files)
    assert "nobody thought of" in capsys.readouterr().err


def test_names_with_quotes_and_signs_reach_the_island_as_they_were_written():
    name = 'Le "Café" \\ ☕ — l’île'
    text = (f"[node]\nname = '{name}'\nposition = \"48.8752, 2.3931\"\n[radio]\nshare = 2.5\n"
            '[lan]\npeers = "192.168.1.20, 192.168.1.30:8080, [::1]:80"\n')
    meant = read(program("box").toml(read(text.encode()).settings).encode()).settings
    assert meant.lan.peers == (("192.168.1.20", 80), ("192.168.1.30", 8080), ("::1", 80))
    assert (meant.node.name, meant.node.position, meant.radio.share) == (name, (48.8752, 2.3931), 2.5)


def test_keys_and_passwords_are_written_for_the_services_that_need_them_only(card):
    key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJveA== someone@somewhere"
    files = for_text(card, f'[box]\nssh_key = "{key}"\nbroker_password = "mot de passe"\nethernet = "host"\n'
                           'keeper = "Samira"\nkeeper_password = "quatre mots au hasard"\n')
    assert files["ssh_key"] == key + "\n" and files["broker_password"] == "mot de passe"
    assert (files["keeper"], files["keeper_password"]) == ("Samira\n", "quatre mots au hasard\n")
    assert "Address=198.51.100.129/25" in files["cable.network"] and "interface=eth0" in files["dnsmasq.conf"]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o640 for path in (card.parent / "target").iterdir())
    assert {"ssh_key", "broker_password", "keeper", "hostapd.conf"}.isdisjoint(for_text(card, ""))


@pytest.mark.parametrize(("keeper", "password"), [
    ("--help", "quatre mots au hasard"), ("-x", "quatre mots au hasard"), ("a/b", "quatre mots au hasard"),
    ("Samira", "court"), ("Samira", "samira 1987 !"), ("Samira", "password2026"), ("Samira", "Archipel 2026"),
    ("Marie-Antoinette", "marie antoinette 93"), ("Samira", "Jardin de la Villette 19"), ("Samira", "x7k2q9m4tz" * 21),
])
def test_a_card_makes_no_keeper_of_a_name_or_password_that_will_not_do_and_tells(card, keeper, password):
    files = for_text(card, f'[node]\nname = "Jardin de la Villette"\n[box]\ncountry = "FR"\nkeeper = "{keeper}"\n'
                           f'keeper_password = "{password}"\n')
    assert {"keeper", "keeper_password"}.isdisjoint(files)
    assert "[box] keeper" in told_in(files) and "will not do" in told_in(files) and password not in files["notices"]
    assert settings_in(files).box.keeper_password in ("", password)


# which file


@pytest.mark.parametrize("name",
                         ["archipel.toml.txt", "Archipel.TOML", "archipel (1).toml", "archipel.toml.toml",
                          "ARCHIPEL.TOML.TXT",
                                  "archipel - Copie.toml", "Copie de archipel.toml", "archipel.toml.rtf", "archipel"])
def test_the_file_is_found_under_the_names_that_editors_and_browsers_give_it(card, name):
    put(card, "archipel.toml", SHIPPED)
    put(card, name, COUNTRY)
    files = boxed(card)
    assert "country_code=FR" in files["hostapd.conf"]
    assert (f"{name} on the memory card was read" in told_in(files)) == (name.casefold() != "archipel.toml")


@pytest.mark.parametrize("name",
                         ["._archipel.toml", "~archipel.toml", "archipel.toml~", "archipel.toml.bak", "archipel.txt",
                                  "config.txt", "archipel-problems.txt"])
def test_what_is_no_settings_file_is_left_alone(card, name):
    put(card, name, COUNTRY)
    assert "no file archipel.toml" in told_in(boxed(card))


def test_of_two_files_the_one_written_last_counts_and_the_other_is_told(card):
    put(card, "archipel.toml", COUNTRY, OLD)
    put(card, "archipel.toml.txt", b'[box]\ncountry = "ES"\n')
    files = boxed(card)
    assert "country_code=ES" in files["hostapd.conf"]
    assert "archipel.toml on the memory card does not count, archipel.toml.txt does" in told_in(files)
    put(card, "archipel.toml", COUNTRY)
    assert "country_code=FR" in boxed(card)["hostapd.conf"], "written in the same moment: the right name"
    put(card, "archipel.toml", b"\0" * 900, NOW + 99)
    assert "country_code=ES" in boxed(card)["hostapd.conf"], "the power went while it was written"


def test_a_folder_of_that_name_is_no_settings_file(card):
    (card / "archipel.toml").mkdir()
    assert "no file archipel.toml" in told_in(boxed(card))
    put(card, "archipel.toml.txt", COUNTRY)
    assert "country_code=FR" in boxed(card)["hostapd.conf"]


def test_notices_name_the_file_as_its_keeper_sees_it(card):
    put(card, "archipel.toml.txt", b'[box]\ncountry = "FR"\nchannel = "high"\n')
    assert "archipel.toml.txt, line 3: [box] channel" in told_in(boxed(card))


def test_the_brokers_certificates_are_taken_from_the_card(card):
    put(card, "CA.pem", b"-----BEGIN CERTIFICATE-----\n")
    files = for_text(card,
                     '[mqtt]\nbroker = "mqtts://h"\nauthority = "/boot/firmware/ca.pem"\ncertificate = "C:\\\\me.pem"\n')
    assert files["authority.pem"].startswith("-----BEGIN")
    assert settings_in(files).mqtt.authority == str(card.parent / "target/authority.pem")
    assert settings_in(files).mqtt.certificate == "" and "[mqtt] certificate: there is no file me.pem" in told_in(files)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_an_invitation_on_the_card_is_handed_on_however_it_was_saved(card, encoding):
    put(card, "Invitation de Nord.txt.txt", "ABCDE\n".encode(encoding))
    assert boxed(card)["invitation"] == "ABCDE\n"


# what goes back onto the card


@pytest.mark.parametrize(("language", "words"),
                         [("fr", "Corrigez"), ("en", "Correct it"), ("es", "Corríjalo"), ("ar", "صحّح")])
def test_what_is_wrong_goes_back_onto_the_card_in_the_islands_language(card, language, words):
    files = for_text(card, f'[node]\nlanguage = "{language}"\ncolour = "red"\n[box]\ncountry = “FR”\n')
    program("problems").main(card.parent / "target", card.parent / "text")
    text = (card.parent / "text").read_bytes().decode("utf-8-sig")
    assert words in text and "colour" in text and text.count("\r\n") == 4 == text.count("\n") and "notices" in files


def test_when_nothing_was_passed_over_no_file_is_left(card):
    for_text(card, "[box]\ncountry = “FR”\n")
    program("problems").main(card.parent / "target", card.parent / "text")
    assert (card.parent / "text").read_bytes() == b""


@pytest.mark.process
def test_the_card_is_written_only_when_something_else_is_to_be_told(card):
    text, mounts = card.parent / "text", card.parent / "mounts"
    mount = card.parent / "mount"
    mount.write_text(f'#!/bin/sh\necho "$2" >> {mounts}\n')
    mount.chmod(0o755)

    def tell(content):
        text.write_text(content)
        mounts.write_text("")
        subprocess.run([PROGRAMS / "tell-card", text, card], check=True, env={**os.environ, "MOUNT": str(mount)})
        return mounts.read_text().split(), {path.name: path.read_text() for path in card.iterdir()}

    both = ["remount,rw", "remount,ro"]
    assert tell("") == ([], {})
    assert tell("one") == (both, {"archipel-problems.txt": "one"})
    assert tell("one") == ([], {"archipel-problems.txt": "one"})
    assert tell("two") == (both, {"archipel-problems.txt": "two"})
    assert tell("") == (both, {})


def test_each_new_box_has_a_code_of_its_own(card):
    codes = {for_text(card, "[box]\ncountry = \"FR\"\n")["code"] for _box in range(3)}
    assert len(codes) == 3 and all(len(code) == 9 for code in codes)


@pytest.mark.process
def test_the_code_of_the_first_start_is_on_the_card_as_long_as_there_is_no_set(card):
    for_text(card, "[box]\ncountry = \"FR\"\n")
    target, data = card.parent / "target", card.parent / "data"
    code, text = (target / "code").read_text(), (target / "code.txt").read_bytes().decode("utf-8-sig")
    assert len(code) == 9 and text.splitlines()[0] == code and text.count("\r\n") == 6 == text.count("\n")
    mount = card.parent / "mount"
    mount.write_text("#!/bin/sh\n")
    mount.chmod(0o755)

    def tell():
        subprocess.run([PROGRAMS / "tell-code", target / "code.txt", data, card, target / "keeper"], check=True,
                       env={**os.environ, "MOUNT": str(mount)})
        return (card / "archipel-code.txt").exists()

    assert tell() and tell()
    files = for_text(card, "[box]\ncountry = \"FR\"\n")
    assert files["code"] == code, "the next start of the box has the same"
    (target / "keeper").touch()
    assert not tell(), "nothing is asked where the card names a keeper"
    (target / "keeper").unlink()
    assert tell()
    (data / "keys").mkdir(parents=True)
    (data / "keys/charter").touch()
    assert not tell() and not tell()


@pytest.mark.parametrize(("written", "code"), [
    ("k7qf-3mtx", "k7qf-3mtx"), ("\ufeffMonCode123\r\nplus de texte", "MonCode123"), ("  12345678  ", "12345678"),
    ("court", ""), ("", ""), ("x" * 500, ""), ("\0\1\2", "")])
def test_a_code_that_somebody_wrote_on_the_card_counts(card, written, code):
    (card / "archipel-code.txt.txt").write_text(written, encoding="utf-8")
    made = for_text(card, "")["code"]
    assert made == code if code else len(made) == 9


def test_the_guides_example_at_the_end_of_the_shipped_file_is_what_counts(card):
    about_keepers = [example for example in GUIDES if "keeper" in example]
    assert about_keepers
    for example in about_keepers:
        files = for_text(card, SHIPPED + b"\n" + example.encode())
        assert "hostapd.conf" in files and files["keeper"] and files["notices"] == ""
