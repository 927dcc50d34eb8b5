"""A packed text, its codec before it: what is read has one packing with that codec, and packs again to the same text."""

from node.textpack import CAPITALS, MODELS, RAW, pack, unpack
from node.textpack.model import MAX_CHARACTERS
from tests.fuzz.kinds import Target
from tests.fuzz.seeding import refusable, vectors

MOST_BYTES = 120  # a long text takes a second: the bounds on its length have tests of their own


def run(octets):
    codec, packed = (octets[0] % 16, octets[1:]) if octets else (0, b"")
    text = refusable(unpack, codec, packed)
    if text is None:
        return
    assert codec == RAW or (len(text) <= MAX_CHARACTERS and (codec in MODELS or codec - CAPITALS in MODELS))
    again = pack(text, codec if codec in MODELS else 0)
    assert unpack(*again) == text
    if codec in MODELS:
        assert len(again[1]) <= len(packed)


def seeds():
    told = vectors("text")
    for one in (*told["good"], *told["bad"]):
        yield bytes([one["codec"]]) + bytes.fromhex(one["packed"])[:MOST_BYTES]
    for text in ("Fête", "SOUPE", "été 🍲", "AG le 5/12 à 18h"):
        for language in (0, 1, 2, 3, 4):
            codec, packed = pack(text, language)
            yield bytes([codec]) + packed


TARGET = Target(
    run, tuple(f"node/textpack/{name}.py" for name in ("__init__", "rangecoder", "model", "alphabet")),
    seeds, MOST_BYTES, share=2, aside={
        "tests/textpack tries what is costly, which takes seconds": ("if asked > most", "if len(done) >"),
        "no string of octets leads there": ("if value >= choices",)}, beside={
    "arithmetic; its end cannot be reached": ("_shortest",),
    "what we write": ("pack", "_smallest", "Encoder.decide", "Encoder.choose",),
})
