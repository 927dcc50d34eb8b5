"""Who may write: a deterministic function of the vouches and revocations held (docs/protocol.md, "Who may write").

Rights flow from the founders through chains of at most `MAX_CHAIN` vouches, each lasting as long as all of its chain. Who
vouched can take back what their own vouches gave, and nothing else. A whole key is cut by a founder, by itself, or by
keepers of more different branches than a third of all keepers could be in: so keys of a third of the keepers, stolen and
played in any way, end nobody but whom they let in themselves. All of it is weighed at once, so that no order matters.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from node.model.clock import MAX_MINUTE
from node.model.keys import Charter, key_id
from node.model.record import Kind, Right
from node.replica.entry import Entry, RevocationEntry, VouchEntry

MAX_CHAIN = 3
FOREVER = MAX_MINUTE + 1
FOUNDER_RIGHTS = (Right.WRITE, Right.URGENT, Right.VOUCH)
HANDED_ON = (Right.WRITE, Right.GROUP)  # what an invitation may give
ADMITTED, UNVOUCHED, REVOKED = "kept", "penned", "revoked"

Cuts = dict[bytes, int]  # key id -> the minute from which its records do not count
TakenBack = dict[tuple[bytes, bytes], int]  # (who gave, to whom) -> the minute from which the gift does not count
Span = tuple[int, int]  # (the minute a right ends, the minute from which what is signed by it does not count)
Rights = dict[Right, tuple[Span, ...]]  # no span of a right is better than another in both
View = tuple[tuple[bytes, Rights] | None, int | None]  # what `Trust.view` tells: key and rights, and the minute of the cut


@dataclass(slots=True)
class Standing:
    """What a key may do. `chain` vouches part it from a founder.

    `branch` is the key at the head of the chain that first let it vouch, None while it may not. `named_by` is the vouch
    that names the key, `invitations` the vouches that make it a one-time key, by who gave them: one keeper's does not
    count for less because another one gave a longer one. `gifts` has all that it was given, by the id of the vouch and who
    invited (None: the vouch is by a keeper): these may be several for one vouch, each with an end of its own.
    """

    public: bytes
    chain: int
    rights: Rights
    branch: bytes | None = None
    named_by: VouchEntry | None = None
    invitations: dict[bytes, VouchEntry] = field(default_factory=dict)
    gifts: dict[tuple[bytes, bytes | None], "Gift"] = field(default_factory=dict)

    def until(self, created: int, *rights: Right) -> int:
        """The minute to which all of `rights` last for what is signed at minute `created`; 0 if one of them is missing."""
        return min(_latest(self.rights.get(right, ()), created) for right in rights)


Standings = dict[bytes, Standing]


@dataclass(frozen=True, slots=True)
class Gift:
    """What a vouch gives: each right and the minute it ends, and the minute from which it was taken back.

    `chain` vouches part the key from a founder by this one, at the head of which stands `branch`. `inviter`: whose
    invitation the vouch uses. One vouch may be a use of several keepers' invitations, and its author's own word besides.
    """

    vouch: VouchEntry
    rights: dict[Right, int]
    before: int
    chain: int
    branch: bytes | None = None
    inviter: bytes | None = None


class Trust:
    """The outcome: `standings` holds every key that may do anything, `cuts` the minutes from which keys are revoked."""

    def __init__(self, charter: Charter, credentials: Iterable[Entry] = ()):
        credentials = sorted(credentials, key=lambda credential: credential.id)
        self.next_end = min((credential.expires for credential in credentials), default=FOREVER)
        vouches = [credential for credential in credentials if isinstance(credential, VouchEntry)]
        revocations = [credential for credential in credentials if isinstance(credential, RevocationEntry)]
        self._founders = {key_id(public) for public in charter.founders}
        self._first_cuts = self._founders_cuts([each for each in revocations if each.author in self._founders])
        self._open = _admit(charter, vouches, self._first_cuts, {})
        counting = [each for each in revocations if self._decides(each)]
        self.cuts = self._all_cuts(counting)
        self.taken_back = _taken_back(counting)
        unchanged = self.cuts == self._first_cuts and not self.taken_back
        self.standings = self._open if unchanged else _admit(charter, vouches, self.cuts, self.taken_back)

    def public(self, author: bytes) -> bytes | None:
        """The public key behind a key id that has, or had before its cut, a standing."""
        standing = self._open.get(author)
        return standing.public if standing else None

    def weigh(self, entry: Entry) -> tuple[str, int]:
        """Whether it counts (ADMITTED, UNVOUCHED or REVOKED), and the minute its author's right to it ends."""
        standing = (self._open if entry.about_trust else self.standings).get(entry.author)
        if standing is None:
            return UNVOUCHED, 0
        if entry.created >= self._cuts_for(entry).get(entry.author, FOREVER):
            return REVOKED, 0
        until = _until(entry, standing)
        return (ADMITTED, until) if until else (UNVOUCHED, 0)

    def may(self, key: bytes, right: Right, minute: int) -> bool:
        """Whether what the key `key` (its id) signs at `minute` has this right."""
        standing = self.standings.get(key)
        return (standing is not None and minute < self.cuts.get(key, FOREVER)
                and minute < standing.until(minute, right))

    def view(self, author: bytes) -> View:
        """Equal for two outcomes when they say the same of an author's posts."""
        standing = self.standings.get(author)
        return (standing.public, standing.rights) if standing else None, self.cuts.get(author)

    def _cuts_for(self, entry: Entry) -> Cuts:
        """What makes an entry void: vouches and revocations are weighed before anybody's cuts but the founders'."""
        if not entry.about_trust:
            return self.cuts
        always = entry.kind is Kind.REVOCATION and entry.author in self._founders
        return {} if always else self._first_cuts

    def _founders_cuts(self, revocations: list[RevocationEntry]) -> Cuts:
        """Founders end each other by more than half of them, or themselves; whoever is left so ends any other key."""
        among = self._among = _voices((each.detail.subject, each.author, each.detail.since) for each in revocations
                        if each.detail.subject in self._founders)
        cuts = _agreed(among, len(self._founders) // 2 + 1)
        for each in revocations:
            if each.author == each.detail.subject:
                _cut(cuts, each.author, each.detail.since)
        standing = [each for each in revocations if each.created < cuts.get(each.author, FOREVER)]
        for each in standing:
            if each.detail.subject not in self._founders:
                _cut(cuts, each.detail.subject, each.detail.since)
        return cuts

    def _decides(self, revocation: RevocationEntry) -> bool:
        """Whether it is weighed: in the set, and before the founders' cut of its author, a founder's own too."""
        return (self.weigh(revocation)[0] == ADMITTED
                and revocation.created < self._first_cuts.get(revocation.author, FOREVER))

    def lacking(self, subject: bytes) -> int:
        """How many more voices end a key (its id): of founders among themselves, or of keepers of other branches; 0 once
        it is cut."""
        if subject in self.cuts:
            return 0
        keepers = self.quorum - len(self._voices.get(subject, ()))
        among = len(self._founders) // 2 + 1 - len(self._among.get(subject, ()))
        return min(keepers, among) if subject in self._founders else keepers

    def _all_cuts(self, revocations: list[RevocationEntry]) -> Cuts:
        """Founders' cuts, those by the key itself, and those on which keepers of enough branches agree."""
        cuts = dict(self._first_cuts)
        self._voices = _voices((each.detail.subject, branch, each.detail.since) for each in revocations
                         if (branch := self._open[each.author].branch) is not None)
        for subject, since in _agreed(self._voices, self.quorum).items():
            _cut(cuts, subject, since)
        for each in revocations:
            if each.author == each.detail.subject:
                _cut(cuts, each.author, each.detail.since)
        return cuts

    @property
    def quorum(self) -> int:
        """Of how many branches keepers must agree to end a key: more than a third of all keepers and founders, and two."""
        keepers = sum(standing.branch is not None for standing in self._open.values())
        return max(2, keepers // 3 + 1)


def _voices(told: Iterable[tuple[bytes, bytes, int]]) -> dict[bytes, Cuts]:
    """From (subject, voice, since): by subject, the earliest minute of each voice."""
    voices: dict[bytes, Cuts] = defaultdict(dict)
    for subject, voice, since in told:
        _cut(voices[subject], voice, since)
    return voices


def _agreed(voices: dict[bytes, Cuts], enough: int) -> Cuts:
    """The minute from which `enough` voices agree, of every subject on which so many spoke."""
    return {subject: sorted(sinces.values())[enough - 1] for subject, sinces in voices.items() if len(sinces) >= enough}


def _cut(cuts: Cuts, key: bytes, since: int) -> None:
    cuts[key] = min(since, cuts.get(key, FOREVER))


def _taken_back(revocations: Iterable[RevocationEntry]) -> TakenBack:
    taken_back: TakenBack = {}
    for each in revocations:
        gift = each.author, each.detail.subject
        taken_back[gift] = min(each.detail.since, taken_back.get(gift, FOREVER))
    return taken_back


def _until(entry: Entry, standing: Standing) -> int:
    """The minute to which its author may sign such a thing; 0 if it may not."""
    if entry.kind is Kind.RENEWAL:
        return FOREVER if standing.chain == 0 else 0
    return _credential_until(entry, standing) if entry.about_trust else _post_until(entry, standing)


def _credential_until(credential: Entry, standing: Standing) -> int:
    until = standing.until(credential.created, Right.VOUCH)
    if isinstance(credential, VouchEntry) and any(_uses(credential, each) for each in standing.invitations.values()):
        return max(until, standing.until(credential.created, Right.INVITE))
    if isinstance(credential, RevocationEntry) and credential.author == credential.detail.subject:
        return max(standing.until(credential.created, right) for right in standing.rights)
    return until


def _post_until(post: Entry, standing: Standing) -> int:
    return standing.until(post.created, *((Right.WRITE, Right.URGENT) if post.urgent else (Right.WRITE,)))


def _latest(spans: Iterable[Span], created: int) -> int:
    """The latest end among the spans that count for what is signed at minute `created`; 0 without one."""
    return max((until for until, before in spans if created < before), default=0)


def _better(spans: tuple[Span, ...], until: int, before: int) -> tuple[Span, ...]:
    """The spans with one more, without those that another one covers; the longest first."""
    covering: list[Span] = []
    for span in sorted({*spans, (until, before)}, reverse=True):
        if not covering or span[1] > covering[-1][1]:
            covering.append(span)
    return tuple(covering)


def _admit(charter: Charter, vouches: list[VouchEntry], cuts: Cuts, taken_back: TakenBack) -> Standings:
    """Who stands where when the vouches made before their author's cut count, as far as they were not taken back."""
    standings = {key_id(public): Standing(public, 0, dict.fromkeys(FOUNDER_RIGHTS, ((FOREVER, FOREVER),)), key_id(public))
                 for public in charter.founders}
    by_author: dict[bytes, list[VouchEntry]] = defaultdict(list)
    for credential in vouches:
        if credential.created < cuts.get(credential.author, FOREVER):
            by_author[credential.author].append(credential)

    for chain in range(1, MAX_CHAIN + 1):
        _extend(standings, by_author, chain, taken_back)
    invitations = [(invited, inviter) for invited, standing in standings.items() for inviter in standing.invitations]
    for invited, inviter in sorted(invitations):
        _let_in(standings, standings[invited].invitations[inviter], by_author.get(invited, []), taken_back)
    return standings


def _extend(standings: Standings, by_author: dict[bytes, list[VouchEntry]], chain: int, taken_back: TakenBack) -> None:
    """One more link: what the keepers reached so far give, as they stood before this link."""
    givers = [(author, dict(standings[author].rights), standings[author].branch)
              for author in sorted(standings) if author in by_author]
    for author, rights, branch in givers:
        for vouch in by_author[author] if branch is not None else ():
            subject = key_id(vouch.detail.subject)
            before = taken_back.get((author, subject), FOREVER)
            _grant(standings, Gift(vouch, _handed(vouch, rights, chain), before, chain, subject if chain == 1 else branch))


def _handed(vouch: VouchEntry, rights: Rights, chain: int) -> dict[Right, int]:
    """What a keeper with `rights` gives by this vouch, and until when."""
    until = min(vouch.expires, _latest(rights[Right.VOUCH], vouch.created))
    if Right.INVITE in vouch.detail.rights:
        return {Right.INVITE: until} if until else {}
    handed = dict.fromkeys(vouch.detail.rights, until)
    if Right.URGENT in handed:  # only who may shout lets others shout
        handed[Right.URGENT] = min(until, _latest(rights.get(Right.URGENT, ()), vouch.created))
    if chain == MAX_CHAIN:
        handed.pop(Right.VOUCH, None)
    return {right: minute for right, minute in handed.items() if minute}


def _grant(standings: Standings, gift: Gift) -> None:
    vouch, public = gift.vouch, gift.vouch.detail.subject
    if not gift.rights:
        return
    standing = standings.setdefault(key_id(public), Standing(public, gift.chain, {}))
    if standing.public != public:  # two keys of one id: the first in order stands
        return
    for right, until in gift.rights.items():
        standing.rights[right] = _better(standing.rights.get(right, ()), until, gift.before)
    source = vouch.id, gift.inviter
    standing.gifts[source] = _with(gift, standing.gifts.get(source))
    if Right.VOUCH in gift.rights and standing.branch is None:
        standing.branch = gift.branch
    if Right.INVITE in gift.rights and _lasts_longer(vouch, standing.invitations.get(vouch.author)):
        standing.invitations[vouch.author] = vouch
    if _may_name(vouch, standing, gift.chain) and _newer(vouch, standing.named_by):
        standing.named_by = vouch


def _with(gift: Gift, known: Gift | None) -> Gift:
    """The gift of a vouch, with what it gave in an earlier round: its giver had less then, but may have been nearer."""
    if known is None:
        return gift
    return replace(known, rights=known.rights | {right: max(until, known.rights.get(right, 0))
                                                 for right, until in gift.rights.items()})


def _may_name(credential: VouchEntry, standing: Standing, chain: int) -> bool:
    """Founders name themselves; other keys are named by the vouches nearest to a founder."""
    return credential.author == key_id(standing.public) if standing.chain == 0 else standing.chain == chain


def _newer(credential: Entry, other: Entry | None) -> bool:
    return other is None or (credential.created, credential.id) > (other.created, other.id)


def _lasts_longer(credential: Entry, other: Entry | None) -> bool:
    return other is None or (credential.expires, credential.id) > (other.expires, other.id)


def _uses(credential: VouchEntry, invitation: VouchEntry) -> bool:
    """Whether a vouch by a one-time key uses its invitation: not older than it, and living as long, so none follows it."""
    return credential.created >= invitation.created and credential.expires >= invitation.expires


def _let_in(standings: Standings, invitation: VouchEntry, vouches: list[VouchEntry], taken_back: TakenBack) -> None:
    """The one newcomer of an invitation: its earliest use, and the lowest id of several in one minute."""
    uses = [vouch for vouch in vouches if _uses(vouch, invitation)]
    use = min(uses, key=lambda vouch: (vouch.created, vouch.id), default=None)
    if use is None or use.created >= taken_back.get((invitation.author, use.author), FOREVER):
        return
    until = min(invitation.expires, standings[invitation.author].until(invitation.created, Right.VOUCH))
    rights, newcomer = use.detail.rights & invitation.detail.rights, key_id(use.detail.subject)
    before = min(taken_back.get((giver, newcomer), FOREVER) for giver in (use.author, invitation.author))
    handed = {right: until for right in HANDED_ON if right in rights and until}
    _grant(standings, Gift(use, handed, before, MAX_CHAIN + 1, inviter=invitation.author))
