"""The recurrent encoder–decoder: padding changes nothing, nothing looks ahead, and it learns."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from helpers.corpus.batches.base import Pair
from helpers.corpus.batches.context_reply_pairs import batch_of
from helpers.models.seq2seq import AdditiveAttention, Seq2Seq, decoder_step
from helpers.training.losses import to_device
from tests.factories import SPECIAL_IDS, seq2seq


def made(attention=True, **changes):
    return seq2seq(attention=attention, **changes)


@pytest.fixture(params=[True, False], ids=["attention", "fixed vector"])
def model(request, device):
    return seq2seq(attention=request.param, scale=3).double().eval().to(device)


def batch(lengths=((7, 5), (3, 6), (1, 2)), device="cpu"):
    random = torch.Generator().manual_seed(0)
    draw = lambda size: torch.randint(6, 15, (size,), generator=random).tolist()  # noqa: E731
    pairs = [Pair([2, *draw(context - 1)], [3, *draw(reply - 1)]) for context, reply in lengths]
    return to_device(batch_of(pairs, pad=0), device)


# --- attention ------------------------------------------------------------------------------------------------------


def test_attention_by_hand():
    attention = AdditiveAttention(1, 1, 1)
    with torch.no_grad():
        (
            attention.W.weight.fill_(0.5),
            attention.W.bias.fill_(0.1),
            attention.U.weight.fill_(-1.0),
            attention.v.fill_(2.0),
        )
    memory, mask = torch.tensor([[[1.0], [-1.0], [9.0]]]), torch.tensor([[True, True, False]])
    context, weights = attention(torch.tensor([[0.8]]), attention.keys(memory), memory, mask)
    # Scores 2·tanh(0.5·0.8 + 0.1 − h): 2·tanh(−0.5) = −0.924234 and 2·tanh(1.5) = 1.810297; the third is padding.
    assert weights[0].tolist() == pytest.approx([0.0610, 0.9390, 0.0], abs=5e-5)
    assert context.item() == pytest.approx(0.0610 - 0.9390, abs=1e-4)


def test_attention_weights_sum_to_one_and_are_zero_at_padding():
    attention, memory = AdditiveAttention(6, 4, 5), torch.randn(3, 8, 4)
    mask = torch.arange(8) < torch.tensor([8, 3, 1])[:, None]
    context, weights = attention(torch.randn(3, 6), attention.keys(memory), memory, mask)
    assert context.shape == (3, 4) and (weights[~mask] == 0).all() and (weights[mask] > 0).all()
    torch.testing.assert_close(weights.sum(-1), torch.ones(3))
    torch.testing.assert_close(context, (weights[..., None] * memory).sum(1))


def test_the_weights_shown_are_those_of_the_decoder():
    model, ids = made().eval(), torch.tensor([[2, 3, 6, 7, 8, 4, 9, 10, 11]])
    (weights,) = model.attention_weights(ids)
    assert weights.shape == (1, 4, 5)
    torch.testing.assert_close(weights.sum(-1), torch.ones(1, 4))
    context, inputs = model.split(ids)
    start, kept, keys = model.encode(context, context > 0)
    first = model.attention(start, keys, kept, context > 0)[1]
    torch.testing.assert_close(weights[:, 0], first)
    assert not model.training and not weights.requires_grad
    assert torch.equal(made().train().attention_weights(ids[0].tolist())[0].sum(-1).round(), torch.ones(1, 4))


def test_the_weights_of_an_attention_from_elsewhere_are_shown_too():
    class Uniform(nn.Module):
        def keys(self, memory):
            return memory

        def forward(self, s, keys, memory, mask):
            weights = mask / mask.sum(-1, keepdim=True)
            return (weights[..., None] * memory).sum(1), weights

    model = made()
    model.attention = Uniform()
    (weights,) = model.attention_weights([2, 3, 6, 7, 4, 9, 10])
    torch.testing.assert_close(weights, torch.full((1, 3, 4), 0.25))


def test_steps_one_after_the_other_are_the_decoder():
    model, read = made().double().eval(), batch()
    mask = read.context > 0
    memory = state, hidden, keys = model.encode(read.context, mask)
    logits, last = model.decode(read.inputs, memory, mask)
    for position, token in enumerate(read.inputs.unbind(1)):
        step, state, weights = decoder_step(model, token, state, hidden, keys, mask)
        torch.testing.assert_close(step, logits[:, position], atol=1e-12, rtol=0)
        assert (weights[~mask] == 0).all()
    torch.testing.assert_close(state, last, atol=1e-12, rtol=0)


def test_without_attention_there_are_no_weights():
    with pytest.raises(ValueError, match="has no attention"):
        made(False).attention_weights([2, 3, 6, 4])


# --- the parts are torch's ------------------------------------------------------------------------------------------


def test_without_attention_it_is_two_grus():
    model, read = made(False).double().eval(), batch(((5, 4), (5, 4)))
    _, last = model.encoder(model.embed(read.context))
    shown, _ = model.decoder(model.embed(read.inputs), last)
    torch.testing.assert_close(model.read(read), model.head(torch.tanh(model.combine(shown))), atol=1e-12, rtol=0)


def test_the_encoder_is_torchs_bidirectional_gru():
    model, read = made().double().eval(), batch(((5, 4), (5, 4)))
    theirs = nn.GRU(8, 6, batch_first=True, bidirectional=True).double()
    weights = dict(model.encoder.state_dict().items())
    weights |= {f"{name}_reverse": value for name, value in model.backward_encoder.state_dict().items()}
    theirs.load_state_dict(weights)
    shown, last = theirs(model.embed(read.context))
    start, kept, keys = model.encode(read.context, read.context > 0)
    torch.testing.assert_close(kept, shown, atol=1e-12, rtol=0)
    torch.testing.assert_close(start, torch.tanh(model.initial_state(torch.cat([*last], dim=-1))), atol=1e-12, rtol=0)
    torch.testing.assert_close(keys, shown @ model.attention.U.weight.T, atol=1e-12, rtol=0)


def test_the_decoder_step_by_hand():
    model, read = made().double().eval(), batch(((5, 3), (4, 3)))
    mask = read.context > 0
    s, kept, keys = model.encode(read.context, mask)
    for place in range(2):
        scores = torch.einsum("bsa,a->bs", torch.tanh(keys + model.attention.W(s)[:, None]), model.attention.v)
        weights = torch.softmax(scores.masked_fill(~mask, -1e9), dim=-1)
        context = torch.einsum("bs,bsh->bh", weights, kept)
        s = model.decoder(torch.cat([model.embed(read.inputs[:, place]), context], -1), s)
        expected = model.head(torch.tanh(model.combine(torch.cat([s, context], -1))))
        torch.testing.assert_close(model.read(read)[:, place], expected, atol=1e-12, rtol=0)


# --- padding, causality, state --------------------------------------------------------------------------------------


def test_a_row_does_not_depend_on_its_padding_or_its_neighbors(model, device):
    lengths = ((7, 5), (3, 6), (1, 2))
    together = batch(lengths, device)
    logits = model.read(together)
    for row, (context, reply) in enumerate(lengths):
        alone = together.context[row : row + 1, :context], together.inputs[row : row + 1, : reply - 1]
        mask = torch.ones_like(alone[0], dtype=torch.bool)
        torch.testing.assert_close(
            model.decode(alone[1], model.encode(alone[0], mask), mask)[0][0],
            logits[row, : reply - 1],
            atol=1e-12,
            rtol=0,
        )
    wider = together._replace(context=functional.pad(together.context, (0, 9)))
    torch.testing.assert_close(model.read(wider), logits, atol=1e-12, rtol=0)


def test_gradients_do_not_reach_padding(model, device):
    together = batch(device=device)
    model.train()  # a GPU's recurrent layers have a gradient only then; the model has no dropout
    embedded = []
    model.embed.register_forward_hook(lambda module, inputs, output: embedded.append(output) or output.retain_grad())
    functional.cross_entropy(model.read(together).flatten(0, 1), together.targets.flatten()).backward()
    for tokens, grad in zip((together.context, together.inputs), (part.grad.norm(dim=-1) for part in embedded)):
        assert (grad[tokens == 0] == 0).all() and (grad[tokens > 0] > 0).all()


def test_later_tokens_of_the_reply_change_nothing_before_and_the_context_changes_all(model, device):
    together = batch(((7, 9), (5, 9)), device)
    before = model.read(together)
    changed = together.inputs.clone()
    changed[:, 4] = 6 + (changed[:, 4] - 5) % 9
    after = model.read(together._replace(inputs=changed))
    torch.testing.assert_close(before[:, :4], after[:, :4], atol=1e-12, rtol=0)
    assert ((before - after)[:, 4:].abs().amax(-1) > 1e-9).all()
    context = together.context.clone()
    context[:, 0] = 6
    assert ((model.read(together._replace(context=context)) - before).abs().amax(-1) > 1e-9).all()


def test_token_by_token_is_all_at_once(model, device):
    ids = torch.tensor([[2, 3, 6, 7, 8, 4, 9, 10, 11, 12], [2, 4, 9, 7, 7, 3, 13, 14, 6, 6]], device=device)
    whole, end = model(ids)
    logits, state = model(ids[:, :6])
    parts = [logits]
    for place in range(6, 10):
        logits, state = model(ids[:, place : place + 1], state)
        parts.append(logits)
    torch.testing.assert_close(torch.cat(parts, 1), whole, atol=1e-12, rtol=0)
    torch.testing.assert_close(state[2], end[2], atol=1e-12, rtol=0)
    forgotten, _ = model(ids[:, 6:], (*model(ids[:, :6])[1][:2], None))
    assert (forgotten - whole[:, 1:]).abs().max() > 1e-4  # without the state something is missing


def test_rows_of_a_state_go_on_as_they_would_alone(model, device):
    ids = torch.tensor([[2, 3, 6, 7, 8, 4], [2, 4, 9, 7, 7, 3]], device=device)
    _, state = model(ids)
    picked = model.select_rows(state, torch.tensor([1, 0, 1], device=device))
    new = torch.tensor([[6], [7], [8]], device=device)
    expected = model(torch.cat([ids[[1, 0, 1]], new], 1))[0][:, -1]
    torch.testing.assert_close(model(new, picked)[0][:, -1], expected, atol=1e-12, rtol=0)


def test_an_empty_context_is_refused(model):
    model.cpu()
    with pytest.raises(ValueError, match="a context is empty"):
        model.encode(torch.zeros(2, 3, dtype=torch.long), torch.tensor([[True] * 3, [False] * 3]))


# --- training -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("attention", [True, False])
def test_it_learns_one_batch_by_heart(attention, device):
    model = made(attention, hidden_size=32, embedding_size=16).to(device)
    together = batch(((7, 5), (3, 6), (1, 2), (4, 6)), device)
    optimizer = torch.optim.AdamW(model.parameters(), 2e-2)
    for _ in range(150):
        loss = functional.cross_entropy(model.read(together).flatten(0, 1), together.targets.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.05


@pytest.mark.parametrize("attention", [True, False])
def test_every_parameter_learns(attention):
    model, together = made(attention), batch()
    functional.cross_entropy(model.read(together).flatten(0, 1), together.targets.flatten()).backward()
    assert all(parameter.grad.abs().max() > 0 for parameter in model.parameters())


def test_bfloat16_changes_little(model, device):
    model, together = model.float(), batch(device=device)
    with torch.autocast(device.type, torch.bfloat16):
        rough = model.read(together)
    fine = model.read(together)
    assert (rough.softmax(-1) - fine.softmax(-1)).abs().max() < 0.15


def test_dropout_works_in_training_only():
    model, together = made(dropout=0.5), batch()
    assert not torch.equal(model.read(together), model.read(together))
    model.eval()
    assert torch.equal(model.read(together), model.read(together))


@pytest.mark.parametrize("attention", [True, False])
def test_the_same_seed_makes_the_same_model_and_config_the_same_shape(attention):
    one = made(attention, seed=5, dropout=0.3, context_tokens=33).eval()
    torch.manual_seed(5)
    other, together = Seq2Seq(**one.config).eval(), batch()
    assert torch.equal(one.read(together), other.read(together))
    assert one.config == {
        "vocab_size": 15,
        "hidden_size": 12,
        "embedding_size": 8,
        "attention": attention,
        "dropout": 0.3,
        "context_tokens": 33,
        **SPECIAL_IDS,
    }
    assert Seq2Seq(**{**one.config, "speakers": [3, 4, 5]}).config == one.config  # as JSON gives it back


def test_parameters_by_hand():
    gru = lambda read, width: 3 * width * (read + width + 2)  # noqa: E731
    ends = 15 * 8 + 8 * 15 + 15  # the embedding, and the head with its bias
    assert made(False).parameter_count() == ends + 2 * gru(8, 12) + 12 * 8 + 8
    attention = 12 * 6 + 6 + 12 * 6 + 6
    assert made().parameter_count() == ends + 2 * gru(8, 6) + gru(20, 12) + 12 * 12 + 12 + attention + 24 * 8 + 8


def test_an_odd_width_is_refused():
    with pytest.raises(ValueError, match="hidden_size is 7: it must be even"):
        made(hidden_size=7)
    made(False, hidden_size=7)
