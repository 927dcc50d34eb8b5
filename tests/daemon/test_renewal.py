"""Whole islands whose set renews its secret while one is off: by broker, by network, by stick; and who left stays out."""

import os
from dataclasses import replace

import pytest

from node.daemon import app
from node.daemon.keyfiles import KeyFolder
from node.daemon.mqtt import brokers_of, root_of
from node.model.clock import minute_of
from node.model.record import Kind, Record, Revocation, encode, sign
from node.model.renewal import RenewalPlan, renewals
from node.transfer.bulk import load_bundle, unload_bundle
from tests.daemon.test_app import retained_in
from tests.mosquitto import Mosquitto
from tests.sim.homes import Home, on
from tests.waiting import until


@pytest.fixture
def folders(tmp_path):
    names = [tmp_path / letter for letter in "abcd"]
    first, *others = map(KeyFolder, names)
    first.found("Belleville", "a")
    for folder, other in zip(names[1:], others, strict=True):
        other.join(first.invite(), folder.name)
    return names


@pytest.fixture
def broker(tmp_path, monkeypatch):
    """Near: what takes seconds on the internet takes a moment."""
    monkeypatch.setattr(app, "brokers_of", lambda *given: {
        name: replace(one, quiet_s=0.02, retry_first_s=0.05, retry_last_s=0.2) for name, one in brokers_of(*given).items()})
    (tmp_path / "broker").mkdir()
    running = Mosquitto(tmp_path / "broker").start()
    yield running
    running.stop()


def revoke(founder, other):
    """The founder's island puts out another island's key."""
    key, minute = founder.keys.island_key(), minute_of(founder.app.timekeeper.now())
    detail = Revocation(other.keys.island_key().key_id, minute)
    record = sign(Record(Kind.REVOCATION, key.key_id, minute, 9_000, detail=detail), founder.app.charter.set_id, key.sign)
    assert founder.app.runner.publish(encode(record)).kept


def renew(founder, ahead=0):
    """The founder's island renews at once; the new secret. `ahead`: minutes that its clock is ahead."""
    look = founder.app.secret.renewable(minute_of(founder.app.timekeeper.now()) + ahead)
    plan = RenewalPlan(os.urandom(32), tuple(look.seats.values()), look.created, look.created)
    for record in renewals(plan, founder.app.charter, founder.keys.island_key(), iter(lambda: os.urandom(32), b"")):
        assert founder.app.runner.publish(encode(record)).kept
    return plan.secret


def topics(broker, secret, home):
    root = root_of(replace(home.keys.charter(), secret=secret))
    return {topic for topic in retained_in(broker) if topic.startswith(root)}


def test_by_broker_alone_all_go_over_but_who_left_and_one_that_was_off_follows(folders, broker):
    a, b, late, leaver = (Home(folder, broker.url) for folder in folders)
    old = a.keys.charter().secret
    with on(a, b, late, leaver):
        for home in (a, b, late, leaver):
            home.post(f"de {home.keys.path.parent.name}")
        until(lambda: all(len(home.texts) == 4 for home in (a, b, late, leaver)))
        late.close()
        revoke(a, leaver)
        until(lambda: leaver.app.liveset.trust.cuts)
        new = renew(a)
        until(lambda: a.speaks(new) and b.speaks(new))
        a.post("entre nous")
        until(lambda: "entre nous" in b.texts)
        assert topics(broker, new, a), "the broker has the new root"
        late.open()
        until(lambda: late.speaks(new))
        until(lambda: late.texts >= {"entre nous", "de c"} and late.texts == a.texts)
        until(lambda: leaver.app.secret.behind)
        assert leaver.app.charter.secret == old and "entre nous" not in leaver.texts
        assert not leaver.wants_anew and [one.secret for one in leaver.keys.generations()] == [old]
        until(lambda: leaver.app.reporter.last.secret.behind)


def test_by_network_and_by_stick_alone_an_island_follows_and_keeps_what_it_wrote(folders):
    for way in ("network", "stick"):
        a, late = (Home(folder) for folder in folders[:2])
        with on(a, late):
            late.app.lan.visit(a.app.lan.answer)
            assert a.knows(late)
            late.post(f"à moi, {way}")
            new = renew(a)
            until(lambda a=a, new=new: a.speaks(new))
            a.post(f"après, {way}")
            if way == "network":
                late.app.lan.visit(a.app.lan.answer)
            else:
                unload_bundle(late.app.bulk, load_bundle(a.app.bulk))
                unload_bundle(a.app.bulk, load_bundle(late.app.bulk))
            until(lambda late=late, new=new: late.speaks(new))
            late.app.lan.visit(a.app.lan.answer)
            assert late.texts == a.texts >= {f"à moi, {way}", f"après, {way}"}


def test_an_invitation_made_before_leads_to_nobody_and_a_new_one_repairs_that(folders, tmp_path):
    a, late = Home(folders[0]), Home(tmp_path / "late")
    invitation = a.keys.invite()
    with on(a):
        new = renew(a)
        until(lambda: a.speaks(new))
        late.keys.join(invitation, "late")
        with on(late):
            late.app.lan.visit(a.app.lan.answer)
            until(lambda: late.app.secret.behind)
            late.post("de loin")
            late.app.runner.call(lambda: late.app.secret.catch_up(a.keys.invite()))
            until(lambda: late.speaks(new))
            late.app.lan.visit(a.app.lan.answer)
            assert "de loin" in a.texts


def test_an_invitation_of_a_box_whose_clock_is_behind_brings_the_present_secret(folders, tmp_path):
    a, late = Home(folders[0]), Home(tmp_path / "late")
    late.keys.join(a.keys.invite(), "late")
    with on(a, late):
        new = renew(a, ahead=9)
        until(lambda: a.speaks(new))
        late.app.runner.call(lambda: late.app.secret.catch_up(a.keys.invite()))  # by the machine's clock, far behind
        until(lambda: late.speaks(new))
        late.app.lan.visit(a.app.lan.answer)
        until(lambda: late.keys.generations()[0].founder == a.keys.island_key().key_id)
        late.speaks(new)
        late.post("de loin")
        late.app.lan.visit(a.app.lan.answer)
        assert late.app.charter.secret == new and "de loin" in a.texts


def test_it_may_be_stopped_at_any_moment_and_goes_on_where_it_was(folders):
    a, b = (Home(folder) for folder in folders[:2])
    with on(a, b):
        b.app.lan.visit(a.app.lan.answer)
        assert a.knows(b)
    with on(a):
        new = renew(a)
        a.close()  # before it looked
        a.open()
        until(lambda: a.speaks(new))
        a.close()  # right after it moved
        a.open()
        assert a.speaks(new) and a.keys.charter().secret == new
        with on(b):
            b.app.lan.visit(a.app.lan.answer)
            b.close()
            b.open()
            until(lambda: b.speaks(new))
