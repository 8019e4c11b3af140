"""Speeds are ratios to the same model in the same rounds; every row of speculative decoding says why it is as fast as it is."""

from types import SimpleNamespace

import pytest

from helpers.bots.bot import Bot
from helpers.experiments import decoding_speed
from helpers.experiments.decoding_speed import Variant, measure, seconds
from helpers.io import read_rows
from tests.factories import bot, conversations, gpt, ngram, tokenizer  # noqa: F401


class Clock:
    """A clock that only the models below move, so that a busy computer changes no ratio."""

    now = 0.0


class Timed:
    """A model whose every call takes ``cost`` seconds of the clock."""

    def __init__(self, model, clock, cost):
        self.model, self.clock, self.cost = model, clock, cost

    def __call__(self, ids, state=None):
        self.clock.now += self.cost
        return self.model(ids, state)

    def __getattr__(self, name):
        return getattr(self.model, name)


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(decoding_speed, "time", SimpleNamespace(perf_counter=lambda: made.now))
    return made


def test_a_model_of_five_times_the_work_is_slower_and_a_row_says_why(monkeypatch, clock, tokenizer):  # noqa: F811
    for name, number in (("ROUNDS", 3), ("PROMPTS", 2), ("TOKENS", 6), ("LONG", 110)):
        monkeypatch.setattr(decoding_speed, name, number)
    network = gpt(len(tokenizer), std=0.3, context=160)
    model, draft = Timed(network, clock, 1), Timed(ngram(len(tokenizer), first=0), clock, 0.25)
    chosen = [
        Variant("gpt", model, size=7),
        Variant("slow", Timed(network, clock, 5)),
        Variant("gpt", model, 0.0),
        Variant("counts", model, 0.0, draft, 2),
    ]
    talks = conversations(4, ("hello there my friend, how is the soup today? " * 2,) * 4)
    base, slow, _, counts = measure(chosen, Bot(network, tokenizer), talks)
    assert (base["speed"], base["lowest"], base["bytes"], base["reading speed"]) == (1, 1, 7, 1)
    assert [slow[name] for name in ("lowest", "speed", "highest", "without sampling", "reading speed")] == [0.2] * 5
    assert 0 <= counts["acceptance rate"] <= 1 and 0.33 <= counts["calls per token"] <= 1
    assert (counts["draft call"], counts["checking call"], counts["look ahead"]) == (0.25, 1, 2)


def test_seconds_are_the_median_of_several_times(clock):
    waits = iter((0.5, 0.125, 0.25))
    assert seconds(lambda: setattr(clock, "now", clock.now + next(waits)), 3) == 0.25


def test_what_the_table_has_is_not_measured_again(tmp_path, monkeypatch):
    (tmp_path / "decoding_speed.csv").write_text("variant\ngpt\n", encoding="utf-8")
    monkeypatch.setattr(decoding_speed, "data_path", lambda: tmp_path)
    monkeypatch.setattr(decoding_speed, "load", lambda: pytest.fail("nothing is missing"))
    decoding_speed.main()


def test_the_stored_table_says_what_the_notebook_says():
    rows = read_rows(decoding_speed.data_path() / "decoding_speed.csv")
    assert set(rows[0]) == set(decoding_speed.COLUMNS)
    by_name = {row["variant"]: row for row in rows if row["temperature"] > 0}
    assert by_name["onnx"]["speed"] > 1.7 and by_name["onnx int8"]["speed"] >= 3
    assert by_name["onnx int8"]["without sampling"] > by_name["onnx"]["without sampling"] > 2
    assert by_name["onnx int8"]["bytes"] < 7e6
    assert by_name["onnx"]["bits per byte"] == pytest.approx(by_name["gpt"]["bits per byte"], abs=2e-4)
