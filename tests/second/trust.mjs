// Section 2: who may write, from the vouches and revocations held.
import { keyId, signs } from "./keys.mjs";
import { by, unhex } from "./octets.mjs";
import { within } from "./quota.mjs";

export const WRITE = 1;
export const URGENT = 2;
export const VOUCH = 4;
export const INVITE = 8;
export const GROUP = 16;
export const RIGHTS = [WRITE, URGENT, VOUCH, INVITE, GROUP];
const ROUNDS = 3;
const NEVER = Infinity; // of a cut, or of what is taken back

/** The lowest value of a map's entry, kept. */
function lower(map, key, minute) {
  map.set(key, Math.min(map.get(key) ?? NEVER, minute));
}

/** Whether a record's signature is that of the key; worked out once. */
function signed(set, record, key) {
  record.signedBy ??= new Map();
  if (!record.signedBy.has(key)) record.signedBy.set(key, signs(set.id, unhex(key), record.body, record.signature));
  return record.signedBy.get(key);
}

/** Who may do what, by one set of cuts and of what was taken back (2.1, 2.2). */
class Standings {
  constructor(set, vouches, cuts, takenBack) {
    Object.assign(this, { set, vouches, cuts, takenBack });
    this.keys = new Map(); // key id -> {public, grants: vouch id, minute from which it is taken back -> grant, branch}
    for (const [id, key] of set.founders) this.keys.set(id, { public: key, grants: new Map(), branch: id });
    for (let round = 1; round <= ROUNDS; round++) this.round(round);
    this.uses();
  }

  cut(key) {
    return this.cuts.get(key) ?? NEVER;
  }

  taken(author, key) {
    return this.takenBack.get(author + key) ?? NEVER;
  }

  /** Until when a key has a right for what it signs at a minute; 0 if it has not. */
  until(key, right, minute) {
    if (this.set.founders.has(key) && right & (WRITE | URGENT | VOUCH)) return NEVER;
    let latest = 0;
    for (const grant of this.keys.get(key)?.grants.values() ?? [])
      if (minute < grant.taken) latest = Math.max(latest, grant.ends[right] ?? 0);
    return latest;
  }

  /** Whether a key has a right at all, at whatever minute. */
  ever(key, right) {
    return this.until(key, right, -1) > 0;
  }

  /** The vouches of a key that it was not cut before, and whose signature is right; of these what `fits` and its quota holds. */
  ownVouches(key, fits = () => true) {
    const { public: own } = this.keys.get(key);
    return within((this.vouches.get(key) ?? []).filter((v) => v.created < this.cut(key) && signed(this.set, v, own) && fits(v)));
  }

  round(round) {
    const given = [];
    for (const author of this.keys.keys()) {
      if (!this.ever(author, VOUCH)) continue;
      for (const vouch of this.ownVouches(author)) {
        const until = this.until(author, VOUCH, vouch.created);
        if (until) given.push(this.gift(author, vouch, until, round));
      }
    }
    this.take(given);
  }

  gift(author, vouch, until, round) {
    const subject = keyId(unhex(vouch.vouch.subject));
    const ends = {};
    const latest = Math.min(until, vouch.expires);
    const { rights } = vouch.vouch;
    for (const right of RIGHTS.filter((each) => rights & each)) ends[right] = latest;
    if (rights & INVITE) for (const right of RIGHTS) if (right !== INVITE) delete ends[right];
    if (round === ROUNDS) delete ends[VOUCH];
    if (URGENT in ends) ends[URGENT] = Math.min(latest, this.until(author, URGENT, vouch.created));
    if (ends[URGENT] === 0) delete ends[URGENT];
    return { author, subject, vouch, round, ends, taken: this.taken(author, subject) };
  }

  take(given) {
    given.sort(by((grant) => grant.author, (grant) => grant.vouch.id));
    for (const grant of given.filter(({ ends }) => Object.keys(ends).length)) {
      const { subject, vouch, author, ends } = grant;
      if (!this.keys.has(subject)) this.keys.set(subject, { public: vouch.vouch.subject, grants: new Map(), branch: null });
      const key = this.keys.get(subject);
      if (key.public !== vouch.vouch.subject) continue; // of two with one key id the first reached stands
      if (VOUCH in ends) key.branch ??= this.set.founders.has(author) ? subject : this.keys.get(author).branch;
      const place = `${vouch.id} ${grant.taken}`;
      const known = key.grants.get(place);
      if (!known) key.grants.set(place, grant);
      else for (const right in ends) known.ends[right] = Math.max(known.ends[right] ?? 0, ends[right]);
    }
  }

  /** The invitations of a key that count: of each keeper's the one whose own vouch expires last. */
  invitations(key) {
    const given = [...(this.keys.get(key)?.grants.values() ?? [])].filter((grant) => grant.ends[INVITE]);
    given.sort(by((grant) => grant.vouch.expires, (grant) => grant.vouch.id));
    return [...new Map(given.map((grant) => [grant.author, grant])).values()];
  }

  isUse(vouch) {
    return this.invitations(vouch.author).some((grant) => fitsInvitation(vouch, grant.vouch));
  }

  uses() {
    const given = [];
    for (const key of [...this.keys.keys()]) {
      const invitations = this.invitations(key);
      if (!invitations.length) continue;
      const own = this.ownVouches(key, (vouch) => this.ever(key, VOUCH) || this.isUse(vouch));
      for (const { author, vouch: invitation, ends } of invitations) {
        const until = this.taken(author, key);
        const use = own.find((vouch) => fitsInvitation(vouch, invitation) && vouch.created < until);
        if (use) given.push(this.handedOn(author, invitation, ends[INVITE], use));
      }
    }
    this.take(given);
  }

  handedOn(author, invitation, end, use) {
    const subject = keyId(unhex(use.vouch.subject));
    const rights = invitation.vouch.rights & use.vouch.rights & (WRITE | GROUP);
    const ends = {};
    for (const right of [WRITE, GROUP]) if (rights & right) ends[right] = end;
    const taken = Math.min(this.taken(use.author, subject), this.taken(author, subject));
    return { author: use.author, subject, vouch: use, round: ROUNDS + 1, ends, taken };
  }

  /** The vouch whose text names a key, or null. */
  naming(key) {
    let grants = [...(this.keys.get(key)?.grants.values() ?? [])];
    if (this.set.founders.has(key)) grants = grants.filter((grant) => grant.author === key);
    const first = Math.min(...grants.map((grant) => grant.round));
    grants = grants.filter((grant) => grant.round === first).sort(by((grant) => grant.vouch.created, (grant) => grant.vouch.id));
    return grants.length ? grants.at(-1).vouch : null;
  }
}

const fitsInvitation = (use, invitation) => use.created >= invitation.created && use.expires >= invitation.expires;

/** Section 2.3 and 2.4: the standings of a set from the papers (vouches, revocations) that are held and have not expired. */
export class Trust {
  constructor(set, papers) {
    this.set = set;
    this.vouches = grouped(papers.filter((paper) => paper.vouch));
    const revocations = grouped(papers.filter((paper) => paper.revocation));
    const ofFounders = this.foundersRevocations(revocations);
    this.firstCuts = this.cutByFounders(ofFounders);
    this.first = new Standings(set, this.vouches, this.firstCuts, new Map());
    this.revocations = [...ofFounders, ...this.othersRevocations(revocations)];
    const counted = this.revocations.filter((paper) => paper.created < this.first.cut(paper.author));
    const takenBack = new Map();
    for (const { author, revocation } of counted) lower(takenBack, author + revocation.subject, revocation.since);
    this.standings = new Standings(set, this.inSet(), this.lastCuts(counted), takenBack);
  }

  foundersRevocations(revocations) {
    return [...this.set.founders].flatMap(([id, key]) => within((revocations.get(id) ?? []).filter((paper) => signed(this.set, paper, key))));
  }

  /** Steps 1 and 2. */
  cutByFounders(papers) {
    const { founders } = this.set;
    const cuts = new Map();
    const voices = new Map(); // founder -> founder who says so -> the lowest minute
    for (const { author, revocation } of papers.filter((paper) => founders.has(paper.revocation.subject))) {
      if (!voices.has(revocation.subject)) voices.set(revocation.subject, new Map());
      lower(voices.get(revocation.subject), author, revocation.since);
    }
    for (const [subject, said] of voices) {
      const agreed = [...said.values()].sort((a, b) => a - b)[Math.floor(founders.size / 2)] ?? NEVER;
      cuts.set(subject, Math.min(agreed, said.get(subject) ?? NEVER));
    }
    const atFirst = new Map(cuts);
    for (const { author, created, revocation } of papers)
      if (!founders.has(revocation.subject) && created < (atFirst.get(author) ?? NEVER)) lower(cuts, revocation.subject, revocation.since);
    return cuts;
  }

  /** Of keys that are no founders: by who may vouch, or about itself; before its first cut; within its quota. */
  othersRevocations(revocations) {
    const { first, set } = this;
    return [...revocations].flatMap(([author, papers]) => {
      const key = first.keys.get(author);
      if (!key || set.founders.has(author)) return [];
      const own = papers.filter(({ created, revocation }) => first.until(author, VOUCH, created) || revocation.subject === author);
      return within(own.filter((paper) => paper.created < first.cut(author) && signed(set, paper, key.public)));
    });
  }

  /** Vouches in the set by the first standings, by author. */
  inSet() {
    const { first } = this;
    const all = [...first.keys.keys()].flatMap((key) =>
      first.ownVouches(key, (vouch) => first.until(key, VOUCH, vouch.created) || first.isUse(vouch)),
    );
    return grouped(all);
  }

  /** Step 3: cuts by oneself, and by keepers of enough branches. */
  lastCuts(counted) {
    const { first } = this;
    const vouchers = [...first.keys.keys()].filter((key) => first.ever(key, VOUCH));
    const enough = Math.max(2, Math.floor(vouchers.length / 3) + 1);
    const cuts = new Map(this.firstCuts);
    const voices = new Map();
    for (const { author, revocation } of counted) {
      const { subject, since } = revocation;
      if (author === subject) lower(cuts, subject, since);
      const { branch } = first.keys.get(author);
      if (!branch) continue;
      if (!voices.has(subject)) voices.set(subject, new Map());
      lower(voices.get(subject), branch, since);
    }
    for (const [subject, said] of voices) {
      const minutes = [...said.values()].sort((a, b) => a - b);
      if (minutes.length >= enough) lower(cuts, subject, minutes[enough - 1]);
    }
    return cuts;
  }

  /** Section 2.4: null if the author may sign this record, else the reason. */
  refusal(record) {
    const first = Boolean(record.vouch || record.revocation);
    const standings = first ? this.first : this.standings;
    if (!standings.keys.has(record.author)) return "penned";
    const always = record.revocation && this.set.founders.has(record.author);
    if (!always && record.created >= standings.cut(record.author)) return "revoked";
    return this.may(record, standings) ? null : "penned";
  }

  may(record, standings) {
    const { author, created } = record;
    if (record.vouch) return Boolean(standings.until(author, VOUCH, created)) || standings.isUse(record);
    if (record.revocation) return Boolean(standings.until(author, VOUCH, created)) || record.revocation.subject === author;
    if (record.renewal) return this.set.founders.has(author);
    return Boolean(standings.until(author, WRITE, created)) && (!record.urgent || Boolean(standings.until(author, URGENT, created)));
  }

  /** Whether the signature is right, by the key that the author is known by. */
  signed(record) {
    const first = Boolean(record.vouch || record.revocation);
    const key = (first ? this.first : this.standings).keys.get(record.author);
    return Boolean(key) && signed(this.set, record, key.public);
  }
}

function grouped(records) {
  const groups = new Map();
  for (const record of records) groups.has(record.author) ? groups.get(record.author).push(record) : groups.set(record.author, [record]);
  return groups;
}
