"""Checks of the n-gram counter that learners write in notebook 02; ``helpers.checks.nb02`` hands them on."""

from collections import Counter, defaultdict
from collections.abc import Callable

from helpers.checks import Wrong, exercise, tried
from helpers.checks.compare import call, near, number, shown


def _counted(tokens, n: int, first: int = 0, after: int = 0) -> dict:
    """Return the counts of contexts of ``first`` to n − 1 tokens; ``after`` skips as many tokens before the next one."""
    counts: dict = defaultdict(Counter)
    for length in range(first, n):
        for i in range(length, len(tokens) - after):
            counts[tokens[i - length : i]][tokens[i + after]] += 1
    return dict(counts)


def _backward(tokens, n: int) -> dict:
    counts: dict = defaultdict(Counter)
    for length in range(n):
        for i in range(len(tokens) - length):
            counts[tokens[i + 1 : i + 1 + length]][tokens[i]] += 1
    return dict(counts)


def _late(tokens, n: int) -> dict:
    counts: dict = defaultdict(Counter)
    for i in range(n - 1, len(tokens)):
        for length in range(n):
            counts[tokens[i - length : i]][tokens[i]] += 1
    return dict(counts)


@exercise
def check_count_ngrams(count_ngrams: Callable) -> str:
    """Build: tokens and n to {context: Counter of what followed it}, for contexts of 0 to n − 1 tokens."""
    text = "abracadabra"
    answer = _table(tried(count_ngrams(text, 3)))
    mistakes = {
        "The empty context is missing: after nothing at all every token counts once. Begin with length 0.": _counted(text, 3, 1),
        "You count one length of context only. Count the contexts of 0, 1, … and n − 1 tokens.": _counted(text, 3, 2),
        "Your contexts have up to n tokens. An n-gram is the context and its next token: n − 1 and 1.": _counted(text, 4),
        "Your longest contexts are too short: they have n − 1 tokens, so `range(n)` gives their lengths.": _counted(text, 2),
        "You jump over a token: the next token comes right after the context.": _counted(text, 3, after=1),
        "You counted backward: the token comes after its context, not before it.": _backward(text, 3),
        "The first tokens are missing from the short contexts: for each length begin at i = length.": _late(text, 3),
    }
    for message, wrong in mistakes.items():
        if answer == wrong:
            raise Wrong(message)
    if any(isinstance(key, tuple | list) for key in answer):
        raise Wrong("Your contexts are tuples. Take slices of the tokens: `tokens[i - length : i]` is a string here.")
    if any(isinstance(value, float) for counts in answer.values() for value in counts.values()):
        raise Wrong("These are probabilities. Keep the counts, whole numbers: the next step needs them.")
    right = _counted(text, 3)
    for context in sorted(right, key=len):
        if answer.get(context) != right[context]:
            told = shown(dict(answer[context])) if context in answer else "nothing"
            raise Wrong(f"In 'abracadabra', {context!r} is followed by {dict(right[context])}; you have {told}.")
    if extra := set(answer) - set(right):
        raise Wrong(f"{sorted(extra)[0]!r} is a context that nothing follows in 'abracadabra': leave it out.")
    if not all(isinstance(counts, Counter) for counts in answer.values()):
        raise Wrong("Keep the counts of a context in a `Counter`: it answers 0 for what never followed.")
    try:
        answer = _table(count_ngrams(bytes([7, 8, 7, 8]), 2))
    except (TypeError, AttributeError):
        raise Wrong("It fails on `bytes`, in which we keep token numbers. Slice and index the tokens, nothing else.") from None
    if any(isinstance(key, str) for key in answer):
        raise Wrong("The counts of an earlier call are still in the table. Begin each call with an empty one.")
    if answer == _counted(bytes([7, 8, 7, 8]), 3):
        raise Wrong("For n = 2 you count contexts of 2 tokens, as for n = 3. Their lengths are `range(n)`.")
    if answer != _counted(bytes([7, 8, 7, 8]), 2):
        raise Wrong("For the token numbers 7, 8, 7, 8 and n = 2 your counts are wrong. Slice and index the tokens, nothing else.")
    return "Every context of up to n − 1 tokens, and what followed it. This is Shannon's table of 1948."


def _table(answer) -> dict:
    if not isinstance(answer, dict) or not all(isinstance(counts, dict) for counts in answer.values()):
        raise Wrong(f"I expected a dictionary from context to a Counter and got {shown(answer)}.")
    return answer


@exercise
def check_mixed_probability(mixed_probability: Callable) -> str:
    """Build: (counts, context, token, vocab_size) to the interpolated probability."""
    counts = _counted("abracadabra", 3)
    changed = "You changed the counts. Ask with `counts.get(context)`: square brackets may add an entry to the table."

    def ask(context: str, token: str, first: bool = False) -> float:
        try:
            answer = call(mixed_probability, counts, context, token, 26, changed=changed, first=first)
        except KeyError:
            raise Wrong(f"{context!r} never occurred, so it is not in the table. Ask with `counts.get(context)`.") from None
        except ZeroDivisionError:
            if context in counts:
                raise
            raise Wrong(f"Nothing ever followed {context!r}, and you divide by 0. Then the shorter context decides.") from None
        except RecursionError:
            raise Wrong("It never stops calling itself. After the empty context comes 1 / vocab_size, no shorter one.") from None
        if answer is None:
            raise Wrong(f"For the context {context!r} nothing came back. Return a number there, too.")
        return number(answer, "a probability")

    answer = ask("", "b", first=True)
    once, base = 2 / 11, 1 / 26
    right = 11 / 16 * once + 5 / 16 * base
    _refuse(
        answer,
        {
            "This is the plain share c(hw) / c(h). Mix it with 1 / vocab_size, even for the empty context.": once,
            "The 1 / vocab_size below the empty context is missing: a token never seen would get probability 0.": 11 / 16 * once,
            "The weights are exchanged: λ belongs to the counts of this context, 1 − λ to the shorter one.": 5 / 16 * once
            + 11 / 16 * base,
            "λ is c(h) / (c(h) + N(h)), with N(h) the number of different tokens that followed, `len(followed)`.": 11 / 37 * once
            + 26 / 37 * base,
            "Half and half is not it: λ depends on the context. λ = c(h) / (c(h) + N(h)).": (once + base) / 2,
            "The two parts are added, but not weighted: λ times the one, 1 − λ times the other.": once + base,
        },
    )
    if not near(answer, right):
        raise Wrong(f"After the empty context 'b' has p = 11/16 · 2/11 + 5/16 · 1/26 = {right:.4f}; you have {shown(answer)}.")
    answer = ask("a", "b")
    after_a = 4 / 7 * 2 / 4 + 3 / 7 * right
    _refuse(
        answer,
        {
            "From 'a' you went straight to 1 / vocab_size. Mix with the next shorter context, which is mixed itself.": 4 / 7 / 2
            + 3 / 7 * base,
            "The shorter context is not mixed: call `mixed_probability` for it, do not take its plain share.": 4 / 7 / 2
            + 3 / 7 * once,
        },
    )
    if not near(answer, after_a):
        raise Wrong(f"After 'a', 'b' has p = 4/7 · 2/4 + 3/7 · {right:.4f} = {after_a:.4f}; you have {shown(answer)}.")
    answer = ask("ra", "c")  # "ra" was followed once, by c; shortened from the other side it would be "r"
    after_ra, after_r = 0.5 + 0.5 * (4 / 7 / 4 + 3 / 7 * (1 / 16 + 5 / 16 / 26)), 1 / 16 + 5 / 16 / 26
    if near(answer, 0.5 + 0.5 * (2 / 3 * 0 + 1 / 3 * after_r)):
        raise Wrong("You dropped the newest token. The shorter context loses its oldest one: `context[1:]`.")
    if not near(answer, after_ra):
        raise Wrong(f"After 'ra', 'c' has p = 1/2 · 1 + 1/2 · p('c' after 'a') = {after_ra:.4f}; you have {shown(answer)}.")
    answer = ask("zz", "b")
    if near(answer, 0, 1e-9) or near(answer, base):
        raise Wrong("A context that never occurred says nothing: then take the probability after the shorter one, as it is.")
    if not near(answer, right):
        raise Wrong(f"'zz' and 'z' never occurred, so 'b' keeps {right:.4f} of the empty context; you have {shown(answer)}.")
    answer, empty = ask("b", "c"), 1 / 16 + 5 / 16 / 26  # 'b' was followed twice, never by c
    if near(answer, empty):
        raise Wrong("'b' was followed by other tokens, never by 'c': c(hw) is 0, and the shorter context still has 1 − λ only.")
    if not near(answer, empty / 3):
        raise Wrong(f"After 'b', 'c' has p = 2/3 · 0 + 1/3 · {empty:.4f} = {empty / 3:.4f}; you have {shown(answer)}.")
    _check_bytes(mixed_probability)
    return "Long contexts where there are counts, shorter ones where there are none: no token ever gets probability 0."


def _check_bytes(mixed_probability: Callable) -> None:
    counts = _counted(bytes([7, 8, 7, 8]), 2)
    base = 4 / 6 * 2 / 4 + 2 / 6 / 10
    try:
        answer = mixed_probability(counts, bytes([7]), 8, 10)
    except (TypeError, AttributeError, RecursionError):
        raise Wrong('It fails on `bytes`: ask `if context`, not whether it is `""`; an empty `bytes` is `b""`.') from None
    if near(answer, 2 / 3 + 1 / 3 * (4 / 6 * 2 / 4 + 2 / 6 / 26)):
        raise Wrong("Below the empty context stands 1 / vocab_size, for any size of the vocabulary: here it is 1/10.")
    if not near(answer, 2 / 3 + 1 / 3 * base):
        raise Wrong(f"For the token numbers 7, 8, 7, 8, p(8 after 7) is {2 / 3 + base / 3:.4f}; you have {shown(answer)}.")


def _refuse(answer: float, mistakes: dict[str, float]) -> None:
    for message, wrong in mistakes.items():
        if near(answer, wrong):
            raise Wrong(message)
