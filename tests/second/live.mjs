// Section 3: which of the records held are live, and why the others are not.
import { blake2b } from "./blake2b.mjs";
import { join, unhex } from "./octets.mjs";
import { byAge, within } from "./quota.mjs";
import { Trust } from "./trust.mjs";

const AHEAD = 1440;

/** Whether x beats y, of one author and one root (3.2). */
function beats(x, y) {
  if (x.root === null || x.root !== y.root || x.expires < y.expires) return false;
  const [ends, ended] = [x.kind === "retraction", y.kind === "retraction"];
  return ends !== ended ? ends : byAge(x, y) > 0;
}

/** {trust, live: records, reasons: id -> why it is not live} of what is held at a minute. */
export function judge(set, held, now) {
  const reasons = new Map();
  const records = [...new Map(held.map((record) => [record.id, record])).values()];
  const pass = (reason, wrong) => (record) => !wrong(record) || (reasons.set(record.id, reason), false);
  const timely = records.filter(pass("expired", (r) => now >= r.expires)).filter(pass("early", (r) => r.created > now + AHEAD && r.kind !== "retraction"));
  const trust = new Trust(set, timely.filter((record) => record.vouch || record.revocation));
  const allowed = timely.filter((record) => {
    const reason = trust.refusal(record);
    if (reason) reasons.set(record.id, reason);
    return !reason;
  });
  const live = [];
  for (const own of byAuthor(allowed)) live.push(...ofAuthor(own, trust, reasons));
  return { trust, live, reasons };
}

function byAuthor(records) {
  const groups = new Map();
  for (const record of records) groups.set(record.author, [...(groups.get(record.author) ?? []), record]);
  return groups.values();
}

function ofAuthor(records, trust, reasons) {
  const over = new Set(records);
  const taken = within(records, (record, taken) => {
    const winners = taken.filter((other) => beats(other, record));
    const beaten = winners.some((winner) => winner.kind === "retraction") ? "retracted" : "superseded";
    if (winners.length || !trust.signed(record)) reasons.set(record.id, winners.length ? beaten : "signature");
    return !reasons.has(record.id);
  });
  for (const record of taken) over.delete(record);
  for (const record of over) if (!reasons.has(record.id)) reasons.set(record.id, "over-share");
  return taken;
}

/** Section 6.4: the fingerprint of a set of live ids in hexadecimal. */
export const fingerprint = (ids) =>
  blake2b(16, join(...ids.map((id) => id.slice(0, 16)).sort().map(unhex)), { person: "archipel-lan-set" });
