"""Wrong answers in notebook 11: a filter, the gradient of the input, swap scores, HotFlip, a step, the loss after it."""

import re

import torch
from torch.nn.functional import cross_entropy

from helpers.checks.nb11_attack import _attack
from helpers.robustness.hotflip import hotflip as right_attack
from helpers.robustness.hotflip import swap_scores as right_scores
from helpers.robustness.normalization import normalize_input


# -- Build: the gradient of the input ----------------------------------------------------------------------------------
def gradient(model, ids, targets, reduction="sum", mask=None, mode="eval", back=True):
    was_training = model.training
    if mode == "eval":
        model.eval()
    x = model.embed(ids).detach().requires_grad_()
    loss = cross_entropy(model.from_embedded(x, ids != 0 if mask is None else mask), targets, reduction=reduction)
    if back:
        model.train(was_training)
    return torch.autograd.grad(loss, x)[0]


def averaged(model, ids, targets):
    return gradient(model, ids, targets, "mean")


def of_padding_too(model, ids, targets):
    return gradient(model, ids, targets, mask=torch.ones_like(ids) > 0)


def of_the_score(model, ids, targets):
    x = model.embed(ids).detach().requires_grad_()
    return torch.autograd.grad(model.from_embedded(x, ids != 0)[torch.arange(len(ids)), targets].sum(), x)[0]


def downward(model, ids, targets):
    return -gradient(model, ids, targets)


def the_letters(model, ids, targets):
    return model.embed(ids)


def by_backward(model, ids, targets):
    x = model.embed(ids).detach().requires_grad_()
    cross_entropy(model.from_embedded(x, ids != 0), targets, reduction="sum").backward()
    return x.grad


def of_no_input(model, ids, targets):
    cross_entropy(model.from_embedded(model.embed(ids).requires_grad_(), ids != 0), targets, reduction="sum").backward()
    return None  # what .grad is there


def with_dropout(model, ids, targets):
    return gradient(model, ids, targets, mode="as it is")


def left_in_evaluation(model, ids, targets):
    return gradient(model, ids, targets, back=False)


def left_in_training(model, ids, targets):
    answer = gradient(model, ids, targets)
    model.train()
    return answer


def of_the_table(model, ids, targets):
    loss = cross_entropy(model(ids), targets, reduction="sum")
    return torch.autograd.grad(loss, model.embed.weight)[0]


def parameters_frozen(model, ids, targets):
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    return gradient(model, ids, targets)


def without_the_batch_of_one(model, ids, targets):
    return gradient(model, ids, targets).squeeze()


def other_labels(model, ids, targets):
    return gradient(model, ids, 1 - targets)


def own_answers(model, ids, targets):
    return gradient(model, ids, model.eval()(ids).argmax(-1))


# -- Build: the score of every swap ------------------------------------------------------------------------------------
def new_only(gradient, table, ids):
    return gradient @ table.T


def old_minus_new(gradient, table, ids):
    return -right_scores(gradient, table, ids)


def absolute(gradient, table, ids):
    return right_scores(gradient, table, ids).abs()


def old_added(gradient, table, ids):
    return gradient @ table.T + (gradient * table[ids]).sum(-1, keepdim=True)


def per_length(gradient, table, ids):
    return right_scores(gradient, table, ids) / (table[None] - table[ids][:, None]).norm(dim=-1).clamp(min=1e-12)


def distances(gradient, table, ids):
    return (table[None] - table[ids][:, None]).norm(dim=-1)


def first_letter(gradient, table, ids):
    return gradient @ table.T - gradient @ table[ids[0]][:, None]


def turned(gradient, table, ids):
    return right_scores(gradient, table, ids).T


def doubled_in_place(gradient, table, ids):
    gradient *= 2
    return right_scores(gradient, table, ids) / 2


def one_for_all(gradient, table, ids):
    return gradient @ table.T - (gradient * table[ids]).sum()


def products_averaged(gradient, table, ids):
    return gradient @ table.T - (gradient * table[ids]).mean(-1, keepdim=True)


# -- Build: HotFlip ----------------------------------------------------------------------------------------------------
def with_mistake(mistake):
    def attack(model, text, label, flips=1):
        return _attack(model, text, label, flips, mistake)

    return attack


one_gradient, helping, never_stopping, spaces_too, any_sign, twice = map(
    with_mistake, ("one gradient", "smallest", "never stops", "spaces too", "any sign", "again and again")
)


def one_flip_more(model, text, label, flips=1):
    return right_attack(model, text, label, flips + 2)


def ids_instead(model, text, label, flips=1):
    return torch.zeros(4, dtype=torch.int64)


def shortened(model, text, label, flips=1):
    return right_attack(model, text, label, flips)[:-1]


def parameters_touched(model, text, label, flips=1):
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    return right_attack(model, text, label, flips)


def never_out_of_letters(model, text, label, flips=1):
    return right_attack(model, text, label, flips) if re.search("[a-z]", text) else "a" + text[1:]


def two_by_default(model, text, label, flips=2):
    return right_attack(model, text, label, flips)


def nothing_swapped(model, text, label, flips=1):
    return text


# -- Build: a step along the gradient ----------------------------------------------------------------------------------
def step(gradient, epsilon, mask, least=1e-12):
    gradient = gradient * mask[..., None]
    return epsilon * gradient / gradient.flatten(1).norm(dim=1)[:, None, None].clamp(min=least)


def signs(gradient, epsilon, mask):
    return epsilon * (gradient * mask[..., None]).sign()


def not_normalized(gradient, epsilon, mask):
    return epsilon * gradient * mask[..., None]


def whole_batch(gradient, epsilon, mask):
    gradient = gradient * mask[..., None]
    return epsilon * gradient / gradient.norm()


def each_letter(gradient, epsilon, mask):
    gradient = gradient * mask[..., None]
    return epsilon * gradient / gradient.norm(dim=-1, keepdim=True).clamp(min=1e-12)


def downhill(gradient, epsilon, mask):
    return -step(gradient, epsilon, mask)


def padding_moves(gradient, epsilon, mask):
    return step(gradient, epsilon, torch.ones_like(mask))


def padding_in_length(gradient, epsilon, mask):
    return step(gradient, epsilon, torch.ones_like(mask)) * mask[..., None]


def squared_length(gradient, epsilon, mask):
    gradient = gradient * mask[..., None]
    return epsilon * gradient / (gradient**2).flatten(1).sum(1)[:, None, None]


def length_one(gradient, epsilon, mask):
    return step(gradient, 1.0, mask)


def zero_by_zero(gradient, epsilon, mask):
    return step(gradient, epsilon, mask, 0.0)


def sum_of_absolutes(gradient, epsilon, mask):
    gradient = gradient * mask[..., None]
    return epsilon * gradient / gradient.abs().flatten(1).sum(1)[:, None, None].clamp(min=1e-12)


def zero_if_all_are(gradient, epsilon, mask):
    return step(gradient, epsilon, mask, 0.0) if gradient.any() else torch.zeros_like(gradient)


# -- Build: the adversarial loss ---------------------------------------------------------------------------------------
def loss(model, batch, step, clean=0.5, moved=0.5, sign=1.0, mask=None):
    mask = batch.ids != 0 if mask is None else mask
    after = model.from_embedded(model.embed(batch.ids) + sign * step.detach(), mask)
    return clean * cross_entropy(model(batch.ids), batch.targets) + moved * cross_entropy(after, batch.targets)


def after_only(model, batch, step):
    return loss(model, batch, step, 0.0, 1.0)


def clean_only(model, batch, step):
    return loss(model, batch, step, 1.0, 0.0)


def both_in_full(model, batch, step):
    return loss(model, batch, step, 1.0, 1.0)


def subtracted(model, batch, step):
    return loss(model, batch, step, sign=-1.0)


def padding_counts(model, batch, step):
    return loss(model, batch, step, mask=torch.ones_like(batch.ids, dtype=torch.bool))


def mask_turned(model, batch, step):
    return loss(model, batch, step, mask=batch.ids == 0)


def through_the_step(model, batch, step):
    after = model.from_embedded(model.embed(batch.ids) + step, batch.ids != 0)
    return 0.5 * cross_entropy(model(batch.ids), batch.targets) + 0.5 * cross_entropy(after, batch.targets)


def embeddings_detached(model, batch, step):
    after = model.from_embedded((model.embed(batch.ids) + step).detach(), batch.ids != 0)
    return 0.5 * cross_entropy(model(batch.ids), batch.targets) + 0.5 * cross_entropy(after, batch.targets)


def summed(model, batch, step):
    return len(batch.ids) * loss(model, batch, step)


def step_alone(model, batch, step):
    after = model.from_embedded(step.detach(), batch.ids != 0)
    return 0.5 * cross_entropy(model(batch.ids), batch.targets) + 0.5 * cross_entropy(after, batch.targets)


def backward_inside(model, batch, step):
    answer = loss(model, batch, step)
    answer.backward(retain_graph=True)
    return answer


def a_number(model, batch, step):
    return loss(model, batch, step).item()


# -- Build: a filter on words ------------------------------------------------------------------------------------------
def search(text, words, normalize, pattern=r"\b{}\b", flags=re.IGNORECASE, escape=re.escape):
    return [word for word in words if re.search(pattern.format(escape(word)), normalize(text), flags)]


def substrings(text, words, normalize=normalize_input):
    return [word for word in words if word in normalize(text).lower()]


def case_matters(text, words, normalize=normalize_input):
    return search(text, words, str, flags=0)


def between_spaces(text, words, normalize=normalize_input):
    return [word for word in words if word in normalize(text).lower().split()]


def first_only(text, words, normalize=normalize_input):
    return search(text, words, normalize)[:1]


def not_normalized_at_all(text, words, normalize=normalize_input):
    return search(text, words, str)


def own_normalize(text, words, normalize=normalize_input):
    return search(text, words, normalize_input)


def no_normalize_by_default(text, words, normalize=str):
    return search(text, words, normalize)


def not_escaped(text, words, normalize=normalize_input):
    return search(text, words, normalize, escape=str)


def every_occurrence(text, words, normalize=normalize_input):
    return [word for word in words for _ in re.findall(rf"\b{re.escape(word)}\b", normalize(text), re.IGNORECASE)]


def between_letters(text, words, normalize=normalize_input):
    return search(text, words, normalize, "(?<![a-zA-Z]){}(?![a-zA-Z])")


def stripped_pieces(text, words, normalize=normalize_input):
    pieces = [piece.strip(".,!?()").lower() for piece in normalize(text).split()]
    return [word for word in words if word in pieces]


def text_lowered_only(text, words, normalize=normalize_input):
    return [word for word in words if re.search(rf"\b{re.escape(word)}\b", normalize(text).lower())]


def cut_at_signs(text, words, normalize=normalize_input):
    return [word for word in words if word.lower() in re.findall(r"\w+", normalize(text).lower())]


def yes_or_no(text, words, normalize=normalize_input):
    return bool(search(text, words, normalize))


def as_written(text, words, normalize=normalize_input):
    return [match[0] + "!" for match in re.finditer("hell|damn", normalize(text))]


WRONG = {
    "embedding_gradient": {
        averaged: "You averaged the loss",
        of_padding_too: "Padding has a gradient",
        of_the_score: "the right answer's *score*",
        downward: "where the loss *rises*",
        the_letters: "the embedded letters themselves",
        by_backward: "The parameters have a gradient now",
        of_no_input: "an input of their own",
        with_dropout: "dropout takes part in yours",
        left_in_evaluation: "put the model back",
        left_in_training: "has left the model in training mode",
        parameters_frozen: "take no gradient any more",
        without_the_batch_of_one: "of shape [1, 4, 3]",
        other_labels: "for the other label",
        own_answers: "the model's own answers",
        of_the_table: "of shape [3, 4, 3]",
    },
    "swap_scores": {
        new_only: "The old letter is missing",
        old_minus_new: "The sign is the other way around",
        absolute: "You took absolute values",
        old_added: "You added the old letter's part",
        per_length: "You divided by the length of the step",
        distances: "how far the embeddings are apart",
        first_letter: "the old letter of the first one",
        one_for_all: "it is one number per position",
        products_averaged: "a dot product is their sum",
        turned: "of shape [5, 7]",
        doubled_in_place: "You changed a tensor",
    },
    "hotflip": {
        one_gradient: "All your swaps come from the first gradient",
        helping: "Your swaps lower the loss",
        never_stopping: "You went on swapping",
        spaces_too: "A space or a digit was swapped",
        any_sign: "A letter became a space",
        twice: "A position was swapped twice",
        one_flip_more: "With flips=0 you changed",
        ids_instead: "I expected the attacked text and got a Tensor",
        shortened: "letters, what you returned",
        parameters_touched: "The parameters have a gradient now",
        never_out_of_letters: "there is no letter to swap",
        two_by_default: "Without the argument",
        nothing_swapped: "I expected 'do yoj like it'",
    },
    "gradient_step": {
        signs: "Goodfellow's step",
        not_normalized: "You did not divide by the length",
        whole_batch: "the length of the whole batch's gradient",
        each_letter: "Each letter takes a step of length",
        downhill: "makes the loss smaller",
        padding_moves: "Padding takes part",
        padding_in_length: "Padding counts in the length",
        squared_length: "the square of the length",
        length_one: "The step has length 1",
        sum_of_absolutes: "You divided by the sum of the absolute numbers",
        zero_if_all_are: "Where one sentence of two",
        zero_by_zero: "Where the gradient is 0 yours is NaN",
    },
    "perturbed_loss": {
        after_only: "the loss after the step alone",
        clean_only: "the loss without any step",
        both_in_full: "You summed the two losses",
        subtracted: "You subtracted the step",
        padding_counts: "Padding counts in yours",
        mask_turned: "The mask is the other way around",
        through_the_step: "A gradient flows back into the step",
        embeddings_detached: "nothing of the model may be detached",
        summed: "You summed over the sentences",
        step_alone: "the step alone: add it",
        backward_inside: "You have called backward",
        a_number: "The loss has no gradient",
    },
    "contains_word": {
        substrings: "contains none of the words; yours",
        case_matters: "Capitals get through",
        between_spaces: "Before a comma or a bracket",
        first_only: "Return all that are found",
        not_normalized_at_all: "call normalize(text) first",
        own_normalize: "call normalize(text) first",
        no_normalize_by_default: "Without the argument",
        not_escaped: "`re.escape` the word",
        every_occurrence: "returned once",
        between_letters: "Digits and underscores",
        stripped_pieces: "'hell-fire' contains hell",
        text_lowered_only: "in the list either",
        cut_at_signs: "Do not cut the text",
        yes_or_no: "I expected a list of the words",
        as_written: "Return words of the list as they stand there",
    },
}
