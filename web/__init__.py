"""The portal: pages, forms and feeds over the board."""

from flask import Flask

from node.board.board import Board
from web.account_pages import accounts
from web.activity_feed import activity_feed
from web.agenda import agenda
from web.alert_feed import alert_feed
from web.aloud import add_aloud, aloud
from web.clearing_pages import add_clearing
from web.clock_page import clock_pages
from web.desk_acts import desk_acts
from web.desk_card import desk_card
from web.desk_care import desk_care
from web.desk_founders import desk_founders
from web.desk_gather import desk_gather
from web.desk_handover import desk_handover
from web.desk_keys import desk_keys
from web.desk_post import desk_post
from web.desk_radio import desk_radio
from web.desk_reports import desk_reports
from web.desk_safe import desk_safe
from web.desk_secret import desk_secret
from web.desk_settings import desk_settings
from web.desk_sheet import desk_sheet
from web.digest_page import digests
from web.event_map import event_map
from web.feeds import feeds
from web.import_pages import imports
from web.item_display import add_showing
from web.keeper import keeper
from web.lan_endpoint import lan
from web.languages import add_languages
from web.learn import learn
from web.metrics import metrics
from web.pages import add_pages
from web.portal_settings import WebSettings
from web.posting import posting
from web.print_pages import paper
from web.probes import add_probes
from web.public import public
from web.published import published_board
from web.radio_page import concerns, desk_links, radio
from web.report_pages import report_pages
from web.request_body import MAX_FIELDS, MAX_FORM_BYTES, PortalRequest
from web.resting import add_resting
from web.safe_address import add_safe_address
from web.settings_notices import notice, said
from web.signin import add_signin
from web.subscribing import subscribing
from web.together import together
from web.tokens import FormTokens
from web.transfer_pages import transfer
from web.turnout_page import turnout_pages
from web.visitor import add_visitors
from web.wall_screen import wall_pictures
from web.week_paper import weekly

BLUEPRINTS = (public, agenda, posting, feeds, aloud, paper, wall_pictures, event_map, learn, radio, transfer, lan, keeper,
              imports, accounts, clock_pages, desk_keys, desk_secret, desk_acts, desk_post, desk_reports, report_pages,
              desk_handover, desk_settings, desk_safe, desk_care, desk_card, desk_founders, desk_sheet, desk_radio,
              desk_gather, alert_feed, activity_feed, together, subscribing, turnout_pages, metrics, weekly, digests,
              published_board)


def create_app(board: Board, settings: WebSettings) -> Flask:
    """The portal over `board`; safe from any thread, for one process.

    Who asks is said in X-Forwarded-For by a web server before it, or the lobby (`node.daemon.lobby`), on this machine.
    """
    app = Flask(__name__, static_folder=None)
    app.request_class = PortalRequest
    app.url_map.strict_slashes = False  # who types /keeper/ from a sheet means /keeper
    app.config.update(MAX_CONTENT_LENGTH=MAX_FORM_BYTES,
                      MAX_FORM_MEMORY_SIZE=MAX_FORM_BYTES, MAX_FORM_PARTS=MAX_FIELDS)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.extensions.update(board=board, settings=settings, tokens=FormTokens(settings.secret_key))
    add_probes(app)  # first: it decides on the host, before any address of ours is looked at
    add_languages(app, settings.language)
    add_pages(app)
    add_showing(app)
    add_resting(app)
    app.jinja_env.filters.update(notice=notice, said=said, desk_links=desk_links)
    app.jinja_env.globals["concerns"] = concerns
    add_signin(app)
    add_safe_address(app)
    add_clearing(app)
    add_aloud(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    add_visitors(app, settings.monotonic)
    return app
