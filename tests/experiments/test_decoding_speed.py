"""Speeds are ratios to the same model in the same rounds; every row of speculative decoding says why it is as fast as it is."""

import time

import pytest

from helpers.bots.bot import Bot
from helpers.experiments import decoding_speed
from helpers.experiments.decoding_speed import Variant, measure, seconds
from helpers.io import read_rows
from tests.factories import bot, conversations, gpt, ngram, tokenizer  # noqa: F401


class Slow:
    """A model that computes everything twice more."""

    def __init__(self, model):
        self.model, self.context = model, model.context

    def __call__(self, ids, state=None):
        for _ in range(4):
            self.model(ids, state)
        return self.model(ids, state)


def test_a_model_of_five_times_the_work_is_slower_and_a_row_says_why(monkeypatch, tokenizer):  # noqa: F811
    for name, number in (("ROUNDS", 3), ("PROMPTS", 2), ("TOKENS", 6), ("LONG", 110)):
        monkeypatch.setattr(decoding_speed, name, number)
    model = gpt(len(tokenizer), std=0.3, context=160)
    chosen = [
        Variant("gpt", model, size=7),
        Variant("slow", Slow(model)),
        Variant("gpt", model, 0.0),
        Variant("counts", model, 0.0, ngram(len(tokenizer), first=0), 2),
    ]
    talks = conversations(4, ("hello there my friend, how is the soup today? " * 2,) * 4)
    base, slow, _, counts = measure(chosen, Bot(model, tokenizer), talks)
    assert (base["speed"], base["lowest"], base["bytes"], base["reading speed"]) == (1, 1, 7, 1)
    assert slow["lowest"] <= slow["speed"] <= slow["highest"] and slow["speed"] < 0.6 > slow["reading speed"]
    assert 0 <= counts["acceptance rate"] <= 1 and 0.33 <= counts["calls per token"] <= 1
    assert counts["draft call"] > 0 and counts["checking call"] > 0 and counts["look ahead"] == 2


def test_seconds_are_the_median_of_several_times():
    waits = iter((0.2, 0.01, 0.02))
    assert 0.019 < seconds(lambda: time.sleep(next(waits)), 3) < 0.15


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
