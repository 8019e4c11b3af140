"""Checks of notebook 07, *Fine-tuning: from text to talk*: its build cells; those of LoRA are in ``nb07_lora``."""

from collections.abc import Callable

from helpers.checks import Wrong, exercise, tried
from helpers.checks.compare import call, items, refuse_known, same, scalar, shown, whole
from helpers.checks.nb07_exercises import check_mixed, check_times_fewer
from helpers.checks.nb07_lora import check_add_lora, check_LoRALinear

__all__ = [
    "check_LoRALinear", "check_add_lora", "check_early_stopping", "check_masked_cross_entropy", "check_mixed",
    "check_reply_labels", "check_times_fewer",
]  # fmt: skip

IDS, OWN, OTHERS = [9, 1, 5, 2, 6, 7, 1, 8, 2, 4, 9], 2, (1, 9)
LABELS = [-100, -100, -100, 6, 7, 1, -100, -100, 4, 9]
OTHER_ROWS = (
    ([5, 1, 6, 2, 7, 1], [-100, -100, -100, 7, 1], "Before the first `own` our speaker has said nothing."),
    ([2, 4, 9], [4, 9], "The first token is read, too: here it is our speaker's `own`, which opens the turn."),
    ([5, 2, 4, 9, 5, 2, 6, 1], [-100, 4, 9, -100, -100, 6, 1], "Any token in `others` ends a turn, not only the first of them."),
    ([9, 2, 6, 7], [-100, 6, 7], "A turn that the row cuts off counts as far as it goes."),
)


@exercise
def check_reply_labels(reply_labels: Callable) -> str:
    """Build: a list of token ids to a list of labels, one less, with −100 where the loss should not count."""
    changed = "You changed the list of tokens you were given. Make a new list of labels."
    answer = items(call(reply_labels, list(IDS), OWN, OTHERS, changed=changed), "a list of labels")
    if answer and all(isinstance(value, bool) for value in answer):
        raise Wrong("These are flags. Return the tokens themselves where they count, and −100 elsewhere.")
    if answer == [*LABELS, -100]:
        raise Wrong("The last label is one too many: no token comes after the last.")
    if answer == [-100, *LABELS[:-1]]:
        raise Wrong("Your labels come one position too late: drop the first one, not the last.")
    if len(answer) == len(IDS):
        raise Wrong("You return a label for every token. The first token is never one: leave it out.")
    if len(answer) != len(LABELS):
        raise Wrong(f"Eleven tokens have ten labels, and I got {len(answer)}: {shown(answer)}.")
    if answer == IDS[1:]:
        raise Wrong("Every token is a label, as in pretraining. Put −100 where the other speaker talks.")
    if answer == [-100, -100, 2, 6, 7, -100, -100, 2, 4, -100]:
        raise Wrong(
            "The token that opens the turn counts, and the one that closes it does not. Our code opens; the bot must close."
        )
    if answer == [-100, -100, 2, 6, 7, 1, -100, 2, 4, 9]:
        raise Wrong("The token that opens the turn counts. The bot never has to predict it: leave it at −100.")
    if answer == [-100, -100, -100, 6, 7, -100, -100, -100, 4, -100]:
        raise Wrong("The token that closes the turn does not count, so the bot never learns to stop.")
    if answer == [-100, 5, 2, -100, -100, -100, 8, 2, -100, -100]:
        raise Wrong("The other speaker's tokens count: you have the condition the wrong way around.")
    if answer == [*LABELS[:6], 8, 2, 4, 9]:
        raise Wrong("Once set, your flag is never cleared: a token in `others` ends the turn.")
    if [value for value, right in zip(answer, LABELS) if right == -100] in ([1, 5, -100, 8, -100], [-100, 5, -100, 8, -100]):
        raise Wrong("What the other speaker says counts, too. Only our speaker's turns do.")
    if any(value == 0 and right == -100 for value, right in zip(answer, LABELS)):
        raise Wrong("You wrote 0 where nothing counts; 0 is a token like any other. The number for that is −100.")
    if answer != LABELS:
        raise Wrong(f"For the tokens {IDS} with own 2 the labels are {LABELS}; I got {shown(answer)}.")
    if items(reply_labels([9, 2, 5, 9, 2, 6, 9], 2, (9,)), "a list of labels") != [-100, 5, 9, -100, 6, 9]:
        raise Wrong(
            "With own 2 and others (9,) the tokens [9, 2, 5, 9, 2, 6, 9] have the labels [-100, 5, 9, -100, 6, 9]."
        )
    for ids, labels, message in OTHER_ROWS:
        if items(reply_labels(list(ids), OWN, OTHERS), "a list of labels") != labels:
            raise Wrong(f"{message} For {ids} the labels are {labels}.")
    return "What the bot says and the token with which it stops: nothing else counts."


@exercise
def check_masked_cross_entropy(masked_cross_entropy: Callable) -> str:
    """Build: logits [B, T, V] and targets [B, T] to the mean nats where the target is not −100, a scalar with a gradient."""
    import torch

    rng = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 3, 5, generator=rng) * 2
    targets = torch.tensor([[4, -100, -100], [2, 1, 0]])
    changed = "You changed the logits or the targets you were given. Work on new tensors."
    try:
        answer = scalar(call(masked_cross_entropy, logits, targets, changed=changed), "one number, the mean loss")
    except (IndexError, RuntimeError) as error:
        if "out of bounds" not in str(error):
            raise
        raise Wrong("−100 is no token: choose the positions that count *before* you look up the targets.") from None
    refuse_known(answer, _mistakes(logits, targets))
    right = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
    if not same(answer, right):
        raise Wrong(f"Here the mean over the four targets that count is {right:.4f} nats; yours is {answer.item():.4f}.")
    learning = logits.clone().requires_grad_(True)
    loss = masked_cross_entropy(learning, targets)
    if not torch.is_tensor(loss) or not loss.requires_grad:
        raise Wrong("The number is right, but it has no gradient: return the tensor itself, without .item() or .detach().")
    gradient = torch.autograd.grad(loss, learning)[0]
    if gradient[0, 1:].abs().max().item() > 1e-7:
        raise Wrong("Logits whose target is −100 get a gradient. They must not count at all.")
    other, more = torch.randn(3, 4, 7, generator=rng), torch.tensor([[-100, 6, -100, 1], [-100] * 4, [0, 5, -100, 3]])
    if not same(masked_cross_entropy(other, more), torch.nn.functional.cross_entropy(other.flatten(0, 1), more.flatten())):
        raise Wrong("One batch is right, a larger one is not: is a size written down? (A row may have no target at all.)")
    if not torch.isfinite(masked_cross_entropy(logits * 200, targets)):
        raise Wrong("With logits far apart your loss is infinite: take log_softmax, not softmax and then the logarithm.")
    return "Every target that counts weighs the same, whichever row it is in."


def _mistakes(logits, targets) -> dict:
    """Return {message: the number that this mistake gives}."""
    counted, safe = targets != -100, targets.clamp(min=0)
    nats = -logits.log_softmax(-1).gather(-1, safe[..., None])[..., 0]
    plain = -logits.gather(-1, safe[..., None])[..., 0]
    chances = logits.softmax(-1).gather(-1, safe[..., None])[..., 0]
    across = -logits.log_softmax(1).gather(-1, safe[..., None])[..., 0]
    return {
        "That is the mean over all positions, with token 0 as the label where there is none. Leave those out.": nats.mean(),
        "You divide by all positions. Divide by the number of targets that count.": (nats * counted).mean(),
        "That is the mean of the rows' means: a short reply weighs as much as a long one. Take one mean over all targets.": (
            nats[0, 0] + nats[1].mean()
        )
        / 2,
        "That is the sum. Divide it by the number of targets that count.": nats[counted].sum(),
        "You leave out the target 0 as well. Token 0 is a token like any other; only −100 is left out.": nats[
            targets > 0
        ].mean(),
        "That is the mean over what should be left out: you have the mask the wrong way around.": nats[~counted].mean(),
        "The minus sign is missing: a loss is the *negative* log-probability.": -nats[counted].mean(),
        "These are raw logits. Turn them into log-probabilities first: log_softmax over the vocabulary.": plain[
            counted
        ].mean(),
        "You took the softmax over the positions. The tokens compete within one position: use dim=-1.": across[
            counted
        ].mean(),
        "That is the mean probability. The loss is the mean of −ln p.": chances[counted].mean(),
        "That is in bits. The loss is in nats, with the natural logarithm.": nats[counted].mean() / 0.6931471805599453,
    }


@exercise
def check_early_stopping(early_stopping: Callable) -> str:
    """Build: validation losses and patience to the index of the best one that was seen before training stopped."""

    def ask(losses, patience) -> int:
        changed = "You changed the list of losses. Leave it as it is."
        return whole(tried(call(early_stopping, list(losses), patience, changed=changed)), "an index")

    losses = [3, 2, 2.5, 2.4, 1]
    answer = ask(losses, 2)
    if answer == 4 and ask([5, 6, 7, 1], 2) == 0:  # it does stop, where losses rise without a pause
        raise Wrong("You compare with the loss just before. Compare with the best so far: 2.4 does not beat 2.")
    if answer == 4:
        raise Wrong("With patience 2 the training ends at index 3: it never sees the 1 that comes after it.")
    if answer == 3:
        raise Wrong("That is where the training *ends*. What is kept is the best one before it: index 1.")
    if answer == 2:
        raise Wrong("Index 2 has 2.5, and index 1 had 2.0. Return the index of the best, or do yours begin at 1?")
    if answer != 1:
        raise Wrong(f"For {losses} with patience 2 it is 1; I got {answer}.")
    if ask(losses, 3) != 4:
        raise Wrong("With patience 3 it goes on to index 4 and sees the 1. Do you stop one too early?")
    if ask([5, 4, 4.5, 4.4, 4.3, 4.2], 3) != 1:
        raise Wrong("[5, 4, 4.5, 4.4, 4.3, 4.2] falls again after index 1, but never below 4: with patience 3 it is 1.")
    if ask([3, 2, 4], 9) == 2:
        raise Wrong("Where training is never stopped you return the last index. Return that of the best: for [3, 2, 4] it is 1.")
    if ask([5, 6, 4, 6, 3, 6], 2) != 4:
        raise Wrong("Each new best starts the count again: for [5, 6, 4, 6, 3, 6] and patience 2 it is 4.")
    if ask([2, 2, 3], 5) != 0:
        raise Wrong("Of equal losses the first counts: for [2, 2, 3] it is 0.")
    if ask([2, 2, 2, 1], 2) != 0:
        raise Wrong("An equal loss is not below the best, so it counts toward the patience: for [2, 2, 2, 1] and 2 it is 0.")
    if ask([3, 4, 1], 1) != 0 or ask([3, 4, 5, 1], 5) != 3:
        raise Wrong("For [3, 4, 1] and patience 1 it is 0, for [3, 4, 5, 1] and patience 5 it is 3: do you use `patience`?")
    if ask([3, 2.99, 4, 4], 2) != 1:
        raise Wrong("A small improvement is one, too: for [3, 2.99, 4, 4] it is 1.")
    if ask([7], 1) != 0:
        raise Wrong("With a single loss the best is that one, index 0.")
    return "It waits as long as its patience lasts and keeps the best it has seen."
