"""Text coding: `pack` makes a text small, `unpack` gives it back. Codec 0 is raw UTF-8; others are frozen models."""

from node.errors import RemoteFault

RAW = 0
MAX_TEXT_BYTES = 1672  # what fits a record: 1752 - 16 header - 64 signature, uncompressed


def pack(text: str, language: int = 0) -> tuple[int, bytes]:
    """(codec, bytes): the smallest coding of `text`; `language` (records' numbers) says which model to try first."""
    return RAW, text.encode()


def unpack(codec: int, packed: bytes) -> str:
    """The text; raises RemoteFault for bytes that no `pack` made. Time and memory are bounded."""
    if codec != RAW:
        raise RemoteFault("text-codec")
    try:
        return packed.decode()
    except UnicodeDecodeError:
        raise RemoteFault("text-utf8") from None
