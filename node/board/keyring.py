"""Who may do what in the set, until when, and what this island's keepers do about it: values, and the part behind them.

Moments are minutes since 2024; `FOREVER` (of `node.replica.trust`) for what does not end. Ids of keys are 16 hex digits.
The real part is `node.daemon.keyring`; desk and command line ask the same one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from node.board.status import RightsStatus
from node.i18n.sentence import Explained

RENEWED_DAYS, INVITED_DAYS, MOST_DAYS = 730, 30, 1_000  # unless somebody says otherwise; a vouch lasts three years at most
UNDO_MIN = 10  # as long a revocation can be dropped before it is sent


class KeyRole(StrEnum):
    """What a key is in the set."""

    FOUNDER = "founder"
    KEEPER = "keeper"  # may vouch
    WRITER = "writer"
    INVITATION = "invitation"  # a one-time key
    ENDED = "ended"  # was vouched for, and may do nothing any more
    CUT = "cut"  # revoked: whatever it signs from then on counts for nothing


class KeyRefused(Explained):
    """It cannot be done with this key, or about that one; the sentence says why, and who can."""


@dataclass(frozen=True, slots=True)
class KeyLink:
    """One vouch that counts: who gave it ("" for a founder's own standing), and the minute what it gives ends."""

    giver: str
    until: int
    by_invitation: bool = False


@dataclass(frozen=True, slots=True)
class KeyView:
    """One key as keepers see it. `rights`: what it may do, by name, and the minute that ends.

    `lets`: what it may do once it is renewed. `links` are the vouches that count, the longest first; `under` is the key
    below which it stands in the tree, `depth` how deep. `until`: the first of its rights to end, 0 if it has none;
    `ended`: since when it has none. `cut`: since when it is revoked. `renewers`: names of who can renew it; `renewable`:
    this island can. `given`: this island let it in, by its own vouch or by an invitation. `used`: somebody has joined with
    this one-time key. `promised`: who joined with our invitation was to become a keeper.
    """

    id: str
    name: str
    role: KeyRole
    public: str = ""
    rights: Mapping[str, int] = field(default_factory=dict)
    until: int = 0
    links: tuple[KeyLink, ...] = ()
    under: str = ""
    depth: int = 0
    here: bool = False
    group: bool = False
    given: bool = False
    used: bool = False
    promised: bool = False
    cut: int | None = None
    ended: int | None = None
    lets: tuple[str, ...] = ()
    renewable: bool = False
    renewers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TypedKey:
    """Another key than the island's own, for one act: its 24 words, or the text of its key file and the passphrase."""

    text: str
    passphrase: str = ""


@dataclass(frozen=True, slots=True)
class VouchWish:
    """Let a key write here, or let it stay. `who`: a whole key, or a name or 16 digits that are known here; "" for `name`
    leaves it as it is. `more` are rights (as in `KeyView.lets`) on top of those that it has."""

    who: str
    name: str = ""
    more: frozenset[str] = frozenset()
    days: int = RENEWED_DAYS


@dataclass(frozen=True, slots=True)
class InviteWish:
    """Let one newcomer in; `keeper`: it is to become a keeper's island, which is proposed once it has joined."""

    days: int = INVITED_DAYS
    group: bool = False
    keeper: bool = False


@dataclass(frozen=True, slots=True)
class InvitationMade:
    """Its letters (base32 in groups), and until when it may be used; `label` finds it again for half an hour."""

    label: str
    letters: str
    until: int
    keeper: bool = False


@dataclass(frozen=True, slots=True)
class RevocationPreview:
    """What revoking `subject` from minute `since` on would do; `label` is for doing it, within half an hour.

    `cuts`: the key itself ends; `lacking` is how many more keepers must agree until it does. `takes_back`: what the signer
    gave it ends, whoever agrees. `losing` are names of the keys that lose rights with it, `invitations` how many unused
    invitations end, `posts` how many posts go from every board. `here`: this island itself is among them.
    """

    label: str
    subject: KeyView
    since: int
    cuts: bool
    lacking: int
    takes_back: bool
    losing: tuple[str, ...]
    invitations: int
    posts: int
    here: bool


@dataclass(frozen=True, slots=True)
class WaitingRevocation:
    """A revocation that can still be dropped: of whom, and the minute it is sent."""

    id: str
    name: str
    sent_at: int


@dataclass(frozen=True, slots=True)
class SecretView:
    """The set's secret, as this island knows it: never the secret itself.

    `since`: the minute from which the one that is spoken counts, `maker` the name of the founder's key that made it; None
    and "" for the one that the set began with. `coming`: the minute from which the next one counts. `behind`: the others
    go on with one that was not given to this island. `heard`: the minute in which somebody was last heard here who still
    speaks with an earlier one, None for nobody since this island started; who it was, nobody can tell on every way.
    `founder`: this island's own key may renew it.
    """

    since: int | None = None
    maker: str = ""
    coming: int | None = None
    behind: bool = False
    heard: int | None = None
    founder: bool = False


@dataclass(frozen=True, slots=True)
class RenewalPreview:
    """What renewing the set's secret would do: from minute `since` on, `names` speak with the new one, and `left_out` hear
    nothing any more; `invitations` that nobody has used lead nowhere then. `label` is for doing it, within half an hour."""

    label: str
    since: int
    names: tuple[str, ...]
    left_out: tuple[str, ...]
    invitations: int = 0


@dataclass(frozen=True, slots=True)
class PaperKey:
    """A new key that is kept nowhere: its words, its public part (64 hex digits), and words to compare that with."""

    words: tuple[str, ...]
    public: str
    fingerprint: tuple[str, ...]


class Keyring(Protocol):
    """What keepers do about keys. `keeper` is who does it, for the audit log; `key` signs in the place of the island's own.

    What cannot be done raises KeyRefused, WordTrouble (`node.board.keywords`) or BoardClosed; nothing is half done.
    """

    def tree(self) -> list[KeyView]:
        """Every key, founders first, each one under who vouched for it."""

    def own(self) -> KeyView:
        """This island's own key."""

    def find(self, who: str) -> list[KeyView]:
        """The keys that a name, 16 digits or a whole key may mean."""

    def rights(self) -> RightsStatus:
        """What this island may do, what it lacks, and whose rights end soon."""

    def vouch(self, wish: VouchWish, keeper: str, key: TypedKey | None = None, why: str = "") -> KeyView:
        """Let a key do something, or renew it: the key as it then is."""

    def invite(self, wish: InviteWish, keeper: str, key: TypedKey | None = None, why: str = "") -> InvitationMade:
        """An invitation for one newcomer. Its vouch is kept at once, and sent."""

    def invitation(self, label: str) -> InvitationMade | None:
        """One that was made within the last half hour."""

    def look(self, who: str, since: int | None, key: TypedKey | None = None) -> RevocationPreview:
        """What revoking a key would do; nothing is done. `since`: a minute, None for now."""

    def revoke(self, label: str, keeper: str, at_once: bool = False, why: str = "") -> WaitingRevocation | None:
        """Do what `look` has shown, in ten minutes or (`at_once`) now; None when it is done. `why` is for the audit log."""

    def waiting(self) -> Sequence[WaitingRevocation]:
        """What can still be dropped."""

    def undo(self, revocation_id: str, keeper: str) -> bool:
        """Drop a revocation that was not sent yet; whether there was one."""

    def send_due(self) -> int:
        """Send the revocations that waited long enough; how many."""

    def paper_key(self, language: str, keeper: str) -> PaperKey:
        """A new key for a keeper, to be written down: it is kept nowhere, and may do nothing until it is vouched for."""

    def secret(self) -> SecretView:
        """The set's secret, as this island knows it."""

    def look_at_renewal(self, hours: int, key: TypedKey | None = None) -> RenewalPreview:
        """What a new secret of the set would do that is spoken in `hours` hours; nothing is done. A founder's key signs."""

    def renew(self, label: str, keeper: str, why: str = "") -> int:
        """Do what `look_at_renewal` has shown: the minute from which the new secret is spoken."""

    def catch_up(self, letters: str, keeper: str) -> None:
        """Take the set's present secret of an invitation into it; raises an Explained that says what is wrong with it."""
