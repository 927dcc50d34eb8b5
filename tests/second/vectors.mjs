// All of tests/vectors, tried with this implementation: `node tests/second/vectors.mjs` tells what differs.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as carry from "./carry.mjs";
import * as codes from "./codes.mjs";
import { foreignKey, witnesses } from "./foreign.mjs";
import { keyId, makeSet, signs, subkey } from "./keys.mjs";
import { judge } from "./live.mjs";
import { blake2b } from "./blake2b.mjs";
import { ascii, hex, join, number, unhex, verdict } from "./octets.mjs";
import { address, readPacket } from "./packet.mjs";
import { base32, privateKey, publicOf, readCharter, readInvitation } from "./papers.mjs";
import { readRecord } from "./record.mjs";
import { agreementKey, secretFingerprint, speaksWith } from "./renewal.mjs";
import { readModel, readText } from "./text.mjs";
import { told } from "./told.mjs";
import { sign } from "node:crypto";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const read = (name) => JSON.parse(readFileSync(here(`../vectors/${name}.json`), "utf8"));
export const models = () => ["fr", "en", "es", "ar"].map((language) => readModel(here(`../../node/textpack/models/${language}.model`)));

const wrong = [];
let tried = 0;

/** Remember a case whose outcome is not the one that the vectors tell. */
function same(where, found, told) {
  tried += 1;
  if (canonical(found) !== canonical(told)) wrong.push(`${where}: ${canonical(found)} is not ${canonical(told)}`);
}

const canonical = (value) =>
  JSON.stringify(value, (_, inner) => (inner && typeof inner === "object" && !Array.isArray(inner) ? Object.fromEntries(Object.entries(inner).sort()) : inner));

function records() {
  const vectors = read("records");
  const set = makeSet(vectors.charter);
  same("set id", hex(set.id), vectors.charter.set_id);
  for (const [name, key] of Object.entries(vectors.keys)) {
    same(`key ${name}`, keyId(unhex(key.public)), key.key_id);
    same(`seed ${name}`, hex(publicOf(unhex(key.seed))), key.public);
  }
  for (const { name, hex: raw, ...fields } of vectors.accepted) same(`record ${name}`, verdict(() => told(readRecord(unhex(raw)))), { ok: fields });
  for (const { name, hex: raw, reason } of vectors.refused) {
    const { ok: record, no } = verdict(() => readRecord(unhex(raw)));
    same(`refused ${name}`, no ?? judge(set, [record], vectors.now).reasons.get(record.id), reason);
  }
  for (const { name, public: key, body, signature, right } of vectors.signatures)
    same(`signature ${name}`, signs(set.id, unhex(key), unhex(body), unhex(signature)), right);
  for (const [purpose, key] of Object.entries(vectors.subkeys)) same(`subkey ${purpose}`, hex(subkey(set, purpose)), key);
}

function trust(name) {
  const vectors = read(name);
  const set = makeSet(vectors.charter);
  for (const { name: what, now, papers, posts } of vectors.cases)
    for (const post of posts) {
      const record = readRecord(unhex(post.hex));
      const { live } = judge(set, [...papers.map((paper) => readRecord(unhex(paper))), record], now);
      same(`${name}: ${what}`, live.some((each) => each.id === record.id), post.in_set);
    }
}

function live() {
  const vectors = read("live");
  const set = makeSet(vectors.charter);
  for (const { name, now, held } of vectors.cases) {
    const all = held.map((each) => readRecord(unhex(each.hex)));
    const ids = new Set(judge(set, all, now).live.map((record) => record.id));
    all.forEach((record, i) => same(`live: ${name}`, ids.has(record.id), held[i].live));
  }
  for (const made of vectors.made) {
    const founder = vectors.keys[made.author];
    const all = Array.from({ length: 400 }, (_, n) => signedBulletin(set, founder, vectors.now + n, "x".repeat(1 + ((397 * n) % 1600))));
    const kept = new Set(judge(set, all, made.now).live);
    const ids = [...kept].map((record) => record.id).sort();
    same(`${made.name}: ids`, hex(blake2b(16, join(...ids.map(unhex)))), made.digest);
    same(made.name, all.map((record, n) => (kept.has(record) ? n : -1)).filter((n) => n >= 0), made.live);
    same(`${made.name}: octets`, [...kept].reduce((sum, record) => sum + record.raw.length, 0), made.octets);
  }
}

function signedBulletin(set, key, created, text) {
  const body = join(unhex("100000"), unhex(key.key_id), number(created, 3), number(24, 2), ascii(text));
  return readRecord(join(body, sign(null, join(ascii("archipel record 1"), set.id, body), privateKey(unhex(key.seed)))));
}

function foreign() {
  const vectors = read("foreign");
  const set = makeSet(vectors.charter);
  for (const { uid, which, origin, key } of vectors.keys) same(`foreign key of ${uid}`, foreignKey(uid, which, origin), key);
  for (const { name, held, order } of vectors.cases) {
    const all = held.map((each) => readRecord(unhex(each)));
    const key = all.find((record) => record.event?.foreign).event.foreign.key;
    same(`foreign: ${name}`, witnesses(judge(set, all, vectors.now).live, key), order);
  }
}

function invitation() {
  const { accepted, refused } = read("invitation");
  same("charter", readCharter(unhex(accepted.charter)).secret, accepted.secret);
  const found = readInvitation(unhex(accepted.invitation));
  same("invitation", [found.made, found.maker, found.seed], [accepted.made, accepted.maker, accepted.seed]);
  same("its records", found.records.map((record) => hex(record.raw)), accepted.records);
  same("its end", found.records[0].expires, accepted.expires);
  same("its letters", hex(base32(accepted.text.replace(/\s/g, "").toUpperCase())), accepted.invitation);
  const set = makeSet(found.charter);
  const use = readRecord(unhex(accepted.use));
  same("its use", judge(set, [...found.records, use], accepted.used_at).live.includes(use), true);
  same("who came", use.vouch.subject, accepted.newcomer);
  for (const { what, name, hex: octets, reason } of refused)
    same(`${what}: ${name}`, verdict(() => (what === "charter" ? readCharter : readInvitation)(unhex(octets))), { no: reason });
}

function renewal() {
  const vectors = read("renewal");
  const set = makeSet(vectors.charter);
  for (const [name, secret] of Object.entries(vectors.secrets)) same(`secret ${name}`, secretFingerprint(set, unhex(secret)), vectors.fingerprints[name]);
  for (const [name, key] of Object.entries(vectors.agreed)) same(`agreed ${name}`, hex(agreementKey(unhex(vectors.keys[name].public))), key);
  for (const { name, who, now, held, speaks } of vectors.cases) {
    const all = held.map((each) => readRecord(unhex(each)));
    const seed = unhex(vectors.keys[who].seed);
    same(`renewal: ${name}`, speaksWith(set, judge(set, all, now).live, seed, now), speaks === null ? hex(set.secret) : vectors.secrets[speaks]);
  }
}

function texts() {
  const vectors = read("text");
  const loaded = models();
  same("models", loaded.map((model) => model.name), Object.values(vectors.models));
  for (const { codec, text, packed } of vectors.good) same(`text ${text}`, readText(loaded, codec, unhex(packed)), text);
  for (const { what, codec, packed, reason } of vectors.bad) same(what, verdict(() => readText(loaded, codec, unhex(packed))), { no: reason });
}

function packets() {
  const { key, good, bad } = read("packets");
  for (const { what, packet, sender, sequence, sections, strict = false } of good) {
    const expected = sections.map((section) => plain(section));
    same(what, readPacket(unhex(key), unhex(packet)), { sender, sequence, strict, sections: expected });
  }
  for (const { what, packet, reason } of bad) same(what, verdict(() => readPacket(unhex(key), unhex(packet))), { no: reason });
  same("an element", codes.element(unhex(key), "000102030405060708090a0b0c0d0e0f", 730).toString(16), "8bfd2186");
  same("on another day", codes.element(unhex(key), "000102030405060708090a0b0c0d0e0f", 731).toString(16), "d155487f");
}

/** A section as the vectors tell it, its octets without their mark. */
function plain(section) {
  const fields = Object.entries(section).map(([name, value]) => [name, String(value).startsWith("hex:") ? value.slice(4) : value]);
  const found = Object.fromEntries(fields);
  if (found.kind === "have") found.depth ??= 0;
  return found;
}

function pieces() {
  const vectors = read("codes");
  for (const { capacity, sums, elements, of } of vectors.sketches) {
    const numbers = unhex(sums);
    const own = codes.sketch(of.map((each) => parseInt(each, 16)), capacity);
    same(`sketch of ${of.length}`, hex(join(...own.map((sum) => number(sum, 4)))), sums);
    same(`elements of ${of.length}`, codes.decodeSketch(own.map((_, i) => numbers.readUInt32BE(4 * i))), elements && [...elements].sort((a, b) => a - b));
  }
  for (const { whole, parts, pieces: told } of vectors.pieces) {
    for (const [index, content] of Object.entries(told)) same(`piece ${index} of ${parts}`, hex(codes.piece(unhex(whole), parts, Number(index))), content);
    const some = Array.from({ length: parts }, (_, i) => [3 * i + 1, codes.piece(unhex(whole), parts, 3 * i + 1)]);
    same(`rebuilt of ${parts}`, hex(codes.rebuilt(some, unhex(whole).length)), whole);
  }
  same("a filter", hex(codes.filter([0x11223344], 8, 1, 77)), "0010004008130000");
}

function sealing() {
  const vectors = read("sealing");
  const set = makeSet(vectors.charter);
  for (const { name, record, slot, sealed } of vectors.accepted) {
    same(`slot: ${name}`, hex(carry.slotOf(set, unhex(record))), slot);
    same(`sealed: ${name}`, hex(carry.sealed(set, unhex(slot), unhex(record))), sealed);
    same(`unsealed: ${name}`, hex(carry.unsealed(set, unhex(slot), unhex(sealed))), record);
  }
  for (const { name, slot, sealed, reason } of vectors.refused) same(`seal: ${name}`, verdict(() => carry.unsealed(set, unhex(slot), unhex(sealed))), { no: reason });
}

function carried() {
  const vectors = read("carry");
  const set = makeSet(vectors.charter);
  const { made, name, island, records: held, bytes } = vectors.bundle;
  const found = carry.readBundle(unhex(bytes));
  same("bundle", [found.header, found.records.map(hex), found.faults], [{ set: hex(set.id), island, made, name }, held, {}]);
  for (const damaged of vectors["damaged bundles"]) {
    const { records: good, faults } = carry.readBundle(unhex(damaged.bytes));
    same(`bundle: ${damaged.name}`, [good.map(hex), faults], [damaged.records, damaged.faults]);
  }
  for (const { name: what, bytes: octets, reason } of vectors["refused bundles"]) same(`bundle: ${what}`, verdict(() => carry.readBundle(unhex(octets))), { no: reason });
  same("typed", carry.readLetters(vectors.letters.typed), [vectors.letters.record]);
  same("code", carry.readLetters(vectors.letters.code), [vectors.letters.record]);
  for (const letters of vectors.letters.refused) same("letters", carry.readLetters(letters), []);
  same("code of many", carry.readLetters(vectors["codes of many"].codes.join("\n")), vectors["codes of many"].records);
  for (const [who, known] of Object.entries(vectors.addresses)) same(`address of ${who}`, number(address(subkey(set, "tag"), vectors.keys[who].key_id), 2).toString("hex"), known);
  same("root", carry.root(set), vectors.mqtt.root);
  same("topic", carry.topic(set, carry.slotOf(set, unhex(vectors.mqtt.record))), vectors.mqtt.topic);
  lan(set, vectors.lan);
  const trade = vectors["lan trade"];
  lan(set, trade);
  same("what is compared", carry.readAsked(unhex(vectors.lan.asked)).compare.name, "0001020304050607");
  same("what is traded", carry.readAsked(unhex(trade.asked)).trade.records, [vectors.letters.record]);
  for (const { name: what, message, reason } of trade.refused) same(`lan: ${what}`, verdict(() => carry.lanOpened(set, unhex(message), null)), { no: reason });
}

function lan(set, { salt, asked, message, answered, answer }) {
  same("lan question", hex(carry.lanSealed(set, unhex(salt), unhex(asked), null)), message);
  same("lan asked", hex(carry.lanOpened(set, unhex(message), null).content), asked);
  same("lan answered", hex(carry.lanOpened(set, unhex(answer), unhex(salt)).content), answered);
}

/** {tried, wrong}: how many cases there are, and what differs. */
export function all() {
  for (const part of [records, () => trust("trust"), () => trust("founders"), live, foreign, invitation, renewal, texts, packets, pieces, sealing, carried]) part();
  return { tried, wrong };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const outcome = all();
  for (const line of outcome.wrong) console.log(line);
  console.log(`${outcome.tried} cases, ${outcome.wrong.length} differ`);
  process.exitCode = outcome.wrong.length ? 1 : 0;
}
