"""Updates of the whole system into the other slot, without a box: files stand for p1, the roots and the disk."""

import hashlib
import io
import json
import os
import random
import shutil

import pytest

from archipel_image import bootfs, bundle
from archipel_image.sources import program
from node.i18n.catalogue import catalogue
from node.i18n.sentence import Sentence
from tests.image.imageparts import UNITS

slots, release, system = program("slots"), program("release"), program("system_update")
ROOT_BYTES = 400_000


def files_of(version, kernel="one"):
    """What a release of these tests holds beside its root."""
    rng = random.Random(kernel)
    return {"boot/cmdline": b"bootargs=quiet\n", "boot/initrd.img": rng.randbytes(1_000) + PROGRAMS,
            "boot/vmlinuz": rng.randbytes(7_000) * 3, "firmware/config.txt": b"kernel=u-boot.bin\n",
            "firmware/u-boot.bin": random.Random(len(kernel)).randbytes(3_000)}


PROGRAMS = random.Random(6).randbytes(4_000)  # of an initramfs: the same with every kernel


class Factory:
    """Makes releases and their bundles; `full` and `small` put them on the stick."""

    def __init__(self, folder):
        self.folder, self.stick = folder / "factory", folder / "stick"
        self.folder.mkdir()
        self.stick.mkdir()
        self.key = bundle.signing_key(self.folder / "key")
        self.public = bundle.public_bytes(self.key)

    def made(self, version, kernel="one", key=None, **told):
        """A release: a root that differs from others in a few places only, and its files."""
        root, rng = self.folder / f"root-{version}", random.Random(1)
        held = bytearray(rng.randbytes(ROOT_BYTES))
        held[9_000:9_000 + len(version)] = version.encode()
        root.write_bytes(bytes(held) + version.encode() * 300)
        files = files_of(version, kernel)
        head = bundle.release_head(version, f"6.12.{len(kernel)}", files, root, key or self.key)
        if told:
            manifest = json.loads(head.splitlines()[1]) | told
            head = bundle.signed_head(release.KIND, manifest, key or self.key)
        return bundle.MadeRelease(head, files, root)

    def full(self, version, kernel="one", key=None, **told):
        return bundle.make_system_bundle(self.made(version, kernel, key, **told), key or self.key, self.stick)

    def small(self, version, before, kernel="one"):
        return bundle.make_system_bundle(self.made(version, kernel), self.key, self.stick, before)


@pytest.fixture
def factory(tmp_path):
    return Factory(tmp_path)


def box(tmp_path, factory, version="0.1.0"):
    """A box that runs this release from slot a."""
    made = factory.made(version)
    card, app = tmp_path / "card", tmp_path / "app"
    for folder in (card / "a", app):
        folder.mkdir(parents=True)
    for name, content in bootfs.on_a_new_card(made.files, made.head).items():
        (card / name).write_bytes(content)
    roots = {"a": tmp_path / "root-a", "b": tmp_path / "root-b"}
    for slot, path in roots.items():
        path.write_bytes(bytes(2 * ROOT_BYTES))
        with path.open("r+b") as file:
            file.write(made.root.read_bytes() if slot == "a" else b"what was there before")
    disk = tmp_path / "disk"
    disk.write_bytes(bytes(slots.BOOT_AT))
    slots.write_state(disk, slots.BootState())
    (tmp_path / "settled").touch()
    return system.Places(card, roots, disk, app, "a", tmp_path / "settled")


def started(here):
    """What boot.cmd starts: the box as that slot. It counts a try as the script does."""
    state = slots.read_state(here.disk) or slots.BootState()
    slot = state.slot
    if state.trial and state.tries:
        slots.write_state(here.disk, slots.BootState(state.slot, state.trial, state.tries - 1))
        slot = state.trial
    for each in (slot, slots.other(slot)):
        if all((here.card / each / name).exists() for name in ("cmdline", "vmlinuz", "initrd.img")):
            return system.Places(here.card, here.roots, here.disk, here.app, each, here.settled)
    raise AssertionError("neither slot can be started")


def runs(here, public):
    """The version of a box that is whole as its release says."""
    known = release.running_release(here.card, here.slot, public)
    assert release.differences(known, here.card, here.slot, here.roots[here.slot]) == []
    return known.version


def told(here):
    path = here.app / "notices"
    return [str(Sentence.of(json.loads(line))) for line in path.read_text().splitlines()] if path.exists() else []


def updated(here, factory):
    """Take what the stick has, put it on trial, start; the box that runs then."""
    system.take(factory.stick, here, factory.public)
    system.put(here, factory.public)
    return started(here)


@pytest.mark.parametrize("kind", ["full", "small", "small, new kernel"])
def test_an_update_runs_from_the_other_slot_and_stays_once_its_pages_came(tmp_path, factory, kind):
    here = box(tmp_path, factory)
    if kind == "full":
        factory.full("0.2.0", "two")
    else:
        before = factory.full("0.1.0")
        made = factory.small("0.2.0", before, "another" if "kernel" in kind else "one")
        before.unlink()
        assert made.name == "archipel-system-0.2.0-from-0.1.0.bundle" and made.stat().st_size < 45_000
    then = updated(here, factory)
    assert (then.slot, runs(then, factory.public)) == ("b", "0.2.0")
    assert not system.settle(then, True, factory.public)
    assert slots.read_state(here.disk) == slots.BootState("b") and runs(started(here), factory.public) == "0.2.0"
    assert told(here) == ["Version 0.2.0 of Archipel's system is installed and works."]
    assert runs(here, factory.public) == "0.1.0"  # the slot before is as it was
    factory.full("0.3.0", "three")
    again = updated(then, factory)
    assert (again.slot, runs(again, factory.public)) == ("a", "0.3.0")


def test_a_system_whose_pages_do_not_come_gives_way_is_told_and_is_not_taken_again(tmp_path, factory):
    here = box(tmp_path, factory)
    factory.full("0.2.0")
    then = updated(here, factory)
    assert not system.settle(then, None, factory.public)  # nothing is known yet
    assert system.settle(then, False, factory.public)
    back = started(here)
    assert (back.slot, runs(back, factory.public)) == ("a", "0.1.0") and not system.settle(back, True, factory.public)
    assert "0.2.0" in told(here)[0] and "gone back" in told(here)[0]
    with pytest.raises(system.UpdateRefused, match="tried it before"):
        system.take(factory.stick, back, factory.public)
    factory.full("0.2.1")
    assert system.take(factory.stick, back, factory.public) == "0.2.1"


def test_a_system_that_never_starts_is_left_after_three_tries_and_told(tmp_path, factory):
    here = box(tmp_path, factory)
    factory.full("0.2.0")
    slots_started = [updated(here, factory).slot, *(started(here).slot for _ in range(4))]
    assert slots_started == ["b", "b", "b", "a", "a"]
    assert not system.settle(here, None, factory.public)
    assert "did not start" in told(here)[0] and slots.read_state(here.disk) == slots.BootState()
    assert (here.app / "system-refused").read_text() == "0.2.0\n"


def test_a_slot_that_cannot_be_read_any_more_gives_way_to_the_one_before_and_that_is_told(tmp_path, factory):
    here = box(tmp_path, factory)
    factory.full("0.2.0")
    then = updated(here, factory)
    system.settle(then, True, factory.public)
    (here.card / "b/vmlinuz").unlink()
    back = started(here)
    assert back.slot == "a" and not system.settle(back, True, factory.public)
    assert "lost a part" in told(here)[0] and slots.read_state(here.disk) == slots.BootState("a")


def test_a_state_that_the_card_lost_is_written_again(tmp_path, factory):
    here = box(tmp_path, factory)
    here.disk.write_bytes(bytes(slots.BOOT_AT))
    assert not system.settle(here, None, factory.public) and slots.read_state(here.disk) == slots.BootState()


REFUSALS = {
    "forged": "not made by who", "older": "older than the system", "machine": "another kind", "too big": "too big",
    "no second slot": "room for two", "cut": "cut short", "on trial": "being tried",
    "other base": "made for another version", "no bundle": "no update"}


def no_good(harm, factory, here):
    """Put an update on the stick, or a box into a state, that keeps it from being taken."""
    if harm == "other base":
        before = factory.full("0.4.0")
        factory.small("0.6.0", before)
        before.unlink()
        return
    key = bundle.signing_key(factory.folder / "stranger") if harm == "forged" else None
    other = {"machine": "riscv"} if harm == "machine" else {}
    made = factory.full("0.4.0" if harm == "older" else "0.6.0", key=key, **other)
    {"no bundle": lambda: made.write_bytes(b"archipel system 2\n"), "cut": lambda: made.write_bytes(made.read_bytes()[:-1]),
     "too big": lambda: here.roots["b"].write_bytes(bytes(1000)), "no second slot": here.roots["b"].unlink,
     "on trial": here.settled.unlink}.get(harm, lambda: None)()


@pytest.mark.parametrize("harm", REFUSALS)
def test_what_is_not_taken_changes_nothing_that_starts_and_says_why(tmp_path, factory, harm):
    here = box(tmp_path, factory, "0.5.0")
    no_good(harm, factory, here)
    with pytest.raises(system.UpdateRefused, match=REFUSALS[harm]) as refused:
        system.take(factory.stick, here, factory.public)
    assert str(Sentence.of(refused.value.told)) == str(refused.value)
    assert runs(started(here), factory.public) == "0.5.0" and slots.read_state(here.disk) == slots.BootState()
    if harm in ("forged", "older", "machine", "cut", "other base", "on trial"):
        assert here.roots["b"].read_bytes().startswith(b"what was there before")


def test_of_an_initramfs_only_what_a_new_kernel_changed_is_in_a_small_update(tmp_path, factory):
    here = box(tmp_path, factory)
    before = factory.full("0.1.0")
    small = factory.small("0.2.0", before, "another")
    before.unlink()
    with small.open("rb") as stream:
        way, size, _, _ = system.read_bundle(stream, factory.public).parts["boot/initrd.img"]
    assert way == "rdiff" and size < 2_500
    assert runs(updated(here, factory), factory.public) == "0.2.0"


def test_a_stick_that_is_in_at_a_start_is_read_when_it_is_known_that_this_system_works(tmp_path, factory):
    here = box(tmp_path, factory)
    factory.full("0.2.0")
    here.settled.unlink()
    assert system.take(factory.stick, here, factory.public, lambda box: system.settle(box, True, factory.public)) == "0.2.0"


def test_a_stick_that_stays_in_while_the_box_falls_back_is_told_to_hold_what_was_tried(tmp_path, factory):
    here = box(tmp_path, factory)
    factory.full("0.2.0")
    system.take(factory.stick, here, factory.public)
    system.put(here, factory.public)
    assert [started(here).slot for _ in range(slots.TRIES)] == ["b"] * slots.TRIES
    then = started(here)
    assert then.slot == here.slot and not then.settled.exists()
    with pytest.raises(system.UpdateRefused, match="tried it before"):
        system.take(factory.stick, then, factory.public, lambda then: system.settle(then, None, factory.public))


def test_a_stick_with_the_version_that_runs_is_no_matter(tmp_path, factory):
    here = box(tmp_path, factory)
    factory.full("0.1.0")
    assert system.take(factory.stick, here, factory.public) is None and not told(here)


def test_no_changed_octet_of_a_bundle_is_ever_put_on_trial(tmp_path, factory):
    here = box(tmp_path, factory)
    made, rng, tried = factory.small("0.2.0", factory.full("0.1.0"), "two"), random.Random(4), 0
    (factory.stick / "archipel-system-0.1.0.bundle").unlink()
    held = made.read_bytes()
    head = held.index(b"\n", held.index(b'"parts"')) + 130
    for at in sorted({*rng.sample(range(head), 25), *rng.sample(range(len(held)), 15)}):
        made.write_bytes(held[:at] + bytes([held[at] ^ 1 << rng.randrange(8)]) + held[at + 1:])
        with pytest.raises(system.UpdateRefused):
            system.take(factory.stick, here, factory.public)
        tried += 1
    assert tried == 40 and runs(started(here), factory.public) == "0.1.0"


@pytest.mark.parametrize("harm", ["root", "vmlinuz", "release", "firmware/u-boot.bin"])
def test_what_was_made_ready_and_changed_meanwhile_is_not_put_on_trial(tmp_path, factory, harm):
    here = box(tmp_path, factory)
    factory.full("0.2.0", "two")
    system.take(factory.stick, here, factory.public)
    place = here.roots["b"] if harm == "root" else here.staged / "b" / harm
    held = place.read_bytes()
    place.write_bytes(held[:100] + bytes([held[100] ^ 1]) + held[101:])
    with pytest.raises(system.UpdateRefused):
        system.put(here, factory.public)
    assert runs(started(here), factory.public) == "0.1.0"


def test_of_the_firmware_only_what_differs_waits_in_the_slot_and_that_of_the_card_stays(tmp_path, factory):
    here = box(tmp_path, factory)
    before = (here.card / "u-boot.bin").read_bytes()
    factory.full("0.2.0", "seven")
    then = updated(here, factory)
    assert [path.name for path in (here.card / "b/firmware").iterdir()] == ["u-boot.bin"]
    assert (here.card / "u-boot.bin").read_bytes() == before and runs(then, factory.public) == "0.2.0"


class PowerCut(BaseException):
    """The power goes."""


def test_wherever_the_power_goes_a_whole_system_starts_and_the_update_can_begin_again(tmp_path, factory, monkeypatch):
    """At each time when something is to be on the card: before it, and with the half of it that came last."""
    factory.full("0.2.0", "two")
    real, seen, cut = os.fsync, {"0.1.0": 0, "0.2.0": 0}, -1
    while True:
        cut += 1
        shutil.rmtree(tmp_path / "box", ignore_errors=True)
        (tmp_path / "box").mkdir()
        here = box(tmp_path / "box", factory)
        left = iter(range(cut))

        def fsync(descriptor, left=left):
            if next(left, None) is None:
                raise PowerCut
            real(descriptor)

        monkeypatch.setattr(os, "fsync", fsync)
        try:
            updated(here, factory)
            break
        except PowerCut:
            pass
        finally:
            monkeypatch.setattr(os, "fsync", real)
        then = started(here)
        version = runs(then, factory.public)
        seen[version] += 1
        then.settled.touch()  # as the next start finds it: a folder in memory
        assert not system.settle(then, True, factory.public)
        if version == "0.1.0":
            assert runs(updated(then, factory), factory.public) == "0.2.0"
    assert seen["0.1.0"] > 10 and seen["0.2.0"] >= 1, seen


def test_wherever_the_power_goes_while_a_trial_ends_it_ends_at_the_next_start(tmp_path, factory, monkeypatch):
    factory.full("0.2.0")
    real, cuts = os.fsync, 0
    for works, wanted in ((True, "0.2.0"), (False, "0.1.0")):
        for cut in range(20):
            shutil.rmtree(tmp_path / "box", ignore_errors=True)
            (tmp_path / "box").mkdir()
            then, left = updated(box(tmp_path / "box", factory), factory), iter(range(cut))

            def fsync(descriptor, left=left):
                if next(left, None) is None:
                    raise PowerCut
                real(descriptor)

            monkeypatch.setattr(os, "fsync", fsync)
            try:
                system.settle(then, works, factory.public)
                break
            except PowerCut:
                cuts += 1
            finally:
                monkeypatch.setattr(os, "fsync", real)
            later = started(then)
            if system.settle(later, works or later.slot == "a", factory.public):
                later = started(later)
                system.settle(later, True, factory.public)
            assert runs(later, factory.public) == wanted and slots.read_state(then.disk) == slots.BootState(later.slot)
    assert cuts >= 4


def test_what_a_card_does_not_keep_is_found_out_by_reading_it_back(tmp_path, monkeypatch):
    target, file = tmp_path / "root", (8, hashlib.sha256(b"a system").hexdigest())
    system.write_checked(target, iter([b"a ", b"system"]), file)
    assert target.read_bytes() == b"a system"
    monkeypatch.setattr(os, "fsync", lambda descriptor: os.pwrite(descriptor, b"!", 3))  # as a card that fails
    with pytest.raises(system.UpdateRefused, match="damaged"):
        system.write_checked(target, iter([b"a system"]), file)


def test_what_is_told_of_system_updates_is_in_every_language():
    texts = [value for name, value in vars(system).items() if name.isupper() and isinstance(value, str) and " " in value]
    assert len(texts) == 14
    for tag in ("fr", "es", "ar"):
        assert not [text for text in texts if catalogue(tag).gettext(text) == text]


def test_a_bundle_whose_parts_are_odd_is_refused(factory):
    made, key = factory.made("0.2.0"), factory.key
    for line in (b"[]", b"5", b"{", b'{"from": {}, "parts": []}', b'{"from": [], "parts": 5}', b"[" * 50_000,
                 b'{"from": {}, "parts": [["root.squashfs", "magic", 1, ""]]}'):
        signed = made.head + line + b"\n"
        stream = io.BytesIO(signed + key.sign(signed).hex().encode() + b"\n")
        with pytest.raises(system.UpdateRefused):
            system.read_bundle(stream, factory.public)


@pytest.mark.parametrize(("came", "up_s", "works"), [(True, 60, True), (False, 60, None), (False, 600, None),
                                                     (False, 961, False), (True, 961, True)])
def test_a_slow_start_has_a_quarter_of_an_hour(came, up_s, works):
    assert system.judged(came, up_s) is works
    timer = (UNITS / "archipel-settle.timer").read_text()
    assert "OnBootSec=16min" in timer and system.GIVE_UP_S < 16 * 60 and "Unit=archipel-health.service" in timer


def test_what_has_to_know_the_slot_that_runs_may_read_what_the_kernel_was_told():
    """`ProcSubset=pid`, as every service of ours starts, hides /proc/cmdline and /proc/uptime."""
    for name in ("system", "slot", "settle", "check"):
        assert "\nProcSubset=all\n" in (UNITS / f"archipel-{name}.service.d/20-opens.conf").read_text(), name
