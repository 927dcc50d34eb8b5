"""What stands on the boards of the demo when it starts, in the language of whoever starts it."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from node.board.api import LANGUAGES, TOPICS
from node.cli.language import _, tongue
from node.cli.options import minute_of_local
from node.daemon import rpc

DAY_H, QUARTER = 24, timedelta(minutes=15)
NUMBERS = {slug: number for number, slug in TOPICS.items()}


def seed(folders: list[Path], now: datetime) -> None:
    """Let the islands of these data folders have a board each, as of `now` by this machine's clock."""
    language = next(number for number, tag in LANGUAGES.items() if tag == tongue())
    for island, draft in _drafts(now):
        rpc.ask(folders[island], "post", draft={"language": language, **draft})


def _drafts(now: datetime) -> list[tuple[int, dict[str, Any]]]:
    """(number of the island, what is posted there)."""
    house, square = _("Neighbourhood house, 8 Canal Street"), _("Market square")
    soon = now.replace(minute=0) + timedelta(hours=2)

    def event(title: str, place: str, text: str, topic: str, days: int, hour: int, length_h: float) -> dict[str, Any]:
        start = now.replace(hour=hour, minute=0) + timedelta(days) if days else soon
        east = start.astimezone().utcoffset() or timedelta(0)
        return {"title": title, "place": place, "text": text, "topic": NUMBERS[topic], "start": minute_of_local(start),
                "end": minute_of_local(start + timedelta(hours=length_h)), "offset": round(east / QUARTER)}

    def bulletin(text: str, topic: str) -> dict[str, Any]:
        return {"text": text, "topic": NUMBERS[topic]}

    return [
        (0, bulletin(_("Soup for everybody tonight at 7 pm, at the neighbourhood house.\nBring your bowl. From 5 pm we are glad of "
                       "hands to peel."), "food")),
        (0, bulletin(_("Found in front of the bakery: a grey cat with a blue collar. It waits at number 14."), "lost-found")),
        (1, bulletin(_("The fountain on the square gives drinking water again."), "energy-water")),
        (1, bulletin(_("We lend a drill, a ladder and a trolley. Ring at number 22."), "mutual-aid")),
        (2, bulletin(_("Who can mend a bicycle on Sunday? There is cake."), "mutual-aid")),
        (0, event(_("Tea on the square"), square, _("Come as you are."), "meeting", 0, 0, 2)),
        (0, event(_("Neighbourhood meeting"), house, _("Water, the garden, the winter."), "meeting", 1, 18, 2)),
        (1, event(_("Vegetables shared out"), _("School yard"), _("Bring bags."), "food", 2, 17, 1.5)),
        (2, event(_("Bicycle workshop"), _("Under the bridge"), _("Tools are there."), "transport", 3, 10, 3)),
        (1, event(_("Flea market"), square, "", "culture", 5, 9, 2 * DAY_H + 8)),
        (2, event(_("Ball"), house, _("With the band of the quay."), "culture", 5, 20, 3.5)),
    ]
