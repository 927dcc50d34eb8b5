"""`archipel.toml` as any editor, phone or hand may leave it: there are settings in any case, and each problem is told."""

import dataclasses

from node.daemon.settings import Settings
from node.daemon.settings_bytes import MAX_BYTES, text_of
from node.daemon.settings_reader import KEYS, MAX_PROBLEMS, Notice, first_of, read
from node.i18n.catalogue import TAGS, catalogue
from tests.fuzz.kinds import Target
from tests.fuzz.seeding import texts_in

CATALOGUES = [catalogue(tag) for tag in TAGS]


def run(octets):
    told = text_of(octets)
    assert isinstance(told.text, str) and len(told.text) <= 4 * MAX_BYTES
    reading = read(octets, "archipel.toml")
    assert isinstance(reading.settings, Settings)
    assert all(key in KEYS[section] for section, key in reading.given | reading.passed_over | set(reading.lines))
    assert len(reading.notices) <= 2 * MAX_PROBLEMS + 10
    for notice in reading.notices:
        assert Notice.of(notice.line()) == notice
        assert all(notice.sentence.said(one) for one in CATALOGUES)
    first_of([notice.line() for notice in reading.notices])
    again = read(octets, "archipel.toml")
    assert again == reading
    for section, key in reading.given:  # what is set is what its check lets through
        assert dataclasses.fields(getattr(reading.settings, section)) and hasattr(getattr(reading.settings, section), key)


def seeds():
    from tests.daemon.test_settings_reader import FILLED_IN, RIGHT

    yield from texts_in("tests/daemon/test_settings_reader.py")
    yield from (b"[box]\nname = " + text for text in texts_in("tests/daemon/test_settings.py"))
    for text in (FILLED_IN, RIGHT):
        for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "utf-32", "cp1256"):
            yield text.encode(encoding, "replace")
        yield text.encode().decode("cp1252", "replace").encode()
        yield text.replace("\n", "\r").encode()
        yield text.replace("\n", "\\n").encode()
    lines = {"portal": ("listen = '[::1]:80'", "listen = '[::1'", "loudspeaker = '9:00, 18:30'", "loudspeaker = '3:00'"),
             "lan": ("peers = '192.168.1.20, [fe80::1]:80, fe80::2'", "peers = ':'"), "radio": ("share = 0x10", "share = 0b1"),
             "gather": ("contact = 'a@b.org'", "contact = 'é'", "private = 'agenda.lan, 192.168.1.20:80'", "private = '[x'",
                        "private = 'a b'", "private = '[::1]:80, [::1]'"),
             "mqtt": ("broker = 'mqtt://a, mqtt://b, mqtt://c, mqtt://d, mqtt://e'", "broker = ','", "broker = ''"),
             "box": ("country = ''", "ssh_key = 'ssh-rsa x'", "channel = 14"), "packet": ("callsign = 'F4ABC-1'", "callsign = '?'")}
    for section, said in lines.items():
        yield from (f"[{section}]\n{line}\n".encode() for line in said)
    yield b"[box]\nname = 'x'\n" * 5_000
    yield b"".join(b"[box]\nunknown%d = 1\n" % number for number in range(300))
    yield b"".join(b"[radio]\nshare = %d\n[radio]\nshare = 'x%d'\n" % (number, number) for number in range(300))
    yield b"[box]\nname = '" + b"x" * 5_000 + b"'\n"


TARGET = Target(
    run, tuple(f"node/daemon/settings_{name}.py" for name in ("bytes", "reader", "text", "checks", "spoken")), seeds, 4_000,
    (b"[node]\n", b"[box]\n", b"name = ", b'country = "FR"\n', b'"""', b"'''", b"password = ", b"#", b"{\\rtf1 ", b"\\'e9"),
    share=3)
