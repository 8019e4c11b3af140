"""Direct logit attribution: the parts sum exactly to the uncapped logit, for every kind of GPT; heads by the output matrix."""

import pytest
import torch

from helpers.interpretability import logit_attribution as dla
from helpers.interpretability.lens import residual_stream
from tests import factories

IDS = torch.arange(24).view(2, 12) % 13 + 2
KINDS = [
    {"recipe": "modern"},
    {"recipe": "modern", "bigram_rows": 31, "n_kv_head": 1},
    {"recipe": "gpt2"},
    {"recipe": "gpt2", "bias": False},
    {"recipe": "modern", "bias": True, "activation": "swiglu"},
]


def model(**config):
    return factories.gpt(noise=0.4, **config).double()


@pytest.mark.parametrize("config", KINDS)
def test_the_parts_sum_to_the_stream_and_to_the_uncapped_logit(config):
    gpt = model(**config)
    names, parts = dla.stream_parts(gpt, IDS)
    assert len(names) == len(parts) and names[:4] == ["embedding", "head 0.0", "head 0.1", "MLP 0"]
    assert torch.allclose(parts.sum(0), residual_stream(gpt, IDS)[-1], atol=1e-12)
    logits = dla.uncapped_logits(gpt, IDS)
    names_again, terms = dla.direct_logit_attribution(gpt, IDS, 9)
    assert names_again == names and torch.allclose(terms.sum(0), logits[..., 9], atol=1e-12)
    _, terms = dla.direct_logit_attribution(gpt, IDS, 9, 4)
    assert torch.allclose(terms.sum(0), logits[..., 9] - logits[..., 4], atol=1e-12)


def test_it_is_the_logit_before_the_cap():
    gpt = factories.gpt(noise=0.4, embedding=30)
    uncapped, capped = dla.uncapped_logits(gpt, IDS), gpt(IDS)[0]
    assert uncapped.abs().max() > 15 and torch.allclose(15 * torch.tanh(uncapped / 15), capped, atol=1e-4)
    _, terms = dla.direct_logit_attribution(gpt, IDS, 9)
    assert torch.allclose(terms.sum(0), uncapped[..., 9], atol=1e-3)
    assert (terms.sum(0) - capped[..., 9]).abs().max() > 1


def test_each_head_is_its_own_columns_of_the_output_matrix():
    gpt = model()
    names, parts = dla.stream_parts(gpt, IDS)
    gpt.blocks[0].attention.output.weight.data[:, 8:] = 0  # the columns that head 1 uses
    _, without = dla.stream_parts(gpt, IDS)
    index = names.index("head 0.1")
    assert parts[index].abs().max() > 0.01 and not without[index].any()
    assert torch.equal(parts[index - 1], without[index - 1])  # head 0 of the same layer writes what it wrote


def test_head_outputs_sum_to_the_matrix_times_all_heads():
    generator = torch.Generator().manual_seed(0)
    weight, z = torch.randn(5, 12, generator=generator), torch.randn(2, 4, 6, 3, generator=generator)
    together = z.transpose(1, 2).flatten(2) @ weight.T
    assert torch.allclose(dla.head_outputs(weight, z).sum(0), together, atol=1e-5)


def test_terms_are_divided_by_the_size_of_the_sum():
    parts = torch.tensor([[3.0, 0.0], [0.0, 4.0]])
    assert dla.logit_parts(parts, torch.tensor([1.0, 2.0]), 5.0).tolist() == pytest.approx([0.6, 1.6])
    gpt, stream = model(), torch.tensor([[3.0, 4.0]])
    assert dla.final_scale(gpt, stream).item() == pytest.approx(12.5**0.5, abs=1e-5)
    assert dla.final_scale(gpt, torch.zeros(1, 2)).item() == pytest.approx(gpt.norm.eps**0.5)  # never 0
    layer_norm = model(recipe="gpt2")
    assert dla.final_scale(layer_norm, stream).item() == pytest.approx(0.5, abs=1e-4)  # the mean is taken away first


def test_a_token_that_is_not_there_is_named():
    for arguments in ((16,), (-1,), (3, 16)):
        with pytest.raises(ValueError, match="there is no token .*: the vocabulary has 16"):
            dla.direct_logit_attribution(model(), IDS, *arguments)


def test_the_parts_sum_on_the_models_device(device):
    gpt = factories.gpt(noise=0.4).to(device)
    _, terms = dla.direct_logit_attribution(gpt, IDS, 9, 4)
    logits = dla.uncapped_logits(gpt, IDS)
    assert terms.device.type == device.type and torch.allclose(terms.sum(0), logits[..., 9] - logits[..., 4], atol=1e-4)
