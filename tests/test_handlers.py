from node import islandboard
from node.board import Draft
from node.model.record import Kind
from node.shell.handlers import listed


def test_a_list_has_as_many_lines_as_were_asked_for_however_small_a_page_is(board, monkeypatch):
    monkeypatch.setattr(islandboard, "MAX_PAGE", 3)
    for number in range(8):
        board.post(Draft(Kind.BULLETIN, f"Annonce {number}"))
    assert len(listed(board, 7)) == 7
    assert {line["headline"] for line in listed(board, 100)} == {f"Annonce {number}" for number in range(8)}
