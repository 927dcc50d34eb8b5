"""The test vectors of docs/protocol.md: what another implementation must accept, and what it must refuse and why."""

import hashlib
import json
import random
import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from node.model.clock import seconds_of
from node.model.errors import RemoteFault
from node.model.event import Event, Exempt, Repetition, Rhythm, Shift, occasions
from node.model.foreign import foreign_key
from node.model.keys import Charter, SigningKey, agreed_key, key_id, verify
from node.model.marks import Marks
from node.model.record import Kind, Record, decode, encode, record_id, sign, signed_part, signing_message
from node.replica.generations import Generation, at_minute
from node.replica.liveset import LiveSet
from node.transfer.invitation import accept, charter_bytes, from_text, invitation_bytes, read_charter, read_invitation

VECTORS = Path(__file__).parents[1] / "vectors"
RECORDS, TRUST, INVITATION, FOUNDERS, LIVE, RENEWAL, FOREIGN = (
    json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))
    for name in ("records", "trust", "invitation", "founders", "live", "renewal", "foreign"))


def charter_of(told):
    founders = [bytes.fromhex(public) for public in told["founders"]]
    return Charter.found(told["name"], founders, bytes.fromhex(told["secret"]))


CHARTER = charter_of(RECORDS["charter"])


def named(vectors):
    return {"argvalues": vectors, "ids": [vector["name"] for vector in vectors]}


@pytest.mark.parametrize("told", [RECORDS, TRUST, INVITATION, FOUNDERS, LIVE, RENEWAL])
def test_keys_and_the_set_are_named_as_written(told):
    assert charter_of(told["charter"]).set_id.hex() == told["charter"]["set_id"]
    for pair in told["keys"].values():
        public = SigningKey(bytes.fromhex(pair["seed"])).public
        assert (public.hex(), key_id(public).hex()) == (pair["public"], pair["key_id"])


@pytest.mark.parametrize("vector", **named(RECORDS["accepted"]))
def test_a_record_reads_as_written(vector):
    raw = bytes.fromhex(vector["hex"])
    record = decode(raw)
    assert encode(record) == raw and record_id(raw).hex() == vector["id"]
    for field in ("created", "expires", "life", "urgent", "by_radio", "language", "topic", "codec"):
        assert getattr(record, field) == vector[field]
    assert [mark.name.lower() for mark in Marks if mark in record.marks] == vector["marks"]
    assert record.kind.name.lower() == vector["kind"] and record.packed.hex() == vector["packed"]
    assert (record.target.hex() if record.target else None) == vector["target"]
    assert (list(record.position) if record.position else None) == vector["position"]
    details = ("event", "vouch", "revocation", "renewal", "turnout", "confirmation")
    for field, value in next((vector[name] for name in details if name in vector), {}).items():
        if field in ("shifts", "repetition", "dates", "foreign"):
            continue  # by the book, below
        found = getattr(record.detail, field)
        if field == "seats":
            found = [{"key": seat.key.hex(), "masked": seat.masked.hex()} for seat in found]
        assert (found.hex() if isinstance(found, bytes) else found) == value


@pytest.mark.parametrize("vector", **named(RECORDS["accepted"]))
def test_its_signature_is_its_authors(vector):
    record = decode(bytes.fromhex(vector["hex"]))
    public = next(bytes.fromhex(pair["public"]) for pair in RECORDS["keys"].values() if pair["key_id"] == vector["author"])
    assert verify(public, record.signature, signing_message(signed_part(record), CHARTER.set_id))


def renewal_by_the_book(body):
    """The rest of the table, for a renewal."""
    seats = [body[at:at + 40] for at in range(51, len(body), 40)]
    return {"since": int.from_bytes(body[:3], "big"), "fingerprint": body[3:19].hex(), "ephemeral": body[19:51].hex(),
            "seats": [{"key": seat[:8].hex(), "masked": seat[8:].hex()} for seat in seats]}


def event_by_the_book(take):
    """Start, length, clocks, and what the shape says; its dates are worked out in test_event.py, by another library."""
    start, length = int.from_bytes(take(3), "big"), int.from_bytes(take(2), "big")
    clocks = take(1)[0]
    offset = (clocks & 0x7F) - (0x80 if clocks & 0x40 else 0)
    shape = take(1)[0] if clocks & 0x80 else 0
    others = take(1)[0] if shape & 8 else 0
    shifts = [[(start // 15 + int.from_bytes(take(2), "big")) * 15, int.from_bytes(take(1), "big", signed=True)]
              for _ in range(shape & 3)]
    rule = None
    if shape & 0x40:
        first = take(1)[0]
        weekdays = take(1)[0] if first >> 4 == 5 else 0
        rule = {"rhythm": first >> 4, "every": first & 15, "count": take(1)[0], "weekdays": weekdays, "exempt": []}
        for _ in range(take(1)[0] if shape & 0x20 else 0):
            number = take(1)[0]
            by = int.from_bytes(take(2), "big", signed=True) if number & 0x80 else None
            rule["exempt"].append([number & 0x7F, by])
    foreign = {}
    if shape & 0x10:
        key, told = take(8).hex(), int.from_bytes(take(2), "big")
        foreign = {"foreign": {"key": key, "sequence": told & 0x3FFF, "modified": int.from_bytes(take(3), "big"),
                               "off": bool(told & 0x8000), "tentative": bool(told & 0x4000)}}
    event = Event(start, length, offset, bool(shape & 0x80), tuple(Shift(*one) for one in shifts), rule and Repetition(
        Rhythm(rule["rhythm"]), rule["every"], rule["count"], rule["weekdays"],
        tuple(Exempt(*one) for one in rule["exempt"])))
    dates = [[one.start, one.end, one.offset, one.end_offset, "off" if one.off else "moved" if one.moved else ""]
             for one in occasions(event)]
    marks = [name for name, bit in (("children", 1), ("step_free", 2)) if others & bit] + ["free"] * bool(shape & 4)
    return marks, {"start": start, "length": length, "offset": offset, "whole_days": event.whole_days, "shifts": shifts,
                   "repetition": rule, **foreign, "dates": dates}


def detail_by_the_book(kind, take):
    """Of vouches, revocations, turnouts and confirmations."""
    if kind == "vouch":
        return {"vouch": {"subject": take(32).hex(), "rights": take(1)[0]}}
    if kind == "turnout":
        return {"turnout": {"number": take(1)[0], "level": take(1)[0]}}
    if kind == "confirmation":
        return {"confirmation": {"holds": {0: False, 1: True}[take(1)[0]]}}
    return {"revocation": {"subject": take(8).hex(), "since": int.from_bytes(take(3), "big")}}


def life_by_the_book(kind, life):
    marks = [name for name, bit in (("need", 0x4000), ("offer", 0x8000)) if life & bit]
    return {"life": life & 0x3FFF, "marks": marks} if kind == "bulletin" else {"life": life}


def read_by_the_book(raw):
    """The layout table of docs/protocol.md, 1.2, followed by hand and not by our own reader."""
    at = 0

    def take(size):
        nonlocal at
        at += size
        return raw[at - size:at]

    first, flags, sort = take(1)[0], take(1)[0], take(1)[0]
    kind = ["bulletin", "event", "reply", "retraction", "cancellation", "vouch", "revocation", "renewal",
            "turnout", "confirmation"][first & 15]
    told = {"kind": kind, "urgent": bool(flags & 0x80), "by_radio": bool(flags & 0x10), "codec": flags & 15,
            "language": sort >> 4, "topic": sort & 15,
            "author": take(8).hex(), "created": int.from_bytes(take(3), "big"), "life": 0, "target": None, "position": None,
            "marks": []}
    if kind == "event":
        told["marks"], told["event"] = event_by_the_book(take)
    if kind != "event" or flags & 0x40:
        told |= life_by_the_book(kind, int.from_bytes(take(2), "big"))
    if flags & 0x40 or kind in ("reply", "retraction", "cancellation", "turnout", "confirmation"):
        told["target"] = take(8).hex()
    if flags & 0x20:
        told["position"] = [int.from_bytes(take(3), "big", signed=True) for _ in range(2)]
    if kind in ("vouch", "revocation", "turnout", "confirmation"):
        told |= detail_by_the_book(kind, take)
    if kind == "renewal":
        told["renewal"] = renewal_by_the_book(raw[at:-64])
        at = len(raw) - 64
    told["packed"] = raw[at:-64].hex()
    told["id"] = hashlib.blake2b(raw, digest_size=16, person=b"archipel-record").hexdigest()
    by_life, event = told["created"] + 60 * told["life"], told.get("event")
    told["expires"] = max(by_life, max(end for _start, end, *_clocks in event["dates"]) + 1440) if event else by_life
    return told


@pytest.mark.parametrize("vector", **named(RECORDS["accepted"]))
def test_the_layout_in_the_protocol_is_the_one_we_use(vector):
    told = {name: value for name, value in vector.items() if name not in ("name", "hex")}
    assert read_by_the_book(bytes.fromhex(vector["hex"])) == told


@pytest.mark.parametrize("vector", **named(RECORDS["refused"]))
def test_a_broken_record_is_refused_for_its_reason(vector):
    raw = bytes.fromhex(vector["hex"])
    assert LiveSet(CHARTER).propose([raw], seconds_of(RECORDS["now"])).verdicts[0].reason == vector["reason"]
    if vector["reason"].startswith("record-"):
        with pytest.raises(RemoteFault):
            decode(raw)


@pytest.mark.parametrize("vector", RECORDS["signatures"], ids=lambda vector: vector["name"])
def test_a_signature_is_right_or_wrong_as_written(vector):
    public, body, signature = (bytes.fromhex(vector[part]) for part in ("public", "body", "signature"))
    assert verify(public, signature, signing_message(body, CHARTER.set_id)) is vector["right"]


def test_subkeys_are_as_written():
    assert RECORDS["subkeys"] == {purpose: CHARTER.subkey(purpose).hex() for purpose in RECORDS["subkeys"]}
    assert len(RECORDS["subkeys"]) == 6


@pytest.mark.parametrize("vector", **named(RENEWAL["cases"]))
def test_which_secret_is_spoken(vector):
    raws, charter = [bytes.fromhex(raw) for raw in vector["held"]], charter_of(RENEWAL["charter"])
    key = SigningKey(bytes.fromhex(RENEWAL["keys"][vector["who"]]["seed"]))
    wanted = RENEWAL["secrets"][vector["speaks"]] if vector["speaks"] else charter.secret.hex()
    for seed in range(4):
        liveset = LiveSet(charter)
        for raw in random.Random(seed).sample(raws, len(raws)):
            liveset.apply(liveset.propose([raw], seconds_of(vector["now"])))
        assert at_minute((Generation(charter.secret),), liveset, key, vector["now"])[0].secret.hex() == wanted


def test_a_secret_is_sealed_and_named_as_the_protocol_says():
    """docs/protocol.md, 2.6, followed by hand: X25519 by the library, all the rest here."""
    set_id = bytes.fromhex(RENEWAL["charter"]["set_id"])
    raw = bytes.fromhex(next(case for case in RENEWAL["cases"] if case["speaks"] == "one")["held"][-1])
    ephemeral, seats = raw[35:67], raw[67:-64]
    for name in ("ana", "founder"):
        pair = RENEWAL["keys"][name]
        private = X25519PrivateKey.from_private_bytes(hashlib.sha512(bytes.fromhex(pair["seed"])).digest()[:32])
        assert private.public_key().public_bytes_raw().hex() == RENEWAL["agreed"][name]
        assert agreed_key(bytes.fromhex(pair["public"])).hex() == RENEWAL["agreed"][name]
        shared = private.exchange(X25519PublicKey.from_public_bytes(ephemeral))
        mask = hashlib.blake2b(set_id + ephemeral + bytes.fromhex(pair["public"]), key=shared, digest_size=32,
                               person=b"archipel-renewal").digest()
        at = seats.index(bytes.fromhex(pair["key_id"])) + 8
        secret = bytes(a ^ b for a, b in zip(seats[at:at + 32], mask, strict=True))
        assert secret.hex() == RENEWAL["secrets"]["one"]
        name = hashlib.blake2b(set_id + secret, digest_size=16, person=b"archipel-secret").digest()
        assert name == raw[19:35] and name.hex() == RENEWAL["fingerprints"]["one"]


@pytest.mark.parametrize("vector", **named(LIVE["cases"]))
def test_what_is_live(vector):
    raws, now = [bytes.fromhex(told["hex"]) for told in vector["held"]], seconds_of(vector["now"])
    for seed in range(4):
        liveset = LiveSet(CHARTER)
        for raw in random.Random(seed).sample(raws, len(raws)):
            liveset.apply(liveset.propose([raw], now))
        assert [record_id(raw) in liveset for raw in raws] == [told["live"] for told in vector["held"]]


def test_posts_beyond_a_quota_are_those_written():
    vector, founder = LIVE["made"][0], SigningKey(bytes.fromhex(LIVE["keys"]["founder"]["seed"]))
    raws = []
    for n in range(400):
        text = b"x" * (1 + 397 * n % 1600)
        record = Record(Kind.BULLETIN, founder.key_id, vector["now"] + n, vector["life"], packed=text)
        raws.append(encode(sign(record, CHARTER.set_id, founder.sign)))
    liveset = LiveSet(CHARTER)
    for raw in random.Random(1).sample(raws, len(raws)):
        liveset.apply(liveset.propose([raw], seconds_of(vector["now"])))
    assert [n for n in range(400) if record_id(raws[n]) in liveset] == vector["live"]
    assert hashlib.blake2b(b"".join(sorted(liveset.ids())), digest_size=16).hexdigest() == vector["digest"]


@pytest.mark.parametrize(("told", "vector"), [(told, vector) for told in (TRUST, FOUNDERS) for vector in told["cases"]],
                         ids=lambda told: told.get("name"))
def test_who_may_write(told, vector):
    credentials, posts = [bytes.fromhex(credential) for credential in vector["papers"]], vector["posts"]
    raws = credentials + [bytes.fromhex(post["hex"]) for post in posts]
    for seed in range(4):
        liveset, now = LiveSet(charter_of(told["charter"])), seconds_of(vector["now"])
        liveset.apply(liveset.propose(random.Random(seed).sample(raws, len(raws)), now))
        assert [record_id(bytes.fromhex(post["hex"])) in liveset for post in posts] == [post["in_set"] for post in posts]


def test_the_examples_in_the_protocol_are_among_the_vectors():
    text = (VECTORS.parent.parent / "docs" / "protocol.md").read_text(encoding="utf-8")
    text = re.split(r"\n## [4-9]", text)[0]  # the later sections have vectors of their own
    known = json.dumps(RECORDS) + json.dumps(TRUST)
    examples = re.findall(r"\b(?=[0-9a-f]*[a-f])[0-9a-f]{16,}\b", text)
    assert len(examples) >= 6
    assert [example for example in examples if example not in known] == []


def test_an_invitation_reads_as_written_and_is_used_as_written():
    told = INVITATION["accepted"]
    raw, use = bytes.fromhex(told["invitation"]), bytes.fromhex(told["use"])
    invitation = read_invitation(raw)
    assert charter_bytes(read_charter(bytes.fromhex(told["charter"]))).hex() == told["charter"]
    assert invitation_bytes(invitation) == raw == from_text(told["text"])
    assert (invitation.seed.hex(), invitation.expires) == (told["seed"], told["expires"])
    assert [invitation.spoken.secret.hex(), invitation.made, invitation.maker.hex()] == [
        told["secret"], told["made"], told["maker"]]
    assert [credential.hex() for credential in invitation.credentials] == told["records"]
    assert encode(accept(invitation, bytes.fromhex(told["newcomer"]), "Nora", told["used_at"])) == use
    newcomers_set = LiveSet(invitation.charter)
    newcomers_set.apply(newcomers_set.propose([*invitation.credentials, use], seconds_of(told["used_at"])))
    assert len(newcomers_set) == 3


@pytest.mark.parametrize("vector", **named(INVITATION["refused"]))
def test_a_charter_or_invitation_with_one_thing_wrong_is_refused_for_it(vector):
    with pytest.raises(RemoteFault) as caught:
        (read_charter if vector["what"] == "charter" else read_invitation)(bytes.fromhex(vector["hex"]))
    assert caught.value.reason == vector["reason"]


def test_a_thousand_edits_with_checks_made_right_let_nobody_in_and_never_raise_anything_else():
    told, rng = INVITATION["accepted"], random.Random(1)
    raw, let_in = bytes.fromhex(told["invitation"]), 0
    for _ in range(1000):
        body = bytearray(raw[:-4])
        for _ in range(rng.randint(1, 3)):
            body[rng.randrange(21, len(body))] ^= 1 << rng.randrange(8)
        edited = bytes(body) + hashlib.blake2b(body, digest_size=4).digest()
        try:
            invitation = read_invitation(edited)
        except RemoteFault:
            continue
        if invitation.charter.set_id == CHARTER.set_id and list(invitation.credentials) != told["records"]:
            strange = LiveSet(invitation.charter)
            kept = strange.propose(invitation.credentials, seconds_of(told["used_at"])).added
            let_in += any(entry.raw.hex() not in told["records"] for entry in kept)
    assert let_in == 0


@pytest.mark.parametrize("vector", FOREIGN["keys"])
def test_a_foreign_event_has_the_same_key_everywhere(vector):
    assert foreign_key(vector["uid"], vector["which"], vector["origin"]).hex() == vector["key"]


@pytest.mark.parametrize("vector", **named(FOREIGN["cases"]))
def test_which_record_of_a_foreign_event_speaks(vector):
    raws = [bytes.fromhex(raw) for raw in vector["held"]]
    for order in (raws, raws[::-1]):
        liveset = LiveSet(CHARTER)
        liveset.apply(liveset.propose(order, seconds_of(FOREIGN["now"] + 10)))
        assert [one.id.hex() for one in liveset.witnesses(bytes(range(8)))] == vector["order"]
