// A record as the vectors tell it.
import { hex } from "./octets.mjs";

export function told(record) {
  const { id, kind, author, created, expires, life, urgent, byRadio, language, topic, codec, target, position } = record;
  const fields = { id, kind, author, created, expires, life, urgent, by_radio: byRadio, language, topic, codec, marks: marksOf(record) };
  Object.assign(fields, { packed: hex(record.packed), target, position });
  for (const part of ["vouch", "revocation", "renewal", "turnout"]) if (record[part]) fields[part] = record[part];
  if (record.confirmation) fields.confirmation = { holds: Boolean(record.confirmation.holds) };
  if (record.event) fields.event = eventTold(record.event);
  return fields;
}

function marksOf({ offer, need, event }) {
  const marks = [];
  if (event?.marks & 1) marks.push("children");
  if (event?.marks & 2) marks.push("step_free");
  if (event?.shape & 4) marks.push("free");
  if (offer) marks.push("offer");
  if (need) marks.push("need");
  return marks;
}

function eventTold({ start, length, offset, wholeDays, shifts, repetition, foreign, dates }) {
  const told = { start, length, offset, whole_days: wholeDays, shifts, repetition: null, dates };
  if (repetition) {
    const { rhythm, every, count, weekdays, exempt } = repetition;
    told.repetition = { rhythm, every, count, weekdays, exempt };
  }
  if (foreign) told.foreign = foreign;
  return told;
}
