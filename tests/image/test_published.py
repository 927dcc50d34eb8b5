"""The folder of a release: its signed list, what it is made of, the changelog's part; two bases compared; the lock."""

import json
import re
import tomllib

import pytest

from archipel_image import bundle, layers, published, same_base
from archipel_image.sources import PROJECT

PACKAGES = "base-files 13.8 " + "a" * 64 + "\nlibfoo++ 1:2.0-1+b1 " + "b" * 64 + "\n"


@pytest.fixture
def folder(tmp_path):
    """A folder that was signed, and the public key."""
    key, made = bundle.signing_key(tmp_path / "key"), tmp_path / "release"
    made.mkdir()
    (made / "archipel-1.0-arm64.img.xz").write_bytes(b"image")
    (made / "CHANGES.md").write_text("new\n")
    published.sign_folder(made, "1.0", key)
    return made, bundle.public_bytes(key)


def test_a_folder_as_it_was_released_is_found_so(folder, capsys):
    made, public = folder
    assert published.main(str(made), public.hex()) == 0 and "all as released" in capsys.readouterr().out


@pytest.mark.parametrize("harm", ["changed", "gone", "more"])
def test_what_differs_from_the_signed_list_is_named(folder, harm, capsys):
    made, public = folder
    name = {"more": "more.txt"}.get(harm, "CHANGES.md")
    (made / name).unlink() if harm == "gone" else (made / name).write_text("other\n")
    assert published.differences(made, public) == [name]
    assert published.main(str(made), public.hex()) == 1 and name in capsys.readouterr().err


def test_a_list_that_another_signed_counts_for_nothing(folder, tmp_path, capsys):
    made, public = folder
    published.sign_folder(made, "1.0", bundle.signing_key(tmp_path / "stranger"))
    assert published.main(str(made), public.hex()) == 1 and "not made by" in capsys.readouterr().err
    assert published.main(str(made), "no key") == 1 and published.main(str(tmp_path / "gone"), public.hex()) == 1


def test_the_changelog_s_part_is_that_of_the_version():
    text = "# Changelog\n\n## 0.10.0 (May)\n\n- ten\n\n## 0.1.0\n\n- one\n- two\n"
    assert published.changes(text, "0.1.0") == "## 0.1.0\n\n- one\n- two\n"
    assert published.changes(text, "0.10.0") == "## 0.10.0 (May)\n\n- ten\n" and published.changes(text, "9.0") == ""


def test_the_list_of_packages_is_spdx_and_the_same_each_time(tmp_path):
    for name in ("one", "two"):
        published.write_spdx(tmp_path / name, PACKAGES, {"libfoo++": ["GPL-2+", "MIT"]}, "1.0", 1_790_000_000)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    told = json.loads((tmp_path / "one").read_text())
    assert told["spdxVersion"] == "SPDX-2.3" and told["creationInfo"]["created"] == "2026-09-21T14:13:20Z"
    names = [package["SPDXID"] for package in told["packages"]]
    assert len(names) == 3 == len({*names}) and all(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", name) for name in names)
    assert told["packages"][2]["licenseComments"] == "GPL-2+; MIT"
    assert {one["relatedSpdxElement"] for one in told["relationships"]} == {*names}


def test_licences_are_read_from_copyright_files_that_name_them(tmp_path):
    entries = [layers.file_entry("usr/share/doc/a/copyright", b"Files: *\nLicense: MIT\n text\nLicense: BSD\n"),
               layers.file_entry("usr/share/doc/b/copyright", b"This is free.\n")]
    with (tmp_path / "base.tar").open("wb") as stream:
        layers.write_tar(stream, iter(entries))
    assert published.licences_of(tmp_path / "base.tar") == {"a": ["BSD", "MIT"]}


def test_what_differs_between_two_bases_is_named(tmp_path):
    for name, content, mode in (("one", b"x", 0o644), ("two", b"x", 0o644), ("three", b"y", 0o644), ("four", b"x", 0o755)):
        with (tmp_path / name).open("wb") as stream:
            layers.write_tar(stream, iter([layers.file_entry("etc/a", content, mode), layers.file_entry("etc/b", b"")]))
    differing = same_base.differing
    assert differing(tmp_path / "one", tmp_path / "two") == []
    assert differing(tmp_path / "one", tmp_path / "three") == differing(tmp_path / "one", tmp_path / "four") == ["etc/a"]


def test_every_python_dependency_is_locked_with_its_hashes_and_nothing_else_is_said():
    lock = (PROJECT / "requirements.lock").read_text()
    parts = re.split(r"(?m)^(?=\S)", lock)[1:]
    locked = {re.match(r"([a-z0-9-]+)==[\w.+!]+ \\\n", part)[1] for part in parts}
    assert all(re.fullmatch(r"(    --hash=sha256:[0-9a-f]{64}( \\)?\n)+", part.partition("\n")[2]) for part in parts)
    wanted = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert {re.match(r"[\w-]+", one)[0].lower().replace("_", "-") for one in wanted} <= locked
