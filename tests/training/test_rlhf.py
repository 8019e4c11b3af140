"""The policy gradient on a GPT: what is drawn, what it is worth, the leash, and a reward that is no number."""

import copy
import math

import pytest
import torch

from helpers.corpus.batches.base import IGNORED
from helpers.corpus.batches.prompts import ContextBatches, contexts
from helpers.corpus.conversations import Conversation, Turn
from helpers.corpus.implicit_feedback import Preference
from helpers.corpus.tokenizers.bpe import BPETokenizer
from helpers.generation.rollout import marks_of, roll_out
from helpers.generation.scoring import token_log_probabilities
from helpers.models.gpt import GPT, GPTConfig
from helpers.models.lora import add_lora
from helpers.models.reward_model import RewardModel
from helpers.training import fit
from helpers.training.dpo import reference_log_probabilities
from helpers.training.rlhf import PolicyGradient, scored_by

MARKS = {"speakers": (3, 4, 5), "pad": 0, "end": 2}
CONTEXTS = [[2, 4, 7, 8, 3], [2, 3, 9, 4], [2, 4, 10, 11, 12, 13, 3], [2, 3]]
LIKED = 11


def gpt(seed=0, **changes):
    torch.manual_seed(seed)
    model = GPT(GPTConfig.modern(16, context=32, width=16, layers=2, heads=2, zero_output=False, **changes))
    with torch.no_grad():
        model.embed.weight *= 10
    return model.eval()


def batch(replies=3):
    return ContextBatches.of(CONTEXTS, replies, pad=0)


def drawn(model, seed=0, most=6, **changes):
    return roll_out(model, batch(), most, generator=torch.Generator().manual_seed(seed), **{**MARKS, **changes})


def likes(said):
    """A reward: how often the liked token was said."""
    return (said.targets == LIKED).sum(1).float()


# --- contexts ----------------------------------------------------------------------------------------------------------


def test_contexts_are_whole_turns_and_the_next_speaker():
    said = Conversation("c", "c", (Turn("A", "hi there"), Turn("B", "oh no"), Turn("A", "bye now")))
    tokenizer = BPETokenizer.train(["hi there oh no bye now"], 270)
    found = contexts([said], tokenizer, turns=1)
    texts = [tokenizer.decode(row, special=True) for row in found]
    assert texts == ["<end><A>hi there<B>", "<end><B>oh no<A>"]
    longer = {
        tokenizer.decode(row, special=True) for seed in range(9) for row in contexts([said], tokenizer, seed=seed)
    }
    assert longer == {*texts, "<end><A>hi there<B>oh no<A>"}
    with pytest.raises(ValueError, match="at most 3 tokens"):
        contexts([said], tokenizer, most=3)
    assert marks_of(tokenizer)["end"] == tokenizer.end


def test_batches_repeat_each_context_side_by_side():
    batches = ContextBatches(CONTEXTS, 2, replies=3, pad=0)
    seen = set()
    for number in range(2):
        ids, padding = batches[number].ids, batches[number].padding
        assert len(ids) == 6 and torch.equal(ids[0], ids[2]) and not torch.equal(ids[2], ids[3])
        seen |= {tuple(row[skip:].tolist()) for row, skip in zip(ids, padding)}
    assert seen == set(map(tuple, CONTEXTS))
    assert torch.equal(batches[1].ids, ContextBatches(CONTEXTS, 2, replies=3, pad=0)[1].ids)
    for wrong in ([], [[2], []]):
        with pytest.raises(ValueError, match="contexts of one token"):
            ContextBatches(wrong, 2, pad=0)


# --- what is drawn -----------------------------------------------------------------------------------------------------


def test_replies_end_where_they_should_and_the_partners_token_follows():
    said = drawn(gpt(), forbidden=(9,))
    for pair, row, last, targets in zip(said.pairs(), said.ids, said.last, said.targets):
        assert list(pair.context) + [pair.reply[0]] in CONTEXTS
        text = pair.reply[1:-1] if pair.reply[-1] in (2, 3, 4, 5) else pair.reply[1:]
        assert text and not {0, 2, 3, 4, 5, 9} & set(text)
        assert row[last] == (4 if pair.reply[0] == 3 else 3) and row[last - 1] == text[-1]
        assert not row[last + 1 :].any()
        assert (targets != IGNORED).sum() == len(pair.reply) - 1
    assert len({len(pair.reply) for pair in said.pairs()}) > 2  # some ended early, some were cut


def test_the_same_seed_draws_the_same_and_company_does_not_matter():
    model = gpt()
    assert torch.equal(drawn(model).ids, drawn(model).ids)
    assert not torch.equal(drawn(model).targets, drawn(model, seed=1).targets)
    greedy = {"temperature": 1e-4, "generator": torch.Generator().manual_seed(0), **MARKS}
    together = roll_out(model, ContextBatches.of(CONTEXTS, 1, 0), 6, **greedy).pairs()
    alone = [roll_out(model, ContextBatches.of([row], 1, 0), 6, **greedy).pairs()[0] for row in CONTEXTS]
    assert together == alone


def test_tokens_are_drawn_as_often_as_the_model_says():
    model = gpt()
    many = ContextBatches.of([CONTEXTS[0]], 4000, 0)
    said = roll_out(model, many, 1, generator=torch.Generator().manual_seed(0), **MARKS)
    logits = model(torch.tensor([CONTEXTS[0]]))[0][0, -1]
    logits[[0, 2, 3, 4, 5]] = -math.inf
    shares = torch.bincount(said.targets[:, said.start], minlength=16) / 4000
    torch.testing.assert_close(shares, logits.softmax(-1), atol=0.03, rtol=0)


def test_what_cannot_be_drawn_is_refused():
    for changes in ({"temperature": 0.0}, {"most": 0}):
        with pytest.raises(ValueError, match="more than 0"):
            drawn(gpt(), **changes)


def test_the_judge_gives_a_rollout_what_it_gives_its_pairs():
    judge = RewardModel(gpt(1), 2, **MARKS)
    torch.nn.init.normal_(judge.head.weight)
    said = drawn(gpt())
    torch.testing.assert_close(scored_by(judge)(said), judge.score(said.pairs()), atol=1e-5, rtol=1e-4)


# --- the loss ----------------------------------------------------------------------------------------------------------


def loss_of(reward=likes, beta=0.1, **changes):
    reference = gpt()
    return PolicyGradient(reward, reference, beta, replies=3, max_tokens=6, watched=[LIKED], **{**MARKS, **changes})


def test_log_probabilities_and_distance_are_those_of_the_whole_replies():
    loss, policy = loss_of(), gpt(3)
    loss(policy, batch())
    said = roll_out(policy, batch(), 6, generator=torch.Generator().manual_seed(0), **MARKS)
    same = [Preference(pair, pair) for pair in said.pairs()]
    moved = [reference_log_probabilities(model, same, 0)[:, 0] for model in (policy, loss.reference)]
    assert loss.records[0]["kl"] == pytest.approx((moved[0] - moved[1]).mean().item(), abs=1e-4)
    assert loss.records[0]["score"] == pytest.approx(likes(said).mean().item())
    assert loss.records[0]["tokens"] == pytest.approx((said.targets != IGNORED).sum(1).float().mean().item())
    assert loss.records[0]["watched"] == pytest.approx((said.targets == LIKED).any(1).float().mean().item())


def test_at_the_beginning_the_distance_is_0_even_with_dropout():
    model = gpt(dropout=0.5)
    loss = PolicyGradient(likes, copy.deepcopy(model), 0.1, replies=3, max_tokens=6, **MARKS)
    loss(model.train(), batch())
    assert loss.records[0]["kl"] == pytest.approx(0, abs=1e-5) and model.training


def test_the_gradient_makes_a_reply_likelier_that_earned_more_than_its_neighbors():
    """Two replies to one context, one liked: with the leash off, the gradient is that of their difference."""
    model, chosen = gpt(), []

    def first_wins(said):
        chosen.append(said)
        return torch.tensor([1.0, 0.0])

    loss = PolicyGradient(first_wins, gpt(), 0.0, replies=2, max_tokens=1, **MARKS)
    loss(model, ContextBatches.of([CONTEXTS[0]], 2, 0)).backward()
    found = model.embed.weight.grad.clone()
    model.zero_grad()
    said = chosen[0]
    logits, _ = model(said.ids[:, :-2], None, said.padding)
    log_p, _ = token_log_probabilities(logits, said.targets)
    first, second = log_p.sum(1)
    (-(first - second) / 2).backward()  # whitened, the two advantages are 1 and −1; the loss is a mean over two
    torch.testing.assert_close(found, model.embed.weight.grad, atol=1e-5, rtol=1e-3)


def test_the_baseline_is_the_mean_of_the_others():
    loss = loss_of()
    scores = torch.tensor([1.0, 2.0, 6.0, 0.0, 0.0, 3.0])
    assert loss._baseline(scores).tolist() == [4.0, 3.5, 1.5, 1.5, 1.5, 0.0]


def tuned(beta, steps=25):
    policy = add_lora(gpt(), 4)
    loss = loss_of(beta=beta)
    batches = ContextBatches(CONTEXTS, 4, 3, pad=0)
    history = fit(policy, batches, steps=steps, learning_rate=0.02, loss=loss, callbacks=[loss.watch], progress=False)
    assert not history.stopped
    return loss.records


def test_the_score_rises_and_the_leash_holds():
    free, held = tuned(0.0), tuned(1.0)
    assert free[-1]["score"] > free[0]["score"] + 1
    assert free[-1]["kl"] > 2 * abs(held[-1]["kl"]) and free[-1]["score"] > held[-1]["score"]


def test_a_reward_that_is_no_number_ends_the_training_and_the_last_good_weights_stay():
    policy, calls, kept = add_lora(gpt(), 2), [], {}

    def fails(said):
        calls.append(0)
        scores = likes(said)
        if len(calls) == 4:
            scores[5] = float("nan")
        return scores

    def keep(history, model):
        if history.steps == 3:
            kept.update(copy.deepcopy(model.state_dict()))

    loss = loss_of(fails)
    batches = ContextBatches(CONTEXTS, 4, 3, pad=0)
    history = fit(
        policy, batches, steps=9, learning_rate=0.02, loss=loss, callbacks=[loss.watch, keep], progress=False
    )  # fmt: skip
    assert history.stopped.startswith("Stopped at step 4: the reward of reply 5 was nan")
    assert history.steps == 4 and len(loss.records) == 3
    assert all(torch.equal(kept[name], value) for name, value in policy.state_dict().items())
    assert all(torch.isfinite(value).all() for value in policy.state_dict().values())


def test_prices_that_make_no_sense_are_refused():
    for changes in ({"beta": -0.1}, {"beta": float("nan")}):
        with pytest.raises(ValueError, match="give 0 or more"):
            loss_of(**changes)
