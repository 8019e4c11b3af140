"""The arena's tables: every contestant answers, every judge scores, and what is there already is not run again."""

import pytest

from helpers.bots import arena as contestants
from helpers.bots.judges import LikelihoodJudge
from helpers.experiments import arena
from helpers.io import read_rows
from tests import factories


@pytest.fixture
def course(preference_course, tmp_path, monkeypatch):
    """Two tiny bots, both judges, and four prompts of invented conversations; returns the folder of the tables."""
    factories.use_corpus(monkeypatch, preference_course)
    monkeypatch.setattr(contestants, "AFTER", (3,))
    bots = {name: arena.checkpoints.load(name) for name in ("gpt", "gpt-chat")}
    monkeypatch.setattr(arena, "make_judges", lambda corpus: {name: LikelihoodJudge(bot) for name, bot in bots.items()})
    monkeypatch.setattr(arena, "write_ratings", lambda folder, conversations: None)
    return tmp_path


def test_every_contestant_answers_and_every_judge_scores(course, monkeypatch):
    arena.main(course, seeds=(0, 1), number=4)
    replies, scores = (read_rows(course / f"arena_{name}.csv") for name in ("replies", "scores"))
    assert len(replies) == 2 * 2 * 4 and len(scores) == (2 * 2 + 5) * 4
    assert {(row["contestant"], row["seed"]) for row in scores if row["seed"] is None} == {
        (name, None) for name in (contestants.PEOPLE, contestants.ELSEWHERE, *contestants.CONSTANTS)
    }
    assert all(row["gpt"] > 0 and row["gpt-chat"] > 0 and row["gold"] is None for row in scores)
    fine = [row for row in scores if row["contestant"] == "always fine"]
    assert {row["words"] for row in fine} == {6} and len({row["gpt"] for row in fine}) > 1  # the context is read

    before = {path.name: path.read_bytes() for path in course.glob("arena_*.csv")}
    monkeypatch.setattr(contestants, "replies_of", lambda *_: pytest.fail("the replies are there"))
    monkeypatch.setattr(arena, "make_judges", lambda *_: pytest.fail("the scores are there"))
    arena.main(course, seeds=(0, 1), number=4)
    assert {path.name: path.read_bytes() for path in course.glob("arena_*.csv")} == before


def test_a_run_that_was_interrupted_goes_on_where_it_was(course, monkeypatch):
    arena.main(course, seeds=(0, 1), number=4)
    whole = (course / "arena_scores.csv").read_bytes()
    (course / "arena_scores.csv").unlink(), (course / "arena_replies.csv").unlink()
    arena.main(course, seeds=(0,), number=4)
    arena.main(course, seeds=(0, 1), number=4)
    assert (course / "arena_scores.csv").read_bytes() == whole
