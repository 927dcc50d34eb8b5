// Sections 1.2 and 1.3: a record read, and each reason to refuse it, in the order of the table.
import { blake2b } from "./blake2b.mjs";
import { checkEvent, readEvent } from "./event.mjs";
import { usable } from "./keys.mjs";
import { hex, Reader, refuse, signed, unhex } from "./octets.mjs";

export const LONGEST = 1752;
const SHORTEST = 80;
const SIGNATURE = 64;
const LAST_MINUTE = 2 ** 24 - 1;
export const KINDS = ["bulletin", "event", "reply", "retraction", "cancellation", "vouch", "revocation", "renewal", "turnout",
  "confirmation"];
const LIVES = [[1, 2160], [0, 12000], [1, 2160], [1, 12000], [1, 12000], [1, 26352], [1, 65535], [1, 26352], [1, 12000], [1, 12000]];
const TARGETED = ["reply", "retraction", "cancellation", "turnout", "confirmation"];
const NEVER_URGENT = ["vouch", "revocation", "renewal", "turnout", "confirmation"];

/** A record out of its octets; refuses with one of the reasons of 1.3. */
export function readRecord(raw) {
  refuse("record-too-long", raw.length > LONGEST);
  refuse("record-too-short", raw.length < SHORTEST);
  refuse("record-version", raw[0] >> 4 !== 1);
  refuse("record-kind", (raw[0] & 15) >= KINDS.length);
  const record = readFields(raw);
  check(record);
  record.id = hex(blake2b(16, raw, { person: "archipel-record" }));
  record.root = rootOf(record);
  return record;
}

function readFields(raw) {
  const reader = new Reader(raw.subarray(0, -SIGNATURE), "record-too-short");
  const kind = KINDS[reader.number(1) & 15];
  const flags = reader.number(1);
  const subject = reader.number(1);
  const record = {
    raw, kind, body: raw.subarray(0, -SIGNATURE), signature: raw.subarray(-SIGNATURE),
    urgent: Boolean(flags & 0x80), corrects: Boolean(flags & 0x40), placed: Boolean(flags & 0x20), byRadio: Boolean(flags & 0x10),
    codec: flags & 15, language: subject >> 4, topic: subject & 15,
    author: reader.hex(8), created: reader.number(3), life: 0, target: null, position: null,
  };
  if (kind === "event") record.event = readEvent(reader);
  record.fieldsEnd = reader.at; // where life, target and position begin
  if (kind !== "event" || record.corrects) readLife(record, reader);
  if (TARGETED.includes(kind) || record.corrects) record.target = reader.hex(8);
  if (record.placed) record.position = [signed(reader.number(3), 24), signed(reader.number(3), 24)];
  if (kind === "vouch") record.vouch = { subject: reader.hex(32), rights: reader.number(1) };
  if (kind === "revocation") record.revocation = { subject: reader.hex(8), since: reader.number(3) };
  if (kind === "turnout") record.turnout = { number: reader.number(1), level: reader.number(1) };
  if (kind === "confirmation") record.confirmation = { holds: reader.number(1) };
  if (kind === "renewal") record.renewal = readRenewal(reader);
  record.packed = reader.rest();
  return record;
}

function readLife(record, reader) {
  record.life = reader.number(2);
  if (record.kind !== "bulletin") return;
  record.offer = Boolean(record.life & 0x8000);
  record.need = Boolean(record.life & 0x4000);
  record.life &= 0x3fff;
}

function readRenewal(reader) {
  const renewal = { since: reader.number(3), fingerprint: reader.hex(16), ephemeral: reader.hex(32), seats: [] };
  do renewal.seats.push({ key: reader.hex(8), masked: reader.hex(32) });
  while (reader.left);
  return renewal;
}

function check(record) {
  const { kind, vouch, event, turnout, confirmation, renewal } = record;
  if (vouch) {
    refuse("record-rights", vouch.rights === 0 || (vouch.rights & 0xe0) !== 0);
    refuse("record-key", !usable(unhex(vouch.subject)));
  }
  refuse("record-flags", record.offer && record.need);
  refuse("record-flags", record.byRadio && !["bulletin", "event", "reply"].includes(kind));
  refuse("record-flags", record.corrects && !["bulletin", "event"].includes(kind));
  refuse("record-flags", record.urgent && NEVER_URGENT.includes(kind));
  if (event) checkEvent(event, record.created);
  if (turnout) refuse("record-turnout", turnout.number > 127 || turnout.level < 1 || turnout.level > 6 || record.packed.length > 0);
  if (confirmation) refuse("record-confirmation", confirmation.holds > 1 || record.packed.length > 0);
  const [least, most] = LIVES[KINDS.indexOf(kind)];
  refuse("record-life", record.life < least || record.life > most);
  record.expires = expiryOf(record);
  refuse("record-life", record.expires <= record.created || record.expires > LAST_MINUTE);
  if (renewal) checkRenewal(renewal, record.created);
  if (record.position) refuse("record-position", kind !== "event" || record.position.includes(-0x800000));
}

function expiryOf({ created, life, event, corrects }) {
  const byLife = created + 60 * life;
  if (!event) return byLife;
  return corrects ? Math.max(byLife, event.end + 1440) : event.end + 1440;
}

function checkRenewal({ since, seats }, created) {
  refuse("record-renewal", since < created || since > created + 10080);
  refuse("record-renewal", seats.some((seat, i) => i > 0 && seat.key <= seats[i - 1].key));
}

/** Section 3.2: what versions of one thing have in common, or null. */
function rootOf(record) {
  if (record.vouch || record.revocation || record.renewal) return null;
  if (record.turnout) return hex(unhex(record.target).map((octet) => octet ^ 0xff));
  if (record.confirmation) return hex(unhex(record.target).map((octet) => octet ^ 0xaa));
  return record.corrects || record.kind === "retraction" ? record.target : record.id.slice(0, 16);
}
