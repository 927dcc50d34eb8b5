"""What the running island answers to `archipel digest`."""

from zoneinfo import ZoneInfo

from node.board.board import Board
from node.board.digest import Digest, DigestForm, DigestSize
from node.board.spoken import SpokenAgenda
from node.daemon.rpc import Handler
from node.i18n.moments import Dates


def digest_handlers(board: Board, island: str, address: str, zone: str) -> dict[str, Handler]:
    """By the name of the request."""
    def digest(request: dict) -> str:
        agenda = SpokenAgenda(board, ZoneInfo(zone), Dates(request["lang"]))
        return Digest(agenda, island, address).text(DigestSize(DigestForm(request["form"]), request["parts"]))

    return {"digest": digest}
