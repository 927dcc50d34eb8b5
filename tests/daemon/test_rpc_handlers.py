from node.board import board as board_module
from node.board.api import Draft
from node.daemon.rpc_handlers import listed
from node.model.record import Kind


def test_a_list_has_as_many_lines_as_were_asked_for_however_small_a_page_is(board, monkeypatch):
    monkeypatch.setattr(board_module, "MAX_PAGE", 3)
    for number in range(8):
        board.post(Draft(Kind.BULLETIN, f"Annonce {number}"))
    assert len(listed(board, 7)) == 7
    assert {line["headline"] for line in listed(board, 100)} == {f"Annonce {number}" for number in range(8)}
