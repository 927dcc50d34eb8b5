"""The card of a box, whatever lies on it: the box's programs get files that they can read, the island good settings."""

import contextlib
import io
import tempfile
from pathlib import Path

from archipel_image.sources import program
from node.daemon.settings_reader import Notice, read
from tests.fuzz.kinds import OVERLAY, Target
from tests.fuzz.seeding import MEMORY, texts_in

BOX = program("box")
NAMES = ("archipel.toml", "Archipel (1).toml", "archipel.toml.txt", "archipel-code.txt", "archipel-problems.txt",
         "invitation.txt", "broker.pem", "archipel-code (2).txt")
PART = b"\n==\n"
WIFI = b'{"boot": "b", "kept": {"box country": "FR", "box wifi_password": "'


def run(octets):
    """Files parted by `==`, each after a digit that says which; the last one is also what the desk wants of the Wi-Fi."""
    parts = octets.split(PART)
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        card, target, desk = (Path(folder) / name for name in ("card", "target", "wifi.json"))
        card.mkdir()
        target.mkdir()
        for _number, part in enumerate(parts[:6]):
            (card / NAMES[part[0] % 8 if part else 0]).write_bytes(part[1:])
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            BOX.main(card, target)
            check(target)
            desk.write_bytes(parts[-1])
            BOX.set_wifi(card, target, desk, "b")
            check(target)
        assert "Traceback" not in said.getvalue(), said.getvalue()[-400:]


def check(target):
    files = {path.name: path.read_bytes().decode() for path in target.iterdir() if path.suffix != ".pem"}  # copied as it is
    reading = read(files["archipel.toml"].encode())
    assert reading.notices == (), [str(notice.sentence) for notice in reading.notices]
    assert all(str(Notice.of(line).sentence) for line in files["notices"].splitlines())
    assert all(line.partition("=")[1] for line in files.get("hostapd.conf", "").splitlines())
    assert ("wpa_passphrase" in files.get("hostapd.conf", "")) <= ("wpa=2" in files.get("hostapd.conf", ""))
    for path in target.iterdir():
        assert path.stat().st_mode & 0o007 == 0


def seeds():
    from tests.daemon.test_settings_reader import RIGHT

    right = RIGHT.encode()
    yield b"0" + right
    yield b"0" + right + PART + b"1" + right + PART + b"2[box]\n"
    yield b"8[box]\ncountry = 'FR'\nwifi_password = 'x'\n" + PART + b"4made: ABCD-EFGH-JKMN" + PART + b"3K7QF-3MTX-9WHD"
    yield b"0[mqtt]\nauthority = 'broker.pem'\ncertificate = 'none.pem'\n" + PART + b"6-----BEGIN"
    yield b"0[box]\ncountry = 'FR'\n" + PART + WIFI + b'un chat"}, "now": {}, "rests": true}'
    yield b"0[box]\ncountry = 'US'\nethernet = 'off'\n" + PART + WIFI + b'x"}, "now": {"box channel": "13"}, "rests": true}'
    yield b"0[box]\nssh_key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJveA== lea'\nethernet = 'host'\nbroker_password = 'a b'"
    yield b"5ABCDE FGHIJ" + PART + b"7x"
    yield b""
    yield b"0[box]\n" + PART + WIFI + b'un chat"}, "now": {"box country": "FR"}}'
    for text in texts_in("tests/image/test_box.py", 8):
        yield b"0" + text
        yield b"0[box]\ncountry = 'FR'\n" + PART + text


TARGET = Target(run, (f"{OVERLAY}/box.py", "node/daemon/wifi_order.py: wished _told"), seeds, 3_000,
                               (PART, b"[box]\n", b"country = 'FR'\n", b"wifi_password = ", b'"rests": true', b'"now": {"'),
                share=2, beside={"our own mistakes only": ("main", "set_wifi"), "starts the program": ("",)})
