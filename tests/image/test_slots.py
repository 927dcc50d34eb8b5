"""The card's layout, its boot state and what a release is, without building an image: files stand for cards."""

import hashlib
import io
import os
import random
import subprocess

import pytest

from archipel_image import bootfs, bundle, card
from archipel_image.sources import SOURCES, program
from node.i18n.catalogue import catalogue

slots, release = program("slots"), program("release")
STATES = [slots.BootState(), slots.BootState("b"), slots.BootState("a", "b", 3), slots.BootState("b", "a", 0)]

# the boot state


@pytest.mark.parametrize("state", STATES)
def test_a_state_comes_back_from_its_sector_and_no_flipped_bit_of_it_counts(state):
    block = state.block()
    assert len(block) == 512 and slots.state_in(block) == state
    for at in range(0, 512 * 8, 7):
        flipped = bytearray(block)
        flipped[at // 8] ^= 1 << at % 8
        assert slots.state_in(bytes(flipped)) is None


def test_a_sector_is_what_u_boot_writes_when_it_counts_a_try():
    """`env export -c -s 200 ADDRESS slot trial tries`, as U-Boot 2025.01 left it on a card in QEMU."""
    seen = bytes.fromhex("b1eb26d7") + b"slot=a\0trial=b\0tries=2\0"
    assert slots.state_in(seen.ljust(512, b"\0")) == slots.BootState("a", "b", 2)


def sealed(text):
    """A sector that holds this, its checksum right."""
    held = text.ljust(508, b"\0")
    return slots.zlib.crc32(held).to_bytes(4, "little") + held


@pytest.mark.parametrize("text", [b"", b"slot=c\0", b"slot=\0", b"trial=b\0tries=3\0", b"slot=a\0trial=a\0tries=3\0",
                                  b"slot=a\0trial=b\0tries=x\0", b"slot=a\0trial=b\0tries=-1\0", b"\xff" * 508, b"slot\0",
                                  b"slot=a\0trial=c\0"])
def test_a_whole_sector_that_says_what_cannot_be_counts_as_none(text):
    assert slots.state_in(sealed(text)) is None


def new_disk(tmp_path):
    """A card's first 4 MiB."""
    disk = tmp_path / "disk"
    with disk.open("wb") as file:
        file.truncate(slots.BOOT_AT)
        for at, content in slots.before_boot():
            file.seek(at)
            file.write(content)
    return disk


def test_the_first_copy_is_on_the_card_before_the_second_is_touched(tmp_path, monkeypatch):
    disk, steps, write, sync = new_disk(tmp_path), [], os.pwrite, os.fsync
    monkeypatch.setattr(os, "pwrite", lambda *told: steps.append("write") or write(*told))
    monkeypatch.setattr(os, "fsync", lambda descriptor: steps.append("sync") or sync(descriptor))
    slots.write_state(disk, slots.BootState("b"))
    assert steps == ["write", "sync"] * 2 and slots.read_state(disk) == slots.BootState("b")


def test_wherever_the_power_goes_while_the_state_is_written_the_old_one_or_the_new_one_counts(tmp_path, monkeypatch):
    disk, (old, new), tried = new_disk(tmp_path), (slots.BootState(), slots.BootState("a", "b", 3)), 0
    real = os.pwrite
    for cut in range(2):
        for torn in (0, 1, 100, 511, 512):
            slots.write_state(disk, old)
            left = [cut]

            def pwrite(descriptor, content, at, left=left, torn=torn):
                if not left[0]:  # the power: part of the sector is new, or its checksum is wrong
                    real(descriptor, content[:torn], at)
                    raise KeyboardInterrupt
                left[0] -= 1
                return real(descriptor, content, at)

            monkeypatch.setattr(os, "pwrite", pwrite)
            with pytest.raises(KeyboardInterrupt):
                slots.write_state(disk, new)
            monkeypatch.setattr(os, "pwrite", real)
            assert slots.read_state(disk) in ([new] if cut or torn == 512 else [old] if torn < 5 else [old, new])
            tried += 1
    assert tried == 10


def test_a_new_card_has_two_partitions_and_starts_slot_a(tmp_path):
    disk = new_disk(tmp_path)
    told = subprocess.run(["sfdisk", "--dump", str(disk)], capture_output=True, text=True, check=True).stdout
    parts = [line.split(":", 1)[1].replace(" ", "") for line in told.splitlines() if "start=" in line]
    assert parts == ["start=8192,size=524288,type=c,bootable", "start=532480,size=1048576,type=83"]
    assert f"label-id: 0x{slots.DISK_ID}" in told and slots.read_state(disk) == slots.BootState()
    assert all(disk.read_bytes()[at:at + 6] != bytes(6) for at in slots.STATE_AT)  # flashed, on an old card too


def test_boot_script_layout_and_program_agree_on_where_the_state_lies_and_how_long_it_is():
    script = (SOURCES / "boot/boot.cmd").read_text()
    for at in slots.STATE_AT:
        assert f"write ${{block}} {at // 512:x} 1" in script
    assert "for at in " + " ".join(f"{at // 512:x}" for at in slots.STATE_AT) in script and f"-s {512:x}" in script
    grow = (SOURCES / "initramfs/grow").read_text()
    assert f'"$((all - data))" -lt {slots.MIN_DATA_MIB * 2048}' in grow


@pytest.mark.parametrize(("line", "slot"), [
    ("quiet archipel.slot=b\n", "b"), ("archipel.slot=a root=x", "a"), ("quiet", "a"), ("archipel.slot=bb", "a"),
    ("xarchipel.slot=b", "a"), ("", "a")])
def test_the_running_slot_is_the_one_that_the_kernel_was_told(tmp_path, line, slot):
    (tmp_path / "cmdline").write_text(line)
    assert slots.running_slot(tmp_path / "cmdline") == slot
    assert slots.root_partition(slot).name == f"{slots.DISK_ID}-0{2 if slot == 'a' else 3}"


def test_the_boot_script_is_an_image_as_mkimage_makes_it():
    made = bootfs.boot_script(b"echo\n")
    # mkimage -A arm64 -T script -C none -n archipel, with SOURCE_DATE_EPOCH of the base
    assert made[:4] == bytes.fromhex("27051956") and made[28:32] == bytes([5, 22, 6, 0]) and made[32:40] == b"archipel"
    assert made[64:] == bytes([0, 0, 0, 5, 0, 0, 0, 0]) + b"echo\n" and int.from_bytes(made[12:16]) == 13


# releases


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A released image of small files, and what it was made of: (image, release, files, root, public key)."""
    folder, rng = tmp_path_factory.mktemp("made"), random.Random(2)
    key = bundle.signing_key(folder / "key")
    root = folder / "root.squashfs"
    root.write_bytes(rng.randbytes(1_500_000))
    files = {"boot/vmlinuz": rng.randbytes(300_000), "boot/initrd.img": rng.randbytes(200_001),
             "boot/cmdline": b"bootargs=x\n", "firmware/start.elf": rng.randbytes(7_000),
             "firmware/config.txt": b"kernel=u-boot.bin\n"}
    head = bundle.release_head("0.2.0", "6.12.1", files, root, key)
    public = bundle.public_bytes(key)
    known = release.read_release(io.BytesIO(head), public)
    release.make_boot(folder / "boot.fat", bootfs.on_a_new_card(files, head))
    card.assemble(folder / "boot.fat", root, folder / "card.img", known)
    return folder / "card.img", known, files, root, public


def mounted(folder, image):
    """A folder that holds what p1 of an image does."""
    folder.mkdir()
    subprocess.run(["mcopy", "-s", "-i", f"{image}@@{slots.BOOT_AT}", "::*", str(folder)], check=True,
                   env={**os.environ, "MTOOLS_SKIP_CHECK": "1"})
    return folder


def made_again(tmp_path, made, where, slot):
    """SHA-256 of the image that a box makes of its running slot."""
    _, _, _, root, public = made
    known = release.running_release(where, slot, public)
    settings = tmp_path / "settings"
    settings.write_bytes(bootfs.new_settings())
    again = tmp_path / "again.fat"
    again.unlink(missing_ok=True)
    release.make_boot(again, release.files_of_a_new_card(known, where, slot, settings))
    digest = hashlib.sha256()
    with again.open("rb") as boot, root.open("rb") as back:
        for piece in release.image_pieces(boot, back, known):
            digest.update(piece)
    return digest.hexdigest()


@pytest.mark.process
def test_a_box_makes_the_released_image_again_octet_by_octet_from_either_slot(tmp_path, made):
    image, known, _, root, _ = made
    where = mounted(tmp_path / "p1", image)
    assert release.differences(known, where, "a", root) == []
    assert made_again(tmp_path, made, where, "a") == bundle.sha256(image)
    (where / "a").rename(where / "b")  # an update put it there, and the firmware that came with it
    (where / "b/firmware").mkdir()
    (where / "start.elf").rename(where / "b/firmware/start.elf")
    (where / "start.elf").write_bytes(b"older")
    assert release.differences(known, where, "b", root) == []
    assert made_again(tmp_path, made, where, "b") == bundle.sha256(image)


@pytest.mark.parametrize("harm", ["boot/vmlinuz", "firmware/start.elf", "root.squashfs", "boot/cmdline"])
@pytest.mark.parametrize("how", ["one octet", "shorter", "gone"])
def test_a_box_whose_system_was_changed_says_what(tmp_path, made, harm, how):
    _, known, files, root, _ = made
    where, held = tmp_path / "p1", {**files, "root.squashfs": root.read_bytes()}
    (where / "a").mkdir(parents=True)
    content = held[harm]
    held[harm] = {"one octet": content[:-1] + bytes([content[-1] ^ 1]), "shorter": content[:-1], "gone": None}[how]
    places = {name: where / name.replace("boot/", "a/").removeprefix("firmware/") for name in held}
    for name, place in places.items():
        if held[name] is not None:
            place.write_bytes(held[name])
    assert release.differences(known, where, "a", places["root.squashfs"]) == [harm]


@pytest.mark.parametrize("harm", ["other key", "cut", "not ours", "no root", "odd path", "odd kernel"])
def test_a_list_that_is_not_signed_or_not_sound_is_no_release(tmp_path, made, harm):
    _, known, _, _, public = made
    key = bundle.signing_key(tmp_path / "key")
    told = {"version": "1.0", "machine": "x", "kernel": "6", "files": [["root.squashfs", 1, "0" * 64]]}
    if harm == "no root":
        told["files"] = []
    elif harm == "odd path":
        told["files"].append(["boot/a/b", 1, "0" * 64])
    elif harm == "odd kernel":
        told["kernel"] = None
    head = {"other key": known.head, "cut": known.head[:-2], "not ours": b"archipel update 1\n"}.get(
        harm, bundle.signed_head(release.KIND, told, key))
    with pytest.raises(release.UpdateRefused):
        release.read_release(io.BytesIO(head), public if harm == "cut" else bundle.public_bytes(key))


def test_a_file_that_became_longer_was_changed_and_what_follows_a_root_on_its_partition_is_nobody_s(tmp_path, made):
    _, known, files, root, _ = made
    (tmp_path / "a").mkdir()
    for name, content in files.items():
        place = tmp_path / name.replace("boot/", "a/").removeprefix("firmware/")
        place.write_bytes(content + (b"x" if name == "boot/vmlinuz" else b""))
    (tmp_path / "root").write_bytes(root.read_bytes() + b"what was there before")
    assert release.differences(known, tmp_path, "a", tmp_path / "root") == ["boot/vmlinuz"]


def test_what_is_told_of_a_changed_system_is_in_every_language():
    for tag in ("fr", "es", "ar"):
        assert not [text for text in (release.CHANGED, release.UNSIGNED) if catalogue(tag).gettext(text) == text]
