"""A visitor is an address that only the socket or the front can tell, known for hours, and written nowhere."""

import re

import pytest

from node.board.pace import BOUNDS, Act
from web.visitor import SALT_S, VisitorHashes, home_of, is_here


def fresh(portal):
    return re.search(r'name="token" value="([^"]+)"', portal.get("/post").get_data(as_text=True)).group(1)


def post(portal, text, peer, **headers):
    """A post from an address, and the page that answers."""
    data = {"token": fresh(portal), "text": text, "kind": "bulletin", "action": "publish"}
    answer = portal.post("/post?lang=en", data=data, environ_overrides={"REMOTE_ADDR": peer}, headers=headers)
    return answer.status_code, answer.get_data(as_text=True)


def fill_up(portal, peer, **headers):
    """Post until this visitor may no more."""
    for number in range(BOUNDS[Act.POST].most):
        assert post(portal, f"n° {number} de {peer} {headers}", peer, **headers)[0] == 200


def test_one_address_is_stopped_with_a_sentence_and_everything_typed_and_others_are_not(portal, board):
    fill_up(portal, "198.51.100.7")
    status, page = post(portal, "Ce que j’ai tapé", "198.51.100.7")
    assert status == 422 and "enough from one device" in page and "Ce que j’ai tapé" in page
    assert re.search(r"send it again in \d+ minutes?\.", page)
    assert post(portal, "Soupe", "198.51.100.8")[0] == 200 and "Soupe" in [item.text for item in board.bulletins().items]


def test_a_client_s_own_header_makes_it_nobody_else(portal):
    fill_up(portal, "198.51.100.7")
    for number, name in enumerate(("X-Forwarded-For", "X-Real-Ip", "Forwarded", "Client-Ip", "True-Client-Ip")):
        assert post(portal, f"encore {number}", "198.51.100.7", **{name: f"198.51.100.{number}"})[0] == 422


def test_behind_the_front_each_of_its_clients_is_somebody_and_the_last_address_counts(portal):
    for peer in ("127.0.0.1", ""):
        fill_up(portal, peer, **{"X-Forwarded-For": f"10.0.0.{len(peer)}"})
        forged = {"X-Forwarded-For": f"192.0.2.1, 10.0.0.{len(peer)}"}
        assert post(portal, "encore", peer, **forged)[0] == 422
        assert post(portal, f"Soupe {peer}", peer, **{"X-Forwarded-For": f"10.0.1.{len(peer)}"})[0] == 200


def test_who_comes_past_the_front_is_believed_nothing(portal):
    fill_up(portal, "198.51.100.7")
    assert post(portal, "encore", "198.51.100.7", **{"X-Forwarded-For": "10.0.0.9"})[0] == 422


@pytest.mark.parametrize(("one", "other", "same"), [
    ("198.51.100.7", "198.51.100.8", False), ("2001:db8::1", "2001:db8::ffff:2:3:4", True),
    ("2001:db8:0:1::1", "2001:db8:0:2::1", False), ("fe80::1%wlan0", "fe80::2%eth0", True),
    ("::ffff:198.51.100.7", "198.51.100.7", True), ("::ffff:198.51.100.7", "::ffff:198.51.100.8", False),
    ("unix:", "", True),
])
def test_an_ipv6_network_of_one_home_is_one_visitor(one, other, same):
    assert (home_of(one) == home_of(other)) == same


@pytest.mark.parametrize(("peer", "here"), [
    ("127.0.0.1", True), ("127.0.3.9", True), ("::1", True), ("::ffff:127.0.0.1", True), ("", True),
    ("198.51.100.7", False), ("::ffff:198.51.100.7", False), ("x", False),
])
def test_only_this_machine_is_a_front(peer, here):
    assert is_here(peer) == here


def test_a_hash_is_good_for_hours_and_then_for_nothing(watch):
    hashes = VisitorHashes(watch)
    first = hashes.of("198.51.100.7")
    assert first == hashes.of("198.51.100.7") != hashes.of("198.51.100.8") and len(set(first)) == 2
    watch.now += SALT_S
    second = hashes.of("198.51.100.7")
    assert second.before == first.now != second.now
    assert hashes.of("198.51.100.7") == hashes.of("198.51.100.7") == second, "for another two hours"
    watch.now += SALT_S
    assert not {*first} & {*hashes.of("198.51.100.7")}
    watch.now += 10 * SALT_S
    assert not {*first, *second} & {*hashes.of("198.51.100.7")}


def test_another_start_of_the_portal_knows_nobody(watch):
    assert not {*VisitorHashes(watch).of("198.51.100.7")} & {*VisitorHashes(watch).of("198.51.100.7")}
