"""What of an island rests now: as its keepers planned it, by a clock that is sure; and never right after a start."""

from collections.abc import Callable, Iterable
from zoneinfo import ZoneInfo

from node.board.night_rest import RestPart, RestPlan, RestSpan, resting
from node.daemon.timekeeper import Timekeeper
from node.model.clock import minute_of
from radio.airtime import Governor

AWAKE_S = 900.0  # after each start: who pulls the plug and puts it back gets in by the Wi-Fi, whatever was planned


class NightWatch:
    """`plan()` is the keepers'; `zone` that of the island's wall clock. `rests` may be asked from any thread."""

    def __init__(self, plan: Callable[[], RestPlan], zone: ZoneInfo, timekeeper: Timekeeper):
        self._plan, self._zone, self._timekeeper = plan, zone, timekeeper
        self._awake_until = timekeeper.monotonic() + AWAKE_S

    def rests(self, part: RestPart) -> bool:
        """Whether it does, now."""
        awake = part is RestPart.WIFI and self._timekeeper.monotonic() < self._awake_until
        return not awake and self._span(part) is not None

    def let_rest(self, governors: Iterable[Governor], now: float) -> None:
        """Let radios send what is urgent only, while they rest; they hear all the same. For the runner's thread."""
        span = self._span(RestPart.RADIO)
        left_s = 60.0 * (span.end - minute_of(now)) if span else 0.0
        for governor in governors:
            governor.rest(left_s, now)

    def _span(self, part: RestPart) -> RestSpan | None:
        if not self._timekeeper.sure:
            return None
        return resting(self._plan().get(part), minute_of(self._timekeeper.now()), self._zone)
