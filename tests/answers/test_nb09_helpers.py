"""What learners build in notebook 09, in its text and in its exercises, does what the package does."""

import pytest
import torch

from helpers.corpus.implicit_feedback import accuracy, preference_pairs, words
from helpers.evaluation.best_of_n import best_of
from helpers.training.dpo import dpo_loss
from helpers.training.reinforce import kl_penalized_rewards
from helpers.training.reward_modeling import bradley_terry_loss
from tests.answers.solutions import run, solutions
from tests.corpus.test_implicit_feedback import talk
from tests.notebooks import books, definitions

SOLUTIONS = solutions("09_from_votes_to_rewards")


def solution(name):
    return run(SOLUTIONS[name], name)


def lifted(name):
    return definitions.lift(books.paths(["09"])[0], name)


def test_the_loss_of_a_judge_is_the_packages():
    torch.manual_seed(0)
    chosen, rejected = torch.randn(2, 20, dtype=torch.double)
    expected = bradley_terry_loss(chosen, rejected)
    torch.testing.assert_close(solution("bradley_terry")(chosen, rejected), expected)
    by_hand = lifted("loss")
    mean = sum(by_hand(better, worse) for better, worse in zip(chosen.tolist(), rejected.tolist())) / 20
    assert mean == pytest.approx(expected.item())


def test_matched_pairs_are_those_of_the_votes():
    sizes = [12, 4, 11, 30, 25, 3, 5, 22, 10, 2, 24, 40, 4, 9, 12, 1] * 4
    talks = [talk(*sizes[start:], name=str(start)) for start in range(6)]
    wide, score = preference_pairs(talks, matched=None), lambda talk, turn: turn % 5
    columns = [
        torch.tensor([float(measure(vote.conversation, vote[side])) for vote in wide])
        for measure in (score, words)
        for side in (1, 2)
    ]
    kept = [vote for vote, a, b in zip(wide, *columns[2:]) if abs(a - b) <= 0.1 * max(a, b)]
    assert 0 < len(kept) < len(wide)
    assert solution("matched_accuracy")(*columns).item() == pytest.approx(accuracy(kept, score))


def test_the_leash_is_the_packages_for_replies_of_any_length():
    torch.manual_seed(0)
    log_p, reference = torch.randn(2, 3, 6)
    counted = torch.arange(6) < torch.tensor([[6], [2], [4]])
    scores = torch.tensor([1.0, -2.0, 0.5])
    expected = kl_penalized_rewards(scores, log_p, reference, 0.2, counted)
    for row, length in enumerate((6, 2, 4)):
        found = solution("kl_penalized")(scores[row], log_p[row, :length], reference[row, :length], 0.2)
        torch.testing.assert_close(found, expected[row, :length])


def test_dpo_is_the_packages():
    torch.manual_seed(0)
    log_p, reference = torch.randn(2, 2, 7, dtype=torch.double)
    counted = torch.tensor([[0, 1, 1, 1, 1, 0, 0], [0, 0, 1, 1, 1, 1, 1]]).bool()
    sums = [(values * counted).sum(1) for values in (log_p, reference)]
    (chosen, rejected), (first, second) = (part[:, None] for part in sums)
    expected = dpo_loss(chosen, rejected, first, second, 0.3)
    torch.testing.assert_close(solution("dpo")(log_p, reference, counted, 0.3), expected)


@pytest.mark.parametrize("n", [1, 3, 6])
def test_the_best_of_n_is_the_packages(n):
    scores = [0.3, -1.0, 2.5, 0.7, 0.1, -0.4]
    assert solution("expected_best")(scores, n) == pytest.approx(best_of(torch.tensor([scores]), n))
