// Octets in and out: a reader that says when they end too soon, numbers in big-endian, and refusals.

/** Something of others' that docs/protocol.md says to refuse; `message` is the reason. */
export class Refused extends Error {}

/** Stop with the reason, if `wrong`. */
export function refuse(reason, wrong) {
  if (wrong) throw new Refused(reason);
}

/** What `work` gives as {ok: value}, or {no: reason} if it refuses. */
export function verdict(work) {
  try {
    return { ok: work() };
  } catch (error) {
    if (error instanceof Refused) return { no: error.message };
    throw error;
  }
}

export const unhex = (text) => Buffer.from(text, "hex");
export const hex = (octets) => Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString("hex");
export const ascii = (text) => Buffer.from(text, "latin1");
export const join = (...parts) => Buffer.concat(parts);

/** `value` in `length` octets, at most 6. */
export function number(value, length) {
  const octets = Buffer.alloc(length);
  octets.writeUIntBE(value, 0, length);
  return octets;
}

/** A signed number of `bits` bits out of an unsigned one. */
export const signed = (value, bits) => (value >= 2 ** (bits - 1) ? value - 2 ** bits : value);

/** The order of two strings of octets in hexadecimal, or of two numbers, for sort. */
export const order = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

/** Sort by several keys, each a function of an item: the first that differs decides. */
export const by = (...keys) => (a, b) => {
  for (const key of keys) {
    const way = order(key(a), key(b));
    if (way) return way;
  }
  return 0;
};

/** Reads octets from the front; refuses with `reason` when there are too few. */
export class Reader {
  constructor(octets, reason) {
    this.octets = octets;
    this.at = 0;
    this.reason = reason;
  }

  get left() {
    return this.octets.length - this.at;
  }

  take(length) {
    refuse(this.reason, length > this.left);
    this.at += length;
    return this.octets.subarray(this.at - length, this.at);
  }

  number(length) {
    return this.take(length).readUIntBE(0, length);
  }

  hex(length) {
    return hex(this.take(length));
  }

  rest() {
    return this.take(this.left);
  }
}

const STRICT = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The text of strict UTF-8, or a refusal. */
export function utf8(octets, reason) {
  try {
    return STRICT.decode(octets);
  } catch {
    throw new Refused(reason);
  }
}
