"""What learners build in notebook 03 does what the package and torch do."""

import pytest
import torch

from helpers.experiments.bottleneck import LETTERS, RepeatBatches
from helpers.generation import beam_search_from_scratch
from helpers.generation.beam_search import Candidate, beam_search, rerank
from helpers.models.seq2seq import AdditiveAttention, Seq2Seq
from helpers.models.seq2seq import decoder_step as package_step
from helpers.training import fit, reply_loss
from tests import factories
from tests.answers.solutions import NOTEBOOKS, run, solutions
from tests.notebooks.definitions import lift

NOTEBOOK = "03_encoder_decoder_attention"
SOLUTIONS = solutions(NOTEBOOK)
SIZES = (15, 12, 8)


def solution(name):
    return run(SOLUTIONS[name], name, NOTEBOOK)


def learners_network():
    """Return the class of the notebook that puts the learner's attention and step into the package's network."""
    network = lift(NOTEBOOKS / f"{NOTEBOOK}.ipynb", "Attentive")
    network.__init__.__globals__.update(Attention=solution("Attention"), decoder_step=solution("decoder_step"))
    return network


def test_the_encoder_and_the_decoder_are_the_packages():
    ours, theirs = solution("OneVector")(*SIZES, **factories.SPECIAL_IDS), factories.seq2seq(attention=False)
    theirs.load_state_dict(ours.state_dict())
    ids = torch.tensor([[2, 3, 6, 7, 8, 4, 9, 10, 11]])
    torch.testing.assert_close(ours(ids)[0], theirs(ids)[0])
    logits, state = ours(ids[:, :7])
    going_on, _ = ours(ids[:, 7:], state)
    torch.testing.assert_close(torch.cat([logits, going_on], 1), theirs(ids)[0])


def test_the_attention_is_the_packages():
    torch.manual_seed(0)
    ours, theirs = solution("Attention")(4, 3, 5), AdditiveAttention(4, 3, 5)
    theirs.load_state_dict(ours.state_dict())
    s, hidden, mask = torch.randn(2, 4), torch.randn(2, 6, 3), torch.arange(6) < torch.tensor([[6], [2]])
    torch.testing.assert_close(ours(s, ours.keys(hidden), hidden, mask), theirs(s, theirs.keys(hidden), hidden, mask))


def test_the_attention_is_torchs_softmax_and_sum_written_out():
    attention, s, hidden = solution("Attention")(4, 3, 5), torch.randn(2, 4), torch.randn(2, 6, 3)
    query = torch.nn.functional.linear(s, attention.W.weight, attention.W.bias)
    keys = torch.nn.functional.linear(hidden, attention.U.weight)
    scores = torch.einsum("bsa,a->bs", torch.tanh(query[:, None] + keys), attention.v)
    context, weights = attention(s, attention.keys(hidden), hidden, torch.ones(2, 6, dtype=torch.bool))
    torch.testing.assert_close(weights, torch.nn.functional.softmax(scores, dim=-1))
    torch.testing.assert_close(context, torch.einsum("bs,bsm->bm", weights, hidden))


def test_a_step_is_the_packages():
    model, mask = factories.seq2seq(scale=3).eval(), torch.ones(2, 5, dtype=torch.bool)
    start, hidden, keys = model.encode(torch.randint(6, 15, (2, 5)), mask)
    given = model, torch.tensor([7, 9]), start, hidden, keys, mask
    torch.testing.assert_close(solution("decoder_step")(*given), package_step(*given))


def test_the_learners_network_is_the_packages():
    ours, theirs = learners_network()(*SIZES, **factories.SPECIAL_IDS), factories.seq2seq()
    theirs.load_state_dict(ours.state_dict())
    ids = torch.tensor([[2, 3, 6, 7, 8, 4, 9, 10, 11]])
    torch.testing.assert_close(ours(ids)[0], theirs(ids)[0])
    assert type(ours.attention).__name__ == "Attention"
    torch.testing.assert_close(ours.attention_weights(ids), theirs.attention_weights(ids))


def test_the_learners_network_can_be_trained():
    special = {"speakers": (LETTERS.speaker("A"), LETTERS.speaker("B")), "pad": LETTERS.pad, "end": LETTERS.end}
    torch.manual_seed(0)
    model = learners_network()(len(LETTERS), 16, 8, **special)
    before = reply_loss(model, RepeatBatches()[99]).item()
    fit(model, RepeatBatches(), steps=30, learning_rate=2e-2, loss=reply_loss, progress=False)
    assert reply_loss(model, RepeatBatches()[99]).item() < before - 0.2


def test_the_learners_beam_search_is_the_packages_from_scratch():
    model = factories.seq2seq(9, scale=4, hidden_size=8, embedding_size=6, speakers=(3, 4)).eval().double()
    for width, penalty in ((1, 0.0), (3, 0.0), (3, 1.0)):
        ask = [beam_search_from_scratch.NextToken(model, [2, 3, 6, 7, 4], (2, 3, 4), (0, 1)) for _ in range(2)]
        ours = solution("beam_search")(ask[0], width, 5, 2, penalty)
        theirs = beam_search_from_scratch.beam_search(ask[1], width, 5, 2, penalty)
        assert [tokens for tokens, _ in ours] == [tokens for tokens, _ in theirs]
        assert [total for _, total in ours] == pytest.approx([total for _, total in theirs])


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
def test_mmi_order_is_the_packages(strength):
    here, anywhere = [-4.0, -12.0, -5.0, -9.0, -7.5], [-13.0, -11.0, -7.0, -6.0, -14.0]
    ranked = rerank([Candidate([index], nats, nats) for index, nats in enumerate(here)], anywhere, strength)
    assert [found.tokens[0] for found in ranked] == solution("mmi_order")(here, anywhere, strength)


def test_without_a_sibling_penalty_the_search_is_the_packages():
    model = factories.seq2seq(9, scale=4, hidden_size=8, embedding_size=6, speakers=(3, 4)).eval().double()
    ids, rules = [2, 3, 6, 7, 4], {"stop": (2, 3, 4), "forbidden": (0, 1)}
    ask = beam_search_from_scratch.NextToken(model, ids, *rules.values())
    found = solution("beam_search")(lambda beginnings: solution("sibling_penalty")(ask(beginnings), 0.0), 3, 20, 2)
    theirs = beam_search(model, ids, width=3, max_tokens=20, **rules)
    assert found[0][0] == theirs[0].tokens and found[0][1] == pytest.approx(theirs[0].log_probability)


def test_the_notebooks_encoder_is_the_packages():
    model = factories.seq2seq(scale=3).eval()
    context = torch.randint(6, 15, (2, 5))
    theirs = model.encode(context, torch.ones(2, 5, dtype=torch.bool))
    torch.testing.assert_close(lift(NOTEBOOKS / f"{NOTEBOOK}.ipynb", "encode")(model, context), theirs)


def test_the_notebooks_gru_is_torchs():
    ours, torchs = lift(NOTEBOOKS / f"{NOTEBOOK}.ipynb", "GRUCell")(3, 5), torch.nn.GRUCell(3, 5)
    torchs.load_state_dict({"weight_ih": ours.W.T, "weight_hh": ours.U.T, "bias_ih": ours.b, "bias_hh": 0 * ours.b})
    x, h = torch.randn(4, 3), torch.randn(4, 5)
    torch.testing.assert_close(ours(x, h), torchs(x, h))


def test_the_packages_class_can_take_the_learners_place():
    ids = torch.tensor([[2, 3, 6, 7, 8, 4, 9]])
    assert Seq2Seq(*SIZES, attention=False, **factories.SPECIAL_IDS)(ids)[0].shape == (1, 2, 15)
