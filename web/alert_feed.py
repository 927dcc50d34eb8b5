"""Official alerts that islands passed on, given on as OASIS CAP 1.2: each by its issuer's own name, never by ours.

What neighbours mark as urgent stands beside them under the island's name, and says so: its certainty is unknown until as
many other islands confirm it as this one asks for (`node.board.api.Confirmed`).
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import blake2b
from xml.etree import ElementTree as xml

from flask import Blueprint, Response, abort

from node.board.alerts import Alert
from node.board.api import Item
from node.board.confirmed import is_unconfirmed
from node.model.clock import seconds_of
from web import safe_text
from web.feeds import as_text, not_yet
from web.hearsay import changed
from web.item_display import caption, confirmed_as_text, tag_of, uid, whole_address
from web.languages import gettext as _
from web.pages import board, kept, patience, settings
from web.public import found
from web.sentences import topic_name

CAP = "urn:oasis:names:tc:emergency:cap:1.2"
DANGER, MAX_ALERTS = 12, 50
CATEGORY_OF = {5: "Health", 11: "Transport", DANGER: "Safety", 13: "Infra"}  # by topic
alert_feed = Blueprint("alert_feed", __name__)


@alert_feed.get("/alerts.cap.xml")
@kept
def alerts() -> Response:
    """All that count now, those of neighbours after the official ones: one as it is, several as one message of this
    island's with an `info` for each, whose issuer and name it says; none as a message of the system, without any."""
    passed = board().bulletins(DANGER, limit=MAX_ALERTS, patience=patience()).items
    urgent = board().urgent(MAX_ALERTS, patience())
    if patience().unread:
        return not_yet()
    items = [*(item for item in passed if item.alert), *(item for item in urgent if item.confirmed)][:MAX_ALERTS]
    items.sort(key=lambda item: (item.alert is None, -item.created))
    return _response(_message(items[0]) if len(items) == 1 else _digest(items))


@alert_feed.get("/r/<item_id>.cap.xml")
@kept
def one_alert(item_id: str) -> Response:
    """One alert as its issuer named it, or what neighbours mark as urgent."""
    item = found(item_id)
    return _response(_message(item)) if item.alert or item.confirmed else abort(404)


def _response(message: xml.Element) -> Response:
    text = xml.tostring(message, encoding="utf-8", xml_declaration=True)
    return Response(text, mimetype="application/cap+xml")


def _message(item: Item) -> xml.Element:
    """The alert of one post: identifier, sender and moment are the issuer's; the note says through whom it came."""
    alert = item.alert
    if alert is None:
        return _neighbours_message(item)
    message = _head(alert.identifier, alert.sender, alert.sent, "Actual", alert.codes[0])
    _child(message, "scope", "Public")
    _child(message, "note", _("Received by %(island)s; not signed by its issuer.") % {
        "island": safe_text.one_line(item.author.name)})
    if alert.replaces:
        _child(message, "references", alert.replaces)
    message.append(_info(item, alert))
    return message


def _neighbours() -> str:
    return _("Neighbours say so; no authority does.")


def _neighbours_message(item: Item) -> xml.Element:
    """What neighbours mark as urgent: another message whenever it, or who confirms it, has changed."""
    message = _head(f"archipel-{uid(item)}-{changed(item)}", f"archipel-{item.author.key_id}", _instant(changed(item)),
                    "Actual", "Alert")
    _child(message, "scope", "Public")
    _child(message, "note", f"{_neighbours()} {confirmed_as_text(item)}.")
    message.append(_neighbours_info(item))
    return message


def _digest(items: Iterable[Item]) -> xml.Element:
    items = list(items)
    sent = _instant(max(map(changed, items), default=board().now()))
    name = "".join(sign if sign.isalnum() else "-" for sign in settings().name)[:40]
    digits = blake2b("".join(f"{item.id}{changed(item)}" for item in items).encode(), digest_size=8).hexdigest()
    message = _head(f"archipel-{digits}", f"archipel-{name}", sent, "Actual" if items else "System", "Alert")
    _child(message, "scope", "Public")
    official = [item for item in items if item.alert]
    notes = [_("Alerts of the issuers that are named with each, received by islands; not signed by them.")] * bool(official)
    notes += [_neighbours()] * (len(items) > len(official))
    _child(message, "note", " ".join(notes) or _("No alert counts here now."))
    for item in items:
        message.append(_info(item, item.alert) if item.alert else _neighbours_info(item))
    return message


def _head(identifier: str, sender: str, sent: str, status: str, kind: str) -> xml.Element:
    message = xml.Element("alert", xmlns=CAP)
    for name, text in (("identifier", identifier), ("sender", sender), ("sent", sent), ("status", status),
                       ("msgType", kind)):
        _child(message, name, text)
    return message


def _info(item: Item, alert: Alert) -> xml.Element:
    """In the order that CAP's schema asks for."""
    info = xml.Element("info")
    headline, __, text = safe_text.plain(item.text).partition("\n")
    __, category, urgency, severity, certainty = alert.codes
    told = (("language", tag_of(item)), ("category", category), ("event", safe_text.one_line(alert.event)),
            ("urgency", urgency), ("severity", severity), ("certainty", certainty), ("expires", _instant(alert.expires)),
            ("senderName", safe_text.one_line(alert.issuer)), ("headline", headline), ("description", text.strip()),
            ("web", whole_address(item)))
    for name, words in told:
        if words:
            _child(info, name, words)
    for name, words in (("received-by", item.author.name), ("reference", alert.reference)):
        parameter = xml.SubElement(info, "parameter")
        _child(parameter, "valueName", f"archipel:{name}")
        _child(parameter, "value", safe_text.one_line(words))
    if alert.area:
        _child(xml.SubElement(info, "area"), "areaDesc", safe_text.one_line(alert.area))
    return info


def _neighbours_info(item: Item) -> xml.Element:
    """What an island's neighbours say; how grave and how urgent it is nobody has said in CAP's words."""
    info = xml.Element("info")
    name, certainty = safe_text.one_line(item.author.name), "Unknown" if is_unconfirmed(item) else "Likely"
    told = (("language", tag_of(item)), ("category", CATEGORY_OF.get(item.topic, "Other")),
            ("event", topic_name(item.topic)), ("urgency", "Unknown"), ("severity", "Unknown"), ("certainty", certainty),
            ("onset", _instant(item.start) if item.start is not None else ""), ("expires", _instant(item.expires)),
            ("senderName", _("%(island)s (neighbours, no authority)") % {"island": name}), ("headline", caption(item)),
            ("description", as_text(item)), ("web", whole_address(item)))
    for part, words in told:
        if words:
            _child(info, part, words)
    if item.confirmed:
        parameter = xml.SubElement(info, "parameter")
        _child(parameter, "valueName", "archipel:confirmed-by")
        _child(parameter, "value", str(len(item.confirmed.by)))
    if item.place:
        _child(xml.SubElement(info, "area"), "areaDesc", safe_text.one_line(item.place))
    return info


def _child(parent: xml.Element, name: str, text: str) -> None:
    xml.SubElement(parent, name).text = text


def _instant(minute: int) -> str:
    """As CAP writes a moment of UTC: never with a Z."""
    return datetime.fromtimestamp(seconds_of(minute), UTC).strftime("%Y-%m-%dT%H:%M:%S-00:00")
