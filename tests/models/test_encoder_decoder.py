"""What both encoder–decoders share: where a conversation is divided, what its surprise is, what the tools may rely on."""

import numpy as np
import pytest
import torch

from helpers.bots.bot import Bot
from helpers.corpus.tokenizers.base import special_token_ids
from helpers.corpus.tokenizers.characters import CharTokenizer
from helpers.generation.sampling import generate
from helpers.interpretability.input_gradients import input_gradient_norms
from helpers.models.encoder_decoder import EncoderDecoder
from helpers.models.utils import device_of
from tests.factories import SPECIAL_IDS, conversation, seq2seq

SMALL = CharTokenizer("abcdefgh ")  # <pad> 0, <unknown> 1, <end> 2, <A> 3, <B> 4, <other> 5, then a 6, b 7, …
CONFIG = {"vocab_size": 15, "context_tokens": 6, **SPECIAL_IDS}


class Listing(EncoderDecoder):
    """A model that notes what its halves are given; its memory is the context's last token."""

    def __init__(self, **config):
        super().__init__({**CONFIG, **config})
        self.embed = torch.nn.Embedding(15, 4)
        self.seen = []

    def encode(self, context, mask):
        self.seen.append(("encode", context.tolist(), mask.tolist()))
        return context[:, -1].float()

    def decode(self, inputs, memory, mask, state=None):
        self.seen.append(("decode", inputs.tolist(), state))
        return torch.zeros(*inputs.shape, 15), (0 if state is None else state) + inputs.shape[1]


@pytest.fixture(params=[True, False], ids=["attention", "fixed vector"])
def model(request, device):
    return seq2seq(seed=1, scale=3, attention=request.param, context_tokens=20).double().eval().to(device)


def row_of(*texts):
    return [SMALL.end, *SMALL.encode_conversation(conversation(*texts))]


# --- dividing -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ids", "context", "inputs"),
    [
        ([2, 3, 6, 7, 4], [2, 3, 6, 7], [4]),
        ([2, 3, 6, 4, 8, 9], [2, 3, 6], [4, 8, 9]),
        ([2, 3, 6, 6, 6, 6, 6, 6, 6, 4, 8], [6, 6, 6, 6, 6, 6], [4, 8]),  # the last six of the context
        ([3], [2], [3]),  # nothing was said: <end>
        ([2, 5, 8], [2], [5, 8]),
    ],
)
def test_a_row_is_divided_at_its_last_speaker(ids, context, inputs):
    model = Listing()
    logits, _ = model(torch.tensor([ids, ids]))
    assert model.seen[0] == ("encode", [context] * 2, [[True] * len(context)] * 2)
    assert model.seen[1] == ("decode", [inputs] * 2, None)
    assert logits.shape == (2, len(inputs), 15)


def test_a_state_goes_on_without_reading_the_context_again():
    model = Listing()
    _, state = model(torch.tensor([[2, 3, 6, 4]]))
    _, state = model(torch.tensor([[7]]), state)
    _, state = model(torch.tensor([[3, 3]]), state)  # not divided: the reply goes on
    assert [call[0] for call in model.seen] == ["encode", "decode", "decode", "decode"]
    assert model.seen[2:] == [("decode", [[7]], 1), ("decode", [[3, 3]], 2)] and state[2] == 4


def test_rows_that_cannot_be_divided_are_refused():
    with pytest.raises(ValueError, match="must know who replies: put a speaker's token"):
        Listing()(torch.tensor([[2, 3, 6], [2, 6, 6]]))
    with pytest.raises(ValueError, match="at different positions: give such rows one at a time"):
        Listing()(torch.tensor([[2, 3, 6], [2, 6, 4]]))


@pytest.mark.parametrize(
    "wrong",
    [{"pad": 2}, {"end": 15}, {"speakers": (3, 3)}, {"speakers": (-1,)}, {"speakers": ()}, {"context_tokens": 0}],
)
def test_special_tokens_that_cannot_be_are_refused(wrong):
    with pytest.raises(ValueError, match="different numbers from 0 to 14|at least"):
        Listing(**wrong)


def test_marks_are_the_tokenizers():
    special = special_token_ids(SMALL)
    assert special == SPECIAL_IDS
    assert SMALL.decode([*special["speakers"], special["end"]], special=True) == "<A><B><other><end>"


def test_rows_of_a_state_can_be_picked():
    state = (torch.arange(3), (torch.arange(6).view(3, 2), None))
    first, (second, nothing) = Listing().select_rows(state, torch.tensor([2, 0, 0]))
    assert first.tolist() == [2, 0, 0] and second.tolist() == [[4, 5], [0, 1], [0, 1]] and nothing is None


# --- surprise -------------------------------------------------------------------------------------------------------


def by_hand(model, ids):
    """Read every turn alone, token by token, and add nothing up."""
    nats, speakers = [0.0] * (len(ids) - 1), (3, 4, 5)
    for target in range(1, len(ids)):
        said = [place for place in range(target) if ids[place] in speakers]
        if said:  # the first speaker is given
            start = said[-1]
            context = ids[:start][-model.config["context_tokens"] :] or [2]
            logits, _ = model(torch.tensor([context + ids[start:target]], device=device_of(model)))
            nats[target - 1] = -logits[0, -1].log_softmax(-1)[ids[target]].item()
    return nats


@pytest.mark.parametrize("texts", [("ab",), ("ab", "c"), ("abc", "", "hgfe dcba", "a", "b" * 70), ("a",) * 40, ("",)])
def test_surprise_is_the_sum_by_hand(model, texts):
    ids = row_of(*texts)
    nats = model.negative_log_likelihood(ids)
    assert nats.dtype == np.float64 and nats.shape == (len(ids) - 1,)
    np.testing.assert_allclose(nats, by_hand(model, ids), atol=1e-6)
    assert nats[0] == 0 and (nats[1:] > 0).all()


def test_a_conversation_may_stop_in_the_middle(model):
    whole = row_of("abc", "de", "fgh")
    nats = model.negative_log_likelihood(whole)
    for length in range(2, len(whole)):
        np.testing.assert_allclose(model.negative_log_likelihood(whole[:length]), nats[: length - 1], atol=1e-6)
    without = model.negative_log_likelihood(np.array(whole[1:], dtype=np.int32))  # begins with a speaker
    np.testing.assert_allclose(without[:3], nats[1:4], atol=1e-6)


def test_surprise_is_measured_without_dropout_and_leaves_the_mode():
    model = seq2seq(dropout=0.5).train()
    first = model.negative_log_likelihood(row_of("abc", "de"))
    assert model.training and np.array_equal(first, model.negative_log_likelihood(row_of("abc", "de")))
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize("ids", [[], [2], [2, 6, 3], [6, 3, 7], [[2, 3, 6]], [2, 2, 3]])
def test_a_row_that_does_not_begin_with_a_speaker_is_refused(model, ids):
    with pytest.raises(ValueError, match="begin with <end> and the token of the first speaker"):
        model.negative_log_likelihood(ids)


def test_a_text_so_long_that_it_is_read_alone(model):
    ids = row_of("a" * 9000, "b")
    assert model.negative_log_likelihood(ids).shape == (len(ids) - 1,)


# --- the tools of the course ----------------------------------------------------------------------------------------


def test_a_bot_replies(model):
    bot = Bot(model.float(), SMALL)
    replies = [bot.reply(["abc", "de", "f"], seed=seed, max_tokens=12) for seed in (0, 0, 1, 2)]
    assert replies[0] == replies[1] and len(set(replies)) > 1
    assert set("".join(replies)) <= set(SMALL.characters)


def test_greedy_generation_is_the_argmax_of_reading_all_again(model, device):
    ids, expected = [2, 3, 6, 7, 4], []
    for _ in range(15):
        expected.append(6 + int(model(torch.tensor([ids + expected], device=device))[0][0, -1, 6:].argmax()))
    assert list(generate(model, ids, temperature=0, max_tokens=15, forbidden=range(6))) == expected


def test_gradients_reach_context_and_reply(model):
    model.cpu()
    ids = [2, 3, 6, 7, 8, 4, 9, 10]
    norms = input_gradient_norms(model, ids)
    assert norms.shape == (8,) and (norms > 0).all()
    step, at = 1e-6, 2
    weight = model.embed.weight  # the letter 6 occurs only there: nudging its embedding nudges that place
    logits = model(torch.tensor([ids]))[0][0, -1]
    chosen, before = logits.argmax(), logits.log_softmax(-1)
    slopes = []
    for column in range(weight.shape[1]):
        weight.data[6, column] += step
        slopes.append((model(torch.tensor([ids]))[0][0, -1].log_softmax(-1)[chosen] - before[chosen]).item() / step)
        weight.data[6, column] -= step
    assert norms[at] == pytest.approx(np.linalg.norm(slopes), rel=1e-3)
