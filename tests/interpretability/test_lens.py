"""The lens: after the last layer it is the model itself, with norm and cap; the tuned one learns the last layer's prediction."""

import pytest
import torch

from helpers.interpretability import lens
from tests import factories

IDS = torch.arange(36).view(3, 12) % 13 + 2
KINDS = [{"recipe": "modern"}, {"recipe": "modern", "bigram_rows": 31}, {"recipe": "gpt2"}]


@pytest.mark.parametrize("config", KINDS)
def test_after_the_last_layer_the_lens_is_the_model(config):
    gpt = factories.gpt(noise=0.4, **config)
    stream = lens.residual_stream(gpt, IDS)
    assert stream.shape == (3, 3, 12, 16)
    assert torch.allclose(lens.logit_lens(gpt, stream[-1]), gpt(IDS)[0], atol=1e-5)
    assert (lens.logit_lens(gpt, stream[0]) - gpt(IDS)[0]).abs().max() > 0.1


def test_the_final_norm_takes_the_size_away_and_the_cap_holds():
    gpt = factories.gpt(noise=0.4, embedding=30)
    stream = lens.residual_stream(gpt, IDS)
    assert torch.allclose(lens.logit_lens(gpt, 5 * stream), lens.logit_lens(gpt, stream), atol=1e-3)
    assert gpt.head(gpt.norm(stream)).abs().max() > 20 and lens.logit_lens(gpt, stream).abs().max() <= 15


def test_the_stream_is_what_enters_the_first_block_and_leaves_each():
    gpt = factories.gpt(noise=0.4, dropout=0.5).train()
    assert lens.stream_names(gpt) == ["hook_embed", "blocks.0.hook_resid_post", "blocks.1.hook_resid_post"]
    stream = lens.residual_stream(gpt, IDS)
    assert gpt.training and torch.equal(stream, lens.residual_stream(gpt, IDS))  # without dropout
    cache = gpt.eval().run_with_cache(IDS, names=["blocks.1.hook_resid_pre"])[1]
    assert torch.equal(stream[1], cache["blocks.1.hook_resid_pre"])


def test_an_untrained_tuned_lens_changes_nothing_and_a_trained_one_nears_the_last_layer():
    gpt = factories.gpt(noise=0.4)
    before = {name: value.clone() for name, value in gpt.state_dict().items()}
    stream = lens.residual_stream(gpt, IDS)
    assert torch.equal(lens.TunedLens(gpt)(stream), stream)
    tuned = lens.train_tuned_lens(gpt, IDS, steps=40, batch_size=8)
    assert torch.equal(tuned(stream)[-1], stream[-1])
    before_and_after = [lens.lens_divergence(gpt, x).mean((1, 2)) for x in (stream, tuned(stream))]
    assert (before_and_after[1] < 0.5 * before_and_after[0]).all()
    assert all(torch.equal(value, before[name]) for name, value in gpt.state_dict().items())
    assert all(parameter.requires_grad and parameter.grad is None for parameter in gpt.parameters())
    again = lens.train_tuned_lens(gpt, IDS, steps=40, batch_size=8)
    assert all(torch.equal(one, other) for one, other in zip(tuned.parameters(), again.parameters()))
    other = lens.train_tuned_lens(gpt, IDS, steps=3, batch_size=8, seed=1)  # in another order
    assert not torch.equal(other.maps[0].weight, lens.train_tuned_lens(gpt, IDS, steps=3, batch_size=8).maps[0].weight)
    assert not any(parameter.requires_grad for parameter in tuned.parameters()) and not tuned.training


def test_the_divergence_is_that_of_each_layer_from_the_last():
    gpt = factories.gpt(noise=0.4)
    stream = lens.residual_stream(gpt, IDS)
    p, q = gpt(IDS)[0].softmax(-1), lens.logit_lens(gpt, stream[1]).softmax(-1)
    divergence = lens.lens_divergence(gpt, stream)
    assert torch.allclose(divergence[1], (p * (p / q).log()).sum(-1), atol=1e-4)
    assert not torch.allclose(divergence[1], (q * (q / p).log()).sum(-1), atol=1e-2)  # not the other way around


def test_the_table_counts_loss_agreement_and_repetition():
    gpt = factories.gpt(noise=0.2, embedding=8)
    rows = lens.lens_table(gpt, IDS)
    assert [row.layer for row in rows] == [0, 1, 2] and rows[-1].agrees == 1
    logits = gpt(IDS[:, :-1])[0]
    nats = torch.nn.functional.cross_entropy(logits.flatten(0, 1), IDS[:, 1:].flatten()).item()
    assert rows[-1].nats == pytest.approx(nats, abs=1e-5)
    stream = lens.residual_stream(gpt, IDS[:, :-1])
    top = lens.logit_lens(gpt, stream[1]).argmax(-1)
    assert rows[1].agrees == pytest.approx((top == logits.argmax(-1)).float().mean().item())
    assert rows[0].repeats == 1  # tied embeddings: before the first block the likeliest token is the one just read
    tuned = lens.TunedLens(gpt)
    tuned.maps[0].weight.data -= 2 * torch.eye(16)  # turns the stream around
    changed = lens.lens_table(gpt, IDS, tuned)
    assert changed[0].repeats == 0 and changed[-1] == rows[-1]


def test_a_lens_of_another_model_is_refused():
    gpt = factories.gpt()
    with pytest.raises(ValueError, match=r"for a stream \[3, ..., C\]; this has 4 layers"):
        lens.TunedLens(gpt)(torch.zeros(4, 2, 16))


def test_a_lens_is_trained_and_read_on_the_models_device(device):
    gpt = factories.gpt(noise=0.4).to(device)
    tuned = lens.train_tuned_lens(gpt, IDS, steps=3, batch_size=8)
    assert {parameter.device.type for parameter in tuned.parameters()} == {device.type}
    assert lens.lens_table(gpt, IDS, tuned)[0].nats > 0
