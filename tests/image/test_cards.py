"""A box writes a card for another one: into a reader and never elsewhere, whole or not at all, and nothing of its own."""

import errno
import gzip
import hashlib
import http.client
import json
import os
import re
import socket
import struct
import subprocess
import threading
import time

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from archipel_image.sources import OVERLAY, SOURCES, program
from node.daemon import card_maker
from node.daemon.card_order import CARDS_VARIABLE, TOLD_FILE, WISH_FILE
from node.daemon.machine import uptime_s
from node.daemon.settings_reader import read
from tests.image.imageparts import UNITS

write_card, readers, image_base, give_image, release, slots = map(program, (
    "write_card", "readers", "image_base", "give_image", "release", "slots"))
OPENED = image_base.opened
MIB = slots.MIB
KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
PUBLIC = KEY.public_key().public_bytes_raw()
TEMPLATE = SOURCES / "boot/archipel.toml"
SECRETS = [b"le Wi-Fi du donneur", b"K7QF-3MTX-9WHD", b"colza brouette du donneur", b"mqtts://donneur:cle@serveur"]
LABEL = "0123456789abcdef"
WISHED = {"node name": "Île de la gare", "node language": "fr", "box country": "FR", "box wifi_password": "un mot de passe"}


def listed(path, content):
    return [path, len(content), hashlib.sha256(content).hexdigest()]


class Giver:
    """A box's own disks: its boot partition with its secrets, its root; the base that was made of them."""

    def __init__(self, folder):
        self.card, self.root, self.base = folder / "card", folder / "root", folder / "base"
        (self.card / "a").mkdir(parents=True)
        self.base.mkdir()
        files = {"boot/vmlinuz": os.urandom(300_000), "boot/initrd.img": os.urandom(200_000),
                 "boot/cmdline": b"bootargs=quiet", "firmware/config.txt": b"arm_64bit=1\n",
                 "firmware/bootcode.bin": os.urandom(50_000)}
        for path, content in files.items():
            kind, name = path.split("/")
            (self.card / ("a" if kind == "boot" else "") / name).write_bytes(content)
        self.root.write_bytes(os.urandom(600_000 // 4096 * 4096))
        told = {"version": "1.2.3", "machine": slots.MACHINE, "kernel": "6.12",
                "files": [*(listed(*each) for each in files.items()), listed(release.ROOT, self.root.read_bytes())]}
        lines = release.KIND + json.dumps(told).encode() + b"\n"
        (self.card / "a" / release.NAME).write_bytes(lines + KEY.sign(lines).hex().encode() + b"\n")
        (self.card / "archipel.toml").write_bytes(b"[box]\nwifi_password = \"" + b"\"\n".join(SECRETS))
        (self.card / "archipel-code.txt").write_bytes(SECRETS[1])

    def make(self):
        """The base."""
        return image_base.made(self.card, self.base, "a", self.root, PUBLIC)

    def opened(self, base=None):
        """The same, open."""
        return OPENED(base or self.base, self.root, PUBLIC)


@pytest.fixture(scope="module", autouse=True)
def quick():
    """Files stand for disks: nobody waits until this machine's own disk has them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        patch.setattr(release.files_of_a_new_card, "__defaults__", (TEMPLATE,))
        yield


@pytest.fixture(scope="module")
def giver(tmp_path_factory):
    made = Giver(tmp_path_factory.mktemp("giver"))
    before = os.umask(0o077)
    assert made.make() is True and made.make() is False
    os.umask(before)
    mode = (made.base / "boot.fat").stat().st_mode
    assert mode & 0o044 == 0o044, "another user writes cards and gives the image away"
    return made


class FakeMachine:
    """Disks of a machine as sysfs tells of them; their contents are files."""

    def __init__(self, folder):
        self.folder, self.own = folder, frozenset({"mmcblk0"})
        self.blocks, self.devices, self.asked, self.told = (folder / name for name in ("class", "dev", "asked", "told"))
        for path in (self.blocks, self.devices, self.asked, self.told):
            path.mkdir()
        self.numbers = iter(range(100))
        self.disk("mmcblk0", "devices/mmc0/block", content=b"the box's own")

    def disk(self, name, where, content=b"", size=slots.MIN_CARD_BYTES, **facts):
        """A disk: its place in sysfs, what it begins with."""
        place = self.folder / where / name
        (place / "device").mkdir(parents=True)
        about = {"removable": "0", "ro": "0", "size": str(size // 512), "dev": f"8:{next(self.numbers)}", "diskseq": "1"}
        about |= facts
        for key, value in about.items():
            (place / key).write_text(f"{value}\n")
        (place / "device/vendor").write_text("SanDisk \n")
        (place / "device/model").write_text("Ultra \n")
        (self.blocks / name).symlink_to(place)
        path = self.devices / name
        with path.open("wb") as file:
            file.truncate(size)
            file.write(content)
        return path

    def reader(self, name="sda", **facts):
        """A card in a USB reader."""
        return self.disk(name, "devices/usb1/1-1/block", removable="1", **facts)

    def run(self, giver, **wish):
        """What the unit does with a wish: (exit status, what was told)."""
        (self.asked / WISH_FILE).write_text(json.dumps(wish) if wish else "{}")
        around = write_card.Surroundings(self.blocks, self.devices, lambda: self.own, TEMPLATE, giver.opened)
        status = write_card.main(self.asked, self.told, giver.base, around)
        return status, json.loads((self.told / TOLD_FILE).read_text())

    def look(self, giver):
        """What is in the readers."""
        status, told = self.run(giver, what="look", label=LABEL)
        assert (status, told["stage"], told["label"]) == (0, "idle", LABEL)
        return told["readers"]

    def write(self, giver, seen, reader="sda", **more):
        """Write a card."""
        wish = {"what": "write", "label": LABEL, "reader": reader, "seen": seen, "settings": WISHED, "invitation": "",
                "board": False} | more
        return self.run(giver, **wish)


@pytest.fixture
def machine(tmp_path):
    return FakeMachine(tmp_path)


def on_card(disk, name):
    """A file of the FAT partition of a card."""
    told = subprocess.run(["mtype", "-i", f"{disk}@@{slots.BOOT_AT}", f"::{name}"], capture_output=True,
                          env={**os.environ, "MTOOLS_SKIP_CHECK": "1"})
    return None if told.returncode else told.stdout


def begin(disk):
    """The first MiB of a disk, nothing of one that is not there."""
    if not disk.exists():
        return b""
    with disk.open("rb") as file:
        return file.read(MIB)


def starts(disk):
    """Whether a card has a partition table, so that a Pi starts from it."""
    with disk.open("rb") as file:
        return file.read(512)[510:] == b"\x55\xaa"


# which disks


def test_only_what_is_in_a_reader_is_offered_and_never_what_the_box_runs_from(machine, giver):
    machine.reader("sda")
    machine.reader("sdb", size=0)  # a reader without a card
    machine.disk("sdc", "devices/usb1/1-2/block")  # a stick that says it is fixed
    machine.disk("sdd", "devices/pci/ata1/block")  # a disk in the machine
    machine.disk("mmcblk0p1", "devices/mmc0/block/mmcblk0", partition="1")
    machine.disk("sda1", "devices/usb1/1-1/block/sda", removable="1", partition="1")
    machine.disk("loop0", "devices/virtual/block", removable="1")
    machine.disk("sr0", "devices/usb1/1-3/block", removable="1")
    assert [one["name"] for one in machine.look(giver)] == ["sda", "sdc"]
    machine.own = frozenset({"sda"})  # a box that starts from USB
    assert [one["name"] for one in machine.look(giver)] == ["sdc"]
    seen = machine.look(giver)[0]["seen"]
    for wrong in ("sda", "sdb", "sdd", "mmcblk0", "mmcblk5"):
        before = begin(machine.devices / wrong)
        status, told = machine.write(giver, seen, wrong)
        assert (status, told["stage"], told["trouble"]["text"]) == (1, "failed", write_card.NOT_SEEN), wrong
        assert begin(machine.devices / wrong) == before
    for wrong in ("sda1", "loop0", "../sda", "sr0"):
        assert machine.write(giver, seen, wrong)[1]["trouble"]["text"] == write_card.NO_WISH, wrong


def test_the_box_knows_its_own_disk_by_what_the_initramfs_noted_and_by_what_is_mounted(machine, tmp_path):
    machine.reader("sda", dev="8:0")
    part = machine.disk("sda1", "devices/usb1/1-1/block/sda", dev="8:1", partition="1")
    noted = tmp_path / "noted"
    noted.write_text("179:0\n")
    (machine.blocks / "mmcblk0/dev").write_text("179:0\n")
    assert readers.own_disks(machine.blocks, noted, []) == {"mmcblk0"}
    noted.write_text("8:1\n")  # a partition stands for its disk
    assert readers.own_disks(machine.blocks, noted, []) == {"sda"} and part.exists()
    noted.write_text("179:0\n")
    here = tmp_path.stat().st_dev
    machine.disk("sdb", "devices/usb1/1-2/block", dev=f"{os.major(here)}:{os.minor(here)}")
    assert readers.own_disks(machine.blocks, noted, [tmp_path, tmp_path / "none"]) == {"mmcblk0", "sdb"}
    for unknown in ("7:7\n", ""):
        noted.write_text(unknown)
        with pytest.raises(readers.OwnDiskUnknown):
            readers.own_disks(machine.blocks, noted, [])
    noted.unlink()
    with pytest.raises(readers.OwnDiskUnknown):
        readers.own_disks(machine.blocks, noted, [tmp_path])


def test_a_box_that_does_not_know_its_own_disk_writes_on_none(machine, giver):
    machine.reader()

    def unknown():
        raise readers.OwnDiskUnknown

    (machine.asked / WISH_FILE).write_text(json.dumps({"what": "look", "label": LABEL}))
    around = write_card.Surroundings(machine.blocks, machine.devices, unknown, TEMPLATE, giver.opened)
    assert write_card.main(machine.asked, machine.told, giver.base, around) == 1
    assert json.loads((machine.told / TOLD_FILE).read_text())["trouble"] == {"text": write_card.NO_READERS}


# what is on them


def test_what_is_on_a_card_is_told_so_that_nobody_overwrites_photographs(machine, giver):
    photos = machine.reader("sda", size=64 * MIB)
    subprocess.run(["mkfs.vfat", "-n", "PHOTOS", str(photos)], check=True, stdout=subprocess.DEVNULL)
    for name in ("a.jpg", "b.jpg"):
        subprocess.run(["mcopy", "-i", str(photos), "-", f"::{name}"], input=b"photo", check=True)
    machine.reader("sdb")
    machine.reader("sdc", content=b"something of its own" * 100)
    machine.reader("sdd", ro="1")
    shown = {one["name"]: (one["holds"], one["trouble"]) for one in machine.look(giver)}
    named = {"text": readers.NAMED, "fields": {"system": "FAT", "name": "PHOTOS"}}
    small = {"text": readers.TOO_SMALL, "fields": {"least": "1.7"}}
    assert shown["sda"] == ([named, {"text": readers.FILES, "fields": {"files": 2}}], small)
    assert shown["sdb"] == ([{"text": readers.EMPTY}], None)
    assert shown["sdc"] == ([{"text": readers.UNKNOWN}], None)
    assert shown["sdd"] == ([{"text": readers.EMPTY}], {"text": readers.READ_ONLY})
    for name in ("sda", "sdd"):
        seen = next(one["seen"] for one in machine.look(giver) if one["name"] == name)
        before = begin(machine.devices / name)
        assert machine.write(giver, seen, name)[0] == 1 and begin(machine.devices / name) == before


def test_a_card_that_was_changed_for_another_is_noticed(machine, giver):
    disk = machine.reader()
    seen = {machine.look(giver)[0]["seen"]}
    for change in (lambda: (machine.blocks / "sda/diskseq").write_text("2\n"), lambda: disk.write_bytes(b"else"),
                   lambda: (machine.blocks / "sda/device/model").write_text("Evo\n")):
        change()
        seen.add(machine.look(giver)[0]["seen"])
    assert len(seen) == 4
    assert machine.write(giver, "f" * 16)[1]["trouble"]["text"] == write_card.NOT_SEEN and not starts(disk)


# writing


@pytest.mark.process
def test_a_written_card_is_the_released_image_with_what_was_chosen_and_nothing_of_the_givers(machine, giver):
    disk = machine.reader()
    old = b"\x53\xef an old island's journal, K7QF-0000-OLD"
    with disk.open("r+b") as file:  # the card was one of Archipel's before
        file.write(b"\x01" * 510 + b"\x55\xaa")
        for at in (write_card.DATA_AT + 1024 + 56, slots.ROOT_AT + slots.ROOT_MIB * MIB + 1024, slots.MIN_CARD_BYTES - 512):
            file.seek(at)
            file.write(old)
    seen = machine.look(giver)[0]["seen"]
    bundle = os.urandom(70_000)
    (machine.asked / "board.bundle").write_bytes(bundle)
    status, told = machine.write(giver, seen, invitation="ABCD EFGH", board=True)
    assert (status, told["stage"], told["title"]) == (0, "done", "SanDisk Ultra"), told
    reading = read(on_card(disk, "archipel.toml"))
    assert not reading.notices and reading.settings.node.name == "Île de la gare" and reading.settings.box.country == "FR"
    assert on_card(disk, "archipel.toml").count(b"\r\n") == TEMPLATE.read_text().count("\n")
    assert on_card(disk, "invitation.txt") == b"ABCD EFGH\r\n" and on_card(disk, "board.bundle") == bundle
    assert on_card(disk, "a/vmlinuz") == (giver.card / "a/vmlinuz").read_bytes()
    system = slots.ROOT_AT + 2 * MIB
    with disk.open("rb") as file:
        content = file.read(system)
        for at in (write_card.DATA_AT, slots.ROOT_AT + slots.ROOT_MIB * MIB, slots.MIN_CARD_BYTES - MIB):
            file.seek(at)
            content += file.read(MIB)
    assert disk.stat().st_blocks * 512 < system + 4 * MIB, "all that is on the card was looked at"
    assert not [needle for needle in (*SECRETS, old) if needle in content]
    with giver.opened() as base:
        for number in (*range(slots.BOOT_AT // MIB), slots.ROOT_AT // MIB):
            assert content[number * MIB:(number + 1) * MIB] == base.block(number), number
    assert machine.look(giver)[0]["holds"] == [{"text": readers.OURS, "fields": {"version": "1.2.3"}}]


class Cut(BaseException):
    """The power goes."""


def test_what_is_told_is_never_of_a_moment_that_is_still_to_come(tmp_path):
    teller, seen = write_card.Teller(tmp_path / TOLD_FILE, {}), set()
    for _ in range(60):
        teller.tell("writing")
        now = uptime_s()
        seen.add(0 <= now - json.loads((tmp_path / TOLD_FILE).read_text())["at"] < card_maker.SILENT_S)
        time.sleep(0.007)
    assert seen == {True}


class CutCard(write_card.TargetCard):
    """A card whose power goes in the midst of a write."""

    def __init__(self, path, at):
        super().__init__(path)
        self.left = at

    def write(self, at, content):
        self.left -= 1
        if self.left < 0:
            super().write(at, content[:len(content) // 2])
            raise Cut
        super().write(at, content)


def test_a_card_that_is_cut_at_any_write_starts_nothing_until_it_is_written_again(tmp_path, machine):
    teller = write_card.Teller(machine.told / TOLD_FILE, {})
    content = os.urandom(9 * MIB)
    wanted = [write_card.Extent(0, MIB, lambda: iter([b"\0" * MIB])),
              write_card.Extent(MIB, len(content), lambda: iter([content]), hashlib.sha256(content).hexdigest())]
    path, old = tmp_path / "card", os.urandom(510) + b"\x55\xaa"
    outcomes = []
    for cut in range(20):
        path.write_bytes(old.ljust(12 * MIB, b"\xff"))
        card = CutCard(path, cut)
        try:
            write_card.write(card, wanted, {}, teller)
            outcomes.append("whole")
            assert path.read_bytes()[MIB:10 * MIB] == content and path.read_bytes()[:512] == write_card.first_sector()
            break
        except Cut:
            outcomes.append("cut")
            assert not starts(path), cut
        finally:
            card.close()
    assert outcomes[-1] == "whole" and outcomes.count("cut") == 6


class FailingCard(write_card.TargetCard):
    """A card that is pulled out, or keeps nothing."""

    def __init__(self, path, error=0, forgets=False):
        super().__init__(path)
        self._error, self._forgets, self._writes = error, forgets, 0

    def write(self, at, content):
        self._writes += 1
        if self._error and self._writes == 4:
            raise OSError(self._error, os.strerror(self._error))
        if self._forgets and at >= slots.ROOT_AT:
            return
        super().write(at, content)


@pytest.mark.parametrize(("failing", "text"), [
    ({"error": errno.EIO}, write_card.GONE), ({"error": errno.ENODEV}, write_card.GONE),
    ({"error": errno.ENOMEM}, write_card.FAILED)])
def test_a_card_that_is_pulled_out_is_told_and_starts_nothing(machine, giver, monkeypatch, failing, text):
    disk = machine.reader()
    seen = machine.look(giver)[0]["seen"]
    monkeypatch.setattr(write_card, "TargetCard", lambda path: FailingCard(path, **failing))
    status, told = machine.write(giver, seen)
    assert (status, told["stage"], told["trouble"]["text"]) == (1, "failed", text) and not starts(disk)


def test_a_card_that_does_not_keep_what_is_written_is_found_out(tmp_path, machine):
    content = os.urandom(MIB)
    wanted = [write_card.Extent(slots.ROOT_AT, MIB, lambda: iter([content]))]
    path = tmp_path / "card"
    with path.open("wb") as file:
        file.truncate(slots.ROOT_AT + MIB)
    card = FailingCard(path, forgets=True)
    with pytest.raises(write_card.CardTrouble) as trouble:
        write_card.write(card, wanted, {}, write_card.Teller(machine.told / TOLD_FILE, {}))
    assert trouble.value.told == {"text": write_card.KEEPS_NOT, "fields": {"place": 272}} and not starts(path)
    card.close()


class ForgetfulCard(write_card.TargetCard):
    """A card that holds, once all is written, what it held before."""

    def sync(self):
        super().sync()
        self.path.write_bytes(self.before)


def test_a_card_that_keeps_the_settings_it_had_is_found_out(tmp_path):
    path, where = tmp_path / "card", f"{tmp_path}/card@@{slots.BOOT_AT}"
    path.write_bytes(bytes(slots.BOOT_AT + 4 * MIB))
    subprocess.run(["mformat", "-i", where, "-T", "8192", "::"], check=True)
    card = write_card.TargetCard(path)
    write_card.put_beside(card, {"archipel.toml": b"of before"})
    card.close()
    forgetful = ForgetfulCard(path)
    forgetful.before = path.read_bytes()
    with pytest.raises(write_card.CardTrouble) as trouble:
        write_card.put_beside(forgetful, {"archipel.toml": b"as chosen"})
    assert trouble.value.told["text"] == write_card.KEEPS_NOT
    forgetful.close()


def test_no_link_that_the_island_left_beside_its_wish_is_followed_and_no_pipe_waited_for(tmp_path):
    (tmp_path / "plain").write_bytes(b"octets")
    (tmp_path / "link").symlink_to(tmp_path / "plain")
    os.mkfifo(tmp_path / "pipe")
    assert [write_card.plain_content(tmp_path / name, 6) for name in ("plain", "link", "pipe", "none")] == [
        b"octets", None, None, None]
    assert write_card.plain_content(tmp_path / "plain", 5) is None


def test_a_box_whose_root_was_changed_makes_no_copies(machine, giver, tmp_path):
    content = os.urandom(MIB)
    path = tmp_path / "card"
    path.write_bytes(bytes(2 * MIB))
    card = write_card.TargetCard(path)
    wanted = [write_card.Extent(MIB, MIB, lambda: iter([content]), hashlib.sha256(b"as released").hexdigest())]
    with pytest.raises(write_card.CardTrouble, match="not what its release says"):
        write_card.write(card, wanted, {}, write_card.Teller(machine.told / TOLD_FILE, {}))
    assert not starts(path)
    card.close()
    other = Giver(tmp_path / "other")
    other.root.write_bytes(bytes(other.root.stat().st_size))
    with pytest.raises(image_base.NoBase):
        other.make()
    with pytest.raises(image_base.NoBase), other.opened():
        pass


def test_a_wish_that_is_none_is_told(machine, giver):
    half_a_sign = {"what": "write", "label": LABEL, "reader": "sda", "seen": "0" * 16, "settings": {"node name": "\ud800"},
                   "invitation": "", "board": False}
    for wish in ({}, {"what": "write", "label": LABEL}, half_a_sign):
        status, told = machine.run(giver, **wish)
        assert (status, told["trouble"]["text"]) == (1, write_card.NO_WISH)
    (machine.asked / WISH_FILE).unlink()
    os.mkfifo(machine.asked / WISH_FILE)
    around = write_card.Surroundings(machine.blocks, machine.devices, lambda: machine.own, TEMPLATE, giver.opened)
    assert write_card.main(machine.asked, machine.told, giver.base, around) == 1


# the download


@pytest.fixture
def gives(giver, tmp_path, monkeypatch):
    """Asks the program that gives the image away, over its socket: the answer, and its content."""
    monkeypatch.setattr(image_base, "opened", giver.opened)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(tmp_path / "s"))
    listening.listen()
    server = give_image.ImageServer(giver.base, listening)
    running = threading.Thread(target=server.run)
    running.start()

    def ask(path, method="GET", **headers):
        connection = http.client.HTTPConnection("archipel")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(tmp_path / "s"))
        connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer, content

    yield ask
    server.timeout = 0.01  # the last who asks is the last: then it ends
    ask("/else")
    running.join()
    listening.close()


def test_the_image_that_is_downloaded_is_the_released_one_and_can_be_resumed(gives, giver):
    answer, whole = gives("/image")
    assert answer.status == 200 and 'filename="archipel-1.2.3-arm64.img.gz"' in answer.headers["Content-Disposition"]
    image = gzip.decompress(whole)
    with giver.opened() as base, (giver.base / "boot.fat").open("rb") as boot, giver.root.open("rb") as root:
        at = 0
        for piece in release.image_pieces(boot, root, base.release):
            assert image.startswith(piece, at)
            at += len(piece)
        assert at == len(image)
    _, sums = gives("/image.sha256")
    assert sums.decode().split() == [hashlib.sha256(whole).hexdigest(), "archipel-1.2.3-arm64.img.gz",
                                     hashlib.sha256(image).hexdigest(), "archipel-1.2.3-arm64.img"]
    assert gives("/image.manifest")[1] == (giver.card / "a/release").read_bytes()
    assert not [needle for needle in SECRETS if needle in image]
    size = len(whole)
    assert size < len(image) // 10, "what is empty takes no room"
    for start, end in ((0, 10), (9, 11), (MIB + 7, 3 * MIB), (size // 2, size), (size - 3, size), (5, size + 99)):
        answer, part = gives("/image", Range=f"bytes={start}-{end - 1}")
        assert answer.status == 206 and part == whole[start:end], (start, end)
        assert answer.headers["Content-Range"] == f"bytes {start}-{min(end, size) - 1}/{size}"
    assert gives("/image", Range=f"bytes={size}-")[0].status == 416
    assert gives("/image", Range="bytes=0-5", If_Range='"another"')[0].status == 200
    assert gives("/image", Range="bytes=1-2,5-6")[0].status == 200
    answer, nothing = gives("/image", "HEAD")
    assert (answer.status, int(answer.headers["Content-Length"]), nothing) == (200, size, b"")
    assert gives("/else")[0].status == 404


def test_who_gives_images_away_rests_when_nobody_asks(giver, tmp_path):
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s"))
        listening.listen()
        server = give_image.ImageServer(giver.base, listening)
        server.timeout = 0.01
        running = threading.Thread(target=server.run, daemon=True)
        running.start()
        running.join(60)
        assert not running.is_alive()


def test_a_box_without_a_sound_release_gives_nothing_away(gives, giver, tmp_path, monkeypatch):
    monkeypatch.setattr(image_base, "opened", lambda base: giver.opened(tmp_path))
    answer, content = gives("/image")
    assert answer.status == 503 and b"not what its release says" in content


# units and rules


def test_the_unit_opens_disks_in_readers_by_the_links_that_udev_makes_after_a_look_and_the_island_knows_its_folders():
    opens = (UNITS / "archipel-card.service.d/20-opens.conf").read_text()
    allowed = re.findall(r"(?m)^DeviceAllow=(\S+) (\S+)$", opens)
    written = [device for device, how in allowed if "w" in how]
    assert written and all(re.fullmatch(r"/dev/archipel-reader-(sd[a-d]|mmcblk\d)", device) for device in written)
    assert {device for device, how in allowed if how == "r"} == {
        f"/dev/disk/by-partuuid/{slots.DISK_ID}-0{number}" for number in (2, 3)}
    assert "DevicePolicy=closed" in opens and "-/data/archipel" in opens and "-/run/archipel-box" in opens
    rules = (OVERLAY / "usr/lib/udev/rules.d/70-archipel.rules").read_text()
    rule = next(line for line in rules.splitlines() if "archipel-reader-%k" in line)
    assert 'PROGRAM=="/usr/bin/python3 /usr/lib/archipel/readers.py %k"' in rule and 'GROUP="archipel-card"' in rule
    island = (UNITS / "archipel-island.service").read_text()
    asked, told = re.search(rf"(?m)^Environment={CARDS_VARIABLE}=(.*):(.*)$", island).groups()
    unit = (UNITS / "archipel-card.service").read_text()
    assert f"write_card.py {asked} {told} /data/card" in unit and "RuntimeDirectory=archipel-card" in unit
    nginx = (OVERLAY / "usr/share/archipel/nginx.conf").read_text()
    listens = re.search(r"ListenStream=(\S+)", (UNITS / "archipel-image.socket").read_text())[1]
    assert f"proxy_pass http://unix:{listens};" in nginx
    wanted = OVERLAY / "etc/systemd/system/sockets.target.wants/archipel-image.socket"
    assert os.readlink(wanted) == "/usr/lib/systemd/system/archipel-image.socket"


def test_every_program_that_shares_modules_is_told_where_they_are():
    own = {path.stem for path in (OVERLAY / "usr/lib/archipel").glob("*.py")}
    looked_at = 0
    for unit in UNITS.glob("archipel-*.service"):
        for name in re.findall(r"(?m)^ExecStart=/usr/bin/python3 /usr/lib/archipel/(\w+)\.py", unit.read_text()):
            source = (OVERLAY / f"usr/lib/archipel/{name}.py").read_text()
            if own & set(re.findall(r"(?m)^(?:import|from) (\w+)", source)):
                looked_at += 1
                assert re.search(r"(?m)^Environment=PYTHONPATH=/usr/lib/archipel[: ]", unit.read_text()), unit.name
    assert looked_at > 4


def test_where_file_systems_of_an_older_card_begin_nothing_is_left():
    with_table = struct.unpack_from("<II", slots.partition_table(), 446 + 16 + 8)
    assert (with_table[0] + with_table[1]) * 512 + slots.ROOT_MIB * MIB == write_card.DATA_AT


def test_a_wish_is_not_given_up_while_what_cards_are_copied_from_is_made():
    minutes = re.search(r"(?m)^TimeoutStartSec=(\d+)min$", (UNITS / "archipel-cardbase.service").read_text())[1]
    assert int(minutes) * 60 < card_maker.TAKEN_S
