"""Any file gives settings: what is meant is read, what cannot be is told once, with its line, and nothing ever raises."""

import dataclasses
import re
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.daemon.settings import SECTIONS, Settings
from node.daemon.settings_bytes import MAX_BYTES
from node.daemon.settings_reader import KEYS, MAX_FIRST, Notice, first_of, notices_in, ranges, read
from node.i18n.sentence import Sentence, sentence
from tests.effort import EFFORT

pytestmark = pytest.mark.once

PROJECT = Path(__file__).parents[2]
SHIPPED = (PROJECT / "image-build/boot/archipel.toml").read_text()
KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIGJveA=="
FILLED_IN = re.sub(r"(?m)^# (\w+ = )", r"\1", SHIPPED).replace("AAAA...", KEY)
GUIDES = [block for name in ("fr", "en")
          for block in re.findall(r"```toml\n(.*?)```", (PROJECT / f"docs/keeper-guide.{name}.md").read_text(), re.S)]
RIGHT = """[node]
name = "Place des Fêtes"
language = "es"
position = "48.8752, 2.3931"
[box]
country = "FR"
channel = 11
wifi_password = "un chat # deux"
keeper = "Samira"
keeper_password = 'quatre mots "au" hasard'
[portal]
posting = "moderated"
[radio]
connect = "tcp:192.168.1.5"
share = 2.5
[mqtt]
broker = "mqtts://me:p%40ss@broker.example:8883"
[lan]
discover = false
peers = "192.168.1.20, 192.168.1.30:8080"
"""
MEANT = read(RIGHT.encode()).settings


def told(content, name="archipel.toml"):
    return "\n".join(str(notice.sentence) for notice in read(content, name).notices)


def passed_over(content):
    return [str(notice.sentence) for notice in read(content).notices if not notice.harmless]


def test_a_right_file_has_nothing_to_tell():
    for content in (RIGHT, FILLED_IN, *GUIDES, SHIPPED):
        assert read(content.encode()).notices == ()
    assert len(GUIDES) >= 2 and MEANT.box.country == "FR" and MEANT.box.wifi_password == "un chat # deux"


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(("encoding", "mark"), [
    ("utf-8", b""), ("utf-8", b"\xef\xbb\xbf"), ("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff"), ("utf-16-le", b""),
    ("utf-16-be", b""), ("utf-32-le", b"\xff\xfe\0\0"), ("cp1252", b""),
])
def test_however_an_editor_saves_it_it_says_the_same(encoding, mark, ends):
    reading = read(mark + RIGHT.replace("\n", ends).encode(encoding))
    assert reading.settings == MEANT
    assert all(notice.harmless for notice in reading.notices) and len(reading.notices) == (encoding == "cp1252")


def test_arabic_of_windows_is_read_too_and_a_line_added_elsewhere():
    assert read('[node]\nname = "الساحة"\n'.encode("cp1256")).settings.node.name == "الساحة"
    mixed = '[node]\nname = "Place des Fêtes"\n'.encode() + '[portal]\nwifi = "Fêtes"\n'.encode("cp1252")
    assert (read(mixed).settings.node.name, read(mixed).settings.portal.wifi) == ("Place des Fêtes", "Fêtes")


def test_a_lost_octet_costs_one_letter():
    content = '[node]\nname = "Place des Fêtes de l’été"\n[box]\ncountry = "FR"\n'.encode().replace("’".encode(), b"\xe2")
    reading = read(content)
    assert reading.settings.node.name == "Place des Fêtes de lété" and "damaged" in told(content)
    assert reading.settings.box.country == "FR"


def test_what_an_east_asian_keyboard_writes_is_read():
    wide = "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in RIGHT)
    reading = read(wide.encode())
    assert reading.settings == MEANT and all(notice.harmless for notice in reading.notices)


@pytest.mark.parametrize("text", ['name = "Caf+AOk-"', 'name = "CafÃ©"', 'name =3D "Caf=C3=A9"'])
def test_what_went_through_one_more_encoding_is_told(text):
    content = text.encode()
    assert read(content).settings.node.name == "Café" and "was read as" in told(content) and not passed_over(content)


@pytest.mark.parametrize("secret", ["a+AOk-b/c+def-ghij", "aÃ b-quatre mots", "50=3Dx +Zm9v-"])
def test_a_password_that_looks_encoded_stays_as_it_is(secret):
    assert read(f'[mqtt]\npassword = "{secret}"'.encode()).settings.mqtt.password == secret


def test_a_formatted_document_is_read_and_told():
    rich = (r"{\rtf1\ansi\ansicpg1252\cocoartf2639{\fonttbl\f0\fswiss\fcharset0 Helvetica;}{\colortbl;\red255;}" "\n"
            r"\f0\fs24 \cf0 [node]\ " "\n" r"name = \'93Place des F\'eates\'94\ " "\n" r"\par [box]\ " "\n"
            r"country = \uc0\u8220 FR\u8221 }").replace("\\ \n", "\\\n")
    reading = read(rich.encode())
    assert (reading.settings.node.name, reading.settings.box.country) == ("Place des Fêtes", "FR")
    assert "not plain text" in passed_over(rich.encode())[0]


def test_a_file_of_zeros_is_told_as_damaged_and_what_is_left_of_one_counts():
    assert "damaged" in told(bytes(4096)) and read(bytes(4096)).settings == Settings()
    half = RIGHT.encode()[:60] + bytes(500)
    assert read(half).settings.node.name == "Place des Fêtes" and "damaged" in told(half)


@pytest.mark.parametrize("line", [
    "country = “FR”", "country = «\u00a0FR\u00a0»", "country = 'FR'", "country = ‘FR’", "country = `FR`", "country = FR",
    'country = "FR',
    'country = FR"', 'country: "FR"', "country FR", 'country "FR"', "country := FR", 'country == "FR"', 'country => "FR"',
    'Country = "FR"', 'COUNTRY="FR"', ' \t country\t=\t"FR" \t', '\u00a0country\u00a0=\u00a0"FR"\u00a0',
    'country = "FR" # France',
    'country = "FR" ; France', 'country = "FR" (France)', 'country = "FR",', 'country = "FR";', 'country = " FR "',
    'country = "“FR”"',
    'ｃｏｕｎｔｒｙ　＝　＂ＦＲ＂', 'country = ["FR"]',
    '"country" = "FR"', '- country = "FR"', '• country = "FR"', 'contry = "FR"',
    'coutnry = "FR"', 'pays = "France"', 'box.country = "FR"', 'country = """FR"""', "country = 'France'",
    'country = "\\u0046R"',
    'count\0ry = "F\0R"', '\ufeffcountry = "F\u200bR"', 'country = "FR"\x0bchannel = 11', 'country-code = "FR"',
    'country = "UK"',
    'country is "FR"', "country is FR", "the country is France", "le pays est la France", "el país es Francia",
    "البلد هو فرنسا", "Our country: France (Paris)",
    'set country to "FR"', "country equals FR", 'country ~= "FR"', 'country <- "FR"',
    'country — "FR"', 'country("FR")', 'country"FR"', "country, FR", "country;FR", '"box","country","FR"',
    "| country | FR |", "country ......... FR", "<country>FR</country>", "country=FR ; my country", 'country = "ЕS"',
])
def test_a_country_is_read_however_its_line_is_written(line):
    for text in (f"[box]\n{line}\n", f"[Box]\n{line}", f"[box\n{line}\n", f"box]\n{line}\n", f"［box］\n{line}\n",
                 f"Box:\n{line}\n",
                 f"[[box]]\r\n{line}\r\n", f"[bxo]\n{line}\n", f"[node]\n{line}\n", line, f"[wifi]\n{line}\n",
                 f"[box] {line}"):
        assert read(text.encode()).settings.box.country in ("FR", "GB", "ES"), text


@pytest.mark.parametrize("text", [
    '[node] name = "Place" [box] country = "FR", channel = 11', 'name = "Place"; country = "FR"; box.channel = 11',
    '{\n  "node": {\n    "name": "Place"\n  },\n  "box": {\n    "country": "FR",\n    "channel": 11\n  }\n}',
    "node:\n  name: Place\nbox:\n  country: FR\n  channel: 11\n",
    '[node]\nname =\n"Place"\n[box]\ncountry=\n  "FR"\nchannel=\t11\n',
    "[node]\nname=Place\n[box]\ncountry=FR\nchannel=11\n",
    'node = {name = "Place"}\nbox = {country = "FR", channel = 11}\n',
])
def test_what_other_programs_would_write_is_understood(text):
    reading = read(text.encode())
    assert (reading.settings.node.name, reading.settings.box.country, reading.settings.box.channel) == ("Place", "FR", 11)
    assert all(notice.harmless for notice in reading.notices) and reading.notices


def test_a_text_that_looks_like_a_setting_stays_a_text():
    for name in ("la key = 3", "country = FR, channel = 6", "[box] et [node]"):
        assert read(f'[node]\nname = "{name}"  # country = "ES"\n'.encode()).settings.node.name == name
        assert read(f"[node]\nname = '{name}'".encode()).settings.node.name == name
        assert read(f"[node]\nname = “{name}”".encode()).settings.node.name == name


def test_what_is_read_as_it_is_meant_is_told_too():
    text = '[BOX]\ncontry = “fr”\nchannel = "6"\nkeeper: Samira\nkeeper_password = "un deux trois"\n'
    assert told(text.encode()).splitlines() == [
        "archipel.toml, line 2: contry was read as [box] country.",
        "archipel.toml, line 2: [box] country = “fr” was read as “FR”.",
        "archipel.toml: these lines were read as they are meant: 1, 3-4. Right is key = \"value\", under a [section].",
    ]


def test_sections_pasted_twice_are_one_and_of_two_values_the_last_that_says_something_counts():
    text = RIGHT + '\n[node]\ntimezone = "Europe/Madrid"\n' + GUIDES[1]
    assert read(text.encode()).settings.node.timezone == "Europe/Madrid"
    assert read(text.encode()).settings.box.keeper == "Samira"
    twice = b'[box]\ncountry = ""\n[node]\n[box]\ncountry = "FR"\ncountry = ""\ncountry = "XX"\n'
    assert read(twice).settings.box.country == "FR"
    (one,) = passed_over(twice)
    assert "[box] country" in one and "2, 5-7" in one and "Line 5 counts" in one
    assert read(RIGHT.encode() * 2).notices == (), "the same twice is no question"


def test_a_key_in_another_section_goes_where_it_belongs_or_is_told_where_that_is():
    reading = read(b'[box]\nname = "X"\nposting = "open"\nshare = 2\npassword = "secret123"\n')
    assert reading.settings.node.name == "X"
    one, two = passed_over(b'[box]\nname = "X"\nposting = "open"\nshare = 2\npassword = "secret123"\n')
    assert "line 4: share was passed over: it belongs under [radio], [packet]" in one
    assert "line 5: password was passed over: it belongs under [mqtt]" in two


def test_each_thing_that_is_passed_over_is_told_once_with_its_line_and_a_remedy():
    text = ('[node]\nlanguage = "de"\ncolour = "red"\nLe nom de l\'île\n\n[radoi]\nconnect = "usb"\n[weather]\n'
            'sky = 1\n[portal]\nlisten = "80"\nand more\nand more\n')
    assert [line for line in told(text.encode()).splitlines()] == [
        "archipel.toml, line 2: [node] language: “de” will not do. Write one of fr, en, es, ar.",
        "archipel.toml, line 3: [node] colour is not a setting. Known here: name, data, language, timezone, position.",
        "archipel.toml, line 7: [radio] connect: “usb” will not do. Write \"auto\", \"serial\", \"serial:/dev/ttyUSB0\", "
        "\"tcp:HOST\", \"tcp:HOST:PORT\" or \"none\".",
        "archipel.toml, line 8: [weather] is not a section. Known: node, portal, radio, mqtt, packet, lan, gather, "
        "archive, box.",
        "archipel.toml, line 9: sky is not a setting. Check its spelling, or put # in front of it.",
        "archipel.toml, line 11: [portal] listen: “80” will not do. Write host:port, such as \"127.0.0.1:8080\" (this "
        "machine only) or \"0.0.0.0:8080\".",
        "archipel.toml: nothing can be made of what stands on these lines: 4, 12-13. Write key = \"value\", or put # in "
        "front of a remark.",
        "archipel.toml, line 6: [radoi] was read as [radio].",
    ]


def test_what_is_wrong_only_beside_another_setting_is_told():
    reading = read(b'[box]\ncountry = "US"\nchannel = 13\nkeeper = "Samira"\n')
    assert (reading.settings.box.country, reading.settings.box.channel) == ("US", 6)
    channel, keeper = passed_over(b'[box]\ncountry = "US"\nchannel = 13\nkeeper = "Samira"\n')
    assert "line 3: Wi-Fi channel 13 is not used in US; channel 6" in channel and "line 4: keeper does nothing" in keeper


def test_remarks_without_their_sign_cost_nothing_but_a_word():
    stripped = re.sub(r"(?m)^# ?", "", SHIPPED.replace("# ssh_key", "# # ssh_key"))
    reading = read(stripped.encode())
    right = read(FILLED_IN.encode()).settings
    assert dataclasses.replace(reading.settings.box, ssh_key=right.box.ssh_key) == right.box
    assert reading.settings.node == right.node and len(passed_over(stripped.encode())) == 1


def test_more_than_a_page_holds_is_counted():
    lines = [Notice(sentence("Line %(line)s.", line=number), harmless=number % 2 == 0).line() for number in range(40)]
    shown = first_of(lines)
    assert len(shown) == MAX_FIRST + 1 and not any("harmless" in line for line in shown)
    assert str(Notice.of(shown[-1]).sentence) == "More like these: 28."
    assert first_of(lines[:3]) == (lines[1], lines[0], lines[2])


def test_notices_are_kept_as_lines(tmp_path):
    notices = [Notice(sentence("%(a)s“é”", a=3)), Notice(Sentence("Plain.")), Notice(sentence("Harmless."), True)]
    (tmp_path / "notices").write_text("".join(notice.line() + "\n" for notice in notices) + "no JSON 100 %\n")
    assert [Notice.of(line) for line in notices_in(str(tmp_path / "notices"))] == [*notices,
                                                                                   Notice(Sentence("no JSON 100 %"))]
    (tmp_path / "notices").write_bytes(b"\xff\xfe")
    assert len(notices_in(str(tmp_path / "notices"))) == 1 and notices_in(str(tmp_path)) == notices_in("") == []


def test_lines_are_told_as_people_write_them():
    assert ranges([3, 9, 4, 5, 9]) == "3-5, 9" and ranges(range(1, 300, 2)).endswith(", 59 … 299")


# whatever stands in the file

REPEATED = [b'a.b%d.c = 1\n', b'country = "FR%d"\n', b"[s%d]\n", b'name = "%d" "', b"x = [", b'x = """\n', b"key%d = 1\n",
            b'"' * 50, b"[" * 9,
            b"box = {", b'\\"', b"[x]" * 9, b"= ", b"\x00\x01", "é".encode("cp1252"), b" \n", b"{\\*", b'peers = ["\\"',
            b"country%d = %d\n"]


def calls_of(content):
    """How many calls of functions reading takes: what a slow machine has to do, whatever its speed."""
    count = 0

    def counted(frame, event, argument):
        nonlocal count
        count += 1

    sys.setprofile(counted)
    try:
        read(content)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("part", REPEATED)
def test_the_work_is_bounded_by_the_size_of_the_file(part):
    made = b"".join(part.replace(b"%d", b"%d" % number) for number in range(40_000))
    made *= 1 + 6 * MAX_BYTES // len(made)
    few = made[:MAX_BYTES // 4]
    read(few)  # names of countries are looked up once
    whole, quarter = calls_of(made), calls_of(few)
    assert whole <= 6 * quarter + 20_000 and whole < 3_600_000, "nor does what is beyond the limit cost anything"


def test_of_a_file_that_is_too_long_the_beginning_counts():
    content = RIGHT.encode() + b"# " + b"x" * MAX_BYTES + b"\n[node]\nname = 'late'\n"
    assert read(content).settings == MEANT and f"too long: what stands after line {RIGHT.count(chr(10))} " in told(content)
    assert read(RIGHT.encode() + b"\n" * 3 * MAX_BYTES).settings == MEANT


LINES = st.sampled_from([line for line in (RIGHT + FILLED_IN).splitlines() if line])
SIGNS = st.sampled_from([*"\"'“”«»‘’`[]{}=:#;,.\\\t\0 \u00a0\u202f\ufeff\u200b＝＂［é😀\x01\r", '"""', "\r\n", "= =", "//"])


HEADING = re.compile(rf"^\s*[\[［【〔]|\[\s*({'|'.join(SECTIONS)})\s*\]", re.IGNORECASE)  # also behind something else


@st.composite
def mangled(draw):
    """A line of a right file after some accidents."""
    line = draw(LINES)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(line)))
        accident = draw(st.sampled_from(["put in", "cut out", "cut off", "case", "double"]))
        if accident == "put in":
            line = line[:at] + draw(SIGNS) + line[at:]
        elif accident == "cut out":
            line = line[:at] + line[at + draw(st.integers(1, 5)):]
        elif accident == "cut off":
            line = line[:at]
        elif accident == "case":
            line = line.swapcase()
        else:
            line = line[:at] + line
    return line


@st.composite
def broken_files(draw):
    """Octets of a file that went through a lot."""
    lines = draw(st.lists(st.one_of(mangled(), LINES, st.text(max_size=30)), max_size=20))
    text = draw(st.sampled_from(["\n", "\r\n", "\r", "\n\n"])).join(lines)
    content = text.encode(draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "cp1252", "utf-7"])),
                          "replace")
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(content)))
        content = content[:at] + draw(st.binary(max_size=6)) + content[at + draw(st.integers(0, 3)):]
    return content


@given(st.one_of(broken_files(), st.binary(max_size=400)))
@settings(max_examples=400 * EFFORT)
def test_nothing_that_a_file_holds_raises_and_all_settings_have_their_kind(content):
    reading = read(content)
    assert isinstance(reading.settings, Settings)
    for section, kind in SECTIONS.items():
        values = getattr(reading.settings, section)
        for part in dataclasses.fields(kind):
            value, default = getattr(values, part.name), getattr(kind(), part.name)
            assert isinstance(value, (type(default), tuple) if default is None else type(default)) or value is None
    for notice in reading.notices:
        assert str(notice.sentence) and Notice.of(notice.line()) == notice
        assert notice.line().encode() and len(str(notice.sentence)) < 1_000


@given(st.data())
@settings(max_examples=300 * EFFORT)
def test_whatever_is_written_between_them_the_right_lines_count(data):
    """Accidents of other lines change no right one, unless they say something else of the same setting."""
    lines = RIGHT.splitlines()
    for at in sorted(data.draw(st.sets(st.integers(0, len(lines)), max_size=8)), reverse=True):
        accident = data.draw(mangled())
        if not any(HEADING.search(part) or re.sub("[^a-z]", "", part.casefold()) in SECTIONS
                   for part in accident.split("\r")):
            lines.insert(at, accident)  # and not the header of another section
    text = "\n".join(lines)
    reading, alone = read(text.encode()), [line for line in lines if line not in RIGHT.splitlines()]
    apart = [read(f"[{section}]\n{line}".encode()) for line in alone for section in SECTIONS]
    spoken = {key for one in apart for _section, key in one.given | one.passed_over}
    looked_at = 0
    for section, keys in KEYS.items():
        for key in keys:
            if key not in spoken:
                looked_at += 1
                assert getattr(getattr(reading.settings, section), key) == getattr(getattr(MEANT, section), key), (section,
                                                                                                                   key)
    assert looked_at > 10
    if "country" not in spoken:
        assert reading.settings.box.country == "FR"


@given(st.lists(st.one_of(mangled(), st.text(alphabet=st.characters(blacklist_characters="\r\n"), max_size=30)),
                max_size=12),
       st.integers(0, 12))
@settings(max_examples=300 * EFFORT)
def test_a_country_on_a_line_of_its_own_is_always_read(others, at):
    text = "\n".join([*others[:at], 'country = "FR"', *others[at:]])
    country = read(text.encode(errors="replace")).settings.box.country
    assert country == "FR" or "country" in text.replace('country = "FR"', "", 1) or (
        country and any(sign in text for sign in ("pays", "pais", "contr")))


@pytest.mark.parametrize(("line", "place", "meant"), [
    ('[archive]\nkeep_days = "1 an"', "archive.keep_days", 365),
    ("[archive]\nkeep_days = 12 mois", "archive.keep_days", 360),
    ("[archive]\nkeep_days = 30 يوم", "archive.keep_days", 30),
    ("[archive]\nkeep_days = 2 heures", "archive.keep_days", 365),
    ("[mqtt]\nquota = 200k", "mqtt.quota", 20_000), ("[packet]\nbaud = 19 kbit/s", "packet.baud", 9_600),
    ('[packet]\nbaud = "19200 bauds"', "packet.baud", 19_200), ('[node]\ntimezone = "GMT+1"', "node.timezone", "Etc/GMT-1"),
    ('[node]\ntimezone = "UTC−03:00"', "node.timezone", "Etc/GMT+3"), ("[node]\nlanguage = العربيه", "node.language", "ar"),
    ("[node]\nname = ''L'Île''", "node.name", "L'Île"), ("[node]\nname = ``Chez nous''", "node.name", "Chez nous"),
    ("[node]\nposition = N48.8752 E2.3931", "node.position", (48.8752, 2.3931)),
    ("[node]\nposition = S33.45 W70.66", "node.position", (-33.45, -70.66)),
    ("[node]\nposition = geo:48.8752,–2.3931", "node.position", (48.8752, -2.3931)),
    ("[node]\nposition = lat 48.8752 lon 2.3931", "node.position", (48.8752, 2.3931)),
    ("[lan]\ndiscover = désactivé", "lan.discover", False), ("[packet]\npublic = صحيح", "packet.public", True),
    ("[portal]\nposting = مفتوح", "portal.posting", "open"), ("[portal]\nposting = modérée", "portal.posting", "moderated"),
    ("[box]\nethernet = éteint", "box.ethernet", "off"), ("[box]\nethernet = hôte", "box.ethernet", "host"),
    ("[box]\nethernet = non", "box.ethernet", "off"), ("[box]\ncountry = EE.UU.", "box.country", "US"),
    ("[wifi]\npays = FR\nmot de passe = arrosoir-42", "box.wifi_password", "arrosoir-42"),
    ("[box]\nclé wifi = arrosoir-42", "box.wifi_password", "arrosoir-42"),
    ("mot de passe du Wi-Fi : arrosoir-42", "box.wifi_password", "arrosoir-42"),
    ("contraseña_wifi = arrosoir-42", "box.wifi_password", "arrosoir-42"),
    ("wpa_passphrase=arrosoir-42", "box.wifi_password", "arrosoir-42"),
    ("كلمة مرور الواي فاي = arrosoir-42", "box.wifi_password", "arrosoir-42"),
    ("[keeper]\nname = Samira\npassword = colza brouette nuage", "box.keeper", "Samira"),
    ("[keeper]\nname = Samira\npassword = colza brouette nuage", "node.name", "Archipel"),
    ("[wifi]\nname = Fontaine", "portal.wifi", "Fontaine"),
    ('[node]\nname = "Caf+AOk-"', "node.name", "Café"), ('[node]\nname =3D "Caf=C3=A9"', "node.name", "Café"),
    ('[node]\nname = "CafÃ© des FÃªtes Ø§"', "node.name", "Café des Fêtes ا"),
    ('[box]\\ncountry = "FR"\\nchannel = 11\\n', "box.channel", 11),
    ('{"box": {"country": "FR"}}', "box.country", "FR"),
    ('{"node": {"name": "Ici"},\n "box": {"channel": 11}}', "box.channel", 11),
    ('[box]\ncountry =3D "FR"', "box.country", "FR"), ("[box]\ncountry +AD0- +ACI-FR+ACI-", "box.country", "FR"),
    ("[box]\ncountry to be set, see below", "box.country", ""), ("name is what people see", "node.name", "Archipel"),
    ("[box]\ncountry = SUI", "box.country", "CH"), ("[box]\ncountry = République tchèque", "box.country", "CZ"),
    ("[box]\ncountry = EE", "box.country", "EE"), ("[box]\ncode pays = FR", "box.country", "FR"),
    ("[box]\nالبلد = فرنسا", "box.country", "FR"), ("wifi.country = FR", "box.country", "FR"),
    ('[box]country = "FR"channel = 11ethernet = "host"', "box.ethernet", "host"),
    ("[box]\ncountry&nbsp;=&nbsp;&quot;FR&quot;", "box.country", "FR"),
    ("[node]\nname = &quot;Ici&quot;", "node.name", "Ici"),
    ('[node]\nname = "&quot;"', "node.name", "&quot;"),
    ("[mqtt]\nbroker = <mqtts://broker.example:8883>", "mqtt.broker", "mqtts://broker.example:8883")])
def test_it_is_read_as_a_neighbour_would(line, place, meant):
    section, key = place.split(".")
    assert getattr(getattr(read(line.encode()).settings, section), key) == meant


def test_a_key_of_two_words_is_not_cut_in_two():
    written = b'[box]\nkeeper = Samira\nkeeper password = "trois poules dansent la nuit"\n'
    assert read(written).settings.box.keeper_password == "trois poules dansent la nuit" and not passed_over(written)


@pytest.mark.parametrize("password", ["Samira du quai 1", "Chorale du canal"])
def test_a_keepers_password_that_is_little_more_than_the_keepers_or_the_islands_name_is_none(password):
    written = '[node]\nname = "Chorale du canal"\n[box]\nkeeper = "Samira du quai"\nkeeper_password = "%s"\n'
    reading = read((written % password).encode())
    assert reading.settings.box.keeper_password == "" and ("box", "keeper_password") in reading.passed_over
    assert read((written % "trois poules dansent").encode()).settings.box.keeper_password
