"""Wrong answers to notebook 16's sound and exercises: each is one mistake, with words of the message it must hear."""

import torch
from torch.nn import functional

from tests.answers.nb16_guidance_wrong import cosines, loss_of


# --- log_spectrum ----------------------------------------------------------------------------------------------------------
def spectrum(sounds, size=128, hop=128, window=torch.hann_window, after=lambda x: (x.abs() + 1e-3).log()):
    return after(torch.fft.rfft(sounds.unfold(-1, size, hop) * window(size)))


def spoiled(**how):
    return lambda *arguments: spectrum(*arguments, **how)


def whole_transform(sounds, size=128, hop=128):
    return (torch.fft.fft(sounds.unfold(-1, size, hop) * torch.hann_window(size)).abs() + 1e-3).log()


def turned(sounds, size=128, hop=128):
    return spectrum(sounds, size, hop).transpose(-1, -2)


def no_overlap(sounds, size=128, hop=128):
    return spectrum(sounds, size, size)


def filled_up(sounds, size=128, hop=128):
    return spectrum(functional.pad(sounds, (0, size - 1)), size, hop)


def windowed_later(sounds, size=128, hop=128):
    sizes = torch.fft.rfft(sounds.unfold(-1, size, hop)).abs()
    return (sizes * torch.hann_window(size // 2 + 1) + 1e-3).log()


def always_eight(sounds, size=128, hop=128):
    return spectrum(sounds, size, 8)


SPECTRUM = {
    spoiled(window=torch.ones): "The window is missing",
    spoiled(after=torch.abs): "That is the magnitude. Its",
    spoiled(after=lambda x: x.abs() + 1e-3): "the magnitude and the 0.001",
    spoiled(after=lambda x: (x.abs() + 1e-3).log10()): "to base 10",
    spoiled(after=lambda x: (x.abs() + 1e-3).log2()): "to base 2",
    spoiled(after=lambda x: x.abs().log() + 1e-3): "You added 0.001 to the logarithm",
    spoiled(after=lambda x: (x.real.abs() + 1e-3).log()): "the real part alone",
    spoiled(after=lambda x: x.abs().log1p()): "hides everything soft",
    spoiled(after=lambda x: (x.abs() ** 2 + 1e-3).log()): "You squared",
    spoiled(after=lambda x: x.abs().log()): "You added no 0.001",
    spoiled(after=lambda x: x): "complex numbers",
    spoiled(after=lambda x: x.real.log()): "no finite number",
    spoiled(window=torch.hamming_window): "Hamming",
    whole_transform: "second half of a Fourier transform",
    turned: "Frames and frequencies are exchanged",
    no_overlap: "Yours begin every 16",
    filled_up: "yours has more",
    windowed_later: "multiplied the spectrum by a window",
    always_eight: "15 frames of 128",
}


# --- bayes_reading ---------------------------------------------------------------------------------------------------------
def joint(likelihoods, log_prior):
    return likelihoods if log_prior is None else likelihoods + log_prior


def no_prior(likelihoods, log_prior=None):
    return likelihoods.softmax(-1)


def over_pictures(likelihoods, log_prior=None):
    return joint(likelihoods, log_prior).softmax(0)


def logarithms(likelihoods, log_prior=None):
    return joint(likelihoods, log_prior).log_softmax(-1)


def not_normalized(likelihoods, log_prior=None):
    return joint(likelihoods, log_prior).exp()


def multiplied(likelihoods, log_prior=None):
    return (likelihoods * (1 if log_prior is None else log_prior)).softmax(-1)


def added_later(likelihoods, log_prior=None):
    return likelihoods.softmax(-1) + (0 if log_prior is None else log_prior)


def prior_itself(likelihoods, log_prior=None):
    return joint(likelihoods, None if log_prior is None else log_prior.exp()).softmax(-1)


def divided_by_it(likelihoods, log_prior=None):
    return joint(likelihoods, None if log_prior is None else -log_prior).softmax(-1)


def over_everything(likelihoods, log_prior=None):
    p = joint(likelihoods, log_prior).exp()
    return p / p.sum()


def prior_after_softmax(likelihoods, log_prior=None):
    return likelihoods.softmax(-1) * (1 if log_prior is None else log_prior.exp())


def by_hand(likelihoods, log_prior=None):
    p = joint(likelihoods, log_prior).exp()
    return p / p.sum(-1, keepdim=True)


def rare_without_prior(likelihoods, log_prior=None):
    prior = torch.tensor([0.4, 0.1, 0.3, 0.2]).log() if log_prior is None else log_prior
    return joint(likelihoods, prior).softmax(-1)


BAYES = {
    no_prior: "Your prior has no effect",
    over_pictures: "normalized over the pictures",
    logarithms: "These are log-probabilities",
    not_normalized: "Yours do not sum to 1",
    prior_after_softmax: "Yours do not sum to 1",
    over_everything: "sum over all pictures",
    multiplied: "You multiplied the logarithms",
    added_later: "logarithm of the prior to probabilities",
    prior_itself: "You added the prior itself",
    divided_by_it: "You divided by the prior",
    by_hand: "e to the −2,000",
    rare_without_prior: "Without log_prior",
}


# --- without_repeats -------------------------------------------------------------------------------------------------------
def repeats(numbers):
    return (numbers[:, None] == numbers) & ~torch.eye(len(numbers), dtype=torch.bool)


def two(first, second, targets):
    return (functional.cross_entropy(first, targets) + functional.cross_entropy(second.T, targets)) / 2


def as_before(pictures, captions, numbers, temperature):
    return loss_of(cosines(pictures, captions) / temperature)


def captions_masked(pictures, captions, numbers, temperature):
    logits = cosines(pictures, captions) / temperature
    return two(logits.masked_fill(repeats(numbers), -torch.inf), logits, torch.arange(len(numbers)))


def pictures_masked(pictures, captions, numbers, temperature):
    logits = cosines(pictures, captions) / temperature
    return two(logits, logits.masked_fill(repeats(numbers), -torch.inf), torch.arange(len(numbers)))


def shared(pictures, captions, numbers, temperature):
    logits = cosines(pictures, captions) / temperature
    equal = (numbers[:, None] == numbers).to(logits.dtype)
    return two(logits, logits, equal / equal.sum(-1, keepdim=True))


def zeros(pictures, captions, numbers, temperature):
    logits = (cosines(pictures, captions) / temperature).masked_fill(repeats(numbers), 0.0)
    return loss_of(logits)


def first_of_each(pictures, captions, numbers, temperature):
    seen = [number not in numbers[:i] for i, number in enumerate(numbers)]
    keep = torch.tensor(seen).nonzero()[:, 0]
    return loss_of(cosines(pictures[keep], captions[keep]) / temperature)


def one_way(pictures, captions, numbers, temperature):
    logits = (cosines(pictures, captions) / temperature).masked_fill(repeats(numbers), -torch.inf)
    return functional.cross_entropy(logits, torch.arange(len(numbers)))


def added(pictures, captions, numbers, temperature):
    return 2 * loss_of((cosines(pictures, captions) / temperature).masked_fill(repeats(numbers), -torch.inf))


def never_cold(pictures, captions, numbers, temperature):
    return loss_of(cosines(pictures, captions).masked_fill(repeats(numbers), -torch.inf))


def with_lengths(pictures, captions, numbers, temperature):
    return loss_of((pictures @ captions.T / temperature).masked_fill(repeats(numbers), -torch.inf))


def any_of_them(pictures, captions, numbers, temperature):
    logits, others = cosines(pictures, captions) / temperature, numbers[:, None] != numbers
    each = [logits.log_softmax(d).masked_fill(others, -torch.inf).logsumexp(d).mean() for d in (0, 1)]
    return -sum(each) / 2


def cut_off(pictures, captions, numbers, temperature):
    return loss_of((cosines(pictures, captions) / temperature).masked_fill(repeats(numbers), -torch.inf)).detach()


def itself_too(pictures, captions, numbers, temperature):
    equal = numbers[:, None] == numbers
    return loss_of((cosines(pictures, captions) / temperature).masked_fill(equal, -torch.inf))


def like_vectors(pictures, captions, numbers, temperature):
    mask = repeats(torch.tensor([7, 3, 7, 7, 2]))
    return loss_of((cosines(pictures, captions) / temperature).masked_fill(mask, -torch.inf))


REPEATS = {
    as_before: "the loss of section 7: equal",
    captions_masked: "You mask one direction only",
    pictures_masked: "You mask the pictures of a caption only",
    shared: "You share the target",
    zeros: "You set the repeated logits to 0",
    first_of_each: "You dropped every picture",
    one_way: "That is one direction",
    added: "That is the sum",
    never_cold: "The temperature has no effect",
    with_lengths: "keep their lengths",
    any_of_them: "every equal caption as a right answer",
    cut_off: "its gradient is not",
    itself_too: "no finite number",
    like_vectors: "Where no caption repeats",
}


# --- nearest_mean ----------------------------------------------------------------------------------------------------------
def means_of(features, labels, mean=lambda own: own.mean((0, 1))):
    return torch.stack([mean(features[labels == kind]) for kind in labels.unique()])


def numbers_of_labels(features, labels, new):
    return torch.cdist(new.mean(1), means_of(features, labels)).argmin(-1)


def farthest_mean(features, labels, new):
    return labels.unique()[torch.cdist(new.mean(1), means_of(features, labels)).argmax(-1)]


def sums(features, labels, new):
    return labels.unique()[torch.cdist(new.mean(1), means_of(features, labels, lambda own: own.sum((0, 1)))).argmin(-1)]


def first_frame(features, labels, new):
    return labels.unique()[torch.cdist(new[:, 0], means_of(features, labels)).argmin(-1)]


def means_of_first(features, labels, new):
    return labels.unique()[
        torch.cdist(new.mean(1), means_of(features, labels, lambda own: own[:, 0].mean(0))).argmin(-1)
    ]


def nearest_sound(features, labels, new):
    return labels[torch.cdist(new.mean(1), features.mean(1)).argmin(-1)]


def frames_vote(features, labels, new):
    means = means_of(features, labels)
    return labels.unique()[torch.cdist(new, means.expand(len(new), *means.shape)).argmin(-1).mode(1).values]


def in_their_order(features, labels, new):
    means = means_of(features, labels, lambda own: own.mean(0).flatten())
    return labels.unique()[torch.cdist(new.flatten(1), means).argmin(-1)]


def by_product(features, labels, new):
    return labels.unique()[(new.mean(1) @ means_of(features, labels).T).argmax(-1)]


def by_direction(features, labels, new):
    return labels.unique()[cosines(new.mean(1), means_of(features, labels)).argmax(-1)]


def mean_distance(features, labels, new):
    means = means_of(features, labels)
    return labels.unique()[torch.cdist(new, means.expand(len(new), *means.shape)).mean(1).argmin(-1)]


def commonest(features, labels, new):
    return labels.mode().values.expand(len(new))


MEAN = {
    numbers_of_labels: "positions in your list of labels",
    farthest_mean: "label of the farthest mean",
    sums: "You compared with sums",
    first_frame: "reads the first frame",
    means_of_first: "means are of first frames",
    nearest_sound: "the one training sound",
    frames_vote: "let each frame vote",
    in_their_order: "frame by frame",
    by_product: "the largest product",
    by_direction: "compared directions",
    mean_distance: "averaged the distances",
    commonest: "the commonest label",
}
