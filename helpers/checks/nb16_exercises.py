"""Checks of notebook 16's exercises: reading by Bayes' rule, a batch in which captions repeat, a fair control."""

from collections.abc import Callable

from helpers.checks import Wrong, exercise
from helpers.checks.compare import call, difference, gradient_of, near, refuse_known, same, scalar, tensor
from helpers.checks.nb16_towers import batch, cosines

CHANGED = "You changed what you were given: it is needed again. Compute something new."


@exercise
def check_bayes_reading(bayes_reading: Callable) -> str:
    """Exercise: p(caption | picture) from log p(picture | caption) and log p(caption)."""
    import torch

    likelihoods = torch.tensor([[-3.0, -2.0, -4.0, -2.5], [-1.0, -1.5, -0.5, -6.0]]).double()
    prior = torch.tensor([0.4, 0.1, 0.3, 0.2]).double().log()
    answer = call(bayes_reading, likelihoods, prior, changed=CHANGED)
    answer = tensor(answer, (2, 4), "a probability for each of 4 captions, for each of 2 pictures")
    joint = likelihoods + prior
    refuse_known(
        answer,
        {
            "Your prior has no effect. Bayes: p(caption | picture) is proportional to likelihood times prior.": (
                likelihoods.softmax(-1)
            ),
            "You normalized over the pictures. For *one* picture the captions sum to 1: the last dimension.": joint.softmax(
                0
            ),
            "These are log-probabilities. Probabilities are asked for.": joint.log_softmax(-1),
            "Yours do not sum to 1: divide by the sum over the captions.": joint.exp(),
            "You divided by the sum over all pictures, too. For *one* picture the captions sum to 1: sum(-1, keepdim=True).": (
                joint.exp() / joint.exp().sum()
            ),
            "You multiplied the logarithms. Probabilities are multiplied, so logarithms are added.": (
                (likelihoods * prior).softmax(-1)
            ),
            "You added the logarithm of the prior to probabilities. Add it to the log-likelihoods, before the softmax.": (
                likelihoods.softmax(-1) + prior
            ),
            "You added the prior itself. log_prior is a logarithm already: add it, without exp.": (
                (likelihoods + prior.exp()).softmax(-1)
            ),
            "You divided by the prior. It multiplies: its logarithm is added.": (likelihoods - prior).softmax(-1),
        },
    )
    if not same(answer.sum(-1), torch.ones(2)):
        raise Wrong("Yours do not sum to 1: divide by the sum over the captions.")
    if not same(answer, joint.softmax(-1)):
        raise Wrong(f"For my two pictures yours has {difference(answer, joint.softmax(-1))}.")
    if not same(tensor(bayes_reading(likelihoods), (2, 4), "probabilities"), likelihoods.softmax(-1)):
        raise Wrong("Without log_prior all captions are equally likely beforehand: the softmax of the likelihoods.")
    far = tensor(bayes_reading(likelihoods - 2_000, prior), (2, 4), "probabilities")
    if not torch.isfinite(far).all() or not same(far, joint.softmax(-1)):
        raise Wrong(
            "Where all likelihoods are tiny, e to the −2,000, yours is no longer right. A softmax subtracts the largest first."
        )
    return "The generator has become a reader."


@exercise
def check_without_repeats(without_repeats: Callable) -> str:
    """Exercise: the contrastive loss that leaves the repetitions of a picture's own caption out of the choice.

    Equal numbers have different vectors here, as they never would in a tower: so the mistakes can be told apart.
    """
    import torch
    from torch.nn import functional

    (pictures, captions), temperature, numbers = batch(5, 4, seed=2), 0.25, torch.tensor([7, 3, 7, 7, 2])
    pictures.requires_grad_(True)
    answer = scalar(
        call(without_repeats, pictures, captions, numbers, temperature, changed=CHANGED), "a loss, one number"
    )
    logits, own = cosines(pictures, captions) / temperature, torch.arange(5)
    equal, itself = numbers[:, None] == numbers, torch.eye(5, dtype=torch.bool)

    def both(first, second, targets=own):
        return (functional.cross_entropy(first, targets) + functional.cross_entropy(second.T, targets)) / 2

    hidden = logits.masked_fill(equal & ~itself, float("-inf"))
    shared = equal.double() / equal.sum(-1, keepdim=True)
    zeros = logits.masked_fill(equal & ~itself, 0.0)
    raw = (pictures @ captions.T / temperature).masked_fill(equal & ~itself, float("-inf"))
    once = logits[[0, 1, 4]][:, [0, 1, 4]]
    refuse_known(
        answer,
        {
            "That is the loss of section 7: equal captions still count as wrong answers.": both(logits, logits),
            "You mask one direction only. Pictures of the same caption are no wrong answers either.": both(
                hidden, logits
            ),
            "You mask the pictures of a caption only. The same caption of another picture is no wrong answer either.": both(
                logits, hidden
            ),
            "You share the target among equal captions. Their vectors are equal in a tower, and then nothing changes: "
            "leave them out.": both(logits, logits, shared),
            "You set the repeated logits to 0. A 0 still takes part in a softmax: −∞ does not.": both(zeros, zeros),
            "The temperature has no effect in yours: the cosines are divided by it.": both(
                hidden * temperature, hidden * temperature
            ),
            "Your vectors keep their lengths: normalize both, as in section 7.": both(raw, raw),
            "You count every equal caption as a right answer. Leave them out: one right answer stays.": (
                -(_of_equals(logits, equal, 1) + _of_equals(logits, equal, 0)) / 2
            ),
            "You dropped every picture whose caption came before. All pictures stay; only the wrong answers are fewer.": (
                (functional.cross_entropy(once, own[:3]) + functional.cross_entropy(once.T, own[:3])) / 2
            ),
            "That is one direction. The mean of both, as before.": functional.cross_entropy(hidden, own),
            "That is the sum of both directions. The mean, please.": 2 * both(hidden, hidden),
        },
        lambda given, expected: near(given.item(), expected.item()),
    )
    if not torch.isfinite(answer):
        raise Wrong("Yours is no finite number: you left out the right answer, too. The diagonal stays.")
    if not near(answer.item(), both(hidden, hidden).item()):
        expected = both(hidden, hidden).item()
        raise Wrong(f"For my five pairs, three of one caption, it is {expected:.4f}, yours is {answer.item():.4f}.")
    wanted, given = gradient_of(both(hidden, hidden), pictures), gradient_of(answer, pictures)
    if not torch.allclose(wanted, given, rtol=1e-4, atol=1e-6):
        raise Wrong("The number is right, but its gradient is not: no .item(), no detach() on the way.")
    if not near(float(without_repeats(pictures.detach(), captions, torch.arange(5), temperature)), both(logits, logits).item()):
        raise Wrong(
            "Where no caption repeats, it must be the loss of section 7. Yours is not: look at `numbers` alone."
        )
    return "No picture is pushed away from its own words any more."


def _of_equals(logits, equal, dimension: int):
    """Return the mean log-probability that a choice falls on any of the equal ones."""
    return logits.log_softmax(dimension).masked_fill(~equal, float("-inf")).logsumexp(dimension).mean()


@exercise
def check_nearest_mean(nearest_mean: Callable) -> str:
    """Exercise: the label whose mean over all frames of all sounds is nearest to a sound's own mean."""
    import torch
    from torch.nn import functional

    rng = torch.Generator().manual_seed(648)
    labels = torch.tensor([4, 2, 4, 4, 2, 9, 4])
    centers = {2: [3.0, 0.0], 4: [-1.0, 0.5], 9: [0.0, -4.0]}
    base = torch.tensor([centers[number.item()] for number in labels])[:, None]  # [7, 1, 2]
    features = base + 1.2 * torch.randn(7, 6, 2, generator=rng)
    points = torch.tensor([[1.4, 0.4], [0.4, -1.6], [-0.2, 0.7], [0.9, 0.3], [-0.6, -1.2], [2.5, -2.2]])
    noise = 3.0 * torch.randn(6, 6, 2, generator=rng)
    new = points[:, None] + noise - noise.mean(1, keepdim=True)  # each frame elsewhere, the mean at its point
    answer = call(nearest_mean, features, labels, new, changed=CHANGED)
    answer = tensor(answer, (6,), "a label for each of 6 new sounds")
    kinds = labels.unique()
    means = torch.stack([features[labels == kind].mean((0, 1)) for kind in kinds])  # [3, 2]
    nearest = torch.cdist(new.mean(1), means).argmin(-1)
    sums = torch.stack([features[labels == kind].sum((0, 1)) for kind in kinds])
    firsts = torch.stack([features[labels == kind][:, 0].mean(0) for kind in kinds])
    in_order = torch.stack([features[labels == kind].mean(0).flatten() for kind in kinds])
    votes = torch.cdist(new, means.expand(6, 3, 2)).argmin(-1).mode(1).values
    refuse_known(
        answer,
        {
            "You returned positions in your list of labels: 0, 1, 2. The labels here are 2, 4, 9.": nearest,
            "That is the label of the farthest mean: argmin.": kinds[torch.cdist(new.mean(1), means).argmax(-1)],
            "You compared with sums: a label with many sounds is far away. Means, please.": (
                kinds[torch.cdist(new.mean(1), sums).argmin(-1)]
            ),
            "Yours reads the first frame of a new sound alone. The control is to ignore *order*: the mean of all frames.": (
                kinds[torch.cdist(new[:, 0], means).argmin(-1)]
            ),
            "Your means are of first frames. Average over all frames of all sounds of a label.": (
                kinds[torch.cdist(new.mean(1), firsts).argmin(-1)]
            ),
            "You compared frame by frame, in their order. Average over the frames, too: order is what the control ignores.": (
                kinds[torch.cdist(new.flatten(1), in_order).argmin(-1)]
            ),
            "That is the label of the one training sound nearest in the mean. Average the sounds of each label first.": (
                labels[torch.cdist(new.mean(1), features.mean(1)).argmin(-1)]
            ),
            "You took the largest product: a long mean wins then. A distance is wanted.": (
                kinds[(new.mean(1) @ means.T).argmax(-1)]
            ),
            "You compared directions, by the cosine. Two means may lie in one direction: a distance is wanted.": kinds[
                (functional.normalize(new.mean(1), dim=-1) @ functional.normalize(means, dim=-1).T).argmax(-1)
            ],
            "You averaged the distances of the frames. Average the frames first, then one distance.": (
                kinds[torch.cdist(new, means.expand(6, 3, 2)).mean(1).argmin(-1)]
            ),
            "You let each frame vote. The mean of the frames first, then one comparison.": kinds[votes],
            "That is the commonest label for every sound.": labels.mode().values.expand(6),
        },
    )
    if not same(answer, kinds[nearest]):
        raise Wrong(f"For my six sounds yours has {difference(answer, kinds[nearest])}.")
    return "No order, no tokens, no GPT: what this control reaches is not the model's merit."
