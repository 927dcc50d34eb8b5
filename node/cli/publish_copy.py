"""`archipel publish`: the public board and its archive as files, for a web host, a stick, an archive of the Internet."""

import re
from pathlib import Path

import click

from node.cli.help import command
from node.cli.language import _, ngettext, say, worded
from node.cli.options import ask, config_option, json_option, not_running, refusal, settings_of, tell_json
from node.cli.progress import Progress
from node.daemon.published_folder import PublishedFolder, published_folder
from node.daemon.rpc import NotRunning, Refused
from node.daemon.settings import Settings
from node.i18n.catalogue import TAGS
from node.i18n.sentence import Explained

BATCH = 64  # files whose names are put on the list at once


@command()
@config_option
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--one-language", is_flag=True, help="In the island's language alone, not in all four.")
@click.option("--address", metavar="URL", default="",
              help="Where DIR will stand on the web: its feeds then work for who follows them there.")
@json_option
def publish(config: Path | None, folder: Path, one_language: bool, address: str, as_json: bool) -> None:
    """Write the public board and its archive as files into DIR.

    Any web host, stick or archive takes it: links lead from file to file, no page has a form, and no island is needed to
    read it. The next time only what has changed is written; what was withdrawn, hidden or forgotten leaves it. DIR is new,
    empty, or was published into before: other files in it are not touched.
    """
    if address and not re.fullmatch(r"https?://[^\s/?#\"'<>]+(/[^\s?#\"'<>]*)?", address):
        raise click.ClickException(_("an address begins with http:// or https://, such as https://example.org/board/"))
    settings = settings_of(config)
    own = settings.node.language
    languages = [own] if one_language else [own, *(tag for tag in TAGS if tag != own)]
    try:
        island = ask(settings, "bulk-label")["island"]
        with published_folder(folder, str(island)) as copy:
            _write(settings, copy, languages, address)
    except Explained as explained:
        raise click.ClickException(worded(explained.sentence)) from explained
    except NotRunning as error:
        raise click.ClickException(not_running(settings)) from error
    except Refused as refused:
        raise click.ClickException(refusal(refused.reason, refused.fields)) from refused
    if as_json:
        tell_json({"folder": str(folder), "written": copy.written, "unchanged": copy.unchanged, "removed": copy.removed,
                   "taken": copy.taken})
        return
    if copy.taken:
        click.echo(ngettext("%(num)s name is taken by a file that is not ours, which was left as it is: %(name)s",
                            "%(num)s names are taken by files that are not ours, which were left as they are: %(name)s "
                            "...", len(copy.taken), name=copy.taken[0]), err=True)
    say("%(folder)s: %(written)s files written, %(unchanged)s as they were, %(removed)s removed. Begin at index.html.",
        folder=str(folder), written=copy.written, unchanged=copy.unchanged, removed=copy.removed)


def _write(settings: Settings, copy: PublishedFolder, languages: list[str], address: str) -> None:
    from node.daemon.rpc_publish import public_files  # here: it brings the whole portal, for which no other command waits

    posts = ask(settings, "publish-ids")
    waiting: dict[str, bytes] = {}
    with Progress() as progress:
        told = progress.begin("", len(posts) * len(languages))
        for number, file in enumerate(public_files(settings.node.data, languages, address)):
            waiting[file.name] = file.content
            if len(waiting) >= BATCH:
                copy.put(waiting)
                waiting.clear()
            told(number)
        copy.put(waiting)
    copy.finish()


COMMANDS = (publish,)
