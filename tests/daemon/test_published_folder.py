"""A folder into which a board is published: only its own files change, no link is followed, a cut leaves whole files."""

import json
import os

import pytest

from node.daemon.published_folder import MANIFEST, PART, published_folder
from node.i18n.sentence import Explained
from tests.sim.durability import Syncs

ISLAND = "a1"
FILES = {"index.html": b"top", "fr/index.html": b"un", "fr/r-1.html": b"une annonce"}


def publish(path, files, island=ISLAND):
    with published_folder(path, island) as copy:
        copy.put(files)
        copy.finish()
    return copy


def listed(path):
    return {str(one.relative_to(path)): one.read_bytes() for one in path.rglob("*")
            if one.is_file() and one.name != MANIFEST}


def test_only_what_changed_is_written_and_what_left_is_removed(tmp_path):
    path = tmp_path / "copy"
    assert publish(path, FILES).written == 3 and listed(path) == FILES
    before = {name: (path / name).stat().st_ino for name in FILES}
    again = publish(path, FILES | {"fr/r-1.html": b"corrigee"})
    assert (again.written, again.unchanged, again.removed) == (1, 2, 0)
    assert {name for name in FILES if (path / name).stat().st_ino == before[name]} == {"index.html", "fr/index.html"}
    assert publish(path, {"index.html": b"top"}).removed == 2
    assert listed(path) == {"index.html": b"top"} and not (path / "fr").exists()
    (path / "index.html").write_bytes(b"damaged")
    assert publish(path, {"index.html": b"top"}).written == 1 and listed(path) == {"index.html": b"top"}


def test_other_peoples_files_stay_whatever_they_are_called(tmp_path):
    path = tmp_path / "copy"
    publish(path, {"index.html": b"top"})
    (path / "fr").mkdir()
    theirs = {"notes.txt": b"mine", "fr/r-1.html": b"mine too"}
    for name, content in theirs.items():
        (path / name).write_bytes(content)
    copy = publish(path, FILES)
    assert copy.taken == ["fr/r-1.html"] and listed(path) == FILES | theirs
    publish(path, {"index.html": b"top"})
    assert listed(path) == {"index.html": b"top"} | theirs


@pytest.mark.parametrize("fill", [
    lambda path: (path / "notes.txt").write_text("mine"), lambda path: (path / "fr").mkdir(),
    lambda path: (path / MANIFEST).write_text("{}"), lambda path: (path / MANIFEST).write_bytes(b"\xff" * 9),
    lambda path: (path / MANIFEST).write_text("[" * 100_000), lambda path: (path / MANIFEST).symlink_to("/etc/passwd"),
    lambda path: (path / MANIFEST).write_text(json.dumps({"island": "b2", "files": ["x"]}))])
def test_a_folder_that_is_not_empty_and_not_ours_is_refused_untouched(tmp_path, fill):
    fill(tmp_path)
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(Explained, match="nothing in it was touched"):
        publish(tmp_path, FILES)
    assert sorted(os.listdir(tmp_path)) == before


def test_no_link_is_followed(tmp_path):
    path, elsewhere = tmp_path / "copy", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "r-1.html").write_bytes(b"theirs")
    publish(path, {"index.html": b"top"})
    (path / "fr").symlink_to(elsewhere)
    assert publish(path, FILES).taken == ["fr/index.html", "fr/r-1.html"]
    (path / "index.html").unlink()
    (path / "index.html").symlink_to(elsewhere / "r-1.html")
    publish(path, {"index.html": b"top"})
    assert not (path / "index.html").is_symlink() and listed(elsewhere) == {"r-1.html": b"theirs"}
    with pytest.raises(Explained, match="is a link"):
        (tmp_path / "link").symlink_to(path)
        publish(tmp_path / "link", FILES)


def test_a_list_that_somebody_wrote_leads_to_nothing_outside(tmp_path):
    path = tmp_path / "copy"
    publish(path, {"index.html": b"top"})
    (tmp_path / "outside.html").write_bytes(b"theirs")
    names = ["../outside.html", "/etc/hostname", "fr/../../outside.html", ".git", 7, None, "index.html"]
    (path / MANIFEST).write_text(json.dumps({"island": ISLAND, "files": names}))
    assert publish(path, {}).removed == 1 and (tmp_path / "outside.html").exists()


@pytest.mark.parametrize("at", range(1, 6))
def test_a_cut_in_the_middle_leaves_each_file_whole_and_the_next_run_mends_the_rest(tmp_path, monkeypatch, at):
    path, later = tmp_path / "copy", {name: content + b" anew" for name, content in FILES.items()}
    later["fr/r-2.html"] = b"deux"
    publish(path, FILES)
    done, rename = [], os.rename

    def cut(*names, **folders):
        done.append(names)
        if len(done) == at:
            raise KeyboardInterrupt
        rename(*names, **folders)

    with monkeypatch.context() as power, pytest.raises(KeyboardInterrupt):
        power.setattr(os, "rename", cut)
        publish(path, later)
    (path / PART).write_bytes(b"half of")  # as a power cut leaves it
    assert all(content in (FILES.get(name), later[name]) for name, content in listed(path).items() if name != PART)
    publish(path, later)
    assert listed(path) == later


def test_two_runs_at_once_are_one_and_a_sentence(tmp_path):
    with published_folder(tmp_path / "copy", ISLAND), pytest.raises(Explained, match="already"):
        publish(tmp_path / "copy", FILES)


def test_each_file_is_on_the_card_before_it_takes_its_place_and_all_names_are_in_the_end(tmp_path, monkeypatch):
    syncs = Syncs(monkeypatch)
    publish(tmp_path / "copy", FILES)
    assert syncs.moves > len(FILES) and syncs.lacking() == []
