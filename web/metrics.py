"""`/metrics`: the figures of the status for Prometheus, by its conventions (base units, `_total` for what only grows).

Who may read them is the settings file's word, [portal] metrics; where keepers keep the radio page to themselves, "near"
means this machine alone.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from flask import Blueprint, Response, request
from prometheus_client.core import CollectorRegistry, CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from node.board.status import as_json
from web.pages import board, settings
from web.radio_page import lora
from web.visitor import is_here, is_near

LINK, NEIGHBOUR = ["link"], ["link", "address", "island"]
Sample = tuple[list[str], float]
metrics = Blueprint("metrics", __name__)


@metrics.get("/metrics")
def scrape() -> Response:
    """What Prometheus asks for, in the form that it asks for."""
    if not allowed(request.remote_addr or ""):
        return Response("Metrics are not for this address: see [portal] metrics in the settings.\n", 403,
                        mimetype="text/plain")
    registry = CollectorRegistry()
    registry.register(StatusCollector(as_json(board().status())))
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return Response(encode(registry), content_type=content_type)


def allowed(address: str) -> bool:
    """Whether metrics are told to a client at this address."""
    rule = settings().metrics
    if rule == "near":
        return is_here(address) if board().radio_for_keepers() else is_near(address)
    return rule == "all"


class StatusCollector(Collector):
    """One status, as JSON, in the families of Prometheus."""

    def __init__(self, told: Mapping[str, Any]):
        self._told = told

    def collect(self) -> Iterator[Metric]:
        """Every family with something in it."""
        yield from _island(self._told)
        links = self._told["links"]
        up = (([link["name"]], link["up"]) for link in links)
        yield _gauge("link_up", "Whether a link can carry packets now.", LINK, up)
        events = CounterMetricFamily("archipel_link_events", "What happened on a link since it was opened.",
                                     labels=["link", "event"])
        for link in links:
            for event, count in link["counters"].items():
                events.add_metric([link["name"], event], count)
        yield events
        if radio := lora(self._told):
            yield from _air(radio)
            yield from _queue(radio)
            yield from _neighbours(radio)


def _island(told: Mapping[str, Any]) -> Iterator[Metric]:
    yield InfoMetricFamily("archipel", "This island.", {
        "island": told["name"], "set": told["set"]["name"], "version": told["version"]})
    yield _one("records", "Live records of the set that are here.", told["records"])
    yield _one("card_writable", "Whether the card keeps posts.", told["store"]["ok"])
    yield _one("clock_sure", "Whether no single neighbour's error can be behind the clock.", told["clock"]["sure"])
    dropped = CounterMetricFamily("archipel_events", "What was dropped or refused since the start, by reason.",
                                  labels=["event"])
    for event, count in told["counters"].items():
        dropped.add_metric([event], count)
    yield dropped
    yield CounterMetricFamily("archipel_card_errors", "How often the card's file system failed.", told["card_errors"])
    if "temperature_c" in told["machine"]:
        yield _one("machine_temperature_celsius", "Of the processor.", told["machine"]["temperature_c"])


def _air(link: Mapping[str, Any]) -> Iterator[Metric]:
    air, name = link["airtime"], link["name"]
    sent = CounterMetricFamily("archipel_air_sent_seconds", "Time on the air since the start, by what was sent.",
                               labels=["link", "kind"])
    for kind, seconds in link["history"]["total_s"].items():
        sent.add_metric([name, kind], seconds)
    yield sent
    for what, about, key in AIR_GAUGES:
        yield _gauge(what, about, LINK, [([name], air[key])])
    yield _gauge("air_next_packet_wait_seconds", "How long the next packet waits.", LINK,
                 [([name], _or_never(air["next_send_s"]))])
    yield _gauge("air_held", "Why the next packet waits: 1 for the reason.", ["link", "reason"],
                 [([name, air["hold"]], 1.0)] if air["hold"] else [])
    yield _gauge("air_wait_seconds", "How long the longest packet would wait, by claim.", ["link", "claim"],
                 [([name, one["claim"]], _or_never(one["wait_s"])) for one in air["outlooks"]])
    yield _gauge("air_left_seconds", "Air that is left at this moment, by claim.", ["link", "claim"],
                 [([name, one["claim"]], one["left_s"]) for one in air["outlooks"]])
    if radio := link.get("radio"):
        told = {key: radio[key] for key in ("node", "firmware", "region", "preset", "signature_policy")}
        yield InfoMetricFamily("archipel_radio", "What the radio says of itself.", {"link": name, **told})
        for what, about, key in RADIO_GAUGES:
            if radio.get(key) is not None:
                yield _gauge(what, about, LINK, [([name], radio[key])])


AIR_GAUGES = (
    ("air_hour_used_seconds", "Air that was used in the last hour.", "used_s"),
    ("air_hour_limit_seconds", "Air that may be used in any hour.", "limit_s"),
    ("air_hour_law_seconds", "Air that the law allows in an hour.", "law_s"),
    ("air_hour_mean_seconds", "Air that may be used in an hour on average over a day.", "mean_s"),
    ("air_saved_seconds", "Air that was saved by who was silent.", "saved_s"),
    ("air_saved_limit_seconds", "Air that can be saved.", "most_saved_s"),
)
RADIO_GAUGES = (
    ("channel_busy_ratio", "Part of the last minute that the channel was busy, whoever sent.", "channel_use"),
    ("radio_transmit_ratio", "Part of the last hour that the radio sent, for others and of itself too.", "own_use"),
    ("radio_battery_ratio", "Charge of the radio's battery; above 1 it is fed from outside.", "battery"),
    ("radio_voltage_volts", "Of the radio's battery.", "voltage_v"),
    ("radio_temperature_celsius", "Of a sensor beside the radio.", "temperature_c"),
)


def _queue(link: Mapping[str, Any]) -> Iterator[Metric]:
    name = link["name"]
    yield _gauge("queue_records", "Records that wait to be sent.", LINK, [([name], link["queue"]["records"])])
    yield _gauge("queue_packets", "Packets that they take.", LINK, [([name], link["queue"]["packets"])])
    oldest = max((row["age_s"] for row in link["queue"]["rows"]), default=0)
    yield _gauge("queue_oldest_seconds", "How long the oldest of the first rows has waited.", LINK, [([name], oldest)])


def _neighbours(link: Mapping[str, Any]) -> Iterator[Metric]:
    heard = link["neighbours"]
    labels = [[link["name"], one["name"], one["island"]] for one in heard]

    def of(name: str, about: str, value: Callable[[Mapping[str, Any]], float | None]) -> Metric:
        told = ((label, value(one)) for label, one in zip(labels, heard, strict=True))
        return _gauge(name, about, NEIGHBOUR, ((label, number) for label, number in told if number is not None))

    yield of("neighbour_heard_age_seconds", "Since a neighbour was heard.", lambda one: one["heard_s_ago"])
    yield of("neighbour_relays", "Relays between us.", lambda one: one["relays"])
    yield of("neighbour_loss_ratio", "Part of its packets that we miss.", lambda one: one["loss"])
    yield of("neighbour_lacks_records", "Our records that it is believed to lack.", lambda one: one["lacks"])
    yield of("neighbour_hears_us", "Whether it says that it hears us.", lambda one: one["hears_us"])
    yield of("neighbour_snr_decibels", "Of its last packet, above the noise.", lambda one: one["snr_db"])
    yield of("neighbour_rssi_dbm", "Strength of its last packet.", lambda one: one["rssi_dbm"])


def _one(name: str, about: str, value: float) -> Metric:
    return GaugeMetricFamily(f"archipel_{name}", about, float(value))


def _gauge(name: str, about: str, labels: list[str], samples: Iterable[Sample]) -> Metric:
    family = GaugeMetricFamily(f"archipel_{name}", about, labels=labels)
    for label, value in samples:
        family.add_metric(label, float(value))
    return family


def _or_never(wait_s: float | None) -> float:
    return math.inf if wait_s is None else wait_s
