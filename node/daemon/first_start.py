"""The first start of an island that belongs to no set yet: the portal is the page `/start`, and nothing else runs.

What is typed there is in memory until the last press. Then the choices go to the card, the keys after them and the charter
last: whatever is cut short, the next start is a first one again, or whole.
"""

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from node.board.api import AuditEntry
from node.board.explanations import closed, delivery
from node.board.founding import FOUNDERS
from node.board.island_settings import COUNTRY, LANGUAGE, NAME, WIFI_NAME
from node.board.notes import NOTES, BoardNotes
from node.board.publishing import POSTING_RULES
from node.board.reasons import AuditAction
from node.board.starting import InvitedTo, IslandWish, StartDraft, StartRefused, Way
from node.daemon.app import portal_address
from node.daemon.certificate import safe_address
from node.daemon.countries import country_of
from node.daemon.founders import UnkeptKeys
from node.daemon.keyfiles import KeyFolder, KeyTrouble, invitation_in, too_old
from node.daemon.notices import notice_files
from node.daemon.qr_reader import INVITATION, scanned
from node.daemon.restoring import NotRestored, forget_unmade, restored
from node.daemon.settings import LANGUAGES, Settings
from node.daemon.settings_checks import ssid
from node.daemon.settings_keeper import NO_CARD, CardLines
from node.daemon.settings_reader import Notice, first_of, notices_in
from node.daemon.wipecode import holds_code
from node.i18n.sentence import Explained, Sentence, sentence
from node.model.clock import SystemClock, minute_of
from node.model.errors import RemoteFault
from node.model.visible_text import shows_something
from node.store.disk import StoreLocked
from node.store.index import StoreFailed
from node.store.journalstore import JournalStore
from node.transfer.invitation import MAX_NAME_BYTES
from web.portal_settings import WebSettings
from web.start import create_start

CODE_VARIABLE = "ARCHIPEL_CODE"  # a file with the code; on the SD image, what stands on the card
MAX_ISLAND_NAME = 40  # characters, as [node] name
CHOSEN = NAME, LANGUAGE, COUNTRY  # kept as settings of the desk, where no settings file has them
SETTINGS_NOTE = NOTES["settings"][0]
ANEW_S = 1.0  # the answer to the last press goes out meanwhile


class FirstStart:
    """See `node.board.starting.Starting`. `open` returns the portal; `start_anew()` ends this process once the island has
    its set, so that another one serves it. `notices`: what was found in its settings file; `card`: what that sets."""

    def __init__(self, settings: Settings, start_anew: Callable[[], object], notices: Iterable[Notice] = (),
                 card: CardLines = NO_CARD, random: Callable[[int], bytes] = os.urandom):
        self._notices = [*notices_in(settings.portal.notices), *(notice.line() for notice in notices)]
        self._told = notice_files()
        self.settings, self._start_anew, self._random = settings, start_anew, random
        self._keys = KeyFolder(settings.node.data)
        self._gate = threading.Lock()
        self._said = frozenset(card.lines)
        self._fixed = frozenset(key.split(" ")[1] for key in CHOSEN if key in self._said)
        wish = IslandWish(settings.node.name if NAME in card.lines else "", settings.node.language,
                          settings.box.country, settings.portal.posting)
        self._draft = StartDraft(wish, has_wifi=settings.portal.behind_front)
        self._password_hash = self._invitation = ""
        self._founders: UnkeptKeys | None = None
        self._ending = False
        self.code, self.code_is_ours = start_code(self._keys)

    def open(self) -> Any:
        """The WSGI application of the page."""
        node = self.settings.node
        return create_start(self, WebSettings(
            name=node.name, secret_key=self._random(32), base_url=portal_address(self.settings), language=node.language,
            timezone=node.timezone, safe=safe_address))

    def close(self) -> None:
        """Forget the founders' keys."""
        if self._founders:
            self._founders.forget()

    def begun(self) -> bool:
        """Whether it has a set now, and is about to start anew with it; also when the command line gave it one."""
        begun = self._keys.charter_exists()
        if begun:
            self._end_soon()
        return begun

    def now(self) -> int:
        """The minute by this machine's clock, which what is signed at the last press bears."""
        return minute_of(SystemClock().now())

    def knows(self, code: str) -> bool:
        """Whether this is the code of the card, however it is written."""
        return holds_code(code, self.code)

    def draft(self) -> StartDraft:
        """What was said so far."""
        return self._draft

    def notices(self) -> tuple[str, ...]:
        """What this machine's programs did, what is wrong in the settings file, and why an invitation on the card was not
        taken: as lines."""
        return first_of([*self._told(), *self._notices])

    def fixed(self) -> frozenset[str]:
        """What the settings file says, and the page does not ask: name, language, country."""
        return self._fixed

    def describe(self, wish: IslandWish) -> None:
        """What the island is to be; raises StartRefused."""
        before, problems = self._draft.island, dict[str, Sentence]()
        name = before.name if "name" in self._fixed else " ".join(wish.name.split())
        if not 1 <= len(name) <= MAX_ISLAND_NAME or not shows_something(name):
            problems["name"] = sentence("Please give the island a name of 1 to %(most)s characters.", most=MAX_ISLAND_NAME)
        language = before.language if "language" in self._fixed or wish.language not in LANGUAGES else wish.language
        country = before.country
        if self._draft.has_wifi and "country" not in self._fixed:
            try:
                country = country_of(wish.country) if wish.country.strip() else ""
            except ValueError:
                problems["country"] = sentence("No country is known by this name. Please write its two letters, such as "
                                               "FR.")
        if problems:
            raise StartRefused(problems)
        posting = wish.posting if wish.posting in POSTING_RULES else before.posting
        self._change(island=IslandWish(name, language, country, posting), described=True)

    def let_in(self, keeper: str, password_hash: str) -> None:
        """Its first keeper."""
        self._password_hash = password_hash
        self._change(keeper=keeper)

    def found(self, set_name: str, keys: int) -> None:
        """It is to found a set of its own, with so many founders' keys off the box; raises StartRefused."""
        name = " ".join(set_name.split())
        if not name or len(name.encode()) > MAX_NAME_BYTES or not shows_something(name):
            raise StartRefused({"set_name": sentence("Please give the set a name, such as your neighbourhood’s, of at most "
                                                     "%(most)s letters.", most=MAX_NAME_BYTES // 2)})
        if keys and keys not in FOUNDERS:
            raise StartRefused({"keys": sentence("Please choose two keys, three keys, or later.")})
        with self._gate:
            if self._founders and self._founders.count != keys:
                self._founders.forget()
                self._founders = None
            if keys and self._founders is None:
                self._founders = UnkeptKeys(keys, self._random)
        self._change(way=Way.FOUND, set_name=name, keys=keys)

    def join(self, invitation: str) -> None:
        """It is to join the set of this invitation (its letters); raises StartRefused."""
        if not invitation.strip():
            raise StartRefused({"letters": sentence("Please give the file, a photograph of the code, or the letters of the "
                                                    "invitation.")})
        try:
            read = invitation_in(invitation)
        except KeyTrouble as trouble:
            raise StartRefused({"letters": trouble.sentence}) from trouble
        if read.expires <= self.now():
            raise StartRefused({"letters": too_old()})
        self._invitation = invitation
        self._change(way=Way.JOIN, invited=InvitedTo(read.charter.name, read.charter.set_id, read.expires))

    def join_picture(self, photo: bytes) -> None:
        """The same, from a photograph of the invitation's code."""
        try:
            letters = scanned(photo, INVITATION)
        except RemoteFault as fault:
            raise StartRefused({"picture": delivery(fault.reason)}) from fault
        self.join(letters)

    def founders(self) -> UnkeptKeys | None:
        """The founders' keys that are being made; None when there are to be none."""
        return self._founders if self._draft.way is Way.FOUND else None

    def restore(self, backup: BinaryIO, passphrase: str) -> None:
        """Make the island of a backup instead, and start it; raises StartRefused."""
        with self._gate:
            if self._keys.charter_exists():
                return
            try:
                with _card_told():
                    forget_unmade(self.settings.node.data)
                restored(backup, self.settings.node.data, passphrase)
            except NotRestored as refused:
                raise StartRefused({"file": refused.sentence}) from refused
        self._end_soon()

    def begin(self) -> None:
        """Make the island as it was described, and start it; raises StartRefused."""
        with self._gate:
            if self._keys.charter_exists():
                return
            with _card_told():
                self._keep_choices()
                self._make_keys()
        self._end_soon()

    def _keep_choices(self) -> None:
        draft, wish = self._draft, self._draft.island
        store = JournalStore(self.settings.node.data)
        try:
            entry = AuditEntry(self.now(), draft.keeper, AuditAction.KEEPER, draft.keeper)
            posting = wish.posting if wish.posting != self.settings.portal.posting else ""
            chosen = {NAME: wish.name, LANGUAGE: wish.language, COUNTRY: wish.country, WIFI_NAME: self._wifi_name()}
            store.set_notes({SETTINGS_NOTE: {key: text for key, text in chosen.items() if text and key not in self._said}})
            BoardNotes(store, threading.Lock()).update(lambda state: replace(
                state, keepers={draft.keeper: self._password_hash}, posting=posting), entry)
        finally:
            store.close()

    def _wifi_name(self) -> str:
        """The island's, as a card gives it; "" where there is none yet that could change under who is on it now."""
        own = self._draft.has_wifi and not self._said & {NAME, COUNTRY}
        return ssid(self._draft.island.name) if own else ""

    def _make_keys(self) -> None:
        draft = self._draft
        if draft.way is Way.JOIN:
            self._keys.join(self._invitation, draft.island.name)
        elif self._founders is None:
            self._keys.found(draft.set_name, draft.island.name)
        else:
            with self._founders.signing() as founders:
                self._keys.found(draft.set_name, draft.island.name, founders)

    def _change(self, **changes: Any) -> None:
        with self._gate:
            self._draft = replace(self._draft, **changes)

    def _end_soon(self) -> None:
        with self._gate:
            if not self._ending:
                self._ending = True
                ending = threading.Timer(ANEW_S, self._start_anew)
                ending.daemon = True
                ending.start()


@contextmanager
def _card_told() -> Iterator[None]:
    """What the card or a key does not allow, as what is told on the page."""
    try:
        yield
    except StoreFailed as failure:
        raise StartRefused({"": closed(failure.reason)}) from failure
    except Explained as refused:
        raise StartRefused({"": refused.sentence}) from refused
    except StoreLocked as locked:
        raise StartRefused({"": sentence("Another command is at work on this island. Please try again when it is done.")}) \
            from locked
    except OSError as error:
        raise StartRefused({"": sentence("The card did not take it (%(error)s). Please try again, or use another card.",
                                         error=error.strerror or "")}) from error


def start_code(keys: KeyFolder) -> tuple[str, bool]:
    """The code of the page `/start`, and whether it is ours to show: on the SD image it stands on the card."""
    with suppress(OSError, UnicodeDecodeError):
        code = Path(os.environ.get(CODE_VARIABLE, "")).read_text(encoding="utf-8").strip()
        if code:
            return code, False
    return keys.start_code(), True
