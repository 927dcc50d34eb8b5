"""What keepers do about keys, on the desk and on the command line: vouch, renew, invite, revoke, drop a revocation.

The island's own key signs, or one that a keeper types for one act: that one is in memory only until the act is signed.
"""

import logging
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from node.board.api import AuditEntry, BoardClosed
from node.board.board import Board
from node.board.clearing import MAX_WHY
from node.board.drafts import in_one_line
from node.board.key_tree import may_vouch_for
from node.board.keyring import (
    MOST_DAYS,
    UNDO_MIN,
    InvitationMade,
    InviteWish,
    KeyRefused,
    KeyRole,
    KeyView,
    PaperKey,
    RenewalPreview,
    RevocationPreview,
    SecretView,
    TypedKey,
    VouchWish,
    WaitingRevocation,
)
from node.board.keywords import fingerprint_words, seed_of_words, seed_words
from node.board.notes import BoardState, PendingRevocation
from node.board.reasons import IN_THE_SET, AuditAction, ClosedReason, VerdictReason, as_reason
from node.board.status import RightsStatus
from node.daemon.keyfiles import SEALED, KeyTrouble, keeper_key_in, vouch
from node.daemon.secret_keeper import SecretKeeper
from node.i18n.sentence import Sentence, sentence
from node.model.keys import SECRET_BYTES, SEED_BYTES, Charter, SigningKey, key_id
from node.model.passphrase import WrongPassphrase
from node.model.public_key import is_usable_key
from node.model.record import (
    MAX_LIFE_H,
    MAX_WAIT_MIN,
    POST_KINDS,
    Kind,
    Record,
    Revocation,
    Right,
    Vouch,
    decode,
    encode,
    record_id,
    sign,
)
from node.model.renewal import RenewalPlan, renewals
from node.replica.admission import Verdict
from node.replica.liveset import Change, LiveSet
from node.replica.trust import FOREVER, Standing, Trust
from node.store.index import StoreFailed
from node.transfer.invitation import invitation_bytes, offer, prepare, to_text

log = logging.getLogger(__name__)

REMEMBERED_MIN, MOST_REMEMBERED = 30, 32  # a keeper who is called away comes back to it; nobody fills the memory with it
MOST_NAME = 60  # characters

Value = TypeVar("Value")


@dataclass(frozen=True)
class KeyringHost:
    """What the keyring needs of the island: `publish` and `propose` as of runner and live set, `publish_all` in one commit,
    `random(n)` n bytes, `hashing` the lock under which one slow hash is made at a time (`node.board.host.Host`), `secret`
    what is known of the set's secrets, `catch_up(letters)` takes the one of an invitation."""

    liveset: LiveSet
    publish: Callable[[bytes], Verdict]
    publish_all: Callable[[list[bytes]], list[Verdict]]
    propose: Callable[[list[bytes]], Change]
    random: Callable[[int], bytes]
    hashing: AbstractContextManager[Any]
    secret: SecretKeeper
    catch_up: Callable[[str], None]


class BriefMemory(Generic[Value]):
    """What a keeper's next page needs, by a label that nobody guesses: in memory, for half an hour, the newest 32."""

    def __init__(self, now: Callable[[], int]):
        self._now = now
        self._lock = threading.Lock()
        self._values: OrderedDict[str, tuple[int, Value]] = OrderedDict()

    def put(self, value: Value) -> str:
        """Its label."""
        label = secrets.token_urlsafe(12)
        with self._lock:
            self._values[label] = self._now(), value
            while len(self._values) > MOST_REMEMBERED:
                self._values.popitem(last=False)
        return label

    def get(self, label: str) -> Value | None:
        """What was put under a label; None when it is forgotten."""
        with self._lock:
            since, value = self._values.get(label, (0, None))
            if value is None or not 0 <= self._now() - since <= REMEMBERED_MIN:
                self._values.pop(label, None)
                return None
            return value

    def take(self, label: str) -> Value | None:
        """The same, once."""
        value = self.get(label)
        with self._lock:
            self._values.pop(label, None)
        return value


class IslandKeyring:
    """The keyring of one island (`node.board.keyring.Keyring`). Safe from any thread but the runner's."""

    def __init__(self, board: Board, charter: Charter, own: SigningKey, host: KeyringHost):
        self._board, self._charter, self._own, self._host = board, charter, own, host
        self._looked_at: BriefMemory[tuple[bytes, str]] = BriefMemory(board.now)
        self._invitations: BriefMemory[InvitationMade] = BriefMemory(board.now)
        self._renewals: BriefMemory[tuple[int, list[bytes]]] = BriefMemory(board.now)

    # reading

    def tree(self) -> list[KeyView]:
        """Every key, founders first, each one under who vouched for it."""
        return self._board.keys.views(self._board.now())

    def own(self) -> KeyView:
        """This island's own key."""
        return self._board.keys.own(self._board.now())

    def find(self, who: str) -> list[KeyView]:
        """The keys that a name, 16 digits or a whole key may mean."""
        return self._board.keys.find(who, self._board.now())

    def rights(self) -> RightsStatus:
        """What this island may do, what it lacks, and whose rights end soon."""
        return self._board.keys.rights(self._board.now())

    # letting in

    def vouch(self, wish: VouchWish, keeper: str, key: TypedKey | None = None, why: str = "") -> KeyView:
        """Let a key do something, or renew it: the key as it then is."""
        public, known = self._subject(wish.who)
        signer, now = self._signer(key), self._board.now()
        self._check_may_vouch(signer, key_id(public), known.name if known else wish.name)
        name = " ".join(wish.name.split())[:MOST_NAME] or (known.name if known else "")
        if not name or (known and name == known.id):
            raise KeyRefused(sentence("This key has no name yet. Please give it one: it is shown on every island."))
        rights = Right.WRITE
        for each in {*(known.lets if known else ()), *wish.more}:
            rights |= Right[each.upper()]
        life_h = min(_within(wish.days) * 24, MAX_LIFE_H[Kind.VOUCH])
        self._publish(vouch(self._charter, signer, Vouch(public, rights), name, (now, life_h)))
        self._log(keeper, AuditAction.VOUCH, name, why)
        return self.find(public.hex())[0]

    def invite(self, wish: InviteWish, keeper: str, key: TypedKey | None = None, why: str = "") -> InvitationMade:
        """An invitation for one newcomer. Its vouch is kept at once, and sent."""
        signer, spoken = self._signer(key), self._host.secret.known[0]
        now = max(self._board.now(), spoken.created)  # a clock that is behind says nothing else
        self._check_may_vouch(signer, b"", "")
        seed = self._host.random(SEED_BYTES)
        offered = offer(signer.key_id, seed, now, _within(wish.days) * 24, wish.group)
        invitation = prepare(self._charter, signer, seed, offered, self._leading_up()).holding(spoken)
        self._publish(invitation.credentials[0])
        one_time = SigningKey(seed).key_id
        self._promise(one_time.hex() if wish.keeper else "", self._entry(keeper, AuditAction.INVITE, "", why))
        until = min(offered.expires, self._trust.standings[signer.key_id].until(now, Right.VOUCH))
        made = InvitationMade("", to_text(invitation_bytes(invitation)), until, wish.keeper)
        return replace(made, label=self._invitations.put(made))

    def invitation(self, label: str) -> InvitationMade | None:
        """One that was made within the last half hour."""
        made = self._invitations.get(label)
        return made and replace(made, label=label)

    def paper_key(self, language: str, keeper: str) -> PaperKey:
        """A new key for a keeper, to be written down: it is kept nowhere, and may do nothing until it is vouched for."""
        seed = self._host.random(SEED_BYTES)
        public = SigningKey(seed).public
        self._log(keeper, AuditAction.PAPER_KEY, key_id(public).hex())
        return PaperKey(seed_words(seed, language), public.hex(), fingerprint_words(public, language))

    # putting out

    def look(self, who: str, since: int | None, key: TypedKey | None = None) -> RevocationPreview:
        """What revoking a key would do; nothing is done. `since`: a minute, None for now."""
        _, known = self._subject(who)
        if known is None:
            raise KeyRefused(sentence("No key of this set is %(who)s: there is nothing to revoke.", who=who[:MOST_NAME]))
        signer, now, subject = self._signer(key), self._board.now(), bytes.fromhex(known.id)
        since = now if since is None else min(max(since, 0), now)
        record = Record(Kind.REVOCATION, signer.key_id, now, MAX_LIFE_H[Kind.REVOCATION], detail=Revocation(subject, since))
        raw = encode(sign(record, self._charter.set_id, signer.sign))
        change = self._host.propose([raw])
        if change.verdicts[0].reason not in IN_THE_SET or change.admission is None:
            raise KeyRefused(self._may_not(signer))
        return self._preview(known, since, raw, change, change.admission.trust)

    def revoke(self, label: str, keeper: str, at_once: bool = False, why: str = "") -> WaitingRevocation | None:
        """Do what `look` has shown, in ten minutes or (`at_once`) now; None when it is done. `why` is for the audit log."""
        looked_at = self._looked_at.take(label)
        if looked_at is None:
            raise KeyRefused(sentence("This page had been open for too long. Nothing was revoked: please look at it "
                                      "again."))
        raw, name = looked_at
        entry = self._entry(keeper, AuditAction.REVOKE, name, why)
        if at_once:
            self._publish(raw)
            self._board.notes.log(entry)
            return None
        waiting = PendingRevocation(raw, name, self._board.now() + UNDO_MIN)
        id_ = record_id(raw).hex()
        self._board.notes.update(
            lambda state: replace(state, revocations={**state.revocations, id_: waiting}), entry)
        return WaitingRevocation(id_, name, waiting.sent_at)

    def waiting(self) -> Sequence[WaitingRevocation]:
        """What can still be dropped."""
        return [WaitingRevocation(id_, one.name, one.sent_at)
                for id_, one in self._board.notes.state.revocations.items()]

    def undo(self, revocation_id: str, keeper: str) -> bool:
        """Drop a revocation that was not sent yet; whether there was one."""
        one = self._board.notes.state.revocations.get(revocation_id)
        return one is not None and self._board.notes.update(
            lambda state: _without(state, revocation_id), self._entry(keeper, AuditAction.REVOKE_UNDO, one.name))

    def send_due(self) -> int:
        """Send the revocations that waited long enough; how many. What the card will not take waits on."""
        now = self._board.now()
        due = [id_ for id_, one in self._board.notes.state.revocations.items()
               if not 0 < one.sent_at - now <= UNDO_MIN]  # a clock that was set back keeps nobody in
        return sum(self._send(id_) for id_ in due)

    def _send(self, id_: str) -> bool:
        def sent(state: BoardState) -> BoardState:
            one = state.revocations.get(id_)
            if one is None:
                return state
            if self._host.publish(one.raw).reason not in IN_THE_SET:
                log.warning("a revocation that waited is not taken by the set")
                state = state.logged(self._entry("", AuditAction.REVOKE_FAILED, one.name))
            return _without(state, id_)

        return self._board.notes.update(sent)

    def _preview(self, known: KeyView, since: int, raw: bytes, change: Change, after: Trust) -> RevocationPreview:
        now, before, subject = self._board.now(), self._trust, bytes.fromhex(known.id)
        lost = [key for key, standing in before.standings.items() if _loses(standing, key, (before, after), now)]
        names = [self._board.reader.author(key).name for key in lost
                 if key != subject and not before.standings[key].invitations]
        rows = [decode(raw_) for id_ in change.removed if (raw_ := self._host.liveset.raw(id_))]
        used = {gift.vouch.author for each in before.standings.values() for gift in each.gifts.values()}
        open_ones = [key for key in lost if before.standings[key].invitations and key != subject and key not in used]
        signer = decode(raw).author
        return RevocationPreview(
            self._looked_at.put((raw, known.name)), known, since, subject in after.cuts, after.lacking(subject),
            signer in _givers(before, subject), tuple(names), len(open_ones),
            sum(record.kind in POST_KINDS for record in rows), self._own.key_id in lost)

    # the set's secret

    def secret(self) -> SecretView:
        """The set's secret, as this island knows it."""
        secret, now = self._host.secret, self._board.now()
        spoken, status = secret.known[0], secret.status()
        return SecretView(status.since, "" if status.since is None else self._board.reader.author(spoken.founder).name,
                          secret.coming(now), status.behind, self._board.status().host.secret.heard,
                          self._is_founder(self._own))

    def catch_up(self, letters: str, keeper: str) -> None:
        """Take the set's present secret of an invitation into it; raises KeyTrouble."""
        try:
            self._host.catch_up(letters)
        except OSError as failure:
            raise BoardClosed(ClosedReason.IO_ERROR) from failure
        self._log(keeper, AuditAction.CATCH_UP, "")

    def _is_founder(self, key: SigningKey) -> bool:
        return key.public in self._charter.founders and key.key_id not in self._trust.cuts

    def look_at_renewal(self, hours: int, key: TypedKey | None = None) -> RenewalPreview:
        """What a new secret of the set would do that is spoken in `hours` hours; nothing is done. A founder's key signs."""
        signer = self._signer(key)
        if not self._is_founder(signer):
            raise KeyRefused(sentence("Only a founder’s key renews the secret of the set."))
        look = self._host.secret.renewable(self._board.now())
        since = look.created + min(max(60 * hours, 1), MAX_WAIT_MIN)
        plan = RenewalPlan(self._host.random(SECRET_BYTES), tuple(look.seats.values()), look.created, since)
        made = renewals(plan, self._charter, signer, iter(lambda: self._host.random(SEED_BYTES), b""))
        label = self._renewals.put((since, [encode(record) for record in made]))
        unused = [view for view in self.tree() if view.role is KeyRole.INVITATION and not view.used]
        return RenewalPreview(label, since, self._named(look.seats), self._named(self._left_out(look.seats)), len(unused))

    def renew(self, label: str, keeper: str, why: str = "") -> int:
        """Do what `look_at_renewal` has shown: the minute from which the new secret is spoken."""
        looked_at = self._renewals.take(label)
        if looked_at is None:
            raise KeyRefused(sentence("This page had been open for too long. Nothing was renewed: please look at it "
                                      "again."))
        since, raws = looked_at
        self._publish_all(raws)
        self._log(keeper, AuditAction.RENEW_SECRET, "", why)
        return since

    def _left_out(self, seats: Collection[bytes]) -> set[bytes]:
        """Who may know the present secret and would not get the next one: not who was left out before."""
        made, knew = self._host.secret.known[0].created, self._host.secret.knew()
        gone = {bytes.fromhex(view.id): view.cut or view.ended or FOREVER for view in self.tree()
                if view.role is not KeyRole.INVITATION}
        gone = {**self._trust.cuts, **gone}
        return {key for key, since in gone.items() if key not in seats and (key in knew or since > made)}

    def _named(self, keys: Iterable[bytes]) -> tuple[str, ...]:
        known = {bytes.fromhex(view.id): view.name for view in self.tree()}
        return tuple(sorted(known.get(key) or self._board.reader.author(key).name for key in keys))

    # who signs, and about whom

    @property
    def _trust(self) -> Trust:
        return self._host.liveset.trust

    def _signer(self, typed: TypedKey | None) -> SigningKey:
        if typed is None:
            return self._own
        with self._host.hashing:
            return key_in(typed)

    def _subject(self, who: str) -> tuple[bytes, KeyView | None]:
        """The public key that is meant, and what is known of it; raises KeyRefused."""
        found = self.find(who)
        if len(found) == 1:
            return bytes.fromhex(found[0].public), found[0]
        if found:
            several = ", ".join(view.id for view in found)
            raise KeyRefused(sentence("Several keys are called %(name)s: %(ids)s. Please give one of these numbers.",
                                      name=who[:MOST_NAME], ids=several))
        public = public_in(who)
        if public is None:
            raise KeyRefused(sentence("No key is called %(name)s here. For a new one, please give the whole public key: "
                                      "64 digits and letters from a to f.", name=who[:MOST_NAME]))
        if not is_usable_key(public):
            raise KeyRefused(sentence("This is nobody’s public key. Please ask for it again."))
        return public, None

    def _check_may_vouch(self, signer: SigningKey, subject: bytes, name: str) -> None:
        """Whether what it signs for that key would count; raises KeyRefused, saying who can."""
        trust, now = self._trust, self._board.now()
        if not trust.may(signer.key_id, Right.VOUCH, now):
            raise KeyRefused(self._may_not(signer))
        if subject in trust.cuts:
            raise KeyRefused(sentence("%(name)s was revoked, and its key never counts again. Let that island start anew, "
                                      "with a new invitation.", name=name))
        if subject and not may_vouch_for(trust, signer.key_id, subject, now):
            who = ", ".join(self._board.keys.who_may(now, subject))
            raise KeyRefused(
                sentence("This key took back what it gave to %(name)s, and cannot give it again. Who can: %(who)s.",
                         name=name, who=who) if who else
                sentence("This key took back what it gave to %(name)s, and cannot give it again. Let that island start "
                         "anew, with a new invitation.", name=name))

    def _may_not(self, signer: SigningKey) -> Sentence:
        who = ", ".join(self._board.keys.who_may(self._board.now()))
        if signer is not self._own:
            return sentence("This key may not do that: it is no founder’s key of this set, and no keeper has vouched for "
                            "it as a keeper’s. Who may: %(who)s.", who=who or "–")
        return sentence("This island may not let others in or put them out. Who may: %(who)s. Or sign with a founder’s or "
                        "keeper’s key.", who=who or "–")

    def _leading_up(self) -> list[Record]:
        """The vouches by which keepers are keepers, for who has none yet."""
        now = self._board.now()
        return [decode(gift.vouch.raw) for standing in self._trust.standings.values() for gift in standing.gifts.values()
                if Right.VOUCH in gift.rights and now < gift.before]

    # keeping

    def _publish(self, raw: bytes) -> None:
        self._kept(lambda: [self._host.publish(raw)])

    def _publish_all(self, raws: list[bytes]) -> None:
        self._kept(lambda: self._host.publish_all(raws))

    def _kept(self, publish: Callable[[], list[Verdict]]) -> None:
        try:
            verdicts = publish()
        except StoreFailed as failure:
            raise BoardClosed(as_reason(ClosedReason, failure.reason, ClosedReason.IO_ERROR)) from failure
        for verdict in verdicts:
            if verdict.reason not in IN_THE_SET:
                raise BoardClosed(as_reason(VerdictReason, verdict.reason, VerdictReason.SIGNATURE))

    def _promise(self, one_time: str, entry: AuditEntry) -> None:
        """Remember that who joins with this one-time key is to be a keeper; forget that of invitations that are gone."""
        standings = self._trust.standings
        self._board.notes.update(
            lambda state: replace(state, promised=frozenset(
                one for one in {*state.promised, one_time} if one and bytes.fromhex(one) in standings)),
            entry)

    def _log(self, keeper: str, action: AuditAction, about: str, why: str = "") -> None:
        self._board.notes.log(self._entry(keeper, action, about, why))

    def _entry(self, keeper: str, action: AuditAction, about: str, why: str = "") -> AuditEntry:
        return AuditEntry(self._board.now(), keeper, action, about[:MOST_NAME], in_one_line(why, MAX_WHY))


def key_in(typed: TypedKey) -> SigningKey:
    """The key that somebody typed, or whose file they gave; raises KeyRefused or WordTrouble."""
    text = typed.text.strip()
    if not text.startswith(SEALED):
        return SigningKey(seed_of_words(text))
    try:
        return keeper_key_in(text, typed.passphrase)
    except WrongPassphrase:
        raise KeyRefused(sentence("This is not the passphrase of this key file.")) from None
    except KeyTrouble as trouble:
        raise KeyRefused(trouble.sentence) from trouble


def public_in(text: str) -> bytes | None:
    """A public key written as 64 hex digits, blanks or not; None for anything else."""
    try:
        public = bytes.fromhex("".join(text.split()))
    except ValueError:
        return None
    return public if len(public) == SEED_BYTES else None


def _within(days: int) -> int:
    if not 1 <= days <= MOST_DAYS:
        raise KeyRefused(sentence("Please say between 1 and %(most)s days.", most=MOST_DAYS))
    return days


def _without(state: BoardState, id_: str) -> BoardState:
    if id_ not in state.revocations:
        return state
    return replace(state, revocations={one: kept for one, kept in state.revocations.items() if one != id_})


def _givers(trust: Trust, key: bytes) -> set[bytes]:
    """Who let a key in, by vouches or by the invitations that it used."""
    standing = trust.standings.get(key)
    gifts = standing.gifts.values() if standing else ()
    return {giver for gift in gifts for giver in (gift.vouch.author, gift.inviter) if giver}


def _loses(standing: Standing, key: bytes, trusts: tuple[Trust, Trust], now: int) -> bool:
    """Whether a key may do less, or for less long, after a change of the rules' outcome."""
    before, after = trusts
    return any(_lasts(after, key, right, now) < _lasts(before, key, right, now) for right in standing.rights)


def _lasts(trust: Trust, key: bytes, right: Right, now: int) -> int:
    standing = trust.standings.get(key)
    return min(standing.until(now, right), trust.cuts.get(key, FOREVER)) if standing and trust.may(key, right, now) else 0
