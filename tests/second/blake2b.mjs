// BLAKE2b (RFC 7693) with key, salt and personalisation, which node:crypto does not offer.
// A word of 64 bits is two of 32 (low, high): several times faster than BigInt.
const SIGMA = [
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
  [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
  [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
  [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
  [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
  [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
  [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
  [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
  [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
  [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];
const IV = new Uint32Array([
  0xf3bcc908, 0x6a09e667, 0x84caa73b, 0xbb67ae85, 0xfe94f82b, 0x3c6ef372, 0x5f1d36f1, 0xa54ff53a,
  0xade682d1, 0x510e527f, 0x2b3e6c1f, 0x9b05688c, 0xfb41bd6b, 0x1f83d9ab, 0x137e2179, 0x5be0cd19,
]);
const V = new Uint32Array(32);
const M = new Uint32Array(32);

/** One quarter of half a round, on V; x and y are places of words in M. Low halves end in 0, high ones in 1. */
function mix(a, b, c, d, x, y) {
  let [a0, b0, c0, d0] = [V[a] | 0, V[b] | 0, V[c] | 0, V[d] | 0];
  let [a1, b1, c1, d1] = [V[a + 1] | 0, V[b + 1] | 0, V[c + 1] | 0, V[d + 1] | 0];
  for (let half = 0; half < 2; half++) {
    let low = (a0 >>> 0) + (b0 >>> 0) + M[half ? y : x];
    a1 = (a1 + b1 + M[(half ? y : x) + 1] + ((low / 4294967296) | 0)) | 0;
    a0 = low | 0;
    const [e0, e1] = [d0 ^ a0, d1 ^ a1]; // to be turned right by 32, then by 16
    d0 = half ? (e0 >>> 16) | (e1 << 16) : e1;
    d1 = half ? (e1 >>> 16) | (e0 << 16) : e0;
    low = (c0 >>> 0) + (d0 >>> 0);
    c1 = (c1 + d1 + ((low / 4294967296) | 0)) | 0;
    c0 = low | 0;
    const [f0, f1] = [b0 ^ c0, b1 ^ c1]; // by 24, then by 63
    b0 = half ? (f0 << 1) | (f1 >>> 31) : (f0 >>> 24) | (f1 << 8);
    b1 = half ? (f1 << 1) | (f0 >>> 31) : (f1 >>> 24) | (f0 << 8);
  }
  [V[a], V[b], V[c], V[d]] = [a0, b0, c0, d0];
  [V[a + 1], V[b + 1], V[c + 1], V[d + 1]] = [a1, b1, c1, d1];
}

function compress(state, block, counted, last) {
  V.set(state, 0);
  V.set(IV, 16);
  V[24] ^= counted; // less than 2^32 octets
  if (last) {
    V[28] = ~V[28];
    V[29] = ~V[29];
  }
  for (let i = 0; i < 32; i++) M[i] = block.readUInt32LE(4 * i);
  for (let round = 0; round < 12; round++) {
    const s = SIGMA[round % 10];
    for (let i = 0; i < 4; i++) mix(2 * i, 8 + 2 * i, 16 + 2 * i, 24 + 2 * i, 2 * s[2 * i], 2 * s[2 * i + 1]);
    for (let i = 0; i < 4; i++)
      mix(2 * i, 8 + 2 * ((i + 1) % 4), 16 + 2 * ((i + 2) % 4), 24 + 2 * ((i + 3) % 4), 2 * s[8 + 2 * i], 2 * s[9 + 2 * i]);
  }
  for (let i = 0; i < 16; i++) state[i] ^= V[i] ^ V[16 + i];
}

/** `size` octets of BLAKE2b of `octets`; `person` is ASCII, `key` and `salt` octets. */
export function blake2b(size, octets, { person = "", key = Buffer.alloc(0), salt = Buffer.alloc(0) } = {}) {
  const parameters = Buffer.alloc(64);
  parameters.set([size, key.length, 1, 1]);
  parameters.set(salt, 32);
  parameters.write(person, 48, "latin1");
  const state = new Uint32Array(IV);
  for (let i = 0; i < 16; i++) state[i] ^= parameters.readUInt32LE(4 * i);
  const prefix = key.length ? 128 : 0;
  const length = prefix + octets.length;
  const input = Buffer.alloc(Math.max(128, Math.ceil(length / 128) * 128));
  input.set(key, 0);
  input.set(octets, prefix);
  for (let at = 0; at < input.length; at += 128)
    compress(state, input.subarray(at, at + 128), Math.min(at + 128, length), at + 128 === input.length);
  const digest = Buffer.alloc(64);
  for (let i = 0; i < 16; i++) digest.writeUInt32LE(state[i], 4 * i);
  return digest.subarray(0, size);
}
