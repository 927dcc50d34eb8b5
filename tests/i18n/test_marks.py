"""Every place that speaks to people is marked, so that the catalogues know it."""

import ast
import re

import pytest

from tests.i18n.messages import ROOT, marked_in, sentences
from tests.i18n.speakers import filled_first, filled_first_in, sources, text_of, unmarked_in

FOR_PROGRAMS = {  # read by browsers, devices and files, or typed as they are
    "  archipel vouch ", " --group --name ", "archipel key 1 sealed", r"at line (\d+)", 'attachment; filename="',
    'attachment; filename="archipel-', "public form", "Microsoft Connect Test", "Microsoft NCSI",
    "NetworkManager is online",
    '<meta http-equiv="refresh" content="0;url=https://support.mozilla.org/kb/captive-portal"/>',
    '<span role="img" aria-label="{}">{}</span>', '<a href="{}" rel="nofollow noreferrer">{}</a>',
    '<span lang="en" dir="ltr">{}</span>',
    "Soupe populaire ce soir à 19 h, place du marché. Apportez vos bols ! 🍲 C'est l'été déjà…",
}
FILES_FOR_PROGRAMS = {"metrics.py"}  # what Prometheus shows beside its figures is English everywhere
NAMES = {"OpenStreetMap", "Atom", "JSON", "Feed", "ActivityStreams", "CAP", "CSV",  # of formats
         "Firefox", "Chrome", "Safari", "SNR", "RSSI", "dBm",
         "class", "lang", "true", "aria", "invalid", "describedby"}  # attributes beside a call


def test_no_source_speaks_without_a_mark():
    found = {path: [text for text in unmarked_in(path) if text not in FOR_PROGRAMS] for path in sources()
             if path.name not in FILES_FOR_PROGRAMS}
    assert len(found) > 40
    assert {path.name: texts for path, texts in found.items() if texts} == {}


def test_no_template_speaks_without_a_mark():
    templates = sorted((ROOT / "web/templates").rglob("*.html"))
    assert len(templates) > 20
    for template in templates:
        assert set(re.findall(r"[^\W\d_]{3,}", text_of(template))) <= NAMES, template


@pytest.mark.parametrize("source", [
    'click.echo("Stopped.")', 'raise click.ClickException(f"{x} is wrong")', 'lines = ["the store keeps posts"]',
    'say(f"Vouched for {name}.")',
])
def test_what_is_not_marked_is_found(tmp_path, source):
    (tmp_path / "speaks.py").write_text(source)
    assert list(unmarked_in(tmp_path / "speaks.py")) or not list(marked_in(ast.parse(source)))


def test_marks_are_read_wherever_they_stand():
    source = ('_("a", name=f"{b}"); x = {1: N_("c" "d"), 2: Plural("e", "f")}\n'
              'raise Trouble(sentence("g", h=ngettext("i", "j", 2)))')
    assert set(marked_in(ast.parse(source))) == {"a", "cd", ("e", "f"), "g", ("i", "j")}
    assert len(sentences()) > 800


def test_nothing_is_filled_in_before_it_is_translated():
    assert {path.name: texts for path in sources() if (texts := list(filled_first(path)))} == {}
    templates = sorted((ROOT / "web/templates").rglob("*.html"))
    assert {path.name: texts for path in templates if (texts := list(filled_first_in(path.read_text())))} == {}


@pytest.mark.parametrize("source", ['_(f"{n} records")', '_("%s records" % n)', 'say("{} records".format(n))',
                                    'sentence("records" + "!")', 'ngettext("a", f"{n}", n)', '_("a" if n else "b")'])
def test_what_is_filled_in_first_is_found(tmp_path, source):
    (tmp_path / "speaks.py").write_text(source)
    assert list(filled_first(tmp_path / "speaks.py")) == [str(ast.unparse(ast.parse(source)))]


def test_what_a_template_fills_in_first_is_found():
    wrong = '{{ _("%s records" % n) }} {{ _("a" ~ n) }} {{ _("a" | upper) }}'
    assert len(list(filled_first_in(wrong + '{{ _("fine", n=n) }} {{ _(names[n]) }}'))) == 3
