"""What is fetched from the internet comes from the internet: nobody leads an island into somebody's own network."""

import gzip
import socket
import threading
import tracemalloc

import pytest

from node.daemon.fetch import MAX_HOPS, Asking, NotFetched, fetch, led_to
from node.daemon.public_address import is_public
from tests.sim.web_site import WebSite

HERE = ("127.0.0.1",)
PRIVATE = [
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "100.127.255.255", "224.0.0.251", "239.255.255.250", "255.255.255.255", "240.0.0.1", "192.0.0.170",
    "198.18.0.1", "203.0.113.9", "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "::7f00:1",
    "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "ff02::1", "2001:db8::1", "2002:7f00:1::1", "2001:0:7f00:1::",
    "64:ff9b::7f00:1", "64:ff9b::c0a8:101", "64:ff9b:1::1", "fec0::1", "100::1", "5f00::1", "2600::1%eth0", "",
    "localhost", "127.1", "0x7f000001",
]
PUBLIC = ["1.1.1.1", "9.255.255.255", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "193.0.0.1",
          "2a01:e0a::1", "2606:4700::1111", "64:ff9b::101:101"]


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_of_a_private_network_is_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_internet_is_public(address):
    assert is_public(address)


@pytest.fixture
def site():
    with WebSite() as made:
        yield made


@pytest.fixture
def names(monkeypatch):
    """What names lead to, a list of answers each, the last one for good; numeric addresses lead to themselves."""
    known, real = {}, socket.getaddrinfo

    def look_up(host, *arguments, **more):
        if host not in known:
            return real(host, *arguments, **more)
        answers = known[host]
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [entry for address in addresses for entry in real(address, *arguments, **more)]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known


def leading(there, status=302):
    return status, {"Location": there, "Content-Length": "0"}, b""


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "0"])
def test_the_island_itself_is_not_asked(site, host):
    with pytest.raises(NotFetched, match="private network"):
        fetch(f"http://{host}:{site.port}/", Asking(100))
    assert not site.asked


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirection_into_a_private_network_is_not_followed(site, names, status):
    names["agenda.exemple"] = [["127.0.0.1"]]
    site.pages |= {"/a": leading(f"http://127.0.0.1:{site.port}/secret", status), "/secret": (200, {}, b"!")}
    with pytest.raises(NotFetched, match=r"127.0.0.1 leads into a private network.*\[gather\] private"):
        fetch(f"http://agenda.exemple:{site.port}/a", Asking(100, allowed=("agenda.exemple",)))
    assert [path for path, _ in site.asked] == ["/a"]


def test_a_page_that_leads_on_and_on_is_given_up(site):
    site.pages["/"] = leading("/")
    with pytest.raises(NotFetched, match="on and on"):
        fetch(site.address + "/", Asking(100, allowed=HERE))
    assert len(site.asked) == MAX_HOPS < 10


def test_from_a_protected_address_nobody_is_led_to_an_open_one():
    for there in ("http://agenda.exemple/", "HTTP://agenda.exemple/", "ftp://agenda.exemple/", "file:///etc/passwd"):
        with pytest.raises(NotFetched, match="away from the protected web"):
            led_to("https://agenda.exemple/a", there)
    assert led_to("https://agenda.exemple/a", "b") == "https://agenda.exemple/b"
    assert led_to("http://agenda.exemple/a", "//autre.exemple/") == "http://autre.exemple/"


@pytest.mark.parametrize("address", ["", "agenda", "ftp://agenda.exemple/", "file:///etc/passwd", "http://", "http://[/"])
def test_what_is_no_web_address_is_not_asked(address):
    with pytest.raises(NotFetched, match="no web address"):
        fetch(address, Asking(100))


def test_a_name_with_one_private_address_among_its_addresses_is_refused(site, names):
    names["deux.exemple"] = [["1.1.1.1", "127.0.0.1"]]
    with pytest.raises(NotFetched, match="private network"):
        fetch(f"http://deux.exemple:{site.port}/", Asking(100))
    assert not site.asked


def test_the_line_goes_to_the_address_that_was_looked_at_wherever_the_name_leads_then(site, names):
    names["agenda.exemple"] = [["127.0.0.1"], ["::1"]]  # the second answer would be refused a connection
    site.pages["/"] = (200, {}, b"content")
    asking = Asking(100, allowed=("agenda.exemple",))
    assert fetch(f"http://agenda.exemple:{site.port}/", asking).content == b"content"
    assert names["agenda.exemple"] == [["::1"]], "it was asked for once"


def test_what_is_allowed_by_name_and_port_is_allowed_there_alone(site, names):
    names["agenda.lan"] = [["127.0.0.1"]]
    site.pages["/"] = (200, {}, b"content")
    allowed = (f"agenda.lan:{site.port}",)
    assert fetch(f"http://Agenda.lan:{site.port}/", Asking(100, allowed=allowed)).content == b"content"
    with pytest.raises(NotFetched, match="private network"):
        fetch("http://agenda.lan:1/", Asking(100, allowed=allowed))


def test_a_packed_page_is_unpacked_and_bounded_while_it_is(site):
    site.pages |= {"/small": (200, {"Content-Encoding": "gzip"}, gzip.compress(b"small")),
                   "/bomb": (200, {"Content-Encoding": "gzip"}, gzip.compress(bytes(50_000_000), 9)),
                   "/other": (200, {"Content-Encoding": "br"}, b"?"),
                   "/torn": (200, {"Content-Encoding": "gzip"}, gzip.compress(bytes(range(256)) * 9)[:40])}
    asking = Asking(100_000, allowed=HERE)
    assert fetch(site.address + "/small", asking).content == b"small"
    tracemalloc.start()
    assert len(fetch(site.address + "/bomb", asking).content) == 100_001
    most_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most_bytes < 5_000_000
    for path, said in (("/other", "packs it"), ("/torn", "broke off")):
        with pytest.raises(NotFetched, match=said):
            fetch(site.address + path, asking)


def test_what_breaks_off_is_not_taken_for_the_whole(site):
    site.pages["/"] = (200, {"Content-Length": "100"}, b"half")
    with pytest.raises(NotFetched, match="broke off"):
        fetch(site.address + "/", Asking(1_000, allowed=HERE))


def test_a_question_is_polite(site):
    site.pages["/"] = (304, {}, b"")
    asking = Asking(100, '"v1"', "Mon, 01 Dec 2025 08:00:00 GMT", "text/calendar", "mailto:lea@exemple.org", HERE)
    assert fetch(site.address + "/", asking).content is None
    ((_, headers),) = site.asked
    assert headers["User-Agent"].startswith("archipel/") and "(mailto:lea@exemple.org)" in headers["User-Agent"]
    assert (headers["If-None-Match"], headers["If-Modified-Since"]) == ('"v1"', "Mon, 01 Dec 2025 08:00:00 GMT")


def test_a_version_is_remembered_by_both_of_its_names_if_they_can_be_sent_back(site):
    site.pages |= {"/": (200, {"ETag": 'W/"a b"', "Last-Modified": "Mon, 01 Dec 2025 08:00:00 GMT"}, b""),
                   "/odd": (200, {"ETag": '"é"', "Last-Modified": "x" * 300}, b"")}
    plain, odd = (fetch(site.address + path, Asking(100, allowed=HERE)) for path in ("/", "/odd"))
    assert (plain.tag, plain.modified, plain.address) == ('W/"a b"', "Mon, 01 Dec 2025 08:00:00 GMT", site.address + "/")
    assert (odd.tag, odd.modified) == ("", "")


@pytest.mark.parametrize("headers,wait_s", [
    ({"Retry-After": "120"}, 120), ({"Retry-After": "999999999"}, 7 * 86_400), ({"Retry-After": "-1"}, None), ({}, None),
    ({"Retry-After": "soon"}, None), ({"Retry-After": "Mon, 01 Dec 2025 09:00:00 GMT"}, None),
    ({"Retry-After": "Mon, 01 Dec 2025 09:00:00 GMT", "Date": "Mon, 01 Dec 2025 08:00:00 GMT"}, 3600),
])
def test_a_server_says_when_it_wants_to_be_asked_again(headers, wait_s):
    answer = "HTTP/1.1 503 Busy\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n"
    with socket.create_server(("127.0.0.1", 0)) as server:
        def speak():
            line, _ = server.accept()
            with line:
                line.recv(65_536)
                line.sendall(answer.encode())
        speaker = threading.Thread(target=speak)
        speaker.start()
        with pytest.raises(NotFetched, match="503") as refused:
            fetch(f"http://127.0.0.1:{server.getsockname()[1]}/", Asking(100, allowed=HERE))
        speaker.join()
    assert (refused.value.retry_s, refused.value.away) == (wait_s, False)


def test_who_takes_no_call_may_be_a_sign_that_there_is_no_internet(names):
    names["agenda.exemple"] = [["127.0.0.1"]]
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        with pytest.raises(NotFetched) as refused:
            fetch(f"http://agenda.exemple:{bound.getsockname()[1]}/", Asking(100, allowed=("agenda.exemple",)))
    assert refused.value.away
