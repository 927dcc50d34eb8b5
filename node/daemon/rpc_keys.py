"""What the keyring answers to the command line (`node.daemon.rpc`). A key that signs for one act comes as its text."""

from dataclasses import asdict
from typing import Any

from node.board.api import COMMAND_LINE
from node.board.keyring import InviteWish, Keyring, KeyView, TypedKey, VouchWish
from node.daemon.rpc import Handler
from node.replica.trust import FOREVER


def key_handlers(keyring: Keyring) -> dict[str, Handler]:
    """By the name of the request."""
    return {
        "keys": lambda request: [as_told(view) for view in keyring.tree()],
        "key-vouch": lambda request: as_told(keyring.vouch(_wish(request), COMMAND_LINE, _typed(request))),
        "key-invite": lambda request: asdict(keyring.invite(
            InviteWish(request["days"], request["group"], request["keeper"]), COMMAND_LINE, _typed(request))),
        "key-look": lambda request: _previewed(keyring, request),
        "secret-look": lambda request: asdict(keyring.look_at_renewal(request["hours"], _typed(request))),
        "secret-renew": lambda request: keyring.renew(request["label"], COMMAND_LINE),
        "key-revoke": lambda request: keyring.revoke(request["label"], COMMAND_LINE, at_once=True),
    }


def as_told(view: KeyView) -> dict[str, Any]:
    """A key as JSON; what lasts for ever ends with null."""
    told = asdict(view)
    told["rights"] = {name: _end(until) for name, until in view.rights.items()}
    told["links"] = [{"giver": link.giver, "until": _end(link.until), "by_invitation": link.by_invitation}
                     for link in view.links]
    return told | {"until": _end(view.until)}


def _end(minute: int) -> int | None:
    return None if minute >= FOREVER else minute


def _wish(request: dict[str, Any]) -> VouchWish:
    return VouchWish(request["who"], request["name"], frozenset(request["more"]), request["days"])


def _typed(request: dict[str, Any]) -> TypedKey | None:
    return TypedKey(request["key"], request.get("passphrase", "")) if request.get("key") else None


def _previewed(keyring: Keyring, request: dict[str, Any]) -> dict[str, Any]:
    preview = keyring.look(request["who"], request["since"], _typed(request))
    return asdict(preview) | {"subject": as_told(preview.subject)}
