"""Checks of notebook 11, the attack: the gradient of the input, what each swap of a letter gains, and HotFlip."""

from collections.abc import Callable

from helpers.checks import Wrong, exercise, is_stub, tried
from helpers.checks.compare import call, difference, kind, refuse_known, same, shown, tensor


class _Toy:
    """A classifier with `embed` and `from_embedded`, in which dropout and forgotten masks would show."""

    def __new__(cls):
        import torch
        from torch import nn

        class Toy(nn.Module):
            def __init__(self):
                super().__init__()
                generator = torch.Generator().manual_seed(1)
                self.embed, self.head, self.drop = nn.Embedding(6, 3), nn.Linear(3, 2), nn.Dropout(0.5)
                with torch.no_grad():
                    for parameter in self.parameters():
                        parameter.copy_(torch.randn(parameter.shape, generator=generator))

            def from_embedded(self, x, mask):
                return self.head(self.drop(((x**2 + x) * mask[..., None]).sum(1)))

            def forward(self, ids):
                return self.from_embedded(self.embed(ids), ids != 0)

        return Toy()


@exercise
def check_embedding_gradient(embedding_gradient: Callable) -> str:
    """Build: the gradient of the summed loss with respect to the embedded letters, dropout off, nothing else touched."""
    import torch
    from torch.nn.functional import cross_entropy

    model, ids = _Toy(), torch.tensor([[1, 2, 3, 0], [4, 5, 0, 0], [2, 2, 5, 1]])
    targets = torch.tensor([0, 1, 1])
    model.eval()

    def right(mask, reduction="sum", targets=targets):
        x = model.embed(ids).detach().requires_grad_()
        return torch.autograd.grad(cross_entropy(model.from_embedded(x, mask), targets, reduction=reduction), x)[0]

    expected = right(ids != 0)
    answer = embedding_gradient(model, ids, targets)
    if answer is None and not is_stub(embedding_gradient):
        raise Wrong(
            "Your code gave back None. Is a `return` missing, or is it the .grad of vectors that came out of `model.embed`? "
            "Only `.detach()` makes these vectors an input of their own."
        )
    answer = tensor(tried(answer), (3, 4, 3), "a gradient for each embedded letter")
    x = model.embed(ids).detach().requires_grad_()
    scores = torch.autograd.grad(model.from_embedded(x, ids != 0)[torch.arange(3), targets].sum(), x)[0]
    refuse_known(
        answer,
        {
            "You averaged the loss over the sentences: then each gradient is smaller in a larger batch. Use the sum.": expected
            / 3,
            "Padding has a gradient in yours: give from_embedded the mask `ids != 0`.": right(torch.ones_like(ids) > 0),
            "That is the gradient of the right answer's *score*. Take that of the loss, the cross-entropy.": scores,
            "The sign is the other way around: it should say where the loss *rises*.": -expected,
            "That is the gradient for the other label of each sentence. Use targets.": right(ids != 0, targets=1 - targets),
            "You took the model's own answers for the labels. Use targets.": right(ids != 0, targets=model(ids).argmax(-1)),
            "These are the embedded letters themselves. Return the gradient with respect to them.": model.embed(ids),
        },
    )
    if not same(answer, expected):
        raise Wrong(f"Something else is in yours: {difference(answer, expected)}.")
    if any(parameter.grad is not None for parameter in model.parameters()):
        raise Wrong("The parameters have a gradient now. `torch.autograd.grad(loss, x)` computes that of x alone.")
    if not all(parameter.requires_grad for parameter in model.parameters()):
        raise Wrong("The parameters take no gradient any more (requires_grad is False): the model could not learn from here on.")
    single = tensor(embedding_gradient(model, ids[:1], targets[:1]), (1, 4, 3), "a gradient for one sentence")
    if not same(single, expected[:1]):
        raise Wrong(f"For the first sentence alone it is wrong: {difference(single, expected[:1])}.")
    _try_in_training(embedding_gradient, model, ids, targets, expected)
    return "Where the loss rises, for every letter of every sentence."


def _try_in_training(embedding_gradient: Callable, model, ids, targets, expected) -> None:
    """Raise ``Wrong`` when dropout takes part, or when the model is left in another mode than before."""
    if model.training:
        raise Wrong("Your function has left the model in training mode, and it was in evaluation mode before.")
    model.train()
    answers = [embedding_gradient(model.train(), ids, targets) for _ in range(4)]
    if not all(same(answer, expected) for answer in answers):
        raise Wrong(
            "While a model trains, dropout takes part in yours, so each gradient is another one. Call model.eval() first."
        )
    if not model.training:
        raise Wrong("Training goes on after the attack: put the model back into the mode it was in.")


@exercise
def check_swap_scores(swap_scores: Callable) -> str:
    """Build: what the loss gains by every swap at every position, to first order."""
    import torch

    generator = torch.Generator().manual_seed(0)
    for length, size, width in ((5, 7, 3), (2, 4, 4)):
        gradient, table = torch.randn(length, width, generator=generator), torch.randn(size, width, generator=generator)
        ids = torch.randint(size, (length,), generator=generator)
        changed = "You changed a tensor that you were given: compute a new one."
        answer = call(swap_scores, gradient, table, ids, changed=changed)
        answer = tensor(answer, (length, size), "the scores of all swaps")
        old = (gradient * table[ids]).sum(-1, keepdim=True)
        right = gradient @ table.T - old
        refuse_known(
            answer,
            {
                "The old letter is missing in yours: what counts is the difference of the two embeddings.": gradient
                @ table.T,
                "The sign is the other way around: new minus old.": -right,
                "You took absolute values. A swap that lowers the loss helps the model, not the attack.": right.abs(),
                "You added the old letter's part. Subtract it.": gradient @ table.T + old,
                "You divided by the length of the step. The score is the whole dot product.": right
                / (table[None] - table[ids][:, None]).norm(dim=-1).clamp(min=1e-12),
                "That is how far the embeddings are apart. Multiply their difference by the gradient.": (
                    table[None] - table[ids][:, None]
                ).norm(dim=-1),
                "You took one mean or sum over the whole sentence for the old letters: it is one number per position.": gradient
                @ table.T
                - (gradient * table[ids]).sum(),
                "You averaged the old letter's products: a dot product is their sum.": gradient @ table.T
                - (gradient * table[ids]).mean(-1, keepdim=True),
                "Every position has the old letter of the first one in yours: use table[ids].": gradient @ table.T
                - gradient @ table[ids[0]][:, None],
            },
        )
        if not same(answer, right):
            raise Wrong(f"Something else is in yours: {difference(answer, right)}.")
    return "One gradient has compared every swap at every position."


def _model():
    """Return a classifier with random weights that answers both ways, and texts on which two or three flips decide."""
    import torch

    from helpers.robustness.letter_classifier import LetterClassifier, encode_letters

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        model = LetterClassifier(n_embd=6, channels=12, width=3).eval()
    texts = ["do you like it", "i went to the sea", "it is 4 in the 2nd town", "we had 12 red cats at home"]
    with torch.no_grad():
        logits = model(encode_letters(texts))
        model.head.weight.mul_(30)
        model.head.bias.copy_(-(30 * (logits - model.head.bias)).mean(0))
    return model, texts


def _attack(model, text: str, label: int, flips: int, mistake: str = "") -> str:
    """Return what HotFlip makes of a text, or what it makes with one of the known mistakes."""
    import torch
    from torch.nn.functional import cross_entropy

    from helpers.robustness.hotflip import SWAPS
    from helpers.robustness.letter_classifier import decode_letters, encode_letters

    ids, first = encode_letters([text])[0], None
    used = torch.zeros(len(ids), dtype=torch.bool)
    swaps = torch.tensor([v in SWAPS or mistake == "any sign" for v in range(len(model.embed.weight))])
    for _ in range(flips):
        if mistake != "never stops" and model(ids[None]).argmax().item() != label:
            break
        x = model.embed(ids[None]).detach().requires_grad_()
        loss = cross_entropy(model.from_embedded(x, ids[None] != 0), torch.tensor([label]))
        gradient = torch.autograd.grad(loss, x)[0][0]
        first = gradient if first is None else first
        gradient = first if mistake == "one gradient" else gradient
        table = model.embed.weight.detach()
        scores = gradient @ table.T - (gradient * table[ids]).sum(-1, keepdim=True)
        if mistake == "smallest":
            scores = -scores
        free = swaps[ids] if mistake != "spaces too" else ids != 0
        free = free & ~used if mistake != "again and again" else free
        allowed = free[:, None] & swaps & (torch.arange(len(table)) != ids[:, None])
        position, letter = divmod(scores.masked_fill(~allowed, -torch.inf).argmax().item(), len(table))
        ids[position], used[position] = letter, True
    return decode_letters(ids)


MISTAKES = {
    "one gradient": "All your swaps come from the first gradient. After a swap, compute the gradient anew.",
    "smallest": "Your swaps lower the loss and so help the model: take the largest score, for the gradient of `label`'s loss.",
    "never stops": "You went on swapping after the answer was wrong: stop as soon as it is.",
    "spaces too": "A space or a digit was swapped. Only letters are, so that the words keep their boundaries.",
    "any sign": "A letter became a space, a digit or padding: it may only become another letter (SWAPS).",
    "again and again": "A position was swapped twice. Each position is used once.",
}


@exercise
def check_hotflip(hotflip: Callable) -> str:
    """Build: the greedy attack, one swap at a time, each by a new gradient."""
    model, texts = _model()
    cases = []
    for text in texts:
        label = _label(model, text)
        cases += [(text, label, flips) for flips in (0, 1, 2, 4)]
    cases += [(texts[0], 1 - _label(model, texts[0]), 2)]  # wrong already
    answers = []
    for case in cases:
        answer = tried(hotflip(model, *case))
        if not isinstance(answer, str):
            raise Wrong(f"I expected the attacked text and got {kind(answer)}.")
        answers.append(answer)
    rights = [_attack(model, *case) for case in cases]
    if answers == rights:
        if any(parameter.grad is not None for parameter in model.parameters()):
            raise Wrong(
                "The parameters have a gradient now. Take that of the embedded letters alone, as embedding_gradient does."
            )
        if hotflip(model, "4 7", _label(model, "4 7"), 3) != "4 7":
            raise Wrong("In '4 7' there is no letter to swap, and yours changed it: stop when none is left.")
        if hotflip(model, *cases[5][:2]) != answers[5]:
            raise Wrong("Without the argument, flips is 1.")
        return "Every swap is the best one to first order, and the text can be typed."
    for mistake, message in MISTAKES.items():
        if answers == [_attack(model, *case, mistake) for case in cases]:
            raise Wrong(message)
    for (text, label, flips), answer, right in zip(cases, answers, rights):
        if len(answer) != len(text):
            raise Wrong(f"{shown(text)} has {len(text)} letters, what you returned {len(answer)}: {shown(answer)}.")
        changed = sum(a != b for a, b in zip(answer, text))
        if changed > flips:
            raise Wrong(f"With flips={flips} you changed {changed} letters of {shown(text)}.")
        if answer != right:
            raise Wrong(
                f"From {shown(text)} with label {label} and flips={flips} I expected {shown(right)} and got {shown(answer)}."
            )
    raise Wrong("Your attack differs from mine in a way that I cannot name: compare it with the hint.")


def _label(model, text: str) -> int:
    from helpers.robustness.letter_classifier import encode_letters

    return model(encode_letters([text])).argmax().item()
