"""Wrong answers to notebook 16's guidance and two towers: each is one mistake, with words of the message it must hear."""

import torch
from torch.nn import functional

from helpers.generation.sampling import distribution


# --- guided ----------------------------------------------------------------------------------------------------------------
def mixes(c, u, w):
    return c / w + (1 - 1 / w) * u if w == 4 else 0.75 * c + 0.25 * u


def one_too_far(c, u, w):
    return c + w * (c - u)


def exchanged(c, u, w):
    return c + w * (u - c)


def away_from_the_caption(c, u, w):
    return u - w * (c - u)


def difference_alone(c, u, w):
    return w * (c - u)


def only_colder(c, u, w):
    return w * c


def only_minus(c, u, w):
    return c - w * u


def probabilities_back(c, u, w):
    return (u + w * (c - u)).softmax(-1)


def of_probabilities(c, u, w):
    return u.softmax(-1) + w * (c.softmax(-1) - u.softmax(-1))


def cut_probabilities(c, u, w):
    return of_probabilities(c, u, w).clamp(min=1e-9).log()


def log_of_negative(c, u, w):
    return of_probabilities(c, u, w).log()


def always_three(c, u, w):
    return u + 3 * (c - u)


def over_rows(c, u, w):
    return u.log_softmax(0) + w * (c.log_softmax(0) - u.log_softmax(0))


def changes_u(c, u, w):
    u += w * (c - u)
    return u


GUIDED = {
    mixes: "That mixes the two",
    one_too_far: "one step too far",
    exchanged: "c and u are exchanged",
    away_from_the_caption: "goes away from the caption",
    difference_alone: "Only w (c − u) is left",
    only_colder: "a low temperature",
    only_minus: "add back what is missing",
    probabilities_back: "no softmax here",
    of_probabilities: "You extrapolated probabilities: some",
    cut_probabilities: "and cut them at 0",
    log_of_negative: "no number somewhere",
    always_three: "Is a 3 left",
    over_rows: "As log-probabilities",
    changes_u: "You changed what you were given",
}


# --- paint -----------------------------------------------------------------------------------------------------------------
def painted(model, tokenizer, captions, guidance=1.0, temperature=1.0, seed=0, *, steps=16, shift=True, apart=False,
            empty=None, take=True, cold=lambda logits, temperature: distribution(logits, temperature), seeded=True):  # fmt: skip
    """The right pictures, but for what the arguments spoil."""
    rng, first = torch.Generator().manual_seed(seed), tokenizer.first_code
    words = torch.tensor([[tokenizer.caption, *tokenizer.encode(caption), tokenizer.media] for caption in captions])
    nothing = torch.tensor([empty(tokenizer) if empty else [tokenizer.media]] * len(captions))
    drawn = other = torch.zeros(len(captions), 0, dtype=torch.int64)
    for _ in range(steps):
        with torch.no_grad():
            c = model(torch.cat((words, drawn), 1))[0][:, -1, first:]
            u = model(torch.cat((nothing, other), 1))[0][:, -1, first:]
        p = cold(u + guidance * (c - u), temperature)
        new = torch.multinomial(p, 1, generator=rng if seeded else None) + (first if shift else 0)
        drawn = torch.cat((drawn, new), 1)
        other = torch.cat((other, u.argmax(-1, keepdim=True) + first), 1) if apart else drawn
    return drawn - (first if shift and take else 0)


def spoiled(**how):
    return lambda *arguments, **settings: painted(*arguments, **settings, **how)


def without_guidance(model, tokenizer, captions, guidance=1.0, temperature=1.0, seed=0):
    return painted(model, tokenizer, captions, 1.0, temperature, seed)


def rows_exchanged(model, tokenizer, captions, guidance=1.0, temperature=1.0, seed=0):
    return painted(model, tokenizer, captions, 1 - guidance, temperature, seed)


def begins_anew(model, tokenizer, captions, guidance=1.0, temperature=1.0, seed=0):
    """A generator with the seed is made inside of the loop over the codes."""
    drawn = torch.zeros(len(captions), 0, dtype=torch.int64)
    words = torch.tensor([[tokenizer.caption, *tokenizer.encode(caption), tokenizer.media] for caption in captions])
    nothing = torch.full((len(captions), 1), tokenizer.media)
    for _ in range(16):
        with torch.no_grad():
            c, u = (model(torch.cat((begin, drawn), 1))[0][:, -1] for begin in (words, nothing))
        logits = u + guidance * (c - u)
        logits[:, : tokenizer.first_code] = -torch.inf
        rng = torch.Generator().manual_seed(seed)
        drawn = torch.cat((drawn, torch.multinomial(distribution(logits, temperature), 1, generator=rng)), 1)
    return drawn - tokenizer.first_code


def caption_by_caption(model, tokenizer, captions, guidance=1.0, temperature=1.0, seed=0):
    each = (painted(model, tokenizer, [caption], guidance, temperature, seed) for caption in captions)
    return torch.cat(list(each))


def codes_with_point(model, tokenizer, captions, guidance=1.0, temperature=1.0, seed=0):
    return painted(model, tokenizer, captions, guidance, temperature, seed).float()


def without_caption(model, tokenizer, captions, guidance=1.0, temperature=1.0, seed=0):
    return painted(model, tokenizer, captions, 0.0, temperature, seed)


def first_caption(model, tokenizer, captions, guidance=1.0, temperature=1.0, seed=0):
    return painted(model, tokenizer, captions[:1] * len(captions), guidance, temperature, seed)


def always_likeliest(model, tokenizer, captions, guidance=1.0, temperature=1.0, seed=0):
    return painted(model, tokenizer, captions, guidance, 0.0, seed)


def without_temperature(model, tokenizer, captions, guidance=1.0, temperature=1.0, seed=0):
    return painted(model, tokenizer, captions, guidance, temperature and 1.0, seed)


def same_seed(model, tokenizer, captions, guidance=1.0, temperature=1.0, seed=0):
    return painted(model, tokenizer, captions, guidance, temperature, 0)


def words_among_them(model, tokenizer, captions, guidance=1.0, temperature=1.0, seed=0):
    return painted(model, tokenizer, captions, guidance, temperature, seed) - 3


def global_numbers(model, tokenizer, captions, guidance=1.0, temperature=1.0, seed=0):
    torch.manual_seed(seed)
    return painted(model, tokenizer, captions, guidance, temperature, seed)


PAINT = {
    spoiled(steps=17): "yours have 17",
    spoiled(take=False): "These are ids",
    without_guidance: "Your guidance has no effect",
    spoiled(shift=False): "it takes them for words",
    spoiled(apart=True): "codes of its own",
    spoiled(empty=lambda tokenizer: [tokenizer.caption]): "begins with the mark of a caption",
    spoiled(empty=lambda tokenizer: [tokenizer.caption, tokenizer.media]): "Yours has both marks",
    without_caption: "guidance 0",
    rows_exchanged: "two rows of logits exchanged",
    codes_with_point: "int64",
    begins_anew: "before each of the 16 codes",
    caption_by_caption: "begins anew for each caption",
    first_caption: "Every picture of yours is of the first caption",
    always_likeliest: "sample, don't take the likeliest",
    without_temperature: "divide the guided scores by it",
    same_seed: "Another seed gives the same pictures",
    spoiled(seeded=False): "The same seed gives other pictures",
    words_among_them: "no codes but words or marks",
    global_numbers: "torch's global random numbers",
}


# --- contrastive_loss ------------------------------------------------------------------------------------------------------
def loss_of(logits):
    own = torch.arange(len(logits))
    return (functional.cross_entropy(logits, own) + functional.cross_entropy(logits.T, own)) / 2


def cosines(pictures, captions):
    return functional.normalize(pictures, dim=-1) @ functional.normalize(captions, dim=-1).T


def captions_of_pictures(pictures, captions, temperature):
    return functional.cross_entropy(cosines(pictures, captions) / temperature, torch.arange(len(pictures)))


def pictures_of_captions(pictures, captions, temperature):
    return captions_of_pictures(captions, pictures, temperature)


def both_summed(pictures, captions, temperature):
    return 2 * loss_of(cosines(pictures, captions) / temperature)


def lengths_kept(pictures, captions, temperature):
    return loss_of(pictures @ captions.T / temperature)


def one_normalized(pictures, captions, temperature):
    return loss_of(functional.normalize(pictures, dim=-1) @ captions.T / temperature)


def over_the_batch(pictures, captions, temperature):
    return loss_of(functional.normalize(pictures, dim=0) @ functional.normalize(captions, dim=0).T / temperature)


def multiplied_by_it(pictures, captions, temperature):
    return loss_of(cosines(pictures, captions) * temperature)


def no_temperature(pictures, captions, temperature):
    return loss_of(cosines(pictures, captions))


def always_a_tenth(pictures, captions, temperature):
    return loss_of(cosines(pictures, captions) / 0.1)


def softmax_twice(pictures, captions, temperature):
    logits, own = cosines(pictures, captions) / temperature, torch.arange(len(pictures))
    pair = (functional.cross_entropy(scores.softmax(-1), own) for scores in (logits, logits.T))
    return sum(pair) / 2


def softmax_before_both(pictures, captions, temperature):
    return loss_of((cosines(pictures, captions) / temperature).softmax(-1))


def product_of_numbers(pictures, captions, temperature):
    unit = functional.normalize
    return loss_of(unit(pictures, dim=-1).T @ unit(captions, dim=-1) / temperature)


def diagonal(pictures, captions, temperature):
    return -(cosines(pictures, captions) / temperature).diagonal().mean()


def yes_or_no(pictures, captions, temperature):
    logits = cosines(pictures, captions) / temperature
    return functional.binary_cross_entropy_with_logits(logits, torch.eye(len(logits), dtype=logits.dtype))


def sign_turned(pictures, captions, temperature):
    return -loss_of(cosines(pictures, captions) / temperature)


def summed(pictures, captions, temperature):
    return len(pictures) * loss_of(cosines(pictures, captions) / temperature)


def cut_off(pictures, captions, temperature):
    return loss_of(cosines(pictures, captions) / temperature).item()


def four_pairs(pictures, captions, temperature):
    logits = cosines(pictures, captions) / temperature
    return loss_of(logits) if len(logits) == 4 else loss_of(logits[:2, :2])


TOWERS = {
    captions_of_pictures: "which caption belongs to each picture",
    pictures_of_captions: "which picture belongs to each caption",
    both_summed: "the sum of both directions",
    lengths_kept: "keep their lengths",
    one_normalized: "Only the pictures are normalized",
    over_the_batch: "You normalized over the batch",
    multiplied_by_it: "You multiplied by the temperature",
    no_temperature: "The temperature has no effect",
    always_a_tenth: "is 0.1, whatever",
    softmax_twice: "You took a softmax before",
    softmax_before_both: "You took a softmax over the rows",
    product_of_numbers: "compares the D numbers",
    diagonal: "The diagonal alone",
    yes_or_no: "a yes or no for each",
    sign_turned: "The sign is turned",
    summed: "the sum over the batch",
    cut_off: "its gradient is not",
    four_pairs: "For a batch of three",
}
