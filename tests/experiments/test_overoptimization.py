"""Over-optimization of reward models: gold labels, proxies that learn from them, and what is optimized against these."""

import pytest
import torch

from helpers.experiments import overoptimization
from helpers.experiments.overoptimization import ProxyRun
from helpers.experiments.overoptimization_models import TINY, directions, train_gold, train_proxy
from helpers.io import read_rows


def ordered_pairs(score, number=600, size=8, seed=0):
    """Return pairs [N, 2, K] of random features of which the first has the higher score."""
    pairs = torch.randn(number, 2, size, generator=torch.Generator().manual_seed(seed))
    return torch.where((score(pairs[:, 0]) > score(pairs[:, 1]))[:, None, None], pairs, pairs.flip(1))


def right(scores):
    return float((scores[:, 0] > scores[:, 1]).float().mean())


def test_gold_learns_what_no_row_of_weights_can():
    def score(features):
        return features[:, 0].abs()

    gold, fresh = train_gold(ordered_pairs(score, 2000), epochs=25), ordered_pairs(score, seed=1)
    assert right(gold.score(fresh)) > 0.75 and not gold.training
    torch.testing.assert_close(gold.score(fresh), gold.score(fresh))  # without dropout


def test_gold_keeps_its_best_epoch():
    pairs = torch.randn(200, 2, 64, generator=torch.Generator().manual_seed(0))  # nothing to be learned: only by heart
    scores = train_gold(pairs, 200).score(torch.randn(400, 2, 64, generator=torch.Generator().manual_seed(1)))
    assert float(torch.nn.functional.softplus(scores[:, 1] - scores[:, 0]).mean()) < 0.75  # not far above ln 2


def test_directions_have_deviation_one_and_the_widest_come_first():
    features = torch.randn(500, 6, generator=torch.Generator().manual_seed(0)) * torch.tensor([5.0, 1, 1, 1, 1, 3])
    along = features @ (basis := directions(features, 2))
    assert basis.shape == (6, 2)
    torch.testing.assert_close(along.std(0), torch.ones(2), atol=0.01, rtol=0)
    assert basis[:, 0].abs().argmax() == 0 and basis[:, 1].abs().argmax() == 5


def test_a_proxy_agrees_with_gold_the_more_labels_it_has():
    rng = torch.Generator().manual_seed(0)
    features, truth = torch.randn(300, 4, 16, generator=rng), torch.randn(16, generator=rng)
    few, many = (train_proxy(features, features @ truth, torch.eye(16), labels, seed=0) for labels in (20, 1000))
    similar = [float(torch.cosine_similarity(weights, truth, dim=0)) for weights in (few, many)]
    assert similar[1] > 0.95 > similar[0] + 0.1
    again, other = (train_proxy(features, features @ truth, torch.eye(16), 20, seed) for seed in (0, 1))
    assert torch.equal(few, again) and not torch.equal(few, other)


def test_all_tables_are_written_and_a_second_command_runs_nothing(preference_course, monkeypatch, tmp_path):
    run = ProxyRun("people", 4, 10, 0)
    monkeypatch.setattr(overoptimization, "FEATURES", (4, 8))
    arguments = (tmp_path, TINY, [run], [run], preference_course, tmp_path / "kept")
    overoptimization.main(*arguments)
    rows = read_rows(tmp_path / "overoptimization.csv")
    best, proxy = ([row for row in rows if (row["labels"] is None) == by_gold] for by_gold in (True, False))
    assert [row["n"] for row in proxy] == [1, 2, 4, 8] and len(best) == 2 * len(proxy)
    assert all(high["proxy"] >= low["proxy"] for low, high in zip(proxy, proxy[1:]))
    ceiling = {row["n"]: row["gold"] for row in best if row["gold model"] == "people"}
    assert all(row["gold"] <= ceiling[row["n"]] + 1e-3 for row in proxy)
    assert proxy[0]["gold"] == pytest.approx(ceiling[1], abs=1e-3)  # one reply: nothing is chosen
    policy = read_rows(tmp_path / "overoptimization_policy.csv")
    assert [row["step"] for row in policy] == [0, 1, 2] and policy[0]["kl"] == 0 and policy[-1]["kl"] != 0
    gold = read_rows(tmp_path / "overoptimization_gold.csv")
    assert all(row["low"] <= row["accuracy"] <= row["high"] for row in gold) and gold[1]["word order"] >= 0.5
    monkeypatch.setattr(overoptimization.Overoptimization, "best_of", lambda *_: pytest.fail("nothing is missing"))
    overoptimization.main(*arguments)
