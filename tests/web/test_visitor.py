"""Visitors are told from each other by addresses that are kept nowhere."""

import pytest

from web import create_app
from web.visitor import SALT_S, VisitorKeys, visitor


@pytest.mark.parametrize(("one", "other", "same"), [
    ("198.51.100.7", "198.51.100.7", True), ("198.51.100.7", "198.51.100.8", False),
    ("2001:db8:1:2::7", "2001:db8:1:2:ffff::9", True), ("2001:db8:1:2::7", "2001:db8:1:3::7", False),
    ("::ffff:198.51.100.7", "198.51.100.7", True), ("fe80::7%eth0", "fe80::7", True),
    ("", "", True), ("no address", "", False), ("\udcff", "198.51.100.7", False),
])
def test_a_visitor_is_an_ipv4_address_or_a_network_of_ipv6(one, other, same):
    keys = VisitorKeys(lambda: 0.0)
    assert (keys.key(one) == keys.key(other)) is same


def test_a_key_leads_back_to_nobody_and_changes_with_its_salt(watch):
    keys, others = VisitorKeys(watch), VisitorKeys(watch)
    first = keys.key("198.51.100.7")
    assert first != others.key("198.51.100.7")
    watch.now += SALT_S - 1
    assert keys.key("198.51.100.7") == first
    watch.now += 2
    assert keys.key("198.51.100.7") != first


@pytest.mark.parametrize(("peer", "believed"), [
    ("127.0.0.1", True), ("::1", True), ("", True), ("198.51.100.9", False), ("2001:db8::9", False), ("nonsense", False),
])
def test_what_a_front_says_of_its_client_counts_only_from_this_machine(board, settings, peer, believed):
    app = create_app(board, settings)
    found = {}
    app.before_request(lambda: found.update(key=visitor()))
    app.test_client().get("/learn", headers={"X-Forwarded-For": "203.0.113.5, 198.51.100.7"},
                          environ_overrides={"REMOTE_ADDR": peer})
    keys = app.extensions["visitors"]
    assert found == {"key": keys.key("198.51.100.7" if believed else peer)}  # the last one: the front's own word
