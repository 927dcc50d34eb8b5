"""A form posts once, and what was posted is remembered for a while."""

import pytest

from web.tokens import MAX_REMEMBERED, FormTokens, TokenExpired


@pytest.fixture
def tokens():
    return FormTokens(b"k" * 32)


def failing(forgotten):
    raise ValueError


def test_a_post_that_failed_is_tried_again_with_its_form_and_one_that_came_out_is_not(tokens):
    token = tokens.issue()
    with pytest.raises(ValueError):
        tokens.once(token, failing)
    assert tokens.once(token, lambda forgotten: "posted") == "posted"
    assert tokens.once(token, lambda forgotten: "again") == tokens.once(token, failing) == "posted"


def test_of_what_forms_have_posted_the_latest_is_remembered_and_no_more(tokens):
    issued = [tokens.issue() for _ in range(MAX_REMEMBERED + 20)]
    for token in issued:
        tokens.once(token, lambda forgotten: "posted")
    assert len(tokens._posted) == MAX_REMEMBERED
    assert {tokens.once(token, lambda forgotten: "again") for token in issued[20:]} == {"posted"}


@pytest.mark.parametrize("token", ["", "x", "é" * 9_000])
def test_what_is_no_token_of_ours_posts_nothing(tokens, token):
    for wrong in (token, FormTokens(b"other" * 8).issue()):
        with pytest.raises(TokenExpired):
            tokens.once(wrong, failing)
