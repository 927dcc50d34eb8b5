"""What the writer of cards answers to the command line (`node.daemon.rpc`)."""

import dataclasses
from typing import Any

from node.board.api import COMMAND_LINE
from node.board.cards import CardMaker, CardState, CardWish
from node.daemon.rpc import Handler


def card_handlers(cards: CardMaker) -> dict[str, Handler]:
    """By the name of the request."""
    return {"card-state": lambda request: told(cards.state()), "card-look": lambda request: cards.look(),
            "card-standard": lambda request: cards.standard(),
            "card-prepare": lambda request: cards.prepare(wish_of(request)),
            "card-write": lambda request: cards.write(request["label"], COMMAND_LINE)}


def wish_of(request: dict) -> CardWish:
    """The wish in a request."""
    return CardWish(request["reader"], request["seen"], request["wanted"], request["days"], request["board"])


def told(state: CardState) -> dict[str, Any]:
    """The state as JSON, sentences as such."""
    readers = None if state.readers is None else [
        dataclasses.asdict(view) | {"holds": [one.to_json() for one in view.holds],
                                    "trouble": view.trouble and view.trouble.to_json()} for view in state.readers]
    return dataclasses.asdict(state) | {"readers": readers, "trouble": state.trouble and state.trouble.to_json()}
