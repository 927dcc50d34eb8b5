"""Reads `archipel.toml`: every setting that can be meant is as meant, the others keep their defaults, and each is told.

The box and the command line read by the same rules. Nothing that a file holds raises.
"""

import dataclasses
import difflib
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from node.daemon.countries import highest_channel
from node.daemon.settings import SECRET_KEYS, SECTIONS, BoxSettings, NodeSettings, Settings
from node.daemon.settings_bytes import LINE_END, MAX_BYTES, text_of
from node.daemon.settings_checks import unquoted
from node.daemon.settings_spoken import spoken
from node.daemon.settings_text import Statement, outlined, tidy, word
from node.i18n.sentence import N_, Explained, Sentence, Value, sentence
from node.model.passphrase import passphrase_fault

MAX_TRIES = 10  # of the values of one key that stands many times: the last ones
MAX_GUESSES = 30  # misspelt words are compared with all that are known: after so many, no more
MAX_PROBLEMS = 200  # beyond, the file is something else
MAX_RANGES = 30
MAX_SPOKEN = 30  # lines that are no statement, and looked at once more
MAX_UNKNOWN = 20  # keys that are told one by one; of the others the lines are
MAX_FIRST = 12  # on the first page, which has 14,000 octets for all that it shows
MORE = N_("More like these: %(num)s.")
MAX_SHOWN = 40  # characters of what was written
LIKE = 0.78  # `difflib` ratio of a misspelt word: `contry`, `langauge`
NUMBER = re.compile(r"[+-]?\d[\d_]*(\.\d[\d_]*)?([eE][+-]?\d+)?|0[xob][\da-fA-F_]+")
COORDINATES = re.compile(r"-?\d+(\.\d+)?\s*,\s*-?\d+(\.\d+)?")
TELLING = ("password", "passwort", "passe", "contrasena", "://", "ssh-")  # a value with these is not repeated

KEYS: dict[str, dict[str, dataclasses.Field[Any]]] = {
    section: {part.name: part for part in dataclasses.fields(kind)} for section, kind in SECTIONS.items()}
OWNERS: dict[str, list[str]] = {}  # the sections that have a key
for _section, _keys in KEYS.items():
    for _key in _keys:
        OWNERS.setdefault(_key, []).append(_section)
STAYING = ("password", "key", "user")  # could mean another one elsewhere
# what keys are called by who does not read the file's English
WORDS = {"pays": "country", "pais": "country", "country_code": "country", "الدولة": "country", "بلد": "country",
         "nom": "name", "nombre": "name", "الاسم": "name", "langue": "language", "idioma": "language", "اللغة": "language",
         "البلد": "country", "land": "country", "countrycode": "country", "regdomain": "country", "canal": "channel",
         "القناة": "channel", "gardien": "keeper", "gardienne": "keeper", "ssid": "wifi"}
COUNTRY_WORDS = {"country", *(called for called, key in WORDS.items() if key == "country")}
NAME_WORDS = {"name", "nom", "nombre", "الاسم"}
# sections of [box] that somebody could expect, and what they are about
SECTION_WORDS = {"wifi": "wifi", "wi_fi": "wifi", "hotspot": "wifi", "keeper": "keeper", "gardien": "keeper",
                 "gardienne": "keeper"}
# a key with one of these asks for a secret; with one of the others too, it tells which
SECRET_WORDS = {"password", "passwort", "passe", "mdp", "pass", "pwd", "passphrase", "psk", "wpa", "wpa2", "kennwort",
                "contrasena", "clave", "cle", "key", "السر", "مرور", "wifipassword"}
WHOSE = {"wifi_password": {"wifi", "wpa", "wpa2", "psk", "reseau", "wlan", "hotspot", "واي", "الواي", "wifipassword"},
         "keeper_password": {"keeper", "gardien", "gardienne", "guardian", "guardiana"}}
KEY_WORDS = {"key", "cle"}  # of a lock, of a list: alone they ask for nothing
OF_OTHERS = WHOSE["keeper_password"] | {"broker", "mqtt", "courtier", "ssh"}

Place = tuple[str, str]


@dataclass(frozen=True)
class Notice:
    """What is told to the keeper. `harmless`: it was read as meant, and nothing was passed over."""

    sentence: Sentence
    harmless: bool = False

    def line(self) -> str:
        """It as `portal.notices` holds it: JSON."""
        told = self.sentence.to_json() | ({"harmless": True} if self.harmless else {})
        return json.dumps(told, ensure_ascii=False)

    @classmethod
    def of(cls, line: str) -> "Notice":
        """From such a line; one that is none is said as it stands."""
        try:
            told = json.loads(line)
            return cls(Sentence.of(told), told.get("harmless") is True)
        except (ValueError, RecursionError):
            return cls(Sentence(line))


def notices_in(path: str) -> list[str]:
    """The lines of the file in which this machine tells what is to be said on the first page; none if it cannot be read."""
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").splitlines() if path else []
    except OSError:
        return []


def first_of(lines: Sequence[str]) -> tuple[str, ...]:
    """As many notices as a page holds, what was passed over first, and how many more there are."""
    ordered = sorted(lines, key=lambda line: '"harmless": true' in line)
    more = len(ordered) - MAX_FIRST
    return tuple(ordered) if more <= 0 else (*ordered[:MAX_FIRST], Notice(Sentence(MORE, {"num": more})).line())


@dataclass(frozen=True)
class SettingsReading:
    """What a file says, by the name it has. `given`: the (section, key) that it sets, `lines` where; `passed_over`: those
    that it wanted to."""

    settings: Settings = field(default_factory=Settings)
    notices: tuple[Notice, ...] = ()
    given: frozenset[Place] = frozenset()
    passed_over: frozenset[Place] = frozenset()
    lines: Mapping[Place, int] = field(default_factory=dict)
    name: str = ""


class UnreadableSettings(Explained):
    """The file itself cannot be opened."""


def load(path: Path | None) -> SettingsReading:
    """What a file says, the defaults for None; raises UnreadableSettings."""
    if path is None:
        return SettingsReading()
    try:
        with path.open("rb") as file:
            return read(file.read(MAX_BYTES + 1), path.name)
    except OSError as error:
        raise UnreadableSettings(sentence("%(file)s: cannot be read (%(error)s). Check the path and its permissions.",
                                          file=str(path), error=error.strerror or "")) from error


def read(content: bytes, name: str = "archipel.toml") -> SettingsReading:
    """What the octets of a file say; `name` is what its keeper calls it."""
    return _SettingsReader(content, name).reading


class _SettingsReader:
    def __init__(self, content: bytes, name: str):
        self._name = name
        self._told: dict[int, list[Notice]] = {}  # by line
        self._guesses, self._unknown_keys = MAX_GUESSES, 0
        self._sections: dict[str, str | None] = {}
        self._wanted: dict[Place, list[tuple[Statement, bool]]] = {}  # and whether just that key was written
        self._passed_over: set[Place] = set()
        self._lines: dict[Place, int] = {}  # of the statements that count
        held = text_of(content)
        self._outline = outlined(held.text, KEYS, lambda name: bool(_meant_by(name)))
        self._arrange()
        self._listen(LINE_END.split(held.text))
        settings = self._settings()
        general = list(self._of_the_file(held.guessed, held.damaged, held.cut, held.text))
        self.reading = SettingsReading(settings, tuple(self._notices(general)), frozenset(self._given),
                                       frozenset(self._passed_over - self._given),
                                       {place: self._lines[place] for place in self._given}, self._name)

    # what the whole file is like

    def _of_the_file(self, guessed: str, damaged: bool, cut: bool, text: str) -> Iterator[Notice]:
        if damaged:
            yield Notice(sentence("%(file)s is not plain text, or it was damaged (was it saved when the power went?). What "
                                  "can be read counts. Save it again as plain text, UTF-8.", file=self._name))
        if cut:
            yield Notice(sentence("%(file)s is too long: what stands after line %(line)s was passed over. Keep it under "
                                  "%(size)s kB.", file=self._name, line=len(LINE_END.split(text)) - 1,
                                  size=MAX_BYTES // 1024))
        if guessed:
            yield Notice(sentence("%(file)s was read as %(encoding)s. If letters look wrong, save it again as UTF-8.",
                                  file=self._name, encoding=guessed), harmless=True)

    def _notices(self, general: list[Notice]) -> Iterator[Notice]:
        """Every one once: what was passed over, in the order of the file, then what was only read as meant."""
        outline = self._outline
        told = [notice for line in sorted(self._told) for notice in self._told[line]]
        bad = [notice for notice in [*general, *told] if not notice.harmless]
        if outline.unclear:
            bad.append(Notice(sentence("%(file)s: nothing can be made of what stands on these lines: %(lines)s. Write "
                                       "key = \"value\", or put # in front of a remark.", file=self._name,
                                       lines=ranges(outline.unclear))))
        good = [notice for notice in [*general, *told] if notice.harmless]
        if mended := outline.mended - set(self._told) - set(outline.unclear):
            good.append(Notice(sentence("%(file)s: these lines were read as they are meant: %(lines)s. Right is key = "
                                        "\"value\", under a [section].", file=self._name, lines=ranges(mended)), True))
        yield from bad[:MAX_PROBLEMS]
        if len(bad) > MAX_PROBLEMS:
            yield Notice(Sentence(MORE, {"num": len(bad) - MAX_PROBLEMS}))
        yield from good[:MAX_PROBLEMS]

    def _tell(self, line: int, text: Sentence, harmless: bool = False) -> None:
        self._told.setdefault(line, []).append(Notice(text, harmless))

    def _read_as(self, line: int, written: Value, meant: Value) -> None:
        self._tell(line, sentence("%(file)s, line %(line)s: %(written)s was read as %(meant)s.", file=self._name, line=line,
                                  written=written, meant=meant), harmless=True)

    # which setting is meant

    def _arrange(self) -> None:
        for section, line in self._outline.headers:
            if section not in self._sections:
                self._sections[section] = self._section(section, line)
        for statement in self._outline.statements:
            place = self._place(statement)
            if place is not None:
                exact = self._sections.get(statement.section) == place[0] and word(statement.key) == place[1]
                self._wanted.setdefault(place, []).append((statement, exact))
                if statement.key != place[1] or not statement.plain:
                    self._outline.mended.add(statement.line)

    def _listen(self, lines: Sequence[str]) -> None:
        """Of the lines that are no `key = value`, those that say as much: `country is "FR"`."""
        for line in self._outline.unclear[:MAX_SPOKEN]:
            key, value = spoken(lines[line - 1], _meant_by) or ("", "")
            if not key or len(OWNERS.get(key, ())) != 1 or key in STAYING:
                self._maybe_closed(word(lines[line - 1][:MAX_SHOWN]))
                continue
            statement = Statement("", key, value, line, quoted=True, plain=False)
            place = OWNERS[key][0], key
            if self._checked(place, statement):
                self._wanted.setdefault(place, []).append((statement, False))
                self._outline.unclear.remove(line)
                self._outline.mended.add(line)
            else:
                self._maybe_closed(key)

    def _maybe_closed(self, name: str) -> None:
        """A secret that nobody understands may be the Wi-Fi's: it must not be open then."""
        parts = _parts(name)
        of_wifi = SECRET_WORDS if parts & WHOSE["wifi_password"] else SECRET_WORDS - KEY_WORDS
        if parts & of_wifi and not parts & OF_OTHERS:
            self._passed_over.add(("box", "wifi_password"))

    def _section(self, name: str, line: int) -> str | None:
        """The section that a header means, None if it is none; told once."""
        if name in KEYS:
            return name
        meant = next((part for part in re.split(r"[._]", name) if part in KEYS), None) or self._nearest(name, KEYS)
        meant = "box" if name in SECTION_WORDS else meant
        if meant:
            self._read_as(line, f"[{name}]", f"[{meant}]")
        else:
            self._tell(line, sentence("%(file)s, line %(line)s: [%(section)s] is not a section. Known: %(known)s.",
                                      file=self._name, line=line, section=_cut(name), known=", ".join(KEYS)))
        return meant

    def _place(self, statement: Statement) -> Place | None:
        """The setting that a statement means; one that is none is told."""
        section = self._sections.get(statement.section)
        name = word(statement.key)
        first, _, rest = name.replace(".", "_").partition("_")
        if first in KEYS and rest and name not in OWNERS:  # box.country
            section, name = first, rest
        if name not in OWNERS or statement.section in SECTION_WORDS:
            name = _within(statement.section, name) or _meant_by(name) or name
        if section and name in KEYS[section]:
            return section, name
        meant = name if name in OWNERS else self._nearest(name, KEYS.get(section or "", ())) or self._nearest(name, OWNERS)
        owners = OWNERS.get(meant or "", [])
        if meant and section in owners:
            self._read_as(statement.line, statement.key, f"[{section}] {meant}")
            return str(section), meant
        if meant and len(owners) == 1 and meant not in STAYING:
            self._read_as(statement.line, statement.key, f"[{owners[0]}] {meant}")
            return owners[0], meant
        self._unknown(statement, section, owners)
        return None

    def _unknown(self, statement: Statement, section: str | None, owners: list[str]) -> None:
        key, line = _cut(statement.key), statement.line
        if section in ("box", None):
            self._maybe_closed(word(statement.key))
        self._unknown_keys += 1
        if self._unknown_keys > MAX_UNKNOWN:
            self._outline.unclear.append(line)
        elif owners:
            self._tell(line, sentence("%(file)s, line %(line)s: %(key)s was passed over: it belongs under %(sections)s.",
                                      file=self._name, line=line, key=key,
                                      sections=", ".join(f"[{owner}]" for owner in owners)))
        elif section:
            self._tell(line, sentence("%(file)s, line %(line)s: %(key)s is not a setting. Known here: %(known)s.",
                                      file=self._name, line=line, key=f"[{section}] {key}", known=", ".join(KEYS[section])))
        else:
            self._tell(line, sentence("%(file)s, line %(line)s: %(key)s is not a setting. Check its spelling, or put # in "
                                      "front of it.", file=self._name, line=line, key=key))

    def _nearest(self, name: str, known: Collection[str]) -> str | None:
        """The only known word that is nearly `name`, or has its letters in another order."""
        same = [one for one in known if len(one) == len(name) and sorted(one) == sorted(name)]
        if len(same) == 1:
            return same[0]
        if not 3 <= len(name) <= 2 * MAX_SHOWN or self._guesses <= 0:
            return None
        near = difflib.get_close_matches(name, known, 2, LIKE)
        self._guesses -= not near
        return near[0] if len(near) == 1 else None

    # which value

    def _settings(self) -> Settings:
        values: dict[str, dict[str, Any]] = {section: {} for section in KEYS}
        for (section, key), statements in self._wanted.items():
            found = self._value((section, key), statements)
            if found is not None:
                values[section][key] = found[0]
        self._refuse_guessed(values["box"], values["node"].get("name", NodeSettings().name))
        self._given = {(section, key) for section in values for key in values[section]}
        self._fit_together(values["box"])
        return Settings(**{section: kind(**values[section]) for section, kind in SECTIONS.items()})

    def _refuse_guessed(self, box: dict[str, Any], island: str) -> None:
        """A keeper's password that is little more than the keeper's or the island's name."""
        password, place = box.get("keeper_password", ""), ("box", "keeper_password")
        if password and passphrase_fault(password, box.get("keeper", ""), island):
            del box["keeper_password"]
            self._refuse(place, self._wanted[place][-1][0])
            self._passed_over.add(place)

    def _value(self, place: Place, wanted: list[tuple[Statement, bool]]) -> tuple[Any] | None:
        """The value of a key, None if none can be meant. Of several that can, one that says something counts before an
        empty one, the key itself before a misspelt one, then the last. An empty one is none beside one that will not do."""
        statements = [statement for statement, _ in wanted]
        exact, guessed = ([statement for statement, just in wanted if just is kind][-MAX_TRIES:] for kind in (True, False))
        tried = [*guessed, *exact]
        usable = [(statement, value) for statement in reversed(tried)
                  if (value := self._checked(place, statement)) is not None]
        saying = [one for one in tried if tidy(one.value)]
        if not any(statement in saying for statement, _ in usable) and (saying or not usable):
            tried = saying or tried
            for statement in tried:
                self._refuse(place, statement)
            self._outline.unclear += sorted({one.line for one in statements} - {one.line for one in tried})
            self._passed_over.add(place)
            return None
        statement, value = next(((one, found) for one, found in usable if one in saying), usable[0])
        if any(one.value != statement.value for one in statements):
            self._tell(statement.line, sentence(
                "%(file)s: %(key)s stands on several lines: %(lines)s. Line %(line)s counts; put # in front of the others.",
                file=self._name, key=_named(place), lines=ranges(one.line for one in statements), line=statement.line))
        self._compare(place, statement, value[0])
        self._lines[place] = statement.line
        return value

    def _checked(self, place: Place, statement: Statement) -> tuple[Any] | None:
        """The value in a tuple, None if it will not do."""
        check: Callable[[str], Any] = KEYS[place[0]][place[1]].metadata["check"]
        for written in (tidy(statement.value), unquoted(statement.value)):
            try:
                return (check(written),)
            except Exception:  # noqa: S112 - whatever a check makes of it, the other settings count
                continue
        return None

    def _refuse(self, place: Place, statement: Statement) -> None:
        remedy = KEYS[place[0]][place[1]].metadata["remedy"]
        self._tell(statement.line, sentence(
            "%(file)s, line %(line)s: %(key)s: %(value)s will not do. Write %(remedy)s.", file=self._name,
            line=statement.line, key=_named(place), value=_shown(place, statement.value), remedy=remedy))

    def _compare(self, place: Place, statement: Statement, value: Any) -> None:
        """Tell what was made of a value, if it is not what was written."""
        written = tidy(statement.value)
        if not _as_written(written, value) and isinstance(_shown(place, written), str):
            self._read_as(statement.line, _told(_named(place), _shown(place, statement.value)), _shown(place, _said(value)))
        elif written != statement.value or statement.quoted == isinstance(value, bool | int | float):
            self._outline.mended.add(statement.line)

    def _fit_together(self, box: dict[str, Any]) -> None:
        """What is right by itself, and wrong beside another setting."""
        highest = highest_channel(box.get("country", ""))
        if box.get("channel", 0) > highest:
            line = self._wanted["box", "channel"][-1][0].line
            self._tell(line, sentence("%(file)s, line %(line)s: Wi-Fi channel %(channel)s is not used in %(country)s; "
                                      "channel %(used)s is used instead.", file=self._name, line=line,
                                      channel=box.pop("channel"), country=box["country"], used=BoxSettings().channel))
        for key, other in (("keeper", "keeper_password"), ("keeper_password", "keeper")):
            if box.get(key) and not box.get(other):
                del box[key]
                if ("box", other) in self._passed_over:  # told already
                    continue
                line = self._wanted["box", key][-1][0].line
                self._tell(line, sentence("%(file)s, line %(line)s: %(key)s does nothing without %(other)s. Write both.",
                                          file=self._name, line=line, key=key, other=other))


def ranges(lines: Iterable[int]) -> str:
    """Line numbers as people write them: `3, 7-12`."""
    spans: list[list[int]] = []
    for line in sorted(set(lines)):
        if spans and line == spans[-1][1] + 1:
            spans[-1][1] = line
        else:
            spans.append([line, line])
    told = [str(first) if first == last else f"{first}-{last}" for first, last in spans]
    return ", ".join(told[:MAX_RANGES]) + (f" … {spans[-1][1]}" if len(told) > MAX_RANGES else "")


def _parts(name: str) -> set[str]:
    return set(name.replace("wi_fi", "wifi").replace(".", "_").split("_"))


def _meant_by(name: str) -> str:
    """The key that is called so, in some language or in more words than it takes; "" if none is."""
    if name in OWNERS:
        return name
    if name in WORDS:
        return WORDS[name]
    parts = _parts(name)
    if parts & COUNTRY_WORDS:  # code_pays, wifi.country: the Wi-Fi waits for it
        return "country"
    if not parts & SECRET_WORDS:
        return ""
    whose = [key for key, words in WHOSE.items() if parts & words]
    return whose[0] if len(whose) == 1 else ""


def _within(section: str, name: str) -> str:
    """The key that is meant by one under a section that there is not: `[wifi] password`, `[keeper] name`."""
    whose = SECTION_WORDS.get(section)
    if not whose:
        return ""
    return whose if name in NAME_WORDS else f"{whose}_password" if _parts(name) & SECRET_WORDS else ""


def _named(place: Place) -> str:
    return f"[{place[0]}] {place[1]}"


def _cut(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"


def _told(name: str, value: Value) -> Value:
    return f"{name} = {value}" if isinstance(value, str) else name


def _shown(place: Place, value: str) -> Value:
    """A value for a message that everybody may read."""
    if place[1] in SECRET_KEYS or any(sign in word(value) for sign in TELLING):
        return sentence("the value")
    return f"“{_cut(tidy(value))}”"


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _as_written(written: str, value: Any) -> bool:
    """Whether a value is what stands there, in the form that is right."""
    if isinstance(value, bool):
        return written == str(value).lower()
    if isinstance(value, int | float):
        return bool(NUMBER.fullmatch(written))
    if isinstance(value, tuple) and value and isinstance(value[0], float):
        return bool(COORDINATES.fullmatch(written))
    return value == written if isinstance(value, str) else True
