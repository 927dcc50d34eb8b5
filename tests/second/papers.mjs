// Section 2.5: charters and invitations as files.
import { createPrivateKey, createPublicKey } from "node:crypto";
import { blake2b } from "./blake2b.mjs";
import { usable } from "./keys.mjs";
import { ascii, hex, join, Reader, refuse, Refused, unhex, utf8 } from "./octets.mjs";
import { readRecord } from "./record.mjs";

const CHECK = 4;
const LONGEST_NAME = 160; // octets
const MOST_RECORDS = 8;

/** The private key object of a seed of 32 octets. */
export const privateKey = (seed) => createPrivateKey({ key: join(unhex("302e020100300506032b657004220420"), seed), format: "der", type: "pkcs8" });
export const publicOf = (seed) => createPublicKey(privateKey(seed)).export({ format: "der", type: "spki" }).subarray(-32);

/** What stands between the mark and the check. */
function opened(octets, mark, what) {
  const checked = octets.subarray(0, -CHECK);
  refuse(`${what}-mark`, !checked.subarray(0, mark.length).equals(ascii(mark)));
  refuse(`${what}-check`, !blake2b(CHECK, checked).equals(octets.subarray(-CHECK)));
  return new Reader(checked.subarray(mark.length), `${what}-short`);
}

/** {name, founders, secret} of a charter. */
export function readCharter(octets) {
  const reader = opened(octets, "archipel charter 1", "charter");
  const named = reader.take(reader.number(1));
  const founders = Array.from({ length: reader.number(1) }, () => reader.hex(32));
  const secret = reader.hex(32);
  refuse("charter-long", reader.left > 0);
  refuse("charter-name", named.length > LONGEST_NAME);
  const name = utf8(named, "charter-name");
  refuse("charter-founders", founders.length < 1 || founders.length > 16);
  refuse("charter-founders", founders.some((key, i) => (i > 0 && key <= founders[i - 1]) || !usable(unhex(key))));
  return { name, founders, secret };
}

/** {charter, made, maker, seed, records} of an invitation. */
export function readInvitation(octets) {
  const reader = opened(octets, "archipel invitation 1", "invitation");
  const charter = readCharter(reader.take(reader.number(2)));
  const [made, maker, seed] = [reader.number(3), reader.hex(8), reader.take(32)];
  const raw = [];
  while (reader.left && raw.length < MOST_RECORDS) raw.push(reader.take(reader.number(2)));
  refuse("invitation-long", reader.left > 0);
  refuse("invitation-papers", raw.length === 0);
  const records = raw.map(readPaper);
  refuse("invitation-key", records[0].vouch.subject !== hex(publicOf(seed)));
  refuse("invitation-secret", made > records[0].created || (made === 0) !== (maker === "0".repeat(16)));
  return { charter, made, maker, seed: hex(seed), records };
}

function readPaper(raw) {
  try {
    const record = readRecord(raw);
    refuse("invitation-papers", !record.vouch);
    return record;
  } catch (error) {
    if (error instanceof Refused) throw new Refused("invitation-papers");
    throw error;
  }
}

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** Octets of base32 without padding, or null. */
export function base32(text) {
  let [bits, held] = [0, 0];
  const octets = [];
  for (const letter of text) {
    const value = LETTERS.indexOf(letter);
    if (value < 0) return null;
    held = ((held << 5) | value) & 0xfff;
    bits += 5;
    if (bits >= 8) octets.push((held >> (bits -= 8)) & 0xff);
  }
  return bits < 5 ? Buffer.from(octets) : null;
}
