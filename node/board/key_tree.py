"""Who vouched for whom until when, read from the rules of the set: a tree for keepers, and what ends soon or is missing."""

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from node.board.host import RowStore
from node.board.items import Reader
from node.board.keyring import RENEWED_DAYS, KeyLink, KeyRole, KeyView
from node.board.status import KeyEnd, RightsLack, RightsStatus
from node.model.errors import RemoteFault
from node.model.event import DAY_MIN
from node.model.keys import SigningKey, key_id, verify
from node.model.record import SIGNATURE_BYTES, Kind, Record, Right, Vouch, decode, signing_message
from node.model.search_text import fold
from node.replica.admission import MAX_AHEAD_MIN
from node.replica.liveset import LiveSet
from node.replica.trust import FOREVER, Gift, Standing, Trust
from node.store.index import Slice

SOON_MIN = 60 * DAY_MIN  # the whole of a summer's holidays, and of a keeper's
LATELY_MIN = 60 * DAY_MIN  # as long what ended is spoken of
WORTH_MIN = 30 * DAY_MIN  # a vouch that lets a key stay for no longer than this is not worth a press
MOST_PAST = 200  # vouches that ended, the newest; who was away for longer is vouched for anew, by the whole key
MOST_NAMES = 5
HOUR_MIN = 60


@dataclass(frozen=True)
class OwnPapers:
    """This island's key, and the vouches that it was let in with."""

    key: SigningKey
    vouches: tuple[Record, ...] = ()

    @classmethod
    def of(cls, key: SigningKey, raws: Iterable[bytes]) -> "OwnPapers":
        """From their encodings; whatever is no vouch is left out."""
        return cls(key, tuple(record for raw in raws if (record := _vouch_in(raw))))

    @property
    def key_id(self) -> bytes:
        """The key's."""
        return self.key.key_id


@dataclass(frozen=True)
class _Moment:
    """What does not change from key to key: `able` are who may vouch, founders first, then who may do so longest."""

    trust: Trust
    minute: int
    able: tuple[bytes, ...]
    used: frozenset[bytes]
    promised: frozenset[str]


@dataclass(frozen=True)
class _PastVouch:
    """A vouch that is no longer in the set; `giver`: who gave it, for a use of an invitation who invited."""

    record: Record
    vouch: Vouch
    name: str
    giver: bytes


class KeyTree:
    """Reads the standings of a set. Safe from any thread. `places` keep past vouches.

    `promised()` gives the one-time keys (hex) of our invitations whose newcomer was to become a keeper.
    """

    def __init__(self, liveset: LiveSet, places: Sequence[RowStore], reader: Reader, own: OwnPapers,
                 promised: Callable[[], frozenset[str]]):
        self._liveset, self._places, self._reader, self._own, self._promised = liveset, places, reader, own, promised
        self._kept: tuple[tuple[object, ...], list[KeyView]] = ((), [])
        self._past: tuple[tuple[object, ...], dict[bytes, _PastVouch]] = ((), {})

    def views(self, now: int) -> list[KeyView]:
        """Every key at minute `now`, founders first, each below the one it stands under; what ended comes last."""
        stamp = (self._liveset.trust, self._promised(), now)
        kept = self._kept
        if kept[0] != stamp:
            moment = self._moment(now)
            standing = [self._view(key, each, moment) for key, each in sorted(
                moment.trust.standings.items(), key=lambda one: (one[1].chain, one[0]))]
            kept = self._kept = stamp, [*_ordered(standing), *self._gone(moment)]
        return kept[1]

    def own(self, now: int) -> KeyView:
        """This island's own key, also when the set does not know it."""
        known = [view for view in self.views(now) if view.here]
        key, number = self._own.key, self._own.key_id.hex()
        return known[0] if known else KeyView(number, number, KeyRole.ENDED, key.public.hex(), here=True,
                                              renewers=self.who_may(now, key.key_id))

    def find(self, who: str, now: int) -> list[KeyView]:
        """The keys that a name (without regard to case and accents), 16 digits or a whole key may mean."""
        digits, name = "".join(who.split()).lower(), fold(" ".join(who.split()))
        exact = [view for view in self.views(now) if digits and digits in (view.id, view.public)]
        return exact or [view for view in self.views(now) if name and fold(view.name) == name]

    def rights(self, now: int) -> RightsStatus:
        """What this island may do, what it lacks, and whose rights end within 60 days or did."""
        trust, own = self._liveset.trust, self._own.key_id
        writes = _until(trust, own, Right.WRITE, now)
        lack, since = (RightsLack.NONE, 0) if writes else lack_of(trust, self._own, now)
        since = self.own(now).ended or since if lack is RightsLack.ENDED else since
        return RightsStatus(None if writes == FOREVER else writes, self.who_may(now, own), lack, since,
                            trust.may(own, Right.VOUCH, now), tuple(self._ends(now)))

    def who_may(self, now: int, about: bytes = b"") -> tuple[str, ...]:
        """Names of who may vouch now (for the key `about`): founders first, then who may do so longest; five at most."""
        return self._renewers(about, self._moment(now))

    def _moment(self, now: int) -> _Moment:
        trust = self._liveset.trust
        able = sorted((standing.chain > 0, -_until(trust, key, Right.VOUCH, now), key)
                      for key, standing in trust.standings.items() if trust.may(key, Right.VOUCH, now))
        used = {gift.vouch.author for standing in trust.standings.values() for gift in standing.gifts.values()}
        return _Moment(trust, now, tuple(key for _, _, key in able), frozenset(used), self._promised())

    def _renewers(self, subject: bytes, moment: _Moment) -> tuple[str, ...]:
        """Those that have a name: a founder's key on paper has none, and can sign on every island."""
        able = [key for key in moment.able if may_vouch_for(moment.trust, key, subject, moment.minute)]
        named = [(key, self._reader.author(key).name) for key in able]
        return tuple(name for key, name in named if name != key.hex())[:MOST_NAMES]

    def _view(self, key: bytes, standing: Standing, moment: _Moment) -> KeyView:
        author, rights = self._reader.author(key), _rights_now(moment.trust, key, standing, moment.minute)
        links = self._links(standing, moment)
        lasting = [until for name, until in rights.items() if name != "group"]
        used_to_enter = {gift.vouch.author.hex() for gift in standing.gifts.values()}
        view = KeyView(
            key.hex(), author.name, _role(standing, rights), standing.public.hex(), rights, min(lasting, default=0), links,
            under=links[0].giver if links else "", here=key == self._own.key_id, group=Right.GROUP in standing.rights,
            given=any(link.giver == self._own.key_id.hex() for link in links) and key != self._own.key_id,
            used=bool(standing.invitations) and key in moment.used, cut=moment.trust.cuts.get(key),
            promised=bool(used_to_enter & moment.promised) and "vouch" not in rights, lets=_lets(standing.rights),
            renewers=self._renewers(key, moment) if standing.chain else ())
        if view.cut is not None:
            return replace(view, role=KeyRole.CUT)
        ended = None if view.until else max((link.until for link in links), default=0) or None
        return replace(view, renewable=self._renewable(key, view, moment), ended=ended)

    def _renewable(self, key: bytes, view: KeyView, moment: _Moment) -> bool:
        """Whether a vouch of this island would let it stay for longer than it may now."""
        own, now = self._own.key_id, moment.minute
        if view.role in (KeyRole.FOUNDER, KeyRole.INVITATION) or not may_vouch_for(moment.trust, own, key, now):
            return False
        return min(now + RENEWED_DAYS * DAY_MIN, _until(moment.trust, own, Right.VOUCH, now)) > view.until + WORTH_MIN

    def _links(self, standing: Standing, moment: _Moment) -> tuple[KeyLink, ...]:
        links = [_link(gift, moment) for gift in standing.gifts.values()]
        return tuple(sorted(links, key=lambda link: (-link.until, link.giver)))

    def _gone(self, moment: _Moment) -> Iterator[KeyView]:
        """Keys whose last vouch has ended, the latest first."""
        ended = sorted(self._last_vouches(moment).items(), key=lambda one: one[1].record.expires, reverse=True)
        for subject, last in ended:
            if subject not in moment.trust.standings and last.record.expires <= moment.minute:
                yield KeyView(
                    subject.hex(), last.name, KeyRole.ENDED, last.vouch.subject.hex(), here=subject == self._own.key_id,
                    group=Right.GROUP in last.vouch.rights, given=last.giver == self._own.key_id, under=last.giver.hex(),
                    ended=last.record.expires, lets=_lets(last.vouch.rights), cut=moment.trust.cuts.get(subject),
                    renewers=self._renewers(subject, moment),
                    renewable=may_vouch_for(moment.trust, self._own.key_id, subject, moment.minute))

    def _last_vouches(self, moment: _Moment) -> dict[bytes, _PastVouch]:
        """By key id, its longest vouch that is no longer in the set; looked for every hour, as the archive may be large."""
        stamp = (moment.trust, moment.minute // HOUR_MIN)
        past = self._past
        if past[0] != stamp:
            found: dict[bytes, _PastVouch] = {}
            for one in self._past_vouches():
                subject = key_id(one.vouch.subject)
                if subject not in found or one.record.expires > found[subject].record.expires:
                    found[subject] = one
            past = self._past = stamp, found
        return past[1]

    def _past_vouches(self) -> Iterator[_PastVouch]:
        """Those whose signature can still be checked: by a keeper, or by a one-time key that a keeper had made."""
        wanted = Slice(kinds=(Kind.VOUCH,), newest_first=True)
        raws = [row.raw for place in self._places for row in place.page(wanted, limit=MOST_PAST)[0]
                if row.id not in self._liveset]
        read = [(raw, self._liveset.read(raw)) for raw in raws]
        invited = {key_id(record.detail.subject): record for _, record in read
                   if record and isinstance(record.detail, Vouch) and Right.INVITE in record.detail.rights}
        for raw, by_keeper in read:
            record = by_keeper or self._use(raw, invited)
            if record and isinstance(record.detail, Vouch) and Right.INVITE not in record.detail.rights:
                inviting = invited.get(record.author)
                name = " ".join((self._reader.words_of(raw) or "").split()) or key_id(record.detail.subject).hex()
                yield _PastVouch(record, record.detail, name, inviting.author if inviting else record.author)

    def _use(self, raw: bytes, invited: dict[bytes, Record]) -> Record | None:
        """The use of an invitation that has ended, if the one-time key did sign it."""
        record = _vouch_in(raw)
        inviting = invited.get(record.author) if record else None
        if inviting is None or not isinstance(inviting.detail, Vouch):
            return None
        message = signing_message(raw[:-SIGNATURE_BYTES], self._liveset.charter.set_id)
        return record if verify(inviting.detail.subject, raw[-SIGNATURE_BYTES:], message) else None

    def _ends(self, now: int) -> Iterator[KeyEnd]:
        """Of this island, of the keys that it let in, and of those that it can let stay: whose rights end soon, or did
        lately."""
        for view in self.views(now):
            until = view.until or view.ended or 0
            spoken_of = now - LATELY_MIN <= until < now + SOON_MIN and view.cut is None and not view.used
            if spoken_of and (view.given or view.here or view.renewable):
                yield KeyEnd(view.id, view.name, until, view.role is KeyRole.INVITATION, view.here, view.renewable,
                             view.renewers)


def lack_of(trust: Trust, own: OwnPapers, now: int) -> tuple[RightsLack, int]:
    """Why an island may not write, and since when if that is known: it may be let in, and nothing come of it."""
    cut, standing = trust.cuts.get(own.key_id), trust.standings.get(own.key_id)
    if cut is not None and cut <= now:
        return RightsLack.CUT, cut
    if standing is not None:
        taken = min((gift.before for gift in standing.gifts.values()), default=FOREVER)
        return (RightsLack.TAKEN_BACK, taken) if taken <= now else (RightsLack.ENDED, _last_end(standing))
    about = [each for each in own.vouches if isinstance(each.detail, Vouch) and key_id(each.detail.subject) == own.key_id]
    if not about:
        return RightsLack.UNKNOWN, 0
    last = max(about, key=lambda each: each.expires)
    if last.expires <= now:
        return RightsLack.ENDED, last.expires
    if last.created > now + MAX_AHEAD_MIN:
        return RightsLack.CLOCK, last.created
    used = any(gift.vouch.author == last.author for each in trust.standings.values() for gift in each.gifts.values())
    return (RightsLack.USED if used and trust.standings[last.author].invitations else RightsLack.GIVER), 0


def may_vouch_for(trust: Trust, giver: bytes, subject: bytes, now: int) -> bool:
    """Whether what `giver` signs for `subject` now would count: it may vouch, and never took back what it gave it."""
    return (giver != subject and trust.may(giver, Right.VOUCH, now) and subject not in trust.cuts
            and now < trust.taken_back.get((giver, subject), FOREVER))


def _rights_now(trust: Trust, key: bytes, standing: Standing, now: int) -> dict[str, int]:
    untils = {right: _until(trust, key, right, now) for right in Right if right in standing.rights}
    return {(right.name or "").lower(): until for right, until in untils.items() if until}


def _lets(rights: Right | Container[Right]) -> tuple[str, ...]:
    return tuple((right.name or "").lower() for right in Right if right in rights and right is not Right.INVITE)


def _until(trust: Trust, key: bytes, right: Right, now: int) -> int:
    """The minute to which a key has a right that it uses now; 0 if it has not."""
    return min(trust.standings[key].until(now, right), trust.cuts.get(key, FOREVER)) if trust.may(key, right, now) else 0


def _last_end(standing: Standing) -> int:
    return max((until for spans in standing.rights.values() for until, _ in spans), default=0)


def _link(gift: Gift, moment: _Moment) -> KeyLink:
    until = max(gift.rights.values()) if moment.minute < gift.before else 0
    return KeyLink((gift.inviter or gift.vouch.author).hex(), until, by_invitation=gift.inviter is not None)


def _role(standing: Standing, rights: dict[str, int]) -> KeyRole:
    if standing.chain == 0:
        return KeyRole.FOUNDER
    if standing.invitations and "write" not in rights:
        return KeyRole.INVITATION
    return KeyRole.KEEPER if "vouch" in rights else KeyRole.WRITER if rights else KeyRole.ENDED


def _ordered(views: Iterable[KeyView]) -> Iterator[KeyView]:
    """Each key below the one it stands under, but for used invitations: whoever used one stands in its place."""
    known = {view.id: view for view in views if not view.used}
    below: dict[str, list[KeyView]] = {}
    for view in known.values():
        top = view.role is KeyRole.FOUNDER or view.under not in known
        below.setdefault("" if top else view.under, []).append(view)

    def down(under: str, depth: int) -> Iterator[KeyView]:
        for view in below.pop(under, []):
            yield replace(view, depth=depth)
            yield from down(view.id, depth + 1)

    yield from down("", 0)
    for under in list(below):  # keys that vouched for each other
        yield from down(under, 0)


def _vouch_in(raw: bytes) -> Record | None:
    try:
        record = decode(raw)
    except RemoteFault:
        return None
    return record if isinstance(record.detail, Vouch) else None
