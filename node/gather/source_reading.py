"""What a source gave, whatever it is: told apart by what is in it, as its server's word for it is often wrong."""

import re

from node.gather.source_feeds import json_feed, rss_or_atom
from node.gather.source_pages import h_events
from node.gather.told import ToldSource
from node.model.errors import RemoteFault

MAX_SOURCE_BYTES = 2_000_000
ENCODINGS = {"utf-8", "utf8", "iso-8859-1", "latin1", "latin-1", "iso-8859-15", "windows-1252", "cp1252", "us-ascii"}


def told_in(content: bytes, address: str) -> ToldSource | None:
    """What a feed or page at an address tells, None for an iCalendar file, which is read elsewhere; raises RemoteFault:
    `source-size`, or `source-mark` for what is none of them."""
    if len(content) > MAX_SOURCE_BYTES:
        raise RemoteFault("source-size")
    text = decoded(content)
    begin = text[:4_000].lstrip("\ufeff \t\r\n")
    if "BEGIN:VCALENDAR" in begin.upper():
        return None
    if begin.startswith("{"):
        return json_feed(text, address)
    if is_cap(begin):
        return ToldSource()
    if re.search(r"<(rss|feed|rdf:RDF)[\s>]", begin):
        return rss_or_atom(text, address)
    if re.search(r"<(!doctype html|html|head|body|div|main)\b", begin, re.I):
        return h_events(text, address)
    raise RemoteFault("source-mark")


def is_cap(text: str) -> bool:
    """Whether it looks like alerts, which `node.gather.cap_alerts` reads."""
    return "urn:oasis:names:tc:emergency:cap:" in text and not re.search(r"<(rss|feed|rdf:RDF)[\s>]", text)


def decoded(content: bytes) -> str:
    """The text in some bytes: by their mark, by what they declare themselves to be if that is plain, else UTF-8."""
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", "replace")
    declared = re.search(rb"""(?:encoding|charset)\s*=\s*["']?([\w.-]{1,20})""", content[:1_000])
    named = declared[1].decode("ascii").lower() if declared else "utf-8"
    text = content.decode(named if named in ENCODINGS else "utf-8", "replace")
    return text.removeprefix("\ufeff").replace("\0", "")
