"""Learning from preferences: losses by hand, the context not counted, DPO that starts at ln 2, the best of n enumerated."""

import itertools
import math

import pytest
import torch

from helpers.corpus.batches.base import IGNORED
from helpers.corpus.batches.context_reply_pairs import Pair
from helpers.corpus.batches.preferences import PreferenceBatches, preference_batch
from helpers.corpus.implicit_feedback import Preference
from helpers.evaluation.best_of_n import best_of, best_of_kl
from helpers.generation.scoring import reply_log_probabilities
from helpers.models.gpt import GPT, GPTConfig
from helpers.models.lora import add_lora
from helpers.models.reward_model import RewardModel
from helpers.training import fit
from helpers.training.dpo import DPO, dpo_loss, reference_log_probabilities
from helpers.training.losses import on
from helpers.training.reward_modeling import LN2, bradley_terry_loss, reward_loss

MARKS = {"speakers": (3, 4, 5), "pad": 0, "end": 2}
GOOD, BAD = 11, 12  # the token of the preferred replies, and of the others


def gpt(seed=0, **changes):
    torch.manual_seed(seed)
    model = GPT(GPTConfig.modern(20, context=24, width=16, layers=2, heads=2, zero_output=False, **changes))
    with torch.no_grad():
        model.embed.weight *= 10  # as large as after a training: LoRA leaves the table as it is
    return model.eval()


def preferences(number=24):
    """The better reply holds GOOD; contexts and lengths differ."""
    made = []
    for place in range(number):
        context = [2, 4, *[6 + place % 4] * (1 + place % 3)]
        tail = [13 + place % 5] * (place % 3)
        made.append(Preference(Pair(context, [3, GOOD, *tail, 4]), Pair(context, [3, BAD, *tail, 14, 4])))
    return made


def tensor(*numbers):
    return torch.tensor(numbers, dtype=torch.double)


# --- losses ------------------------------------------------------------------------------------------------------------


def test_bradley_terry_by_hand():
    # Differences 1 and −2: σ is 0.7311 and 0.1192.
    expected = -(math.log(1 / (1 + math.exp(-1))) + math.log(1 / (1 + math.exp(2)))) / 2
    assert bradley_terry_loss(tensor(3, 0), tensor(2, 2)).item() == pytest.approx(expected)
    assert bradley_terry_loss(tensor(5), tensor(5)).item() == pytest.approx(0.693147, abs=1e-6)


def test_bradley_terry_survives_a_hopeless_difference():
    chosen = torch.tensor([-200.0], requires_grad=True)
    loss = bradley_terry_loss(chosen, torch.zeros(1))
    loss.backward()
    assert loss.item() == pytest.approx(200) and chosen.grad.item() == pytest.approx(-1)


def test_dpo_by_hand():
    # By 2 nats likelier, by 1 nat less likely: a margin of 3, times β of 0.5.
    loss = dpo_loss(tensor(-10), tensor(-21), tensor(-12), tensor(-20), beta=0.5)
    assert loss.item() == pytest.approx(-math.log(1 / (1 + math.exp(-1.5))))


@pytest.mark.parametrize("beta", [0.05, 0.1, 2.0])
def test_dpo_at_the_reference_is_ln_2(beta):
    same = tensor(-31.7, -8.2)
    assert dpo_loss(same, same - 5, same, same - 5, beta).item() == pytest.approx(0.693147, abs=5e-7)


def test_dpo_of_a_policy_with_lora_starts_at_ln_2_even_with_dropout():
    model, pairs = gpt(dropout=0.4), preferences()
    reference = reference_log_probabilities(model, pairs, 0)
    policy = add_lora(model, 2).train()
    loss = DPO(0.1)
    for number in range(3):
        batch = PreferenceBatches(pairs, 8, pad=0, reference=reference)[number]
        assert loss(policy, batch).item() == pytest.approx(0.693147, abs=1e-6)
    assert policy.training and all(abs(row["chosen"]) + abs(row["rejected"]) < 1e-4 for row in loss.records)


@pytest.mark.parametrize("beta", [0, -1, float("nan")])
def test_dpo_refuses_a_beta_that_pulls_the_wrong_way(beta):
    with pytest.raises(ValueError, match="beta is"):
        DPO(beta)


# --- batches -----------------------------------------------------------------------------------------------------------


def test_a_batch_counts_the_replies_alone():
    batch = preference_batch([Preference(Pair([2, 6], [3, 7, 8, 4]), Pair([2], [4, 9]))], pad=0)
    assert batch.ids.tolist() == [[2, 6, 3, 7, 8, 4], [2, 4, 9, 0, 0, 0]]
    none = IGNORED
    assert batch.targets.tolist() == [[none, none, 7, 8, 4], [none, 9, none, none, none]]


def test_log_probabilities_are_sums_over_the_reply_and_padding_changes_nothing():
    model, pairs = gpt().double(), preferences(5)
    together = reply_log_probabilities(model, preference_batch(pairs, 0))
    for place, pair in enumerate(pairs):
        for side, (context, reply) in enumerate(pair):
            ids = torch.tensor([[*context, *reply]])
            log_p = torch.log_softmax(model(ids)[0][0].float(), -1)
            total = sum(log_p[len(context) + step - 1, token].item() for step, token in enumerate(reply) if step)
            assert together[side * len(pairs) + place].item() == pytest.approx(total, abs=1e-4)


def test_the_reference_stands_beside_its_pair():
    model, pairs = gpt(), preferences(10)
    known = reference_log_probabilities(model, pairs, 0, together=3)
    assert known.shape == (10, 2) and known.std() > 0.1
    for number in range(4):
        batch = PreferenceBatches(pairs, 3, seed=2, pad=0, reference=known)[number]
        torch.testing.assert_close(batch.reference, reply_log_probabilities(model, batch).detach())


def test_every_pass_holds_every_preference_once_and_the_seed_decides():
    pairs = preferences(10)
    batches, again = (PreferenceBatches(pairs, 4, seed=1, pad=0) for _ in range(2))
    assert len(batches) == 3
    for number in (4, 0, 5):
        assert torch.equal(batches[number].ids, again[number].ids)
    rows = [tuple(row.tolist()) for number in range(3) for row in batches[number].ids]
    assert len(rows) == 20
    with pytest.raises(IndexError):
        batches[-1]


def test_what_teaches_nothing_is_refused():
    good = preferences(2)
    same = Preference(good[0].chosen, good[0].chosen)
    empty = Preference(good[0].chosen, Pair([2], [3]))
    with pytest.raises(ValueError, match="pair 1 has no preferred side"):
        PreferenceBatches([good[0], same], 2, pad=0)
    with pytest.raises(ValueError, match="other reply of pair 1 is empty"):
        PreferenceBatches([good[0], empty], 2, pad=0)
    with pytest.raises(ValueError, match="at least one of each"):
        PreferenceBatches([], 2, pad=0)
    with pytest.raises(ValueError, match="two numbers per preference"):
        PreferenceBatches(good, 2, pad=0, reference=torch.zeros(2))
    with pytest.raises(ValueError, match="pair 1 is no number"):
        PreferenceBatches(good, 2, pad=0, reference=torch.tensor([[0.0, 0.0], [0.0, float("nan")]]))


# --- training ----------------------------------------------------------------------------------------------------------


def test_a_reward_model_starts_at_ln_2_and_learns_who_is_preferred():
    pairs = preferences()
    model = RewardModel(gpt(), 2, **MARKS)
    batches = PreferenceBatches(pairs, 8, pad=0)
    assert reward_loss(model, batches[0]).item() == pytest.approx(LN2, abs=1e-6)
    history = fit(model, batches, steps=40, learning_rate=0.02, loss=reward_loss, progress=False)
    better, worse = (model.score([pair[side] for pair in pairs]) for side in (0, 1))
    assert history.recent_loss(5) < 0.3 and (better > worse).float().mean() > 0.9


def test_the_reward_loss_reads_where_the_score_reads():
    pairs, model = preferences(6), RewardModel(gpt(), 2, **MARKS).eval()
    torch.nn.init.normal_(model.head.weight)
    scores = [model.score([pair[side] for pair in pairs]) for side in (0, 1)]
    expected = bradley_terry_loss(*scores).item()
    assert reward_loss(model, preference_batch(pairs, 0)).item() == pytest.approx(expected, abs=1e-5)


def test_dpo_learns_and_notes_both_terms():
    model, pairs = gpt(), preferences()
    reference = reference_log_probabilities(model, pairs, 0)
    loss = DPO(0.5)
    batches = PreferenceBatches(pairs, 8, pad=0, reference=reference)
    history = fit(add_lora(model, 4), batches, steps=60, learning_rate=0.03, loss=loss, progress=False)
    assert history.rows[0][3] == pytest.approx(LN2, abs=1e-6)
    last = loss.records[-1]
    assert last["loss"] < 0.4 and last["accuracy"] == 1 and last["chosen"] > last["rejected"]
    now = reference_log_probabilities(model, pairs, 0) - reference
    assert now[:, 0].mean() > now[:, 1].mean() + 1


def test_batches_move_to_a_device_as_they_are():
    batch = on(preference_batch(preferences(2), 0), "cpu")
    assert batch.first is True and batch.reference.shape == (4,)


# --- best of n ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_best_of_n_is_the_mean_over_all_choices(n):
    torch.manual_seed(0)
    scores, other = torch.randn(2, 3, 5)
    found = [
        max(chosen, key=lambda k: row[k]) for row in scores.tolist() for chosen in itertools.combinations(range(5), n)
    ]
    rows = [row for row in range(3) for _ in range(math.comb(5, n))]
    expected = sum(scores[row, k].item() for row, k in zip(rows, found)) / len(rows)
    judged = sum(other[row, k].item() for row, k in zip(rows, found)) / len(rows)
    assert best_of(scores, n) == pytest.approx(expected, abs=1e-6)
    assert best_of(scores, n, other) == pytest.approx(judged, abs=1e-6)


def test_best_of_n_refuses_more_than_there_are():
    for n in (0, 6):
        with pytest.raises(ValueError, match="5 replies to choose from"):
            best_of(torch.zeros(2, 5), n)


def test_choosing_the_best_of_n_moves_a_bot_by_a_known_distance():
    assert best_of_kl(1) == 0
    assert best_of_kl(4) == pytest.approx(0.636, abs=1e-3)
    # Enumerated: of equally likely replies the best of n draws has probability (k/m)ⁿ − ((k−1)/m)ⁿ.
    m, n = 4000, 4
    shares = [((k / m) ** n - ((k - 1) / m) ** n) for k in range(1, m + 1)]
    assert sum(p * math.log(p * m) for p in shares) == pytest.approx(best_of_kl(n), abs=1e-2)
