"""`archipel agenda`: a file or an address is looked at, confirmed, taken; a second time nothing is posted."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from click.testing import CliRunner

from node.cli.main import main
from node.daemon.fetch import Asking, NotFetched, fetch
from node.daemon.rpc_handlers import handlers
from tests.ical.agendas import GANCIO, calendar, event
from tests.radio.hostile_server import HTTP, HostileServer, pouring, trickling
from tests.radio.test_conversation import NO_NAMES


class Site(BaseHTTPRequestHandler):
    """A web site with an agenda, one that has moved, one that is too large, one that leads to a file."""

    def do_GET(self):
        self.server.asked.append(dict(self.headers))
        moved = {"/old": "/agenda.ics", "/file": "file:///etc/passwd", "/loop": "/loop"}
        if self.path in moved:
            self.send_response(302)
            self.send_header("Location", moved[self.path])
            self.end_headers()
        elif self.headers.get("If-None-Match") == '"v1"':
            self.send_response(304)
            self.end_headers()
        elif self.path in ("/agenda.ics", "/large"):
            self.send_response(200)
            self.send_header("ETag", '"v1"')
            self.end_headers()
            self.wfile.write(self.server.content if self.path == "/agenda.ics" else bytes(5_000_000))
        else:
            self.send_error(404)

    def log_message(self, *arguments):
        pass


def asking(most, **more):
    return Asking(most, **more, allowed=("127.0.0.1",))


@pytest.fixture
def site():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    server.asked, server.content, server.handle_error = [], GANCIO.encode(), lambda *arguments: None
    threading.Thread(target=server.serve_forever, daemon=True).start()
    server.address = f"http://127.0.0.1:{server.server_port}"
    yield server
    server.shutdown()
    server.server_close()


def test_a_page_that_has_not_changed_is_not_fetched_again(site):
    fetched = fetch(f"{site.address}/old", asking(10_000))
    assert (fetched.content, fetched.tag) == (GANCIO.encode(), '"v1"')
    assert fetch(f"{site.address}/agenda.ics", asking(10_000, tag=fetched.tag)).content is None
    assert "archipel" in site.asked[0]["User-Agent"]


def test_a_page_that_never_ends_is_read_no_further_than_allowed(site):
    assert len(fetch(f"{site.address}/large", asking(10_000)).content) == 10_001


@pytest.mark.parametrize("path", ["/file", "/loop", "/nothing"])
def test_a_site_cannot_lead_the_island_elsewhere(site, path):
    with pytest.raises(NotFetched):
        fetch(site.address + path, asking(10_000))


@pytest.mark.parametrize("address", [
    "file:///etc/passwd", "ftp://exemple.org/a", "data:,x", "http://127.0.0.1:1/", "http://[", "https://nulle-part.invalid/",
])
def test_what_is_no_page_is_said_in_words(address):
    with pytest.raises(NotFetched) as said:
        fetch(address, asking(10_000))
    assert str(said.value).endswith((".", "?"))


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("behaviour", HTTP)
def test_a_server_that_never_ends_is_left_in_time(behaviour, scheme, monkeypatch):
    monkeypatch.setattr("node.daemon.fetch.WHOLE_S", 0.5)
    with HostileServer(HTTP[behaviour]) as server:
        with pytest.raises(NotFetched) as said:
            fetch(f"{scheme}://127.0.0.1:{server.port}/agenda.ics", asking(10_000_000))
        server.is_left_alone()
    assert str(said.value).endswith(".") and server.calls <= 1  # on a busy machine the time may be over before that


def test_a_handshake_that_drips_is_left_in_time(monkeypatch):
    monkeypatch.setattr("node.daemon.fetch.WHOLE_S", 0.5)
    with HostileServer(trickling(b"\x16\x03\x03\x3f\xff", b"\2")) as server:  # a TLS record of 16,383 octets
        with pytest.raises(NotFetched, match="too slowly"):
            fetch(f"https://127.0.0.1:{server.port}/", asking(10_000))
        server.is_left_alone()


def test_what_comes_with_a_redirection_is_not_read(site):
    there = f"HTTP/1.1 302 Found\r\nLocation: {site.address}/agenda.ics\r\n\r\n".encode()
    with HostileServer(pouring(there)) as server:
        assert fetch(f"http://127.0.0.1:{server.port}/", asking(10_000)).content == GANCIO.encode()
        server.is_left_alone()


@pytest.mark.parametrize("name", [name for name in NO_NAMES if "\0" not in name])
def test_a_name_that_cannot_be_one_is_said_in_words(name):
    with pytest.raises(NotFetched, match="no such address"):
        fetch(f"http://{name}/agenda.ics", asking(10_000))


@pytest.fixture
def archipel(neighbourhood, board, monkeypatch, tmp_path):
    """The command line, on an island that answers in this process."""
    class Answering:
        liveset, store, runner = neighbourhood.liveset, neighbourhood.store, None

    Answering.board = board
    answers = handlers(Answering)
    monkeypatch.setattr("node.daemon.rpc.ask", lambda folder, do, **request: answers[do](request))
    (tmp_path / "archipel.toml").write_text('[gather]\nprivate = "127.0.0.1"\n')
    monkeypatch.setenv("ARCHIPEL_CONFIG", str(tmp_path / "archipel.toml"))

    def run(*arguments, typed=""):
        done = CliRunner().invoke(main, ["agenda", *map(str, arguments)], input=typed)
        return done.exit_code, done.output
    return run


def test_a_file_is_shown_confirmed_and_posted_once(archipel, board, tmp_path):
    path = tmp_path / "agenda.ics"
    path.write_bytes(calendar(event(), event(uid="2", start="20200101T190000Z")))
    code, output = archipel(path, typed="n\n")
    assert code == 1 and "1 new, 0 changed, 0 cancelled" in output and "1 past" in output and "s of air" in output
    assert not board.events(0, 10**7)
    assert "Posted: 1 new" in archipel(path, typed="y\n")[1]
    code, output = archipel(path)
    assert code == 0 and "0 new, 0 changed, 0 cancelled, 1 as they are here." in output
    assert len(board.events(0, 10**7)) == 1


def test_when_each_event_is_is_said_as_everywhere(archipel, tmp_path):
    path = tmp_path / "agenda.ics"
    path.write_bytes(calendar(event("RRULE:FREQ=WEEKLY;COUNT=5", start="20251206T180000Z"),
                              event("DTSTART;VALUE=DATE:20251205", uid="2", summary="Marché")))
    output = archipel(path, typed="n\n")[1]
    assert "Saturday, 6 December, 19:00 (5 ×)  Bal" in output and "Friday, 5 December, all day  Marché" in output


def test_an_address_is_asked_for_what_is_new_only(archipel, board, site):
    address = f"{site.address}/agenda.ics"
    assert "Posted: 1 new" in archipel(address, "--yes")[1]
    assert "Nothing has changed there" in archipel(address)[1]
    (item,) = board.events(board.now(), 10**7)
    assert board.item(item.id).origin.link == f"{site.address}/"


def test_what_cannot_be_taken_is_said_in_words(archipel, tmp_path, site):
    (tmp_path / "photo.ics").write_bytes(b"\xff\xd8\xff")
    (tmp_path / "large.ics").write_bytes(bytes(10_000_000))
    assert "This file is no agenda" in archipel(tmp_path / "photo.ics")[1]
    assert "too large" in archipel(tmp_path / "large.ics")[1]
    assert "too large" in archipel(f"{site.address}/large")[1]
    assert "there is no such file" in archipel(tmp_path / "nothing.ics")[1]
    assert "nothing is there (its server answers 404)." in archipel(f"{site.address}/nowhere")[1]
