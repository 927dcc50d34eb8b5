"""Phones that join the Wi-Fi find the board, and those who choose to stay are told that they are online."""

import pytest

from web.probes import BY_HOST, BY_PATH, MAX_CLIENTS, STAY_S, Stayers, ours

APPLE = b"<HTML><HEAD><TITLE>Success</TITLE></HEAD><BODY>Success</BODY></HTML>"
FIREFOX = b'<meta http-equiv="refresh" content="0;url=https://support.mozilla.org/kb/captive-portal"/>'
NM = b"NetworkManager is online"
TABLE = [
    ("connectivitycheck.gstatic.com", "/generate_204", 204, b""), ("clients3.google.com", "/generate_204", 204, b""),
    ("www.gstatic.com", "/generate_204", 204, b""), ("www.google.com", "/gen_204", 204, b""),
    ("play.googleapis.com", "/generate_204", 204, b""), ("connect.rom.miui.com", "/generate_204", 204, b""),
    ("connectivitycheck.platform.hicloud.com", "/generate_204", 204, b""),
    ("captive.apple.com", "/hotspot-detect.html", 200, APPLE), ("www.apple.com", "/library/test/success.html", 200, APPLE),
    ("www.msftconnecttest.com", "/connecttest.txt", 200, b"Microsoft Connect Test"),
    ("www.msftncsi.com", "/ncsi.txt", 200, b"Microsoft NCSI"),
    ("detectportal.firefox.com", "/canonical.html", 200, FIREFOX),
    ("detectportal.firefox.com", "/success.txt", 200, b"success\n"),
    ("nmcheck.gnome.org", "/check_network_status.txt", 200, NM), ("network-test.debian.org", "/nm", 200, NM),
    ("connectivity-check.ubuntu.com", "/", 204, b""), ("fedoraproject.org", "/static/hotspot.txt", 200, b"OK"),
    ("networkcheck.kde.org", "/", 200, b"OK"),
    ("www.google.cn", "/generate_204", 204, b""), ("connectivitycheck.grapheneos.network", "/generate_204", 204, b""),
    ("204.ecloud.global", "/", 204, b""), ("e.foundation", "/net_204/", 204, b""),
    ("captiveportal.kuketz.de", "/", 204, b""), ("wifi.vivo.com.cn", "/generate_204", 204, b""),
    ("conn1.oppomobile.com", "/generate_204", 204, b""), ("connectivity.samsung.com.cn", "/generate_204", 204, b""),
    ("connectivitycheck.hihonor.com", "/generate_204", 204, b""), ("elementary.io", "/generate_204", 204, b""),
    ("edge.msftncsi.com", "/captiveportal/generate_204", 204, b""), ("captive.apple.com", "/", 200, APPLE),
    ("www.thinkdifferent.us", "/library/test/success.html", 200, APPLE),
    ("ipv6.msftconnecttest.com", "/connecttest.txt", 200, b"Microsoft Connect Test"),
    ("ping.archlinux.org", "/nm-check.txt", 200, NM), ("www.archlinux.org", "/check_network_status.txt", 200, NM),
    ("conncheck.opensuse.org", "/", 200, NM), ("made-up.example.net", "/a/b/gen_204", 204, b""),
]
PROBES = [(host, path) for host, path, _, _ in TABLE]


def ask(portal, host, path, client="192.168.4.7"):
    return portal.get(path, headers={"Host": host}, environ_base={"REMOTE_ADDR": client})


def test_every_probe_that_is_known_is_tried_here():
    tried = {path.rstrip("/").rpartition("/")[2] for _, path in PROBES} | {*PROBES}
    assert {*BY_PATH, *BY_HOST} <= tried


@pytest.mark.parametrize(("host", "path"), PROBES)
def test_whoever_is_unknown_is_sent_to_the_board(portal, host, path):
    answer = ask(portal, host, path)
    assert (answer.status_code, answer.headers["Location"]) == (302, "http://archipel.lan/hello")
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(("host", "path", "status", "body"), TABLE)
def test_whoever_stays_gets_the_exact_answer_of_each_system(portal, host, path, status, body):
    portal.post("/hello", headers={"Host": "archipel.lan"}, environ_base={"REMOTE_ADDR": "192.168.4.7"})
    answer = ask(portal, host, path)
    assert (answer.status_code, answer.data) == (status, body)
    if body == NM or "ubuntu" in host:
        assert answer.headers["X-NetworkManager-Status"] == "online"
    assert ask(portal, host, path, client="192.168.4.8").status_code == 302


def test_staying_ends_after_some_hours(portal, watch):
    portal.post("/hello", headers={"Host": "archipel.lan"}, environ_base={"REMOTE_ADDR": "192.168.4.7"})
    watch.now += STAY_S - 1
    assert ask(portal, "www.gstatic.com", "/generate_204").status_code == 204
    watch.now += 2
    assert ask(portal, "www.gstatic.com", "/generate_204").status_code == 302


def test_windows_opens_the_board_in_its_browser_even_for_who_stays(portal):
    portal.post("/hello", headers={"Host": "archipel.lan"}, environ_base={"REMOTE_ADDR": "192.168.4.7"})
    assert ask(portal, "www.msftconnecttest.com", "/redirect").status_code == 302


@pytest.mark.parametrize("path", ["/generate_204/more", "/my-generate_204", "/success.html.exe", "/", "/nm", "//"])
def test_what_only_looks_like_a_probe_leads_to_the_board_for_who_stays_too(portal, path):
    portal.post("/hello", headers={"Host": "archipel.lan"}, environ_base={"REMOTE_ADDR": "192.168.4.7"})
    assert ask(portal, "example.org", path).status_code == 302


def test_any_other_site_leads_to_the_board_and_our_own_names_are_answered(portal):
    assert ask(portal, "example.org", "/some/page").headers["Location"] == "http://archipel.lan/hello"
    own = ("archipel.lan", "archipel.lan:8080", "ARCHIPEL.lan.", "192.168.4.1", "[::1]:8080", "localhost", "198.51.100.1")
    for host in own:
        assert ask(portal, host, "/").status_code == 200, host


def test_names_of_the_web_are_not_ours_and_local_ones_are():
    assert not ours("captive.apple.com", "archipel.lan") and not ours("example.org", "archipel.lan")
    assert ours("board.example.org", "board.example.org") and ours("archipel", "x.lan") and ours("a.local", "x.lan")


def test_the_welcome_says_what_staying_means_and_how_to_leave(portal):
    page = portal.get("/hello?lang=en").get_data(as_text=True)
    assert "your other apps have no internet" in page and "To leave" in page
    assert "Stay connected" in page and 'action="/hello?lang=en"' in page
    stayed = portal.post("/hello?lang=en").get_data(as_text=True)
    assert "http://archipel.lan/" in stayed and "switch Wi-Fi off" in stayed


def test_memory_of_who_stays_is_bounded():
    stayers = Stayers(lambda: 0.0)
    for number in range(MAX_CLIENTS + 100):
        stayers.add(f"10.0.{number // 256}.{number % 256}")
    assert len(stayers) == MAX_CLIENTS
    assert "10.0.0.0" not in stayers and f"10.0.{(MAX_CLIENTS + 99) // 256}.{(MAX_CLIENTS + 99) % 256}" in stayers
