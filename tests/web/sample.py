"""A portal with something of everything on its board, to look at. usage: python tests/web/sample.py [PORT]"""

import logging
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from werkzeug.serving import make_server

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from node.board.api import Draft  # noqa: E402 - runs from a checkout too
from node.board.pace import Visitor  # noqa: E402
from node.daemon.orders import WORDS  # noqa: E402
from node.model.record import Kind  # noqa: E402
from node.streets.canvas import Canvas  # noqa: E402
from node.streets.drawing import drawn  # noqa: E402
from tests.board.test_image import png  # noqa: E402
from tests.sim.portals import Neighbourhood, portal_settings  # noqa: E402
from tests.streets.towns import MIDDLE, small_town, surroundings  # noqa: E402
from web import create_app  # noqa: E402

DAY_MIN = 1440
BULLETINS = [
    ("Coupure d'eau rue des Récollets jusqu'à 18 h.\nDes bidons sont à la mairie.", 13, 1),
    ("Trouvé un chat gris devant la boulangerie, collier bleu. Il attend au 14.", 10, 1),
    ("Cantine solidaire ce soir, on cherche des légumes et des bras pour éplucher dès 16 h. "
     "Horaires et recettes : https://example.org/cantine\n\nVenez comme vous êtes.", 4, 1),
    ("نبحث عن متطوعين لتوزيع الماء صباح الغد أمام المدرسة.", 3, 4),
    ("Looking for someone who can mend bicycles on Sunday.", 3, 2),
    ("Se presta taladro y escalera, preguntar en el 22.", 3, 3),
]
EVENTS = [  # title, days ahead, hour, minutes, topic, language, place
    ("Assemblée du quartier", 0, 18, 120, 2, 1, "Maison des associations, 8 rue du Canal"),
    ("Manifestation pour l’hôpital", 1, 14, 180, 1, 1, "Place de la République"),
    ("Distribution de légumes", 2, 18, 90, 4, 1, "AMAP du canal"),
    ("اجتماع الجيران", 3, 19, 60, 2, 4, "دار الجمعيات"),
    ("Fête de la soupe", 5, 12, 48 * 60, 8, 1, "Quai de Valmy"),
]


def drawn_map(side: int = 240) -> bytes:
    """A PNG of a town: grey streets between white blocks, a canal across."""
    rows = [bytes(90 if abs(x + y // 2 - side // 2) < 9 else 150 if x % 40 < 4 or y % 48 < 4 else 255 for x in range(side))
            for y in range(side)]
    return png(side, side, drawn=b"".join(b"\0" + row for row in rows))


def streets_of_a_small_town() -> bytes:
    """Its street map, as a file."""
    canvas = Canvas(MIDDLE, 1_000)
    return drawn(surroundings(small_town(), canvas), canvas).svg().encode()


def filled(folder: Path, said: Callable[[str], str] = str) -> Neighbourhood:
    """A neighbourhood with bulletins, events, an urgent notice, a reply, posts corrected, cancelled, hidden, waiting.

    `said` makes what people say of what is said here.
    """
    place = Neighbourhood(folder).on_a_box(*WORDS)
    board, now = place.board, place.board.now()
    place.bulletin(said("Fuite de gaz rue Bichat : évitez le bas de la rue, n’allumez rien."), 12, urgent=True)
    posted = [board.post(Draft(Kind.BULLETIN, said(text), language, topic)) for text, topic, language in BULLETINS]
    board.post(Draft(Kind.REPLY, said("Merci ! J’apporte des carottes."), target=posted[2].id))
    place.clock.advance(720)
    later = Draft(Kind.BULLETIN, said(BULLETINS[2][0].replace("16 h", "17 h")), topic=4)
    board.correct(posted[2].id, posted[2].edit_code, later)
    for title, days, hour, length, topic, language, where in EVENTS:
        start = now - now % DAY_MIN + days * DAY_MIN + (hour - 1) * 60
        draft = Draft(
            Kind.EVENT, said("Venez avec une chaise."), language, topic, title=said(title), place=said(where),
            organiser=said("Comité du canal"), link="https://example.org/", start=start, end=start + length, offset=4,
            position=(48.87 - days / 500, 2.3767))
        event = board.post(draft)
        if not days:
            moved = replace(draft, start=start + 30, place=said("Salle des fêtes, 3 rue du Canal"))
            board.correct(event.id, event.edit_code, moved)
    board.withdraw(event.id, event.edit_code, said("la salle est prise"))
    board.set_outline("48.8750,2.3600 48.8720,2.3640 48.8690,2.3680", "lea")
    board.set_picture(drawn_map(), [(48.8800, 2.3550), (48.8620, 2.3790)], "lea")
    board.set_streets(streets_of_a_small_town(), "lea")
    board.hide(board.post(Draft(Kind.BULLETIN, said("Un propos déplacé."))).id, keeper="lea")
    board.post(Draft(Kind.BULLETIN, said("Une annonce pour demain."), publish_at=now + DAY_MIN))
    board.report(posted[1].id, "mine-change", said("Le chat est rentré chez lui."), Visitor(bytes(8), bytes(8)))
    board.set_contact(said("le samedi matin au stand du marché, ou https://example.org/canal"), "lea")
    place.find_words()
    return place


def paths(place: Neighbourhood) -> list[str]:
    """The address of every page of that board."""
    bulletin = next(item for item in place.board.bulletins().items if item.corrected)
    event = place.board.events(place.board.now(), 10**7)[0]
    month = "2025-12"  # the neighbourhood's clock stands in it
    pages = ["/", "/hello", "/agenda", f"/agenda?month={month}", "/agenda?topic=food", "/agenda?day=2025-12-07",
             "/bulletins", "/past", "/topics/food", "/urgent",
             "/post", "/post?kind=event", f"/post?kind=reply&target={bulletin.id[:12]}", "/search", "/search?q=cantine",
             "/nope", "/map", "/paper", "/poster", "/leaflet", "/copy", "/weekly", "/digest", "/digest?size=mail", "/wall",
             "/take", "/learn", "/learn/board",
             "/learn/privacy", "/learn/conduct", "/learn/demonstration", "/learn/island", "/learn/trouble",
             "/learn/trouble/print", "/radio", "/radio/heard", "/radio/queue", "/radio/all", "/keeper",
             "/courier"]
    for item in (bulletin, event):
        pages += [f"/r/{item.id[:12]}{more}" for more in ("", "/edit", "/withdraw", "/print", "/letters", "/tell",
                                                      "/share")]
    reply = place.board.item(bulletin.id).replies[0]
    pages += [f"/r/{bulletin.id[:12]}/tell?mine=1", f"/r/{reply.id[:12]}", f"/r/{reply.id[:12]}/edit",
              f"/map?at={event.id[:12]}", f"/by/{bulletin.author.key_id}", "/at?place=Quai+de+Valmy", "/subscribe",
              "/subscribe?topic=food", "/agenda?mark=free", "/bulletins?mark=offer",
              f"/r/{bulletin.id[:12]}/withdraw?settled=1"]
    pages += [f"/r/{event.id[:12]}/print?as={shape}" for shape in ("strips", "leaflets")]
    theirs = next(item for item in place.board.bulletins().items if not item.author.here)
    pages += [f"/r/{theirs.id[:12]}", f"/r/{theirs.id[:12]}/edit"]
    return pages


@contextmanager
def served(*places: Neighbourhood) -> Iterator[list[str]]:
    """The addresses of a portal for each board, for as long as they are looked at; the boards are closed then."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    servers = [make_server("127.0.0.1", 0, create_app(place.board, portal_settings()), threaded=True) for place in places]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield [f"http://127.0.0.1:{server.server_port}" for server in servers]
    for server, place in zip(servers, places, strict=True):
        server.shutdown()
        place.archive.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(filled(Path(folder)).board, portal_settings())
        server = make_server("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 0, app, threaded=True)
        print(f"http://127.0.0.1:{server.port}/", flush=True)
        server.serve_forever()
