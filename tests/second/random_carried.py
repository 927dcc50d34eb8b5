"""What travels, at random: packets, sketches, bundles, letters, sealed messages, charters and invitations; good and spoilt.

Each function gives questions for the second implementation, and what ours makes of the same.
"""

import hashlib
from dataclasses import replace

from node.model.errors import LocalMisuse
from node.model.foreign import foreign_key
from node.model.record import decode, record_id
from node.replica.generations import Generation
from node.sync.codes import bloom
from node.sync.codes.erasure import piece, rebuild
from node.sync.codes.sketch import decode as decode_sketch
from node.sync.codes.sketch import sketch
from node.sync.lora.inventory import element_of
from node.sync.lora.packets import Have, More, Need, Neighbours, Packet, Piece, Sum, Whole, encode, tag
from node.sync.lora.packets import decode as decode_packet
from node.sync.mqtt.sealing import Seal
from node.textpack import pack, unpack
from node.transfer.bundle import Bundle, Header, write
from node.transfer.invitation import charter_bytes, invitation_bytes, offer, prepare, read_charter, read_invitation
from node.transfer.lan import ANSWERED, ASKED, Envelope
from node.transfer.paper import code_of, codes_of, letters_of, records_in
from tests.second.asking import verdict
from tests.second.random_records import any_record
from tests.sim.village import KEEPER, T0, Village

KEY = bytes(range(32))


def set_question(village):
    charter = village.charter
    question = {"ask": "set", "name": charter.name, "founders": [one.hex() for one in charter.founders],
                "secret": charter.secret.hex()}
    return question, {"ok": charter.set_id.hex()}


def spoilt_octets(rng, whole, edits=2):
    """The same with bits turned, octets put in, left out, or its end cut off."""
    raw = bytearray(whole)
    for _ in range(rng.randint(1, edits)):
        at = rng.randrange(len(raw) + 1)
        match rng.randrange(5):
            case 0 | 1 if at < len(raw):
                raw[at] ^= 1 << rng.randrange(8)
            case 2:
                raw[at:at] = rng.randbytes(rng.choice((1, 2, 30)))
            case 3:
                del raw[at:at + rng.choice((1, 2, 30))]
            case 4 if rng.random() < 0.3:
                del raw[at:]
    return bytes(raw)


# Packets and codes


def packets(rng):
    sections = tuple(_section(rng) for _ in range(rng.choice((0, 1, 1, 2, 3))))
    packet = Packet(rng.randrange(65_536), rng.randrange(256), sections, rng.random() < 0.3)
    try:
        whole = encode(packet, KEY)
    except LocalMisuse:  # too much for a packet
        whole = encode(replace(packet, sections=()), KEY)
    yield _packet(whole)
    changed = bytearray(whole)
    for _ in range(rng.choice((1, 2))):
        at = rng.randrange(5, len(changed)) if rng.random() < 0.9 else 0
        changed[at] = rng.choice((changed[at] ^ 1 << rng.randrange(8), 0, 0xFF, rng.randrange(256)))
    if rng.random() < 0.3:
        changed += bytes(rng.randrange(10))
    if rng.random() < 0.3:
        del changed[rng.randrange(5, len(changed)):]
    yield _packet(bytes(changed[:1]) + tag(bytes(changed[:1] + changed[5:]), KEY) + bytes(changed[5:]))
    yield _packet(spoilt_octets(rng, whole))


def _packet(raw):
    return {"ask": "packet", "key": KEY.hex(), "packet": raw.hex()}, verdict(lambda: _packet_told(decode_packet(raw, KEY)))


def _packet_told(packet):
    return {"sender": packet.sender, "sequence": packet.sequence, "strict": packet.strict,
            "sections": [_section_told(section) for section in packet.sections]}


def _section_told(section):
    match section:
        case Sum(as_of_h, count, capacity):
            sums = section.encode()[5:].hex()
            return {"kind": "sum", "as_of_h": as_of_h, "count": count, "capacity": capacity, "sketch": sums}
    fields = {name: getattr(section, name) for name in section.__slots__}
    told = {name: value.hex() if isinstance(value, bytes) else list(value) if isinstance(value, tuple) else value
            for name, value in fields.items()}
    return {"kind": type(section).__name__.lower(), **told}


def _section(rng):
    parts = rng.randrange(2, 17)
    whole_bytes = rng.choice((parts - 1, parts, 1_752, 1_753, rng.randrange(parts, 900)))
    capacity = rng.choice((1, 2, 39, 40, 41, rng.randint(1, 10)))
    return rng.choice([
        Whole(rng.randbytes(rng.randrange(0, 130)), rng.random() < 0.5),
        Piece(rng.randbytes(4), parts, rng.choice((0, 254, 255)), whole_bytes,
              rng.randbytes(-(-whole_bytes // parts))[:180], rng.random() < 0.5),
        Sum(rng.randrange(65_536), rng.randrange(65_536), capacity, rng.getrandbits(32 * capacity)),
        Have(rng.randrange(65_536), rng.randrange(65_536), rng.randrange(256),
             tuple(rng.randrange(65_536) for _ in range(rng.choice((0, 1, 2, 3, 3, 4)))),
             rng.randbytes(rng.randrange(1, 60)), rng.randrange(10)),
        Need(rng.randrange(65_536), rng.randrange(256), tuple(rng.randrange(1 << 32) for _ in range(rng.randrange(1, 20)))),
        More(rng.randrange(65_536), rng.randbytes(4), parts, rng.choice((0, 1, parts - 1, min(parts, 15)))),
        Neighbours(tuple(rng.randrange(65_536) for _ in range(rng.randrange(16)))),
    ])


def codes(rng):
    """Elements, filters, sketches and pieces."""
    id_, day = rng.randbytes(16), rng.randrange(65_536)
    yield {"ask": "element", "key": KEY.hex(), "id": id_.hex(), "day": day}, {"ok": element_of(id_, day, KEY)}
    elements, others = ([rng.randrange(1, 1 << 32) for _ in range(rng.randint(1, 30))] for _ in range(2))
    size, salt = max(1, len(elements) * rng.randint(1, 10) // 8), rng.randrange(256)
    bits = bloom.fill(elements, salt, size)
    holds = [bloom.holds(bits, len(elements), salt, each) for each in others]
    yield ({"ask": "filter", "elements": elements, "length": size, "salt": salt, "others": others},
           {"ok": {"bits": bits.hex(), "holds": holds}})
    capacity = rng.choice((2, 4, 8, 40))
    some = rng.sample(range(1, 1 << 32), rng.randint(0, min(capacity + 2, 12)))
    sums = sketch(some, capacity)
    told = [sums >> 32 * n & 0xFFFFFFFF for n in range(capacity)]
    yield {"ask": "sketch", "elements": some, "capacity": capacity}, {"ok": told}
    difference = decode_sketch(sums, capacity)
    yield {"ask": "difference", "sums": told}, {"ok": difference if difference is None else sorted(difference)}
    whole, parts = rng.randbytes(rng.randint(20, 400)), rng.randint(2, 16)
    indexes = rng.sample(range(255), parts)
    pieces = {index: piece(whole, parts, index) for index in indexes}
    yield ({"ask": "pieces", "whole": whole.hex(), "parts": parts, "indexes": indexes},
           {"ok": [pieces[index].hex() for index in indexes]})
    some = [[index, content.hex()] for index, content in pieces.items()]
    yield ({"ask": "rebuilt", "pieces": some, "length": len(whole)},
           {"ok": rebuild(pieces, parts, len(whole)).hex()})


def foreign_keys(rng):
    uid = "".join(rng.choice("ab@. é1-") for _ in range(rng.choice((1, 5, 8, 19, 20))))
    which, origin = rng.choice(("", "1021740", "20251206")), rng.choice(("", "Un agenda", "https://exemple.org/"))
    yield ({"ask": "foreign", "uid": uid, "which": which, "origin": origin}, {"ok": foreign_key(uid, which, origin).hex()})


# Bundles and letters


def bundles(rng):
    raws = [any_record(rng) for _ in range(rng.randint(0, 5))]
    name = rng.choice(("Belleville", "", "Île d'Yeu", "é" * 80))
    header = Header(rng.randbytes(16), rng.randbytes(8), rng.randrange(1 << 24), name)
    whole = b"".join(write(header, raws))
    yield _bundle(whole)
    noise = rng.randbytes(3) + rng.choice((b"\xa7R", b"\xa7E", b"\xa7", b"")) + rng.randbytes(rng.randrange(40))
    starts = [at for at in range(len(whole)) if whole[at:at + 2] in (b"\xa7R", b"\xa7E")]
    at = rng.choice([*starts, rng.randrange(len(whole))])
    yield _bundle(whole[:at] + noise + whole[at:])
    yield _bundle(whole[:at] + noise + whole[at + rng.randrange(60):])
    yield _bundle(spoilt_octets(rng, whole, 4))


def _bundle(raw):
    return {"ask": "bundle", "hex": raw.hex()}, verdict(_bundle_told, raw)


def _bundle_told(raw):
    bundle = Bundle([raw[at:at + 100] for at in range(0, len(raw), 100)])
    records = [record.hex() for record in bundle]
    header = bundle.header and {"set": bundle.header.set_id.hex(), "island": bundle.header.island.hex(),
                                "made": bundle.header.made, "name": bundle.header.name}
    return {"header": header, "records": records, "faults": {name: n for name, n in bundle.faults.items() if n}}


def letters(rng):
    raws = [any_record(rng) for _ in range(rng.randint(1, 3))]
    typed = letters_of(raws[0])
    texts = [typed, code_of(raws[0]).lower(), "\n".join(codes_of(raws, rng.choice((300, 2000)))),
             " ".join(codes_of(raws, 300)), typed.replace(" ", "-"), typed.translate(str.maketrans("OIB", "018"))]
    text = rng.choice(texts)
    yield _letters(text)
    at = rng.randrange(len(text))
    yield _letters(text[:at] + rng.choice(("", "A", "Z", "9", "/", " ", "é", text[at:at + 1] * 2)) + text[at + 1:])


def _letters(text):
    found = verdict(lambda: [raw.hex() for raw in records_in(text)[0]])
    return {"ask": "letters", "text": text}, found if "ok" in found else {"ok": []}


# Sealed


def sealed(rng, village):
    seal, raw = Seal(village.charter), rng.randbytes(rng.choice((80, 101, 226, 227, 482, 483, 1752)))
    slot = seal.slot(record_id(raw))
    message = seal.close(slot, raw)
    yield {"ask": "sealed", "slot": slot.hex(), "raw": raw.hex()}, {"ok": message.hex()}
    for each in (message, spoilt_octets(rng, message), spoilt_octets(rng, message[:-1] + b"x")[:256]):
        told = verdict(lambda each=each: seal.open(slot, each).hex())
        yield {"ask": "unsealed", "slot": slot.hex(), "message": each.hex()}, told
    envelope = Envelope(village.charter.subkey("lan"), rng.randbytes)
    salt, content = rng.randbytes(24), rng.randbytes(rng.choice((0, 1, 25, 300)))
    for question, way in ((b"", ASKED), (salt, ANSWERED)):
        whole = envelope.close(way, content, question)
        for each in (whole, spoilt_octets(rng, whole)):
            told = verdict(lambda each=each, way=way, question=question: envelope.open(way, each, question).hex())
            yield {"ask": "lan", "message": each.hex(), "question": question.hex() or None}, told


# Charters and invitations


def papers(rng):
    village = Village(*rng.choice((("founder",), ("founder", "second"), ("founder", "second", "third"))))
    raw = charter_bytes(village.charter)
    for each in (raw, _changed(rng, raw), spoilt_octets(rng, raw)):
        yield {"ask": "charter", "hex": each.hex()}, verdict(lambda each=each: _charter_told(read_charter(each)))
    seed = rng.randbytes(32)
    author, chain = rng.choice((("founder", []), ("ben", [decode(village.vouch("founder", "ben", KEEPER))])))
    made = prepare(village.charter, village.key(author), seed, offer(village.key(author).key_id, seed, T0, 24), chain)
    if rng.random() < 0.5:
        created = T0 - rng.choice((0, 5, 100))
        made = made.holding(Generation(rng.randbytes(32), created, created, village.key("founder").key_id))
    raw = invitation_bytes(made)
    for each in (raw, _changed(rng, raw), _changed(rng, raw), spoilt_octets(rng, raw)):
        yield {"ask": "invitation", "hex": each.hex()}, verdict(lambda each=each: _invitation_told(read_invitation(each)))


def _changed(rng, raw):
    """Spoilt after its mark, and its check made right again."""
    mark = 18 if raw.startswith(b"archipel charter") else 21
    body = raw[:mark] + spoilt_octets(rng, raw[mark:-4])
    return body + hashlib.blake2b(body, digest_size=4).digest()


def _charter_told(charter):
    return {"name": charter.name, "founders": [one.hex() for one in charter.founders], "secret": charter.secret.hex()}


def _invitation_told(invitation):
    return {"charter": _charter_told(invitation.charter), "made": invitation.made, "maker": invitation.maker.hex(),
            "seed": invitation.seed.hex(), "records": [one.hex() for one in invitation.credentials]}


# Texts


def texts(rng, corpus):
    """A text of one of the four languages as it is packed, and the same octets spoilt. `corpus`: texts by language."""
    language = rng.choice(list(corpus))
    line = rng.choice(corpus[language])
    text = rng.choice((line, line.upper(), "18, 20 - 30 !", line[:rng.randrange(len(line) + 1)],
                       line + rng.choice("😀ßĀ№ﷺ𝄞")))
    codec, packed = pack(text, language)
    yield _text(codec, packed)
    yield _text(codec % 4 + 4 * (codec % 4 == 0) + rng.choice((0, 4)), packed)
    if rng.random() < 0.5:
        yield _text(rng.choice((codec, rng.randrange(11))), spoilt_octets(rng, packed, 1)[:40])


def _text(codec, packed):
    return {"ask": "text", "codec": codec, "packed": packed.hex()}, verdict(unpack, codec, packed)
