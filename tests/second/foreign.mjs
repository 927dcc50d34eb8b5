// Section 3.6: events taken over from agendas elsewhere, and which of their witnesses speaks.
import { blake2b } from "./blake2b.mjs";
import { by, hex, order } from "./octets.mjs";
import { byAge } from "./quota.mjs";

const OVERRULED = 100;

/** A UID that is nobody else's: long, or made with the name of a site. */
const unique = (uid) => [...uid].length >= 20 || /@.*\./.test(uid);

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

/** The ids of the witnesses of one foreign key, the one that speaks first. `live` are all live records. */
export function witnesses(live, key) {
  const newest = new Map();
  for (const record of live.filter((each) => each.event?.foreign?.key === key)) {
    const other = newest.get(record.author);
    if (!other || order(version(other), version(record)) < 0 || (version(other) === version(record) && byAge(other, record) < 0)) newest.set(record.author, record);
  }
  const counted = [...newest.values()].filter((record) => mayOverrule(record, live));
  const alike = new Map();
  for (const record of counted) alike.set(said(record), (alike.get(said(record)) ?? 0) + 1);
  counted.sort(by((record) => -version(record), (record) => -alike.get(said(record)), (record) => record.created, (record) => record.id));
  return counted.map((record) => record.id);
}

/** Whether a witness is among the first 100 of its author that overrule another author's, if it overrules one. */
function mayOverrule(record, live) {
  const foreign = live.filter((each) => each.event?.foreign);
  const mine = foreign.filter((each) => each.author === record.author && overrules(each, foreign));
  mine.sort(by((each) => each.created, (each) => each.id));
  const place = mine.indexOf(record);
  return place < OVERRULED;
}

const overrules = (record, foreign) =>
  foreign.some((other) => other.author !== record.author && other.event.foreign.key === record.event.foreign.key && version(other) < version(record));
