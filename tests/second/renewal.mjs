// Section 2.6: the secret renewed, and which one an island speaks with.
import { createHash, createPrivateKey, createPublicKey, diffieHellman } from "node:crypto";
import { blake2b } from "./blake2b.mjs";
import { keyId, yOf } from "./keys.mjs";
import { by, hex, join, order, unhex } from "./octets.mjs";
import { publicOf } from "./papers.mjs";

const P = 2n ** 255n - 19n;

export const secretFingerprint = (set, secret) => hex(blake2b(16, join(set.id, secret), { person: "archipel-secret" }));

/** The public X25519 key of an Ed25519 key. */
export function agreementKey(key) {
  const y = yOf(key);
  return Buffer.from((((1n + y) * power((P + 1n - y) % P, P - 2n)) % P).toString(16).padStart(64, "0"), "hex").reverse();
}

function power(base, exponent) {
  let result = 1n;
  for (; exponent; exponent >>= 1n) {
    if (exponent & 1n) result = (result * base) % P;
    base = (base * base) % P;
  }
  return result;
}

/** The secret that a renewal holds for who has a seed, or null. */
export function openSeat(set, renewal, seed) {
  const own = publicOf(seed);
  const seat = renewal.seats.find((each) => each.key === keyId(own));
  if (!seat) return null;
  const scalar = createHash("sha512").update(seed).digest().subarray(0, 32);
  const agreed = agree(scalar, unhex(renewal.ephemeral));
  if (!agreed) return null;
  const mask = blake2b(32, join(set.id, unhex(renewal.ephemeral), own), { key: agreed, person: "archipel-renewal" });
  const secret = unhex(seat.masked).map((octet, i) => octet ^ mask[i]);
  return secretFingerprint(set, secret) === renewal.fingerprint ? hex(secret) : null;
}

function agree(scalar, point) {
  const privateKey = createPrivateKey({ key: join(unhex("302e020100300506032b656e04220420"), scalar), format: "der", type: "pkcs8" });
  const publicKey = createPublicKey({ key: join(unhex("302a300506032b656e032100"), point), format: "der", type: "spki" });
  try {
    return diffieHellman({ privateKey, publicKey });
  } catch {
    return null; // OpenSSL gives no agreement of zeros
  }
}

/** The secret (hexadecimal) that an island speaks with at a minute, out of live renewals; the set's own if none. */
export function speaksWith(set, live, seed, now) {
  const places = new Map(); // fingerprint -> the earliest renewal that names it
  const renewals = live.filter((record) => record.renewal).sort(by((record) => record.created, (record) => record.author, (record) => record.renewal.since));
  for (const record of renewals) if (!places.has(record.renewal.fingerprint)) places.set(record.renewal.fingerprint, record);
  const known = renewals.map((record) => [record.renewal.fingerprint, openSeat(set, record.renewal, seed)]).filter(([, secret]) => secret);
  const begun = known.filter(([name]) => places.get(name).renewal.since <= now);
  begun.sort((a, b) => places.get(b[0]).created - places.get(a[0]).created || order(a[0], b[0]));
  return begun.length ? begun[0][1] : hex(set.secret);
}
