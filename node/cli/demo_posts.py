"""What stands on the boards of the demo when it starts, in the language of whoever starts it."""

from datetime import datetime, timedelta
from pathlib import Path

from node.board.api import LANGUAGES, TOPICS
from node.cli.language import _, tongue
from node.daemon import rpc

DAY_H = 24
SOON_H = 2  # from now on: something of today that is not over
NUMBERS = {slug: number for number, slug in TOPICS.items()}


def seed(folders: list[Path], now: datetime) -> None:
    """Let the islands of these data folders have a board each, as of `now` by this machine's clock."""
    language = next(number for number, tag in LANGUAGES.items() if tag == tongue())
    for island, topic, draft in [*_bulletins(), *_events(now)]:
        rpc.ask(folders[island], "post", draft={"language": language, "topic": NUMBERS[topic], **draft})


def _bulletins() -> list[tuple[int, str, dict]]:
    """(number of the island, topic, what is posted there)."""
    texts = [
        (0, "food", _("Soup for everybody tonight at 7 pm, at the neighbourhood house.\nBring your bowl. "
                      "From 5 pm we are glad of hands to peel.")),
        (0, "lost-found", _("Found in front of the bakery: a grey cat with a blue collar. It waits at number 14.")),
        (1, "energy-water", _("The fountain on the square gives drinking water again.")),
        (1, "mutual-aid", _("We lend a drill, a ladder and a trolley. Ring at number 22.")),
        (2, "mutual-aid", _("Who can mend a bicycle on Sunday? There is cake.")),
    ]
    return [(island, topic, {"text": text}) for island, topic, text in texts]


def _events(now: datetime) -> list[tuple[int, str, dict]]:
    """Likewise, in the week that follows `now`."""
    house, square = _("Neighbourhood house, 8 Canal Street"), _("Market square")
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    soon = now.hour + SOON_H
    planned = [  # island, topic, hours after the midnight before now, for how many hours, title, place, text
        (0, "meeting", soon, 2, _("Tea on the square"), square, _("Come as you are.")),
        (0, "meeting", DAY_H + 18, 2, _("Neighbourhood meeting"), house, _("Water, the garden, the winter.")),
        (1, "food", 2 * DAY_H + 17, 1.5, _("Vegetables shared out"), _("School yard"), _("Bring bags.")),
        (2, "transport", 3 * DAY_H + 10, 3, _("Bicycle workshop"), _("Under the bridge"), _("Tools are there.")),
        (1, "culture", 5 * DAY_H + 9, 2 * DAY_H + 8, _("Flea market"), square, ""),
        (2, "culture", 5 * DAY_H + 20, 3.5, _("Ball"), house, _("With the band of the quay.")),
    ]
    drafts = []
    for island, topic, after_h, length_h, title, place, text in planned:
        start = today + timedelta(hours=after_h)
        drafts.append((island, topic, {"title": title, "place": place, "text": text, "start": f"{start:%Y-%m-%d %H:%M}",
                                       "end": f"{start + timedelta(hours=length_h):%Y-%m-%d %H:%M}"}))
    return drafts
