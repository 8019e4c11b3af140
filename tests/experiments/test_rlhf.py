"""The long runs of notebook 09, on a course of a few conversations: each part is written, and can be read again."""

import json

import numpy as np
import torch

from helpers.bots import checkpoints
from helpers.bots.reward_models import reward_model
from helpers.corpus.batches.base import Pair
from helpers.experiments import reward_models, rlhf


def test_the_long_runs_write_each_part(preference_course, checkpoint_folder, monkeypatch, tmp_path):
    monkeypatch.setattr(rlhf, "load", lambda: preference_course)
    monkeypatch.setattr(reward_models, "COMPONENTS", 4)
    out = tmp_path / "preferences"
    rlhf.main(out, rlhf.TINY, seconds=1000)
    record = json.loads((out / "history.json").read_text())
    assert all(found["matched"] > 0.9 for found in record["judges"].values())  # "what" and "fine" are easily told apart
    assert {"judges", "features", "best_of", "dpo", "policy"} <= set(record)
    assert set(record["policy"]) == {"0/0", "0.1/0"}
    assert np.isfinite([row[1:] for row in record["best_of"]["rows"]]).all()
    frame = record["policy"]["0/0"]["frames"]["0"]
    assert frame["kl"] == 0 and len(frame["replies"]) == 12 and 0 <= frame["questions"] <= 1
    arrays = np.load(out / "features.npz")
    assert arrays["train"].dtype == np.int8 and arrays["held_out"].shape[1:] == (2, 4)
    assert isinstance(checkpoints.load("dpo").reply(["hello"], seed=0), str)
    monkeypatch.setattr("helpers.bots.reward_models.data_path", tmp_path.joinpath)
    bot = checkpoints.load("gpt")
    for name in ("proxy", "gold"):
        pairs = [Pair([bot.tokenizer.end], [bot.tokenizer.speaker("A"), *bot.tokenizer.encode("what is it")])]
        assert torch.isfinite(reward_model(name).score(pairs)).all()
