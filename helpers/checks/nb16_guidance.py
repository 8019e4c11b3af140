"""Checks of notebook 16's guidance: from two rows of scores to one, and pictures sampled with it."""

from collections.abc import Callable

from helpers.checks import Wrong, exercise
from helpers.checks.compare import call, difference, refuse_known, same, tensor
from helpers.checks.nb16_sequence import SmallTokenizer

CHANGED = "You changed what you were given: it is needed again. Compute something new."


def _alike(answer, expected) -> bool:
    """Whether two tensors of logits mean the same probabilities: a number added to all logits of a row changes nothing."""
    import torch

    expected = torch.as_tensor(expected).double()
    return answer.shape == expected.shape and same(answer.double().log_softmax(-1), expected.log_softmax(-1))


@exercise
def check_guided(guided: Callable) -> str:
    """Build: u + w (c − u), up to a number that is added to a whole row."""
    import torch

    c = torch.tensor([[2.0, 0.0, -1.0], [0.5, 0.5, 1.5]]).double()
    u = torch.tensor([[1.0, 1.2, -1.0], [0.0, -0.4, 0.6]]).double()
    answer = tensor(call(guided, c, u, 3.0, changed=CHANGED), (2, 3), "logits of the shape you were given")
    p, q = c.softmax(-1), u.softmax(-1)
    known = {
        "That mixes the two. Guidance goes beyond c, away from u: u + w (c − u) with w = 3.": 0.75 * c + 0.25 * u,
        "That is c + w (c − u), one step too far: with w = 1 it must be c.": c + 3 * (c - u),
        "That goes toward u: c and u are exchanged.": c + 3 * (u - c),
        "That goes away from the caption: the sign of w (c − u) is turned.": u - 3 * (c - u),
        "Only w (c − u) is left of it: start from u.": 3 * (c - u),
        "That is w · c: a low temperature, and u is not in it.": 3 * c,
        "That is c − w · u: add back what is missing, u + w (c − u).": c - 3 * u,
        "You multiplied, and returned, probabilities. The sampler takes logits: no softmax here.": (
            (p * (p / q) ** 2) / (p * (p / q) ** 2).sum(-1, keepdim=True)
        ),
        "You extrapolated probabilities: some may become negative. The formula is for logits.": q + 3 * (p - q),
        "You extrapolated probabilities, and cut them at 0. The formula is for logits.": (q + 3 * (p - q))
        .clamp(min=1e-9)
        .log(),
    }
    refuse_known(answer, known, _alike)
    if not torch.isfinite(answer).all():
        raise Wrong("Yours is no number somewhere. No logarithm of a difference is needed: only logits are added.")
    if not _alike(answer, u + 3 * (c - u)):
        expected = (u + 3 * (c - u)).log_softmax(-1)
        raise Wrong(f"As log-probabilities, yours has {difference(answer.log_softmax(-1), expected)}.")
    for w, expected, words in (
        (1.0, c, "with w = 1 it is the conditional one"),
        (0.0, u, "with w = 0 the unconditional one"),
    ):
        if not _alike(tensor(guided(c, u, w), (2, 3), "logits"), expected):
            raise Wrong(f"u + w (c − u): {words}. Yours is not. Is a 3 left in your code?")
    rows = tensor(guided(c[:, None].expand(2, 4, 3), u[:, None].expand(2, 4, 3), 2.0), (2, 4, 3), "logits [..., V]")
    if not _alike(rows, (2 * c - u)[:, None].expand(2, 4, 3)):
        raise Wrong("For logits [2, 4, 3] it is wrong: take the last dimension for the vocabulary.")
    return "Away from what any picture would be, toward what this caption asks for."


def small_gpt():
    """Return a GPT of 15 tokens, the vocabulary of ``SmallTokenizer``, with scores far enough apart to tell mistakes apart."""
    import torch

    from helpers.models.gpt import GPT, GPTConfig

    rng = torch.Generator().manual_seed(3)
    model = GPT(GPTConfig.gpt2(15, context=24, n_embd=16, n_layer=1, n_head=2, tied=False)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.copy_(torch.randn(parameter.shape, generator=rng) * 0.45)
    return model


def greedy(model, captions, w: float, shifted: bool = True, apart: bool = False, empty: tuple = (8,)):
    """Return 16 codes for each caption, always the likeliest; the arguments spoil the way to them."""
    import torch

    tokenizer = SmallTokenizer()
    words = torch.tensor([[tokenizer.caption, *tokenizer.encode(caption), tokenizer.media] for caption in captions])
    nothing = torch.tensor([list(empty)] * len(captions))
    mine = theirs = torch.zeros(len(captions), 0, dtype=torch.int64)
    with torch.no_grad():
        for _ in range(16):
            c = model(torch.cat((words, mine), 1))[0][:, -1, 10:]
            u = model(torch.cat((nothing, theirs), 1))[0][:, -1, 10:]
            chosen = (u + w * (c - u)).argmax(-1, keepdim=True) + (10 if shifted else 0)
            mine = torch.cat((mine, chosen), 1)
            theirs = torch.cat((theirs, u.argmax(-1, keepdim=True) + 10), 1) if apart else mine
    return mine - (10 if shifted else 0)


CAPTIONS = ["thick left two", "thin right one", "thin left one", "thick right two", "thick right one"]


@exercise
def check_paint(paint: Callable) -> str:
    """Build: sixteen codes for each caption, sampled from the guided scores; what is sampled goes into both readings."""
    import torch

    model, tokenizer, state = small_gpt(), SmallTokenizer(), torch.random.get_rng_state()
    answer = call(lambda: paint(model, tokenizer, CAPTIONS, 2.5, 0.0, 0), changed=CHANGED)
    if torch.is_tensor(answer) and tuple(answer.shape) == (5, 17):
        raise Wrong("A picture has 16 codes; yours have 17. One of them is a mark, or one step too many.")
    answer = tensor(answer, (5, 16), "16 codes for each of 5 captions")
    refuse_known(
        answer - 10,
        {"These are ids. Subtract tokenizer.first_code again, so that codes begin at 0.": greedy(model, CAPTIONS, 2.5)},
    )
    refuse_known(
        answer,
        {
            "Your guidance has no effect: that is what the conditional scores alone give.": greedy(
                model, CAPTIONS, 1.0
            ),
            "Your model reads codes without their shift: it takes them for words. Append ids, first_code + code.": greedy(
                model, CAPTIONS, 2.5, shifted=False
            ),
            "The reading without a caption goes on with codes of its own. Both readings get the code that was sampled.": greedy(
                model, CAPTIONS, 2.5, apart=True
            ),
            "Without a caption, a row still begins with tokenizer.media: yours begins with the mark of a caption.": greedy(
                model, CAPTIONS, 2.5, empty=(7,)
            ),
            "Without a caption, a row begins with tokenizer.media alone, as in picture_first. Yours has both marks.": greedy(
                model, CAPTIONS, 2.5, empty=(7, 8)
            ),
            "You handed `guided` its two rows of logits exchanged: first those after the caption, then those without.": greedy(
                model, CAPTIONS, -1.5
            ),
            "Every picture of yours is of the first caption.": greedy(model, CAPTIONS[:1] * 5, 2.5),
            "That is all without a caption: guidance 0.": greedy(model, CAPTIONS, 0.0),
        },
    )
    if (answer < 0).any() or (answer >= 5).any():
        raise Wrong("Some of yours are no codes but words or marks: leave logits before tokenizer.first_code out.")
    if not same(answer, greedy(model, CAPTIONS, 2.5)):
        raise Wrong(f"At temperature 0 yours has {difference(answer, greedy(model, CAPTIONS, 2.5))}.")
    if paint(model, tokenizer, CAPTIONS[:1], 2.5, 0.0, 0).dtype != torch.int64:
        raise Wrong("Codes are whole numbers, int64: they are the rows of a table.")
    _check_generator(paint, model, tokenizer)
    _check_samples(paint, model, tokenizer)
    if not torch.equal(state, torch.random.get_rng_state()):
        raise Wrong(
            "You used torch's global random numbers: make a torch.Generator with the seed, and give it to multinomial."
        )
    return "A caption goes in, sixteen codes come out."


def _check_generator(paint: Callable, model, tokenizer) -> None:
    """One generator for all samples: so hot that every code is as likely as any other, a repeated seed repeats its codes."""
    given = paint(model, tokenizer, CAPTIONS[:1] * 20, 1.0, 1e5, 1)
    codes = tensor(given, (20, 16), "16 codes for each of 20 captions")
    if len(codes.unique()) > 1 and same(codes, codes[:, :1].expand(20, 16)):
        raise Wrong("Your generator begins anew before each of the 16 codes, with the same number. Make one, before the loop.")
    likeliest = greedy(model, CAPTIONS[:1], 1.0)
    if same(codes, codes[:1].expand(20, 16)) and not same(codes[:1], likeliest):
        raise Wrong("Your generator begins anew for each caption: equal captions get equal pictures. Make one for all of them.")


def _check_samples(paint: Callable, model, tokenizer) -> None:
    """Seeds, and the first code of many pictures: it has the probabilities that guidance and temperature say."""
    import torch

    painted = paint(model, tokenizer, CAPTIONS[:1] * 600, 1.5, 2.0, 1)
    if len(painted.unique(dim=0)) == 1:
        raise Wrong("600 pictures of one caption are all the same at temperature 2: sample, don't take the likeliest.")
    again = [paint(model, tokenizer, CAPTIONS[:1] * 20, 1.0, 1.0, seed) for seed in (5, 5, 6)]
    if not same(again[0], again[1]):
        raise Wrong("The same seed gives other pictures: give your own torch.Generator to multinomial.")
    if same(again[0], again[2]):
        raise Wrong("Another seed gives the same pictures: torch.Generator().manual_seed(seed).")
    with torch.no_grad():
        start = torch.tensor([[tokenizer.caption, *tokenizer.encode(CAPTIONS[0]), tokenizer.media]])
        c, u = model(start)[0][0, -1, 10:], model(torch.tensor([[tokenizer.media]]))[0][0, -1, 10:]
    logits = (u + 1.5 * (c - u)).double()
    shares = torch.bincount(painted[:, 0].long(), minlength=5)[:5].double() / 600
    cold = paint(model, tokenizer, CAPTIONS, 2.5, 0.01, 1)
    if not same(cold, greedy(model, CAPTIONS, 2.5)) or (shares - (logits / 2).softmax(-1)).abs().max() > 0.08:
        raise Wrong(
            "Without temperature the scores are right, with it they are not: divide the guided scores by it, as "
            "distribution(logits, temperature) does."
        )
