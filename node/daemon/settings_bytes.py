"""What text a settings file holds, whatever editor wrote it: UTF-8, UTF-16, "ANSI", a formatted document. No I/O."""

import codecs
import re
from dataclasses import dataclass

MAX_BYTES = 64 * 1024  # some thirty times the shipped file with all that can be said in it
CONTROLS = re.compile("[\x01-\x08\x0e-\x1f\x7f]")
LINE_END = re.compile(r"\r\n|\n|\r")  # what editors count as lines
MARKS = ((codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be"), (codecs.BOM_UTF8, ""),
         (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
ARABIC_WORD = re.compile(rb"[\xc0-\xff]{3}")  # no three accents follow one another in French or Spanish
HOLE = "\ufffd"
# a letter of which each octet became one, as when UTF-8 is taken for ANSI and saved as UTF-8: Ã© for é
TWICE = re.compile("[\u00c2-\u00f4][\x80-\xbf\u0152-\u2122]")
MAIL_WORD = re.compile(r"\+([A-Za-z0-9+/]{3,})-")  # RFC 2152: UTF-7, which old mail programs write
MAIL_SIGN = re.compile(r"=([0-9A-F]{2})")  # RFC 2045: quoted-printable
PLAIN_SIGN = re.compile(r"=(?![0-9A-F]{2}|[ \t]*\r?\n)")
SECRET = re.compile(r"(?i)pass|key|broker|psk|mdp|cl[ae]|ssh")
WRITTEN_END = re.compile(r"\\r?\\?n(?=\s*(?:$|[\[#]|\w+\s*=))")
WESTERN, ARABIC = "cp1252", "cp1256"  # what Windows calls ANSI
RICH = "{\\rtf"
RICH_TOKEN = re.compile(
    r"\\'([0-9a-fA-F]{2})|\\u(-?\d{1,5}) ?\??|\\([a-z*]+)-?\d* ?|\\(.)|([{}])|([^\\{}]+)", re.DOTALL)
RICH_HEADS, RICH_ENDS = {"fonttbl", "colortbl", "stylesheet", "info", "*"}, {"par", "line"}
# they show nothing; editors, phones and web pages leave them behind
UNSEEN = dict.fromkeys([0, 0xAD, 0x61C, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF,
                        ord(HOLE)])


@dataclass(frozen=True)
class FileText:
    """`text` without what cannot be seen; `guessed` is the encoding if nothing in the file says it, else "".

    `damaged`: it is no plain text, or holds what no editor writes there. `cut`: only its first MAX_BYTES were looked at.
    """

    text: str
    guessed: str = ""
    damaged: bool = False
    cut: bool = False


def text_of(content: bytes) -> FileText:
    """The text of a file; whatever its octets are, there is some."""
    cut = len(content) > MAX_BYTES
    text, guessed = _decoded(content[:MAX_BYTES])
    if cut:  # a line of which the end is missing could mean something else
        text = text[:max(text.rfind("\n"), text.rfind("\r")) + 1] or text
    damaged = bool(CONTROLS.search(text)) or "\0" in text or HOLE in text or text.startswith(RICH)
    text = (_plain(text) if text.startswith(RICH) else text).translate(UNSEEN)
    for undo, encoding in ((_once, "UTF-8, Windows-1252"), (_mailed_words, "UTF-7"), (_mailed_signs, "quoted-printable")):
        if (undone := undo(text)) != text:
            text, guessed = undone, guessed or encoding
    if not LINE_END.search(text.strip()):
        text = WRITTEN_END.sub("\n", text)
    return FileText(text, guessed, damaged or bool(content and not text.strip()), cut)


def _decoded(content: bytes) -> tuple[str, str]:
    for mark, encoding in MARKS:
        if content.startswith(mark) and encoding:
            return content[len(mark):].decode(encoding, errors="replace"), ""
    for zero, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        halves = content[zero::2], content[1 - zero::2]
        if len(content) > 1 and halves[0].count(0) * 2 > len(halves[0]) and halves[1].count(0) * 4 < len(halves[1]):
            return content.decode(encoding, errors="replace"), ""
    try:
        return content.decode(), ""
    except UnicodeDecodeError:
        return _by_line(content)


def _by_line(content: bytes) -> tuple[str, str]:
    """Lines that are UTF-8 as they are, without a letter where an octet was lost; the others as Windows would write them:
    somebody added to a file elsewhere."""
    ansi = ARABIC if ARABIC_WORD.search(content) else WESTERN
    lines, guessed = [], ""
    for line in content.splitlines(keepends=True):
        text = line.decode(errors="replace")
        if text.count(HOLE) > sum(sign > "\x7f" for sign in text) // 2:
            text, guessed = line.decode(ansi, errors="replace"), "Windows-" + ansi[2:]
        lines.append(text)
    return "".join(lines), guessed


def _once(text: str) -> str:
    """Without a second coat of UTF-8."""
    if not TWICE.search(text):
        return text
    try:
        return b"".join(sign.encode(WESTERN) if sign.encode(WESTERN, "ignore") else sign.encode("latin-1")
                        for sign in text).decode()
    except UnicodeError:
        return text


def _mailed_words(text: str) -> str:
    """`Caf+AOk-` as `Café`. A password that only looks so stays as it is, unless the file's equals signs are written so."""
    if not text.isascii() or not MAIL_WORD.search(text):
        return text
    whole = "+AD0-" in text
    return "".join(line if not whole and SECRET.search(line) else MAIL_WORD.sub(_mailed_word, line)
                   for line in text.splitlines(keepends=True))


def _mailed_word(found: re.Match[str]) -> str:
    try:
        word = found[0].encode().decode("utf-7")
    except UnicodeError:
        return found[0]
    likely = all(sign in '"=' or "\xa0" <= sign < "\u0250" or "\u0600" <= sign < "\u0700" for sign in word)
    return word if likely else found[0]


def _mailed_signs(text: str) -> str:
    """`name =3D "F=C3=AAte"` as it was before it was mailed."""
    if "=3D" not in text or not text.isascii() or PLAIN_SIGN.search(text):
        return text
    octets = MAIL_SIGN.sub(lambda found: chr(int(found[1], 16)), re.sub(r"=[ \t]*\r?\n", "", text)).encode("latin-1")
    return octets.decode(errors="replace")


def _plain(rich: str) -> str:
    """The words of a formatted document (RTF, which TextEdit writes unless told otherwise)."""
    words, depth, skipped = [], 0, 0  # `skipped`: the depth of a part that holds no words, 0 outside
    for octet, number, command, sign, brace, text in RICH_TOKEN.findall(rich):
        depth += {"{": 1, "}": -1}.get(brace, 0)
        if skipped and depth < skipped:
            skipped = 0
        if command in RICH_HEADS and not skipped:
            skipped = depth
        if not skipped:
            words.append(_rich_text(octet, number, "\n" if command in RICH_ENDS else sign, text))
    return "".join(words)


def _rich_text(octet: str, number: str, sign: str, text: str) -> str:
    if octet:
        return bytes([int(octet, 16)]).decode(WESTERN, errors="replace")
    if number:
        return chr(int(number) % 0x10000)
    return "\n" if sign == "\r" else sign or text.replace("\r", "").replace("\n", "")
