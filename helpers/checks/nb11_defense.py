"""Checks of notebook 11, the defense: a step along the gradient, the loss after it, a filter on normalized text."""

from collections.abc import Callable

from helpers.checks import Wrong, exercise, tried
from helpers.checks.compare import call, difference, kind, refuse_known, same, scalar, shown, tensor


@exercise
def check_gradient_step(gradient_step: Callable) -> str:
    """Build: ε g / ‖g‖ for each text, 0 at padding."""
    import torch

    generator = torch.Generator().manual_seed(0)
    for rows, epsilon in ((3, 0.3), (2, 2.0)):
        gradient = torch.randn(rows, 4, 2, generator=generator)
        mask = torch.arange(4) < torch.tensor([[4], [2], [3]])[:rows]
        kept = gradient * mask[..., None]
        size = kept.flatten(1).norm(dim=1)[:, None, None]
        right = epsilon * kept / size
        changed = "You changed a tensor that you were given: compute a new one."
        answer = call(gradient_step, gradient, epsilon, mask, changed=changed)
        answer = tensor(answer, tuple(gradient.shape), "a step for each embedded letter")
        everywhere = epsilon * gradient / gradient.flatten(1).norm(dim=1)[:, None, None]
        refuse_known(
            answer,
            {
                "That is ε times the sign, Goodfellow's step. Here every text takes a step of *length* ε.": epsilon
                * kept.sign(),
                "You did not divide by the length: the step is as long as the gradient.": epsilon * kept,
                "You divided by the length of the whole batch's gradient. Each text has a step of its own.": epsilon
                * kept
                / kept.norm(),
                "Each letter takes a step of length ε in yours. It is the step of the whole text that is so long.": epsilon
                * kept
                / kept.norm(dim=-1, keepdim=True).clamp(min=1e-30),
                "The sign is the other way around: that step makes the loss smaller.": -right,
                "Padding takes part in yours. Set the gradient to 0 where the mask is False, then divide.": everywhere,
                "Padding counts in the length. Set the gradient to 0 where the mask is False before you take the norm.": (
                    everywhere * mask[..., None]
                ),
                "You divided by the sum of the absolute numbers. The Euclidean length is the root of the sum of squares.": epsilon
                * kept
                / kept.flatten(1).abs().sum(1)[:, None, None],
                "You divided by the square of the length.": epsilon * kept / size**2,
                "The step has length 1: multiply it by ε.": kept / size,
            },
        )
        if not same(answer, right):
            raise Wrong(f"Something else is in yours: {difference(answer, right)}.")
    flat = tensor(gradient_step(torch.zeros(1, 3, 2), 0.5, torch.ones(1, 3, dtype=torch.bool)), (1, 3, 2), "a step")
    if flat.isnan().any():
        raise Wrong("Where the gradient is 0 yours is NaN: 0 / 0. `clamp(min=1e-12)` on the length gives a step of 0.")
    half = torch.stack([torch.zeros(3, 2), torch.ones(3, 2)])
    half = tensor(gradient_step(half, 0.5, torch.ones(2, 3, dtype=torch.bool)), (2, 3, 2), "a step")
    if half.isnan().any() or not same(half[1], torch.full((3, 2), 0.5 / 6**0.5)):
        raise Wrong("Where one sentence of two has no gradient its step is 0, and the other's is as ever; yours differs.")
    return "The worst step of this size, to first order."


class _Toy:
    """A classifier with `embed` and `from_embedded`, in which padding would count if the mask were forgotten."""

    def __init__(self):
        import torch

        generator = torch.Generator().manual_seed(1)
        self.embed = torch.nn.Embedding(6, 3)
        with torch.no_grad():
            self.embed.weight.copy_(torch.randn(6, 3, generator=generator))
        self.head = torch.randn(3, 2, generator=generator)

    def from_embedded(self, x, mask):
        return ((x**2 + x) * mask[..., None]).sum(1) @ self.head

    def __call__(self, ids):
        return self.from_embedded(self.embed(ids), ids != 0)


@exercise
def check_perturbed_loss(perturbed_loss: Callable) -> str:
    """Build: half the loss on the texts as they are, half the loss after a step of their embeddings."""
    import torch
    from torch.nn.functional import cross_entropy

    from helpers.models.gpt_classifier import LabeledBatch

    model, generator = _Toy(), torch.Generator().manual_seed(2)
    ids = torch.tensor([[1, 2, 3, 0], [4, 5, 0, 0], [2, 2, 5, 1]])
    batch = LabeledBatch(ids, (ids != 0).sum(1), torch.tensor([0, 1, 1]))
    step = 0.4 * torch.randn(3, 4, 3, generator=generator)
    model.embed.weight.grad, step_given = None, step.clone().requires_grad_()
    clean = cross_entropy(model(ids), batch.targets)

    def after(mask, sign=1.0):
        return cross_entropy(model.from_embedded(model.embed(ids) + sign * step, mask), batch.targets)

    moved = after(ids != 0)
    answer = scalar(tried(perturbed_loss(model, batch, step_given)), "one number, the loss")
    right = 0.5 * clean + 0.5 * moved
    refuse_known(
        answer,
        {
            "That is the loss after the step alone. Half of it is that on the texts as they are.": moved,
            "That is the loss without any step.": clean,
            "You summed the two losses. Take half of each.": clean + moved,
            "You summed over the sentences: each half is the *mean* cross-entropy.": 3 * right,
            "You gave from_embedded the step alone: add it to model.embed(batch.ids).": 0.5 * clean
            + 0.5 * cross_entropy(model.from_embedded(step, ids != 0), batch.targets),
            "You subtracted the step. It is already along the gradient: add it.": 0.5 * clean
            + 0.5 * after(ids != 0, -1.0),
            "Padding counts in yours: give from_embedded the mask `batch.ids != 0`.": 0.5 * clean
            + 0.5 * after(torch.ones_like(ids, dtype=torch.bool)),
            "The mask is the other way around: it is True where there is a letter.": 0.5 * clean
            + 0.5 * after(ids == 0),
        },
    )
    if not same(answer, right):
        raise Wrong(f"For my three texts I expected {right.item():.4f} and got {answer.item():.4f}.")
    if not answer.requires_grad:
        raise Wrong("The loss has no gradient: compute it with torch from the model, and return the tensor.")
    if model.embed.weight.grad is not None:
        raise Wrong("You have called backward(). Return the loss; the training does that.")
    got = torch.autograd.grad(answer, [model.embed.weight, step_given], allow_unused=True, materialize_grads=True)
    expected = torch.autograd.grad(right, model.embed.weight)[0]
    if not same(got[0], expected):
        raise Wrong("The gradient of the embeddings is not that of the loss: nothing of the model may be detached.")
    if got[1].abs().sum() > 0:
        raise Wrong("A gradient flows back into the step: detach it. The attack is a constant, the model alone learns.")
    return "Half for the texts as people write them, half for the worst texts near them."


@exercise
def check_contains_word(contains_word: Callable) -> str:
    """Build: which words of a list a text contains, as whole words, in any case, after normalizing."""

    def drop_signs(text: str) -> str:
        return text.replace("#", "")

    def found(text: str, words, *normalize) -> list:
        answer = tried(contains_word(text, words, *normalize))
        if isinstance(answer, bool) or not isinstance(answer, list | tuple):
            raise Wrong(f"I expected a list of the words that were found and got {kind(answer)}.")
        if any(word not in words for word in answer):
            raise Wrong(f"Return words of the list as they stand there; yours gave {shown(list(answer))}.")
        return list(answer)

    words = ["hell", "damn", "ab"]
    if found("What the hell", words) != ["hell"]:
        raise Wrong(f"In 'What the hell' stands the word hell; yours gave {shown(found('What the hell', words))}.")
    if found("hello, shell, hells", words):
        raise Wrong(
            f"'hello, shell, hells' contains none of the words; yours found {found('hello, shell, hells', words)}."
        )
    cases = [
        ("Go to HELL", ["hell"], "Capitals get through: 'Go to HELL' contains hell."),
        (
            "damn this hell",
            ["hell", "damn"],
            "Return all that are found, in the order of the list: in 'damn this hell' there are two.",
        ),
        (
            "hell, and (damn)!",
            ["hell", "damn"],
            "Before a comma or a bracket a word ends, too: 'hell, and (damn)!' has two.",
        ),
        ("hell hell", ["hell"], "A word that stands twice in the text is returned once."),
        ("nothing here", [], "In 'nothing here' there is none of the words."),
        ("", [], "The empty text contains none of the words."),
    ]
    for text, right, message in cases:
        if (answer := found(text, words)) != right:
            raise Wrong(f"{message} Yours gave {shown(answer)}.")
    if (answer := found("what the h#ell", words, drop_signs)) != ["hell"]:
        raise Wrong(
            f"'h#ell' is hell after a normalize that drops signs, and yours found {shown(answer)}: call normalize(text) first."
        )
    if (answer := found("what the h.e.l.l", words)) != ["hell"]:
        raise Wrong(
            f"Without the argument, normalize is normalize_input, which reads 'h.e.l.l' as hell; yours found {shown(answer)}."
        )
    for text in ("hell2", "4hell", "hell_"):
        if found(text, words, str):
            raise Wrong(f"Digits and underscores are parts of words: {shown(text)} does not contain hell.")
    if found("hell-fire", words, str) != ["hell"]:
        raise Wrong("A word ends at every sign, inside of a text without spaces, too: 'hell-fire' contains hell.")
    if found("go to hell", ["HELL"], str) != ["HELL"]:
        raise Wrong("Capitals do not matter in the list either: 'go to hell' contains HELL, returned as in the list.")
    if not found("a.b", ["a.b"], str):
        raise Wrong("'a.b' contains the word a.b of a list: signs in a word stand for themselves. Do not cut the text at them.")
    if found("a+b", ["a.b"], str) or found("a.b", ["a.b"], str) != ["a.b"]:
        raise Wrong("A dot in a word of the list stands for a dot: `re.escape` the word before it goes into a pattern.")
    return "Words, not letters; and after normalizing, not before."
