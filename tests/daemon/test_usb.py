"""One stick, many islands: both ways, whatever happens to the stick.

Sticks that fill up, cannot be written or are pulled out are mounted images (ext2: no journal either, every Linux has it);
that names and contents survive FAT is seen with mtools, as not every kernel mounts it.
"""

import contextlib
import errno
import os
import shutil
import subprocess

import pytest
from click.testing import CliRunner

from node.cli.main import main
from node.daemon import usb
from node.daemon.keyfiles import KeyFolder
from node.daemon.usb import MAX_FILES, exchange, file_of
from node.model.record import Kind
from node.store.index import StoreFailed
from node.transfer.bulk import load_bundle
from node.transfer.bundle import Bundle, write
from tests.sim.village import Village, spoilt
from tests.transfer.test_bulk import Shore, busy


@contextlib.contextmanager
def plugged(folder, size_kb, options="rw"):
    """A stick of `size_kb`, made if it is not there, mounted."""
    image, mounted = folder / "stick.img", folder / "stick"
    if not image.exists():
        with image.open("wb") as file:
            file.truncate(size_kb * 1024)
        subprocess.run(["mkfs.ext2", "-q", "-b", "1024", "-m", "0", image], check=True)
    mounted.mkdir(exist_ok=True)
    subprocess.run(["mount", "-o", f"loop,{options}", image, mounted], check=True)
    try:
        yield mounted
    finally:
        subprocess.run(["umount", "-l", mounted], check=True)


@pytest.fixture
def village():
    return Village()


@pytest.fixture
def here(village):
    return Shore(village).hold(*busy(village))


@pytest.fixture
def others(village):
    """Two islands that know nothing yet but their own post."""
    made = [Shore(village, who).hold(*busy(village)[:3]) for who in ("keeper", "island")]
    for shore, who in zip(made, ("keeper", "island"), strict=True):
        shore.hold(village.bulletin(who, f"avis de {who}", minute=7))
    return made


def test_names_and_contents_survive_fat(tmp_path, here, others):
    image, stick = tmp_path / "stick.img", tmp_path / "stick"
    with image.open("wb") as file:
        file.truncate(2_000_000)
    subprocess.run(["mkfs.vfat", "-n", "ARCHIPEL", image], check=True, capture_output=True)
    for shore in (here, *others, here, others[0]):
        stick.mkdir()
        subprocess.run(["mcopy", "-s", "-n", "-i", image, "::", stick], check=True)
        assert exchange(shore.bulk, stick).problem == ""
        subprocess.run(["mcopy", "-s", "-o", "-i", image, stick / "archipel", "::"], check=True)
        shutil.rmtree(stick)
    assert here.ids == others[0].ids == others[1].ids


def test_three_islands_share_one_stick_and_end_alike(tmp_path, here, others):
    with plugged(tmp_path, 2048) as stick:
        for shore in (here, *others, here, others[0]):
            assert exchange(shore.bulk, stick).problem == ""
        assert here.ids == others[0].ids == others[1].ids
        again = exchange(others[1].bulk, stick)
        assert again.new == 0 and len(again.landed) == 2


def test_a_stick_of_several_sets_keeps_them_apart(tmp_path, here):
    stranger = Shore(Village("others")).hold(*busy(Village("others")))
    exchange(stranger.bulk, tmp_path)
    made = exchange(here.bulk, tmp_path)
    assert made.new == 0 and not made.unread
    assert len(list((tmp_path / "archipel").iterdir())) == 2


def test_a_bundle_that_a_person_put_there_is_taken_in_and_left_alone(tmp_path, here, others):
    (tmp_path / "archipel-2025-12-02.bundle").write_bytes(b"".join(load_bundle(here.bulk)))
    made = exchange(others[0].bulk, tmp_path)
    assert made.new and here.ids <= others[0].ids
    assert (tmp_path / "archipel-2025-12-02.bundle").exists()


def test_of_what_is_plugged_in_only_sticks_that_were_at_an_island_are_exchanged_with_unasked(tmp_path, monkeypatch):
    monkeypatch.setattr(usb, "PLUGGED", (f"{tmp_path}/",))
    for name in ("met before", "photos"):
        (tmp_path / name).mkdir()
    (tmp_path / "met before" / "archipel").mkdir()
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/sda1 {tmp_path}/met\\040before vfat rw 0 0\n/dev/sdb1 {tmp_path}/photos vfat rw 0 0\n"
                      f"/dev/root / ext4 rw 0 0\n\nnonsense\n")
    assert usb.sticks(mounts) == [tmp_path / "met before"]
    assert usb.sticks(tmp_path / "nowhere") == []


def test_a_full_stick_still_gives_and_keeps_its_old_files(tmp_path, here, others):
    with plugged(tmp_path, 160) as stick:
        exchange(others[0].bulk, stick)
        old = file_of(stick, others[0].bulk.label()).read_bytes()
        with contextlib.suppress(OSError), (stick / "holiday.jpg").open("wb", buffering=0) as file:
            while file.write(bytes(512)):
                pass
        made = exchange(here.bulk, stick)
        assert made.problem == "full" and made.new == 1
        assert file_of(stick, others[0].bulk.label()).read_bytes() == old
        assert not list(stick.rglob("*.part"))


def test_a_read_only_stick_still_gives(tmp_path, here, others):
    with plugged(tmp_path, 2048) as stick:
        exchange(here.bulk, stick)
    with plugged(tmp_path, 2048, "ro") as stick:
        made = exchange(others[0].bulk, stick)
    assert made.problem == "read-only" and here.ids <= others[0].ids


def test_a_stick_pulled_out_at_any_write_has_the_old_file_or_the_new_one(tmp_path, here, village):
    """The image is copied while the file is being written, as if the stick had gone at that moment."""
    moments = []
    with plugged(tmp_path, 2048) as stick:
        exchange(here.bulk, stick)
        own = file_of(stick, here.bulk.label())
        old, before = own.read_bytes(), here.ids
        here.hold(*(village.bulletin("writer", f"plus tard {number}", minute=400) for number in range(300)))
        load = here.bulk.load

        def pulled(ids):
            os.sync()
            shutil.copy(tmp_path / "stick.img", tmp_path / f"{len(moments)}.img")
            moments.append(1)
            return load(ids)

        here.bulk.load = pulled
        exchange(here.bulk, stick)
    shutil.copy(tmp_path / "stick.img", tmp_path / f"{len(moments)}.img")
    assert len(moments) >= 3
    found = []
    for number in range(len(moments) + 1):
        spot = tmp_path / str(number)
        spot.mkdir()
        shutil.move(tmp_path / f"{number}.img", spot / "stick.img")
        with plugged(spot, 2048) as stick:
            content = file_of(stick, here.bulk.label()).read_bytes()
            found.append(len(list(Bundle([content]))))
            exchange(here.bulk, stick)
            assert not list(stick.rglob("*.part")), "what was half written is swept away"
    assert set(found[:-1]) == {len(list(Bundle([old])))} == {len(before)} and found[-1] == len(here.ids)


def test_a_stick_that_is_gone_is_told(tmp_path, here):
    made = exchange(here.bulk, tmp_path / "not" / "there" / "\0".replace("\0", "x" * 300))
    assert made.problem == "gone" and not made.landed


def test_a_stick_swapped_for_another_while_reading_takes_in_what_came_before(tmp_path, here, others, monkeypatch):
    exchange(here.bulk, tmp_path)
    reads, read = [], os.read

    def fails(descriptor, size):
        reads.append(1)
        if len(reads) > 1:
            raise OSError(errno.EIO, "Input/output error")
        return read(descriptor, 20_000)

    monkeypatch.setattr(os, "read", fails)
    made = exchange(others[0].bulk, tmp_path)
    monkeypatch.undo()
    assert list(made.unread.values()) == ["gone"] and made.problem == ""
    assert exchange(others[0].bulk, tmp_path).unread == {} and here.ids <= others[0].ids


def test_pipes_links_and_folders_with_the_right_name_are_passed_over(tmp_path, here):
    place = file_of(tmp_path, here.bulk.label()).parent
    place.mkdir(parents=True)
    os.mkfifo(place / "a.bundle")
    (place / "b.bundle").symlink_to("/etc/passwd")
    (place / "c.bundle").mkdir()
    (place / "d.bundle").write_bytes(b"PK\3\4")
    (place / "e.bundle").symlink_to("/dev/zero")
    made = exchange(here.bulk, tmp_path)
    assert made.unread == {"a.bundle": "not-a-file", "b.bundle": "not-a-file", "c.bundle": "not-a-file",
                           "d.bundle": "bundle-mark", "e.bundle": "not-a-file"}
    assert made.problem == ""


def test_a_name_that_no_text_can_hold_is_told_all_the_same(tmp_path, here):
    tmp_path.joinpath(os.fsdecode(b"caf\xe9.bundle")).write_bytes(b"no bundle")
    made = exchange(here.bulk, tmp_path)
    assert list(made.unread) == ["caf\N{REPLACEMENT CHARACTER}.bundle"] and not made.landed
    assert all(name.encode() for name in made.unread)


def test_a_stick_with_thousands_of_files_costs_a_bounded_time(tmp_path, here):
    place = file_of(tmp_path, here.bulk.label()).parent
    place.mkdir(parents=True)
    for number in range(5_000):
        (place / f"{number}.bundle").touch()
    assert len(exchange(here.bulk, tmp_path).unread) == MAX_FILES


def test_this_islands_own_full_card_is_not_taken_for_the_sticks(tmp_path, here, others):
    exchange(here.bulk, tmp_path)

    def full(raws, via):
        raise StoreFailed("full")

    others[0].bulk.unload = full
    with pytest.raises(StoreFailed):
        exchange(others[0].bulk, tmp_path)


def test_forgeries_left_by_another_do_not_hide_what_is_good(tmp_path, here, others, village):
    exchange(here.bulk, tmp_path)
    own = file_of(tmp_path, here.bulk.label())
    forged = [spoilt(raw) for raw in busy(village)]
    (own.parent / "0.bundle").write_bytes(b"".join(write(here.bulk.label(), forged)))
    made = exchange(others[0].bulk, tmp_path)
    assert made.landed["0.bundle"].refused["signature"] and here.ids <= others[0].ids


def test_a_keeper_leaves_an_invitation_and_a_backup_only_when_asked(tmp_path):
    stick, config = tmp_path / "stick", tmp_path / "archipel.toml"
    stick.mkdir()
    config.write_text(f'[node]\nname = "Île"\ndata = "{tmp_path / "island"}"\n')
    keys = KeyFolder(tmp_path / "island")
    keys.found("Belleville", "Île")

    def archipel(*words, typed=""):
        told = CliRunner().invoke(main, [*words, "--config", str(config)], input=typed)
        assert told.exit_code == 0, told.output
        return sorted(path.name.partition("-")[0].partition(".")[0] for path in stick.rglob("*") if path.is_file())

    island = keys.island_key().key_id.hex()
    assert archipel("stick", str(stick)) == [island]
    left = archipel("stick", str(stick), "--invite", "--backup", typed="correct horse battery\n" * 2)
    assert left == sorted([island, "backup", "invitation"])
    text = next(stick.rglob("invitation*")).read_text()
    assert KeyFolder(tmp_path / "new").join(text, "Nouvelle").set_id == keys.charter().set_id


def test_a_vouch_travels_by_stick_before_what_rests_on_it(tmp_path, village):
    here = Shore(village).hold(*busy(village))
    newcomer = Shore(village, "writer")
    exchange(here.bulk, tmp_path)
    exchange(newcomer.bulk, tmp_path)
    assert newcomer.ids == here.ids
    assert any(newcomer.liveset.get(id_).kind is Kind.VOUCH for id_ in newcomer.ids)
