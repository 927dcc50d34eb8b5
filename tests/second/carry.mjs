// Section 6: the broker's messages, bundles, the local network, letters.
import { createCipheriv, createDecipheriv } from "node:crypto";
import { blake2b } from "./blake2b.mjs";
import { subkey } from "./keys.mjs";
import { ascii, hex, join, number, Reader, refuse, Refused, unhex, utf8 } from "./octets.mjs";
import { base32 } from "./papers.mjs";
import { LONGEST } from "./record.mjs";

// 6.1 MQTT

const PLAINS = [228, 484, 996, 1764];
const NONCE = 12;
const MAC = 16;

const idOf = (raw) => blake2b(16, raw, { person: "archipel-record" });
export const slotOf = (set, raw) => blake2b(16, idOf(raw), { key: subkey(set, "topic"), person: "archipel-slot" });
export const root = (set) => "archipel/" + hex(subkey(set, "root")).slice(0, 20);
export const topic = (set, slot) => `${root(set)}/${hex(slot)[0]}/${hex(slot)}`;

function encrypt(key, nonce, plain, associated) {
  const cipher = createCipheriv("chacha20-poly1305", key, nonce, { authTagLength: MAC });
  cipher.setAAD(associated, { plaintextLength: plain.length });
  return join(cipher.update(plain), cipher.final(), cipher.getAuthTag());
}

function decrypt(key, nonce, sealed, associated, reason) {
  refuse(reason, sealed.length < MAC);
  const cipher = createDecipheriv("chacha20-poly1305", key, nonce, { authTagLength: MAC });
  cipher.setAAD(associated, { plaintextLength: sealed.length - MAC });
  cipher.setAuthTag(sealed.subarray(-MAC));
  const plain = cipher.update(sealed.subarray(0, -MAC));
  try {
    cipher.final();
  } catch {
    throw new Refused(reason);
  }
  return plain;
}

/** The message that holds a record. */
export function sealed(set, slot, raw) {
  const plain = Buffer.alloc(PLAINS.find((size) => size >= raw.length + 2));
  plain.set(join(number(raw.length, 2), raw));
  const nonce = blake2b(NONCE, join(slot, raw), { key: subkey(set, "nonce") });
  return join(nonce, encrypt(subkey(set, "seal"), nonce, plain, slot));
}

/** The record in a message. */
export function unsealed(set, slot, message) {
  refuse("seal-size", !PLAINS.includes(message.length - NONCE - MAC));
  const plain = decrypt(subkey(set, "seal"), message.subarray(0, NONCE), message.subarray(NONCE), slot, "seal");
  const length = plain.readUInt16BE();
  refuse("seal-form", length > plain.length - 2);
  const raw = plain.subarray(2, 2 + length);
  refuse("seal-form", !sealed(set, slot, raw).equals(message));
  refuse("seal-slot", !slotOf(set, raw).equals(slot));
  return raw;
}

// 6.2 Bundles

const BUNDLE = ascii("archipel bundle\n");
const FRAME = 8;
const END = 22;
const TABLE = Uint32Array.from({ length: 256 }, (_, octet) => {
  for (let i = 0; i < 8; i++) octet = octet & 1 ? (octet >>> 1) ^ 0xedb88320 : octet >>> 1;
  return octet >>> 0;
});

function crc32(octets) {
  let crc = 0xffffffff;
  for (const octet of octets) crc = TABLE[(crc ^ octet) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** {header or null, records, faults} of a bundle's octets; a refusal for what is none. */
export function readBundle(octets) {
  refuse("bundle-mark", !octets.subarray(0, 16).equals(BUNDLE));
  refuse("bundle-version", octets.length > 16 && octets[16] !== 1);
  const faults = {};
  const fault = (name) => (faults[name] = (faults[name] ?? 0) + 1);
  const [header, start] = readHeader(octets);
  if (!header) fault("header");
  const records = [];
  let [at, lost] = [start, false];
  for (;;) {
    const record = frameAt(octets, at);
    if (record) records.push(record);
    const end = record ? null : endAt(octets, at);
    if (record || end) {
      if (lost) fault("damaged");
      lost = false;
    }
    if (record) at += FRAME + record.length;
    else if (end) {
      if (end.count !== records.length) fault("count");
      if (!end.right) fault("sum");
      return { header, records, faults };
    } else if (at >= octets.length) {
      fault("cut-short");
      return { header, records, faults };
    } else [at, lost] = [at + 1, true];
  }
}

function readHeader(octets) {
  try {
    const reader = new Reader(octets, "header");
    reader.take(17);
    const header = { set: reader.hex(16), island: reader.hex(8), made: reader.number(3) };
    const named = reader.take(reader.number(1));
    const end = reader.at;
    refuse("header", reader.number(4) !== crc32(octets.subarray(0, end)) || named.length > 160);
    header.name = utf8(named, "header");
    return [header, reader.at];
  } catch (error) {
    if (error instanceof Refused) return [null, 0];
    throw error;
  }
}

function frameAt(octets, at) {
  if (octets[at] !== 0xa7 || octets[at + 1] !== 0x52 || octets.length < at + FRAME) return null;
  const length = octets.readUInt16BE(at + 2);
  if (length < 1 || length > LONGEST || octets.length < at + FRAME + length) return null;
  const record = octets.subarray(at + FRAME, at + FRAME + length);
  return octets.readUInt32BE(at + 4) === crc32(join(octets.subarray(at + 2, at + 4), record)) ? record : null;
}

/** The end: it has the right sum, or nothing after it, as the same two octets may stand in what is damaged. */
function endAt(octets, at) {
  if (octets[at] !== 0xa7 || octets[at + 1] !== 0x45 || octets.length < at + END) return null;
  const sum = blake2b(16, octets.subarray(0, at + 6), { person: "archipel-bundle" });
  const right = sum.equals(octets.subarray(at + 6, at + END));
  return right || octets.length === at + END ? { count: octets.readUInt32BE(at + 2), right } : null;
}

// 6.4 Local network

const SALT = 24;
const lanKey = (set, salt) => blake2b(32, salt, { key: subkey(set, "lan"), person: "archipel-lan" });
const associated = (question) => (question ? join(ascii("answered"), question) : ascii("asked"));

/** A message with a content; `question` is the salt of the question that it answers, or null. */
export const lanSealed = (set, salt, content, question) =>
  join(number(1, 1), salt, encrypt(lanKey(set, salt), Buffer.alloc(NONCE), content, associated(question)));

/** {salt, content} of a message. */
export function lanOpened(set, message, question) {
  refuse("lan-form", message.length < 1 + SALT + MAC || message[0] !== 1);
  const salt = message.subarray(1, 1 + SALT);
  return { salt, content: decrypt(lanKey(set, salt), Buffer.alloc(NONCE), message.subarray(1 + SALT), associated(question), "lan-seal") };
}

/** What is asked: {compare: {name, fingerprint}} or {trade: {wanted, records}}. */
export function readAsked(content) {
  const reader = new Reader(content, "lan-form");
  const kind = reader.number(1);
  if (kind === 1) {
    const compare = { name: reader.hex(8), fingerprint: reader.hex(16) };
    refuse("lan-form", reader.left > 0);
    return { compare };
  }
  refuse("lan-form", kind !== 2);
  const wanted = Array.from({ length: reader.number(4) }, () => reader.hex(8));
  return { trade: { wanted, records: framed(reader) } };
}

function framed(reader) {
  const records = [];
  while (reader.left) records.push(reader.hex(reader.number(2)));
  return records;
}

export const lanTag = (set, name) => hex(blake2b(8, ascii(name), { key: subkey(set, "lan"), person: "archipel-lan-tag" }));

// 6.5 Letters

const BETWEEN = /\s(?=ARCHIPEL\s)|\//i;
const checkOf = (raw) => blake2b(3, raw, { person: "archipel-letters" });

/** The records, in hexadecimal, that are good in what was typed or scanned. */
export function readLetters(text) {
  const plain = (part) => part.toUpperCase().replace(/[\s-]/g, "").replace(/^ARCHIPEL/, "").replaceAll("0", "O").replaceAll("1", "I").replaceAll("8", "B");
  return text.split(BETWEEN).map(plain).map(base32).filter((octets) => octets?.length > 3 && checkOf(octets.subarray(0, -3)).equals(octets.subarray(-3))).map((octets) => hex(octets.subarray(0, -3)));
}
