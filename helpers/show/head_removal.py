"""Pull it out: take one head of your own GPT away, and see which words miss it. Built for notebook 10.

Two sentences that differ in a word show what the head does for one question, *he or she?*; beside them stands what it is
worth on ordinary text. The one may be everything and the other nothing: that is the point of the picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from helpers.show.explore import Explore
from helpers.show.svg import MARGIN, TITLE_HEIGHT, Drawing, key, write
from helpers.show.theme import BLUE, ORANGE, PAPER, RULE, SOFT, TEAL, letters_on, percent, readable, xml

REPLACEMENTS = ("zero", "mean", "another conversation")
BAR, LEFT, HIGH = 400, MARGIN + 190, 20  # width of a bar, where it begins, its height
LOSS_LEFT = LEFT + BAR + 44  # where the second picture begins


class HeadRemoval:
    """A GPT, sentence pairs with two possible next tokens, and text on which the average loss is measured.

    ``pairs`` maps a label to token ids [2, T] of two sentences, ``answers`` are the two tokens (id and text each) that are
    compared at their end, ``text`` is int64 [B, T] with B of 2 at least: the average loss is measured on it, and what the head
    computes there gives its mean and, for "another conversation", the row before. ``sentence_names`` maps a label to how its
    two sentences are called. Raises ValueError for no pair, a text of one row, and a model whose heads have no hook points.
    """

    def __init__(self, model, pairs: Mapping, answers, text, sentence_names: Mapping | None = None):
        if not pairs:
            raise ValueError("there is no sentence pair: give at least one, as token ids [2, T]")
        if any(ids.ndim != 2 or len(ids) != 2 for ids in pairs.values()):
            raise ValueError("a pair is two sentences of equal length: give token ids [2, T]")
        if text.ndim != 2 or len(text) < 2:
            raise ValueError(
                "the text needs at least two rows of token ids [B, T]: one is another conversation to the other"
            )
        if not hasattr(model, "hooks") or not hasattr(model, "blocks"):
            raise ValueError("this model has no heads that could be taken out: give a GPT")
        self.model, self.pairs, self.answers, self.text = model, dict(pairs), tuple(answers), text
        self.names = dict(sentence_names or {})
        self.sizes = len(model.blocks), model.blocks[0].attention.config.n_head
        self._loss, self._heads = lru_cache(maxsize=200)(self._measure_loss), {}

    def hook(self, layer: int, head: int, replacement: str):
        """Return (name of the hook point, function) that replaces one head's weighted sum at every position.

        Raises ValueError for a layer, head or replacement that is not there.
        """
        from helpers.interpretability.ablation import ablate_head

        n_layer, n_head = self.sizes
        if not 0 <= layer < n_layer or not 0 <= head < n_head:
            raise ValueError(f"there is no head {layer}.{head}: layers are 0 to {n_layer - 1}, heads 0 to {n_head - 1}")
        if replacement not in REPLACEMENTS:
            raise ValueError(f"there is no replacement {replacement!r}; known are {', '.join(REPLACEMENTS)}")
        name = f"blocks.{layer}.attention.hook_z"
        usual = self._computed(name)[:, head]  # [B, T, D]

        def replace(z):
            value = 0.0
            if replacement == "mean":
                value = usual.mean(dim=(0, 1))
            elif replacement == "another conversation":
                value = (usual.roll(1, dims=0) if len(z) == len(usual) else usual[: len(z)])[:, : z.shape[2]]
            return ablate_head(head, value)(z)

        return name, replace

    def probabilities(self, pair: str, hooks=None):
        """Return the probabilities of the two answers after each of the two sentences, float [2, 2]."""
        import torch

        from helpers.models.utils import evaluating

        with torch.no_grad(), evaluating(self.model), self.model.hooks(hooks or {}):
            p = self.model(self.pairs[pair])[0][:, -1].float().softmax(dim=-1).cpu()
        return p[:, [token for token, _ in self.answers]]

    def loss(self, layer: int | None = None, head: int = 0, replacement: str = "mean") -> float:
        """Return the average loss on the text in nats per token, with no head taken out or with one."""
        return self._loss(layer, head, replacement)

    def _measure_loss(self, layer, head, replacement) -> float:
        import torch
        from torch.nn import functional

        from helpers.models.utils import evaluating

        hooks = {} if layer is None else dict([self.hook(layer, head, replacement)])
        with torch.no_grad(), evaluating(self.model), self.model.hooks(hooks):
            logits = self.model(self.text[:, :-1])[0].float()
        return functional.cross_entropy(logits.flatten(0, 1), self.text[:, 1:].flatten()).item()

    def _computed(self, name: str):
        import torch

        from helpers.models.utils import evaluating

        if name not in self._heads:
            with torch.no_grad(), evaluating(self.model):
                self._heads[name] = self.model.run_with_cache(self.text, names=[name])[1][name]
        return self._heads[name]


def pull_it_out(
    removal: HeadRemoval, layer: int = 0, head: int = 0, replacement: str = "mean", pair: str = ""
) -> Drawing:
    """Draw what becomes of the two answers when a head is taken out, beside what becomes of the average loss.

    Each bar is divided between the two answers in proportion to their probabilities. ``pair`` is a label of
    ``removal.pairs``, by default the first. Raises ValueError for a layer, head, replacement or pair that is not there.
    """
    pair = pair or next(iter(removal.pairs))
    if pair not in removal.pairs:
        raise ValueError(f"there is no sentence pair {pair!r}; known are {', '.join(removal.pairs)}")
    hooks = dict([removal.hook(layer, head, replacement)])
    before, after = removal.probabilities(pair), removal.probabilities(pair, hooks)
    first, second = (text.strip() for _, text in removal.answers)
    shares = [[float(row[0] / row.sum()) for row in table] for table in (before, after)]  # of the first answer
    names = removal.names.get(pair, ("sentence 1", "sentence 2"))
    body, y = write(LEFT, TITLE_HEIGHT + 14, f"{first}", f'font-weight="700" fill="{BLUE}"'), TITLE_HEIGHT + 24
    body += write(LEFT + BAR, TITLE_HEIGHT + 14, second, f'text-anchor="end" font-weight="700" fill="{readable(ORANGE)}"')
    for number, name in enumerate(names):
        for what, share in (("as it is", shares[0][number]), ("without it", shares[1][number])):
            body += write(LEFT - 10, y + 15, f"{name}: {what}" if what == "as it is" else what, _right())
            body += _divided(LEFT, y, share, f"{name}, {what}", first, second)
            y += HIGH + 5
        y += 8
    losses = removal.loss(), removal.loss(layer, head, replacement)
    body += _losses(*losses)
    which = f"head {layer}.{head}"
    kept = _distance(shares[1]) / _distance(shares[0]) if _distance(shares[0]) else 1.0
    title = f"Without {which}: {first} or {second}, and the average loss"
    words = (
        f"Without {which}, replaced by {_by(replacement)}: after “{names[0]}” the share of “{first}” "
        f"{_change(*(percent(row[0], 1) for row in shares))}, after “{names[1]}” it "
        f"{_change(*(percent(row[1], 1) for row in shares))}. {percent(max(kept, 0), 1)} of the difference is left. "
        f"The average loss {_change(*(f'{loss:.2f}' for loss in losses))} nats per token."
    )
    return Drawing(body + key(y + 8, f"{pair} …  Shares of the two words' probabilities."), words, title, y + 22)


def explore_pull_it_out(removal: HeadRemoval, layer: int = 0, head: int = 0) -> Explore:
    """`pull_it_out` with sliders for layer and head, and menus for the replacement and the sentence pair."""
    (n_layer, n_head), first = removal.sizes, next(iter(removal.pairs))

    def draw(layer=layer, head=head, replacement="mean", pair=first):
        return pull_it_out(removal, layer, head, replacement, pair)

    controls = {"replacement": list(REPLACEMENTS), "pair": list(removal.pairs)}
    return Explore(draw, layer=range(n_layer), head=range(n_head), **controls)


def _divided(x: float, y: float, share: float, name: str, first: str, second: str) -> str:
    """A bar divided between two answers; each part says its share where there is room."""
    cut = BAR * share
    texts = f"{name}: {first} {percent(share, 1)}, {second} {percent(1 - share, 1)}"
    parts = [f'<g tabindex="0"><title>{xml(texts)}</title>']
    for left, width, color, part in ((x, cut, BLUE, share), (x + cut, BAR - cut, ORANGE, 1 - share)):
        parts.append(f'<rect x="{left:.1f}" y="{y:g}" width="{width:.1f}" height="{HIGH}" fill="{color}"/>')
        if width > 46:
            style = f'font-size="12" fill="{letters_on(color)}"' + ("" if left == x else ' text-anchor="end"')
            parts.append(write(left + 6 if left == x else left + width - 6, y + 15, percent(part, 1), style))
    middle = x + BAR / 2
    return "".join(parts) + f'<path d="M{middle:g} {y - 2:g}v{HIGH + 4}" stroke="{PAPER}" stroke-width="2"/></g>'


def _losses(before: float, after: float) -> str:
    """The average loss as it is and without the head, as two columns that begin at 0."""
    top, high = max(before, after, 1e-9), 96
    base = TITLE_HEIGHT + 24 + high
    parts = [write(LOSS_LEFT, TITLE_HEIGHT + 14, "average loss, nats", f'font-size="12.5" fill="{SOFT}"')]
    for number, (name, value) in enumerate((("as it is", before), ("without", after))):
        x, tall = LOSS_LEFT + 8 + 62 * number, high * 0.8 * value / top
        parts.append(f'<g tabindex="0"><title>{xml(name)} {value:.2f} nats</title>')
        parts.append(f'<rect x="{x:g}" y="{base - tall:.1f}" width="44" height="{tall:.1f}" fill="{TEAL}"/>')
        parts.append(write(x + 22, base - tall - 5, f"{value:.2f}", 'text-anchor="middle" font-size="12"'))
        parts.append(write(x + 22, base + 15, name, f'text-anchor="middle" font-size="11.5" fill="{SOFT}"') + "</g>")
    return "".join(parts) + f'<path d="M{LOSS_LEFT:g} {base:g}h128" stroke="{RULE}"/>'


def _right() -> str:
    return f'text-anchor="end" font-size="12.5" fill="{SOFT}"'


def _change(before: str, after: str) -> str:
    return f"stays at {after}" if before == after else f"goes from {before} to {after}"


def _by(replacement: str) -> str:
    return {"zero": "zeros", "mean": "its mean"}.get(replacement, f"what it computes in {replacement}")


def _distance(shares) -> float:
    return shares[0] - shares[1]
