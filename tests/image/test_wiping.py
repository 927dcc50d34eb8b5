"""A card that is wiped: which stick may order it, and that nothing of what the card was given is left, octet by octet."""

import json
import os
import random
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from archipel_image.bootfs import new_settings
from archipel_image.sources import OVERLAY, program
from node.daemon.keyfiles import KeyFolder
from node.daemon.wipecode import LENGTH, LETTERS, code_of, holds_code
from node.i18n.catalogue import catalogue
from node.i18n.sentence import Sentence
from tests.image.imageparts import UNITS, archipel_in, plug

ISLAND = "Nord"
WIPE, NO_ORDER, NOT_THIS_BOX = 0, 10, 11

# the code


def test_a_code_is_long_and_made_of_what_nobody_takes_for_another():
    codes = [code_of(random.Random(seed).randbytes(LENGTH)) for seed in range(200)]
    assert all(re.fullmatch("[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}", code) for code in codes)
    assert len({*codes}) == 200 and len(LETTERS) ** LENGTH >= 1 << 60


@pytest.mark.parametrize("text", [
    "K1QF-3M0X-9WHD", "k1qf3m0x9whd", "K1QF 3M0X 9WHD\r\n", "  k1qf–3m0x–9whd  ", "Kl QF\n3MOX\n9WHD",
    "code : KIQF/3mox/9whd merci",
    "Ｋ１ＱＦ－３Ｍ０Ｘ－９ＷＨＤ", "K١QF-٣M٠X-٩WHD", "k1qf\u200b-3m0x-\u00a09whd", "« K1QF.3M0X.9WHD »"])
def test_a_code_is_found_however_it_was_typed(text):
    assert holds_code(text, "K1QF-3M0X-9WHD")


@pytest.mark.parametrize("text", ["", " ", "K1QF-3M0X-9WH", "K1QF-3M0X-9WHE", "9WHD-3M0X-K1QF", "wipe", "*" * 5000, "K1QF"])
def test_what_is_not_the_code_is_not_the_code(text):
    assert not holds_code(text, "K1QF-3M0X-9WHD") and not holds_code(text, "") and not holds_code(text, "K1QF")


def test_an_island_makes_its_code_once_keeps_it_private_and_a_new_island_has_another(tmp_path):
    codes = []
    for name in ("a", "b"):
        keys = KeyFolder(tmp_path / name)
        keys.found(ISLAND)
        codes.append(keys.wipe_code())
        assert KeyFolder(tmp_path / name).wipe_code() == codes[-1]
        assert (tmp_path / name / "keys/wipe.code").stat().st_mode & 0o777 == 0o600
    assert codes[0] != codes[1]


# the stick


@pytest.fixture(scope="module")
def island(tmp_path_factory):
    """(folder of an island, the environment in which the stick's script finds it, its code)."""
    folder = tmp_path_factory.mktemp("islands") / ISLAND
    environment = archipel_in(folder, ISLAND)
    (folder / "any.toml").write_text((folder / "archipel.toml").read_text() + '[box]\nwipe_stick = "any"\n')
    return folder, environment, KeyFolder(folder / "data").wipe_code()


@pytest.fixture
def plugged(tmp_path, island):
    """A function that plugs a stick in: (ordered, what is told, names on the stick afterwards)."""
    folder, environment, _ = island

    def plugged_in(stick, settings="archipel.toml"):
        here = tmp_path / "here"
        shutil.rmtree(here, ignore_errors=True)
        here.mkdir()
        plug(stick, folder, {**environment, "ARCHIPEL_CONFIG": str(folder / settings)}, here)
        told = (here / "notices").read_text() if (here / "notices").exists() else ""
        return (here / "wipe").exists(), told and str(Sentence.of(json.loads(told))), sorted(os.listdir(stick))

    return plugged_in


def look(stick, island, settings="archipel.toml"):
    """What the program says of a stick: its exit status."""
    folder, _, _ = island
    return program("wipe_stick").main(stick, folder / "data", folder / settings, folder / "notices")


@pytest.fixture
def stick(tmp_path):
    """An empty stick."""
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


def test_a_stick_with_this_box_s_code_orders_it_erased_and_is_not_written_to(stick, island, plugged):
    (stick / "archipel-wipe.txt").write_text(f"{island[2]}\n")
    assert plugged(stick) == (True, "", ["archipel-wipe.txt"])


@pytest.mark.parametrize("content", ["", "ZZZZ-ZZZZ-ZZZZ", "please"])
def test_a_lent_stick_does_nothing_is_not_written_to_and_is_told(stick, plugged, content):
    (stick / "archipel-wipe.txt").write_text(content)
    ordered, told, names = plugged(stick)
    assert not ordered and "code of this box is not in it" in told and names == ["archipel-wipe.txt"]


def test_any_stick_will_do_where_the_keeper_chose_so(stick, plugged):
    (stick / "archipel-wipe.txt").touch()
    assert plugged(stick, "any.toml") == (True, "", ["archipel-wipe.txt"])


def test_any_other_stick_carries_records(stick, plugged):
    (stick / "note.txt").write_text("archipel-wipe.txt")
    ordered, told, names = plugged(stick)
    assert not ordered and not told and {"archipel.txt", "archipel"} <= {*names}


@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "link to nowhere"])
def test_what_is_named_like_our_text_is_not_written_through_and_stops_no_exchange(stick, island, plugged, kind):
    precious, there = island[0] / "precious", stick / "archipel.txt"
    precious.write_text("secret")
    {"link": lambda: there.symlink_to(precious), "pipe": lambda: os.mkfifo(there), "folder": there.mkdir,
     "link to nowhere": lambda: there.symlink_to(island[0] / "new")}[kind]()
    names = plugged(stick)[2]
    assert "archipel" in names and precious.read_text() == "secret" and not (island[0] / "new").exists()
    assert there.is_dir() if kind == "folder" else there.is_file() and not there.is_symlink()


def test_a_program_that_fails_leaves_the_stick_alone(stick, island, plugged):
    (island[0] / "bin/python3").rename(island[0] / "bin/away")
    (island[0] / "bin/python3").write_text("#!/bin/sh\nexit 1\n")
    (island[0] / "bin/python3").chmod(0o755)
    try:
        assert plugged(stick) == (False, "", [])
    finally:
        (island[0] / "bin/away").rename(island[0] / "bin/python3")


@pytest.mark.parametrize("name", [
    "archipel-wipe.txt", "archipel-wipe.txt.txt", "Archipel-Wipe.TXT", "ARCHIPEL-WIPE", "archipel-wipe.rtf",
    "archipel-wipe (1).txt", "Copie de archipel-wipe.txt", "archipel_wipe.txt", "archipel wipe.txt", "archipelwipe.txt",
    "archipel-wipe.txt.txt.rtf"])
def test_an_order_is_found_under_the_names_that_computers_give_it(stick, island, name):
    (stick / name).write_text(island[2])
    assert look(stick, island) == WIPE
    (stick / name).write_text("")
    assert look(stick, island) == NOT_THIS_BOX and look(stick, island, "any.toml") == WIPE


RICH = r"{\rtf1\ansi\ansicpg1252{\fonttbl\f0 Helvetica;}\f0\fs24 \cf0 %s\par}"


@pytest.mark.parametrize("written", [
    lambda code: code.encode("utf-16"), lambda code: code.encode("utf-16-le"), lambda code: code.encode("utf-16-be"),
    lambda code: b"\xef\xbb\xbf" + code.encode(), lambda code: code.encode("utf-32"), lambda code: (RICH % code).encode(),
    lambda code: code.replace("-", "\r\n").encode(), lambda code: code.replace("-", "\r").encode(),
    lambda code: ("île, code " + code).encode("cp1252"), lambda code: code.lower().encode() + b"\x1a\0\0\0",
    lambda code: b"\0" * 40 + code.encode(), lambda code: b"\n" * 1000 + code.encode() + b"\n" * 100_000,
    lambda code: code.replace("0", "O").replace("1", "l").encode(), lambda code: code.replace("-", "").encode()])
def test_an_order_counts_in_whatever_encoding_and_with_whatever_ends_of_lines(stick, island, written):
    (stick / "archipel-wipe.txt").write_bytes(written(island[2]))
    assert look(stick, island) == WIPE


def test_another_box_s_code_and_the_one_of_the_island_that_was_here_before_do_nothing(stick, island, tmp_path):
    keys = KeyFolder(tmp_path / "before")
    keys.found(ISLAND)
    (stick / "archipel-wipe.txt").write_text(keys.wipe_code())
    assert look(stick, island) == NOT_THIS_BOX


def test_of_several_orders_the_one_with_the_code_counts(stick, island):
    for number in range(10):
        (stick / f"archipel-wipe-{number}.txt").write_text("ZZZZ-ZZZZ-ZZZZ")
    (stick / "archipel-wipe.txt").write_text(island[2])
    assert look(stick, island) == WIPE


def odd(stick):
    """What is named like an order and is no plain file."""
    (stick / "archipel-wipe").mkdir()
    os.mkfifo(stick / "archipel-wipe.txt")
    (stick / "archipel-wipe.rtf").symlink_to("/dev/zero")
    (stick / "archipel-wipe.txt.txt").symlink_to("nowhere")
    (stick / os.fsdecode(b"archipel-wipe\xff.txt")).symlink_to(stick)


@pytest.mark.parametrize("settings", ["archipel.toml", "any.toml"])
def test_folders_links_and_pipes_are_no_order_and_keep_none_from_being_found(stick, island, settings):
    odd(stick)
    assert look(stick, island, settings) == NOT_THIS_BOX
    (stick / "archipel-wipe (2).txt").write_text(island[2])
    assert look(stick, island, settings) == WIPE


def test_a_link_to_the_code_on_the_card_is_not_followed(stick, island):
    (stick / "archipel-wipe.txt").symlink_to(island[0] / "data/keys/wipe.code")
    assert look(stick, island) == NOT_THIS_BOX


def test_a_box_whose_code_or_settings_cannot_be_read_is_not_erased_by_a_lent_stick(stick, tmp_path):
    (stick / "archipel-wipe.txt").write_text("")
    look_at = program("wipe_stick").main
    assert look_at(stick, tmp_path / "gone", tmp_path / "gone.toml", tmp_path / "notices") == NOT_THIS_BOX
    (tmp_path / "data/keys").mkdir(parents=True)
    (tmp_path / "data/keys/wipe.code").write_bytes(b"")
    assert look_at(stick, tmp_path / "data", tmp_path / "gone.toml", tmp_path / "notices") == NOT_THIS_BOX
    (tmp_path / "data/keys/wipe.code").write_bytes(b"\xff\xff")
    assert look_at(stick, tmp_path / "data", tmp_path / "gone.toml", tmp_path / "notices") == NOT_THIS_BOX


def test_what_is_told_of_wiping_is_in_every_language():
    texts = program("erase").DONE, program("erase").NOT_ALL, program("wipe_stick").NOT_OURS.text
    for tag in ("fr", "es", "ar"):
        assert not [text for text in texts if catalogue(tag).gettext(text) == text]


@pytest.mark.parametrize("writable", [True, False])
def test_the_order_is_on_the_card_before_the_box_starts_again(tmp_path, writable):
    order, card, log = tmp_path / "wipe", tmp_path / "card", tmp_path / "log"
    order.touch()
    card.mkdir()
    for name, text in (("mount", f'echo mount $2 >> {log}; {"true" if writable else "false"}'),
                       ("systemctl", f'ls {card} >> {log}; echo $2 $3 >> {log}')):
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    environment = {**os.environ, "MOUNT": str(tmp_path / "mount"), "SYSTEMCTL": str(tmp_path / "systemctl")}
    subprocess.run([OVERLAY / "usr/lib/archipel/wipe-order", str(order), str(card)], env=environment, check=True)
    done = log.read_text().splitlines()
    assert done == (["mount remount,rw", "mount remount,ro", "WIPING", "reboot"] if writable
                    else ["mount remount,rw", "start archipel-island.service"])
    assert not order.exists()


def test_the_eraser_may_open_the_card_runs_before_it_is_used_and_until_it_ran_nobody_joins():
    unit = (UNITS / "archipel-erase.service").read_text()
    opens = (UNITS / "archipel-erase.service.d/20-opens.conf").read_text()
    assert "PrivateDevices=no" in opens and "DeviceAllow=block-* rw" in opens  # a "+" lifts no limit of the control group
    assert re.search(r"(?m)^Before=data.mount archipel-box.service", unit) and "After=boot-firmware.mount" in unit
    for name in ("makefs", "fsck"):
        later = OVERLAY / f"etc/systemd/system/systemd-{name}@.service.d/archipel.conf"
        assert "After=archipel-erase.service" in later.read_text()
    order = program("erase").ORDER
    assert f"ConditionPathExists=/boot/firmware/{order}" in unit
    assert f"ConditionPathExists=!/boot/firmware/{order}" in (UNITS / "archipel-join.service").read_text()


# the card

SECRETS = {
    "keeper": b"Zenobie Quatremere", "password": b"quatre-mots-jamais-vus", "wifi": b"motdepasse-wifi-9381",
    "broker": b"mqtts://ile:XyZZy-4471@broker.example", "ssh": b"ssh-ed25519 AAAAC3NzaFAKEKEYq8w7 zenobie",
    "invitation": b"INVITATIONQQ77AA12ZB", "channel key": b"channelkeyQ83HHDGTWE", "name": "Île aux Secrets".encode(),
}
SETTINGS = b"".join(b"# %s\r\n" % secret for secret in SECRETS.values()) + b"x" * 3000
BEFORE = b"what-stood-there-before"
# as a FAT has them: eight and three characters, long ones in parts of five, six and two
NAMES = (b"ZENOBIE", b"ZENOBI~1PEM", *(part.encode("utf-16-le") for part in ("zenob", "ie-ca.", "ie-pho", "invit")))


def files_of_the_system():
    """What a Pi starts with, and files of the system's slots."""
    rng = random.Random(3)
    sizes = {"a/vmlinuz": 3_000_001, "a/initrd.img": 2_000_000, "config.txt": 13, "cmdline.txt": 6, "a/release": 500,
             "b/vmlinuz": 50_000, "b/firmware/u-boot.bin": 9_000, "boot.scr": 3_000, "b/cmdline": 90,
             "bcm2837-rpi-3-b.dtb": 30_001, "bcm2710-rpi-zero-2-w.dtb": 512, "start.elf": 70_000, "fixup_x.dat": 10,
             "bootcode.bin": 52_000}
    return {name: rng.randbytes(size) for name, size in sizes.items()}


@pytest.fixture(scope="module")
def fat_card(tmp_path_factory):
    """A FAT partition that a keeper used: settings written several times, an invitation, certificates, a Mac's folders."""
    folder = tmp_path_factory.mktemp("fat")
    path = folder / "fat.img"
    subprocess.run(["mkfs.vfat", "-F", "32", "-C", "-n", "ZENOBIE", str(path), str(48 * 1024)], check=True,
                   stdout=subprocess.DEVNULL)
    system = files_of_the_system()

    def put(name, content):
        (folder / "file").write_bytes(content)
        mtools("mcopy", path, "-o", str(folder / "file"), f"::{name}")

    def mtools(program, image, *arguments):
        subprocess.run([program, "-i", str(image), *arguments], check=True, env={**os.environ, "MTOOLS_SKIP_CHECK": "1"})

    mtools("mmd", path, "::a", "::b", "::b/firmware", "::a/firmware", "::c")
    for name, content in [*system.items()][:4]:
        put(name, content)
    for name in ("a/zenobie-ca.pem", "b/firmware/zenobie.txt", "c/vmlinuz", "a/firmware/vmlinuz"):
        put(name, SETTINGS)
    for name in ["archipel.toml", "zenobie-ca.pem"] * 3:
        put(name, SETTINGS * 20)
        mtools("mdel", path, f"::{name}")
    for name, content in [*system.items()][4:]:
        put(name, content)
    put("archipel.toml", SETTINGS)
    put("Copie de archipel.toml", SETTINGS)
    put("invitation-de-zenobie.txt", SECRETS["invitation"] * 200)
    put("archipel-problems.txt", SECRETS["name"])
    mtools("mmd", path, "::.Trashes", "::.Trashes/501", "::System Volume Information")
    put(".Trashes/501/zenobie-ca.pem", SETTINGS)
    put("vmlinuz.old", SETTINGS)
    put("WIPING", b"")
    photos = [f"zenobie-photo-{number}.jpg" for number in range(40)]
    for name in photos:
        put(name, SETTINGS)
    mtools("mdel", path, *(f"::{name}" for name in photos[::2]))
    with path.open("r+b") as image:  # where a file ends, its last cluster goes on
        image.seek(path.read_bytes().index(system["cmdline.txt"]) + 100)
        assert not any(image.peek()[:len(BEFORE)])
        image.write(BEFORE)
    return path, system


def listed(path):
    """The files on a FAT image, those in folders too, and folders that hold none."""
    told = subprocess.run(["mdir", "-b", "-a", "-/", "-i", str(path), "::"], capture_output=True, text=True,
                          env={**os.environ, "MTOOLS_SKIP_CHECK": "1"}).stdout
    found = {line.removeprefix("::/") for line in told.splitlines() if line}
    return {name for name in found if name not in ("a/", "b/", "a/firmware/", "b/firmware/")}


def content_of(path, name):
    return subprocess.run(["mtype", "-i", str(path), f"::{name}"], capture_output=True, check=True,
                          env={**os.environ, "MTOOLS_SKIP_CHECK": "1"}).stdout


def test_of_the_first_partition_only_what_the_pi_starts_with_is_left_and_no_octet_of_the_rest(tmp_path, fat_card):
    original, system = fat_card
    path = tmp_path / "fat.img"
    shutil.copy(original, path)
    held = path.read_bytes()
    needles = [*SECRETS.values(), *NAMES, BEFORE]
    missing = [needle for needle in needles if needle not in held]
    assert not missing, "this would prove nothing"
    done = program("erase").erase_fat(path)
    left = path.read_bytes()
    assert not [needle for needle in needles if needle in left]
    assert done.failed == 0 and done.written < 8_000_000
    assert listed(path) == {*system}
    assert all(content_of(path, name) == content for name, content in system.items())
    checked = subprocess.run(["fsck.vfat", "-n", str(path)], capture_output=True, text=True)
    assert checked.returncode == 0 or "Free cluster summary" in checked.stdout, checked.stdout
    (tmp_path / "new").write_bytes(new_settings())
    subprocess.run(["mcopy", "-i", str(path), str(tmp_path / "new"), "::archipel.toml"], check=True)
    assert content_of(path, "archipel.toml") == new_settings()


def test_wherever_the_power_goes_while_the_first_partition_is_erased_the_order_stands_or_all_is_done(tmp_path, fat_card):
    erase, (original, system), rng = program("erase"), fat_card, random.Random(5)
    path, finished = tmp_path / "fat.img", 0
    shutil.copy(original, path)
    writes = count_writes(erase, path)
    for cut in sorted({0, 1, *range(writes - 6, writes), *rng.sample(range(writes), 6)}):
        shutil.copy(original, path)
        with pytest.raises(KeyboardInterrupt):
            erase_until(erase, path, cut)
        if "WIPING" in listed(path):
            erase.erase_fat(path)
        else:
            finished += 1
        left = path.read_bytes()
        assert not [secret for secret in SECRETS.values() if secret in left], cut
        assert listed(path) == {*system} and content_of(path, "a/vmlinuz") == system["a/vmlinuz"], cut
    assert finished <= 3


def count_writes(erase, path):
    counted = erase_until(erase, path, 1 << 60)
    assert counted > 20
    return counted


def erase_until(erase, path, cut):
    """Erase; the power goes after so many writes. How many there were."""
    done = 0

    class Cut(erase.Eraser):
        def write(self, at, content):
            nonlocal done
            if done == cut:
                os.fsync(self._device)
                raise KeyboardInterrupt
            done += 1
            super().write(at, content)

    whole, erase.Eraser = erase.Eraser, Cut
    try:
        erase.erase_fat(path)
    finally:
        erase.Eraser = whole
    return done


@pytest.mark.parametrize("content", [b"", b"\0" * 4096, b"\xeb\x58\x90" + b"x" * 40_000,
                                     random.Random(1).randbytes(70_000)])
def test_what_is_no_fat_is_told_and_hangs_nothing(tmp_path, content):
    (tmp_path / "fat.img").write_bytes(content)
    assert program("erase").erase_fat(tmp_path / "fat.img").failed


def test_a_damaged_fat_is_erased_as_far_as_it_goes_and_ends(tmp_path, fat_card):
    original, _ = fat_card
    rng, tried = random.Random(11), 0
    held = original.read_bytes()
    for _ in range(6):
        path = tmp_path / "fat.img"
        damaged = bytearray(held)
        for _ in range(60):
            at = rng.randrange(16_384, 3_300_000)
            damaged[at:at + 4] = rng.randbytes(4)
        path.write_bytes(damaged)
        program("erase").erase_fat(path)
        left = path.read_bytes()
        assert not [secret for secret in SECRETS.values() if secret in left]
        tried += 1
    assert tried == 6


@pytest.fixture(scope="module")
def data_card(tmp_path_factory):
    """An ext4 as the box makes it, with an island's files, files that were removed, and 2 GB in which nothing ever was."""
    folder = tmp_path_factory.mktemp("data")
    path, tree = folder / "data.img", folder / "tree"
    for name in ("archipel/keys", "archipel/journal", "app/0.2.0/node", "ssh", "watch"):
        (tree / name).mkdir(parents=True)
    for number, secret in enumerate(SECRETS.values()):
        (tree / f"archipel/keys/{number}").write_bytes(secret)
        (tree / f"archipel/journal/{number}").write_bytes(secret * 50_000)
        (tree / f"ssh/{secret.hex()[:40]}").write_bytes(secret)
    with path.open("wb") as file:
        file.truncate(2 << 30)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-d", str(tree), str(path)], check=True)
    gone = "".join(f"rm /archipel/journal/{number}\nrm /archipel/keys/{number}\n" for number in range(len(SECRETS)))
    subprocess.run(["debugfs", "-w", "-f", "-", str(path)], input=gone, text=True, check=True, capture_output=True)
    return path


def test_of_the_data_partition_no_octet_is_left_and_only_what_was_ever_written_is_looked_at(tmp_path, data_card):
    erase, path = program("erase"), tmp_path / "data.img"
    subprocess.run(["cp", "--sparse=always", str(data_card), str(path)], check=True)
    before = data_of(path)
    assert all(secret in before for secret in SECRETS.values()), "this would prove nothing"
    looked_at = sum(end - start for start, end in erase.ever_written(path))
    done = erase.erase_data(path)
    assert done.failed == 0 and looked_at < 1 << 30 and 0 < done.written < 200 << 20
    left = data_of(path)
    assert not [secret for secret in SECRETS.values() if secret in left or secret.hex()[:40].encode() in left]
    assert subprocess.run(["blkid", "-p", str(path)], capture_output=True).stdout == b""  # so it is formatted at the start
    subprocess.run(["mkfs.ext4", "-q", str(path)], check=True)


@pytest.mark.parametrize("harm", [b"\0" * 4096, b"\xa5" * 100_000])
def test_a_data_partition_that_is_no_ext4_any_more_is_erased_whole(tmp_path, data_card, harm):
    path = tmp_path / "data.img"
    subprocess.run(["cp", "--sparse=always", str(data_card), str(path)], check=True)
    with path.open("r+b") as file:
        file.write(harm)  # the power went in the middle
        for at in (32768, 98304, 163840, 229376, 294912):  # where its head stands again
            file.seek(at * 4096)
            file.write(bytes(4096))
    assert program("erase").ever_written(path) == []
    program("erase").erase_data(path)
    left = data_of(path)
    assert not [secret for secret in SECRETS.values() if secret in left]


def data_of(path: Path) -> bytes:
    """What a file holds, without its holes."""
    parts, at = [], 0
    with path.open("rb") as file:
        while True:
            try:
                at = os.lseek(file.fileno(), at, os.SEEK_DATA)
            except OSError:
                return b"".join(parts)
            end = os.lseek(file.fileno(), at, os.SEEK_HOLE)
            parts.append(os.pread(file.fileno(), end - at, at))
            at = end


def test_pieces_that_cannot_be_written_are_counted_and_the_rest_is_erased(tmp_path, monkeypatch):
    erase, path = program("erase"), tmp_path / "part"
    path.write_bytes(b"x" * (5 << 20))
    real = os.pwrite

    def pwrite(device, content, at):
        if at == 2 << 20:
            raise OSError(5, "Input/output error")
        return real(device, content, at)

    monkeypatch.setattr(os, "pwrite", pwrite)
    eraser = erase.Eraser(path)
    eraser.blank(0, eraser.size)
    assert eraser.failed == 1 and path.read_bytes().count(b"x") == 1 << 20


def test_the_green_light_tells(tmp_path):
    erase = program("erase")
    for name in ("ACT", "PWR"):
        (tmp_path / name).mkdir()
        for file in ("trigger", "delay_on", "delay_off"):
            (tmp_path / name / file).write_text("none")
    erase.show(tmp_path, "timer", delay_on=60, delay_off=60)
    assert [(tmp_path / "ACT" / file).read_text() for file in ("trigger", "delay_on", "delay_off")] == ["timer", "60", "60"]
    assert (tmp_path / "PWR/trigger").read_text() == "none"
    erase.show(tmp_path / "gone", "heartbeat")
