"""Texts cut so that each part fits a text message: at ends of words where there are any, by octets, never inside a letter.

A letter here is what people see as one: with its accents, an emoji with its skin and its family, a flag of two signs.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence

JOINER = "\u200d"
MAX_PARTS = 20  # of one answer: 4 kB, more than the longest record says with its replies
MAX_CLUSTER_BYTES = 64  # of one letter; what piles up more marks than any script or emoji does is cut like anything else
MORE_SIGN = " +"  # what to send for the next part: it is never sent unasked
_WORD = re.compile(r"\s*\S+")


def clusters(text: str) -> Iterator[str]:
    """The letters of a text as people see them: what is never cut in two."""
    cluster = ""
    for sign in text:
        if cluster and (not _continues(cluster, sign) or len((cluster + sign).encode()) > MAX_CLUSTER_BYTES):
            yield cluster
            cluster = ""
        cluster += sign
    if cluster:
        yield cluster


def light(text: str) -> str:
    """With the plain signs that every small screen has, at one octet instead of three: quotes, dashes, fixed blanks."""
    return _QUOTE_ENDS.sub('"', text).translate(_LIGHT)


_QUOTE_ENDS = re.compile(r"«\s*|\s*»")
_LIGHT = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...",
                        "\u00a0": " ", "\u202f": " ", "\u2011": "-"})


def shortened(text: str, most_bytes: int) -> str:
    """The beginning of a text in so many octets: to the end of a word, if that leaves half of it."""
    if len(text.encode()) <= most_bytes:
        return text
    head = _head(text, most_bytes)
    whole = head if text[len(head):len(head) + 1].isspace() else head.rpartition(" ")[0]
    return (whole if 2 * len(whole.encode()) >= most_bytes else head).rstrip()


def parts_of(text: str, most_bytes: int) -> list[str]:
    """A text in as few parts as it takes, each with its number if there are several; MAX_PARTS at most."""
    if len(text.encode()) <= most_bytes:
        return [text]
    parts = _cut(text, most_bytes - len(number_of(1, 9)))
    if len(parts) > 9:
        parts = _cut(text, most_bytes - len(number_of(MAX_PARTS - 1, MAX_PARTS)))[:MAX_PARTS]
    return [part + number_of(number, len(parts)) for number, part in enumerate(parts, 1)]


def pages_of(lines: Sequence[str], most_bytes: int) -> list[str]:
    """Whole lines in as few pages as it takes, each with its number if there are several; MAX_PARTS at most.

    No line may be longer than a page.
    """
    if len("\n".join(lines).encode()) <= most_bytes:
        return ["\n".join(lines)]
    pages, room = [""], most_bytes - len(number_of(MAX_PARTS - 1, MAX_PARTS))
    for line in lines:
        longer = f"{pages[-1]}\n{line}" if pages[-1] else line
        if len(longer.encode()) <= room:
            pages[-1] = longer
        else:
            pages.append(line)
    pages = pages[:MAX_PARTS]
    return [page + number_of(number, len(pages)).replace(" ", "\n", 1) for number, page in enumerate(pages, 1)]


def number_of(number: int, of: int) -> str:
    """What a part ends with: which one it is, and how to have the next."""
    return f" ({number}/{of}){MORE_SIGN if number < of else ''}"


def _cut(text: str, most_bytes: int) -> list[str]:
    parts, part = [], ""
    for word in _WORD.findall(text.rstrip()):  # blanks before nothing would be looked at from each of them on
        if len((part + word).encode()) <= most_bytes:
            part += word
            continue
        parts += [part] if part else []
        part = word.lstrip()
        while len(part.encode()) > most_bytes:
            head = _head(part, most_bytes) or _signs(part, most_bytes)
            parts.append(head)
            part = part[len(head):]
    return [*parts, part] if part else parts


def _head(text: str, most_bytes: int) -> str:
    """As many whole letters as fit."""
    head, size = [], 0
    for cluster in clusters(text):
        size += len(cluster.encode())
        if size > most_bytes:
            break
        head.append(cluster)
    return "".join(head)


def _signs(text: str, most_bytes: int) -> str:
    """As many signs as fit, one at least: of a letter that is larger than a part."""
    end = 1
    while len(text[:end + 1].encode()) <= most_bytes:
        end += 1
    return text[:end]


def _continues(cluster: str, sign: str) -> bool:
    """Whether a sign belongs to the letter before it."""
    code, last = ord(sign), cluster[-1]
    if last.isspace():
        return False
    if unicodedata.category(sign) in ("Mn", "Me", "Mc") or sign == JOINER or 0x1F3FB <= code <= 0x1F3FF:
        return True
    if 0xE0020 <= code <= 0xE007F:  # tags: the flags of regions
        return True
    if last == JOINER:
        return unicodedata.category(sign)[0] == "S"  # an emoji joined to another; between letters a joiner may end a word
    return _is_regional(sign) and _is_regional(last) and sum(map(_is_regional, cluster)) % 2 == 1


def _is_regional(sign: str) -> bool:
    """Whether it is half of a flag."""
    return 0x1F1E6 <= ord(sign) <= 0x1F1FF
