"""Sets at random: who vouches for whom, revokes, invites, posts, corrects, withdraws, renews; in a few minutes, so that
much collides."""


from node.model.clock import seconds_of
from node.model.confirmation import Confirmation
from node.model.event import Event
from node.model.foreign import Foreign
from node.model.record import COUNTED, MAX_LIFE_H, Kind, Revocation, Right, Vouch, record_id
from node.model.turnout import Turnout
from node.replica.generations import Generation, at_minute
from node.replica.liveset import LiveSet
from node.replica.trust import FOREVER
from node.transfer.lan import fingerprint
from tests.sim.village import DAY, T0, Village, spoilt

FOUNDERS = ("founder", "second", "third")
PEOPLE = ("ana", "ben", "cleo", "dan", "eva", "fred", "gina", "hugo")
TICKETS = ("ticket", "token")
CROWDED = (Kind.TURNOUT, Kind.CONFIRMATION, Kind.VOUCH, Kind.REVOCATION, Kind.RETRACTION, Kind.CANCELLATION, Kind.BULLETIN)
FOREIGN_KEYS = tuple(bytes([n]) * 8 for n in range(3))


class RandomSet:
    """`raws` of a village, all that is held at minute `now`."""

    def __init__(self, rng):
        self.rng = rng
        self.village = Village(*FOUNDERS[:rng.choice((1, 1, 2, 3))])
        self.founders = [name for name in FOUNDERS if self.village.key(name).public in self.village.charter.founders]
        self.people = [*self.founders, *rng.sample(PEOPLE, rng.randint(2, 8)),
                       *rng.sample(TICKETS, rng.choice((0, 1, 1, 2)))]
        self.now = T0 + rng.choice((0, 30, 30, 60, 200, 1440, 10_000))
        self.raws = []
        self.scaffold()
        for _ in range(rng.choice((0, 2, 12))):
            self.add(self.vouch())
        for _ in range(rng.choice((0, 0, 1, 2, 4, 8))):
            self.add(self.revocation())
        for _ in range(rng.choice((0, 0, 1, 2))):
            self.raws += self.renewal()
        for _ in range(rng.randint(0, 40)):
            self.add(self.post())
        rng.shuffle(self.raws)

    def scaffold(self):
        """Keepers let in by founders, or by keepers before them: a chain of some links, or many branches."""
        rng, last = self.rng, list(self.founders)
        if rng.random() < 0.3:
            rng.choice((self.quarrel, self.share_a_ticket))()
            return
        for name in self.people[len(self.founders):]:
            rights = Right(rng.choice((5, 5, 5, 7, 21, 1))) if name not in TICKETS else Right(rng.choice((9, 25)))
            self.add(self.vouch_by(rng.choice(last), name, rights, rng.choice((0, 1, 5)), 10_000))
            if rights & Right.VOUCH:
                last = rng.choice((last, [*last, name], [name]))
            if name in TICKETS:
                rights = Right(rng.choice((1, 17, 21)))
                self.add(self.vouch_by(name, rng.choice(PEOPLE), rights, rng.choice((5, 9)), 10_001))

    def quarrel(self):
        """Keepers of branches of their own, some of whom want one of them, or a founder, out."""
        keepers = self.rng.sample(PEOPLE, self.rng.randint(4, 8))
        self.people = [*self.founders, *keepers]
        for name in keepers:
            self.add(self.vouch_by("founder", name, Right(5), 0, 10_000))
        subject = self.rng.choice((keepers[0], keepers[0], "founder"))
        for name in self.rng.sample(keepers[1:], self.rng.randint(2, 3)):
            since = Revocation(self.village.key(subject).key_id, T0 + self.rng.choice((5, 8, 20)))
            self.add(self.signed(name, Kind.REVOCATION, self.rng.choice((9, 30)), 50_000, detail=since))

    def share_a_ticket(self):
        """A one-time key that two keepers invited, and that may be a keeper's too; one of them wants whom it let in out."""
        rng, (one, other) = self.rng, self.rng.sample(PEOPLE, 2)
        ticket, guests = rng.choice(TICKETS), rng.sample(PEOPLE, 2)
        self.people = [*self.founders, *dict.fromkeys((one, other, ticket, *guests))]
        for name in (one, other):
            self.add(self.vouch_by("founder", name, Right(5), 0, 10_000))
            self.add(self.vouch_by(name, ticket, Right(rng.choice((9, 25))), rng.choice((1, 2)), rng.choice((24, 5_000))))
        if rng.random() < 0.5:
            self.add(self.vouch_by(rng.choice((one, other)), ticket, Right(5), 1, rng.choice((24, 5_000))))
        for guest in guests:
            self.add(self.vouch_by(ticket, guest, Right(rng.choice((1, 9, 17))), rng.choice((2, 3)), 10_001))
            since = Revocation(self.village.key(guest).key_id, T0 + rng.choice((4, 9)))
            self.add(self.signed(rng.choice((one, other, ticket)), Kind.REVOCATION, 9, 50_000, detail=since))

    def vouch_by(self, author, subject, rights, minute, life):
        return self.signed(author, Kind.VOUCH, minute, life, packed=subject.encode(),
                           detail=Vouch(self.village.key(subject).public, rights))

    def add(self, raw):
        self.raws.append(spoilt(raw) if self.rng.random() < 0.03 else raw)

    def who(self, *first):
        """Somebody; of `first` more often than not."""
        return self.rng.choice(first if first and self.rng.random() < 0.6 else self.people)

    def minute(self):
        late = self.rng.choice((DAY, self.now - T0 + DAY + 1))
        return self.rng.choice((0, 1, 2, 5, 10, 20, 30, 60, self.rng.randint(-30, 100), late))

    def vouch(self):
        rng, author = self.rng, self.who(*self.founders, *self.people[:4])
        rights = Right(rng.choice((1, 5, 5, 5, 7, 3, 9, 9, 25, 2, 4, 8, 16, 17, 13, rng.randrange(1, 32))))
        subject = self.who(*TICKETS) if Right.INVITE in rights else self.who()
        text = subject.encode() + rng.choice((b"", b"x"))
        life = rng.choice((1, 2, 3, 24, 24, 10_000, 10_000))
        return self.signed(author, Kind.VOUCH, self.minute(), life, packed=text,
                           detail=Vouch(self.village.key(subject).public, rights))

    def revocation(self):
        subject = self.who()
        author = subject if self.rng.random() < 0.2 else self.who(*self.people[1:])
        since = T0 + self.rng.choice((-10, 0, 5, 15, 30, self.minute()))
        detail = Revocation(self.village.key(subject).key_id, since)
        return self.signed(author, Kind.REVOCATION, self.minute(), self.rng.choice((1, 24, 50_000)), detail=detail)

    def renewal(self):
        rng = self.rng
        members = rng.sample(self.people, rng.randint(1, len(self.people)))
        return self.village.renew(self.who(*self.founders), *members, minute=rng.choice((0, 5, 20)),
                                  wait=rng.choice((0, 10, 60)), secret=rng.choice((b"one", b"two", b"three")))

    def target(self, author):
        """The first half of the id of something that is held, the author's own more often than not; or of nothing."""
        key_id = self.village.key(author).key_id
        own = [raw for raw in self.raws if raw[3:11] == key_id and raw[0] & 15 != Kind.VOUCH]
        if not self.raws or self.rng.random() < 0.05:
            return self.rng.randbytes(8)
        half = record_id(self.rng.choice(own if own and self.rng.random() < 0.8 else self.raws))[:8]
        turned = self.rng.choice((0xFF, 0xAA))  # as the roots of turnouts and confirmations are
        return half if self.rng.random() < 0.9 else bytes(octet ^ turned for octet in half)

    def post(self):
        rng, author, minute = self.rng, self.who(*self.people[:3]), self.minute()
        kind = rng.choice((Kind.BULLETIN, Kind.BULLETIN, Kind.EVENT, Kind.EVENT, Kind.REPLY, Kind.RETRACTION,
                           Kind.RETRACTION, Kind.CANCELLATION, Kind.TURNOUT, Kind.CONFIRMATION))
        life = min(rng.choice((1, 2, 24, 24, 48, 500, 500)), MAX_LIFE_H[kind])
        if kind in (Kind.BULLETIN, Kind.EVENT):
            target = self.target(author) if rng.random() < 0.5 else None
            more = {"urgent": rng.random() < 0.15, "packed": rng.choice((b"un", b"deux", b"trois" * 40))}
            if kind is Kind.BULLETIN:
                return self.signed(author, kind, minute, life, target=target, **more)
            when = Event(T0 + rng.choice((-DAY, 0, 600, 3000)), rng.choice((0, 60)), 4, foreign=self.foreign(minute))
            return self.signed(author, kind, minute, life if target else 0, target=target, detail=when, **more)
        detail = Turnout(rng.randrange(2), rng.randint(1, 6)) if kind is Kind.TURNOUT else None
        if kind is Kind.CONFIRMATION:
            detail = Confirmation(rng.random() < 0.5)
        packed = b"" if detail else rng.choice((b"", b"oui"))
        return self.signed(author, kind, minute, life, target=self.target(author), detail=detail, packed=packed)

    def foreign(self, minute):
        if self.rng.random() < 0.4:
            return None
        modified = T0 + min(self.rng.choice((-60, 0, 1)), minute)
        return Foreign(self.rng.choice(FOREIGN_KEYS), self.rng.choice((0, 1, 1, 2)), modified)

    def signed(self, author, kind, minute, life, **fields):
        return self.village.sign(author, kind, minute, life, **fields)


class ToldSet(RandomSet):
    """Many who tell of a foreign event: some alike, some not, of two versions."""

    def scaffold(self):
        for name in PEOPLE:
            self.add(self.vouch_by("founder", name, Right.WRITE, 0, 10_000))
        for name in PEOPLE:
            version = Foreign(FOREIGN_KEYS[0], self.rng.choice((1, 1, 2)), T0, off=self.rng.random() < 0.2)
            when = Event(T0 + 3000, 60, 4, foreign=version)
            self.add(self.signed(name, Kind.EVENT, self.rng.randint(1, 9), 0, detail=when,
                                 packed=self.rng.choice((b"Bal", b"Bal", b"Bal ailleurs"))))


class CrowdedSet(RandomSet):
    """One author with more than its quotas hold, in a few large records and some small ones."""

    def __init__(self, rng, number):
        super().__init__(rng)
        author = rng.choice(self.people)
        self.raws += [self.village.vouch("founder", author, Right(7), minute=-1000)]
        kind = CROWDED[number % len(CROWDED)]
        large = {Kind.BULLETIN: 170, Kind.TURNOUT: 150, Kind.CONFIRMATION: 100}.get(kind, 90)
        raws = [self.large(kind, author, n) for n in range(large)]
        self.raws += rng.sample(raws, len(raws))
        for _ in range(30):
            self.raws.append(self.post())

    def large(self, kind, author, n):
        rng, text = self.rng, b"x" * self.rng.choice((1500, 1600, 1600, 5))
        minute = rng.randrange(-900, 900)
        if kind is Kind.VOUCH:
            rights = Right(rng.choice((1, 5, 9)))
            detail = Vouch(self.village.key(self.who()).public, rights)
            return self.signed(author, kind, minute, 10_000, packed=text, detail=detail)
        if kind is Kind.REVOCATION:
            detail = Revocation(self.village.key(self.who()).key_id, T0 + minute + rng.randrange(-50, 50))
            return self.signed(author, kind, minute, 50_000, packed=text, detail=detail)
        if kind in COUNTED:
            detail = Turnout(0, 1) if kind is Kind.TURNOUT else Confirmation(True)
            return self.signed(author, kind, minute, 500, target=n.to_bytes(8, "big"), detail=detail)
        nothing = None if kind is Kind.BULLETIN else rng.randbytes(8)
        target = self.target(author) if rng.random() < 0.3 else nothing
        return self.signed(author, kind, minute, rng.choice((48, 500)), packed=text, target=target)


def judged(made, rng, steps):
    """A question about a random set, and our answer: `steps` batches, one after the other, then all once more."""
    who, key = rng.choice(made.people), FOREIGN_KEYS[0] if isinstance(made, ToldSet) else rng.choice(FOREIGN_KEYS)
    seed = made.village.key(who)._private.private_bytes_raw().hex()
    question = {"ask": "live", "held": [raw.hex() for raw in made.raws], "now": made.now, "seed": seed, "key": key.hex()}
    liveset, reasons = _taken(made, steps)
    ids = sorted(id_.hex() for id_ in liveset.ids())
    names = {one.hex(): standing.named_by.id.hex() if standing.named_by else None
             for one, standing in sorted(liveset.trust.standings.items())}
    rights = {one.hex(): [_last(standing.until(made.now, right)) for right in Right]
              for one, standing in liveset.trust.standings.items()}
    spoken, *_ = at_minute((Generation(made.village.charter.secret),), liveset, made.village.key(who), made.now)
    cuts = {one.hex(): minute for one, minute in liveset.trust.cuts.items()}
    return question, {"live": ids, "reasons": reasons, "names": names, "rights": rights, "cuts": cuts,
                      "secret": spoken.secret.hex(),
                      "fingerprint": fingerprint(bytes.fromhex(id_)[:8] for id_ in ids).hex(),
                      "witnesses": [entry.id.hex() for entry in liveset.witnesses(key)]}


def _last(minute):
    """The end of a right; None for one without end."""
    return None if minute >= FOREVER else minute


def _taken(made, steps):
    """The set, and the reason of each record that can be read and is not in it, as the last one told it."""
    liveset, now, reasons = LiveSet(made.village.charter), seconds_of(made.now), {}
    size = -(-len(made.raws) // steps)
    batches = [made.raws[at:at + size] for at in range(0, len(made.raws), size)]
    for batch in batches + ([made.raws] * 2 if steps > 1 else []):
        change = liveset.propose(batch, now)
        liveset.apply(change)
        reasons |= {verdict.id.hex(): verdict.reason for verdict in change.verdicts if verdict.reason != "duplicate"}
    return liveset, {id_: reason for id_, reason in reasons.items()
                     if reason != "kept" and not reason.startswith("record-")}
