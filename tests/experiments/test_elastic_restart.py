"""Ten tries of a process killed at random: the same ten every time, and what the table says of them."""

from helpers.corpus.load import data_path
from helpers.experiments import elastic_restart
from helpers.io import read_rows


def test_tries_are_the_same_for_a_seed_and_hit_either_process_anywhere():
    tries = elastic_restart.tries(200)
    assert tries[:10] == elastic_restart.tries() and elastic_restart.tries(seed=1) != elastic_restart.tries()
    assert {one.victim for one in tries} == {0, 1} and {one.step for one in tries} == set(
        range(1, elastic_restart.STEPS - 3)
    )


def test_only_missing_tries_are_made(monkeypatch, tmp_path):
    made = []

    def disturbed(one, expected):
        made.append((one.number, expected))
        if len(made) == 4:
            raise KeyboardInterrupt
        return dict.fromkeys(elastic_restart.COLUMNS, 1) | one.key

    monkeypatch.setattr(elastic_restart, "data_path", lambda: tmp_path)
    monkeypatch.setattr(elastic_restart, "undisturbed", lambda: "digest")
    monkeypatch.setattr(elastic_restart, "disturbed", disturbed)
    for _ in range(3):
        try:
            elastic_restart.main()
        except KeyboardInterrupt:
            pass
    assert [number for number, _ in made] == [1, 2, 3, 4, 4, *range(5, 11)] and made[0][1] == "digest"
    assert [row["try"] for row in read_rows(tmp_path / elastic_restart.FILE)] == list(range(1, 11))


def test_the_table_has_ten_tries_and_all_came_back_equal():
    rows = read_rows(data_path() / elastic_restart.FILE)
    assert len(rows) == 10 and list(rows[0]) == list(elastic_restart.COLUMNS)
    assert all(row["equal"] == 1 and row["restarts"] >= 1 and row["steps"] == elastic_restart.STEPS for row in rows)
