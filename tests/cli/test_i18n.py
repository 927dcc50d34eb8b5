"""The command line speaks the keeper's language: every sentence of it has a translation, and none is left over."""

import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from node.cli import i18n
from node.cli.doctor import examine
from node.cli.i18n import FOLDER, choose, translated
from node.cli.main import main
from node.daemon.settings import LANGUAGES, load
from tests.cli.shell_sentences import sentences
from tests.ports import free_ports

TAGS = sorted(path.stem for path in FOLDER.glob("*.toml"))


@pytest.fixture(autouse=True)
def silence(monkeypatch):
    """English again afterwards."""
    monkeypatch.setattr(i18n, "_tag", "en")


def catalogue(tag):
    return tomllib.loads((FOLDER / f"{tag}.toml").read_text())


def archipel(*arguments, language="fr_FR.UTF-8", typed=None):
    return CliRunner(env={"LANG": language, "LC_ALL": "", "LC_MESSAGES": ""}).invoke(main, arguments, input=typed)


@pytest.fixture
def config(tmp_path):
    file = tmp_path / "archipel.toml"
    file.write_text(f'[node]\nname = "Île du canal"\ndata = "{tmp_path / "island"}"\n[radio]\nconnect = "none"\n'
                    f'[portal]\nlisten = "127.0.0.1:{free_ports(1)}"\n')
    return str(file)


@pytest.mark.parametrize("tag", TAGS)
def test_no_sentence_is_left_untranslated_and_none_too_many(tag):
    assert sentences() - set(catalogue(tag)) == set() == set(catalogue(tag)) - sentences()


@pytest.mark.parametrize("tag", TAGS)
def test_translations_have_as_many_places_to_fill(tag):
    for sentence, translation in catalogue(tag).items():
        assert sentence.count("{}") == translation.count("{}") and translation.format(*range(9)), sentence


@pytest.mark.parametrize(("lang", "setting", "spoken"), [
    ("fr_FR.UTF-8", "en", "Tout va bien."), ("en_GB.UTF-8", "fr", "All is well."), ("C.UTF-8", "fr", "Tout va bien."),
    ("", "fr", "Tout va bien."), ("", "ar", "All is well."), ("xx", "en", "All is well."),
])
def test_the_language_is_that_of_the_terminal_else_of_the_settings(lang, setting, spoken):
    assert {"fr", "en"} <= set(LANGUAGES)
    choose(setting, {"LANG": lang})
    assert translated("All is well.") == spoken


def test_what_is_filled_in_is_kept_or_translated_too():
    choose("fr", {})
    told = translated("the data folder /tmp/a b can be written, 3 GB free")
    assert told == "on peut écrire dans le dossier /tmp/a b, 3 Go libres"
    assert translated("the set does not take it: revoked.") == "le réseau ne l’accepte pas : revoked."
    assert translated("3 things to mend.") == "3 choses à réparer."
    assert translated("nobody knows this: {}") == "nobody knows this: {}"


def test_an_island_is_founded_twice_only_in_words(config):
    first, again = archipel("init", "--config", config), archipel("init", "--config", config)
    assert "une île du réseau" in first.output and "Ensuite" in first.output
    assert again.exit_code == 1 and "appartient déjà à un réseau" in again.output
    assert "belongs to a set" in archipel("init", "--config", config, language="en_GB.UTF-8").output


def test_errors_are_told_in_french_too(config, tmp_path):
    wrong = tmp_path / "x"
    wrong.write_text("ABC")
    for arguments, said in ((("status",), "Démarrez-la"), (("join", str(wrong)), "invitation entière"),
                            (("restore", str(wrong)), "pas une sauvegarde"), (("import", str(wrong)), "manque"),
                            (("backup", str(wrong)), "pas d’île")):
        told = archipel(*arguments[:1], "--config", config, *arguments[1:], typed="secret\n")
        assert told.exit_code == 1 and said in told.output, (arguments, told.output)


def test_wrong_settings_are_told_in_french_too(config):
    Path(config).write_text('[node]\nname = ""\ncolour = 1\n')
    told = archipel("status", "--config", config).output
    assert "ligne 2 : node.name" in told and "un nom de 1 à 40 caractères" in told and "n’est pas un réglage" in told


def test_the_doctor_speaks_french(config):
    told = archipel("doctor", "--config", config).output
    assert "Tout va bien." in told and "on peut écrire" in told and "aucune radio" in told


def test_every_finding_of_an_examination_is_known(config):
    choose("fr", {})
    for finding in examine(load(Path(config))):
        for said in filter(None, (finding.what, finding.remedy)):
            assert translated(said) != said
