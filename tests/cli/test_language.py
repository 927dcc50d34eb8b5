"""The command line speaks the keeper's language: what it says, its help, and what click says of mistakes."""

import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from node.cli.language import _, choose, pattern, worded
from node.cli.main import main
from node.daemon.checkup import examine
from node.daemon.settings import LANGUAGES
from node.daemon.settings_reader import load
from tests.ports import free_ports

pytestmark = pytest.mark.once

LANGS = {"fr": "fr_FR.UTF-8", "en": "en_GB.UTF-8", "es": "es_ES.UTF-8", "ar": "ar_EG.UTF-8"}
COMMANDS = sorted(main.commands)


@pytest.fixture(autouse=True)
def silence():
    """English again afterwards."""
    yield
    choose(lambda: "en", {})


def archipel(*arguments, language="fr_FR.UTF-8", typed=None, **environment):
    clean = {"LANG": language, "LC_ALL": "", "LC_MESSAGES": "", **environment}
    return CliRunner(env=clean).invoke(main, arguments, input=typed, terminal_width=80)


@pytest.fixture
def config(tmp_path):
    file = tmp_path / "archipel.toml"
    file.write_text(f'[node]\nname = "Île du canal"\ndata = "{tmp_path / "island"}"\n[radio]\nconnect = "none"\n'
                    f'[portal]\nlisten = "127.0.0.1:{free_ports(1)}"\n')
    return str(file)


@pytest.mark.parametrize(("lang", "setting", "spoken"), [
    ("fr_FR.UTF-8", "en", "Tout va bien."), ("en_GB.UTF-8", "fr", "All is well."), ("C.UTF-8", "fr", "Tout va bien."),
    ("", "fr", "Tout va bien."), ("", "ar", "كل شيء على ما يرام."), ("xx", "en", "All is well."),
    ("es", "fr", "Todo va bien."),
])
def test_the_language_is_that_of_the_terminal_else_of_the_settings(lang, setting, spoken):
    assert {"fr", "en", "es", "ar"} <= set(LANGUAGES)
    choose(lambda: setting, {"LANG": lang})
    assert _("All is well.") == spoken


@pytest.mark.parametrize(("arguments", "environment"), [
    (("status", "--config", "CONFIG", "--help"), ()), (("status", "--config=CONFIG", "-h"), ()),
    (("--help",), ("ARCHIPEL_CONFIG",)),
])
def test_help_is_in_the_language_of_the_settings_if_the_terminal_has_none(config, arguments, environment):
    Path(config).write_text(Path(config).read_text().replace("[node]", '[node]\nlanguage = "es"'))
    placed = [argument.replace("CONFIG", config) for argument in arguments]
    told = archipel(*placed, language="C.UTF-8", **{name: config for name in environment})
    assert told.exit_code == 0 and "Uso: " in told.output and "Muestra este mensaje" in told.output


@pytest.mark.parametrize("language", ["C.UTF-8", "", "fr_FR.UTF-8"])
def test_who_types_nothing_more_reads_the_help(language):
    told = archipel(language=language)
    assert isinstance(told.exception, SystemExit) and "agenda" in told.output


@pytest.mark.parametrize("tag", LANGS)
def test_each_command_has_a_line_of_its_own_in_the_help_and_none_is_cut(tag):
    told = archipel("--help", language=LANGS[tag]).output
    lines = [line for line in told.splitlines() if re.match(r"  [a-z]+ ", line)]
    assert sorted(line.split()[0] for line in lines) == COMMANDS
    assert not [line for line in lines if "..." in line or len(line.split(maxsplit=1)) < 2]
    assert max(map(len, told.splitlines())) <= 80


@pytest.mark.parametrize("tag", sorted(set(LANGS) - {"en"}))
def test_no_line_of_help_is_left_in_english(tag):
    tried = 0
    for name in COMMANDS:
        told, english = (archipel(name, "--help", language=LANGS[one]).output for one in (tag, "en"))
        assert "Usage:" in english and "Show this message and exit." in english, english
        kept = set(map(str.strip, told.splitlines())) & set(map(str.strip, english.splitlines()))
        assert not [line for line in kept if re.search(r"[a-z]{2,} [a-z]{2,}", line.replace("archipel ", ""))], (name, kept)
        tried += 1
    assert tried == len(COMMANDS) > 20


def test_help_names_the_same_options_and_arguments_in_every_language():
    generic = {"OPTIONS", "OPCIONES", "ARGS", "ARGUMENTS", "ARGUMENTOS", "MQTT"}
    names = re.compile(r"(?<!\w)--?[a-z-]+|\b[A-Z_]{4,}\b")
    for name in COMMANDS:
        words = [set(names.findall(archipel(name, "--help", language=lang).output)) - generic for lang in LANGS.values()]
        assert words[0] and all(one == words[0] for one in words), name


@pytest.mark.parametrize(("arguments", "said"), [
    (("post", "--jours", "3"), "Il n’y a pas d’option"), (("voter",), "Il n’y a pas de commande"),
    (("join",), "Il manque l’argument 'FILE'"), (("post", "--days", "99", "x"), "n’est pas un nombre de 1 à 90"),
    (("import", "/nulle/part"), "n’existe pas"), (("found", "x"), "donnez --key deux ou trois fois"),
    (("list", "x"), "C’est un argument de trop"), (("export", "x", "--topic", "x"), "'x' n’est pas l’un de"),
])
def test_mistakes_in_typing_are_told_in_french(arguments, said):
    told = archipel(*arguments)
    assert told.exit_code == 2 and said in told.output and "Erreur : " in told.output and "Usage : " in told.output
    assert "pour de l’aide" in told.output


def test_an_option_without_its_value_is_told_in_french():
    assert "L’option '--limit' demande une valeur." in archipel("list", "--limit").output


def test_an_island_is_founded_twice_only_in_words(config):
    first, again = archipel("init", "--config", config), archipel("init", "--config", config)
    assert "une île du réseau" in first.output and "Ensuite" in first.output
    assert again.exit_code == 1 and "Erreur : " in again.output and "appartient déjà à un réseau" in again.output
    assert "belongs to a set" in archipel("init", "--config", config, language="en_GB.UTF-8").output


def test_errors_are_told_in_french_too(config, tmp_path):
    wrong = tmp_path / "x"
    wrong.write_text("ABC")
    for arguments, said in ((("status",), "aucun réseau"), (("join", str(wrong)), "invitation entière"),
                            (("restore", str(wrong)), "pas une sauvegarde"), (("import", str(wrong)), "manque"),
                            (("backup", str(wrong)), "pas d’île"), (("vouch", "ab", "--name", "x"), "aucun réseau"),
                            (("agenda", "ftp://x"), "aucun réseau"), (("revoke", "00"), "aucun réseau")):
        told = archipel(*arguments[:1], "--config", config, *arguments[1:], typed="secret\n")
        assert told.exit_code == 1 and said in told.output, (arguments, told.output)


@pytest.mark.parametrize("name", ["down", "kept", "%(x)s", "{x}", "100 %"])
@pytest.mark.parametrize("tag", LANGS)
def test_a_set_keeps_its_name_whatever_it_is_called(config, tag, name):
    told = archipel("init", "--set", name, "--config", config, language=LANGS[tag])
    assert told.exit_code == 0 and re.search(f"[“«]\\s?{re.escape(name)}\\s?[”»]", told.output), told.output


def test_wrong_settings_are_told_in_french_too(config):
    Path(config).write_text('[node]\nname = ""\ncolour = 1\n')
    told = archipel("status", "--config", config).output
    assert "ligne 2 : [node] name" in told and "un nom de 1 à 40 caractères" in told and "n’est pas un réglage" in told


def test_the_doctor_speaks_french(config):
    told = archipel("doctor", "--config", config).output
    assert "Tout va bien." in told and "on peut écrire" in told and "aucune radio" in told


def test_every_finding_of_an_examination_is_known(config):
    choose(lambda: "fr", {})
    findings = list(examine(load(Path(config)).settings))
    assert len(findings) > 4
    for finding in findings:
        for said in filter(None, (finding.what, finding.remedy)):
            assert worded(said) != str(said)


def test_click_has_learnt_its_sentences(monkeypatch):
    monkeypatch.setenv("LANG", "fr_FR.UTF-8")
    with pytest.raises(click.UsageError) as wrong:
        main.main(["post", "--days", "x"], standalone_mode=False)
    assert "x n’est pas un nombre" in wrong.value.format_message()
    assert pattern("Usage:") == "Usage :"
