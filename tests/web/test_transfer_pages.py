"""Couriers: the board leaves as a file, comes in as a file or as letters, and the pages say what was new."""

import base64
import importlib
import io
import re

import pytest

from node.board.api import Delivery
from node.model.record import Kind, Record, encode, record_id, sign
from node.store.index import StoreFailed
from node.textpack import pack
from node.transfer.bundle import END_BYTES, Bundle, write
from node.transfer.paper import code_of, letters_of
from tests.board.test_image import png
from tests.daemon.test_qr_reader import photograph
from tests.sim.portals import CHARTER, ELSEWHERE, words
from tests.sim.village import spoilt
from web.transfer_pages import UPLOADS

OTHER = ("file", "archipel.bundle")


@pytest.fixture
def bulk(neighbourhood):
    """The bulk of the portal's island."""
    return neighbourhood.bulk


@pytest.fixture
def elsewhere(bulk, board):
    """Records of another island, encoded."""
    def made(text, minute=0, **fields):
        codec, packed = pack(text)
        record = Record(Kind.BULLETIN, ELSEWHERE.key_id, board.now() + minute, 48, language=1, codec=codec, packed=packed,
                        **fields)
        return encode(sign(record, CHARTER.set_id, ELSEWHERE.sign))
    return made


def bundle_of(bulk, *raws):
    header = bulk.label()
    return b"".join(write(type(header)(header.set_id, ELSEWHERE.key_id, header.made - 60, "Île de la gare"), raws))


def give(portal, content, **more):
    fields = {"file": (io.BytesIO(content), "archipel-2025-12-02.bundle"), **more}
    return portal.post("/courier?lang=en", data=fields, content_type="multipart/form-data")


def test_the_board_leaves_as_a_file_without_a_cookie(portal, bulk, elsewhere):
    bulk.unload([elsewhere("Bal au canal"), elsewhere("Soupe", topic=4)], "test")
    answer = portal.get("/bundle")
    assert answer.headers["Cache-Control"] == "no-store", "an old board is not given on for the new one"
    assert answer.status_code == 200 and "Set-Cookie" not in answer.headers
    assert re.fullmatch(r'attachment; filename="archipel-\d{4}-\d\d-\d\d\.bundle"', answer.headers["Content-Disposition"])
    assert sorted(Bundle([answer.data])) == sorted(bulk.load(bulk.ids()))
    assert len(list(Bundle([portal.get("/bundle?topic=food").data]))) == len(bulk.ids()) - 1
    assert portal.get("/bundle?topic=nonsense").status_code == 404


def test_the_page_says_what_was_new_and_shows_it(portal, bulk, elsewhere):
    brought = bundle_of(bulk, elsewhere("Bal au canal"), elsewhere("Soupe à la gare"))
    said = words(give(portal, brought))
    assert "2 bulletins" in said and "Bal au canal" in said and "Soupe à la gare" in said
    assert "Bal au canal" in portal.get("/bulletins").get_data(as_text=True)
    assert "Île de la gare" in words(portal.get("/courier?lang=en"))
    again = words(give(portal, brought))
    assert "Nothing of it was new" in again and "2 records were known" in again


def test_of_what_is_new_only_posts_that_can_be_read_are_shown_and_no_reply(portal, board, bulk, elsewhere):
    shown = elsewhere("Bal au canal")
    reply = Record(Kind.REPLY, ELSEWHERE.key_id, board.now(), 24, packed=b"Moi", target=record_id(shown)[:8])
    brought = shown, elsewhere("Soupe \u202eerag"), encode(sign(reply, CHARTER.set_id, ELSEWHERE.sign))
    said = words(give(portal, bundle_of(bulk, *brought)))
    assert "2 bulletins" in said and "1 reply" in said and "Bal au canal" in said and "Moi" not in said


def test_a_damaged_file_gives_what_is_good_and_the_page_says_so(portal, bulk, elsewhere):
    brought = bundle_of(bulk, *(elsewhere(f"Avis {number}") for number in range(4)))
    said = words(give(portal, brought[:-END_BYTES - 5]))
    assert "3 bulletins" in said and "Careful: its end is missing. What was good" in said
    said = words(give(portal, brought[:100] + bytes([brought[100] ^ 1]) + brought[101:]))
    assert "parts of it are damaged" in said


def test_forgeries_are_told_and_left_out(portal, bulk, elsewhere):
    forged = spoilt(elsewhere("Faux"))
    said = words(give(portal, bundle_of(bulk, elsewhere("Vrai"), forged)))
    assert "1 bulletin" in said and "1 record is forged" in said and "Faux" not in said


@pytest.mark.parametrize(("content", "status", "said"), [
    (b"\xff\xd8\xff\xe0 a photograph", 422, "not the board of an island"),
    (b"archipel bundle\n\x09" + bytes(50), 422, "newer program"),
    (b"", 422, "not the board of an island"),
])
def test_another_file_is_refused_in_words(portal, bulk, content, status, said):
    answer = give(portal, content)
    assert answer.status_code == status and said in words(answer)


def test_pressing_without_a_file_asks_for_one(portal, bulk):
    answer = portal.post("/courier?lang=en", data={"letters": " "})
    assert answer.status_code == 422 and "choose the file" in words(answer)


def test_a_bundle_of_another_neighbourhood_is_refused(portal, bulk):
    header = bulk.label()
    answer = give(portal, b"".join(write(type(header)(bytes(16), header.island, header.made), [])))
    assert answer.status_code == 422 and "another neighbourhood" in words(answer)


def test_letters_from_paper_make_the_post_again(portal, bulk, elsewhere):
    raw = elsewhere("Tout le monde au canal")
    for letters in (letters_of(raw).lower(), code_of(raw)):
        answer = portal.post("/courier?lang=en", data={"letters": letters})
        assert answer.status_code == 200
    assert "1 record was known" in words(answer)
    assert "Tout le monde au canal" in portal.get("/bulletins").get_data(as_text=True)
    wrong = portal.post("/courier?lang=en", data={"letters": letters_of(raw)[:-3]})
    assert wrong.status_code == 422 and "mistake in these letters" in words(wrong)


def test_the_sheet_for_another_island_carries_the_post_itself(portal, bulk, elsewhere):
    bulk.unload([raw := elsewhere("Tout le monde au canal")], "test")
    item = portal.get("/bulletins").get_data(as_text=True).partition("/r/")[2][:12]
    page = portal.get(f"/r/{item}/letters").get_data(as_text=True)
    assert letters_of(raw) in page and "Tout le monde au canal" in page and "data:image/png" in page
    assert len(page.encode()) < 14_000
    assert portal.get("/r/00000000/letters").status_code == 404


def test_the_sheet_of_the_longest_post_is_as_light_as_any_page(portal, bulk, board):
    text = "".join(chr(0x2600 + number * 7919 % 200) for number in range(520))  # no coder makes these signs short
    record = Record(Kind.BULLETIN, ELSEWHERE.key_id, board.now(), 48, packed=text.encode())
    raw = encode(sign(record, CHARTER.set_id, ELSEWHERE.sign))
    assert len(raw) > 1_600
    bulk.unload([raw], "test")
    for more in ("", "?file=1", "?lang=ar&size=large"):
        answer = portal.get(f"/r/{record_id(raw).hex()[:12]}/letters{more}")
        assert len(answer.data) < 14_000 and letters_of(raw) in answer.get_data(as_text=True)
    code = re.search(r'src="data:image/png;base64,([^"]+)"', answer.get_data(as_text=True))[1]
    assert "data:" in answer.headers["Content-Security-Policy"].partition("img-src")[2].partition(";")[0]
    assert deliver_picture_of(portal, base64.b64decode(code)).status_code == 200


def deliver_picture_of(portal, picture):
    """A screenshot of a sheet, given at this island."""
    return portal.post("/courier?lang=en", data={"picture": (io.BytesIO(picture), "code.png")})


def test_more_couriers_than_the_card_can_serve_are_asked_to_wait(portal, bulk):
    uploads = portal.application.extensions["uploads"]
    for _ in range(UPLOADS):
        uploads.acquire()
    answer = give(portal, bundle_of(bulk))
    assert answer.status_code == 503 and "try again" in words(answer)
    uploads.release()
    assert give(portal, bundle_of(bulk)).status_code == 200
    assert give(portal, bundle_of(bulk)).status_code == 200


def test_a_full_card_keeps_the_courier_waiting_not_guessing(portal, bulk, elsewhere, board):
    def full(blocks):
        raise StoreFailed("full")

    board.transfer._bulk.unload = lambda raws, via: full(raws)
    answer = give(portal, bundle_of(bulk, elsewhere("Bal")))
    assert answer.status_code == 503 and "keep the file" in words(answer)
    assert portal.post("/courier?lang=en", data={"letters": letters_of(elsewhere("Bal"))}).status_code == 503


def test_a_picture_of_a_code_makes_the_post_again(portal, elsewhere):
    def hand_in(photo):
        return portal.post("/courier?lang=en", data={"picture": (io.BytesIO(photo), "IMG_0001.PNG")})

    answer = hand_in(photograph(code_of(elsewhere("Tout le monde au canal")), 8))
    assert answer.status_code == 200 and "1 bulletin" in words(answer) and "Tout le monde au canal" in words(answer)
    nothing, huge = png(300, 300), png(6_000, 90)
    for photo, said in ((nothing, "No code of a post"), (b"GIF89a", "not a whole PNG"), (huge, "too large")):
        answer = hand_in(photo)
        assert answer.status_code == 422 and said in words(answer)


def test_an_island_without_a_reader_of_codes_asks_for_the_letters(portal, elsewhere, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    answer = portal.post("/courier?lang=en", data={"picture": (io.BytesIO(png(300, 300)), "x.png")})
    assert answer.status_code == 422 and "type the letters" in words(answer)


def test_a_file_larger_than_any_bundle_is_not_read(portal, bulk, monkeypatch):
    monkeypatch.setattr(importlib.import_module("web.transfer_pages"), "MAX_UPLOAD_BYTES", 100_000)
    assert give(portal, bytes(400_000)).status_code == 413
    assert give(portal, bundle_of(bulk)).status_code == 200


def test_every_trouble_has_its_words(portal, bulk, board):
    for problem in ("bundle-mark", "bundle-version", "other-set", "busy", "letters", "full", "something-new"):
        board.transfer.deliver = lambda blocks, problem=problem: Delivery(problem)
        assert 'role="alert"' in give(portal, b"x").get_data(as_text=True)


def test_a_stick_is_told_on_the_wall_and_on_the_couriers_page(portal, bulk, neighbourhood):
    assert "stick" not in words(portal.get("/wall?lang=en"))
    for stage, problem, said in (("working", "", "leave it in"), ("done", "", "you can take it. 3 new records"),
                                 ("done", "full", "it is full"), ("done", "gone", "plug it in again"),
                                 ("done", "failed", "tell its keeper")):
        bulk.tell(stage, 3, problem)
        wall = portal.get("/wall?lang=en")
        assert said in words(wall) and said in words(portal.get("/courier?lang=en"))
        assert int(wall.headers["Refresh"]) < 10
    neighbourhood.clock.advance(600)
    assert "stick" not in words(portal.get("/wall?lang=en"))
