"""What is wrong with the settings, told on the first page in the reader's language.

The settings' own sentences (`node.daemon.settings`, the SD image) are English lines in a file; here they are recognised.
A line that is not is shown as it is.
"""

import re

from markupsafe import Markup, escape

from web.item_display import bdi
from web.languages import gettext as _
from web.sentences import N_

SENTENCES = (
    N_("%(file)s, line %(line)s: %(key)s: %(value)s will not do. Write %(remedy)s."),
    N_("%(file)s, line %(line)s: %(key)s is not a setting. Known here: %(known)s."),
    N_("%(file)s, line %(line)s: [%(section)s] is not a section. Known: %(known)s."),
    N_("%(file)s: %(error)s. Texts stand between \"quotes\", one key a line: key = value."),
    N_("%(file)s: cannot be read (%(error)s). Check the path and its permissions."),
    N_("%(file)s: is not UTF-8 text. Save it again as UTF-8."),
    N_("archipel.toml: the Wi-Fi is off, because no country is set. Write country = \"FR\" (your own country's two "
       "letters) under [box] in the file archipel.toml on the memory card, and start the box again."),
)
REMEDY = "remedy"


def _pattern(sentence: str) -> re.Pattern:
    return re.compile(re.sub(r"%\\\((\w+)\\\)s", r"(?P<\1>.+?)", re.escape(sentence)))


PATTERNS = tuple(map(_pattern, SENTENCES))


def notice(line: str) -> Markup:
    """One line as this reader understands it."""
    for sentence, pattern in zip(SENTENCES, PATTERNS, strict=True):
        if found := pattern.fullmatch(line):
            values = {name: _(text) if name == REMEDY else bdi(text) for name, text in found.groupdict().items()}
            return escape(_(sentence)) % values
    return Markup('<span lang="en" dir="ltr">{}</span>').format(line)
