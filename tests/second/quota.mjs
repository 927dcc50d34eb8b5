// Section 3.3: how much of one author is in the set.
import { by } from "./octets.mjs";

const QUOTAS = {
  posts: { records: 1024, octets: 262144, oldest: false },
  retraction: { records: 1024, octets: 131072, oldest: false },
  cancellation: { records: 512, octets: 131072, oldest: false },
  vouch: { records: 512, octets: 131072, oldest: true },
  revocation: { records: 512, octets: 131072, oldest: true },
  renewal: { records: 64, octets: 112128, oldest: false },
  turnout: { records: 128, octets: 16384, oldest: false },
  confirmation: { records: 64, octets: 8192, oldest: false },
};
const POSTS = ["bulletin", "event", "reply"];

const quotaOf = (record) => (POSTS.includes(record.kind) ? "posts" : record.kind);

/** The order of versions and of quotas, lowest first. */
export const byAge = by(
  (record) => record.created,
  (record) => record.corrects,
  (record) => record.id,
);

/** Those of one author's records that fit, in the order of their quotas; `keep(record, taken)` says whether one may be in at all. */
export function within(records, keep = () => true) {
  const used = {};
  const taken = [];
  const first = (record) => QUOTAS[quotaOf(record)].oldest;
  const ordered = [...records.filter(first).sort(byAge), ...records.filter((record) => !first(record)).sort(byAge).reverse()];
  ordered.sort(by((record) => record.kind !== "retraction")); // stable: retractions go before what they may beat
  for (const record of ordered) {
    if (!keep(record, taken)) continue;
    const quota = quotaOf(record);
    const room = (used[quota] ??= { ...QUOTAS[quota] });
    if (room.records < 1 || room.octets < record.raw.length) continue;
    room.records -= 1;
    room.octets -= record.raw.length;
    taken.push(record);
  }
  return taken;
}
