"""What browsers send to a portal, as lines: an address, and after a blank what a form holds; an island of its own answers.

In either, {token} and {csrf} stand for what the portal gave out, {bulletin}, {event}, {waiting}, {word} and {key} for what
is on its board; on the desk also what `keepers_names` tells of. A field named `file:NAME` is a file. A line that begins
with `>` fills in a form of the page that came last, or of the one that the last answer leads to; one that begins with `<`
is a header of all that is asked after it. Lines that would ask other machines are passed over.
"""

import atexit
import io
import re
import shutil
import tempfile
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlencode, urljoin

from node.board import edit_codes
from node.board.api import Draft
from node.board.gathering import Preset, address_of, source_id
from node.board.keyring import InviteWish, TypedKey
from node.board.keywords import seed_words
from node.daemon.orders import WORDS
from node.model.record import Kind
from tests.fuzz.seeding import MEMORY
from tests.ical.agendas import calendar, event
from tests.sim.portals import GROUP, PASSWORD_HASH, Neighbourhood, portal_settings
from tests.sim.web_site import WebSite
from tests.web.elements import Elements, checked
from tests.web.signing import csrf_of, sign_in
from web import create_app
from web.desk_gather import MAX_ADDRESS

NAME = re.compile(r"(?!(?i:host|cookie|content-|transfer-))[A-Za-z-]{1,40}")  # of a header; those the client makes stay
INPUTS_AN_ISLAND = 40  # then a new one: to make it takes as long as some of them
MOST_LINES = 8
ASKING = ("/keeper/care/checkup", "/keeper/care/backup")
FOUNDERS_WORDS = " ".join(seed_words(bytes([1]) * 32, "fr"))

edit_codes.SCRYPT_N = 16  # as little as scrypt takes, as in the suite


class Island:
    """A portal with a little of everything on its board; `keeper`: lea is signed in."""

    def __init__(self, keeper):
        self._folder, self.keeper, self.inputs = Path(tempfile.mkdtemp(dir=MEMORY)), keeper, 0
        self.place = Neighbourhood(self._folder)
        self.close = atexit.register(self.close)
        if keeper:
            self.place.on_a_box(*WORDS)
        self.app = create_app(self.place.board, portal_settings(self.place.clock.monotonic))
        self.app.testing = True  # what a view raises is raised here
        self.portal, self.tokens = self.app.test_client(), self.app.extensions["tokens"]
        self.fill()
        self.page, self.headers = None, {}
        self.csrf = self.signed_in() if keeper else ""
        self.names |= self.keepers_names() if keeper else {}

    def close(self):
        """Let go of its files; twice is allowed."""
        self.place.archive.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def fill(self):
        board, now = self.place.board, self.place.board.now()
        self.place.bulletin("Fuite de gaz rue Bichat", 12, urgent=True)
        bulletin = board.post(Draft(Kind.BULLETIN, "Soupe ce soir, on cherche des bras."))
        event = board.post(Draft(Kind.EVENT, "Venez", title="Bal", place="Parc", start=now + 600, end=now + 700))
        waiting = board.post(Draft(Kind.BULLETIN, "Demain", publish_at=now + 1_440))
        assert bulletin.edit_code and board.item(event.id) and waiting.waiting
        assert all(board.post(Draft(Kind.REPLY, f"J’y serai, {number}", target=bulletin.id)).id for number in range(3))
        self.names = {"bulletin": bulletin.id[:12], "event": event.id[:12], "waiting": waiting.id,
                      "word": bulletin.edit_code, "key": board.item(event.id).author.key_id}

    def keepers_names(self):
        """{founder}: a founder's key; {group}: a group's; {invitation} and its {letters}; {ana}: a session of another
        keeper; {site}: an agenda on this machine, the only one that is asked, and {source}: its name as a source."""
        board, sessions = self.place.board, self.app.session_interface
        board.set_keeper("ana", PASSWORD_HASH, "lea")
        assert sign_in(self.app.test_client(), "ana").status_code == 303
        made = board.keyring.invite(InviteWish(days=10), "lea", TypedKey(FOUNDERS_WORDS))
        return {"founder": FOUNDERS_WORDS, "group": GROUP.key_id.hex(), "invitation": made.label, "letters": made.letters,
                "ana": next(label for label, name, *_ in sessions.listed() if name == "ana"), "site": site(),
                "source": source_id(site())}

    def signed_in(self):
        assert sign_in(self.portal).status_code == 303
        return csrf_of(self.portal)

    def send(self, line):
        """One line; the answer, None where nothing is asked."""
        if line.startswith("<"):
            name, _, value = line[1:].partition(":")
            if NAME.fullmatch(name):
                self.headers[name] = "".join(value.strip().splitlines()).encode().decode("latin-1")
            return None
        if line.startswith(">"):
            line = self.pressed(line[1:])
        path, blank, body = line.partition(" ")
        named = self.names | {"token": self.tokens.issue(), "csrf": self.csrf}
        for name, value in named.items():
            path, body = path.replace(f"{{{name}}}", value), body.replace(f"{{{name}}}", quote(value))
        path = "/" + path.lstrip("/")
        if "\r" in path or asks_others(unquote(path), body):
            return None
        sent = form_of(body) if blank else {}
        self.page = checked(self.portal.open(path, method="POST" if blank else "GET", headers=self.headers, **sent), line)
        return self.page

    def pressed(self, line):
        """The line of a form on the last page that came, its number and a blank before what is typed in it: `1 why=x`."""
        number, _, typed = line.rpartition(" ")
        if self.page is not None and self.page.status_code == 303:
            self.send(self.page.location)
        forms = forms_on(self.page) if self.page else []
        if not forms:
            return "/"
        form = forms[int(number) % len(forms) if number.isdecimal() and number.isascii() else -1]
        fields = dict([*form["buttons"][:1], *form["fields"]]) | dict(parse_qsl(typed, keep_blank_values=True))
        fields.pop("", None)
        body = urlencode(fields, safe="{}:", errors="surrogatepass")
        path = form["action"] or "/"
        return f"{path} {body}" if form["method"].lower() == "post" else f"{path}?{body}"


_sites = []


def site():
    """The address of an agenda that a site of this process has."""
    if not _sites:
        _sites.append(WebSite().__enter__())
        atexit.register(_sites[0].__exit__)
    return _sites[0].gives("/a.ics", calendar(event(), event(uid="2", summary="Foot", start="20251205T190000Z")))


def asks_others(path, body):
    """Whether this would have the island ask somebody else than the site."""
    if not path.startswith("/keeper/gather/look"):
        return path.startswith(ASKING)
    fields = {}
    for name, value in parse_qsl(body, keep_blank_values=True):
        fields.setdefault(name, value.strip())
    kind = next((one for one in Preset if one.value == fields.get("kind")), Preset.ADDRESS)
    return address_of(kind, fields.get("address", "")[:MAX_ADDRESS]) not in ("", site())


def form_of(body):
    """A form as Werkzeug's test client takes it."""
    fields = parse_qsl(body, keep_blank_values=True)
    files = [(name.removeprefix("file:"), value) for name, value in fields if name.startswith("file:")]
    if not files:
        return {"data": urlencode(fields, errors="surrogatepass"), "content_type": "application/x-www-form-urlencoded"}
    data = {}
    for name, value in fields:
        if not name.startswith("file:"):
            data.setdefault(name, []).append(value)
    files = {name: (io.BytesIO(value.encode("latin-1", "replace")), "a.bin") for name, value in files}
    return {"data": data | files, "content_type": "multipart/form-data"}


def forms_on(answer):
    """The forms of a page, none if it is something else."""
    if not answer.headers.get("Content-Type", "").startswith("text/html"):
        return []
    elements = Elements()
    elements.feed(answer.get_data(as_text=True))
    return elements.forms


def lines_of_forms(island, pages):
    """Every form on these pages as a browser would send it with what stands in it: a line for each of its buttons."""
    for path in pages:
        answer = island.send(path)
        for form in forms_on(answer) if answer else ():
            yield from lines_of(form, path)


def lines_of(form, path):
    action = urljoin(path, form["action"] or path)
    for button in form["buttons"] or [("", "")]:
        fields = [(name, {"token": "{token}", "csrf": "{csrf}"}.get(name, value)) for name, value in form["fields"]]
        fields += [button] if button[0] else []
        fields += [(f"file:{name}", "x") for name in form["files"]]
        body = urlencode(fields, safe="{}:")
        yield f"{action} {body}" if form["method"].lower() == "post" else f"{action}?{body}"


_islands: dict[bool, Island] = {}


def run_lines(octets, keeper):
    """Send lines, one after the other, to an island that has seen few before; ten minutes later it is still there."""
    if keeper in _islands and _islands[keeper].inputs >= INPUTS_AN_ISLAND:
        _islands.pop(keeper).close()
    if keeper not in _islands:
        _islands[keeper] = Island(keeper)
    island = _islands[keeper]
    island.inputs += 1
    island.headers = {}
    for line in octets.decode("utf-8", "replace").split("\n")[:MOST_LINES]:
        island.send(line)
    island.place.clock.advance(600)
    if keeper and f'value="{island.csrf}"' not in island.portal.get("/keeper").get_data(as_text=True):
        _islands.pop(keeper).close()  # signed out, or anew, with another password
    assert checked(island.portal.get("/"), "/").status_code in (200, 303, 503)
