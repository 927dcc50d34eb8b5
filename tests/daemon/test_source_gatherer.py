"""Sources that a keeper approved once are asked by themselves: within their terms, politely, and only with a way out."""

import socket
from contextlib import ExitStack
from dataclasses import replace

import pytest
from click.testing import CliRunner

from node.board.gathering import MAX_GATHERED, GatheredSource, GatherRefused, GatherTerms, km_between
from node.cli.main import main
from node.daemon.internet import has_way_out
from node.daemon.rpc_gather import gather_handlers
from node.daemon.source_gatherer import AWAY_S, FAILED_S, MAX_AWAY_S, MAX_LOOKS
from tests.ical.agendas import GANCIO, calendar, event
from tests.sim.portals import PARIS
from tests.sim.web_site import WebSite

HOUR_S = 3_600
ALL = GatherTerms(days=0, records=50, air_s=3_600)


@pytest.fixture
def site():
    with WebSite() as made:
        yield made


@pytest.fixture
def gatherer(neighbourhood):
    return neighbourhood.gatherer


def approved(gatherer, address, terms=ALL):
    return gatherer.approve(gatherer.look(address, terms).id, "lea")


def titles(board):
    return [item.title for item in board.events(board.now(), board.now() + 400 * 1440)]


def said(gatherer):
    (view,) = gatherer.sources()
    return str(view.said)


def later(neighbourhood, hours=7):
    neighbourhood.clock.advance(hours * HOUR_S)
    neighbourhood.gatherer.gather_due()


def test_a_source_is_looked_at_with_its_cost_before_anything_is_kept(site, gatherer, board):
    look = gatherer.look(site.gives("/a.ics", GANCIO.encode()), ALL)
    assert look.summary.size == 1 and look.summary.cost.airtime_s > 0 and look.source.name == "Le sémaphore"
    assert not gatherer.sources() and not titles(board)


def test_a_look_is_forgotten_when_others_have_followed(site, gatherer):
    looks = [gatherer.look(site.gives(f"/{number}.ics", calendar(event())), ALL) for number in range(MAX_LOOKS + 1)]
    with pytest.raises(GatherRefused, match="too long ago"):
        gatherer.approve(looks[0].id, "lea")
    assert gatherer.approve(looks[1].id, "lea").new


def test_what_was_looked_at_comes_with_the_approval_and_the_rest_by_itself(site, gatherer, board, neighbourhood):
    approved(gatherer, site.gives("/a.ics", calendar(event())))
    assert titles(board) == ["Bal"]
    site.gives("/a.ics", calendar(event(), event(uid="2", summary="Soupe", start="20251204T190000Z")))
    gatherer.gather_due()
    assert len(site.asked) == 1, "its hour has not come"
    later(neighbourhood)
    assert titles(board) == ["Soupe", "Bal"] and said(gatherer) == "1 new, 0 changed, 0 cancelled, 1 as they are here."
    assert [(entry.action, entry.keeper) for entry in board.audit_log()] == [("import", "lea"), ("gather", "lea")]


def test_what_is_called_off_there_is_called_off_here_whatever_the_bounds(site, gatherer, board, neighbourhood):
    approved(gatherer, site.gives("/a.ics", calendar(event())), GatherTerms(records=1))
    site.gives("/a.ics", calendar(event("STATUS:CANCELLED")))
    later(neighbourhood)
    (item,) = board.events(board.now(), board.now() + 400 * 1440)
    assert item.cancelled == ""


def test_an_approved_source_survives_a_restart(site, gatherer, board, neighbourhood):
    terms = GatherTerms((8,), ("bal", "-foot"), ("Paris",), 5, 30, 4, 60)
    approved(gatherer, site.gives("/a.ics", calendar(event())), terms)
    before = gatherer.sources()[0].source
    neighbourhood.restart_board()
    assert neighbourhood.gatherer.sources()[0].source == before


CONCERT = event("CATEGORIES:concert", "LOCATION:Île-Saint-Denis", "GEO:48.93;2.34", start="20251204T190000Z")
LEAVING_OUT = (
    (GatherTerms(topics=(4,)), "topic"), (GatherTerms(words=("concert",)), "words"),
    (GatherTerms(words=("-BAL",)), "words"), (GatherTerms(places=("Lyon",)), "place"), (GatherTerms(days=1), "days"),
    (GatherTerms(km=5), "far"),
    (GatherTerms(records=0), "daily"), (GatherTerms(air_s=0), "daily"))
LETTING_THROUGH = (
    GatherTerms(topics=(0, 8)), GatherTerms(words=("-foot", "ILE")), GatherTerms(places=("nulle part", "île-saint")),
    GatherTerms(km=20), GatherTerms(days=4), GatherTerms())


def test_terms_leave_out_and_say_why(site, gatherer):
    address = site.gives("/a.ics", calendar(CONCERT))
    for terms, reason in LEAVING_OUT:
        look = gatherer.look(address, terms)
        assert (look.summary.size, dict(look.summary.left_out)) == (0, {reason: 1}), terms


def test_terms_let_through_what_is_wanted(site, gatherer):
    address = site.gives("/a.ics", calendar(CONCERT))
    for terms in LETTING_THROUGH:
        assert gatherer.look(address, terms).summary.size == 1, terms


def test_an_event_without_a_position_is_left_out_where_distance_counts(site, gatherer):
    address = site.gives("/a.ics", calendar(event()))
    assert gatherer.look(address, GatherTerms(km=10)).summary.left_out == {"no-position": 1}


def test_a_source_brings_no_more_than_its_day_and_the_rest_the_next_day(site, gatherer, board, neighbourhood):
    events = [event(uid=str(day), summary=f"Bal {day}", start=f"202512{day:02}T190000Z") for day in range(5, 10)]
    address = site.gives("/a.ics", calendar(*events), ETag='"v1"')
    assert approved(gatherer, address, GatherTerms(records=2)).left_out == {"daily": 3}
    later(neighbourhood, 6)
    assert len(titles(board)) == 2
    later(neighbourhood, 12)
    assert len(titles(board)) == 4


def test_airtime_is_bounded_too(site, gatherer, board):
    events = [event(uid=str(day), summary=f"Bal {day}", start=f"202512{day:02}T190000Z") for day in range(5, 10)]
    address = site.gives("/a.ics", calendar(*events))
    one_s = gatherer.look(address, ALL).summary.cost.airtime_s / 5
    air_s = int(one_s * 4.5)
    bounded = approved(gatherer, address, GatherTerms(air_s=air_s))
    assert len(bounded.new) == air_s // one_s < 5 and bounded.cost.airtime_s <= air_s


def test_what_has_not_changed_is_not_sent_again(site, gatherer, neighbourhood):
    address = site.gives("/a.ics", calendar(event()), ETag='"v1"')
    approved(gatherer, address)
    later(neighbourhood)
    later(neighbourhood)
    assert said(gatherer) == "nothing has changed there." and site.asked[-1][1]["If-None-Match"] == '"v1"'


def test_a_date_of_change_serves_where_there_is_no_tag(site, gatherer, neighbourhood):
    approved(gatherer, site.gives("/a.ics", calendar(event()), Last_Modified="Mon, 01 Dec 2025 08:00:00 GMT"))
    later(neighbourhood)
    later(neighbourhood)
    assert site.asked[-1][1]["If-Modified-Since"] == "Mon, 01 Dec 2025 08:00:00 GMT"
    assert "If-None-Match" not in site.asked[-1][1]


def test_a_source_that_fails_is_asked_less_and_less_often(site, gatherer, neighbourhood):
    address = site.gives("/a.ics", calendar(event()))
    approved(gatherer, address)
    site.pages["/a.ics"] = (500, {}, b"")
    later(neighbourhood)
    assert said(gatherer) == "it cannot be had (its server answers 500)."
    waited = []
    for failures in range(1, 4):
        neighbourhood.clock.advance(FAILED_S * 2 ** (failures - 1) - 1)
        gatherer.gather_due()
        before = len(site.asked)
        neighbourhood.clock.advance(2)
        gatherer.gather_due()
        waited.append(len(site.asked) - before)
    assert waited == [1, 1, 1]


def test_a_source_waits_as_long_as_its_server_says(site, gatherer, neighbourhood):
    approved(gatherer, site.gives("/a.ics", calendar(event())))
    site.pages["/a.ics"] = (429, {"Retry-After": str(5 * HOUR_S)}, b"")
    later(neighbourhood)
    before = len(site.asked)
    later(neighbourhood, 4)
    assert len(site.asked) == before
    later(neighbourhood, 1.1)
    assert len(site.asked) == before + 1


@pytest.fixture
def far(gatherer, board, monkeypatch):
    """A source that is not near, behind a name: the resolver knows it or (None) does not, and counts who asks."""
    real, calls = socket.getaddrinfo, []

    def look_up(host, *arguments, **more):
        if host != "far.exemple":
            return real(host, *arguments, **more)
        calls.append(host)
        raise socket.gaierror(socket.EAI_AGAIN, "no internet")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    for name in ("a", "b"):
        source = GatheredSource(f"http://far.exemple/{name}", name)
        board.notes.update(lambda state, one=source: _with(state, one))
    return calls


def _with(state, source):
    return replace(state, gathered={**state.gathered, source.id: source})


def test_without_a_way_out_nothing_is_tried(far, gatherer, neighbourhood):
    neighbourhood.has_way_out = False
    later(neighbourhood)
    assert not far


def test_an_internet_that_does_not_answer_costs_one_look_up_and_is_asked_less_often(far, gatherer, neighbourhood):
    gatherer.gather_due()
    assert len(far) == 1, "the second source is not asked in vain"
    gaps, since = [], 0
    for _ in range(120):
        neighbourhood.clock.advance(30)
        since += 30
        before = len(far)
        gatherer.gather_due()
        if len(far) > before:
            gaps, since = [*gaps, since], 0
    assert gaps[:4] == [AWAY_S, 2 * AWAY_S, 4 * AWAY_S, 8 * AWAY_S] and max(gaps) == MAX_AWAY_S


def test_a_way_out_that_is_new_is_tried_at_once(far, gatherer, neighbourhood):
    gatherer.gather_due()
    neighbourhood.has_way_out = False
    gatherer.gather_due()
    neighbourhood.has_way_out = True
    gatherer.gather_due()
    assert len(far) == 2


def test_a_source_in_a_private_network_needs_no_internet(site, gatherer, board, neighbourhood):
    approved(gatherer, site.gives("/a.ics", calendar(event())))
    site.gives("/a.ics", calendar(event("LOCATION:Là")))
    neighbourhood.has_way_out = False
    later(neighbourhood)
    assert said(gatherer) == "0 new, 1 changed, 0 cancelled, 0 as they are here."


def test_a_paused_source_is_not_asked_and_a_removed_one_is_gone(site, gatherer, board, neighbourhood):
    approved(gatherer, site.gives("/a.ics", calendar(event())))
    (view,) = gatherer.sources()
    gatherer.pause(view.source.id, True, "lea")
    later(neighbourhood)
    gatherer.ask_now()
    gatherer.gather_due()
    assert len(site.asked) == 1 and gatherer.sources()[0].wait_min is None
    gatherer.pause(view.source.id, False, "lea")
    later(neighbourhood)
    assert len(site.asked) == 2
    gatherer.forget(view.source.id, "lea")
    assert not gatherer.sources() and titles(board) == ["Bal"]
    assert [entry.action for entry in board.audit_log()[:3]] == ["gather-gone", "gather-on", "gather-pause"]


def test_what_cannot_be_taken_is_said_and_nothing_is_kept(site, gatherer):
    for path, content, why in (("/page", b"<html>", "Neither an agenda"), ("/large", bytes(3_000_000), "too large")):
        with pytest.raises(GatherRefused, match=why):
            gatherer.look(site.gives(path, content), ALL)
    with pytest.raises(GatherRefused, match="404"):
        gatherer.look(site.address + "/nowhere", ALL)
    with pytest.raises(GatherRefused, match="private network"):
        gatherer.look(f"http://localhost:{site.port}/page", ALL)
    with pytest.raises(GatherRefused, match="too long ago"):
        gatherer.approve("00", "lea")
    assert not gatherer.sources()


def test_there_are_so_many_sources_and_no_more(site, gatherer, board):
    for number in range(MAX_GATHERED):
        board.notes.update(lambda state, one=number: _with(state, GatheredSource(f"http://far.exemple/{one}")))
    with pytest.raises(GatherRefused, match=str(MAX_GATHERED)):
        approved(gatherer, site.gives("/a.ics", calendar(event())))


def test_closing_breaks_a_question_off(gatherer, board):
    with ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        address = f"http://127.0.0.1:{server.getsockname()[1]}/"
        board.notes.update(lambda state: _with(state, GatheredSource(address)))
        gatherer.ask_now()
        gatherer.start()
        line = stack.enter_context(server.accept()[0])
        assert line.recv(65_536)
        gatherer.close()
        assert not gatherer.sources()[0].asking


def test_the_command_shows_the_sources_and_asks_them_once(site, gatherer, neighbourhood, monkeypatch):
    answers = gather_handlers(gatherer)

    def ask(folder, do, **request):
        if do == "gather-now":
            answers[do](request)
            gatherer.gather_due()
            return None
        return answers[do](request)

    monkeypatch.setattr("node.daemon.rpc.ask", ask)
    run = CliRunner().invoke
    assert "No source is approved yet." in run(main, ["gather"]).output
    approved(gatherer, site.gives("/a.ics", calendar(event())))
    assert run(main, ["gather"]).output == "Un agenda: not asked yet since the island started. Next in 6 h 0 min.\n"
    assert run(main, ["gather", "--once"]).output == (
        "Un agenda: 0 new, 0 changed, 0 cancelled, 1 as they are here. Next in 6 h 0 min.\n")
    assert '"said": "0 new' in run(main, ["gather", "--json"]).output


def test_distances_are_those_of_the_globe():
    assert km_between(PARIS, (45.76, 4.84)) == pytest.approx(392, abs=3) and km_between(PARIS, PARIS) == 0


def test_a_way_out_is_a_default_route_that_is_up(tmp_path, monkeypatch):
    four, six = tmp_path / "route", tmp_path / "ipv6_route"
    monkeypatch.setattr("node.daemon.internet.ROUTES", four)
    monkeypatch.setattr("node.daemon.internet.ROUTES_6", six)
    head = "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\n"
    zeros, link = "0" * 32, "0" * 31 + "1"
    assert has_way_out(), "nobody can tell"
    for line, line_6, way in (
            ("", "", False), ("eth0 00000000 0102A8C0 0003 0 0 0 00000000 0 0 0", "", True),
            ("eth0 00000000 0102A8C0 0002 0 0 0 00000000 0 0 0", "", False),
            ("wlan0 0002A8C0 00000000 0001 0 0 0 00FFFFFF 0 0 0", "", False), ("nonsense", "nonsense", False),
            ("", f"{zeros} 00 {zeros} 00 {link} 00000400 00000001 00000000 00000003 eth0", True),
            ("", f"{zeros} 00 {zeros} 00 {zeros} ffffffff 00000001 00000000 00200200 lo", False)):
        four.write_text(head + line)
        six.write_text(line_6)
        assert has_way_out() is way, (line, line_6)
