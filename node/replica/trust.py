"""Who may write: a deterministic function of the vouches and revocations held (docs/protocol.md, "Who may write").

Rights flow from the founders through chains of at most `MAX_CHAIN` vouches, each lasting as long as all of its chain. A
revocation cuts a key: what it signed from a minute on does not count. Founders' revocations are weighed first and always
count; then those of everybody whom the founders' cuts left standing, all at once, so that no order of arrival matters.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

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
Rights = dict[Right, int]  # right -> the minute it ends
View = tuple[tuple[bytes, Rights] | None, int | None]  # what `Trust.view` tells: key and rights, and the minute of the cut


@dataclass(slots=True)
class Standing:
    """What a key may do. `chain` vouches part it from a founder; `branch` is the key at the head of that chain.

    `named_by` is the vouch that names the key, `vouchers` who may take it back, `invitation` the vouch for a one-time key.
    """

    public: bytes
    chain: int
    branch: bytes
    rights: Rights
    named_by: VouchEntry | None = None
    vouchers: set[bytes] = field(default_factory=set)
    invitation: VouchEntry | None = None

    def until(self, *rights: Right) -> int:
        """The minute all of `rights` last to; 0 if one of them is missing."""
        return min(self.rights.get(right, 0) for right in rights)


Standings = dict[bytes, Standing]


class Trust:
    """The outcome: `standings` holds every key that may do anything, `cuts` the minutes from which keys are revoked."""

    def __init__(self, charter: Charter, credentials: Iterable[Entry] = ()):
        credentials = sorted(credentials, key=lambda credential: credential.id)
        self.next_end = min((credential.expires for credential in credentials), default=FOREVER)
        vouches = [credential for credential in credentials if isinstance(credential, VouchEntry)]
        revocations = [credential for credential in credentials if isinstance(credential, RevocationEntry)]
        self._founders = {key_id(public) for public in charter.founders}
        self._founder_cuts = _earliest(credential for credential in revocations if credential.author in self._founders)
        self._open = _admit(charter, vouches, self._founder_cuts)
        self.cuts = self._all_cuts([credential for credential in revocations if self.weigh(credential)[0] == ADMITTED])
        unchanged = self.cuts == self._founder_cuts
        self.standings = self._open if unchanged else _admit(charter, vouches, self.cuts)

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
        until = _credential_until(entry, standing) if entry.about_trust else _post_until(entry, standing)
        return (ADMITTED, until) if until else (UNVOUCHED, 0)

    def may(self, key: bytes, right: Right, minute: int) -> bool:
        """Whether what the key `key` (its id) signs at `minute` has this right."""
        standing = self.standings.get(key)
        return standing is not None and minute < min(standing.until(right), self.cuts.get(key, FOREVER))

    def view(self, author: bytes) -> View:
        """Equal for two outcomes when they say the same of an author's posts."""
        standing = self.standings.get(author)
        return (standing.public, standing.rights) if standing else None, self.cuts.get(author)

    def _cuts_for(self, entry: Entry) -> Cuts:
        """What makes an entry void: vouches and revocations are weighed before anybody's cuts but the founders'."""
        if not entry.about_trust:
            return self.cuts
        always = entry.kind is Kind.REVOCATION and entry.author in self._founders
        return {} if always else self._founder_cuts

    def _all_cuts(self, revocations: list[RevocationEntry]) -> Cuts:
        """Founders' cuts, those by whoever vouched or by the key itself, and those on which two branches agree."""
        cuts = dict(self._founder_cuts)
        by_branch: dict[bytes, dict[bytes, int]] = defaultdict(dict)
        for credential in revocations:
            subject, since = credential.detail.subject, credential.detail.since
            standing, target = self._open[credential.author], self._open.get(subject)
            if credential.author == subject or (target and credential.author in target.vouchers):
                cuts[subject] = min(since, cuts.get(subject, FOREVER))
            if Right.VOUCH in standing.rights:
                sinces = by_branch[subject]
                sinces[standing.branch] = min(since, sinces.get(standing.branch, FOREVER))
        for subject, sinces in by_branch.items():
            if len(sinces) >= 2:
                cuts[subject] = min(sorted(sinces.values())[1], cuts.get(subject, FOREVER))
        return cuts


def _earliest(revocations: Iterable[RevocationEntry]) -> Cuts:
    cuts: Cuts = {}
    for credential in revocations:
        cuts[credential.detail.subject] = min(credential.detail.since, cuts.get(credential.detail.subject, FOREVER))
    return cuts


def _credential_until(credential: Entry, standing: Standing) -> int:
    until = standing.until(Right.VOUCH)
    if isinstance(credential, VouchEntry) and standing.invitation and _uses(credential, standing.invitation):
        return max(until, standing.until(Right.INVITE))
    if isinstance(credential, RevocationEntry) and credential.author == credential.detail.subject:
        return max(standing.rights.values())
    return until


def _post_until(post: Entry, standing: Standing) -> int:
    return standing.until(Right.WRITE, Right.URGENT) if post.urgent else standing.until(Right.WRITE)


def _admit(charter: Charter, vouches: list[VouchEntry], cuts: Cuts) -> Standings:
    """Who stands where when the vouches made before their author's cut count."""
    standings = {key_id(public): Standing(public, 0, key_id(public), dict.fromkeys(FOUNDER_RIGHTS, FOREVER))
                 for public in charter.founders}
    by_author: dict[bytes, list[VouchEntry]] = defaultdict(list)
    for credential in vouches:
        if credential.created < cuts.get(credential.author, FOREVER):
            by_author[credential.author].append(credential)
    for chain in range(1, MAX_CHAIN + 1):
        _extend(standings, by_author, chain)
    invitations = {author: standing.invitation for author, standing in standings.items() if standing.invitation}
    for invited in sorted(invitations):
        _let_in(standings, invitations[invited], by_author.get(invited, []))
    return standings


def _extend(standings: Standings, by_author: dict[bytes, list[VouchEntry]], chain: int) -> None:
    """One more link: what the keepers reached so far give, as they stood before this link."""
    givers = [(author, dict(standings[author].rights)) for author in sorted(standings) if author in by_author]
    for author, rights in givers:
        for credential in by_author[author] if Right.VOUCH in rights else ():
            _grant(standings, credential, _handed(credential, rights, chain), chain)


def _handed(vouch: VouchEntry, rights: Rights, chain: int) -> Rights:
    """What a keeper with `rights` gives by this vouch, and until when."""
    until = min(vouch.expires, rights[Right.VOUCH])
    if Right.INVITE in vouch.detail.rights:
        return {Right.INVITE: until}
    handed = dict.fromkeys(vouch.detail.rights, until)
    if Right.URGENT in handed:  # only who may shout lets others shout
        handed[Right.URGENT] = min(until, rights.get(Right.URGENT, 0))
    if chain == MAX_CHAIN:
        handed.pop(Right.VOUCH, None)
    return {right: minute for right, minute in handed.items() if minute}


def _grant(standings: Standings, credential: VouchEntry, handed: Rights, chain: int) -> None:
    subject = key_id(credential.detail.subject)
    if not handed:
        return
    if subject not in standings:
        branch = subject if chain == 1 else standings[credential.author].branch
        standings[subject] = Standing(credential.detail.subject, chain, branch, {})
    standing = standings[subject]
    if standing.public != credential.detail.subject:  # two keys of one id: the first in order stands
        return
    for right, until in handed.items():
        standing.rights[right] = max(until, standing.rights.get(right, 0))
    standing.vouchers.add(credential.author)
    if Right.INVITE in handed and _lasts_longer(credential, standing.invitation):
        standing.invitation = credential
    if _may_name(credential, standing, chain) and _newer(credential, standing.named_by):
        standing.named_by = credential


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


def _let_in(standings: Standings, invitation: VouchEntry, vouches: list[VouchEntry]) -> None:
    """The one newcomer of an invitation: its earliest use, and the lowest id of several in one minute."""
    uses = [vouch for vouch in vouches if _uses(vouch, invitation)]
    use = min(uses, key=lambda vouch: (vouch.created, vouch.id), default=None)
    if use is None:
        return
    rights = use.detail.rights & invitation.detail.rights
    until = standings[use.author].until(Right.INVITE)
    _grant(standings, use, {right: until for right in HANDED_ON if right in rights}, MAX_CHAIN + 1)
    newcomer = standings.get(key_id(use.detail.subject))
    if newcomer is not None:
        newcomer.vouchers.add(invitation.author)
