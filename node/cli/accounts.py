"""The commands about who may sign: `archipel keeper` on the keepers' pages, `archipel group` under posts."""

import base64
import os
import shlex
from pathlib import Path

import click

from node.cli.help import command
from node.cli.language import _, say
from node.cli.options import (
    ask,
    config_option,
    fitting_name,
    json_option,
    known_name,
    new_passphrase,
    new_password,
    passphrase,
    settings_of,
    tell_json,
)
from node.daemon.settings import Settings
from node.model.keys import SEED_BYTES, SigningKey
from node.model.passphrase import SALT_BYTES, WrongPassphrase, seal, unseal

yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


@command()
@config_option
@click.argument("name", required=False)
@click.option("--remove", is_flag=True, help="Take it away.")
@click.option("--from-card", is_flag=True, hidden=True)
@json_option
def keeper(config: Path | None, name: str | None, remove: bool, from_card: bool, as_json: bool) -> None:
    """Give the keeper NAME a password, or take it away.

    With it they sign in to the keepers' pages of this island. Without NAME: who can sign in.
    """
    settings = settings_of(config)
    if name is None and as_json:
        tell_json(_keepers_json(settings))
    elif name is None:
        _list_keepers(settings)
    elif remove:
        _remove_keeper(settings, name)
    elif from_card:
        _keeper_of_card(settings, fitting_name(name))
    else:
        name = fitting_name(name)
        _set_keeper(settings, name, _hash(new_password(name, settings.node.name)))
        say("%(name)s can sign in at /keeper.", name=name)


def _keepers_json(settings: Settings) -> list[dict[str, str | bool]]:
    """Who can sign in, and whom the card names though they were removed here; never a hash."""
    known = ask(settings, "keepers")
    return [{"name": name, "signs_in": name in known["here"], "on_card": name in known["card"]}
            for name in sorted(known["here"].keys() | known["card"].keys())]


def _list_keepers(settings: Settings) -> None:
    known = ask(settings, "keepers")
    for name in sorted(known["here"]):
        click.echo(name)
    if not known["here"]:
        say("Nobody can sign in yet. Let somebody: archipel keeper NAME")
    for name in sorted(known["card"].keys() - known["here"].keys()):
        _tell_of_card(name)


def _remove_keeper(settings: Settings, typed: str) -> None:
    known = ask(settings, "keepers")
    name = known_name(typed, known["here"])
    if name is None or not ask(settings, "remove-keeper", name=name):
        raise click.ClickException(_("no keeper is called %(name)s here. Who can sign in: archipel keeper", name=typed))
    say("%(name)s has no password any more, and is signed out.", name=name)
    if name in known["card"]:
        _tell_of_card(name)


def _tell_of_card(name: str) -> None:
    say("%(name)s was removed here. The settings file on the card may still name them: that counts again only with "
        "another password.", name=name)


def _keeper_of_card(settings: Settings, name: str) -> None:
    """What the card's settings file says at each start counts once: what was changed or removed here since stays so."""
    from werkzeug.security import check_password_hash

    password, known = new_password(name, settings.node.name), ask(settings, "keepers")
    told = known["card"].get(name)
    if told and check_password_hash(told, password):
        return
    here = known["here"].get(name)
    same = here is not None and check_password_hash(here, password)
    _set_keeper(settings, name, here if same else _hash(password), from_card=True)


def _set_keeper(settings: Settings, name: str, password_hash: str, from_card: bool = False) -> None:
    ask(settings, "set-keeper", name=name, password_hash=password_hash, from_card=from_card)


def _hash(password: str) -> str:
    from werkzeug.security import generate_password_hash

    return generate_password_hash(password)


@command()
@config_option
@click.argument("name", required=False)
@click.option("--passphrase", "change", is_flag=True, help="Change its passphrase.")
@click.option("--remove", is_flag=True, help="Forget its key.")
@yes_option
@json_option
def group(config: Path | None, name: str | None, as_json: bool, **do: bool) -> None:
    """Let the group NAME sign its posts here.

    Its members sign on this island's portal, with a passphrase. Without NAME: which groups sign here.
    """
    settings = settings_of(config)
    groups = ask(settings, "groups")
    if name is None:
        tell_json([{"name": one} for one in groups]) if as_json else _list_groups(groups)
    elif not do["change"] and not do["remove"]:
        _add_group(settings, fitting_name(name), groups)
    else:
        found = known_name(name, groups)
        if found is None:
            raise click.ClickException(_("no group is called %(name)s here. Those there are: archipel group", name=name))
        if do["remove"]:
            _remove_group(settings, found, do["yes"])
        else:
            _change_passphrase(settings, found)


def _list_groups(groups: list[str]) -> None:
    for name in groups:
        click.echo(name)
    if not groups:
        say("No group signs here yet. Let one: archipel group NAME")


def _add_group(settings: Settings, name: str, groups: list[str]) -> None:
    has_key = name in groups
    if not has_key:
        seed = os.urandom(SEED_BYTES)
        sealed = _sealed(seed, new_passphrase(name, settings.node.name))
        has_key = not ask(settings, "add-group", name=name, sealed=sealed)
    if has_key:
        raise click.ClickException(_("%(name)s has a key here already; keys are never overwritten. "
                                     "Another passphrase: archipel group NAME --passphrase", name=name))
    say("%(name)s can sign here once a keeper vouches for its key:", name=name)
    click.echo(f"  archipel vouch {SigningKey(seed).public.hex()} --group --name {shlex.quote(name)}")


def _change_passphrase(settings: Settings, name: str) -> None:
    before = ask(settings, "group-seal", name=name)
    try:
        seed = unseal(base64.b64decode(before), passphrase(_("Present passphrase of %(name)s", name=name)))
    except WrongPassphrase:
        raise click.ClickException(_("this passphrase is wrong.")) from None
    after = _sealed(seed, new_passphrase(name, settings.node.name))
    if not ask(settings, "reseal-group", name=name, before=before, after=after):
        raise click.ClickException(_("somebody else has just changed it. Nothing was done: please try again."))
    say("%(name)s signs with the new passphrase from now on; its key is the same.", name=name)


def _remove_group(settings: Settings, name: str, yes: bool) -> None:
    if not yes:
        click.confirm(_("Forget the key of %(name)s? Nothing brings it back: made again, the group has another key. What "
                        "it posted stays, and cannot be corrected or withdrawn here any more.", name=name), abort=True)
    ask(settings, "remove-group", name=name)
    say("%(name)s signs here no more.", name=name)


def _sealed(seed: bytes, secret: str) -> str:
    return base64.b64encode(seal(seed, secret, os.urandom(SALT_BYTES))).decode()


COMMANDS = (group, keeper)
