"""Keepers: what they decide on this island. Each decision is one commit with its entry in the audit log."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice

from node.board.air_orders import AirOrder, AirOrderKind
from node.board.api import (
    TOPICS,
    AuditEntry,
    BoardClosed,
    Cleared,
    Corners,
    Draft,
    DraftRefused,
    Item,
    Picture,
    Posted,
    Problem,
    Waiting,
)
from node.board.care import LastBackup
from node.board.clearing import Clearer
from node.board.drafts import is_readable
from node.board.handover import Handover, HandoverStep, StepView, present, steps, ticked
from node.board.image import picture_of
from node.board.import_sources import ImportSource
from node.board.items import MIN_PREFIX, root_of
from node.board.night_rest import RestPlan
from node.board.notes import BoardState
from node.board.publishing import TOO_LATE
from node.board.rationing import MAX_WAITING
from node.board.reasons import AuditAction, ClosedReason, ProblemCode
from node.board.street_map import StreetMap, street_map_of
from node.model.clock import seconds_of
from node.model.names import fit_name
from node.model.record import Kind, record_id

MAX_OUTLINE = 4_000  # characters
MAX_WELCOME = 600  # characters: a screen of a phone, 1.2 kB of a page that may have 14,000 octets
AIR_ACTIONS = {AirOrderKind.SUMMARY: AuditAction.RADIO_SUMMARY, AirOrderKind.SILENCE: AuditAction.RADIO_SILENCE,
               AirOrderKind.ONLY_URGENT: AuditAction.RADIO_ONLY_URGENT, AirOrderKind.SHARE: AuditAction.RADIO_SHARE}
MAX_CARD_KEEPERS = 50  # names that a card has given; the oldest go


class Moderation(Clearer):
    """The part of the board where keepers decide, on their pages or on the command line."""

    def hide(self, item_id: str, hidden: bool = True, keeper: str = "", why: str = "") -> bool:
        """Stop showing it on this island only, or show it again; whether there is such a post. `item_id` as in `item`."""
        root = self._root(item_id)
        if root is None:
            return False
        roots = frozenset([root])
        entry = self._entry(keeper, AuditAction.HIDE if hidden else AuditAction.SHOW, item_id, why)
        self.notes.update(lambda state: replace(
            state.without_reports(roots), hidden=state.hidden | roots if hidden else state.hidden - roots), entry)
        return True

    def kept_item(self, item_id: str) -> Item | None:
        """As `item`, also if it is hidden here: what keepers look at. Without its replies. None for what is put away."""
        root = self._root(item_id)
        if root in self.notes.state.cleared:
            return None
        return self.reader.find(item_id) or (self.reader.hidden_item(root) if root else None)

    def withdraw_as_keeper(self, item_id: str, keeper: str, why: str = "") -> Cleared:
        """Withdraw a post that this island signed, everywhere, without its edit code: it is out of sight here at once, may
        be undone for ten minutes (`undo`), and is retracted then. `item_id` as in `item`.

        Raises DraftRefused (`target-gone`, or `not-yours` for what others signed: that can be hidden), BoardClosed.
        """
        return self.clear([self._own(item_id).id], keeper, why)

    def correct_as_keeper(self, item_id: str, draft: Draft, keeper: str, why: str = "", seen: str = "") -> Posted:
        """A new version of a post that this island signed, everywhere, without its edit code, which stays good.

        `seen` as in `correct`, and what is raised too.
        """
        item = self._own(item_id)
        self._check_seen(item, seen)
        return self._change_own(item, self._correction(item, draft, self._key), AuditAction.CORRECT, keeper, why)

    def cancel_as_keeper(self, item_id: str, reason: str, keeper: str) -> Posted:
        """Show an event that this island signed as cancelled, everywhere, with a reason for everybody ("" will do), which
        the audit log has too; or a bulletin as met, for which no reason is given. Raises DraftRefused or BoardClosed."""
        item = self._own(item_id)
        if item.kind is Kind.REPLY or item.met is not None:
            raise DraftRefused([Problem("kind", ProblemCode.NOT_OFFERED)])
        raw = self._signed(self._ending(item, self._key, reason), self._key)
        action = AuditAction.CANCEL if item.kind is Kind.EVENT else AuditAction.MEET
        return self._change_own(item, raw, action, keeper, reason)

    def hidden(self) -> list[Item]:
        """What is hidden here, newest first."""
        found = map(self.reader.hidden_or_live, self._liveset.standing(self.notes.state.hidden).values())
        return sorted((item for item in found if item), key=lambda item: item.created, reverse=True)

    def waiting(self, limit: int = MAX_WAITING) -> list[Waiting]:
        """Posts that wait for a keeper or for their minute, as they came, `limit` at most; `correct` and `withdraw` work on
        them too. Each text is decoded, which takes a while."""
        posts = (self.waiting_post(id_) for id_ in list(self.notes.state.waiting))
        return list(islice(filter(None, posts), limit))

    def approve(self, item_id: str, keeper: str, why: str = "") -> None:
        """Publish a waiting post (at its minute, if it has one); raises BoardClosed. Unknown ids are ignored."""
        try:
            entry = self._entry(keeper, AuditAction.APPROVE, item_id, why)
            self.notes.update(lambda state: self._let_out(state, item_id), entry)
        except BoardClosed as closed:
            if closed.reason not in TOO_LATE:
                raise
            self.drop(item_id)
            raise BoardClosed(ClosedReason.TOO_LATE) from closed

    def refuse(self, item_id: str, keeper: str, why: str = "") -> None:
        """Let a post wait no longer; it may be undone for some minutes."""
        if self.notes.state.waits(item_id):
            self.clear([item_id], keeper, why)

    def set_posting(self, rule: str, keeper: str, why: str = "") -> None:
        """Who may post here: one of `posting_rules`. Beside a rule of the card it counts until the next start."""
        if rule not in self.posting_rules():
            raise DraftRefused([Problem("posting", ProblemCode.NOT_OFFERED)])
        entry = self._entry(keeper, AuditAction.POSTING, rule, why)
        if rule == self.posting_rule():
            return
        if self._host.rule_stands:
            self.notes.log(entry)
            self._stricter = rule if rule != self._host.rule else ""
        else:
            self.notes.update(lambda state: replace(state, posting=rule), entry)

    def welcome(self) -> str:
        """What stands at the head of the first page, in the keepers' words; "" for nothing."""
        return self.notes.state.welcome

    def set_welcome(self, text: str, keeper: str, why: str = "") -> None:
        """Keep other words; raises DraftRefused above 600 characters, and for signs that turn a page around."""
        text = unicodedata.normalize("NFC", text.strip())
        if len(text) > MAX_WELCOME:
            raise DraftRefused([Problem("text", ProblemCode.TOO_LONG, len(text) - MAX_WELCOME)])
        if not is_readable(text):
            raise DraftRefused([Problem("text", ProblemCode.CONTROL_CHARACTER)])
        self.notes.update(lambda state: state if state.welcome == text else replace(state, welcome=text),
                          self._entry(keeper, AuditAction.WELCOME, "", why))

    def topics(self) -> list[int]:
        """The numbers of the topics that are offered here, in their order; 0, "other", always is."""
        offered = [number for number in self.notes.state.topics if number in TOPICS]
        return offered or [*sorted(TOPICS)[1:], 0]

    def set_topics(self, numbers: Sequence[int], keeper: str, why: str = "") -> None:
        """Offer these, in this order, and "other" last if it is not among them; none means all. Posts keep their topics."""
        known = dict.fromkeys(number for number in numbers if number in TOPICS)
        offered = (*known, *(() if 0 in known else (0,))) if known else ()
        self.notes.update(lambda state: state if state.topics == offered else replace(state, topics=offered),
                          self._entry(keeper, AuditAction.TOPICS, "", why))

    def rests(self) -> RestPlan:
        """When what rests here. Nothing does while the clock is unsure."""
        return self.notes.state.rests

    def set_rests(self, plan: RestPlan, keeper: str, why: str = "") -> None:
        """Another plan, whose rests all fit (`Rest.fits`)."""
        if not all(rest.fits for rest in plan.values()):
            raise DraftRefused([Problem("rests", ProblemCode.NOT_OFFERED)])
        self.notes.update(lambda state: state if state.rests == plan else replace(state, rests=dict(plan)),
                          self._entry(keeper, AuditAction.RESTS, "", why))

    def steer(self, order: AirOrder, keeper: str, why: str = "") -> None:
        """A wish about the radio, for a while; raises DraftRefused for one that is not offered."""
        if not order.fits:
            raise DraftRefused([Problem("radio", ProblemCode.NOT_OFFERED)])
        ends = order.kind is not AirOrderKind.SUMMARY and not order.minutes
        self.notes.log(self._entry(keeper, AuditAction.RADIO_FREE if ends else AIR_ACTIONS[order.kind], "", why))
        self._host.steer(order)

    def radio_for_keepers(self) -> bool:
        """Whether keepers alone may read what the radio does."""
        return self.notes.state.radio_for_keepers

    def set_radio_for_keepers(self, alone: bool, keeper: str, why: str = "") -> None:
        """Let keepers alone read what the radio does, or everybody."""
        self.notes.update(
            lambda state: state if state.radio_for_keepers == alone else replace(state, radio_for_keepers=alone),
            self._entry(keeper, AuditAction.RADIO_READERS, "", why))

    def set_clock(self, minute: int, keeper: str, why: str = "") -> bool:
        """A keeper who read what it would do (`Board.clock_outcome`) says what time it is; whether that is believed: not
        over satellites or a synchronised system."""
        return self._logged_if(self._host.set_clock(seconds_of(minute)), self._entry(keeper, AuditAction.CLOCK, "", why))

    def undo_clock(self, keeper: str, why: str = "") -> bool:
        """Take back what a keeper said of the time last; whether there was anything to take back."""
        return self._logged_if(self._host.set_clock(None), self._entry(keeper, AuditAction.CLOCK_UNDO, "", why))

    def _logged_if(self, done: bool, entry: AuditEntry) -> bool:
        if done:
            self.notes.log(entry)
        return done

    def outline(self) -> str:
        """The keeper's map outline: one line per stroke, each `latitude,longitude` pairs parted by spaces; "" for none."""
        return self.notes.state.outline

    def set_outline(self, strokes: str, keeper: str, why: str = "") -> None:
        """Keep another outline; raises DraftRefused above 4,000 characters."""
        if len(strokes) > MAX_OUTLINE:
            raise DraftRefused([Problem("outline", ProblemCode.TOO_LONG, len(strokes) - MAX_OUTLINE)])
        self.notes.update(lambda state: replace(state, outline=strokes), self._entry(keeper, AuditAction.OUTLINE, "", why))

    def picture(self) -> Picture | None:
        """The keeper's picture under the map, None if there is none."""
        return self.notes.state.picture

    def set_picture(self, raw: bytes | None, corners: Corners, keeper: str, why: str = "") -> None:
        """Keep the picture in a file, of which two corners are (latitude, longitude); None for none.

        Raises DraftRefused (`node.board.image` has the codes) or BoardClosed.
        """
        made = None if raw is None else picture_of(raw, corners)
        self.notes.update(lambda state: replace(state, picture=made), self._entry(keeper, AuditAction.PICTURE, "", why))

    def streets(self) -> StreetMap | None:
        """The street map under the map of gatherings, None if there is none."""
        return self.notes.state.streets

    def set_streets(self, raw: bytes | None, keeper: str, why: str = "") -> None:
        """Keep the street map in a file that `archipel map` has written; None for none.

        Raises DraftRefused (`node.board.street_map.street_map_of` has the codes) or BoardClosed.
        """
        made = None if raw is None else street_map_of(raw)
        self.notes.update(lambda state: replace(state, streets=made), self._entry(keeper, AuditAction.STREETS, "", why))

    def audit_log(self, limit: int = 100) -> list[AuditEntry]:
        """What keepers did here, newest first."""
        return list(reversed(self.notes.state.audit_log))[:limit]

    # who may sign in, and which groups may sign

    def add_group(self, name: str, sealed: str, keeper: str = "") -> bool:
        """Let a group sign here with its key, a seed sealed by its passphrase (base64); False if it has one already."""
        def add(state: BoardState) -> BoardState:
            return state if name in state.groups else replace(state, groups={**state.groups, name: sealed})

        return self.notes.update(add, self._entry(keeper, AuditAction.GROUP, name))

    def group_seal(self, name: str) -> str | None:
        """A group's sealed seed (base64); None for one that is not here."""
        return self.notes.state.groups.get(name)

    def reseal_group(self, name: str, before: str, after: str, keeper: str = "") -> bool:
        """Keep a group's seed under another passphrase; False unless it was kept as `before`."""
        def change(state: BoardState) -> BoardState:
            return replace(state, groups={**state.groups, name: after}) if state.groups.get(name) == before else state

        return self.notes.update(change, self._entry(keeper, AuditAction.GROUP_PASSPHRASE, name))

    def remove_group(self, name: str, keeper: str = "", why: str = "") -> bool:
        """Forget a group's sealed seed, for good; what it posted stays. False for one that is not here."""
        return self.notes.update(
            lambda state: replace(state, groups=_without(state.groups, name)) if name in state.groups else state,
            self._entry(keeper, AuditAction.GROUP_GONE, name, why))

    def keepers(self) -> list[str]:
        """Who can sign in."""
        return sorted(self.notes.state.keepers)

    def keepers_of_card(self) -> list[str]:
        """Whom the card's settings file has named, now or once."""
        return sorted(self.notes.state.card_keepers)

    def set_keeper(self, name: str, password_hash: str, keeper: str = "", from_card: bool = False) -> None:
        """Let somebody sign in on the keepers' pages by a password (its hash as werkzeug makes it).

        `from_card`: the settings file on the card gave it. That counts once: whoever is removed here, or changes their
        password, is not made again by the same password at the next start.
        """
        def change(state: BoardState) -> BoardState:
            known = {**state.keepers, name: password_hash}
            told = {**_without(state.card_keepers, name), name: password_hash} if from_card else state.card_keepers
            return replace(state, keepers=known, card_keepers=dict(list(told.items())[-MAX_CARD_KEEPERS:]))

        self.notes.update(change, self._entry(keeper, AuditAction.KEEPER, name))

    def remove_keeper(self, name: str, keeper: str = "", why: str = "") -> bool:
        """Let somebody sign in no more; False for who could not."""
        return self.notes.update(
            lambda state: replace(state, keepers=_without(state.keepers, name)) if name in state.keepers else state,
            self._entry(keeper, AuditAction.KEEPER_GONE, name, why))

    def password_hash(self, keeper: str) -> str | None:
        """By which a keeper signs in; None for who is none."""
        return self.notes.state.keepers.get(keeper)

    # handing over

    def handover(self) -> Handover | None:
        """The handover under way, also one that should be over; None once it is forgotten."""
        return present(self.notes.state, self.now())

    def handover_steps(self, has_broker: bool, renewed: int | None) -> list[StepView]:
        """Its steps on this island, as `node.board.handover.steps` tells them."""
        handover = self.handover()
        return list(steps(self.notes.state, handover, has_broker, renewed)) if handover else []

    def begin_handover(self, newcomer: str, leaver: str, keeper: str) -> None:
        """Begin another one, in the place of any before; `leaver` may be "" for nobody. Raises DraftRefused."""
        name = fit_name(newcomer)
        if name is None or name == leaver:
            raise DraftRefused([Problem("newcomer", ProblemCode.EMPTY)])
        begun = Handover(name, fit_name(leaver) or "", keeper, self.now())
        self.notes.update(lambda state: replace(state, handover=begun), self._entry(keeper, AuditAction.HANDOVER, name))

    def tick_handover(self, step: HandoverStep, done: bool) -> None:
        """Note that a step is done, or that it is open after all; nothing without a handover."""
        def change(state: BoardState) -> BoardState:
            under_way = present(state, self.now())
            return replace(state, handover=ticked(under_way, step, self.now() if done else None)) if under_way else state

        self.notes.update(change)

    def end_handover(self, keeper: str, open_steps: int) -> None:
        """Forget it; the audit log keeps how many of its steps were left open."""
        self.notes.update(lambda state: replace(state, handover=None) if state.handover else state,
                          self._entry(keeper, AuditAction.HANDOVER_END, str(open_steps)))

    # what imports remember

    def remember_source(self, name: str, source: ImportSource, keeper: str) -> None:
        """Keep what is known of an agenda; with the name of the keeper who posted something of it, "" if nobody did."""
        entry = self._entry(keeper, AuditAction.IMPORT, source.origin.name) if keeper else None
        self.notes.update(lambda state: replace(state, sources=state.sources.having(name, source, self.now())), entry)

    def forget_source(self, name: str, keeper: str, why: str = "") -> bool:
        """Forget an agenda and what is known of its events, which stay on the board; False for one that is not known."""
        source = self.notes.state.sources.get(name)
        entry = self._entry(keeper, AuditAction.SOURCE_GONE, source.origin.name if source else "", why)
        return self.notes.update(
            lambda state: replace(state, sources=state.sources.without(name)) if state.sources.get(name) else state, entry)

    # care of the box

    def log_act(self, action: AuditAction, keeper: str, about: str = "", why: str = "") -> None:
        """Let it be seen that a keeper did what is kept elsewhere; raises BoardClosed."""
        self.notes.log(self._entry(keeper, action, about, why))

    def backed_up(self, size_bytes: int, way: str, keeper: str) -> None:
        """A keeper took a backup away now (`way` as of LastBackup); raises BoardClosed. Who takes it again and again is
        told of once."""
        entry, now = self._entry(keeper, AuditAction.BACKUP_TAKEN), self.now()

        def change(state: BoardState) -> BoardState:
            last = state.audit_log[-1] if state.audit_log else entry
            again = (last.keeper, last.action) == (entry.keeper, entry.action)
            taken = replace(state, backup=LastBackup(now, size_bytes, way))
            return taken if again and state.audit_log else taken.logged(entry)

        self.notes.update(change)

    def _own(self, item_id: str) -> Item:
        """A live post that this island signed, hidden here or not; raises DraftRefused."""
        item = self.kept_item(item_id)
        if item is None or item.expires <= self.now():
            raise DraftRefused([Problem("", ProblemCode.TARGET_GONE)])
        if not item.author.here:
            raise DraftRefused([Problem("", ProblemCode.NOT_SIGNED_HERE)])
        return item

    def _change_own(self, item: Item, raw: bytes, action: AuditAction, keeper: str, why: str) -> Posted:
        """Publish a change of this island's own, which answers what was reported about it, and keep that a keeper made it;
        if it cannot be published, neither."""
        root = root_of(item)
        entry = self._entry(keeper, action, root.hex(), why)

        def change(state: BoardState) -> BoardState:
            self._publish(raw)
            return state.without_reports([root]).logged(entry)

        self._check_admitted(self._key.key_id)
        if not self._fits(raw):
            raise DraftRefused([Problem("", ProblemCode.SHARE_USED)])
        self.notes.update(change)
        return Posted(record_id(raw).hex(), "", self._cost(len(raw)))

    def _root(self, item_id: str) -> bytes | None:
        item = self.reader.find(item_id)
        if item is not None:
            return root_of(item)
        if len(item_id) < MIN_PREFIX:
            return None
        return next((root for root in self.notes.state.hidden if item_id[:16] == root.hex()[:len(item_id)]), None)


def _without(values: Mapping[str, str], name: str) -> dict[str, str]:
    return {one: kept for one, kept in values.items() if one != name}
