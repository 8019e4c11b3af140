"""Ensembles: the mean of probabilities, not of their logarithms, and a model like any other."""

import pytest
import torch
from torch import nn

from helpers.evaluation.likelihood import bits_per_byte_on
from helpers.robustness.ensembles import Ensemble, dropout_passes, mean_log_probabilities
from tests import factories


def test_it_is_the_mean_of_the_probabilities():
    torch.manual_seed(0)
    log_p = torch.randn(3, 4, 6).mul(5).log_softmax(-1)
    mean = mean_log_probabilities(log_p)
    torch.testing.assert_close(mean.exp(), log_p.exp().mean(0))
    torch.testing.assert_close(mean.exp().sum(-1), torch.ones(4))
    # Not the mean of the logarithms, which is no distribution, and never better than its average member (Jensen).
    assert not torch.allclose(mean, log_p.mean(0), atol=0.1) and (mean >= log_p.mean(0) - 1e-6).all()
    tiny = torch.tensor([[-200.0, 0.0], [-300.0, 0.0]])
    assert mean_log_probabilities(tiny)[0] == pytest.approx(-200.693, abs=1e-3)  # exp would be 0
    with pytest.raises(ValueError, match="no model to average"):
        mean_log_probabilities(torch.zeros(0, 3))


def test_it_is_a_language_model(tokenizer):
    models = [factories.gpt(len(tokenizer), seed=seed, std=0.3) for seed in (0, 1)]
    both, ids = Ensemble(models), torch.tensor([[2, 7, 8, 9]])
    logits, state = both(ids)
    with torch.no_grad():
        expected = torch.stack([model(ids)[0].softmax(-1) for model in models]).mean(0)
    torch.testing.assert_close(logits.softmax(-1), expected)
    assert state is None and both.context == 32
    talks = factories.conversations(2)
    bits = [bits_per_byte_on(model, tokenizer, talks) for model in (*models, both)]
    assert bits[2] < (bits[0] + bits[1]) / 2
    assert bits_per_byte_on(Ensemble(models[:1]), tokenizer, talks) == pytest.approx(bits[0], rel=1e-5)


def test_dropout_passes_leave_everything_as_it_was():
    model, ids = factories.gpt(dropout=0.3, std=0.3), torch.tensor([[2, 7, 8, 9]])
    before = torch.random.get_rng_state()
    first, again = (dropout_passes(model, ids, 3) for _ in range(2))
    assert torch.equal(first, again) and torch.equal(torch.random.get_rng_state(), before)
    assert not any(part.training for part in model.modules())
    assert not torch.allclose(first, model(ids)[0].log_softmax(-1), atol=1e-3)
    assert not torch.equal(first, dropout_passes(model, ids, 3, generator_seed=1))
    torch.testing.assert_close(first.exp().sum(-1), torch.ones(1, 4))
    model.train()
    assert torch.equal(dropout_passes(model, ids, 3), first) and all(part.training for part in model.modules())


def test_bad_input_is_told():
    with pytest.raises(ValueError, match="no model to average"):
        Ensemble([])
    with pytest.raises(ValueError, match=r"\[16, 20\] tokens: only models with one vocabulary"):
        Ensemble([factories.gpt(16), factories.gpt(20)])(torch.tensor([[2, 7]]))
    with pytest.raises(ValueError, match="0 parts that drop units"):
        dropout_passes(nn.Linear(2, 2), torch.zeros(1, 2), 2)
