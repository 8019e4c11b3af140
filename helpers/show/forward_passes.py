"""One forward pass: step by step through your own GPT, with the true numbers of this input. Built for notebook 06.

What is computed comes from ``helpers.interpretability.forward_trace``; the pictures are in ``forward_pass_pictures``.
"""

from __future__ import annotations

from functools import lru_cache

from helpers.show.explore import Explore, places
from helpers.show.forward_pass_list import list_of_steps, steps_of
from helpers.show.svg import TITLE_HEIGHT, Drawing, blank, write
from helpers.show.theme import MONO, SOFT

LEAST_HEIGHT = 500  # of the drawing, so that the words below it do not jump from step to step
MOST = 350  # frames in a book
MOST_APPENDED = 8  # tokens that the controls append
TITLE = "One forward pass"


def forward_pass(model, tokenizer, text: str, step: int | str = 0, position: int = -1, head: int = 0) -> Drawing:
    """Draw one step of a GPT's forward pass over ``text``, with the numbers that the model computes.

    ``model`` is the package's ``GPT`` or one written as in notebook 06 (see ``helpers.interpretability.forward_trace``).
    ``step`` is a number (negative: from the end) or a name of ``forward_pass_steps``, such as "attention 0"; ``position``
    is the token whose vector is followed (negative: from the end), ``head`` the attention head whose scores are shown.
    Raises ValueError for an empty text, one longer than the model's context, and a step, position or head that is not there.
    """
    return _draw(_read(model, tokenizer, text, 0), step, position, head)


def forward_pass_steps(model) -> list[str]:
    """Return the names of all steps of a model, in order: "text", "tokens", …, "attention 0", "MLP 0", …, "next"."""
    return [step.name for step in steps_of(len(model.blocks))]


def explore_forward_pass(model, tokenizer, text: str) -> Explore:
    """Walk through the steps of a GPT's forward pass with a slider (arrow keys), for every position and head.

    The text can be written anew, and up to 8 tokens appended that greedy decoding generates. Raises as ``forward_pass``.
    """
    import ipywidgets

    from helpers.show.display import CONTROL

    read = lru_cache(maxsize=32)(lambda text, appended: _read(model, tokenizer, text, appended))
    first, steps = read(text, 0), steps_of(len(model.blocks))
    n_head = 1 if first["trace"].blocks[0].weights is None else len(first["trace"].blocks[0].weights)

    def draw(step, position, head=0, tokens_appended=0, text=""):
        try:
            reading = read(text, tokens_appended)
        except ValueError as error:  # an empty or a too long text
            return blank(TITLE, f"{str(error)[:1].upper()}{str(error)[1:]}.")
        return _draw(reading, step, min(position, len(reading["names"]) - 1), head)

    last = len(first["names"]) - 1
    options = [(f"{number} · {step.name}", number) for number, step in enumerate(steps)]
    explore = Explore(
        draw,
        step=ipywidgets.SelectionSlider(options=options, continuous_update=False, **CONTROL),
        position=ipywidgets.IntSlider(value=last, min=0, max=last, continuous_update=False, **CONTROL),
        **({"head": range(n_head)} if n_head > 1 else {}),
        tokens_appended=range(MOST_APPENDED + 1),
        text=text,
    ).in_book(position=list(places(last + 1, MOST // (len(steps) * n_head)).values()), tokens_appended=[])

    def fit(change):
        slider = explore.controls["position"]
        try:
            reading = read(explore.controls["text"].value, explore.controls["tokens_appended"].value)
        except ValueError:
            return
        at_the_end, slider.max = slider.value == slider.max, len(reading["names"]) - 1
        if at_the_end:  # stay at the last token, where the next one is predicted
            slider.value = slider.max

    for name in ("text", "tokens_appended"):  # after the drawing: a longer text has more positions to walk through
        explore.controls[name].observe(fit, names="value")
    return explore


def _read(model, tokenizer, text: str, appended: int) -> dict:
    """Trace a text, with so many greedy tokens appended; return all that a step is drawn from but for the controls."""
    from helpers.interpretability.forward_trace import trace
    from helpers.interpretability.units import pieces
    from helpers.show.forward_pass_pictures import CONTEXT

    ids, traced = tokenizer.encode(text), None
    traced = trace(model, ids)
    for _ in range(appended):
        ids = [*ids, int(traced.logits[-1].argmax())]
        traced = trace(model, ids)
    weights, width = traced.blocks[0].weights, traced.embedded.shape[1]
    sizes = {"blocks": len(traced.blocks), "heads in each block": 0 if weights is None else len(weights)}
    sizes |= {"numbers per token": width, "tokens in the vocabulary": traced.logits.shape[1]}
    sizes |= {"parameters": sum(parameter.numel() for parameter in model.parameters())}
    sizes |= {CONTEXT: getattr(model, "context", None) or 0}
    sizes = {name: size for name, size in sizes.items() if size}
    names, text = pieces(tokenizer, ids), text + tokenizer.decode(ids[len(ids) - appended :])
    return {"trace": traced, "tokenizer": tokenizer, "names": names, "text": text, "appended": appended, "sizes": sizes}


def _draw(reading: dict, step: int | str, position: int, head: int) -> Drawing:
    from helpers.show.forward_pass_parts import LEFT, View, chips
    from helpers.show.forward_pass_pictures import PICTURES

    traced, names = reading["trace"], reading["names"]
    steps = steps_of(len(traced.blocks))
    number = _step(step, steps)
    if not -len(names) <= position < len(names):
        raise ValueError(f"there is no position {position} among {len(names)} tokens; take 0 to {len(names) - 1}")
    heads = traced.blocks[0].weights
    if not 0 <= head < (1 if heads is None else len(heads)):
        raise ValueError(f"there is no head {head}; take 0 to {0 if heads is None else len(heads) - 1}")
    now = steps[number]
    view = View(**reading, position=position % len(names), head=head, number=now.block or 0)
    rail, end = list_of_steps(steps, number)
    picture, code = PICTURES[now.kind]
    if now.kind == "embedding" and traced.position_vectors is None:
        code = "x = embed(ids)"
    y = TITLE_HEIGHT + 18
    body = write(LEFT, y, f"Step {number} of {len(steps) - 1} · {now.title}", 'font-weight="700"')
    body += write(LEFT, y + 19, code, f'font-family="{MONO}" font-size="12.5" fill="{SOFT}"')
    y += 32
    if now.kind not in ("text", "tokens", "next"):
        part, y = chips(names, y, view.position, view.appended)
        body += part
    drawn = picture(view, y + 18)
    words = f"Step {number} of {len(steps) - 1}, {now.title}. {drawn.words}"
    return Drawing(rail + body + drawn.body, words, drawn.title, max(end + 12, drawn.end + 16, LEAST_HEIGHT))


def _step(step: int | str, steps) -> int:
    known = [entry.name for entry in steps]
    if isinstance(step, str):
        if step not in known:
            raise ValueError(f"there is no step {step!r}; known are {', '.join(known)}")
        return known.index(step)
    if not -len(steps) <= step < len(steps):
        raise ValueError(f"there is no step {step}; take 0 to {len(steps) - 1}")
    return step % len(steps)
