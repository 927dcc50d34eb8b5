// Section 1.2: the shape of an event, and the minutes of its dates.
import { refuse, signed } from "./octets.mjs";

const DAY = 1440;
const EPOCH_WEEKDAY = 0; // 2024-01-01 was a Monday
const WRONG = "record-event";
const SEVERAL_WEEKDAYS = 5;

/** The fields of an event, as they stand; what is wrong with them `checkEvent` says, in its turn. */
export function readEvent(reader) {
  const event = { start: reader.number(3), length: reader.number(2), shifts: [], repetition: null, foreign: null };
  const clocks = reader.number(1);
  event.offset = signed(clocks & 0x7f, 7);
  event.shape = clocks & 0x80 ? reader.number(1) : null;
  event.wholeDays = Boolean(event.shape & 0x80);
  event.marks = event.shape & 0x08 ? reader.number(1) : null;
  for (let i = 0; i < (event.shape & 3); i++)
    event.shifts.push([15 * (Math.floor(event.start / 15) + reader.number(2)), signed(reader.number(1), 8)]);
  if (event.shape & 0x40) event.repetition = readRepetition(reader, event.shape & 0x20);
  if (event.shape & 0x10) {
    const key = reader.hex(8);
    const sequence = reader.number(2);
    const modified = reader.number(3);
    const off = Boolean(sequence & 0x8000);
    event.foreign = { key, sequence: sequence & 0x3fff, off, tentative: Boolean(sequence & 0x4000), modified };
  }
  return event;
}

function readRepetition(reader, exempted) {
  const octet = reader.number(1);
  const repetition = { rhythm: octet >> 4, every: octet & 15, weekdays: 0, exempt: [] };
  if (repetition.rhythm === SEVERAL_WEEKDAYS) repetition.weekdays = reader.number(1);
  repetition.count = reader.number(1);
  const exemptions = exempted ? reader.number(1) : 0;
  repetition.noExemption = Boolean(exempted) && exemptions === 0;
  for (let i = 0; i < exemptions; i++) {
    const number = reader.number(1);
    repetition.exempt.push([number & 0x7f, number & 0x80 ? signed(reader.number(2), 16) : null]);
  }
  return repetition;
}

/** Refuse what 1.3 calls `record-event`; adds `dates`: [start, end, offset then, offset at its end, ""/"off"/"moved"]. */
export function checkEvent(event, created) {
  refuse(WRONG, Math.abs(event.offset) > 56);
  checkShape(event);
  event.dates = datesOf(event);
  event.end = Math.max(...event.dates.map((date) => date[1]));
  refuse(WRONG, event.end > created + 400 * DAY || event.dates.some((date) => date[0] < 0));
  let offset = event.offset;
  let earlier = event.start;
  for (const [minute, next] of event.shifts) {
    refuse(WRONG, Math.abs(next) > 56 || next === offset || minute <= earlier || minute > event.end);
    [earlier, offset] = [minute, next];
  }
  if (event.foreign) refuse(WRONG, event.foreign.modified > created + DAY || (event.foreign.off && event.foreign.tentative));
}

function checkShape({ shape, marks, repetition, wholeDays, start, length, offset, shifts }) {
  refuse(WRONG, shape === 0 || marks === 0 || marks > 3);
  refuse(WRONG, Boolean(shape & 0x20) && !repetition);
  if (wholeDays) {
    const begins = start + 15 * offset;
    const ends = start + length + 15 * offsetAt(start + length, offset, shifts);
    refuse(WRONG, begins % DAY !== 0 || ends % DAY !== 0 || length === 0);
  }
  if (!repetition) return;
  const { rhythm, every, count, weekdays, exempt, noExemption } = repetition;
  refuse(WRONG, rhythm > 5 || every === 0 || count < 2 || count > 128 || noExemption);
  if (rhythm === SEVERAL_WEEKDAYS) {
    const own = 1 << weekday(Math.floor((start + 15 * offset) / DAY));
    refuse(WRONG, weekdays > 0x7f || !(weekdays & own) || weekdays === own);
  }
  exempt.forEach(([number, moved], i) => {
    refuse(WRONG, number >= count || moved === 0 || (i > 0 && number <= exempt[i - 1][0]));
    refuse(WRONG, wholeDays && moved !== null && moved % DAY !== 0);
  });
}

const weekday = (day) => (((day + EPOCH_WEEKDAY) % 7) + 7) % 7;

function offsetAt(minute, offset, shifts) {
  for (const [from, next] of shifts) if (from <= minute) offset = next;
  return offset;
}

/** The minute at which the clocks show `shown`: the first of two; an hour later where clocks pass it over. */
function minuteOf(shown, { offset, shifts }) {
  const offsets = [offset, ...shifts.map((shift) => shift[1])];
  const fitting = offsets.map((each) => shown - 15 * each).filter((minute) => minute + 15 * offsetAt(minute, offset, shifts) === shown);
  if (fitting.length) return Math.min(...fitting);
  // passed over by a change from `before` to a later offset: counted on by the clocks as they were
  for (let i = 0; i < shifts.length; i++) {
    const [from, after] = shifts[i];
    if (from + 15 * offsets[i] <= shown && shown < from + 15 * after) return shown - 15 * offsets[i];
  }
  return shown - 15 * offset;
}

function datesOf(event) {
  const { start, length, offset, shifts, repetition } = event;
  const shownStart = start + 15 * offset;
  const shownLength = Math.max(0, length + 15 * (offsetAt(start + length, offset, shifts) - offset));
  const exempt = new Map(repetition ? repetition.exempt : []);
  const days = repetition ? daysOf(Math.floor(shownStart / DAY), repetition) : [Math.floor(shownStart / DAY)];
  return days.map((day, number) => {
    const moved = exempt.get(number);
    const shown = shownStart + (day - days[0]) * DAY + (moved ?? 0);
    // the first one begins and ends as it says, also in an hour that comes twice
    const begin = number === 0 && !moved ? start : minuteOf(shown, event);
    const shownBegin = begin + 15 * offsetAt(begin, offset, shifts); // an hour later, where clocks pass it over
    const end = length === 0 ? begin : number === 0 && !moved ? start + length : minuteOf(shownBegin + shownLength, event);
    const state = moved === undefined ? "" : moved === null ? "off" : "moved";
    return [begin, end, offsetAt(begin, offset, shifts), offsetAt(end, offset, shifts), state];
  });
}

/** The days (since 2024) of all dates, or a refusal if they reach beyond 400 days. */
function daysOf(first, { rhythm, every, count, weekdays }) {
  const days = [];
  for (const day of candidates(first, rhythm, every, weekdays)) {
    refuse(WRONG, day > first + 400);
    days.push(day);
    if (days.length === count) return days;
  }
  throw new Error("unreachable: candidates go on for ever");
}

function* candidates(first, rhythm, every, weekdays) {
  if (rhythm === SEVERAL_WEEKDAYS) {
    for (let monday = first - weekday(first); ; monday += 7 * every)
      for (let i = 0; i < 7; i++) if ((weekdays >> i) & 1 && monday + i >= first) yield monday + i;
  }
  if (rhythm < 2) for (let day = first; ; day += every * (rhythm ? 7 : 1)) yield day;
  const date = new Date(Date.UTC(2024, 0, 1 + first));
  const [year, month, ofMonth] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  const sinceEpoch = (m, d) => Math.round((Date.UTC(year, m, d) - Date.UTC(2024, 0, 1)) / 86400000);
  for (let m = month; ; m += every) {
    const [begins, next] = [sinceEpoch(m, 1), sinceEpoch(m + 1, 1)];
    let day = begins + ofMonth - 1;
    if (rhythm === 3) day = begins + ((weekday(first) - weekday(begins) + 7) % 7) + 7 * Math.floor((ofMonth - 1) / 7);
    if (rhythm === 4) {
      const last = sinceEpoch(month + 1, 1) - 1;
      const fromLast = Math.floor((last - first) / 7);
      day = next - 1 - ((weekday(next - 1) - weekday(first) + 7) % 7) - 7 * fromLast;
    }
    if (begins <= day && day < next) yield day;
    if (begins > first + 400) yield begins; // beyond all that may be: refused
  }
}
