"""What is told of an urgent post beside its words: whether other islands confirm it. The same words everywhere."""

from node.board.api import Item
from node.i18n.sentence import N_, Plural, Sentence, entry

NOT_CONFIRMED = N_("Not confirmed yet")
CONFIRMED = Plural("Confirmed by %(num)s island", "Confirmed by %(num)s islands")


def confirmed_words(item: Item) -> Sentence | None:
    """Whether enough other islands confirm it; None of what nobody is asked to confirm."""
    if item.confirmed is None:
        return None
    return entry(CONFIRMED, len(item.confirmed.by)) if item.confirmed.enough else Sentence(NOT_CONFIRMED)


def is_unconfirmed(item: Item) -> bool:
    """Whether an urgent post is one island's word so far."""
    return item.confirmed is not None and not item.confirmed.enough
