"""What learners build in the exercises of notebook 03 does what the package does."""

import pytest
import torch

from helpers.corpus.batches.context_reply_pairs import pairs
from helpers.corpus.tokenizers.characters import CharTokenizer
from helpers.generation.beam_search import Candidate, beam_search, rerank
from helpers.models.seq2seq import AdditiveAttention
from tests import factories
from tests.answers.solutions import run, solutions

SOLUTIONS = solutions("03_encoder_decoder_attention")


def solution(name):
    return run(SOLUTIONS[name], name)


def test_make_pairs_are_the_packages_without_the_first():
    turns, tokenizer = ["ab", "c", "bb", "a"], CharTokenizer("abc")
    ours = solution("make_pairs")(turns, 99)
    theirs = pairs([factories.conversation(*turns)], tokenizer)[1:]
    assert [reply for _, reply in ours] == [tokenizer.decode(pair.reply) for pair in theirs]
    assert ["".join(context) for context, _ in ours] == [tokenizer.decode(pair.context) for pair in theirs]


def test_scores_and_softmax_are_the_packages_attention():
    torch.manual_seed(0)
    attention, memory, states = AdditiveAttention(4, 3, 5), torch.randn(2, 6, 3), torch.randn(2, 4)
    mask = torch.arange(6) < torch.tensor([[6], [2]])
    torch.nn.init.zeros_(attention.W.bias)
    W, U, v = attention.W.weight.T, attention.U.weight.T, attention.v
    scores = torch.stack([solution("additive_scores")(s, rows, W, U, v) for s, rows in zip(states, memory)])
    weights = attention(states, attention.keys(memory), memory, mask)[1]
    torch.testing.assert_close(solution("masked_softmax")(scores, mask), weights)


def test_beam_steps_in_a_loop_are_the_packages_beam_search():
    model = factories.seq2seq(9, scale=4, hidden_size=8, embedding_size=6, speakers=(3, 4)).eval().double()
    ids, beams = [2, 3, 6, 7, 4], [([], 0.0)]
    for _ in range(4):
        rows = torch.tensor([[*ids, *tokens] for tokens, _ in beams])
        with torch.no_grad():
            nats = model(rows)[0][:, -1].log_softmax(-1)
        nats[:, :5] = float("-inf")  # no special tokens: nothing ends
        beams = solution("beam_step")(beams, nats, 3)
    found = beam_search(model, ids, width=3, max_tokens=4, forbidden=range(5))
    # The package's log probabilities are of all tokens, so forbidden ones keep their share.
    assert [candidate.tokens for candidate in found] == [tokens for tokens, _ in beams]
    assert [candidate.log_probability for candidate in found] == pytest.approx([total for _, total in beams])


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
def test_mmi_order_is_the_packages(strength):
    here, anywhere = [-4.0, -12.0, -5.0, -9.0, -7.5], [-13.0, -11.0, -7.0, -6.0, -14.0]
    ranked = rerank([Candidate([place], nats, nats) for place, nats in enumerate(here)], anywhere, strength)
    assert [found.tokens[0] for found in ranked] == solution("mmi_order")(here, anywhere, strength)


def test_the_cost_of_a_reply_is_the_packages_reply_bits():
    from helpers.bots.bot import Bot
    from helpers.evaluation.likelihood import reply_bits, surprisal
    from tests.answers.solutions import NOTEBOOKS
    from tests.notebooks.definitions import lift

    tokenizer = CharTokenizer("abc ")
    bot = Bot(factories.rnn(len(tokenizer)).eval(), tokenizer)
    replies, contexts = ["ab", "c a"], [["a b", "c"], ["bb", "a"]]
    cost = lift(NOTEBOOKS / "03_encoder_decoder_attention.ipynb", "cost")
    cost.__globals__.update(replies=replies, surprisal=surprisal)
    assert cost(bot, contexts).tolist() == pytest.approx(reply_bits(bot, replies, contexts).tolist(), rel=1e-6)
