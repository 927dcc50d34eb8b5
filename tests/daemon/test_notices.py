"""What other programs of the machine tell: read anew when it changes, news for a week."""

from node.daemon.notices import NEWS_S, NOTICES_VARIABLE, NoticeFile, notice_files


def test_a_line_is_news_for_a_week_of_running_and_another_begins_anew(tmp_path):
    now, path = [0.0], tmp_path / "notices"
    told = NoticeFile(str(path), lambda: now[0])
    assert told() == []
    path.write_text("the update is installed\n")
    assert told() == ["the update is installed"]
    now[0] = NEWS_S - 1
    assert told() == ["the update is installed"]
    now[0] = NEWS_S
    assert told() == []
    path.write_text("another one was taken back\n")
    assert told() == ["another one was taken back"]
    path.unlink()
    assert told() == []


def test_several_programs_tell_each_in_a_file_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv(NOTICES_VARIABLE, f"{tmp_path / 'a'}:{tmp_path / 'gone'}:{tmp_path / 'b'}")
    told = notice_files()
    (tmp_path / "a").write_text("one\n")
    (tmp_path / "b").write_text("two\nthree\n")
    assert told() == ["one", "two", "three"]
    monkeypatch.setenv(NOTICES_VARIABLE, "")
    assert notice_files()() == []
