// Sections 1.1 and 1.6: the set, its subkeys, usable keys, signatures.
import { createPublicKey, verify } from "node:crypto";
import { blake2b } from "./blake2b.mjs";
import { ascii, hex, join, number, unhex } from "./octets.mjs";

const P = 2n ** 255n - 19n;
const SMALL_ORDER = new Set([
  0n,
  1n,
  P - 1n,
  0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n,
  0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n,
]);
const SPKI = unhex("302a300506032b6570032100"); // what stands before an Ed25519 key in RFC 8410

/** y of an Ed25519 key. */
export function yOf(key) {
  const turned = Buffer.from(key).reverse();
  turned[0] &= 0x7f;
  return BigInt("0x" + hex(turned));
}

export function usable(key) {
  const y = yOf(key);
  return y < P && !SMALL_ORDER.has(y);
}

export const keyId = (key) => hex(blake2b(8, key, { person: "archipel-key" }));

/** A set: {name, founders (hexadecimal, in order), id (octets), secret (octets)}. */
export function makeSet({ name, founders, secret }) {
  const keys = founders.map(unhex);
  const named = Buffer.from(name, "utf8");
  const id = blake2b(16, join(number(named.length, 2), named, ...keys), { person: "archipel-set" });
  return { name, id, founders: new Map(founders.map((key) => [keyId(unhex(key)), key])), secret: unhex(secret) };
}

/** The subkey of a set for a purpose. */
export const subkey = (set, purpose) => blake2b(32, join(set.id, ascii(purpose)), { key: set.secret });

const keys = new Map();

function keyObject(key) {
  const name = hex(key);
  if (!keys.has(name)) keys.set(name, createPublicKey({ key: join(SPKI, key), format: "der", type: "spki" }));
  return keys.get(name);
}

/** Whether a signature of 64 octets of `body` in the set `setId` is right. OpenSSL checks without cofactor and S < L. */
export const signs = (setId, key, body, signature) =>
  verify(null, join(ascii("archipel record 1"), setId, body), keyObject(key), signature);
