"""What the portal hands over and takes in: bundles, records on paper (`node.board.api.Transfer`)."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Literal

from node.board.api import Delivery, Item, LastBundle, Stick
from node.board.reasons import ClosedReason, DeliveryProblem, VerdictReason, as_reason
from node.model.errors import RemoteFault
from node.model.record import TRUST_KINDS, Kind
from node.store.index import StoreFailed
from node.transfer.bulk import Choice, Landed, LocalBulkPort, load_bundle, unload_bundle
from node.transfer.lan import LanService
from node.transfer.paper import code_of, codes_of, letters_of, records_in

MAX_SHOWN = 12
STICK_SHOWN_MIN = 5
OUTDATED = (VerdictReason.EXPIRED, VerdictReason.SUPERSEDED, VerdictReason.RETRACTED, VerdictReason.OVER_SHARE)
WAITING = (VerdictReason.PENNED, VerdictReason.EARLY)


class TransferService:
    """See Transfer. `find` gives the item of an id, `scan` the text of a code in a picture or RemoteFault.

    Safe from any thread but the runner's.
    """

    def __init__(self, bulk: LocalBulkPort, lan: LanService, find: Callable[[str], Item | None],
                 scan: Callable[[bytes], str]):
        self._bulk, self._lan, self._find, self._scan = bulk, lan, find, scan

    def bundle(self, topic: int | None = None) -> Iterator[bytes]:
        """See Transfer."""
        return load_bundle(self._bulk, Choice(topic))

    def deliver(self, blocks: Iterable[bytes]) -> Delivery:
        """See Transfer."""
        so_far = [Landed()]
        try:
            return self._delivery(unload_bundle(self._bulk, blocks, progress=so_far.append))
        except RemoteFault as fault:
            return Delivery(_fault(fault, DeliveryProblem.BUNDLE_MARK))
        except StoreFailed as failure:
            return self._delivery(so_far[-1], _failure(failure))

    def carried(self) -> list[LastBundle]:
        """See Transfer."""
        return [LastBundle(header.name, header.made, taken) for header, taken in self._bulk.remembered()]

    def stick(self) -> Stick | None:
        """See Transfer."""
        told = self._bulk.stick
        if told is None or self._bulk.label().made - told.minute > STICK_SHOWN_MIN:
            return None
        return Stick(told.minute, told.stage == "working", told.new, told.problem)

    def trade(self, message: bytes) -> bytes | None:
        """See Transfer."""
        try:
            return self._lan.answer(message)
        except RemoteFault as fault:
            self._lan.count(f"refused {fault.reason}")
        except StoreFailed as failure:
            self._lan.count(f"store {failure.reason}")
        return None

    def letters(self, item_id: str) -> tuple[str, str]:
        """See Transfer."""
        raw = next(iter(self._bulk.load([bytes.fromhex(item_id)])), None)
        return (letters_of(raw), code_of(raw)) if raw else ("", "")

    def codes(self, item_ids: Iterable[str], most_letters: int, most: int) -> tuple[list[str], int]:
        """See Transfer."""
        groups = self._bulk.with_papers([bytes.fromhex(id_) for id_ in item_ids])
        kept, beyond = groups, 0
        while len(codes := codes_of((raw for group in kept for raw in group), most_letters)) > most:
            kept = kept[:min(len(kept) - 1, len(kept) * most // len(codes))]
            beyond = len(groups) - len(kept)
        return codes, beyond

    def deliver_letters(self, text: str) -> Delivery:
        """See Transfer."""
        landed = Landed()
        try:
            raws, wrong = records_in(text)
            for raw, reason in zip(raws, self._bulk.unload(raws, "paper"), strict=True):
                landed.count(raw, reason)
            landed.refused += Counter({"letters": wrong})  # adds nothing for none
        except RemoteFault as fault:
            return Delivery(_fault(fault, DeliveryProblem.LETTERS))
        except StoreFailed as failure:
            return Delivery(_failure(failure))
        return self._delivery(landed)

    def deliver_picture(self, raw: bytes) -> Delivery:
        """See Transfer."""
        try:
            text = self._scan(raw)
        except RemoteFault as fault:
            return Delivery(_fault(fault, DeliveryProblem.NO_CODE))
        return self.deliver_letters(text)

    def _delivery(self, landed: Landed, problem: ClosedReason | Literal[""] = "") -> Delivery:
        new, refused = landed.new, landed.refused
        outdated, waiting = (sum(refused[reason] for reason in reasons) for reasons in (OUTDATED, WAITING))
        faults = tuple(sorted(slug for slug, count in landed.faults.items() if count))
        return Delivery(
            problem, self._shown(landed.new_ids), new[Kind.BULLETIN], new[Kind.EVENT], new[Kind.REPLY],
            changes=new[Kind.RETRACTION] + new[Kind.CANCELLATION], keys=sum(new[kind] for kind in TRUST_KINDS),
            known=landed.known, outdated=outdated, waiting=waiting, bad=refused.total() - outdated - waiting, faults=faults,
            island=landed.header.name if landed.header else "", made=landed.header.made if landed.header else None)

    def _shown(self, ids: list[bytes]) -> tuple[Item, ...]:
        found = (self._find(id_.hex()) for id_ in ids)
        return tuple(item for item in found if item and item.kind in (Kind.BULLETIN, Kind.EVENT))[:MAX_SHOWN]


def _fault(fault: RemoteFault, otherwise: DeliveryProblem) -> DeliveryProblem:
    return as_reason(DeliveryProblem, fault.reason, otherwise)


def _failure(failure: StoreFailed) -> ClosedReason:
    return as_reason(ClosedReason, failure.reason, ClosedReason.IO_ERROR)
