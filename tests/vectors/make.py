"""Writes the vectors: `python -m tests.vectors.make`. Only for a new format version."""

import hashlib
import json
import random
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from node.daemon.mqtt import root_of
from node.model.clock import MAX_MINUTE
from node.model.confirmation import Confirmation
from node.model.event import Event, Exempt, Repetition, Rhythm, Shift, occasions
from node.model.foreign import Foreign, foreign_key
from node.model.keys import key_id
from node.model.marks import EVENT_MARKS, Marks
from node.model.record import (
    MAX_RECORD_BYTES,
    Kind,
    Record,
    Renewal,
    Revocation,
    Right,
    Vouch,
    decode,
    encode,
    record_id,
    sign,
    signed_part,
    signing_message,
)
from node.model.renewal import fingerprint_of
from node.model.turnout import Turnout
from node.replica.generations import Generation
from node.sync.codes.erasure import piece
from node.sync.codes.sketch import sketch
from node.sync.lora.context import address_of
from node.sync.mqtt.sealing import Seal
from node.transfer.bundle import Header, write
from node.transfer.invitation import accept, charter_bytes, invitation_bytes, offer, prepare, to_text
from node.transfer.lan import ANSWERED, ASKED, COMPARE, SAME, TRADE, Envelope, fingerprint
from node.transfer.paper import code_of, codes_of, letters_of
from tests.sim.village import CRIER, DAY, KEEPER, T0, WRITER, Village, key, secret_of
from tests.vectors.curve import L, P, encoded, signed_by_mixed, small_order

HERE = Path(__file__).parent
INVITATION = Right.INVITE | Right.WRITE
SIGNATURE = bytes(64)
SUBKEYS = ("tag", "seal", "nonce", "topic", "root", "lan")


def main():
    village, another, three = Village(), Village(), Village("founder", "second", "third")
    renewing = Village("founder", "second", "third")
    made = [("live", village, lives(village)), ("records", village, records(village)), ("trust", village, trust(village)),
            ("sealing", village, sealing(village)), ("codes", village, codes()), ("carry", village, carry(village)),
            ("invitation", another, invitations(another)), ("founders", three, founders_trust(three)),
            ("renewal", renewing, generations(renewing)), ("foreign", village, foreign_events(village))]
    for name, its, value in made:
        text = json.dumps({**heading(its), **value}, indent=1, ensure_ascii=False)
        (HERE / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def heading(village):
    charter = village.charter
    keys = {name: {"seed": seed(name), "public": pair.public.hex(), "key_id": pair.key_id.hex()}
            for name, pair in sorted(village.keys.items())}
    return {"charter": {"name": charter.name, "founders": [public.hex() for public in charter.founders],
                        "secret": charter.secret.hex(), "set_id": charter.set_id.hex()}, "keys": keys, "now": T0}


def seed(name):
    return key(name)._private.private_bytes_raw().hex()


# Sketches and pieces


def codes():
    """Sketches in hexadecimal, the first power first; those with more elements than capacity do not split."""
    rng = random.Random(7)
    sketches, pieces = [], []
    for count, capacity in ((0, 2), (1, 2), (2, 2), (5, 8), (40, 40), (3, 2), (9, 8), (60, 40)):
        elements = sorted(rng.sample(range(1, 1 << 32), count))
        sums = sketch(elements, capacity).to_bytes(4 * capacity, "little")
        told = b"".join(sums[at:at + 4][::-1] for at in range(0, len(sums), 4)).hex()
        sketches.append({"capacity": capacity, "sums": told, "elements": elements if count <= capacity else None,
                         "of": [f"{element:08x}" for element in elements]})
    for length, parts in ((101, 2), (300, 3), (MAX_RECORD_BYTES, 16)):
        whole = rng.randbytes(length)
        some = {str(index): piece(whole, parts, index).hex() for index in (0, parts - 1, parts, 200, 254)}
        pieces.append({"whole": whole.hex(), "parts": parts, "pieces": some})
    return {"sketches": sketches, "pieces": pieces}


# Generations of the secret


def generations(village):
    """What an island speaks with that began with the charter's secret, by what it holds."""
    vouches = [village.vouch("founder", name) for name in ("ana", "ben")]
    one = village.renew("second", "ana", "founder", minute=10, wait=60, secret=b"one")
    same = village.renew("third", "ana", minute=10, secret=b"same minute")
    other = village.renew("third", "ana", "ben", minute=30, secret=b"other")
    cut = [village.revoke(name, "third", since=25, minute=40) for name in ("founder", "second")]
    many = village.renew("founder", *(f"island {number}" for number in range(40)), "ana", minute=10, secret=b"many")
    cases = [
        ("before it begins", "ana", 69, one, None), ("from the minute on which it begins", "ana", 70, one, b"one"),
        ("without a seat", "ben", 70, one, None), ("the later of two", "ana", 80, one + other, b"other"),
        ("of one minute that with the lower fingerprint", "ana", 80, one + same, lowest(village, b"one", b"same minute")),
        ("who has a seat in the earlier one only", "founder", 80, one + other, b"one"),
        ("its founder was cut before", "ana", 80, one + other + cut, b"one"),
        ("nothing good is left", "ben", 80, one + other + cut, None),
        ("in several records", "ana", 80, many, b"many"),
        ("by who is no founder", "ana", 80, village.renew("ben", "ana", minute=10), None),
    ]
    return {"secrets": {name.decode(): secret_of(name).hex() for name in (b"one", b"same minute", b"other", b"many")},
            "fingerprints": {name.decode(): fingerprint_of(village.charter.set_id, secret_of(name)).hex()
                             for name in (b"one", b"same minute", b"other", b"many")},
            "agreed": {name: pair.agreeing.hex() for name, pair in sorted(village.keys.items())},
            "cases": [{"name": name, "who": who, "now": T0 + minute, "held": [raw.hex() for raw in vouches + held],
                       "speaks": spoken and spoken.decode()} for name, who, minute, held, spoken in cases]}


def lowest(village, *names):
    return min(names, key=lambda name: fingerprint_of(village.charter.set_id, secret_of(name)))


# Bundles, letters, the local network


def carry(village):
    raws = [village.bulletin(text="Soupe ce soir à 19 h", life=336, language=1, topic=4), village.event()]
    header = Header(village.charter.set_id, village.key("founder").key_id, T0 + 60, "Belleville")
    secret = village.charter.subkey("lan")
    question = bytes([COMPARE]) + bytes(range(8)) + fingerprint(record_id(raw)[:8] for raw in raws)
    return {
        "bundle": {"made": header.made, "name": header.name, "island": header.island.hex(),
                   "records": [raw.hex() for raw in raws], "bytes": b"".join(write(header, raws)).hex()},
        "damaged bundles": [{"name": name, "bytes": whole.hex(), "records": [raws[n].hex() for n in kept], "faults": faults}
                            for name, whole, kept, faults in damaged(header, raws)],
        "refused bundles": [{"name": name, "bytes": whole.hex(), "reason": reason} for name, whole, reason in (
            ("another mark", b"A" + b"".join(write(header, raws))[1:], "bundle-mark"),
            ("version 2", b"archipel bundle\n\2" + b"".join(write(header, raws))[17:], "bundle-version"))],
        "letters": {"record": raws[0].hex(), "typed": letters_of(raws[0]), "code": code_of(raws[0]),
                    "refused": ["D" + letters_of(raws[0])[1:], letters_of(raws[0])[:-8], "", "ARCHIPEL"]},
        "codes of many": {"records": [raw.hex() for raw in raws], "longest": 600, "codes": codes_of(raws, 600)},
        "addresses": {name: f"{address_of(pair.key_id, village.charter.subkey('tag')):04x}"
                      for name, pair in sorted(village.keys.items())},
        "mqtt": {"root": root_of(village.charter), "record": raws[0].hex(), "topic": topic_of(village.charter, raws[0])},
        "lan trade": lan_trade(secret, raws),
        "lan": {"salt": bytes(range(24)).hex(), "asked": question.hex(),
                "message": Envelope(secret, lambda size: bytes(range(size))).close(ASKED, question).hex(),
                "answered": SAME.hex(),
                "answer": Envelope(secret, lambda size: bytes(range(size, 0, -1))).close(ANSWERED, SAME,
                                                                                         bytes(range(24))).hex()},
    }


def lan_trade(secret, raws):
    """Somebody wants the second record and gives the first one."""
    salt = bytes(range(24, 48))
    asked = bytes([TRADE]) + (1).to_bytes(4, "big") + record_id(raws[1])[:8] + framed(raws[0])
    answered = framed(raws[1])
    question = Envelope(secret, lambda size: salt).close(ASKED, asked)
    answer = Envelope(secret, lambda size: bytes(24)).close(ANSWERED, answered, salt)
    return {"asked": asked.hex(), "message": question.hex(), "answered": answered.hex(), "answer": answer.hex(),
            "salt": salt.hex(), "refused": [
                {"name": "one bit changed", "message": flipped(question, 40).hex(), "reason": "lan-seal"},
                {"name": "version 2", "message": (b"\2" + question[1:]).hex(), "reason": "lan-form"},
                {"name": "an answer for a question", "message": answer.hex(), "reason": "lan-seal"}]}


def damaged(header, raws):
    """(name, octets, the records that are still read, what is told as wrong)."""
    whole = b"".join(write(header, raws))
    at = whole.index(b"\xa7\x52")
    yield "one bit of the header", flipped(whole, 20), [0, 1], {"header": 1, "damaged": 1, "sum": 1}
    yield "one bit of the first record", flipped(whole, at + 30), [1], {"damaged": 1, "count": 1, "sum": 1}
    yield "cut within the second record", whole[:-40], [0], {"cut-short": 1}
    yield "octets between two frames", whole[:at] + b"\xa7\x52\x00\x00noise" + whole[at:], [0, 1], {"damaged": 1, "sum": 1}
    yield "what looks like an end, in what is damaged", whole[:at] + b"\xa7\x45" + bytes(30) + whole[at:], [0, 1], {
        "damaged": 1, "sum": 1}
    yield "another number at the end", whole[:-17] + b"\3" + whole[-16:], [0, 1], {"count": 1, "sum": 1}


def topic_of(charter, raw):
    slot = Seal(charter).slot(record_id(raw)).hex()
    return f"{root_of(charter)}/{slot[0]}/{slot}"


# Charters and invitations as files


def invitations(village):
    ticket = bytes(range(32))
    keeper = village.vouch("founder", "ben", KEEPER)
    renewed = Generation(bytes(range(32, 64)), T0 - 9, T0 - 5, village.key("founder").key_id)
    made = prepare(village.charter, village.key("ben"), ticket, offer(village.key("ben").key_id, ticket, T0, 24),
                   [decode(keeper)]).holding(renewed)
    charter, invitation = charter_bytes(made.charter), invitation_bytes(made)
    at = 23 + len(charter)  # where it tells who made the secret, and when
    use = accept(made, village.key("new").public, "Nora", T0 + 5)
    broken = [
        ("charter", "one bit changed", flipped(charter, 40), "charter-check"),
        ("charter", "cut short, with its check", checked(charter[:-5]), "charter-short"),
        ("charter", "one octet more, with its check", checked(charter[:-4] + b"\0"), "charter-long"),
        ("charter", "another mark", checked(b"x" + charter[1:-4]), "charter-mark"),
        ("charter", "a name that is not UTF-8", checked(charter[:19] + b"\xff" + charter[20:-4]), "charter-name"),
        ("charter", "a name of 161 octets", checked(charter[:18] + b"\xa1" + b"x" * 161 + charter[29:-4]), "charter-name"),
        ("charter", "no founder", checked(charter[:29] + b"\0" + charter[62:-4]), "charter-founders"),
        ("charter", "a founder twice", checked(charter[:29] + b"\2" + 2 * charter[30:62] + charter[62:-4]),
         "charter-founders"),
        ("charter", "a founder whose key is of small order",
         checked(charter[:30] + encoded(small_order()[2]) + charter[62:-4]), "charter-founders"),
        ("invitation", "one bit changed", flipped(invitation, 200), "invitation-check"),
        ("invitation", "the seed of another key", checked(invitation[:-4].replace(ticket, bytes(32))), "invitation-key"),
        ("invitation", "no record", checked(invitation[:at + 11 + 32]), "invitation-papers"),
        ("invitation", "a secret made after it", checked(edited(invitation, at, (T0 + 1).to_bytes(3, "big"))),
         "invitation-secret"),
        ("invitation", "a secret of nobody's", checked(edited(invitation, at + 3, bytes(8))), "invitation-secret"),
        ("invitation", "a secret made at no time", checked(edited(invitation, at, bytes(3))), "invitation-secret"),
        ("invitation", "a bulletin among its records", checked(invitation[:-4] + framed(village.bulletin())),
         "invitation-papers"),
        ("invitation", "a record that cannot be read among its records",
         checked(invitation[:-4] + framed(b"\x25" + keeper[1:])), "invitation-papers"),
        ("invitation", "nine records", checked(invitation[:-4] + 7 * framed(keeper)), "invitation-long"),
    ]
    return {"accepted": {"secret": made.charter.secret.hex(), "made": made.made, "maker": made.maker.hex(),
                         "seed": ticket.hex(), "charter": charter.hex(), "invitation": invitation.hex(),
                         "text": to_text(invitation), "records": [credential.hex() for credential in made.credentials],
                         "expires": made.expires, "newcomer": village.key("new").public.hex(), "used_at": T0 + 5,
                         "use": encode(use).hex()},
            "refused": [{"what": what, "name": name, "hex": raw.hex(), "reason": reason}
                        for what, name, raw, reason in broken]}


def framed(raw):
    return len(raw).to_bytes(2, "big") + raw


def flipped(raw, position):
    return raw[:position] + bytes([raw[position] ^ 1]) + raw[position + 1:]


def edited(raw, position, octets):
    return raw[:position] + octets + raw[position + len(octets):-4]


def checked(body):
    return body + hashlib.blake2b(body, digest_size=4).digest()


# Sealed for a broker


def sealing(village):
    seal = Seal(village.charter)
    raws = {"bulletin": village.bulletin(text="Soupe ce soir à 19 h", life=336, language=1, topic=4),
            "of the second size": village.bulletin(text="x" * 147),
            "renewal": village.renew("founder", "ana", "ben", "founder", minute=20, wait=60)[0],
        "by radio": village.bulletin(text="Lait en poudre demandé", minute=13, language=1, by_radio=True),
        "longest": village.bulletin(text="x" * (MAX_RECORD_BYTES - 80))}
    accepted = [{"name": name, "record": raw.hex(), "slot": slot.hex(), "sealed": seal.close(slot, raw).hex()}
                for name, raw in raws.items() for slot in [seal.slot(record_id(raw))]]
    raw, slot, sealed = (bytes.fromhex(accepted[0][key]) for key in ("record", "slot", "sealed"))
    broken = [
        ("one octet more", slot, sealed + b"\0", "seal-size"),
        ("one bit changed", slot, sealed[:-1] + bytes([sealed[-1] ^ 1]), "seal"),
        ("in another slot", bytes(16), sealed, "seal"),
        ("padded with more than it needs", slot, generous(seal, slot, raw), "seal-form"),
    ]
    refused = [{"name": name, "slot": slot.hex(), "sealed": sealed.hex(), "reason": reason}
               for name, slot, sealed, reason in broken]
    return {"accepted": accepted, "refused": refused}


def generous(seal, slot, raw):
    nonce = seal.close(slot, raw)[:12]
    return nonce + seal._cipher.encrypt(nonce, (len(raw).to_bytes(2, "big") + raw).ljust(484, b"\0"), slot)


# Records


def records(village):
    return {**read_records(village), "signatures": list(signatures(village)),
            "subkeys": {purpose: village.charter.subkey(purpose).hex() for purpose in SUBKEYS}}


def signatures(village):
    """Signatures on which libraries differ: what counts here is no factor of eight, octet by octet, S below the order."""
    secret, set_id = 987_654_321, village.charter.set_id
    key_ = village.key("founder")
    body = signed_part(decode(village.bulletin()))
    good = key_.sign(b"archipel record 1" + set_id + body)
    larger = (int.from_bytes(good[32:], "little") + L).to_bytes(32, "little")
    yield told_signature("usual", key_.public, body, good, True)
    yield told_signature("S is larger by the order of the base point", key_.public, body, good[:32] + larger, False)

    def body_of(number, public):
        record = Record(Kind.BULLETIN, key_id(public), T0, 24, packed=str(number).encode())
        return signing_message(signed_part(record), set_id)

    tried = signed_by_mixed(secret, body_of)
    for right in (True, False):
        public, number, signature, _ = next(one for one in tried if (one[3] == 0) is right)
        whole = body_of(number, public)[len(b"archipel record 1") + len(set_id):]
        yield told_signature(f"a key with a part of small order, which {'falls out' if right else 'stays'}",
                             public, whole, signature, right)


def told_signature(name, public, body, signature, right):
    return {"name": name, "public": public.hex(), "body": body.hex(), "signature": signature.hex(), "right": right}


def read_records(village):
    bulletin = village.bulletin(text="Soupe ce soir à 19 h", life=336, language=1, topic=4)
    root = record_id(bulletin)[:8]
    event = village.event(text="Bal\x1fPlace du marché", start=3 * DAY, length=180, language=1, topic=8,
                          position=(4557042, 109319))
    announced = record_id(event)[:8]
    accepted = {
        "bulletin": bulletin,
        "urgent bulletin": village.bulletin(text="Coupure d'eau", urgent=True, language=1, topic=13),
        "event with a position": event,
        "event moved to an earlier day": village.event(minute=5, start=2 * DAY, life=4 * 24 + 4, target=announced),
        "correction of a bulletin": village.bulletin(text="Soupe demain", minute=9, life=336, target=root),
        "reply": village.sign("founder", Kind.REPLY, 7, 24, packed=b"J'apporte le pain", target=root),
        "retraction": village.retraction(root, minute=11, life=336),
        "cancellation": village.sign("founder", Kind.CANCELLATION, 12, 120, packed=b"Pluie", target=announced),
        "turnout": village.sign("founder", Kind.TURNOUT, 12, 50, target=announced, detail=Turnout(2, 3)),
        "confirmation": village.sign("ben", Kind.CONFIRMATION, 12, 336, target=root, detail=Confirmation(True)),
        "confirmation taken back": village.sign("ben", Kind.CONFIRMATION, 40, 336, target=root, detail=Confirmation(False)),
        "vouch for a writer": village.vouch("founder", "ana", WRITER),
        "vouch for a keeper": village.vouch("founder", "ben", KEEPER),
        "invitation": village.vouch("founder", "ticket", INVITATION),
        "revocation": village.revoke("founder", "ana", since=60),
        "renewal": village.renew("founder", "ana", "ben", "founder", minute=20, wait=60)[0],
        "by radio": village.bulletin(text="Lait en poudre demandé", minute=13, language=1, by_radio=True),
        "offer": village.bulletin(text="Donne un canapé", minute=14, life=336, language=1, marks=Marks.OFFER),
        "need": village.bulletin(text="Cherche une échelle", minute=15, life=2160, language=1, marks=Marks.NEED),
        "longest": village.bulletin(text="x" * (MAX_RECORD_BYTES - 80)),
    } | repeated_events(village)
    broken = [{"name": name, "reason": reason, "hex": raw.hex()} for name, reason, raw in refused(village, accepted)]
    return {"accepted": [described(name, raw) for name, raw in accepted.items()], "refused": broken}


def described(name, raw):
    record = decode(raw)
    told = {"name": name, "hex": raw.hex(), "id": record_id(raw).hex(), "kind": record.kind.name.lower(),
            "author": record.author.hex(), "created": record.created, "expires": record.expires, "life": record.life,
            "urgent": record.urgent, "by_radio": record.by_radio, "language": record.language, "topic": record.topic,
            "codec": record.codec, "marks": [mark.name.lower() for mark in Marks if mark in record.marks],
            "packed": record.packed.hex(), "target": record.target.hex() if record.target else None,
            "position": list(record.position) if record.position else None}
    match record.detail:
        case Event() as event:
            told["event"] = event_told(event)
        case Turnout(number, level):
            told["turnout"] = {"number": number, "level": level}
        case Confirmation(holds):
            told["confirmation"] = {"holds": holds}
        case Vouch(subject, rights):
            told["vouch"] = {"subject": subject.hex(), "rights": int(rights)}
        case Revocation(subject, since):
            told["revocation"] = {"subject": subject.hex(), "since": since}
        case Renewal(since, fingerprint, ephemeral, seats):
            told["renewal"] = {"since": since, "fingerprint": fingerprint.hex(), "ephemeral": ephemeral.hex(),
                               "seats": [{"key": seat.key.hex(), "masked": seat.masked.hex()} for seat in seats]}
    return told


def event_told(event):
    """Also all its dates: [start, end, offset, offset at its end], and what became of each."""
    told = {"start": event.start, "length": event.length, "offset": event.offset, "whole_days": event.whole_days,
            "shifts": [[shift.since, shift.offset] for shift in event.shifts], "repetition": None}
    if rule := event.repetition:
        told["repetition"] = {"rhythm": int(rule.rhythm), "every": rule.every, "count": rule.count,
                              "weekdays": rule.weekdays, "exempt": [[one.number, one.by] for one in rule.exempt]}
    if foreign := event.foreign:
        told["foreign"] = {"key": foreign.key.hex(), "sequence": foreign.sequence, "modified": foreign.modified,
                           "off": foreign.off, "tentative": foreign.tentative}
    return told | {"dates": [[one.start, one.end, one.offset, one.end_offset, "off" if one.off else "moved" if one.moved
                              else ""] for one in occasions(event)]}


def repeated_events(village):
    """Each with a date that is a matter of its own; T0 is 25 November 2025, 10:40 UTC."""
    def event(text, at, length, marks=0, **more):
        start = (datetime(*at) - datetime(2024, 1, 1)) // timedelta(minutes=1)
        return village.sign("founder", Kind.EVENT, 20, 0, packed=text.encode(), detail=Event(start, length, **more),
                            marks=Marks(marks))

    summer, winter = minute(2026, 3, 29, 1), minute(2026, 10, 25, 1)
    return {
        "three days over the change to summer time": event("Salon", (2026, 3, 27, 9), 55 * 60, offset=4,
                                                           shifts=(Shift(summer, 8),)),
        "a whole day of 25 hours": event("Brocante", (2026, 10, 24, 22), 25 * 60, offset=8, whole_days=True,
                                         shifts=(Shift(winter, 4),)),
        "three whole days": event("Fête", (2025, 12, 4, 23), 3 * DAY, offset=4, whole_days=True),
        "each Tuesday, ten times": event("Chorale", (2025, 12, 2, 17, 30), 120, offset=4,
                                         repetition=Repetition(Rhythm.WEEKS, 1, 10)),
        "a Saturday's night, over the change to winter time": event(
            "Bal", (2026, 10, 3, 20), 360, offset=8, shifts=(Shift(winter, 4),), repetition=Repetition(Rhythm.WEEKS, 1, 6)),
        "each Sunday at an hour that clocks pass over": event(
            "Relève", (2026, 3, 22, 1, 30), 60, offset=4, shifts=(Shift(summer, 8),),
            repetition=Repetition(Rhythm.WEEKS, 1, 3)),
        "every other Tuesday and Friday": event("Marché", (2025, 12, 2, 7), 300, offset=4,
                                                repetition=Repetition(Rhythm.WEEKDAYS, 2, 8, 0b10010)),
        "each first Sunday, one called off, one moved": event(
            "Café", (2025, 12, 7, 9), 120, offset=4, repetition=Repetition(
                Rhythm.MONTH_WEEKDAY, 1, 6, exempt=(Exempt(1), Exempt(2, 7 * DAY - 60)))),
        "each last Friday, west of Greenwich": event("Jam", (2025, 11, 29, 1), 120, offset=-20,
                                                     repetition=Repetition(Rhythm.MONTH_LAST, 1, 5)),
        "the first date called off, in the night in which clocks go back": event(
            "Veille", (2026, 10, 25, 0, 30), 60, offset=8, shifts=(Shift(winter, 4),),
            repetition=Repetition(Rhythm.DAYS, 1, 2, exempt=(Exempt(0),))),
        "each 31st": event("Bilan", (2025, 12, 31, 17), 0, offset=4, repetition=Repetition(Rhythm.MONTHS, 1, 5)),
        "taken over": event("Bal\x1fHangar\x1f\x1f\x1f\x1fLe sémaphore", (2025, 12, 6, 19), 180, offset=4,
                            foreign=Foreign(foreign_key("204@semaphore.exemple.org", "", ""), 3, T0 - 60)),
        "taken over, each week, called off": event(
            "Bal\x1f\x1f\x1f\x1f\x1fLe sémaphore\x1fFuite d'eau", (2025, 12, 6, 19), 180, offset=4,
            repetition=Repetition(Rhythm.WEEKS, 1, 10),
            foreign=Foreign(foreign_key("1", "", "Le sémaphore"), 0, T0, off=True)),
        "free": event("Fanfare", (2025, 12, 2, 17, 30), 120, Marks.FREE, offset=4),
        "step-free": event("Atelier", (2025, 12, 2, 17, 30), 120, Marks.STEP_FREE, offset=4),
        "each Tuesday, free, step-free, for children": event(
            "Lecture", (2025, 12, 2, 17, 30), 60, EVENT_MARKS, offset=4, repetition=Repetition(Rhythm.WEEKS, 1, 10)),
        "every third whole day": event("Arrosage", (2025, 12, 1, 23), DAY, offset=4, whole_days=True,
                                       repetition=Repetition(Rhythm.DAYS, 3, 128)),
    }


# Foreign events


def foreign_events(village):
    """Keys, and which record of a foreign event speaks."""
    keys = [("204@semaphore.exemple.org", "", "Un agenda"), ("204@semaphore.exemple.org", "1021740", ""),
            ("1", "", "Un agenda"), ("1", "", "Un autre"), ("fete", "1021740", "fete"),
            ("5f0b7a1e-3c2d-4a6e-9b1f-0d8c7e6f5a4b", "20251206", "https://exemple.org/")]
    people = [village.vouch("founder", name) for name in ("ana", "ben", "cleo")]

    def told(author, minute_, sequence, modified, text="Bal", **more):
        foreign = Foreign(bytes(range(8)), sequence, T0 + modified, **more)
        return village.sign(author, Kind.EVENT, minute_, 0, packed=text.encode(),
                            detail=Event(T0 + 3 * DAY, 60, 4, foreign=foreign))

    first, same = told("ana", 1, 1, 0), told("ben", 2, 1, 0)
    moved, later = told("cleo", 3, 2, 0, "Bal ailleurs"), told("ben", 4, 1, 5, off=True)
    liar, again = told("cleo", 0, 1, 0, "Bal ailleurs"), told("ana", 5, 2, 0)
    cases = [
        ("one version: the first one made", [same, first], [first, same]),
        ("a higher sequence", [first, same, moved], [moved, first, same]),
        ("of one sequence the later change", [first, later], [later, first]),
        ("of one version what most say alike, whoever says he was first", [liar, first, same], [first, same, liar]),
        ("one an author", [first, again], [again]),
        ("two that say different things of one version: the first one made", [liar, same], [liar, same]),
    ]
    return {"keys": [{"uid": uid, "which": which, "origin": origin, "key": foreign_key(uid, which, origin).hex()}
                     for uid, which, origin in keys],
            "cases": [{"name": name, "held": [raw.hex() for raw in people + held],
                       "order": [record_id(raw).hex() for raw in order]} for name, held, order in cases]}


def minute(*at):
    return (datetime(*at) - datetime(2024, 1, 1)) // timedelta(minutes=1)


def refused_events(accepted, signed):
    """(name, reason, bytes): a shape that is not the one way to say something."""
    weekly, whole = accepted["each Tuesday, ten times"], accepted["three whole days"]
    sunday = accepted["each first Sunday, one called off, one moved"]
    salon = accepted["three days over the change to summer time"]
    taken, called_off = accepted["taken over"], accepted["taken over, each week, called off"]
    several, third = accepted["every other Tuesday and Friday"], accepted["every third whole day"]
    for name, raw, at, octets in (
            ("a shape that says nothing", weekly, 20, (0x00,)),
            ("marks that say nothing", accepted["step-free"], 21, (0,)),
            ("a mark that is told elsewhere", accepted["step-free"], 21, (6,)),
            ("a mark that nobody knows", accepted["step-free"], 21, (0x22,)),
            ("exemptions of what is not repeated", whole, 20, (0xA0,)), ("a rhythm of 6", weekly, 21, (0x61,)),
            ("no step between two dates", weekly, 21, (0x10,)), ("one date", weekly, 22, (1,)),
            ("129 dates", third, 22, (129,)), ("dates beyond 400 days", weekly, 21, (0x1A,)),
            ("several weekdays that are one", several, 22, (0b10,)),
            ("a version of two days later", taken, 31, ((T0 + 20 + 2 * DAY).to_bytes(3, "big"))),
            ("called off and not confirmed", called_off, 31, (0xC0,)),
            ("several weekdays without that of the start", several, 22, (0b10100,)),
            ("an eighth weekday", several, 22, (0b10010010,)), ("no exemption", sunday, 23, (0,)),
            ("exemptions out of order", sunday, 24, (3,)), ("an exemption of a date there is not", sunday, 25, (0x86,)),
            ("moved by nothing", sunday, 26, (0, 0)),
            ("a whole day that does not begin at midnight", whole, 16, (whole[16] + 60 & 255,)),
            ("whole days that are none", whole, 17, (0, 0)), ("a change of clocks that changes nothing", salon, 23, (4,)),
            ("a change of clocks to more than 14 hours", salon, 23, (57,)),
            ("a change of clocks before the start", salon, 21, (0, 0)),
            ("a change of clocks after the end", salon, 21, (1, 0)),
            ("two changes of clocks where one is", salon, 20, (2,))):
        yield name, "record-event", signed(raw, at, *octets)


def refused(village, accepted):
    """(name, reason, bytes): each breaks one thing, and is signed by a founder unless that is what it breaks."""
    founder = village.key("founder")
    bulletin, event, vouch = accepted["bulletin"], accepted["event with a position"], accepted["vouch for a writer"]

    def signed(raw, position, *octets):
        """The same with other octets at a position, signed again."""
        body = raw[:position] + bytes(octets) + raw[position + len(octets):-64]
        return body + founder.sign(b"archipel record 1" + village.charter.set_id + body)

    yield "one octet missing", "record-too-short", bulletin[:79]
    yield "one octet more than the most", "record-too-long", accepted["longest"] + b"x"
    yield "version 2", "record-version", signed(bulletin, 0, 0x20)
    yield "kind 10", "record-kind", signed(bulletin, 0, 0x1A)
    yield "a vouch by radio", "record-flags", signed(vouch, 1, 0x10)
    yield "a reply that corrects", "record-flags", signed(accepted["reply"], 1, 0x40)
    yield "an urgent vouch", "record-flags", signed(vouch, 1, 0x80)
    yield "a bulletin with a life of 0", "record-life", signed(bulletin, 14, 0, 0)
    yield "a bulletin that lives for 90 days and an hour", "record-life", signed(bulletin, 14, *(2161).to_bytes(2, "big"))
    yield "an offer that is a need", "record-flags", signed(bulletin, 14, 0xC1, 0x50)
    yield "a bulletin with a bit of life that means nothing", "record-life", signed(bulletin, 14, 0x21, 0x50)
    yield "it would live beyond the last minute", "record-life", signed(bulletin, 11, *MAX_MINUTE.to_bytes(3, "big"))
    yield "an event that is over before it is announced", "record-life", signed(event, 14, 0, 0, 1)
    yield "an event more than 400 days ahead", "record-event", signed(event, 14, *(T0 + 400 * DAY).to_bytes(3, "big"))
    yield "an offset of more than 14 hours", "record-event", signed(event, 19, 57)
    yield "a bulletin with a position", "record-position", encode_bulletin_with_position(village)
    yield "the one angle that has no inverse", "record-position", signed(event, 20, 0x80, 0, 0)
    yield "a vouch without rights", "record-rights", signed(vouch, 48, 0)
    yield "a vouch for the identity as key", "record-key", signed(vouch, 16, 1, *bytes(31))
    yield "a vouch for a key of order eight", "record-key", signed(vouch, 16, *encoded(small_order()[1]))
    yield "a vouch for a key in its second encoding", "record-key", signed(vouch, 16, *(P + 3).to_bytes(32, "little"))
    yield "a vouch with an unknown right", "record-rights", signed(vouch, 48, 0x21)
    yield "an event of no rhythm that is cut short", "record-too-short", cut_short_event(village, accepted)
    yield from refused_renewals(village, accepted["renewal"], signed)
    yield from refused_events(accepted, signed)
    yield from refused_turnouts(village, accepted["turnout"], signed)
    yield from refused_confirmations(village, accepted["confirmation"], signed)
    yield from not_taken(village, bulletin)


def not_taken(village, bulletin):
    """What is a sound record, of the wrong hand or at the wrong time."""
    stranger = sign(replace(decode(bulletin), author=key("stranger").key_id), village.charter.set_id, key("stranger").sign)
    elsewhere = sign(decode(bulletin), bytes(16), village.key("founder").sign)
    yield "one bit of the text", "signature", flipped(bulletin, 20)
    yield "one bit of the signature", "signature", flipped(bulletin, len(bulletin) - 1)
    yield "signed for another set", "signature", encode(elsewhere)
    yield "a key nobody vouched for", "penned", encode(stranger)
    yield "more than a day ahead of now", "early", village.bulletin(minute=DAY + 1)
    yield "expired this very minute", "expired", village.bulletin(minute=-DAY, life=24)


def cut_short_event(village, accepted):
    """Its rhythm is 6, and what follows it is missing."""
    each_week = accepted["each Tuesday, ten times"]
    body = each_week[:21] + b"\x61"
    return body + village.key("founder").sign(b"archipel record 1" + village.charter.set_id + body)


def refused_turnouts(village, turnout, signed):
    worded = turnout[:26] + b"x"
    yield "an urgent turnout", "record-flags", signed(turnout, 1, 0x80)
    yield "an urgent turnout of level 0: of two reasons the first", "record-flags", signed(signed(turnout, 25, 0), 1, 0x80)
    yield "a turnout of level 0", "record-turnout", signed(turnout, 25, 0)
    yield "a turnout of level 7", "record-turnout", signed(turnout, 25, 7)
    yield "a turnout of date 128", "record-turnout", signed(turnout, 24, 128)
    yield "a turnout with a text", "record-turnout", worded + village.key("founder").sign(
        b"archipel record 1" + village.charter.set_id + worded)


def refused_confirmations(village, confirmation, signed):
    worded = confirmation[:25] + b"x"
    yield "an urgent confirmation", "record-flags", signed(confirmation, 1, 0x80)
    yield "a confirmation that says 2", "record-confirmation", signed(confirmation, 24, 2)
    yield "a confirmation with a text", "record-confirmation", worded + village.key("founder").sign(
        b"archipel record 1" + village.charter.set_id + worded)


def refused_renewals(village, renewal, signed):
    def cut(body):
        return body + village.key("founder").sign(b"archipel record 1" + village.charter.set_id + body)

    yield "an urgent renewal", "record-flags", signed(renewal, 1, 0x80)
    yield "a renewal without a seat", "record-too-short", cut(renewal[:67])
    yield "a renewal whose last seat is cut short", "record-too-short", cut(renewal[:-64 - 1])
    yield "a renewal that begins before it was made", "record-renewal", signed(renewal, 16, *(T0 + 19).to_bytes(3, "big"))
    yield "a renewal that begins after a week and a minute", "record-renewal", signed(
        renewal, 16, *(T0 + 20 + 7 * DAY + 1).to_bytes(3, "big"))
    yield "a renewal whose seats are out of order", "record-renewal", cut(
        renewal[:67] + renewal[107:147] + renewal[67:107] + renewal[147:-64])
    yield "a renewal with two seats of one key", "record-renewal", cut(renewal[:107] + renewal[67:107])
    yield "a renewal that lives for more than three years", "record-life", signed(renewal, 14, *(26_353).to_bytes(2, "big"))
    yield "a renewal by a keeper", "penned", village.renew("ana", "ana", "ben")[0]


def encode_bulletin_with_position(village):
    """Not what `encode` would let through either, so made of an event's flag."""
    founder = village.key("founder")
    record = Record(Kind.BULLETIN, founder.key_id, T0, 24, position=(1, 1), packed=b"ici")
    return encode(sign(record, village.charter.set_id, founder.sign))


# Trust


def trust(village):
    return {"cases": [case(village, *told) for told in cases(village)]}


def case(village, name, credentials, posts, now=T0):
    """`posts`: (author, minute, urgent, in the set?)."""
    told = [{"hex": village.bulletin(author, minute=minute, urgent=urgent, life=2000).hex(), "in_set": in_set}
            for author, minute, urgent, in_set in posts]
    return {"name": name, "now": now, "papers": [credential.hex() for credential in credentials], "posts": told}


def cases(village):
    yield from chains(village)
    yield from revocations(village)
    yield from uses(village)
    yield from thefts(village)


def chains(village):
    vouch = village.vouch
    ana = vouch("founder", "ana", WRITER)
    yield "a founder needs no vouch", [], [("founder", 0, True, True), ("ana", 0, False, False)]
    yield "a vouched key writes but is not urgent", [ana], [("ana", 0, False, True), ("ana", 0, True, False)]
    yield "a writer vouches for nobody", [ana, vouch("ana", "ben")], [("ben", 0, False, False)]
    keepers = [vouch("founder", "one", KEEPER), vouch("one", "two", KEEPER), vouch("two", "three", KEEPER)]
    yield "three vouches from a founder", keepers, [("three", 0, False, True)]
    yield "four vouches from a founder", [*keepers, vouch("three", "four")], [("four", 0, False, False)]
    yield "the link in the middle is missing", [keepers[0], keepers[2]], [("three", 0, False, False)]
    loud = [vouch("founder", "one", KEEPER | Right.URGENT), vouch("one", "ana", CRIER)]
    yield "who may be urgent lets others be", loud, [("ana", 0, True, True)]
    yield "who may not does not", [keepers[0], vouch("one", "ana", CRIER)], [
        ("ana", 0, True, False), ("ana", 0, False, True)]
    short = [vouch("founder", "one", KEEPER, life=24), vouch("one", "ana")]
    yield "one minute before the chain ends", short, [("ana", 0, False, True)], T0 + DAY - 1
    yield "the chain has ended", short, [("ana", 0, False, False)], T0 + DAY


def revocations(village):
    vouch, revoke, ana = village.vouch, village.revoke, village.vouch("founder", "ana", WRITER)
    one = vouch("founder", "one", KEEPER)
    cut = [("ana", 9, False, True), ("ana", 10, False, False)]
    yield "revoked by a founder from minute 10 on", [ana, revoke("founder", "ana", since=10)], cut
    yield "revoked by itself", [ana, revoke("ana", "ana", since=10)], cut
    through = [one, vouch("one", "ana")]
    yield "revoked by who vouched", [*through, revoke("one", "ana", since=10)], cut
    pair = [vouch("founder", "ben", KEEPER), vouch("founder", "cleo", KEEPER), ana]
    agree = [revoke("ben", "ana", since=4), revoke("cleo", "ana", since=10)]
    yield "revoked by two keepers, from the later minute on", [*pair, *agree], cut
    yield "one keeper who did not vouch is not enough", [*pair, agree[1]], [("ana", 10, False, True)]
    yield "two keepers of one branch are not enough", [*through, vouch("one", "two", KEEPER), vouch("founder", "ben"),
           revoke("one", "ben"), revoke("two", "ben")], [("ben", 10, False, True)]
    yield "a revoked keeper's earlier vouch holds", [one, vouch("one", "ana", minute=9),
           vouch("one", "ben", minute=10), revoke("founder", "one", since=10)], [
        ("ana", 20, False, True), ("ben", 20, False, False)]
    coup = [*pair, vouch("ben", "dan"), *agree]
    yield "a founder's revocation voids later ones of its subject", [*coup, revoke("founder", "ben", since=0)], [
        ("ana", 10, False, True)]


def uses(village):
    vouch, revoke, cut = village.vouch, village.revoke, [("ana", 9, False, True), ("ana", 10, False, False)]
    thief = [vouch("founder", name, KEEPER) for name in ("thief", "one")]
    ticket, use = vouch("founder", "ticket", INVITATION, minute=2, life=100), vouch("ticket", "ana", minute=5, life=100)
    yield "an invitation lets one newcomer in", [ticket, use], [("ana", 6, False, True), ("ticket", 6, False, False)]
    yield "the earlier of two uses counts", [ticket, use, vouch("ticket", "ben", minute=4, life=100)], [
        ("ana", 6, False, False), ("ben", 6, False, True)]
    yield "a use older than the invitation", [ticket, vouch("ticket", "ana", minute=1, life=200)], [
        ("ana", 6, False, False)]
    yield "a use that ends before the invitation", [ticket, vouch("ticket", "ana", minute=5, life=99)], [
        ("ana", 6, False, False)]
    yield "a losing use is in the set and gives nothing", [ticket, use, vouch("ticket", "ben", minute=6, life=100)], [
        ("ana", 7, False, True), ("ben", 7, False, False)]
    yield "a longer invitation by another keeper takes nobody's place", [*thief, ticket, use,
           vouch("thief", "ticket", INVITATION, minute=2, life=200), revoke("thief", "ticket", since=2)], [
        ("ana", 6, False, True)]
    yield "the keeper who invited takes it back", [*thief, vouch("one", "ticket", INVITATION, life=100),
           vouch("ticket", "ana", life=100), revoke("one", "ana", since=10)], cut
    yield "who takes back an invitation ends who used it later", [*thief, vouch("one", "ticket", INVITATION, life=100),
           vouch("ticket", "ana", minute=5, life=100), revoke("one", "ticket", since=5)], [("ana", 6, False, False)]
    yield "and not who used it before", [*thief, vouch("one", "ticket", INVITATION, life=100),
           vouch("ticket", "ana", minute=4, life=100), revoke("one", "ticket", since=5)], [("ana", 6, False, True)]
    yield "a use that gives nothing makes nobody a voucher", [*thief, vouch("thief", "ticket", INVITATION, life=100),
           vouch("ticket", "one", Right.VOUCH, life=100), revoke("thief", "one")], [("one", 6, False, True)]
    yield "an invitation gives no right to be urgent", [vouch("founder", "ticket", INVITATION | CRIER, minute=2, life=100),
           vouch("ticket", "ana", CRIER, minute=5, life=100)], [("ana", 6, True, False), ("ana", 6, False, True)]


def thefts(village):
    vouch, revoke, cut = village.vouch, village.revoke, [("ana", 9, False, True), ("ana", 10, False, False)]
    one = vouch("founder", "one", KEEPER)
    thief = [vouch("founder", "thief", KEEPER), one]
    yield "a keeper ends no founder by vouching for it", [*thief, vouch("thief", "founder", KEEPER, minute=1),
           revoke("thief", "founder"), revoke("thief", "one")], [("founder", 6, True, True), ("one", 6, False, True)]
    yield "a keeper takes back what it gave and nothing else", [*thief, vouch("thief", "ana"), vouch("one", "ana"),
           revoke("thief", "ana", since=10)], [("ana", 10, False, True)]
    yield "both take back what they gave, from different minutes", [*thief, vouch("thief", "ana"), vouch("one", "ana"),
           revoke("thief", "ana", since=5), revoke("one", "ana", since=10)], cut
    yield "a writer let vouch by a thief is of the thief's branch", [*thief, vouch("founder", "ben"),
           vouch("thief", "ben", KEEPER, minute=1), revoke("thief", "one"), revoke("ben", "one", minute=2)], [
        ("one", 6, False, True)]
    many = [vouch("founder", f"keeper {n}", KEEPER) for n in range(5)]
    yield "of five keepers and a founder, two branches are not enough", [*many, *(
        revoke(f"keeper {n}", "keeper 4") for n in range(2))], [("keeper 4", 6, False, True)]
    yield "three are", [*many, *(revoke(f"keeper {n}", "keeper 4", since=n) for n in range(3))], [
        ("keeper 4", 1, False, True), ("keeper 4", 2, False, False)]
    yield "the only founder ends by its own word alone", [revoke("founder", "founder", since=10)], [
        ("founder", 9, False, True), ("founder", 10, False, False)]
    yield "keepers' cuts do not void each other", [*many[:4], *(revoke(one, other, since=3) for one, other in (
        ("keeper 0", "keeper 1"), ("keeper 2", "keeper 1"), ("keeper 1", "keeper 0"), ("keeper 3", "keeper 0")))], [
        ("keeper 0", 3, False, False), ("keeper 1", 3, False, False), ("keeper 2", 3, False, True)]
    yield "a vouch that gives nothing lets nobody in", [
        one, vouch("one", "two", KEEPER), vouch("two", "ana", Right.VOUCH)], [("ana", 6, False, False)]


# Several founders: in a set of their own


def founders_trust(village):
    return {"cases": [case(village, *told) for told in founders_cases(village)]}


def founders_cases(village):
    vouch, revoke = village.vouch, village.revoke
    ana = vouch("second", "ana", KEEPER)
    coup = [revoke("third", name, minute=5) for name in ("founder", "second", "ana")]
    yield "one founder of three ends no other founder", [ana, *coup], [
        ("founder", 6, True, True), ("second", 6, True, True)]
    yield "but every other key", [ana, *coup], [("ana", 6, False, False)]
    healed = [revoke(name, "third", since=4, minute=9) for name in ("founder", "second")]
    yield "two end the third, and void what it signed since", [ana, *coup, *healed], [
        ("third", 6, False, False), ("third", 3, False, True), ("ana", 6, False, True)]
    yield "a founder ends itself", [revoke("third", "third", since=4)], [
        ("third", 4, False, False), ("third", 3, False, True)]
    yield "a founder ends by the word of keepers of enough branches", [
        *(vouch("founder", f"keeper {n}", KEEPER) for n in range(3)),
        *(revoke(f"keeper {n}", "third", since=n) for n in range(3))], [
        ("third", 1, False, True), ("third", 2, False, False)]


# What is live (section 3)


def lives(village):
    """`held` in any order; `live`: which of them are in the set at `now`."""
    return {"cases": [life(*told) for told in live_cases(village)], "made": [made_case(village)]}


def life(name, told, now=T0):
    return {"name": name, "now": now, "held": [{"hex": raw.hex(), "live": alive} for raw, alive in told]}


def live_cases(village):
    first = village.bulletin(text="Soupe", life=48)
    root = record_id(first)[:8]
    second = village.bulletin(text="Soupe à 19 h", minute=5, life=48, target=root)
    third = village.bulletin(text="Soupe à 20 h", minute=9, life=48, target=root)
    yield "the newest correction stands", [(first, False), (second, False), (third, True)]
    yield "one that ends before its target leaves it alone", [
        (first, True), (village.bulletin(text="brève", minute=5, life=24, target=root), True)]
    yield "a retraction ends every version", [
        (first, False), (third, False), (village.retraction(root, minute=3, life=49), True)]
    yield "a retraction that ends before its target leaves it alone", [
        (first, True), (village.retraction(root, minute=3, life=24), True)]
    yield "what is from more than a day ahead waits, and a retraction from there ends every version", [
        (first, False), (village.bulletin(minute=3 * DAY), False),
        (village.retraction(root, minute=3 * DAY, life=49), True)]
    twins = sorted((village.bulletin(text=text, minute=5, life=48, target=root) for text in "ab"), key=record_id)
    yield "of two in one minute, the higher id", [(first, False), (twins[0], False), (twins[1], True)]
    vouch = village.vouch("founder", "ana")
    yield "what another author corrects or retracts is not touched", [
        (vouch, True), (first, True), (village.retraction(root, "ana", minute=3, life=60), True)]
    yield "vouches and revocations cannot be retracted", [
        (vouch, True), (village.retraction(record_id(vouch), minute=3, life=12_000), True)]
    event = village.event(text="bal", start=3 * DAY)
    off = village.sign("founder", Kind.CANCELLATION, 2, 120, packed=b"Pluie", target=record_id(event)[:8])
    yield "a cancellation leaves the event in place", [(event, True), (off, True)]
    yield "a cancellation is retracted by its own root", [
        (event, True), (off, False), (village.retraction(record_id(off), minute=3, life=130), True)]
    few, more = (village.sign("founder", Kind.TURNOUT, at, life, target=record_id(event)[:8], detail=Turnout(0, level))
                 for at, life, level in ((2, 100, 1), (60, 100, 2)))
    reply = village.sign("founder", Kind.REPLY, 3, 24, packed=b"J'y serai", target=record_id(event)[:8])
    yield "an author's newest turnout stands, beside the event and its replies", [
        (event, True), (few, False), (more, True), (reply, True)]
    said, back, again = (village.sign("founder", Kind.CONFIRMATION, at, 100, target=root, detail=Confirmation(holds))
                         for at, holds in ((2, True), (30, False), (60, True)))
    corrected = village.sign("founder", Kind.CONFIRMATION, 2, 100, target=record_id(third)[:8], detail=Confirmation(True))
    yield "what an author said last of a version stands, and another version is another matter", [
        (first, True), (said, False), (back, False), (again, True), (corrected, True)]
    keeper, lets, invites, told = (
        village.vouch("founder", "hugo", KEEPER), village.vouch("hugo", "dan", KEEPER, minute=1),
        village.vouch("hugo", "dan", INVITATION, minute=2), village.vouch("dan", "cleo", INVITATION, minute=3))
    yield "who invited takes back a use, and not the invitation that its author gave as a keeper", [
        (keeper, True), (lets, True), (invites, True), (told, True), (village.revoke("hugo", "cleo", since=5), True),
        (village.vouch("cleo", "eva", minute=4), True), (village.bulletin("cleo", minute=4), True),
        (village.bulletin("cleo", minute=5), False), (village.bulletin("eva", minute=5), True)]
    two = [village.vouch("founder", "ana", KEEPER), village.vouch("founder", "ben", KEEPER),
           village.vouch("ana", "ticket", INVITATION, life=24), village.vouch("ben", "ticket", INVITATION, life=48),
           village.vouch("ticket", "cleo", minute=1, life=100)]
    ana_takes, ben_takes = (village.revoke(name, "cleo", since=5) for name in ("ana", "ben"))
    posts = [village.bulletin("cleo", minute=minute, life=100) for minute in (4, 5)]
    yield "a use of two keepers' invitations, of which one is taken back, lets in by the other one", [
        (raw, True) for raw in (*two, ana_takes, *posts)]
    yield "the same, when the one that was not taken back has ended", [
        *((raw, raw is not two[2]) for raw in (*two, ben_takes, posts[0])), (posts[1], False)], T0 + DAY
    yield "a day ahead, to the minute", [
        (village.bulletin(minute=DAY), True), (village.bulletin(text="tard", minute=DAY + 1), False)]
    yield "at the minute it ends", [(village.bulletin(life=24), False), (first, True)], T0 + DAY
    yield "the same, a minute before", [(village.bulletin(life=24), True), (first, True)], T0 + DAY - 1


def made_case(village):
    """Posts of one author beyond its quota of octets: too many to list, so said how to make them."""
    raws = [village.bulletin(text="x" * (1 + 397 * n % 1600), minute=n) for n in range(400)]
    kept, size = [], 0
    for n in reversed(range(400)):
        if size + len(raws[n]) <= 262_144:
            kept, size = [n, *kept], size + len(raws[n])
    digest = hashlib.blake2b(b"".join(sorted(record_id(raws[n]) for n in kept)), digest_size=16).hexdigest()
    return {"name": "posts beyond the quota of octets", "author": "founder", "created": "now + n, n from 0 to 399",
            "life": 24, "text": "1 + 397 n mod 1600 times the letter x, codec 0", "now": T0, "live": kept, "octets": size,
            "ids": "BLAKE2b-16 of the live ids, sorted", "digest": digest}


if __name__ == "__main__":
    main()
