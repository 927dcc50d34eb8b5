"""The keys of an island as files: its own, the charter, the vouches it was let in with; keepers' keys under a passphrase.

    DATA/keys/island.key     the seed this island signs with (base32), readable by its user only
    DATA/keys/charter        the set's charter (base32), secret included, readable by its user only
    DATA/keys/secrets        the set's secrets that this island has spoken with, the present one first, one a line:
                             minutes of its making and its beginning, who made it (hex), minute it was left or "-", base32
    DATA/keys/papers         vouches to begin with, one a line (base64)
    DATA/keys/refounding     a set to be founded anew at the next start: its charter (base32), the vouch for this island
                             (base64), the minute and the keeper who did it, one a line
    DATA/keys/wipe.code      what a stick has to hold to destroy this island, for the keeper's sheet
    DATA/start.code          what has to be typed to make this island, as long as it has no set: its folder is empty else
    anywhere/NAME.key        a keeper's key, sealed by a passphrase: best kept on a stick, away from the box
"""

import base64
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from node.board.key_tree import OwnPapers, lack_of
from node.board.status import RightsLack
from node.daemon.file_trouble import why
from node.daemon.wipecode import RANDOM_BYTES, START_CODE_BYTES, code_of
from node.i18n.sentence import Explained, Sentence, sentence
from node.model.clock import SystemClock, minute_of, utc_day
from node.model.errors import LocalMisuse, RemoteFault
from node.model.keys import SECRET_BYTES, SEED_BYTES, Charter, SigningKey
from node.model.passphrase import SALT_BYTES, seal, unseal
from node.model.record import KEY_ID_BYTES, MAX_LIFE_H, Kind, Record, Right, Vouch, decode, encode, sign
from node.replica.entry import Entry
from node.replica.generations import Generation, Generations
from node.replica.trust import Trust
from node.store.disk import Disk, check_plain
from node.textpack import pack, unpack
from node.transfer.invitation import (
    Invitation,
    accept,
    charter_bytes,
    from_text,
    invitation_bytes,
    offer,
    prepare,
    read_charter,
    read_invitation,
    to_text,
)

SEALED = "archipel key 1 sealed"
PLAN, START_CODE = "refounding", "start.code"
UNMADE = "island.key", "secrets", "papers", "charter"  # in the order of their writing; the last makes the island
VOUCH_LIFE_H = MAX_LIFE_H[Kind.VOUCH]

Parsed = TypeVar("Parsed")


class KeyTrouble(Explained):
    """A key file or an invitation is missing, damaged or of another set; the sentence says what to do."""


@dataclass(frozen=True)
class FoundingPlan:
    """A set that is to be founded anew: its charter, the vouch for this island's key, who pressed, and the minute."""

    charter: Charter
    paper: bytes
    keeper: str
    minute: int


class KeyFolder:
    """The folder `keys` in an island's data folder."""

    def __init__(self, data: Path):
        self.path = data / "keys"

    def charter_exists(self) -> bool:
        """Whether this island belongs to a set."""
        return (self.path / "charter").exists()

    def charter(self) -> Charter:
        """The set's charter, with the secret that is spoken; raises KeyTrouble."""
        return replace(self._charter(), secret=self.generations()[0].secret)

    def generations(self) -> Generations:
        """The set's secrets that this island knows, the one that is spoken first; raises KeyTrouble."""
        if not (self.path / "secrets").exists():
            return (Generation(self._charter().secret),)
        return self._read("secrets", lambda text: tuple(map(_generation, text.splitlines())) or _nothing())

    def keep_generations(self, known: Generations) -> None:
        """Keep these and no others; whatever is cut short, the folder opens with what was known before, or with these."""
        if not (self.path / "secrets").exists():
            self._write_secrets(self.generations())
        write_private(self.path / "charter", to_text(charter_bytes(replace(self._charter(), secret=known[0].secret))))
        self._write_secrets(known)

    def leads_home(self, text: str) -> bool:
        """Whether this is an invitation (its text) into the set that this island is in already."""
        try:
            return self.charter_exists() and invitation_in(text).charter.set_id == self.charter().set_id
        except KeyTrouble:
            return False

    def catch_up(self, text: str) -> None:
        """Take the secret of an invitation (its text) into the set that this island is in; raises KeyTrouble."""
        self.keep_generations(caught_up(text, self.charter().set_id, self.generations()))

    def island_key(self) -> SigningKey:
        """The key this island signs with; raises KeyTrouble."""
        return self._read("island.key", lambda text: SigningKey(_seed(text)))

    def portal_secret(self) -> bytes:
        """32 bytes that sign the portal's forms; made when first asked for, so that forms outlive restarts."""
        if not (self.path / "portal.key").exists():
            write_private(self.path / "portal.key", to_text(os.urandom(SEED_BYTES)))
        return self._read("portal.key", _seed)

    def wipe_code(self) -> str:
        """What a stick has to hold to destroy this island (`node.daemon.wipecode`); made when first asked for."""
        if not (self.path / "wipe.code").exists():
            write_private(self.path / "wipe.code", code_of(os.urandom(RANDOM_BYTES)))
        return self._read("wipe.code", str)

    def credentials(self) -> list[bytes]:
        """The vouches it was let in with, encoded."""
        return self._read("papers", lambda text: [base64.b64decode(line) for line in text.split()])

    def given_name(self) -> str:
        """What this island was called when it was let into its set; "" if that cannot be read."""
        try:
            public, records = self.island_key().public, [decode(raw) for raw in self.credentials()]
            names = [unpack(one.codec, one.packed) for one in records
                     if isinstance(one.detail, Vouch) and one.detail.subject == public]
        except (KeyTrouble, RemoteFault):
            return ""
        return next((name for name in map(str.strip, names) if name), "")

    def start_code(self) -> str:
        """What has to be typed to make this island on its page `/start`; made when first asked for."""
        if not (self.path.parent / START_CODE).exists():
            Disk().make_folder(self.path.parent)
            write_private(self.path.parent / START_CODE, code_of(os.urandom(START_CODE_BYTES)))
        return _read_file(self.path.parent / START_CODE, str)

    def found(self, name: str, island_name: str = "", founders: Sequence[SigningKey] = ()) -> Charter:
        """Found a set called `name`. Its founders are keys off the box, the first of which makes this island a keeper's;
        without any, it is this island's own key."""
        key = self._new_key()
        (self.path / "secrets").unlink(missing_ok=True)  # of a set that it was about to join when the power went
        charter, paper = founded(name, founders or [key], key.public, island_name or name)
        self._keep(charter, [paper])
        return charter

    def join(self, text: str, island_name: str) -> Charter:
        """Join the set that an invitation (its text) leads to; raises KeyTrouble."""
        invitation = invitation_in(text)
        try:
            key = self._new_key()
            admission = accept(invitation, key.public, island_name, minute_of(SystemClock().now()))
        except RemoteFault as fault:
            raise _what_is_wrong(fault.reason) from fault
        self._write_secrets((invitation.spoken,))
        self._keep(invitation.charter, [*invitation.credentials, encode(admission)])
        return invitation.charter

    def invite(self, days: int = 365, keeper: SigningKey | None = None, group: bool = False) -> str:
        """The text of a new invitation by `keeper` (this island's key if None), good for one newcomer and `days`.

        For an island that does not run: its vouch is kept with the others, and goes out at the next start. Raises
        KeyTrouble when that key may not let anybody in.
        """
        keeper, charter, papers = keeper or self.island_key(), self.charter(), self.credentials()
        spoken, seed = self.generations()[0], os.urandom(SEED_BYTES)
        minute = max(minute_of(SystemClock().now()), spoken.created)  # a clock that is behind says nothing else
        if not self._trust().may(keeper.key_id, Right.VOUCH, minute):
            raise KeyTrouble(sentence("this key may not let others in, as far as this island knows. Start the island "
                                      "(archipel run) and try again, or use a founder’s or keeper’s key (--key, --words)."))
        offered = offer(keeper.key_id, seed, minute, days * 24, group)
        invitation = prepare(charter, keeper, seed, offered, [decode(raw) for raw in papers]).holding(spoken)
        self._keep(charter, [*papers, invitation.credentials[0]])
        return to_text(invitation_bytes(invitation))

    def lack(self) -> RightsLack:
        """Why this island may not write, as far as the vouches tell that it was let in with; none if it may."""
        own, minute, trust = self.island_key(), minute_of(SystemClock().now()), self._trust()
        if trust.may(own.key_id, Right.WRITE, minute):
            return RightsLack.NONE
        return lack_of(trust, OwnPapers.of(own, self.credentials()), minute)[0]

    def _trust(self) -> Trust:
        return Trust(self.charter(), [Entry.of(decode(raw), raw) for raw in self.credentials()])

    def keep_private(self) -> None:
        """Take the folder and its files from all other users, whoever made them."""
        Disk().keep_all_private(self.path, lambda name: True)

    def plan(self, plan: FoundingPlan) -> None:
        """Keep what `node.daemon.refounding` does at the next start."""
        paper = base64.b64encode(plan.paper).decode()
        charter = "".join(to_text(charter_bytes(plan.charter)).split())
        write_private(self.path / PLAN, f"{charter}\n{paper}\n{plan.minute}\n{plan.keeper}\n")

    def planned(self) -> FoundingPlan | None:
        """What is planned, if something is; raises KeyTrouble."""
        return self._read(PLAN, _plan) if (self.path / PLAN).exists() else None

    def carry_out(self, plan: FoundingPlan) -> None:
        """Belong to the new set; what was known of the old one's secrets goes."""
        self._keep(plan.charter, [plan.paper])
        (self.path / "secrets").unlink(missing_ok=True)
        (self.path / PLAN).unlink(missing_ok=True)

    def forget_unmade(self) -> None:
        """Take away what a founding or a joining has left that was cut short: without a charter it lets nobody in."""
        for name in UNMADE:
            _destroy(self.path / name)
            _destroy(self.path / f"{name}.new")
        with suppress(FileNotFoundError):
            self.path.rmdir()

    def destroy(self) -> None:
        """Write over every key, in its place on the card, before its name goes: nothing signed here can be forged later."""
        for path in self.path.glob("*"):
            _destroy(path)

    def _new_key(self) -> SigningKey:
        Disk().make_folder(self.path)
        seed = os.urandom(SEED_BYTES)
        write_private(self.path / "island.key", to_text(seed))
        return SigningKey(seed)

    def _keep(self, charter: Charter, credentials: list[bytes]) -> None:
        write_private(self.path / "papers", "\n".join(base64.b64encode(credential).decode() for credential in credentials))
        write_private(self.path / "charter", to_text(charter_bytes(charter)))
        (self.path.parent / START_CODE).unlink(missing_ok=True)

    def _charter(self) -> Charter:
        return self._read("charter", lambda text: read_charter(from_text(text)))

    def _write_secrets(self, known: Generations) -> None:
        write_private(self.path / "secrets", "\n".join(map(_generation_line, known)) + "\n")

    def _read(self, name: str, parse: Callable[[str], Parsed]) -> Parsed:
        return _read_file(self.path / name, parse)


def _destroy(path: Path) -> None:
    with suppress(FileNotFoundError), path.open("r+b") as file:
        file.write(os.urandom(path.stat().st_size))
        file.flush()
        os.fsync(file.fileno())
        path.unlink()


def _read_file(path: Path, parse: Callable[[str], Parsed]) -> Parsed:
    try:
        return parse(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise KeyTrouble(sentence("%(path)s is missing. Found a set (archipel init) or join one (archipel join).",
                                  path=str(path))) from None
    except (RemoteFault, ValueError, OSError) as error:
        what = why(error) if isinstance(error, OSError) else str(error)
        raise KeyTrouble(sentence("%(path)s cannot be read (%(error)s). Put back a copy, or restore a backup.",
                                  path=str(path), error=what)) from error


def founded(name: str, founders: Sequence[SigningKey], island: bytes, island_name: str) -> tuple[Charter, bytes]:
    """The charter of a new set, and what its first founder signs for the island that founds it (its public key): a keeper's
    vouch, unless that is the founder's key itself."""
    charter = Charter.found(name, [founder.public for founder in founders], os.urandom(SECRET_BYTES))
    rights = Right.WRITE | Right.URGENT | (Right(0) if island in charter.founders else Right.VOUCH)
    return charter, vouch(charter, founders[0], Vouch(island, rights), island_name)


def caught_up(text: str, set_id: bytes, known: Generations, fallen: bool = False) -> Generations:
    """What an island knows, and speaks first, after it was given an invitation into its own set; raises KeyTrouble.

    `fallen`: who made the secret that it speaks with was not to make it, so that an older one is better.
    """
    invitation = invitation_in(text)
    if invitation.charter.set_id != set_id:
        raise KeyTrouble(sentence("this invitation leads to another set, and this island belongs to one already."))
    if invitation.spoken.secret == known[0].secret:
        return known
    older = invitation.spoken.created < known[0].created and not fallen
    if older or invitation.spoken.secret in {one.secret for one in known}:
        raise KeyTrouble(sentence("this invitation brings an older secret than this island has. Ask for one made on an "
                                  "island that the others hear."))
    return (invitation.spoken, *known)


def vouch(charter: Charter, keeper: SigningKey, detail: Vouch, name: str, term: tuple[int, int] | None = None) -> bytes:
    """The encoded vouch of `keeper` for a key and its rights. `term`: minute of creation, life in hours."""
    created, life_h = term or (minute_of(SystemClock().now()), VOUCH_LIFE_H)
    codec, packed = pack(name)
    record = Record(Kind.VOUCH, keeper.key_id, created, life_h, codec=codec, packed=packed, detail=detail)
    return encode(sign(record, charter.set_id, keeper.sign))


def write_keeper_key(path: Path, passphrase: str) -> SigningKey:
    """Make a keeper's key in a new file, sealed by a passphrase."""
    if path.exists():
        raise KeyTrouble(sentence("%(path)s exists already; keys are never overwritten. Choose another name.",
                                  path=str(path)))
    seed = os.urandom(SEED_BYTES)
    write_private(path, f"{SEALED}\n{to_text(seal(seed, passphrase, os.urandom(SALT_BYTES)))}\n")
    return SigningKey(seed)


def read_key_file(path: Path) -> str:
    """The text of a keeper's key file, still sealed; raises KeyTrouble."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise KeyTrouble(sentence("%(path)s cannot be read (%(error)s).", path=str(path), error=why(error))) from error
    except UnicodeDecodeError as error:
        raise KeyTrouble(sentence("%(path)s is not a keeper's key file.", path=str(path))) from error
    if not text.startswith(SEALED):
        raise KeyTrouble(sentence("%(path)s is not a keeper's key file.", path=str(path)))
    return text


def keeper_key_in(text: str, passphrase: str) -> SigningKey:
    """The key in the text of a keeper's file; raises KeyTrouble or WrongPassphrase."""
    try:
        return SigningKey(unseal(from_text(text.strip().removeprefix(SEALED)), passphrase))
    except (RemoteFault, LocalMisuse) as error:
        raise KeyTrouble(sentence("this key file is damaged: use another copy of it.")) from error


def write_private(path: Path, text: str) -> None:
    """Write a whole file that only its user may read: beside, synced, then renamed."""
    check_plain(path)
    beside = path.with_name(path.name + ".new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.rename(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def invitation_in(text: str) -> Invitation:
    """The invitation of a text; raises KeyTrouble."""
    try:
        return read_invitation(from_text(text))
    except RemoteFault as fault:
        raise _what_is_wrong(fault.reason) from fault


def _generation_line(one: Generation) -> str:
    left = "-" if one.left is None else one.left
    return f"{one.created} {one.since} {one.founder.hex()} {left} {base64.b32encode(one.secret).decode()}"


def _generation(line: str) -> Generation:
    """The inverse; raises a RemoteFault, which tells nothing of the line."""
    try:
        created, since, founder, left, secret = line.split()
        read = Generation(base64.b32decode(secret), int(created), int(since), bytes.fromhex(founder),
                          None if left == "-" else int(left))
    except ValueError:
        read = Generation(b"")
    if len(read.secret) != SECRET_BYTES or len(read.founder) != KEY_ID_BYTES:
        raise RemoteFault("secret-form")
    return read


def _plan(text: str) -> FoundingPlan:
    charter, paper, minute, keeper = text.splitlines()
    return FoundingPlan(read_charter(from_text(charter)), base64.b64decode(paper), keeper, int(minute))


def _nothing() -> Generations:
    raise RemoteFault("secret-form")


def _seed(text: str) -> bytes:
    seed = from_text(text)
    if len(seed) != SEED_BYTES:
        raise RemoteFault("key-length")
    return seed


def too_old() -> Sentence:
    """Of an invitation; or it is this machine's clock that is wrong."""
    day = utc_day(minute_of(SystemClock().now()))
    return sentence("this invitation is too old by this machine’s clock (%(day)s). Ask the keeper for a new one; if the "
                    "day is wrong, give the machine internet for a while, and try again.", day=day)


def _what_is_wrong(reason: str) -> KeyTrouble:
    if reason == "invitation-expired":
        return KeyTrouble(too_old())
    return KeyTrouble(sentence("this is not a whole invitation (%(reason)s). "
                               "Copy it again, from the first letter to the last.", reason=reason))
