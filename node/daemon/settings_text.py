"""The statements of a settings file. TOML is read as TOML; what is nearly so is read as it is meant, and its line noted.

No I/O. Every line is looked at once, a value that goes over several twice: the work grows with the file, which is bounded.
"""

import html
import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from node.daemon.settings_bytes import LINE_END

MAX_LINE = 4_000  # characters: the longest setting has 2,000
MAX_JOINED = 20  # lines that one value may take

SOFT_END = re.compile("[\x0b\x0c\x85\u2028\u2029]")  # a word processor's line within a line
DOUBLE, SINGLE = '"“”„‟«»″＂〝〞〟', "'‘’‚‛‹›`´′＇"
OPENING, CLOSING = "[［【〔", "]］】〕"
EQUALS, COLONS = "=＝≔", ":：﹕"
BULLETS = "-*•·–—>| \t\xa0\u3000"
SIGNS = re.compile(r"[\s=＝≔:：﹕>]*")  # between a key and its value
DECORATION = re.compile(r"[\W_]*|`{3}\s*\w*")  # a drawn line; the fence around an example
HEADER = re.compile(rf"[{re.escape(OPENING)}]+([^{re.escape(CLOSING + EQUALS)}#＃]*)[{re.escape(CLOSING)}]*(.*)", re.DOTALL)
RIGHT_HEADER = re.compile(r"\[ *[a-z]+ *\]\s*(?:#.*)?")
RIGHT_START = re.compile(r"[a-z_]+[ \t]*=[ \t]*")
RIGHT_LINE = re.compile(r"""[\w.-]+\s*=\s*("([^"\\]|\\.)*"|'[^']*')\s*(#.*)?$""")
KEY = re.compile(r"[\w. -]{1,60}")
BASIC = re.compile(r'"((?:[^"\\]|\\.)*)"\s*(?:#.*)?$')
LITERAL = re.compile(r"'([^']*)'\s*(?:#.*)?$")
BARE = re.compile(r"(true|false|[+-]?\d[\w.+-]*)\s*(?:#.*)?$")
ITEM = re.compile(r'"((?:[^"\\]|\\.)*)"|\'([^\']*)\'|([^,\s"\'][^,]*)')
PAIR = re.compile(r",\s*(?=[\w-]+\s*=|\"[\w-]+\"\s*:)")
ENDS_HERE = re.compile(r"[\s,;.]*(?:[#＃;].*|//.*)?$")
DOUBLED = re.compile(rf"([{SINGLE}])\1(?=[^\s{SINGLE}])|(?<=[^\s{SINGLE}])([{SINGLE}])\2(?=\s*(?:[#＃].*)?$)")
ENTITY = re.compile("&(?:quot|nbsp|apos|laquo|raquo|#39|#34|#160);")  # copied from the source of a web page
REMARK = re.compile(r"(?:^|\s)(?:[#＃]|//|;(?=\s)).*$")
ESCAPE = re.compile(r'\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)', re.DOTALL)
ESCAPED = {'"': '"', "\\": "\\", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
WIDE = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)}
JOINERS = "\u200c\u200d"  # invisible, and part of the word: in Persian, in pictures made of several


@dataclass(frozen=True)
class Statement:
    """`key = value` under a section, each as written but for its marks; `plain`: written as TOML has it.

    `quoted`: the value stood between quotes. `section` is "" before the first header.
    """

    section: str
    key: str
    value: str
    line: int
    quoted: bool
    plain: bool


@dataclass
class Outline:
    """What a file says. `headers`: each section's name and line; `mended`: lines that were not written quite right;
    `unclear`: lines that are no statement.
    """

    statements: list[Statement] = field(default_factory=list)
    headers: list[tuple[str, int]] = field(default_factory=list)
    mended: set[int] = field(default_factory=set)
    unclear: list[int] = field(default_factory=list)


def word(text: str) -> str:
    """A name as it is compared: `Wi-Fi  Mot` and `wi_fi_mot` are one."""
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(sign))
    return re.sub(r"[\s‐‑-]+", "_", plain.strip(" \t\"'[]."))


def tidy(text: str) -> str:
    """A value without what cannot be printed, and without blanks at its ends; any kind of blank is a blank, and the wide
    letters of East Asian keyboards are the plain ones, which phones can type."""
    text = text.translate(WIDE)
    if not text.isprintable():
        text = "".join(sign if sign.isprintable() or sign in JOINERS else " " if sign.isspace() else ""
                       for sign in text)
    return text.strip()


def outlined(text: str, known: Mapping[str, Collection[str]], named: Callable[[str], bool]) -> Outline:
    """The statements of a text; `known`, keys by section, are what is recognised where its marks are missing.

    `named`: whether a key is called so, in some language.
    """
    return _Outliner(LINE_END.split(text), known, named).outline


class _Outliner:
    def __init__(self, lines: list[str], known: Mapping[str, Collection[str]], named: Callable[[str], bool]):
        self.outline, self._named = Outline(), named
        self._lines, self._sections, self._section = lines, set(known), ""
        self._keys = {key for keys in known.values() for key in keys}
        keys, sections = "|".join(self._keys), "|".join(known)
        self._begins = re.compile(rf"(?<![^\W\d])(?<![.-])(?:(?:{sections})\.)?(?:{keys})\s*[{EQUALS}]|"
                                  rf"\[\s*(?:{sections})\s*\]")
        self._next = 0
        while self._next < len(lines):
            self._next += 1
            for part in SOFT_END.split(lines[self._next - 1]):
                for statement in self._apart(part.strip()):
                    self._line(statement)

    def _apart(self, line: str) -> list[str]:
        """The statements of a line whose own ends were lost: `[box] country = "FR", channel = 6`."""
        if len(line) > MAX_LINE or line[:1] in "#＃;" or "{" in line or RIGHT_LINE.match(line):
            return [line]
        if ENTITY.search(line):
            self._mend()
            line = html.unescape(line)
        starts = [0]
        for found in self._begins.finditer(line, 1):
            before = line[:found.start()]
            phrase = line[starts[-1]:found.end()].rstrip(EQUALS + " \t")
            if KEY.fullmatch(phrase) and self._is_key(phrase):  # keeper password =
                continue
            if not REMARK.search(before) and not sum(map(before.count, DOUBLE)) % 2 and before.strip(BULLETS):
                starts.append(found.start())
        if len(starts) > 1:
            self._mend()
        return [line[start:end].strip(" \t,;") for start, end in zip(starts, [*starts[1:], len(line)], strict=True)]

    def _line(self, line: str) -> None:
        if not line or line[0] in "#＃":
            return
        if re.match(r'\{\s*"', line):  # JSON
            line = line[1:].strip()
        if len(line) > MAX_LINE:
            self._unclear()
        elif line.startswith((";", "//")) or DECORATION.fullmatch(line):
            self._mend()
        elif not self._header(line) and not self._assignment(line):
            self._unclear()

    def _mend(self) -> None:
        self.outline.mended.add(self._next)

    def _unclear(self) -> None:
        if self.outline.unclear[-1:] != [self._next]:
            self.outline.unclear.append(self._next)

    # sections

    def _header(self, line: str) -> bool:
        if line[0] not in OPENING:
            return self._bare_header(line)
        found = HEADER.fullmatch(line)
        if not found or not found[1].strip(OPENING + " \t\"'"):
            return False
        if found[2][:1] and found[2][0] in EQUALS:  # [country = "FR"]
            self._mend()
            return self._assignment(line.strip(OPENING + CLOSING))
        self._begin(found[1])
        if not RIGHT_HEADER.fullmatch(line):
            self._mend()
        rest = found[2].strip()
        if rest and not ENDS_HERE.match(rest) and not self._assignment(rest):  # [wifi] country = "FR"
            self._unclear()
        return True

    def _bare_header(self, line: str) -> bool:
        """`node]`, `Node:`, `"node": {` or `node`: a section's name, and nothing else in the line."""
        name = line.rstrip(CLOSING + COLONS + "){} \t").lstrip("({<" + BULLETS)
        if len(name) > 20 or word(name) not in self._sections:
            return False
        self._begin(name)
        self._mend()
        return True

    def _begin(self, name: str) -> None:
        self._section = word(name)[:60]
        self.outline.headers.append((self._section, self._next))

    # settings

    def _assignment(self, line: str, inside: bool = False) -> bool:
        key, value = self._split(line)
        named = unicodedata.normalize("NFKC", key).strip(BULLETS + DOUBLE + SINGLE + COLONS)
        if not KEY.fullmatch(named) or not re.search(r"[^\W\d_]", named):
            return False
        if not inside and value[:1] == "{" and word(named) in self._sections:
            return self._table(word(named), value)
        number, right = self._next, bool(RIGHT_START.fullmatch(line.removesuffix(value)))
        text, quoted, plain = self._value(value)
        self.outline.statements.append(Statement(self._section, named, text, number, quoted, plain and right))
        return True

    def _split(self, line: str) -> tuple[str, str]:
        """Key and value; the key is "" if there is none."""
        equal = _first(line, EQUALS)
        colon = _first(line, COLONS)
        if colon < min(equal, len(line)):
            value = _after(line, colon)
            if self._is_key(line[:colon]) or (value[:1] == "{" and word(line[:colon]) in self._sections):
                return line[:colon], value
        if equal < len(line):
            return line[:equal], _after(line, equal)
        parts = re.split(r"\s+(?:->|→)?\s*", line, maxsplit=1)
        if len(parts) == 2 and self._is_key(parts[0]) and (parts[1][:1] in DOUBLE + SINGLE or " " not in parts[1].strip()):
            return parts[0], parts[1]
        return "", line

    def _is_key(self, text: str) -> bool:
        name = word(text.strip(BULLETS + DOUBLE + SINGLE)) if len(text) <= 80 else ""
        return name.rpartition(".")[2] in self._keys or self._named(name)

    def _table(self, section: str, value: str) -> bool:
        """`box = { country = "FR", channel = 6 }`."""
        before = self._section
        self._begin(section)
        inner = value.strip().removeprefix("{")
        for pair in PAIR.split(inner[:inner.rfind("}")].rstrip("} \t") if "}" in inner else inner):
            if pair.strip() and not self._assignment(pair.strip(), inside=True):
                self._unclear()
        self._section = before
        self._mend()
        return True

    def _value(self, text: str) -> tuple[str, bool, bool]:
        """(value, whether it was quoted, whether all is as TOML has it)."""
        if not text and self._next < len(self._lines) and BASIC.match(following := self._lines[self._next].strip()):
            self._next += 1  # key =, and "value" on the next line
            return *_loose(following), False
        for mark in ('"""', "'''"):
            if text.startswith(mark):
                return self._long_text(text[3:], mark)
        if text[:1] == "[":
            return self._array(text[1:])
        if found := BASIC.match(text):
            return _unescaped(found[1]), True, all(code in ESCAPED or len(code) > 1 for code in ESCAPE.findall(found[1]))
        if (found := LITERAL.match(text)) and not DOUBLED.match(text):
            return found[1], True, True
        if found := BARE.match(text):
            return found[1], False, True
        return *_loose(text), False

    def _long_text(self, text: str, mark: str) -> tuple[str, bool, bool]:
        whole = self._joined(text, mark)
        if whole is None:
            return *_loose('"' + text), False
        inside = whole.partition(mark)[0]
        return (_unescaped(inside) if mark[0] == '"' else inside), True, True

    def _array(self, text: str) -> tuple[str, bool, bool]:
        """Several values are one text, parted by commas."""
        whole = self._joined(text, "]")
        inside = (text if whole is None else whole).rpartition("]")[0] or text
        if '"' in inside or "'" in inside:
            parts = [_unescaped(basic) or literal or bare.strip() for basic, literal, bare in ITEM.findall(inside)]
        else:
            parts = [_loose(part.strip())[0] for part in inside.split(",")]
        return ", ".join(part for part in parts if part), True, False

    def _joined(self, text: str, mark: str) -> str | None:
        """`text` and the lines after it up to one that holds `mark`; those lines are then done. None if none comes soon."""
        if mark in text:
            return text
        taken = [text]
        for line in self._lines[self._next:self._next + MAX_JOINED]:
            taken.append(line)
            begins = self._is_key(line[:_first(line, EQUALS)]) or RIGHT_HEADER.fullmatch(line.strip())
            if begins or sum(map(len, taken)) > MAX_LINE:
                return None
            if mark in line:
                self._next += len(taken) - 1
                return "\n".join(taken)
        return None


def _first(line: str, signs: str) -> int:
    """Where the first of some signs stands; after the end if none does."""
    return min((at for sign in signs if (at := line.find(sign)) >= 0), default=len(line))


def _after(line: str, at: int) -> str:
    """What follows the signs that begin there."""
    found = SIGNS.match(line, at)
    return line[found.end() if found else at:]


def _unescaped(text: str) -> str:
    return ESCAPE.sub(_escaped, text) if "\\" in text else text


def _escaped(found: re.Match[str]) -> str:
    code = found[1]
    if len(code) == 1:
        return ESCAPED.get(code, found[0])
    number = int(code[1:], 16)
    return chr(number) if number < 0x110000 and not 0xD800 <= number < 0xE000 else found[0]


def _loose(text: str) -> tuple[str, bool]:
    """(what is meant by a value whose quotes are missing, bent, or not a pair; whether some were there)."""
    text = text.strip()
    if DOUBLED.match(text):  # ''a'' and ``a''
        text = DOUBLED.sub('"', text)
    quotes = DOUBLE if text[:1] in DOUBLE else SINGLE
    if not text or text[0] not in quotes:
        bare = REMARK.sub("", text).rstrip(" \t\xa0,;")
        return bare.rstrip(DOUBLE).rstrip(), False
    inside = text[1:]
    ends = [at for at, sign in enumerate(inside)
            if sign in quotes and not (quotes is SINGLE and inside[at + 1:at + 2].isalnum())]  # an apostrophe
    end = next((at for at in ends if ENDS_HERE.match(inside, at + 1)), ends[-1] if ends else -1)
    if end < 0:
        cut = REMARK.sub("", inside).rstrip(" \t\xa0,;")
        return cut.rstrip(DOUBLE + SINGLE).rstrip() if cut[-1:] in DOUBLE + SINGLE else cut, True
    meant = inside[:end].strip()
    doubled = meant[:1] in quotes and sum(sign in quotes for sign in meant) % 2  # ""Samira"
    return meant[doubled:] if meant else meant, True
