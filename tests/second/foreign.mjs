// Section 3.6: events taken over from agendas elsewhere, and which of their witnesses speaks.
import { blake2b } from "./blake2b.mjs";
import { by, hex } from "./octets.mjs";
import { byAge } from "./quota.mjs";

const OVERRULED = 100;

/** A UID that is nobody else's: long, or made with the name of a site. */
const unique = (uid) => [...uid].length >= 20 || /@[^@\s]+\.[^@\s.]+$/u.test(uid);

/** The foreign key; an origin counts only where the UID may be somebody else's. */
export const foreignKey = (uid, which, origin) =>
  hex(blake2b(8, Buffer.from([uid, which, unique(uid) ? "" : origin].join("\n")), { person: "archipel-foreign" }));

const version = ({ event }) => event.foreign.sequence * 2 ** 24 + event.foreign.modified;

/** What a witness says: its octets with nothing of who says it, and when. */
function said(record) {
  const body = Buffer.from(record.body);
  body[1] &= ~0xc0; // urgent, corrects
  body.fill(0, 3, 14); // author, created
  if (!record.corrects) return hex(body);
  const at = record.fieldsEnd; // where life and target stand
  return hex(Buffer.concat([body.subarray(0, at), body.subarray(at + 10)]));
}

/** Of each foreign key, the highest witness of each author: all that counts. */
function highest(live) {
  const found = new Map();
  const foreign = live.filter((record) => record.event?.foreign).sort((a, b) => version(a) - version(b) || byAge(a, b));
  for (const record of foreign) {
    const { key } = record.event.foreign;
    if (!found.has(key)) found.set(key, new Map());
    found.get(key).set(record.author, record);
  }
  return found;
}

/** What overrules another author's, author by author: the first 100 count. */
function beyond(found) {
  const overruling = new Map();
  for (const witnesses of found.values()) {
    const lowest = Math.min(...[...witnesses.values()].map(version));
    for (const record of witnesses.values())
      if (version(record) > lowest) overruling.set(record.author, [...(overruling.get(record.author) ?? []), record]);
  }
  const inOrder = [...overruling.values()].map((records) => records.sort(by((record) => record.created, (record) => record.id)));
  return new Set(inOrder.flatMap((records) => records.slice(OVERRULED)));
}

/** The ids of the witnesses of one foreign key, the one that speaks first. `live` are all live records. */
export function witnesses(live, key) {
  const found = highest(live);
  const refused = beyond(found);
  const counted = [...(found.get(key)?.values() ?? [])].filter((record) => !refused.has(record));
  const alike = new Map();
  const name = (record) => `${version(record)} ${said(record)}`;
  for (const record of counted) alike.set(name(record), (alike.get(name(record)) ?? 0) + 1);
  counted.sort(by((record) => -version(record), (record) => -alike.get(name(record)), (record) => record.created, (record) => record.id));
  return counted.map((record) => record.id);
}
