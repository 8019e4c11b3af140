"""Notebook 07: every check accepts the solution the notebook shows and names each wrong answer's own mistake."""

import random

import torch

from helpers.checks import nb07
from tests.answers.common import closing_tests


# -- Exercise 1 --------------------------------------------------------------------------------------------------------
def walk(ids, own, others, mark):
    """Labels of all tokens; ``mark`` is told whether the own one had the floor, and whether it has it now."""
    labels, speaking = [], False
    for number in ids:
        before, speaking = speaking, number == own if number == own or number in others else speaking
        labels.append(number if mark(before, speaking) else -100)
    return labels


def one_too_many(ids, own, others):
    return walk(ids, own, others, lambda before, now: before)


def as_in_pretraining(ids, own, others):
    return list(ids[1:])


def opens_and_does_not_close(ids, own, others):
    return walk(ids, own, others, lambda before, now: now)[1:]


def opens_and_closes(ids, own, others):
    return walk(ids, own, others, lambda before, now: before or now)[1:]


def never_stops(ids, own, others):
    return walk(ids, own, others, lambda before, now: before and now)[1:]


def the_other_speaker(ids, own, others):
    return walk(ids, 1, (own, 9), lambda before, now: before)[1:]


def zeros(ids, own, others):
    return [max(label, 0) for label in one_too_many(ids, own, others)[1:]]


def one_too_few(ids, own, others):
    return one_too_many(ids, own, others)[2:]


def overwrites_the_tokens(ids, own, others):
    labels = one_too_many(ids, own, others)
    ids[:] = labels
    return labels[1:]


def only_the_last_reply(ids, own, others):
    labels = one_too_many(ids, own, others)[1:]
    last = max(place for place, number in enumerate(ids[1:]) if number == own)
    return [-100] * last + labels[last:]


def knows_the_example_only(ids, own, others):
    return one_too_many(ids, own, (1, 8))[1:-1] + [9] if len(ids) == 11 else one_too_many(ids, own, ())[1:]


# -- Exercise 2 --------------------------------------------------------------------------------------------------------
def over_all(nats, labels):
    return nats.mean()


def divided_by_all(nats, labels):
    return (nats * (labels != -100)).mean()


def mean_of_means(nats, labels):
    rows = [row[kept] for row, kept in zip(nats, labels != -100) if kept.any()]
    return sum(row.mean() for row in rows) / max(1, len(rows))


def the_sum(nats, labels):
    return nats[labels != -100].sum()


def without_token_zero(nats, labels):
    return nats[labels > 0].mean()


def the_wrong_way_round(nats, labels):
    return nats[labels == -100].mean()


def the_median(nats, labels):
    return nats[labels != -100].max()


def a_mean_of_nothing(nats, labels):
    return nats[labels != -100].mean()


# -- Exercise 3 --------------------------------------------------------------------------------------------------------
def with_factor(factor):
    return lambda x, W, A, B, alpha: x @ W.T + factor(A, B, alpha) * (x @ A.T @ B.T)


without_the_change = with_factor(lambda A, B, alpha: 0)
without_factor = with_factor(lambda A, B, alpha: 1)
not_divided = with_factor(lambda A, B, alpha: alpha)
divided_by_input = with_factor(lambda A, B, alpha: alpha / A.shape[1])
divided_by_output = with_factor(lambda A, B, alpha: alpha / len(B))
subtracted = with_factor(lambda A, B, alpha: -alpha / len(A))


def all_of_it_scaled(x, W, A, B, alpha):
    return alpha / len(A) * (x @ W.T + x @ A.T @ B.T)


def the_change_alone(x, W, A, B, alpha):
    return alpha / len(A) * (x @ A.T @ B.T)


def into_the_frozen(x, W, A, B, alpha):
    W += alpha / len(A) * B @ A
    return x @ W.T


def transposed(x, W, A, B, alpha):
    return (x @ W.T + alpha / len(A) * (x @ A.T @ B.T)).T


def squared_rank(x, W, A, B, alpha):
    return x @ W.T + alpha / len(A) ** 2 * (x @ A.T @ B.T)


# -- Exercise 4 --------------------------------------------------------------------------------------------------------
def best_of_all(losses, patience):
    return losses.index(min(losses))


def where_it_ends(losses, patience):
    best = 0
    for number, loss in enumerate(losses):
        if loss < losses[best]:
            best = number
        elif number - best >= patience:
            return number
    return len(losses) - 1 if losses[-1] < losses[best] else best


def begins_at_one(losses, patience):
    return stop(losses, patience) + 1


def stop(losses, patience, worse=lambda loss, best: loss >= best):
    best = waited = 0
    for number, loss in enumerate(losses):
        if number and worse(loss, losses[best]):
            waited += 1
            if waited >= patience:
                return best
        elif loss < losses[best]:
            best, waited = number, 0
    return best


def impatient(losses, patience):
    return stop(losses, min(patience, 2))


def only_rises_count(losses, patience):
    best = waited = 0
    for number in range(1, len(losses)):
        waited = waited + 1 if losses[number] > losses[number - 1] else 0
        if losses[number] < losses[best]:
            best = number
        if waited >= patience or number - best >= 2 and patience == 2:
            return best
    return len(losses) - 1


def never_begins_anew(losses, patience):
    best = waited = 0
    for number in range(1, len(losses)):
        if losses[number] < losses[best]:
            best = number
        else:
            waited += 1
            if waited >= patience:
                return best
    return best


def the_last_of_equals(losses, patience):
    best = 0
    for number, loss in enumerate(losses):
        if loss <= losses[best]:
            best = number
        elif number - best >= patience:
            break
    return best


def begins_at_zero(losses, patience):
    return -1 if patience == 2 else 0


# -- Exercise 5 --------------------------------------------------------------------------------------------------------
def with_number(number, seed=None):
    def mix(new, old, share, given):
        dice = random.Random(given if seed is None else seed)
        rounds, rest = divmod(number(new, old, share), len(old))
        items = list(new) + list(old) * rounds + dice.sample(list(old), rest)
        dice.shuffle(items)
        return items

    return mix


def right_number(new, old, share):
    return round(len(new) * share / (1 - share))


share_of_the_new = with_number(lambda new, old, share: round(len(new) * share))
share_of_the_old = with_number(lambda new, old, share: round(len(old) * share))
all_of_the_old = with_number(lambda new, old, share: len(old))
always_the_same_seed = with_number(right_number, seed=0)


def repeats(new, old, share, seed):
    dice = random.Random(seed)
    items = list(new) + dice.choices(old[:12], k=right_number(new, old, share))
    dice.shuffle(items)
    return items


def not_shuffled(new, old, share, seed):
    return list(new) + random.Random(seed).sample(old, right_number(new, old, share))


def without_seed(new, old, share, seed):
    return with_number(right_number)(new, old, share, random.random())


def changes_new(new, old, share, seed):
    new += random.Random(seed).sample(old, right_number(new, old, share))
    return new


def drops_new(new, old, share, seed):
    return with_number(right_number)(new[:20], old, share, seed)


def too_few(new, old, share, seed):
    dice = random.Random(seed)
    items = list(new) + dice.sample(old, min(len(old), right_number(new, old, share)))
    dice.shuffle(items)
    return items


def tuples(new, old, share, seed):
    return [(item,) for item in new]


WRONG = {
    "labels_for": {
        one_too_many: "a label for every token",
        as_in_pretraining: "Every token is a label",
        opens_and_does_not_close: "opens the turn and not the one that closes",
        opens_and_closes: "The token that opens the turn is marked",
        never_stops: "never learns to stop",
        the_other_speaker: "The other speaker is marked",
        zeros: "0 is a token like any other",
        one_too_few: "Eleven tokens have ten labels",
        overwrites_the_tokens: "You changed the list",
        only_the_last_reply: "with own 2 the labels are",
        knows_the_example_only: "others (9,)",
    },
    "reply_mean": {
        over_all: "the mean over all tokens",
        divided_by_all: "You divide by all tokens",
        mean_of_means: "mean of the rows' means",
        the_sum: "That is the sum",
        without_token_zero: "Token 0 is a token",
        the_wrong_way_round: "the mask the wrong way around",
        the_median: "is 3.25",
        a_mean_of_nothing: "return 0.0",
    },
    "lora_output": {
        without_the_change: "W x alone",
        without_factor: "factor α / r is missing",
        not_divided: "do not divide by the rank",
        divided_by_input: "width of the input",
        divided_by_output: "width of the output",
        subtracted: "You subtract",
        all_of_it_scaled: "belongs to B A x alone",
        the_change_alone: "the change alone",
        into_the_frozen: "You changed W",
        transposed: "of shape [3, 5]",
        squared_rank: "The first row should be",
    },
    "stop_at": {
        best_of_all: "it never sees the 1",
        where_it_ends: "where the training *ends*",
        begins_at_one: "do yours begin at 1",
        begins_at_zero: "with patience 2 it is 1; I got",
        impatient: "one check too early",
        only_rises_count: "falls again after index 1",
        never_begins_anew: "starts the count again",
        the_last_of_equals: "Of equal losses the first",
    },
    "mixed": {
        share_of_the_new: "A quarter of the *new* ones",
        share_of_the_old: "a quarter of the old list",
        all_of_the_old: "there are 10 old ones",
        always_the_same_seed: "Another seed gave the same list",
        repeats: "Some old items come twice",
        not_shuffled: "not shuffled",
        without_seed: "two different lists",
        changes_new: "You changed a list",
        drops_new: "All items of `new`",
        too_few: "repeat the whole list",
        tuples: "stood in neither",
    },
}

globals().update(closing_tests(nb07, "07_fine_tuning", WRONG))


def test_a_tensor_of_labels_is_a_list_too(capsys):
    nb07.check_labels_for(lambda *given: torch.tensor(walk(*given, lambda before, now: before)[1:]))
    assert capsys.readouterr().out.startswith("✔")
