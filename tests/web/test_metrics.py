"""/metrics speaks Prometheus' language, tells what the status tells, and only to whom it may."""

from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from node.board.status import HostStatus
from tests.sim.portals import portal_settings
from web import create_app
from web.pages import MAX_PAGE_BYTES

UNITS = ("seconds", "ratio", "celsius", "volts", "decibels", "dbm", "records", "packets")
PLAIN = {"archipel_link_up", "archipel_card_writable", "archipel_clock_sure", "archipel_air_held",
         "archipel_neighbour_relays", "archipel_neighbour_hears_us", "archipel_card_errors", "archipel_link_events",
         "archipel_events", "archipel_info",
         "archipel_radio_info"}


def scraped(portal, **more):
    answer = portal.get("/metrics", **more)
    assert answer.status_code == 200
    return {family.name: family for family in text_string_to_metric_families(answer.get_data(as_text=True))}


def value(families, name, **labels):
    found = [sample.value for family in families.values() for sample in family.samples
             if sample.name == name and labels.items() <= sample.labels.items()]
    assert len(found) == 1, (name, found)
    return found[0]


def test_prometheus_reads_all_of_it_and_names_follow_its_conventions(portal):
    families = scraped(portal)
    assert len(families) > 30
    for name, family in families.items():
        assert name.startswith("archipel") and family.documentation.endswith("."), name
        assert name in PLAIN or name.endswith(UNITS), name
        counts = [sample.name for sample in family.samples if family.type == "counter"]
        assert all(sample.endswith(("_total", "_created")) for sample in counts), name


def test_the_figures_are_those_of_the_status(portal):
    families = scraped(portal)
    assert value(families, "archipel_air_hour_used_seconds", link="radio") == 157.5
    assert value(families, "archipel_air_next_packet_wait_seconds", link="radio") == 2_170
    assert value(families, "archipel_air_held", reason="hour-used") == 1
    assert value(families, "archipel_air_sent_seconds_total", kind="summary") == 24
    assert value(families, "archipel_neighbour_snr_decibels", address="9a41") == -13.25
    assert value(families, "archipel_neighbour_hears_us", address="9a41") == 0
    assert value(families, "archipel_link_events_total", event="sent") == 402
    hears = [sample.labels["address"] for sample in families["archipel_neighbour_hears_us"].samples]
    assert "77e2" not in hears, "what is not known is not told"


def test_who_asks_for_openmetrics_gets_it(portal):
    answer = portal.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert answer.content_type.startswith("application/openmetrics-text") and answer.data.endswith(b"# EOF\n")


def test_an_island_without_a_radio_has_metrics_too(portal, neighbourhood):
    neighbourhood.host = replace(neighbourhood.host, links=())
    assert value(scraped(portal), "archipel_records") == 3


@pytest.mark.parametrize(("rule", "address", "allowed"), [
    ("near", "127.0.0.1", True), ("near", "::1", True), ("near", "192.168.1.20", True),
    ("near", "fe80::1%eth0", True),
    ("near", "fd12::7", True), ("near", "8.8.8.8", False), ("near", "2a01:e0a::1", False),
    ("near", "::ffff:8.8.8.8", False),
    ("near", "nonsense", False), ("all", "8.8.8.8", True), ("off", "127.0.0.1", False)])
def test_metrics_are_for_this_machine_and_local_networks_unless_the_keeper_says_otherwise(board, rule, address, allowed):
    portal = create_app(board, replace(portal_settings(), metrics=rule)).test_client()
    answer = portal.get("/metrics", environ_base={"REMOTE_ADDR": address})
    assert (answer.status_code == 200) is allowed
    assert allowed or (b"archipel_" not in answer.data and answer.status_code == 403)


def test_where_keepers_keep_the_radio_to_themselves_near_is_this_machine_alone(portal, board):
    board.set_radio_for_keepers(True, "lea")
    assert portal.get("/metrics", environ_base={"REMOTE_ADDR": "192.168.1.20"}).status_code == 403
    assert portal.get("/metrics", environ_base={"REMOTE_ADDR": "127.0.0.1"}).status_code == 200


def test_what_a_neighbour_is_called_breaks_no_line(portal, neighbourhood):
    radio, = neighbourhood.host.links
    odd = replace(radio.neighbours[0], island='a"b\n\\c', name="0001")
    neighbourhood.host = replace(neighbourhood.host, links=(replace(radio, neighbours=(odd,)),))
    assert isinstance(neighbourhood.host, HostStatus)
    assert value(scraped(portal), "archipel_neighbour_loss_ratio", island='a"b\n\\c') == 0.06
    assert len(portal.get("/metrics").data) < 2 * MAX_PAGE_BYTES
