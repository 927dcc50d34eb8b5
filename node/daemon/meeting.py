"""Meeting the other islands now rather than at their hour: what `archipel sync` asks the running island for."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from node.board.board import Board
from node.daemon.lan_discovery import LanDiscovery
from node.daemon.rpc import Handler
from node.daemon.runner import Runner
from node.sync.events import MeetNow
from radio.link import Link
from radio.mqtt.link import MqttLink


class Meeting:
    """One island's ways to the others. Safe from any thread but the runner's."""

    def __init__(self, board: Board, runner: Runner, links: Sequence[Link], discovery: LanDiscovery):
        self._board, self._runner, self._links, self._discovery = board, runner, links, discovery

    def begin(self) -> None:
        """Visit everybody on this network, ask brokers for all they keep, say by radio what is here. Nobody waits."""
        self._discovery.visit_soon()
        for link in self._links:
            if isinstance(link, MqttLink):
                link.renew()
        self._runner.take(MeetNow())

    def told(self) -> dict[str, Any]:
        """How far it is, as JSON: `busy` while visits or brokers are awaited. A radio speaks when the air is free."""
        links = [{"name": link.name, "up": link.up, "state": link.state} for link in self._links]
        busy = self._discovery.awaited() or any(
            link.renewing for link in self._links if isinstance(link, MqttLink))
        return {"busy": busy, "records": self._board.status().records, "links": links,
                "peers": [asdict(peer) for peer in self._discovery.status()]}


def meeting_handlers(meeting: Meeting) -> dict[str, Handler]:
    """By the name of the request."""
    return {"meet": lambda request: meeting.begin(), "met": lambda request: meeting.told()}
