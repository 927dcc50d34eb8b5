"""Writes text.json: texts and their packed octets, and octets that must be refused, each for one reason."""

import json
import pathlib

from node.model.errors import RemoteFault
from node.textpack import CAPITALS, MODELS, model, pack, unpack
from node.textpack.alphabet import END, ESCAPE
from node.textpack.foresight import Foresight
from node.textpack.model import MAX_DECISIONS
from node.textpack.position import Position
from node.textpack.rangecoder import Encoder

TEXTS = {
    1: ["", "Bonjour", "Assemblée générale samedi 14 mars à 18 h 30, salle des fêtes. Venez nombreuses et nombreux !",
        "Fête de quartier\x1fPlace du Marché\x1fComité des fêtes\x1fRepas partagé, musique. Gratuit 😀\x1fhttps://exemple.org"],
    2: ["Public meeting on Thursday at 7 pm in the library. Bring a chair."],
    3: ["Reunión vecinal el jueves a las 19 h en la biblioteca. Traed una silla."],
    4: ["اجتماع عام يوم الخميس على الساعة السابعة مساءً في المكتبة."],
}
SHOUTED = "RDV DEMAIN 7 H DEVANT LE DÉPÔT. APPORTEZ DU CAFÉ"


def packed(codec, text):
    encoder = Encoder()
    model(codec).code(encoder, model(codec).alphabet.symbols(text))
    return encoder.finish()


def refused(what, codec, octets):
    try:
        unpack(codec, octets)
    except RemoteFault as fault:
        return {"what": what, "codec": codec, "packed": octets.hex(), "reason": fault.reason}
    raise AssertionError(f"accepted: {what}")


def spelt_letter():
    """A letter that has a symbol, spelt out after an escape."""
    french = model(1)
    spells, french.alphabet.spells = french.alphabet.spells, lambda point: True
    encoder = Encoder()
    french.code(encoder, [256 + ord("a"), 0])
    french.alphabet.spells = spells
    return encoder.finish()


def ranked(french, symbols):
    """The candidates for what follows some symbols, in order."""
    position = Position(french.indexes, french.alphabet)
    for symbol in symbols:
        position.add(symbol)
    return list(Foresight(position, french.indexes, french.alphabet).candidates())


def costing(decisions, symbols=()):
    """A text of so many decisions, its end included: the last candidates, but for some that make the sum right."""
    french = model(1)
    for asked, symbol in reversed([*enumerate(ranked(french, symbols), 1)]):
        longer, left = [*symbols, symbol], decisions - asked
        if symbol not in (END, ESCAPE) and left > len(french.alphabet) and (text := costing(left, longer)):
            return text
        if symbol not in (END, ESCAPE) and left == ranked(french, longer).index(END) + 1:
            return "".join(map(french.alphabet.character, longer))
    return ""


def packed_at_any_cost(codec, text):
    model(codec).max_decisions *= 2
    octets = packed(codec, text)
    model(codec).max_decisions = MAX_DECISIONS
    return octets


def vectors():
    hello = packed(1, "Bonjour")
    dearest = costing(MAX_DECISIONS)
    return {
        "models": {codec: frozen.blake2b for codec, frozen in MODELS.items()},
        "good": [{"codec": codec, "text": text, "packed": packed(codec, text).hex()}
                 for codec, texts in TEXTS.items() for text in [*texts, *[dearest] * (codec == 1)]]
        + [{"codec": pack(SHOUTED, 1)[0], "text": SHOUTED, "packed": pack(SHOUTED, 1)[1].hex()}],
        "bad": [
            refused("an unknown codec", 9, hello),
            refused("raw octets that are not UTF-8", 0, b"\xc3"),
            refused("a zero octet at the end", 1, hello + b"\0"),
            refused("an octet after the end", 1, hello + b"\x55"),
            refused("a letter of the alphabet, spelt out", 1, spelt_letter()),
            refused("a capital where small letters stand for capitals", 1 + CAPITALS, hello),
            refused("no letter where small letters stand for capitals", 1 + CAPITALS, packed(1, "18 : 30")),
            refused("zeros, which no text ends with", 1, b"\0"),
            refused("a text of one decision too many", 1, packed_at_any_cost(1, costing(MAX_DECISIONS + 1))),
        ],
    }


if __name__ == "__main__":
    target = pathlib.Path(__file__).parent / "text.json"
    target.write_text(json.dumps(vectors(), indent=1, ensure_ascii=False) + "\n")
