"""Of who asked by text little is remembered, the newest of it, and under a hash that changes."""

from node.handheld.talks import MAX_TALKS, REMEMBERED_S, Talks


def test_of_too_many_talks_the_oldest_is_forgotten():
    talks = Talks()
    for number in range(MAX_TALKS + 1):
        talks.of(b"%d" % number, b"", "fr", float(number)).read = f"item {number}"
    assert len(talks) == MAX_TALKS
    assert talks.of(b"%d" % MAX_TALKS, b"", "fr", 101.0).read == f"item {MAX_TALKS}"
    assert talks.of(b"1", b"", "fr", 101.0).read == "item 1"
    assert talks.of(b"0", b"", "fr", 101.0).read == ""


def test_a_talk_goes_on_when_the_salt_of_its_hash_changes_and_is_one_talk():
    talks = Talks()
    talks.of(b"morning", b"", "fr", 0.0).read = "item"
    assert talks.of(b"noon", b"morning", "fr", 10.0).read == "item" and len(talks) == 1
    assert talks.of(b"noon", b"morning", "fr", 20.0).read == "item"
    assert talks.of(b"noon", b"morning", "fr", 20.0 + REMEMBERED_S).read == ""
