"""The manual pages and completions of docs/share/ are those of today's commands, and the package brings them."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from node.cli.main import main
from tests.manual.pages import COMPLETIONS, SHARE, files

ROOT = SHARE.parents[1]


def test_what_is_in_the_folder_is_what_the_commands_say_today():
    made = files()
    assert len(made) >= 7
    assert {path for path in SHARE.rglob("*") if path.is_file()} == set(made)
    stale = [str(path.relative_to(ROOT)) for path, content in made.items() if path.read_text(encoding="utf-8") != content]
    assert not stale, "run: python -m tests.manual.pages"


@pytest.mark.process
def test_the_pages_are_what_groff_takes_and_name_every_command():
    pages = list(SHARE.glob("man/**/archipel.1"))
    assert len(pages) == 4
    for path in pages:
        shown = subprocess.run(["groff", "-man", "-Kutf8", "-Tutf8", "-ww", "-P-cbou", path], check=True,
                               capture_output=True)
        assert not [line for line in shown.stderr.decode().splitlines() if "cannot adjust" not in line], path
        for name in main.commands:
            assert f"archipel {name}" in shown.stdout.decode(), (path, name)


@pytest.mark.process
def test_bash_completes_commands_and_options():
    script = SHARE / COMPLETIONS[next(iter(COMPLETIONS))]
    line = f'PATH="{Path(sys.executable).parent}:$PATH"; compopt() {{ :; }}; source {script}; '
    for words, expected in (("archipel sea", ["search"]), ("archipel search --js", ["--json"]),
                            ("archipel export --topic hou", ["housing"])):
        typed = words.split()
        ask = f'COMP_WORDS=({words}); COMP_CWORD={len(typed) - 1}; _archipel_completion archipel; echo "${{COMPREPLY[@]}}"'
        done = subprocess.run(["bash", "-c", line + ask], cwd=ROOT, capture_output=True, text=True)
        assert done.stdout.split() == expected, done.stderr


def test_a_wheel_would_bring_them():
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["shared-data"] == {"docs/share": "share"}
