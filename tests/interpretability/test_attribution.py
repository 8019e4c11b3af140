"""Attribution: gradients are those of finite differences, integrated gradients complete, deletion cuts the text."""

import pytest
import torch

from helpers.interpretability import attribution
from tests import factories

IDS, TARGET = torch.tensor([2, 7, 8, 9, 3, 5, 11, 4]), 9


def model(**config):
    # No cap: the model computes it in float32, which is too coarse for finite differences.
    return factories.gpt(**{"noise": 0.3, "logit_cap": 0.0, **config}).double()


def log_p(gpt, vectors):
    with gpt.hooks({"hook_embed": lambda x: vectors}):
        return gpt(IDS[None])[0][0, -1].log_softmax(-1)[TARGET].item()


def vectors_of(gpt):
    return gpt.run_with_cache(IDS[None], names=["hook_embed"])[1]["hook_embed"]


def test_gradients_are_those_of_finite_differences():
    gpt = model()
    x, slope = vectors_of(gpt), torch.zeros(8, 16, dtype=torch.float64)
    for position in range(8):
        for index in range(16):
            step = torch.zeros_like(x)
            step[0, position, index] = 1e-5
            slope[position, index] = (log_p(gpt, x + step) - log_p(gpt, x - step)) / 2e-5
    assert torch.allclose(attribution.saliency(gpt, IDS, TARGET), slope.norm(dim=-1), atol=1e-5)
    assert torch.allclose(attribution.gradient_times_input(gpt, IDS, TARGET), (slope * x[0]).sum(-1), atol=1e-5)


def test_integrated_gradients_sum_to_the_change_from_the_baseline():
    gpt = model()
    mean = attribution.mean_embedding(gpt, torch.arange(40).view(5, 8) % 13 + 2)
    for baseline in (mean, vectors_of(gpt)[0].flip(0)):
        change = attribution.baseline_change(gpt, IDS, TARGET, baseline)
        x = vectors_of(gpt)
        assert change == pytest.approx(log_p(gpt, x) - log_p(gpt, torch.zeros_like(x) + baseline), abs=1e-5)
        error = [
            abs(attribution.integrated_gradients(gpt, IDS, TARGET, baseline, n).sum() - change) for n in (2, 16, 128)
        ]
        assert abs(change) > 0.05 and error[2] < 1e-3 * abs(change) and error[2] < error[1] < error[0]


def test_integrated_gradients_from_the_text_itself_are_zero():
    gpt = model()
    x = vectors_of(gpt)[0]
    assert attribution.integrated_gradients(gpt, IDS, TARGET, x).abs().max() == 0
    assert attribution.baseline_change(gpt, IDS, TARGET, x) == 0
    x = x.clone()
    x[3] += 1  # only a position that differs from its baseline can have caused anything
    assert attribution.integrated_gradients(gpt, IDS, TARGET, x).nonzero().flatten().tolist() == [3]


def test_occlusion_hides_one_position_after_the_other():
    gpt = model()
    x, baseline = vectors_of(gpt), torch.full((16,), 0.25, dtype=torch.float64)
    expected = []
    for position in range(8):
        hidden = x.clone()
        hidden[0, position] = baseline
        expected.append(log_p(gpt, x) - log_p(gpt, hidden))
    scores = attribution.occlusion(gpt, IDS, TARGET, baseline)
    assert scores.tolist() == pytest.approx(expected, abs=1e-5) and scores.abs().min() > 0


def test_the_mean_embedding_is_over_rows_and_positions():
    gpt, ids = model(dropout=0.5).train(), torch.arange(24).view(3, 8) % 13 + 2
    mean = attribution.mean_embedding(gpt, ids)
    assert gpt.training and mean.shape == (16,)
    held = gpt.eval().run_with_cache(ids, names=["hook_embed"])[1]["hook_embed"]
    assert torch.allclose(mean, held.mean((0, 1)))


def test_rollout_multiplies_the_layers_and_reaches_no_earlier_token():
    patterns = torch.stack(factories.gpt(noise=0.3).attention_weights(IDS[None]))
    first, second = (0.5 * layer.mean(0) + 0.5 * torch.eye(8) for layer in patterns)
    reached = attribution.rollout(patterns)
    assert torch.allclose(reached, second @ first, atol=1e-6)
    assert not torch.allclose(reached, first @ second, atol=1e-3)  # the later layer comes last
    assert torch.allclose(reached.sum(-1), torch.ones(8)) and not reached.triu(1).any()
    assert torch.allclose(attribution.attention_rollout(factories.gpt(noise=0.3), IDS), reached[-1])
    assert torch.allclose(attribution.last_layer_attention(factories.gpt(noise=0.3), IDS), patterns[-1, :, -1].mean(0))


def test_rollout_by_hand():
    previous = torch.tensor([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])  # each token attends to the one before
    reached = attribution.rollout(previous.expand(2, 1, 3, 3))
    assert reached[2].tolist() == [0.25, 0.5, 0.25]  # two steps back; one, in either layer; none


@pytest.mark.parametrize("name", attribution.METHODS)
def test_every_method_gives_a_number_for_each_token_and_leaves_the_model(name):
    gpt = factories.gpt(noise=0.3, dropout=0.5).train()
    before = {key: value.clone() for key, value in gpt.state_dict().items()}
    baseline = torch.zeros(16)
    scores = attribution.METHODS[name](gpt, IDS, TARGET, baseline)
    assert scores.shape == (8,) and scores.isfinite().all() and not scores.requires_grad
    assert torch.equal(
        scores, attribution.METHODS[name](gpt, IDS[None], TARGET, baseline)
    )  # without dropout; a row is a text
    assert gpt.training and not gpt.hooked and all(parameter.grad is None for parameter in gpt.parameters())
    assert all(torch.equal(value, before[key]) for key, value in gpt.state_dict().items())


def test_deletion_cuts_the_tokens_with_the_highest_scores_out_of_the_text():
    gpt = model()
    scores = torch.tensor([9.0, 0.1, 0.5, 0.2, 0.9, 0.3, 0.4, 8.0])  # the first and the last are never deleted
    p = gpt(IDS[None])[0][0, -1].softmax(-1)
    q = gpt(IDS[[0, 1, 3, 5, 6, 7]][None])[0][0, -1].softmax(-1)
    assert attribution.deletion_test(gpt, IDS, scores, 2) == pytest.approx((p * (p / q).log()).sum().item(), abs=1e-6)
    q = gpt(IDS[[0, 1, 3, 6, 7]][None])[0][0, -1].softmax(-1)
    kept = attribution.deletion_test(gpt, IDS, scores, 3, keep=2)
    assert kept == pytest.approx((p * (p / q).log()).sum().item(), abs=1e-6)


def test_random_scores_are_those_of_their_seed():
    one = attribution.random_scores(50, 3)
    assert torch.equal(one, attribution.random_scores(50, 3)) and not torch.equal(one, attribution.random_scores(50, 4))
    assert one.unique().numel() == 50


def test_recency_deletes_the_tokens_before_those_that_are_kept():
    gpt, scores = model(), attribution.recency_scores(8)
    last = torch.tensor([0, 0, 0, 0, 1, 1, 0, 0])
    assert attribution.deletion_test(gpt, IDS, scores, 2, keep=2) == attribution.deletion_test(
        gpt, IDS, last, 2, keep=2
    )


def test_bad_input_is_named():
    gpt = model()
    with pytest.raises(ValueError, match="steps is 0: give at least 1"):
        attribution.integrated_gradients(gpt, IDS, TARGET, 0.0, 0)
    for ids in (torch.zeros(0), torch.zeros(2, 3)):
        with pytest.raises(ValueError, match="one text of at least one token"):
            attribution.saliency(gpt, ids, TARGET)
    with pytest.raises(ValueError, match="7 scores are given for 8 tokens"):
        attribution.deletion_test(gpt, IDS, torch.zeros(7))
    for count, keep in ((7, 1), (0, 1), (6, 2)):
        with pytest.raises(ValueError, match="of 8 tokens . may be deleted, not"):
            attribution.deletion_test(gpt, IDS, torch.zeros(8), count, keep)


def test_every_method_works_on_the_models_device(device):
    gpt = factories.gpt(noise=0.3).to(device)
    baseline = attribution.mean_embedding(gpt, IDS[None])
    for name, method in attribution.METHODS.items():
        scores = method(gpt, IDS, TARGET, baseline)
        assert scores.device.type == device.type, name
        assert attribution.deletion_test(gpt, IDS, scores, 2) >= 0
    assert attribution.deletion_test(gpt, IDS, attribution.random_scores(8, 0), 2) >= 0
