"""The reward model: what it reads, what changes nothing, and a file that fits one model only."""

import copy

import pytest
import torch

from helpers.corpus.batches.base import Pair
from helpers.models.reward_model import RewardModel
from tests import factories
from tests.factories import SPECIAL_IDS

PAIRS = [Pair([2, 4, 9, 10], [3, 11, 12, 4]), Pair([2], [4, 8, 3]), Pair([2, 3, 7], [4, 13, 14, 15, 9, 3])]


def gpt(seed=0, **changes):
    return factories.gpt(20, seed=seed, context=24, zero_output=False, embedding=30, **changes)


def reward(seed=0, rank=2, **changes):
    made = RewardModel(gpt(**changes), rank, alpha=4.0, **SPECIAL_IDS)
    torch.manual_seed(seed + 1)
    for name, parameter in made.named_parameters():
        if name.endswith(".B") or name == "head.weight":
            torch.nn.init.normal_(parameter, std=0.5)
    return made.eval()


def test_at_first_every_reply_scores_nothing_and_the_gpt_stays_as_it_is():
    model = gpt()
    before = copy.deepcopy(model.state_dict())
    made = RewardModel(model, **SPECIAL_IDS)
    assert made.score(PAIRS).tolist() == [0, 0, 0]
    trained = [name for name, parameter in made.named_parameters() if parameter.requires_grad]
    assert "head.weight" in trained and all(name == "head.weight" or name[-1] in "AB" for name in trained)
    made.score(PAIRS)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    frozen = RewardModel(model, rank=0, **SPECIAL_IDS)
    assert [name for name, parameter in frozen.named_parameters() if parameter.requires_grad] == ["head.weight"]


def test_features_are_what_the_gpt_makes_its_scores_of():
    model = gpt(logit_cap=0.0)
    made, ids = RewardModel(model, rank=0, **SPECIAL_IDS), torch.tensor([[2, 3, 7, 8, 4]])
    with torch.no_grad():
        expected = model(ids)[0][:, -1]
        found = made.eval().features(ids, torch.tensor([4]))
    torch.testing.assert_close(model.head(found), expected)


def test_padding_on_either_side_and_company_change_nothing():
    made = reward()
    alone = torch.cat([made.score([pair]) for pair in PAIRS])
    assert alone.std() > 0.05
    torch.testing.assert_close(made.score(PAIRS), alone, atol=1e-5, rtol=1e-4)
    row = torch.tensor([[0, 0, 0, *made.with_closing_token(PAIRS[0]), 0, 9]])
    with torch.no_grad():
        shifted = made(row, torch.tensor([row.shape[1] - 3]), torch.tensor([3]))
    torch.testing.assert_close(shifted, alone[:1], atol=1e-5, rtol=1e-4)


def test_a_reply_is_closed_with_the_partners_token_whatever_it_ended_with():
    made = reward()
    assert made.with_closing_token(Pair([2], [3, 7, 8, 4])) == made.with_closing_token(Pair([2], [3, 7, 8])) == [2, 3, 7, 8, 4]
    assert made.with_closing_token(Pair([2], [3, 7, 2])) == [2, 3, 7, 4]  # <end> becomes the partner's
    assert made.with_closing_token(Pair([2], [4, 7])) == made.with_closing_token(Pair([2], [4, 7, 5])) == [2, 4, 7, 3]


@pytest.mark.parametrize("reply", [[3], [3, 4], [3, 2]])
def test_an_empty_reply_is_refused(reply):
    with pytest.raises(ValueError, match="reply 1 is empty"):
        reward().score([PAIRS[0], Pair([2], reply)])


def test_the_score_reads_the_whole_reply_and_its_context():
    made = reward()
    changed = [
        Pair([2, 4, 9, 11], [3, 11, 12, 4]),
        Pair([2, 4, 9, 10], [3, 13, 12, 4]),
        Pair([2, 4, 9, 10], [3, 11, 13, 4]),
    ]
    scores = made.score([PAIRS[0], *changed])
    assert (scores[1:] - scores[0]).abs().min() > 1e-3


def test_standardized_scores_have_mean_0_and_spread_1_and_the_same_order():
    made = reward()
    before = made.score(PAIRS)
    after = made.standardize(PAIRS).score(PAIRS)
    assert after.mean().abs() < 1e-5 and abs(after.std() - 1) < 1e-4
    assert before.argsort().tolist() == after.argsort().tolist()


def test_scoring_draws_no_dropout():
    made = RewardModel(gpt(dropout=0.5), 2, **SPECIAL_IDS)
    torch.nn.init.normal_(made.head.weight)
    made.train()
    assert torch.equal(made.score(PAIRS), made.score(PAIRS))
    assert made.training


@pytest.mark.parametrize("rank", [0, 2])
def test_a_saved_reward_model_scores_the_same(tmp_path, rank):
    made = reward(rank=rank).standardize(PAIRS)
    file = made.save(tmp_path / "judge.safetensors")
    again = RewardModel.load(file, gpt(), **SPECIAL_IDS)
    torch.testing.assert_close(again.score(PAIRS), made.score(PAIRS), atol=0.05, rtol=0)  # 16 bits
    assert file.stat().st_size < 0.7 * 4 * made.parameter_count()  # a difference, not a model


def test_a_file_for_another_model_or_a_damaged_one_is_refused(tmp_path):
    file = reward().save(tmp_path / "judge.safetensors")
    with pytest.raises(ValueError, match="beside another model"):
        RewardModel.load(file, gpt(seed=5), **SPECIAL_IDS)
    content = bytearray(file.read_bytes())
    content[-3] ^= 255
    file.write_bytes(content)
    with pytest.raises(ValueError, match="damaged"):
        RewardModel.load(file, gpt(), **SPECIAL_IDS)
    with pytest.raises(ValueError, match="no file of a reward model"):
        RewardModel.load(tmp_path / "nothing.safetensors", gpt(), **SPECIAL_IDS)
