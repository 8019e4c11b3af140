"""The transformer: torch's own layers, a decoder that is blind to the future, and a cache that changes nothing."""

import numpy as np
import pytest
import torch
from torch import nn

from helpers.bots.bot import Bot
from helpers.corpus.batches.base import IGNORED
from helpers.corpus.batches.context_reply_pairs import PairBatch
from helpers.corpus.tokenizers.base import special_token_ids
from helpers.corpus.tokenizers.characters import CharTokenizer
from helpers.generation.sampling import generate
from helpers.interpretability.input_gradients import input_gradient_norms
from helpers.models.transformer import DecoderLayer, EncoderLayer, Transformer
from tests.factories import conversation

TOKENIZER = CharTokenizer("abcdefgh !?")
A, B, END = TOKENIZER.speaker("A"), TOKENIZER.speaker("B"), TOKENIZER.end
SIZES = {"vocab_size": len(TOKENIZER), "d_model": 16, "n_head": 4, "n_layer": 2, **special_token_ids(TOKENIZER)}
IDS = torch.tensor([[END, A, *TOKENIZER.encode("head"), B, *TOKENIZER.encode("a bed")]])


def close(ours, theirs, atol=1e-9):
    torch.testing.assert_close(ours, theirs, atol=atol, rtol=0)


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


@pytest.fixture
def model():
    return Transformer(**SIZES).eval().double()


@pytest.fixture
def placed(model, device):
    """The model and IDS where there is a GPU on it."""
    return model.to(device), IDS.to(device)


def mask_of(context):
    return context != TOKENIZER.pad


# --- torch's own layers are the reference ------------------------------------------------------------------------------


def same_attention(ours, theirs):
    theirs.in_proj_weight.copy_(ours.in_proj.weight), theirs.in_proj_bias.copy_(ours.in_proj.bias)
    theirs.out_proj.load_state_dict(ours.out_proj.state_dict())


@torch.no_grad()
def torchs(ours, kind):
    theirs = kind(16, 4, 32, dropout=0.0, batch_first=True, norm_first=ours.norm_first).double()
    same_attention(ours.self_attention, theirs.self_attn)
    theirs.linear1.load_state_dict(ours.feed_forward.up.state_dict())
    theirs.linear2.load_state_dict(ours.feed_forward.down.state_dict())
    norms = [ours.self_attention_norm, ours.feed_forward_norm]
    if isinstance(ours, DecoderLayer):
        same_attention(ours.cross_attention, theirs.multihead_attn)
        norms.insert(1, ours.cross_attention_norm)
    for number, norm in enumerate(norms, 1):
        getattr(theirs, f"norm{number}").load_state_dict(norm.state_dict())
    return theirs


def scattered(layer):
    """Return the layer with no parameter at its first value: a norm's 1 and a bias's 0 would hide mistakes."""
    for parameter in layer.parameters():
        nn.init.normal_(parameter, std=0.5)
    return layer.double()


@pytest.mark.parametrize("norm_first", [True, False])
def test_the_encoder_layer_is_torchs(norm_first):
    layer, x = scattered(EncoderLayer(16, 4, 32, norm_first=norm_first)), torch.randn(2, 5, 16).double()
    padded = torch.tensor([[False] * 5, [False] * 3 + [True] * 2])
    expected = torchs(layer, nn.TransformerEncoderLayer)(x, src_key_padding_mask=padded)
    close(layer(x, ~padded[:, None, None])[~padded], expected[~padded])


@pytest.mark.parametrize("norm_first", [True, False])
def test_the_decoder_layer_is_torchs(norm_first):
    layer = scattered(DecoderLayer(16, 4, 32, norm_first=norm_first))
    x, memory = torch.randn(2, 5, 16).double(), torch.randn(2, 7, 16).double()
    future = nn.Transformer.generate_square_subsequent_mask(5).double()
    expected = torchs(layer, nn.TransformerDecoderLayer)(x, memory, tgt_mask=future)
    close(layer(x, memory), expected)


def test_a_token_is_what_it_is_times_the_root_of_the_width_plus_where_it_is(model):
    placed = model.embed_with_positions(torch.tensor([[7, 7]]), start=3)
    assert placed[0, 1, 0].item() == pytest.approx(model.embed.weight[7, 0].item() * 4 + np.sin(4), abs=1e-6)
    assert placed[0, 1, 1].item() == pytest.approx(model.embed.weight[7, 1].item() * 4 + np.cos(4), abs=1e-6)


def test_the_head_is_the_embedding(model):
    assert sum(p.shape[0] == len(TOKENIZER) for p in model.parameters()) == 1
    assert model.parameter_count() == sum(p.numel() for p in model.parameters())
    hidden = torch.randn(1, 1, 16).double()
    model.decoder, model.decoder_norm = nn.ModuleList(), nn.Identity()
    model.embed_with_positions = lambda ids, start: hidden
    close(model.decode(IDS, None, mask_of(IDS), None)[0], hidden @ model.embed.weight.T)


# --- who sees what -------------------------------------------------------------------------------------------------------


def test_the_decoder_does_not_see_later_reply_tokens(placed):
    model, ids = placed
    context, inputs = ids[:, :6], ids[:, 6:]
    memory = model.encode(context, mask_of(context))
    whole, _ = model.decode(inputs, memory, mask_of(context))
    for place in range(1, inputs.shape[1]):
        changed = inputs.clone()
        changed[:, place:] = 13
        other, _ = model.decode(changed, memory, mask_of(context))
        close(other[:, :place], whole[:, :place], atol=1e-12)
        assert (other[:, place:] - whole[:, place:]).abs().max() > 1e-3


def test_the_encoder_sees_both_ways(placed):
    model, ids = placed
    context = ids[:, :6]
    changed = context.clone()
    changed[:, -1] = 13
    before, after = (model.encode(ids, mask_of(ids)) for ids in (context, changed))
    assert ((before - after).abs().amax(-1) > 1e-4).all()  # the first token, too, knows of the last


def test_padding_changes_nothing(placed):
    model, ids = placed
    short, long = ids[:, :4], ids[:, :6]
    both = torch.cat([nn.functional.pad(short, (0, 2), value=TOKENIZER.pad), long])
    inputs = ids[:, 6:].repeat(2, 1)
    together = model.read(PairBatch(both, inputs, inputs))
    for row, context in enumerate((short, long)):
        close(together[row], model.read(PairBatch(context, inputs[:1], inputs[:1]))[0], atol=1e-6)


@pytest.mark.parametrize("cuts", [[1, 2, 3, 4, 5], [3], [2, 5]])
def test_reading_piece_by_piece_is_reading_at_once(placed, cuts):
    model, ids = placed
    whole, _ = model(ids)
    pieces = torch.tensor_split(ids[:, 6:], cuts, dim=1)
    logits, state = model(torch.cat([ids[:, :6], pieces[0]], dim=1))
    found = [logits]
    for piece in pieces[1:]:
        logits, state = model(piece, state)
        found.append(logits)
    close(torch.cat(found, dim=1), whole, atol=1e-6)  # positions are float32


def test_a_state_is_never_changed(model):
    _, state = model(IDS[:, :8])
    first, _ = model(IDS[:, 8:9], state)
    again, _ = model(IDS[:, 8:9], state)
    close(first, again, atol=0)


def test_rows_of_a_state_can_be_picked(placed):
    model, ids = placed
    rows = ids.repeat(2, 1)
    rows[1, 3] = 13
    _, state = model(rows[:, :-1])
    expected, _ = model(rows)
    swapped = model.select_rows(state, torch.tensor([1, 0], device=ids.device))
    logits, _ = model(rows[:, -1:].flip(0), swapped)
    close(logits[:, -1].flip(0), expected[:, -1], atol=1e-6)


def test_a_text_may_be_longer_than_any_before(model):
    ids = torch.cat([IDS[:, :7], torch.full((1, 500), 8)], dim=1)
    assert torch.isfinite(model(ids)[0]).all()


# --- what it is for ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("norm_first", [True, False])
def test_it_learns_a_batch_by_heart(norm_first, device):
    words = ["bed", "a bad head", "face"]
    context = torch.full((3, 12), TOKENIZER.pad)
    inputs, targets = torch.zeros(3, 11, dtype=torch.long), torch.full((3, 11), IGNORED)
    for row, word in enumerate(words):
        ids = TOKENIZER.encode(word)
        context[row, : len(ids) + 2] = torch.tensor([END, A, *ids])
        inputs[row, : len(ids) + 1] = torch.tensor([B, *ids[::-1]])  # say it backwards
        targets[row, : len(ids) + 1] = torch.tensor([*ids[::-1], END])
    model = Transformer(**{**SIZES, "dropout": 0.0, "norm_first": norm_first}).to(device)
    context, inputs, targets = context.to(device), inputs.to(device), targets.to(device)
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    for _ in range(200):
        logits = model.read(PairBatch(context, inputs, targets))
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.05
    bot = Bot(model.eval(), TOKENIZER)
    assert [bot.reply([word], temperature=0) for word in words] == [word[::-1] for word in words]


def test_gradients_reach_every_token_of_the_context_and_of_the_reply(model):
    reach = input_gradient_norms(model, IDS[0])
    assert reach.shape == (IDS.shape[1],) and (reach > 0).all()


def test_a_conversation_is_surprising_as_its_turns_are(model):
    ids = [END, *TOKENIZER.encode_conversation(conversation("bed", "a bad head"))]
    nats = model.negative_log_likelihood(ids)
    reply, _ = model(torch.tensor([ids[:-1]]))
    expected = -reply[0].log_softmax(-1)[torch.arange(reply.shape[1]), ids[-reply.shape[1] :]]
    assert nats[-reply.shape[1] :] == pytest.approx(expected.tolist(), abs=1e-6)


def test_it_samples_with_a_state(model):
    greedy = list(generate(model, IDS[0, :7].tolist(), temperature=0, max_tokens=5))
    ids = IDS[:, :7]
    for token in greedy:
        assert model(ids)[0][0, -1].argmax() == token
        ids = torch.cat([ids, torch.tensor([[token]])], dim=1)


def test_where_it_looks(model):
    across = model.attention_weights(IDS)
    encoder, own = model.self_attention_weights(IDS)
    assert [tuple(w.shape) for w in across] == [(4, 6, 6)] * 2
    assert [tuple(w.shape) for w in encoder] == [(4, 6, 6)] * 2 and [tuple(w.shape) for w in own] == [(4, 6, 6)] * 2
    for weights in (*across, *encoder, *own):
        close(weights.sum(-1), torch.ones(4, 6).double())
    assert all((weights.triu(1) == 0).all() for weights in own)
    assert all((weights.triu(1) > 0).any() for weights in encoder)


def test_the_weights_are_those_of_its_forward(model, monkeypatch):
    seen = []
    layer = model.decoder[1].cross_attention
    kept = layer.attend
    monkeypatch.setattr(
        layer, "attend", lambda q, k, v, *rest, **more: seen.append((q, k)) or kept(q, k, v, *rest, **more)
    )
    model(IDS)
    q, k = seen[0]
    close(model.attention_weights(IDS)[1], ((q @ k.mT) / 2).softmax(-1)[0])


def test_measuring_leaves_the_mode_alone(model):
    model.train()
    model.attention_weights(IDS)
    assert model.training and all(part.training for part in model.modules())


# --- what cannot be ------------------------------------------------------------------------------------------------------


def test_heads_that_do_not_divide_the_width():
    with pytest.raises(ValueError, match="3 heads"):
        Transformer(**{**SIZES, "n_head": 3})


def test_an_odd_width():
    with pytest.raises(ValueError, match="even number"):
        Transformer(**{**SIZES, "d_model": 15, "n_head": 3})


def test_several_rows_have_no_single_picture(model):
    with pytest.raises(ValueError, match="one row"):
        model.attention_weights(IDS.repeat(2, 1))


def test_the_config_builds_it_again(model):
    again = Transformer(**model.config).double().eval()
    again.load_state_dict(model.state_dict())
    close(again(IDS)[0], model(IDS)[0], atol=0)
