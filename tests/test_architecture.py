"""Who may import whom: the table of docs/architecture.md."""

import ast
import pathlib

ROOT = pathlib.Path(__file__).parent.parent
SHELL = {"__main__", "shell", "daemon", "cli"}  # of node/: the rest is the core
WEB_MAY = {"board", "model", "i18n"}  # the board, the values it returns, sentences
CORE_NEVER = {"socket", "threading", "subprocess", "sqlite3", "random", "time", "pathlib", "os", "flask", "tinydb"}


def imports(path):
    """Absolute module names imported anywhere in a file."""
    for item in ast.walk(ast.parse(path.read_text())):
        if isinstance(item, ast.Import):
            yield from (alias.name for alias in item.names)
        elif isinstance(item, ast.ImportFrom):
            assert item.level == 0, f"{path}: relative import"
            yield item.module
            yield from (f"{item.module}.{alias.name}" for alias in item.names)


def files(room):
    return [path for path in (ROOT / room).rglob("*.py") if "__pycache__" not in path.parts]


def core():
    return [path for path in files("node") if path.relative_to(ROOT / "node").parts[0].removesuffix(".py") not in SHELL]


def roots(path):
    return {name.split(".")[0] for name in imports(path)}


def test_radio_imports_nothing_of_ours():
    assert files("radio")
    for path in files("radio"):
        assert not roots(path) & {"node", "web"}, path


def test_web_sees_the_board_and_the_values_it_returns_only():
    for path in files("web"):
        seen = {name.split(".")[1] for name in imports(path) if name.startswith("node.")}
        assert "radio" not in roots(path), path
        assert seen <= WEB_MAY, path


def test_the_core_imports_neither_the_shell_nor_other_rooms():
    for path in core():
        assert not roots(path) & {"radio", "web"}, path
        seen = {name.split(".")[1] for name in imports(path) if name.startswith("node.")}
        assert not seen & SHELL, path


def test_sentences_and_catalogues_import_nothing_of_ours():
    assert files("node/i18n")
    for path in files("node/i18n"):
        assert {name for name in imports(path) if name.split(".")[0] in ("node", "radio", "web")} <= {
            name for name in imports(path) if name.startswith("node.i18n")}, path


def test_no_command_imports_the_main_that_collects_it():
    for path in files("node/cli"):
        assert "node.cli.main" not in set(imports(path)), path


def test_the_core_does_no_io_and_reads_no_clock():
    for path in core():
        if path.name in ("clock.py", "catalogue.py") or path.parent.name == "store":
            continue  # the one file that reads the machine's clock; translations; the card
        names = set(imports(path))
        assert not roots(path) & (CORE_NEVER - {"random"}), path
        assert not {name for name in names if name.startswith("random.")} - {"random.Random"}, path


def test_there_is_no_room_beside_the_known_ones():
    known = {"node", "radio", "web", "image-build", "tests", "docs", "build", "dist", "node_modules", "demo-data"}
    assert {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")} <= known
