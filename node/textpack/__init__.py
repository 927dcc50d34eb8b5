"""Text coding: `pack` makes a text small, `unpack` gives it back. Codec 0 is raw UTF-8; others are frozen models."""

from functools import cache
from importlib.resources import files

from node.errors import LocalMisuse, RemoteFault
from node.textpack import modelfile
from node.textpack.model import MAX_CHARACTERS, Model
from node.textpack.rangecoder import Decoder, Encoder

RAW = 0
MAX_TEXT_BYTES = 1672  # what fits a record: 1752 - 16 header - 64 signature, uncompressed
MODELS = {1: "fr.model"}  # codec -> file; a codec's number is its language's
POOR = 2  # bytes of raw text per byte packed, below which another language's model is tried


def pack(text: str, language: int = 0) -> tuple[int, bytes]:
    """(codec, bytes): the smallest coding of `text`; `language` (records' numbers) says which model to try first."""
    try:
        best = RAW, text.encode()
    except UnicodeEncodeError as error:
        raise LocalMisuse("a text has no lone surrogates") from error
    if len(text) > MAX_CHARACTERS:
        return best
    raw_bytes = len(best[1])
    for codec in sorted(MODELS, key=lambda codec: codec != language):
        packed = _pack(codec, text)
        if len(packed) < len(best[1]):
            best = codec, packed
        if raw_bytes >= POOR * len(best[1]):
            break
    return best


def unpack(codec: int, packed: bytes) -> str:
    """The text; raises RemoteFault for bytes that no `pack` made. Time and memory are bounded."""
    if codec in MODELS:
        return _unpack(model(codec), packed)
    if codec != RAW:
        raise RemoteFault("text-codec")
    try:
        return packed.decode()
    except UnicodeDecodeError:
        raise RemoteFault("text-utf8") from None


@cache
def model(codec: int) -> Model:
    """The model of a codec, read when first needed."""
    return modelfile.load((files("node.textpack") / "models" / MODELS[codec]).read_bytes())


def _pack(codec: int, text: str) -> bytes:
    encoder = Encoder()
    model(codec).code(encoder, model(codec).alphabet.symbols(text))
    return encoder.finish()


def _unpack(model: Model, packed: bytes) -> str:
    decoder = Decoder(packed)
    symbols = model.code(decoder)
    decoder.finish()
    return "".join(map(model.alphabet.character, symbols[:-1]))
