// Section 5.3: elements, sketches, filters, pieces.
import { blake2b } from "./blake2b.mjs";
import { number, unhex } from "./octets.mjs";

/** The element of a record (its id in hexadecimal) on a day. */
export const element = (tagKey, id, day) =>
  blake2b(4, unhex(id), { key: tagKey, salt: number(day, 2), person: "archipel-element" }).readUInt32BE() || 1;

// GF(2^32)

function times(a, b) {
  let product = 0;
  for (; b; b >>>= 1) {
    if (b & 1) product ^= a;
    a = (a << 1) ^ (a & 0x80000000 ? 0x8d : 0);
  }
  return product >>> 0;
}

function power(a, exponent) {
  let result = 1;
  for (; exponent > 0; exponent = Math.floor(exponent / 2)) {
    if (exponent % 2) result = times(result, a);
    a = times(a, a);
  }
  return result;
}

const inverse = (a) => power(a, 2 ** 32 - 2);

/** The sums of odd powers of some elements. */
export function sketch(elements, capacity) {
  const sums = Array(capacity).fill(0);
  for (const each of elements) {
    const square = times(each, each);
    for (let i = 0, odd = each; i < capacity; i++, odd = times(odd, square)) sums[i] = (sums[i] ^ odd) >>> 0;
  }
  return sums;
}

/** The elements of a sketch, growing; null if it cannot be decoded. */
export function decodeSketch(sums) {
  const syndromes = [];
  sums.forEach((sum, i) => {
    syndromes[2 * i] = sum; // the power 2i + 1
    syndromes[2 * i + 1] = times(syndromes[i], syndromes[i]);
  });
  const locator = berlekampMassey(syndromes);
  if (locator.length - 1 > sums.length || locator.at(-1) === 0) return null;
  const elements = roots([...locator].reverse());
  return elements && elements.sort((a, b) => a - b);
}

function berlekampMassey(syndromes) {
  let [current, earlier, length, gap, divisor] = [[1], [1], 0, 1, 1];
  for (let n = 0; n < syndromes.length; n++) {
    let differs = syndromes[n];
    for (let i = 1; i <= length; i++) differs ^= times(current[i] ?? 0, syndromes[n - i]);
    differs >>>= 0;
    if (!differs) {
      gap += 1;
      continue;
    }
    const factor = times(differs, inverse(divisor));
    const next = [...current];
    earlier.forEach((value, i) => (next[i + gap] = ((next[i + gap] ?? 0) ^ times(factor, value)) >>> 0));
    for (let i = 0; i < next.length; i++) next[i] ??= 0;
    if (2 * length <= n) [length, earlier, divisor, gap] = [n + 1 - length, current, differs, 1];
    else gap += 1;
    current = next;
  }
  while (current.length < length + 1) current.push(0);
  return current.slice(0, length + 1);
}

// Polynomials over GF(2^32), the lowest coefficient first; divisors are monic.

function trimmed(polynomial) {
  while (polynomial.length && polynomial.at(-1) === 0) polynomial.pop();
  return polynomial;
}

const monic = (polynomial) => polynomial.map((value) => times(value, inverse(polynomial.at(-1))));

function divided(dividend, divisor) {
  const rest = [...dividend];
  const quotient = [];
  for (let at = rest.length - divisor.length; at >= 0; at--) {
    const factor = rest[at + divisor.length - 1];
    quotient[at] = factor;
    if (factor) divisor.forEach((value, i) => (rest[at + i] = (rest[at + i] ^ times(factor, value)) >>> 0));
  }
  return [quotient, trimmed(rest.slice(0, divisor.length - 1))];
}

const modulo = (dividend, divisor) => divided(dividend, divisor)[1];

function squared(polynomial, divisor) {
  const square = Array(2 * polynomial.length).fill(0);
  polynomial.forEach((value, i) => (square[2 * i] = times(value, value)));
  return modulo(square, divisor);
}

function common(a, b) {
  while (b.length) {
    const divisor = monic(b);
    [a, b] = [divisor, modulo(a, divisor)];
  }
  return monic(a);
}

/** All roots of a monic polynomial that splits into distinct factors, else null (Berlekamp's trace algorithm). */
function roots(polynomial) {
  let frobenius = [0, 1];
  for (let i = 0; i < 32; i++) frobenius = squared(modulo(frobenius, polynomial), polynomial);
  const plain = modulo([0, 1], polynomial);
  if (String(frobenius) !== String(plain)) return null;
  return split(polynomial, 0);
}

function split(polynomial, bit) {
  if (polynomial.length === 1) return [];
  if (polynomial.length === 2) return [polynomial[0]];
  for (; bit < 32; bit++) {
    let term = modulo([0, (1 << bit) >>> 0], polynomial);
    let trace = [...term];
    for (let i = 1; i < 32; i++) {
      term = squared(term, polynomial);
      term.forEach((value, at) => (trace[at] = ((trace[at] ?? 0) ^ value) >>> 0));
      for (let at = 0; at < trace.length; at++) trace[at] ??= 0;
    }
    trace = trimmed(trace);
    if (!trace.length) continue;
    const half = common(polynomial, trace);
    if (half.length === 1 || half.length === polynomial.length) continue;
    return [...split(half, bit + 1), ...split(divided(polynomial, half)[0], bit + 1)];
  }
  return null;
}

/** A filter of `length` octets of some elements, made for `count`. */
export function filter(elements, length, count, salt) {
  const bits = Buffer.alloc(length);
  for (const each of elements) for (const bit of places(each, length, count, salt)) bits[bit >> 3] |= 1 << (bit & 7);
  return bits;
}

export const inFilter = (bits, count, salt, each) => places(each, bits.length, count, salt).every((bit) => bits[bit >> 3] & (1 << (bit & 7)));

function places(each, length, count, salt) {
  const words = blake2b(12, number(each, 4), { salt: number(salt, 1) });
  const hashes = Math.max(1, Math.min(6, halvesToEven((0.69 * 8 * length) / count)));
  return Array.from({ length: hashes }, (_, i) => words.readUInt16BE(2 * i) % (8 * length));
}

function halvesToEven(value) {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 ? floor + 1 : floor;
}

// GF(256): pieces

const EXPONENT = new Uint8Array(510);
const LOGARITHM = new Uint8Array(256);
for (let i = 0, value = 1; i < 255; i++) {
  EXPONENT[i] = EXPONENT[i + 255] = value;
  LOGARITHM[value] = i;
  value = (value << 1) ^ (value & 0x80 ? 0x11d : 0);
}
const product = (a, b) => (a && b ? EXPONENT[LOGARITHM[a] + LOGARITHM[b]] : 0);
const quotient = (a, b) => (a ? EXPONENT[LOGARITHM[a] + 255 - LOGARITHM[b]] : 0);

/** The value at `at` of the polynomial that goes through `known`: [place, octets] each. */
function through(known, at) {
  const octets = Buffer.alloc(known[0][1].length);
  for (const [place, part] of known) {
    let weight = 1;
    for (const [other] of known) if (other !== place) weight = product(weight, quotient(at ^ other, place ^ other));
    for (let i = 0; i < octets.length; i++) octets[i] ^= product(weight, part[i]);
  }
  return octets;
}

/** Piece `index` of a record cut into `parts`. */
export function piece(whole, parts, index) {
  const size = Math.ceil(whole.length / parts);
  const filled = Buffer.alloc(size * parts);
  whole.copy(filled);
  const known = Array.from({ length: parts }, (_, i) => [i, filled.subarray(i * size, (i + 1) * size)]);
  return known.find(([place]) => place === index)?.[1] ?? through(known, index);
}

/** The record of `length` octets out of as many pieces as parts: [index, octets] each. */
export function rebuilt(pieces, length) {
  const parts = pieces.map((_, i) => pieces.find(([index]) => index === i)?.[1] ?? through(pieces, i));
  return Buffer.concat(parts).subarray(0, length);
}
