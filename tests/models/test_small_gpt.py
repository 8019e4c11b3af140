"""The GPT that learners write: the package's GPT with the same weights, trained, cached, and a part of each kind of theirs."""

import functools

import pytest
import torch
from safetensors.torch import load_file

from helpers import data_path
from helpers.bots.bot import Bot
from helpers.corpus.batches.base import Batch
from helpers.generation.sampling import generate
from helpers.models.gpt import GPT, GPTConfig
from helpers.models.gpt2_weights import load_gpt2_weights, read_gpt2
from helpers.models.small_gpt import (
    Attention,
    Block,
    CachedAttention,
    CachedGPT,
    SmallGPT,
    initialize,
    with_cache,
)
from helpers.models.utils import parameter_count
from helpers.training import fit, next_token_loss
from tests.factories import gpt, tokenizer  # noqa: F401
from tests.tiny_gpt2 import FOLDER, KEPT

CONFIG = GPTConfig.gpt2(40, n_embd=24, n_layer=2, n_head=3, context=12)
IDS = torch.randint(40, (3, 12), generator=torch.Generator().manual_seed(0))


def small(std=0.3, **changes):
    """Return a SmallGPT with opinions, in double precision."""
    torch.manual_seed(0)
    model = SmallGPT(GPTConfig.gpt2(**{**CONFIG.__dict__, **changes}))
    for parameter in model.parameters():
        parameter.data += std * torch.randn_like(parameter)
    return model.double().eval()


def test_with_the_same_weights_it_is_the_packages_gpt_also_in_its_gradients():
    theirs = gpt(40, "gpt2", n_embd=24, n_head=3, context=12, noise=0.3).double()
    ours = SmallGPT(CONFIG).double()
    ours.load_state_dict(theirs.state_dict())
    for model in (ours, theirs):
        next_token_loss(model, Batch(IDS[:, :-1], IDS[:, 1:], True)).backward()
    torch.testing.assert_close(ours(IDS)[0], theirs(IDS)[0])
    gradients = [{name: value.grad for name, value in model.named_parameters()} for model in (ours, theirs)]
    torch.testing.assert_close(*gradients)
    theirs.load_state_dict(ours.state_dict())  # and back
    assert parameter_count(ours) == theirs.parameter_count() == parameter_count(theirs)


def test_attention_is_torchs():
    torch.manual_seed(0)
    layer, x = Attention(CONFIG).double(), torch.randn(2, 7, 24, dtype=torch.float64)
    q, k, v = (part.unflatten(-1, (3, 8)).transpose(1, 2) for part in layer.qkv(x).chunk(3, dim=-1))
    mixed = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    torch.testing.assert_close(layer(x), layer.output(mixed.transpose(1, 2).flatten(2)))


def test_parts_of_the_learner_take_the_place_of_ours():
    class Doubled(Attention):
        def forward(self, x):
            return 2 * super().forward(x)

    model = SmallGPT(CONFIG, block=functools.partial(Block, attention=Doubled))
    assert all(type(block.attention) is Doubled for block in model.blocks)
    plain = SmallGPT(CONFIG)
    plain.load_state_dict(model.state_dict())
    assert not torch.allclose(model(IDS)[0], plain(IDS)[0])


@pytest.mark.parametrize(("zero_output", "std"), [(False, 0.02 / 32**0.5), (True, 0.0)])
def test_the_first_weights_are_gpt2s(zero_output, std):
    torch.manual_seed(0)
    model = initialize(SmallGPT(GPTConfig.gpt2(50, n_embd=128, n_layer=16, n_head=4, context=8)), zero_output)
    for block in model.blocks:
        for part in (block.attention.output, block.down):
            assert part.weight.std().item() == pytest.approx(std, rel=0.05) and not part.bias.any()
        for part in (block.attention.qkv, block.up):
            assert part.weight.std().item() == pytest.approx(0.02, rel=0.05) and not part.bias.any()
        assert (block.norm_1.weight == 1).all()
    assert model.embed.weight.std().item() == pytest.approx(0.02, rel=0.05) and model.head.weight is model.embed.weight


@pytest.mark.parametrize(("optimizer", "rate"), [("adamw", 1e-2), ("muon", 5e-2)])
def test_fit_trains_it_to_know_a_batch_by_heart(optimizer, rate):
    torch.manual_seed(0)
    model, batch = initialize(SmallGPT(CONFIG), zero_output=True), Batch(IDS[:, :-1], IDS[:, 1:], True)
    fit(model, [batch] * 120, steps=120, learning_rate=rate, optimizer=optimizer, progress=False)
    assert next_token_loss(model, batch) < 0.1


# --- writing, without a cache and with one ----------------------------------------------------------------------------


@pytest.mark.parametrize("temperature", [0, 1.0])
def test_the_sampler_writes_the_same_with_a_cache_and_without(temperature):
    model = small()
    plain, cached = (
        list(generate(each, [5, 7], seed=3, temperature=temperature, max_tokens=30))
        for each in (model, with_cache(model))
    )  # beyond the context of 12 as well
    again = GPT(CONFIG).double()
    again.load_state_dict(model.state_dict())
    packages = list(generate(again, [5, 7], seed=3, temperature=temperature, max_tokens=30))
    assert plain == cached == packages and len(plain) == 30


@pytest.mark.parametrize("cuts", [(5,), (1, 2, 3), (7, 8, 11)])
def test_read_in_pieces_the_cached_one_says_the_same(cuts):
    model = small()
    cached, state, parts = with_cache(model), None, []
    for piece in torch.tensor_split(IDS, cuts, dim=1):
        logits, state = cached(piece, state)
        parts.append(logits)
    torch.testing.assert_close(torch.cat(parts, dim=1), model(IDS)[0])
    assert [(k.shape, v.shape) for k, v in state] == [((3, 3, 12, 8), (3, 3, 12, 8))] * 2


def test_a_cache_is_not_changed_by_going_on_from_it():
    cached = with_cache(small())
    _, state = cached(IDS[:, :6])
    first = cached(IDS[:, 6:7], state)[0]
    cached(IDS[:, 7:8], state)
    assert torch.equal(cached(IDS[:, 6:7], state)[0], first)


def test_the_cached_one_shares_the_parameters_it_was_made_of():
    model = small()
    cached = with_cache(model)
    assert isinstance(cached, CachedGPT) and cached.head.weight is cached.embed.weight
    with torch.no_grad():
        model.blocks[1].up.weight.add_(1.0)
    torch.testing.assert_close(cached(IDS)[0], model(IDS)[0])


def test_the_learners_own_cached_attention_is_used():
    calls = []

    class Mine(CachedAttention):
        def forward(self, x, past=None):
            calls.append(x.shape[1])
            return super().forward(x, past)

    model = with_cache(small(), Mine)
    calls.clear()
    list(generate(model, [5, 7, 9], max_tokens=3, seed=0))
    assert calls == [3, 3, 1, 1, 1, 1]


class Forgets(CachedAttention):
    def forward(self, x, past=None):
        return super().forward(x, None)


class SeesTheFuture(CachedAttention):
    def forward(self, x, past=None):
        _, (k, v) = super().forward(x, past)
        q = self.qkv(x).chunk(3, dim=-1)[0].unflatten(-1, (self.n_head, -1)).transpose(1, 2)
        mixed = torch.nn.functional.scaled_dot_product_attention(q, k, v)
        return self.output(mixed.transpose(1, 2).flatten(2)), (k, v)


@pytest.mark.parametrize("attention", [Forgets, SeesTheFuture])
def test_a_cache_that_would_change_what_the_model_says_is_refused(attention):
    with pytest.raises(ValueError, match="with the cache the logits differ by up to"):
        with_cache(small(), attention)


def test_a_block_that_is_not_gpt2s_is_refused():
    model = small()
    model.blocks[0].forward = lambda x: x
    with pytest.raises(ValueError, match="it does not keep what the model reads"):
        with_cache(model)


def test_it_talks_as_a_bot(tokenizer):  # noqa: F811
    model = small(vocab_size=len(tokenizer), context=40)
    plain, cached = (
        Bot(each, tokenizer).reply(["Hello!"], seed=1, max_tokens=20) for each in (model, with_cache(model))
    )
    assert plain == cached and plain


# --- weights in Hugging Face's format ---------------------------------------------------------------------------------


def test_the_folder_of_the_course_gives_the_logits_of_the_package_that_wrote_it():
    sizes, _ = read_gpt2(FOLDER)
    model, said = SmallGPT(GPTConfig.gpt2(**sizes)), load_file(FOLDER / "logits.safetensors")
    load_gpt2_weights(model, FOLDER)
    with torch.no_grad():
        torch.testing.assert_close(model(said["tokens"])[0], said["logits"], atol=1e-4, rtol=0)
        assert said["logits"].std() > 1 and parameter_count(model) == 7_648  # opinions: a small mistake would be heard
    assert data_path("tiny_gpt2") == FOLDER and {path.name for path in FOLDER.iterdir()} == set(KEPT)


def test_the_logits_of_that_folder_are_those_of_transformers():
    transformers, said = pytest.importorskip("transformers"), load_file(FOLDER / "logits.safetensors")
    with torch.no_grad():
        logits = transformers.GPT2LMHeadModel.from_pretrained(FOLDER).eval()(said["tokens"]).logits
    torch.testing.assert_close(logits, said["logits"], atol=1e-5, rtol=0)
