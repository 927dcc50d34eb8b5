"""What a line of a journal says: {table: {document id: document, or null for a deleted one}}, in JSON.

A document's `raw` is bytes, not JSON: their number is written in its place, and after the JSON come a tab and the bytes of
every document, in order. In base64 they would be a third longer.
"""

import json
from collections.abc import Mapping
from typing import Any

Document = dict[str, Any]
Tables = dict[str, dict[str, Document | None]]
RAW = "raw"
UNFIT = (ValueError, TypeError, LookupError, AttributeError, RecursionError)  # what reading a strange payload raises

_ENCODER = json.JSONEncoder(separators=(",", ":"))  # ASCII only, and no tab: JSON escapes it
_DECODER = json.JSONDecoder()


def payload_of(tables: Mapping[str, Mapping[str, Document | None]]) -> bytes:
    """One payload; raises TypeError for what is not JSON, or a `raw` that is not bytes."""
    raws: list[bytes] = []
    plain = {name: {id_: _without_raw(document, raws) for id_, document in documents.items()}
             for name, documents in tables.items()}
    head = _ENCODER.encode(plain).encode()
    return b"%s\t%s" % (head, b"".join(raws)) if raws else head


def tables_of(payload: bytes) -> Tables:
    """The inverse; raises one of UNFIT when it is no payload."""
    head, _, raws = payload.partition(b"\t")
    text = str(head, "ascii")
    tables: Tables
    tables, end = _DECODER.raw_decode(text)
    at = 0
    for documents in tables.values():
        for document in documents.values():
            if document is not None and RAW in document:
                size = document[RAW]
                document[RAW] = raws[at:at + size]
                at += size
    if end != len(text) or at != len(raws):
        raise ValueError("more than there should be, or less")
    return tables


def _without_raw(document: Document | None, raws: list[bytes]) -> Document | None:
    if document is None or RAW not in document:
        return document
    raw = document[RAW]
    if not isinstance(raw, bytes):
        raise TypeError(f"{RAW} must be bytes")
    raws.append(raw)
    return document | {RAW: len(raw)}
