"""The octets of an iCalendar file cut into lines, properties and components (RFC 5545, 3.1 and 3.6). Nothing raises.

Lines are unfolded as octets before they are decoded, as a fold may lie inside a letter. UTF-8 and UTF-16 are read, with or
without a byte order mark; what is neither was written by a program of the West and its time: windows-1252.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

MARKS = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"), (b"B\0", "utf-16-le"), (b"\0B", "utf-16-be"))
DECLARED = re.compile(rb"^[^:\n]{0,200};CHARSET=\"?([\w-]{1,20})", re.IGNORECASE)
CHARSETS = {b"ISO-8859-1": "cp1252", b"ISO-8859-15": "iso-8859-15", b"WINDOWS-1252": "cp1252", b"WINDOWS-1250": "cp1250"}
LETTERS = re.compile(rb"[\xc3-\xf4][\x80-\xbf]")  # what letters of UTF-8 look like
QUOTED = ("QUOTED-PRINTABLE", "Q")
HEADERS = {"X-WR-CALNAME", "NAME", "METHOD", "X-WR-TIMEZONE"}
READ = {"UID", "DTSTART", "DTEND", "DURATION", "SUMMARY", "DESCRIPTION", "LOCATION", "GEO", "URL", "LINK", "ORGANIZER",
        "CONTACT", "CATEGORIES", "STATUS", "SEQUENCE", "LAST-MODIFIED", "DTSTAMP", "RRULE", "EXRULE", "EXDATE", "RDATE",
        "RECURRENCE-ID", "CLASS", "COMMENT", "X-ARCHIPEL-OFFSET", "X-ARCHIPEL-KEY", "X-ARCHIPEL-VERSION",
        "X-ARCHIPEL-SOURCE", "X-ARCHIPEL-CONFIRMED"}
NO_PARAMS: Mapping[str, str] = {}  # one for all lines that have none
LONGEST_NAME = 40
LONGEST_LETTER = 4  # octets, in UTF-8


class ContentLine(NamedTuple):
    """One property: its name and its parameters' names in capitals, its value as it is written."""

    name: str
    params: Mapping[str, str]
    value: str


@dataclass
class Component:
    """An event or a time zone: the lines of it that are looked at, and the headers of the calendar around it.

    `whole`: it has an end, and all that begins in it ends in it. A time zone keeps all its `lines`.
    """

    kind: str
    headers: dict[str, str]
    lines: list[ContentLine] = field(default_factory=list)
    whole: bool = True

    def all(self, name: str) -> list[ContentLine]:
        """The lines of this name."""
        return [line for line in self.lines if line.name == name]

    def has(self, name: str) -> bool:
        """Whether there is such a line that says something."""
        return any(line.name == name and line.value.strip() for line in self.lines)

    def first(self, name: str) -> ContentLine:
        """The first one, an empty one if there is none."""
        return next((line for line in self.lines if line.name == name), ContentLine(name, NO_PARAMS, ""))

    def text(self, name: str) -> str:
        """What the first one says in words, "" if there is none."""
        return unescaped(self.first(name).value)


def lines_of(content: bytes) -> list[str]:
    """The unfolded lines of a file, in letters."""
    for mark, encoding in MARKS:
        if content.startswith(mark):
            text = content.decode(encoding, "replace").lstrip("\ufeff").replace("\0", "")
            return re.sub("\n[ \t]", "", text.replace("\r\n", "\n").replace("\r", "\n")).split("\n")
    content = content.removeprefix(b"\xef\xbb\xbf").replace(b"\0", b"")
    content = re.sub(rb"\r+\n", b"\n", content).replace(b"\r", b"\n")  # some programs write \r twice
    content = re.sub(rb"\n[ \t]", b"", content)
    try:
        return content.decode().split("\n")
    except UnicodeDecodeError:
        return [_decoded(line) for line in content.split(b"\n")]


def _decoded(line: bytes) -> str:
    """One line of a file that is not all UTF-8: that, what it declares, UTF-8 with a letter cut in half, windows-1252."""
    try:
        return line.decode()
    except UnicodeDecodeError:
        declared = DECLARED.match(line)
        charset = CHARSETS.get(declared[1].upper(), "") if declared else ""
        mended = line.decode("utf-8", "ignore")
        if not charset and LETTERS.search(line) and len(line) - len(mended.encode()) < LONGEST_LETTER:
            return mended
        return line.decode(charset or "cp1252", "ignore")


def components(lines: list[str]) -> Iterator[Component]:
    """The events and time zones of all calendars in these lines, in order, without what is inside them (alarms).

    Of a calendar itself (VCALENDAR) there are the headers, which all its components share; they fill as it is read.
    """
    headers: dict[str, str] = {}
    found: Component | None = None
    inside: list[str] = []
    for line in lines:
        verb, what = _verb(line)
        if found and _closes(found, verb, what):
            found.whole = found.whole and verb == "END" and what == found.kind and not inside
            yield found
            found = None
        elif found:
            _take(found, line, inside)
        if verb == "BEGIN" and what == "VCALENDAR":
            headers = {}
            yield Component(what, headers)
        elif verb == "BEGIN" and found is None:
            found, inside = (Component(what, headers) if what in ("VEVENT", "VTIMEZONE") else None), []
        elif found is None and _name(line) in HEADERS and (read := content_line(line)):
            headers.setdefault(read.name, unescaped(read.value).strip())
    if found:
        found.whole = False
        yield found


def _closes(found: Component, verb: str, what: str) -> bool:
    """Whether a line ends a component, in good order or because another one begins."""
    return what in ({"VEVENT", "VCALENDAR"} if verb == "BEGIN" else {found.kind, "VCALENDAR"} if verb == "END" else ())


def _take(found: Component, line: str, inside: list[str]) -> None:
    """A line that is in a component. `inside`: what has begun in it and not ended."""
    verb, what = _verb(line)
    if found.kind == "VTIMEZONE":
        found.lines += filter(None, [content_line(line)])
    elif verb == "BEGIN":
        inside.append(what)
    elif verb == "END":
        found.whole = found.whole and bool(inside) and inside[-1] == what
        del inside[-1:]
    elif not inside and _name(line) in READ and (read := content_line(line)):
        found.lines.append(read)


def content_line(line: str) -> ContentLine | None:
    """A line as a property; None if it is none."""
    head, mark, value = line.partition(":")
    if '"' in head:
        head, mark, value = _past_quotes(line)
    name, _, params = head.partition(";")
    if not mark or not name:
        return None
    if not params:
        return ContentLine(name.strip().upper(), NO_PARAMS, value)
    pairs = (pair.partition("=") for pair in _pairs(params))
    told = {key.strip().upper(): given.strip().strip('"') for key, _, given in pairs}
    value = _unquoted(value) if told.get("ENCODING", "").upper() in QUOTED else value
    return ContentLine(name.strip().upper(), told, value)


def _unquoted(value: str) -> str:
    """A value of an older format, whose letters stand as numbers (RFC 2045, 6.7)."""
    return _decoded(re.sub(rb"=([0-9A-Fa-f]{2})", lambda found: bytes([int(found[1], 16)]), value.rstrip("=").encode()))


def unescaped(value: str) -> str:
    """A text as it was before it was written into a line (RFC 5545, 3.3.11)."""
    return re.sub(r'\\([,;:"\\nN])', lambda found: "\n" if found[1] in "nN" else found[1], value)


def listed(value: str) -> list[str]:
    """The texts of a value that may hold several."""
    return [unescaped(one) for one in re.split(r"(?<!\\),", value)]


def _past_quotes(line: str) -> tuple[str, str, str]:
    """Its head, a colon, its value, where the first colon outside quotation marks is; the first one if there is none."""
    parts = line.split('"')
    at = 0
    for number, part in enumerate(parts):
        if number % 2 == 0 and ":" in part:
            at += part.index(":")
            return line[:at], ":", line[at + 1:]
        at += len(part) + 1
    return line.partition(":")


def _pairs(params: str) -> list[str]:
    """`a=b` of each parameter; a semicolon inside quotation marks is part of it."""
    return re.findall(r'[^;="]+=(?:"[^"]*"|[^;"]*)', params) if '"' in params else params.split(";")


def _verb(line: str) -> tuple[str, str]:
    """(BEGIN or END, of what), ("", "") for any other line."""
    verb, mark, what = line[:LONGEST_NAME].partition(":")
    verb = verb.strip().upper()
    return (verb, what.strip().upper()) if mark and verb in ("BEGIN", "END") else ("", "")


def _name(line: str) -> str:
    return re.split("[:;]", line[:LONGEST_NAME], maxsplit=1)[0].strip().upper()
