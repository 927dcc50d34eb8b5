"""What the world knows better than any island: which records are true, what was promised to whom, what was withdrawn."""

from base64 import b64encode
from dataclasses import dataclass, field

from node.model.record import TARGET_BYTES, decode, record_id
from node.textpack import unpack

LEAST_TRACE = 8  # octets: less may be there by chance


@dataclass
class Promise:
    """A post that was acknowledged. `word` is in all its texts and in no other.

    `island`: where it was posted; `code`: its edit code; `raws`: its versions, by id, those that may be there (the power
    went before the answer) included. `state`: "live", "waiting", "withdrawn", "clearing" (a keeper withdrew it: that can be
    undone for some minutes), "unsure" (nobody got an answer), "lost" (every card that had it was damaged), "outcast"
    (its author was put out).
    """

    root: bytes
    island: str
    word: str
    kind: int
    code: str = field(default="", repr=False)
    raws: dict[bytes, bytes] = field(default_factory=dict, repr=False)
    state: str = "live"
    safe: set[str] = field(default_factory=set)
    ends: int = 0
    hidden: set[str] = field(default_factory=set)  # where keepers have hidden it
    retraction: bytes = b""
    author: bytes = b""
    ends_safe: set[str] = field(default_factory=set)  # where its retraction was seen since the card was last damaged

    def traces(self):
        """What a file holds if it holds this in some way."""
        return [self.word.encode(), *(trace for raw in self.raws.values() for trace in traces_of(raw))]


class Ledger:
    """Everything true that was ever signed, and what was promised."""

    def __init__(self):
        self.raws: dict[bytes, bytes] = {}  # by id, whoever signed it, true ones only
        self.promises: dict[bytes, Promise] = {}
        self.unspoken: set[bytes] = set()  # ids that may never be shown: forged, or by who is not admitted
        self.texts: dict[bytes, str] = {}

    def signed(self, raws):
        """These are true: an island or a member made them."""
        for raw in raws:
            id_ = record_id(raw)
            if id_ not in self.raws:
                self.raws[id_] = bytes(raw)

    def is_true(self, id_):
        return id_ in self.raws

    def promise(self, posted, kind, island, word):
        """A post was acknowledged (`Posted`): remember it."""
        id_ = bytes.fromhex(posted.id)
        raw = self.raws[id_] if id_ in self.raws else island.board.notes.state.waiting[posted.id].raw
        self.signed([raw])
        record = decode(raw)
        one = Promise(id_[:TARGET_BYTES], island.name, word, int(kind), posted.edit_code, {id_: raw},
                      "waiting" if posted.waiting else "live", {island.name}, record.expires, author=record.author)
        self.promises[one.root] = one
        return one

    def text_of(self, id_):
        """The text of a true record, as it was signed."""
        if id_ not in self.texts:
            record = decode(self.raws[id_])
            self.texts[id_] = unpack(record.codec, record.packed)
        return self.texts[id_]

    def card_damaged(self, name):
        """A bit changed on this island's card: nothing is known to be safe there any more."""
        for one in self.promises.values():
            one.safe.discard(name)
            one.ends_safe.discard(name)
            one.hidden.discard(name)
            if one.state in ("live", "waiting", "clearing") and not one.safe:
                one.state = "lost"
            if one.state == "withdrawn" and not one.ends_safe:
                one.state = "unsure"


def traces_of(raw):
    """What a file holds that holds a record, or its text as it was packed."""
    packed = decode(raw).packed
    return [one for one in (packed, b64encode(raw)[:64], raw[:40].hex().encode()) if len(one) >= LEAST_TRACE]
