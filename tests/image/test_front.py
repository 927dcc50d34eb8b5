"""nginx as it is shipped, in front of a portal: limits that count, what it says itself, and what it never writes."""

import re
import shutil
import ssl
from contextlib import ExitStack

import pytest

from archipel_image import frontpages
from node.i18n.catalogue import TAGS
from tests.image.front import LONG, ON_CABLE, ON_WIFI, ROOMS, SHARE, UNIT, answered, front, sealed
from tests.waiting import until

pytestmark = pytest.mark.process
CONF = (SHARE / "nginx.conf").read_text()
MIB, KEPT_FR = 1 << 20, "n’est pas perdu"


@pytest.fixture(params=["http", "https"])
def ahead(tmp_path, request):
    """A running nginx, as shipped, asked in both ways: it has the same limits for both."""
    with front(tmp_path) as running:
        running.scheme = request.param
        yield running


def test_of_three_that_bring_a_file_the_third_waits_and_nobody_else_does(ahead):
    lines = [ahead.begin("/courier", 10 * MIB, f"127.0.0.{number}", b"x" * MIB) for number in (2, 3)]
    until(lambda: ahead.ask("/courier", "127.0.0.4", b"x" * MIB).status == 429)
    assert ahead.ask("/lan", "127.0.0.5", b"x" * 900_000).status == 200
    assert ahead.ask("/post", "127.0.0.6", b"x" * 250_000).status == 200
    assert ahead.ask("/keeper/picture", "127.0.0.7", b"x" * 2 * MIB).status == 200
    assert ahead.ask("/keeper/streets", "127.0.0.9", b"x" * 12 * MIB).status == 200
    assert ahead.ask("/courier", "127.0.0.8").status == 200  # the page about couriers
    lines[0].sendall(b"x" * 9 * MIB)
    answered(lines[0])
    until(lambda: ahead.ask("/courier", "127.0.0.4", b"x" * MIB).status == 200)
    assert ("POST", "/courier", 10 * MIB) in ahead.taken


def test_one_client_brings_one_file_at_a_time(ahead):
    ahead.begin("/courier", MIB, "127.0.0.2", b"x" * 200_000)
    until(lambda: ahead.ask("/courier", "127.0.0.2", b"x" * MIB).status == 429)
    assert ahead.ask("/keeper/agenda", "127.0.0.2", b"x" * MIB).status == 429
    assert ahead.ask("/courier", "127.0.0.3", b"x" * MIB).status == 200


def test_one_client_has_four_forms_on_the_way_at_a_time(ahead):
    for _ in range(4):
        ahead.begin("/post", 1000, "127.0.0.2")
    until(lambda: ahead.ask("/post", "127.0.0.2", b"text").status == 429)
    assert ahead.ask("/agenda", "127.0.0.2").status == 200
    assert ahead.ask("/post", "127.0.0.3", b"text").status == 200


def test_who_asks_for_pages_without_end_is_told_to_wait_and_others_are_not(ahead):
    def too_many():
        with ExitStack() as stack:
            lines = [stack.enter_context(ahead.connect("127.0.0.2")) for _ in range(5)]
            for line in lines:
                line.sendall(b"GET / HTTP/1.1\r\nHost: archipel.lan\r\n\r\n" * 40
                             + b"GET / HTTP/1.1\r\nHost: archipel.lan\r\nConnection: close\r\n\r\n")
            return any(b"HTTP/1.1 429 " in answered(line).content for line in lines)

    until(too_many)
    assert ahead.ask("/", "127.0.0.3").status == 200


def test_every_place_that_has_bounds_of_its_own_has_the_common_ones_too():
    # nginx forgets those of the server where a place has any
    bounds = re.findall(r"\n {12}(?:limit_conn [^;]+;\n? *)+", CONF)
    assert len(bounds) > 5 and all("limit_conn open 20;" in each for each in bounds)
    assert re.findall(r"\n {8}limit_\w+ (?:zone=)?(\w+)", CONF) == ["visits", "open", "posts"]
    assert CONF.count("limit_req zone") == 1, "a place with a pace of its own would have no other"
    assert "ssl_protocols TLSv1.2 TLSv1.3;" in CONF


def test_thirty_slow_clients_keep_nobody_out(ahead):
    for number in range(1, 31):
        for path in ("/post", "/r/abc/edit"):
            ahead.begin(path, 250_000, f"127.0.1.{number}", b"x" * 200_000)
    assert ahead.ask("/", "127.0.0.2").status == 200
    assert ahead.ask("/post", "127.0.0.2", b"text").status == 200
    assert ahead.ask("/courier", "127.0.0.2", b"x" * 16 * MIB).status == 200
    assert ahead.ask("/lan", "127.0.0.2", b"x" * MIB).status == 200


def test_who_reads_slowly_holds_nobody_of_the_portal(ahead):
    lines = [ahead.connect("127.0.0.2", room=4096) for _ in range(4)]
    for line in lines:
        line.sendall(b"GET /agenda.ics HTTP/1.1\r\nHost: archipel.lan\r\nConnection: close\r\n\r\n")
    until(lambda: ahead.taken.count(("GET", "/agenda.ics", 0)) == 4)  # the portal is done with them
    assert ahead.ask("/agenda.ics", "127.0.0.2").status == 429
    assert all(answered(line).content == LONG for line in lines)


def test_what_is_let_in_at_a_time_fits_its_room_and_all_rooms_fit_the_units_memory():
    def block(place):
        return re.search(rf"location {re.escape(place)} {{(.*?)\n        }}", CONF, re.DOTALL)[1]

    def most(text):
        return int(re.search(r"client_max_body_size (\d+)", text)[1]) * (1 if re.search(r"size \d+m", text) else 1 / 1024)

    for room, place in (("couriers", "= /courier"), ("couriers", "~ ^/start/(set|restore)$"),
                        ("keepers", "~ ^/keeper/(picture|agenda)$"), ("islands", "= /lan")):
        text = block(place)
        assert f"/var/lib/nginx/{room};" in text
        assert ROOMS[room] > most(text) * int(re.search(rf"limit_conn {room} (\d+)", text)[1]), room
    assert sum(ROOMS.values()) < 0.8 * int(re.search(r"MemoryMax=(\d+)M", UNIT)[1])
    assert {room for room in re.findall(r"/var/lib/nginx/(\w+)", CONF)} == set(ROOMS)


def test_the_rooms_of_several_clients_are_shared_by_none_of_another_kind(ahead):
    shutil.rmtree(ahead.folder / "lib/forms")  # as full as can be
    assert ahead.ask("/post", "127.0.0.9", b"x" * 250_000).status == 503
    assert ahead.ask("/post", "127.0.0.9", b"x" * 30_000).status == 200
    assert ahead.ask("/courier", "127.0.0.9", b"x" * MIB).status == 200


def test_nothing_that_goes_wrong_with_a_client_is_written_with_its_address(ahead):
    for room in ("forms", "couriers", "answers"):
        shutil.rmtree(ahead.folder / "lib" / room)
    wrong = [ahead.ask("/courier", "127.0.0.77", b"x" * MIB), ahead.ask("/post", "127.0.0.77", b"x" * 250_000)]
    with ahead.connect("127.0.0.77") as line:
        line.sendall(b"\0\1\2 nonsense\r\n\r\n")
        wrong.append(answered(line))
    ahead.stop_portal()
    wrong.append(ahead.ask("/", "127.0.0.77"))
    assert all(answer.status >= 400 for answer in wrong)
    assert "127.0.0.77" not in ahead.said()


def test_nginx_writes_no_visit_and_only_its_own_trouble():
    assert re.findall(r"^\s*(access_log|error_log) (.*);", CONF, re.M) == [
        ("error_log", "stderr crit"), ("access_log", "off"), ("error_log", "/dev/null emerg")]


REFUSED = {
    "starting": (503, "/post", b"text=bonjour"),
    "large": (413, "/post", b"x" * 400_000),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("language", TAGS)
def test_a_form_that_is_refused_is_answered_in_the_readers_language(ahead, case, language):
    ahead.stop_portal()
    status, path, body = REFUSED[case]
    answer = ahead.ask(path, body=body, Accept_Language=f"de-DE,de;q=0.9,{language}-XX;q=0.8,xx;q=0.7")
    assert answer.status == status
    assert answer.text == frontpages.pages()[f"{case}.post.{language}.html"].decode()
    assert answer.headers["cache-control"] == "no-store" and "refresh" not in answer.text


def test_what_nginx_cannot_read_to_its_end_is_answered_in_every_language(ahead):
    with ahead.connect() as line:
        line.sendall(b"POST / HTTP/1.1\r\nHost: archipel.lan\r\nContent-Length: many\r\n\r\n")
        answers = [answered(line), ahead.ask("/post?" + "x" * 9000, body=b"text"), ahead.ask("/", X_Long="x" * 9000)]
    assert [answer.status for answer in answers] == [400, 414, 400]
    for answer in answers:
        assert f'<html lang="{TAGS[0]}"' in answer.text and answer.text.count("<h2>") == len(TAGS) - 1


def test_a_form_too_many_is_told_when_to_come_again_and_that_nothing_is_lost(ahead):
    for _ in range(4):
        ahead.begin("/post", 1000, "127.0.0.2")
    until(lambda: ahead.ask("/post", "127.0.0.2", b"text").status == 429)
    answer = ahead.ask("/post", "127.0.0.2", b"text", Accept_Language="fr")
    assert (answer.status, answer.headers["retry-after"]) == (429, "10") and KEPT_FR in answer.text


@pytest.mark.parametrize(("asked", "known"), [
    ("", "all"), ("de", "all"), ("*", "all"), ("fr", "fr"), ("FR-ca", "fr"), ("de,fr;q=0.5", "fr"), ("ar-EG", "ar"),
    ("en-GB,en;q=0.9,fr;q=0.8", "en"), ("es-419,es;q=0.9", "es"), ("frr", "all"), ("xfr,es", "es"), ("de-fr", "all"),
    ("," * 2000 + "fr", "fr"),
])
def test_nginx_speaks_the_first_language_of_the_browser_that_is_here(ahead, asked, known):
    ahead.stop_portal()
    answer = ahead.ask("/", **({"Accept_Language": asked} if asked else {}))
    assert answer.text == frontpages.pages()[f"starting.get.{known}.html"].decode()


def test_a_language_that_was_chosen_goes_before_the_browsers(ahead):
    ahead.stop_portal()
    assert '<html lang="ar" dir="rtl">' in ahead.ask("/agenda?lang=ar", Accept_Language="fr").text
    assert '<html lang="fr"' in ahead.ask("/agenda?lang=xx", Accept_Language="fr").text


def test_nginx_knows_the_languages_of_the_catalogues():
    assert re.findall(r"(\w+) \1;", re.search(r"map \$arg_lang.*", CONF)[0]) == list(TAGS)
    assert re.findall(r"(\w+) \1;", re.search(r"map \$known.*", CONF)[0]) == list(TAGS)
    assert CONF.count("|".join(TAGS)) == 2


def test_a_page_that_waits_reloads_itself_and_one_that_answers_a_form_does_not():
    pages = {name: page.decode() for name, page in frontpages.pages().items()}
    assert len(pages) == len(frontpages.SAID) * (len(TAGS) + 1)
    assert {name.rsplit(".", 2)[0] for name, page in pages.items() if "http-equiv" in page} == {"starting.get", "busy.get"}
    assert all(len(page) < 14_000 for page in pages.values())


def test_pages_are_compressed_but_for_those_with_a_secret_of_a_keepers(ahead):
    page = ahead.ask("/agenda", Accept_Encoding="gzip, deflate")
    assert page.headers["content-encoding"] == "gzip" and "une page" in page.text and len(page.content) < 2_000
    for path in ("/keeper", "/keeper/rules", "/keeper/agenda"):
        assert "content-encoding" not in ahead.ask(path, Accept_Encoding="gzip").headers, path
    assert "content-encoding" not in ahead.ask("/agenda").headers


# https with the box's own certificate


@pytest.fixture
def both(tmp_path):
    """A running nginx that is asked in either way by the test."""
    with front(tmp_path) as running:
        yield running


def test_what_is_shown_over_https_is_the_box_s_own_certificate_and_the_same_pages(both):
    plain = both.ask("/agenda").text
    both.scheme = "https"
    with both.connect() as line:
        shown = line.getpeercert(binary_form=True)
    assert shown == ssl.PEM_cert_to_DER_cert((both.folder / "front/certificate.pem").read_text())
    answer = both.ask("/agenda")
    assert answer.text == plain and "strict-transport-security" not in answer.headers


def test_the_portal_is_told_by_which_way_a_request_came_and_no_visitor_can_say_otherwise(both):
    lies = {"X_Arrival": "elsewhere", "X_Forwarded_Proto": "https", "X_Forwarded_For": "203.0.113.9"}
    both.ask("/keeper", ON_WIFI, **lies)
    assert both.told == ("http", "wifi", ON_WIFI)
    both.ask("/keeper/picture", ON_WIFI, b"x", **lies)
    assert both.told == ("http", "wifi", ON_WIFI)
    both.ask("/keeper", ON_CABLE, **lies)
    assert both.told == ("http", "cable", ON_CABLE)
    both.ask("/keeper", "127.0.0.8", **lies)
    assert both.told == ("http", None, "127.0.0.8")
    both.scheme = "https"
    both.ask("/keeper", ON_WIFI, X_Forwarded_Proto="http")
    assert both.told == ("https", "wifi", ON_WIFI)


def test_thirty_slow_clients_of_every_kind_over_https_keep_nobody_out(both):
    both.scheme = "https"
    port, clients = both.ports["https"], [f"127.0.2.{number}" for number in range(1, 31)]
    hello = _hello()
    for client in clients:
        both.plain_line(port, client)  # says nothing
        both.plain_line(port, client).sendall(hello[:len(hello) // 2])
        both.plain_line(port, client).sendall(hello)  # never finishes the handshake
        both.connect(client).sendall(b"GET / HTTP/1.1\r\nHost: safe.archi")
        both.begin("/post", 250_000, client, b"x" * 200_000)
    for scheme in ("https", "http"):
        both.scheme = scheme
        assert both.ask("/", "127.0.0.2").status == 200
        assert both.ask("/post", "127.0.0.2", b"text").status == 200
        assert both.ask("/courier", "127.0.0.2", b"x" * 16 * MIB).status == 200


def _hello():
    """The first message of a TLS client."""
    said, heard = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(heard, said, server_hostname="safe.archipel.lan")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return said.read()


def test_what_is_let_in_of_all_together_is_counted_over_both_ways(both):
    for number, scheme in enumerate(("http", "https"), 2):
        both.scheme = scheme
        both.begin("/courier", 10 * MIB, f"127.0.0.{number}", b"x" * MIB)
    for scheme in ("http", "https"):
        both.scheme = scheme
        until(lambda: both.ask("/courier", "127.0.0.4", b"x" * MIB).status == 429)
    readers = []
    for number in range(4):
        both.scheme = ("http", "https")[number % 2]
        readers.append(both.connect(f"127.0.3.{number + 1}", room=4096))
        readers[-1].sendall(b"GET /bundle HTTP/1.1\r\nHost: archipel.lan\r\nConnection: close\r\n\r\n")
    until(lambda: both.taken.count(("GET", "/bundle", 0)) == 4)
    assert both.ask("/bundle", "127.0.3.9").status == 429
    assert all(answered(line).content == LONG for line in readers)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_phones_with_tls_1_2_are_let_in_and_known_again_by_nothing(both, version):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.check_hostname, tls.verify_mode, tls.maximum_version = False, ssl.CERT_NONE, version
    session = None
    for _ in range(2):
        with tls.wrap_socket(both.plain_line(both.ports["https"]), session=session) as line:
            line.sendall(b"GET / HTTP/1.1\r\nHost: safe.archipel.lan\r\nConnection: close\r\n\r\n")
            assert answered(line).status == 200
            assert not line.session_reused
            session = line.session


def test_what_is_older_than_tls_1_2_is_not_spoken(both):
    line = both.plain_line(both.ports["https"])
    with pytest.raises(ssl.SSLError), pytest.warns(DeprecationWarning, match="TLSv1_1"):
        sealed(line, minimum_version=ssl.TLSVersion.TLSv1, maximum_version=ssl.TLSVersion.TLSv1_1)


def test_without_a_certificate_plain_pages_are_there_and_with_one_https_is_without_a_restart(both):
    for name in ("key.pem", "certificate.pem"):
        (both.folder / "front" / name).rename(both.folder / name)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        sealed(both.plain_line(both.ports["https"]))
    assert both.ask("/").status == 200
    for name in ("key.pem", "certificate.pem"):
        (both.folder / name).rename(both.folder / "front" / name)
    both.scheme = "https"
    assert both.ask("/").status == 200


def test_who_speaks_plainly_to_the_port_of_https_reads_a_sentence(both):
    both.ports["http"] = both.ports["https"]
    answer = both.ask("/", Accept_Language="fr")
    assert answer.text == frontpages.pages()["unclear.get.fr.html"].decode()
