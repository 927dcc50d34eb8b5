// One process that answers questions, a line of JSON each, with {ok: value} or {no: reason}: see `asking.py`.
import { createInterface } from "node:readline";
import * as carry from "./carry.mjs";
import * as codes from "./codes.mjs";
import { foreignKey, witnesses } from "./foreign.mjs";
import { makeSet } from "./keys.mjs";
import { fingerprint, judge } from "./live.mjs";
import { hex, unhex, verdict } from "./octets.mjs";
import { readPacket } from "./packet.mjs";
import { readCharter, readInvitation } from "./papers.mjs";
import { readRecord } from "./record.mjs";
import { speaksWith } from "./renewal.mjs";
import { readText } from "./text.mjs";
import { told } from "./told.mjs";
import { RIGHTS } from "./trust.mjs";
import { all, models } from "./vectors.mjs";

let set = null;
let loaded = null;

const QUESTIONS = {
  vectors: () => all(),
  set: (charter) => hex((set = makeSet(charter)).id),
  record: ({ hex: raw }) => told(readRecord(unhex(raw))),
  text: ({ codec, packed }) => readText((loaded ??= models()), codec, unhex(packed)),
  live: ({ held, now, seed, key }) => {
    const read = held.map((raw) => verdict(() => readRecord(unhex(raw))));
    return setTold(judge(set, read.flatMap(({ ok }) => ok ?? []), now), { now, seed, key });
  },
  packet: ({ key, packet }) => readPacket(unhex(key), unhex(packet)),
  element: ({ key, id, day }) => codes.element(unhex(key), id, day),
  filter: ({ elements, length, salt, others }) => {
    const bits = codes.filter(elements, length, elements.length, salt);
    return { bits: hex(bits), holds: others.map((each) => codes.inFilter(bits, elements.length, salt, each)) };
  },
  sketch: ({ elements, capacity }) => codes.sketch(elements, capacity),
  difference: ({ sums }) => codes.decodeSketch(sums),
  pieces: ({ whole, parts, indexes }) => indexes.map((index) => hex(codes.piece(unhex(whole), parts, index))),
  rebuilt: ({ pieces, length }) => hex(codes.rebuilt(pieces.map(([index, content]) => [index, unhex(content)]), length)),
  charter: ({ hex: octets }) => readCharter(unhex(octets)),
  invitation: ({ hex: octets }) => {
    const { charter, made, maker, seed, records } = readInvitation(unhex(octets));
    return { charter, made, maker, seed, records: records.map((record) => hex(record.raw)) };
  },
  sealed: ({ slot, raw }) => hex(carry.sealed(set, unhex(slot), unhex(raw))),
  unsealed: ({ slot, message }) => hex(carry.unsealed(set, unhex(slot), unhex(message))),
  bundle: ({ hex: octets }) => {
    const { header, records, faults } = carry.readBundle(unhex(octets));
    return { header, records: records.map(hex), faults };
  },
  lan: ({ message, question }) => hex(carry.lanOpened(set, unhex(message), question && unhex(question)).content),
  asked: ({ content }) => carry.readAsked(unhex(content)),
  letters: ({ text }) => carry.readLetters(text),
  foreign: ({ uid, which, origin }) => foreignKey(uid, which, origin),
};

function setTold({ live, reasons, trust }, { now, seed, key }) {
  const ids = live.map((record) => record.id).sort();
  const names = Object.fromEntries([...trust.standings.keys.keys()].sort().map((id) => [id, trust.standings.naming(id)?.id ?? null]));
  const found = { live: ids, reasons: Object.fromEntries(reasons), fingerprint: hex(fingerprint(ids)), names };
  const { standings } = trust; // a right without end, of founders, is null
  found.rights = Object.fromEntries([...standings.keys.keys()].map((id) => [id, RIGHTS.map((right) => standings.until(id, right, now))]));
  found.cuts = Object.fromEntries([...standings.cuts].filter(([, minute]) => minute < Infinity));
  if (seed) found.secret = speaksWith(set, live, unhex(seed), now);
  if (key) found.witnesses = witnesses(live, key);
  return found;
}

for await (const line of createInterface({ input: process.stdin })) {
  const { ask, ...question } = JSON.parse(line);
  console.log(JSON.stringify(verdict(() => QUESTIONS[ask](question))));
}
