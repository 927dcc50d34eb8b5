// Sections 5.1 and 5.2: packets as they are on the air.
import { blake2b } from "./blake2b.mjs";
import { hex, join, Reader, refuse, unhex } from "./octets.mjs";
import { LONGEST } from "./record.mjs";

const HEADER = 8;
const MOST = 231;
const STRICT = 1;

/** The address of a key id (hexadecimal) among those who have the subkey `tag`. */
export const address = (tagKey, key) => blake2b(2, unhex(key), { key: tagKey, person: "archipel-address" }).readUInt16BE() || 1;

/** {sender, sequence, strict, sections} of a packet; refuses with one of the reasons of 5.2. */
export function readPacket(tagKey, packet) {
  refuse("packet-size", packet.length < HEADER || packet.length > MOST);
  refuse("packet-version", packet[0] >> 4 !== 1);
  const tag = blake2b(4, join(packet.subarray(0, 1), packet.subarray(5)), { key: tagKey, person: "archipel-packet" });
  refuse("packet-tag", !tag.equals(packet.subarray(1, 5)));
  refuse("packet-flags", (packet[0] & 15 & ~STRICT) !== 0);
  const reader = new Reader(packet.subarray(5), "packet-short");
  const read = { sender: reader.number(2), sequence: reader.number(1), strict: Boolean(packet[0] & STRICT), sections: [] };
  while (reader.left) {
    const section = readSection(reader.number(1), reader);
    if (!section) break;
    read.sections.push(section);
  }
  return read;
}

/** One section, or null at the end. */
function readSection(first, reader) {
  if (first === 0x00) {
    refuse("packet-padding", reader.rest().some((octet) => octet !== 0));
    return null;
  }
  if (first === 0x01) return readHave(reader);
  if (first === 0x02) return readMore(reader);
  if (first >> 4 === 1) return { kind: "neighbours", addresses: times(first & 15, () => reader.number(2)) };
  if (first >> 5 === 1) return readNeed(first & 31, reader);
  if (first >> 6 === 1) return readSum(first & 63, reader);
  if (first >> 5 === 6) return readPiece(first, reader);
  refuse("packet-section", first !== 0x80 && first !== 0x81);
  return { kind: "whole", fresh: first === 0x81, raw: reader.hex(reader.number(1)) };
}

const times = (count, make) => Array.from({ length: count }, make);

function readHave(reader) {
  const length = reader.number(1);
  const [hour, count, salt, packed] = [reader.number(2), reader.number(2), reader.number(1), reader.number(1)];
  const [depth, responders] = [packed >> 4, packed & 15];
  refuse("packet-have", length === 0 || depth > 8 || responders < 1 || responders > 3);
  return { kind: "have", as_of_h: hour, count, salt, depth, responders: times(responders, () => reader.number(2)), bits: reader.hex(length) };
}

function readMore(reader) {
  const [responder, id, packed] = [reader.number(2), reader.hex(4), reader.number(1)];
  const [parts, missing] = [(packed >> 4) + 1, packed & 15];
  refuse("packet-more", missing < 1 || missing >= parts);
  return { kind: "more", responder, short_id: id, parts, missing };
}

function readNeed(count, reader) {
  refuse("packet-need", count === 0);
  return { kind: "need", responder: reader.number(2), day: reader.number(1), elements: times(count, () => reader.number(4)) };
}

function readSum(capacity, reader) {
  refuse("packet-capacity", capacity < 1 || capacity > 40);
  return { kind: "sum", as_of_h: reader.number(2), count: reader.number(2), capacity, sketch: reader.hex(4 * capacity) };
}

function readPiece(first, reader) {
  const [id, index, length, parts] = [reader.hex(4), reader.number(1), reader.number(2), (first & 15) + 1];
  refuse("packet-piece", parts < 2 || index > 254 || length < parts || length > LONGEST);
  const content = reader.hex(Math.ceil(length / parts));
  return { kind: "piece", fresh: Boolean(first & 0x10), short_id: id, index, parts, whole_bytes: length, content };
}
