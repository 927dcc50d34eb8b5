"""The week in one text as a page and as a file."""

import pytest

from node.i18n.catalogue import TAGS
from tests.board.test_digest import fill
from web.pages import MAX_PAGE_BYTES


@pytest.mark.parametrize("tag", TAGS)
def test_the_page_holds_its_weight_however_full_the_week_is_and_leads_to_the_file(portal, neighbourhood, tag):
    fill(neighbourhood, 150, 60)
    for size in ("sms", "short", "mail", "aloud"):
        page = portal.get(f"/digest?size={size}&lang={tag}")
        assert page.status_code == 200 and len(page.data) + 900 <= MAX_PAGE_BYTES
        assert f"/digest.txt?size={size}".encode() in page.data
    assert len(portal.get(f"/digest.txt?size=mail&lang={tag}").data) > 8_000


def test_the_agenda_and_the_paper_lead_there_and_nonsense_is_two_messages(portal, neighbourhood):
    fill(neighbourhood)
    for path in ("/agenda", "/paper"):
        assert b'"/digest"' in portal.get(path).data
    wanted = portal.get("/digest.txt?lang=fr")
    assert wanted.mimetype == "text/plain"
    for query in ("size=nonsense", "size=sms&parts=x", "parts=2"):
        assert portal.get(f"/digest.txt?lang=fr&{query}").data == wanted.data
    assert len(portal.get("/digest.txt?size=sms&parts=99999").data) < 1_700
