"""What the sources that are gathered answer to the command line (`node.daemon.rpc`)."""

from typing import Any

from node.board.gathering import Gathering, SourceView
from node.daemon.rpc import Handler


def gather_handlers(gathering: Gathering) -> dict[str, Handler]:
    """By the name of the request."""
    return {"gather": lambda request: [told(view) for view in gathering.sources()],
            "gather-now": lambda request: gathering.ask_now()}


def told(view: SourceView) -> dict[str, Any]:
    """A source as JSON: `said` as a sentence, None before it was asked since this start."""
    source = view.source
    return {"name": source.name, "address": source.address, "paused": source.paused, "asked": source.asked,
            "asking": view.asking, "wait_min": view.wait_min, "said": view.said and view.said.to_json(),
            "today": {"records": source.records, "air_s": round(source.air_s, 1)}}
