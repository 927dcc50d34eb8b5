"""What the running island answers to `archipel publish`: its public pages one by one, and which records are public."""

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from node.board.board import Board
from node.daemon.bulk_client import RpcBulkPort
from node.daemon.rpc import Handler, ask
from node.i18n.sentence import Explained, sentence
from node.model.record import decode
from node.transfer.bulk import BATCH, LocalBulkPort
from node.transfer.bundle import write
from web.published import BUNDLE, PublishedFile, PublishedPages


def publish_handlers(board: Board, bulk: LocalBulkPort, portal: Callable[[], Any]) -> dict[str, Handler]:
    """By the name of the request; `portal()` is the portal's application, None as long as there is none."""
    def page(request: dict) -> dict[str, Any] | None:
        app = portal()
        if app is None:
            raise Explained(sentence("this island is only starting: please try again in a minute."))
        made = PublishedPages(app, request["languages"], request["address"]).file(request["path"])
        if made is None:
            return None
        return {"name": made.name, "content": b64encode(made.content).decode(), "leads": made.leads}

    return {"publish-page": page, "publish-ids": lambda request: [id_.hex() for id_ in public_ids(board, bulk)]}


def public_ids(board: Board, bulk: LocalBulkPort) -> list[bytes]:
    """Ids of live records, in the order to load them, without what keepers hide here and what belongs to it."""
    hidden = {id_ for root in board.reader.hidden() for id_ in board.reader.about_root(root)}
    return [id_ for id_ in bulk.ids() if id_ not in hidden]


def public_files(data: Path, languages: list[str], address: str = "") -> Iterator[PublishedFile]:
    """The files of a copy, asked of the island that runs on a folder: the bundle first, then pages as they are led to.
    `address`: where the copy will stand, "" if nobody knows."""
    yield PublishedFile(BUNDLE, _bundle(data), ())
    top = f"/published?lang={languages[0]}&top={','.join(languages)}"
    waiting = [top, *(f"/published?lang={tag}" for tag in languages)]
    seen, number = set(waiting), 0
    while number < len(waiting):
        told = ask(data, "publish-page", path=waiting[number], languages=languages, address=address)
        number += 1
        if told is not None:
            made = PublishedFile(told["name"], b64decode(told["content"]), tuple(told["leads"]))
            waiting += [lead for lead in made.leads if lead not in seen]
            seen |= set(made.leads)
            yield made


def _bundle(data: Path) -> bytes:
    """A bundle of what is public. It says that it was made when its newest record was: the same records, the same file."""
    bulk = RpcBulkPort(data)
    ids = [bytes.fromhex(id_) for id_ in ask(data, "publish-ids")]
    raws = [raw for at in range(0, len(ids), BATCH) for raw in bulk.load(ids[at:at + BATCH])]
    made = max((decode(raw).created for raw in raws), default=0)
    return b"".join(write(replace(bulk.label(), made=made), raws))
