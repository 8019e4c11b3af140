"""Named wrong answers of notebook 10's first lesson: each is a mistake that a learner makes, with words of its own message."""

import torch


# -- Build: take a head out ----------------------------------------------------------------------------------------------
def _hook(change):
    """Return a function for a hook point: a copy of the activation, changed by ``change(copy)``."""

    def replace(z):
        z = z.clone()
        change(z)
        return z

    return replace


def all_heads(head, value):
    return _hook(lambda z: z.copy_((value[:, None] if torch.is_tensor(value) and value.ndim == 3 else value) + 0 * z))


def a_position(head, value):
    def change(z):
        z[:, :, head] = value[:, head][:, None] if torch.is_tensor(value) and value.ndim == 3 else value

    return _hook(change)


def a_text(head, value):
    def change(z):
        z[head] = value[head] if torch.is_tensor(value) and value.ndim == 3 else value

    return _hook(change)


def in_place(head, value):
    def replace(z):
        z[:, head] = value
        return z

    return replace


def no_return(head, value):
    def replace(z):
        z = z.clone()
        z[:, head] = value

    return replace


def not_a_function(head, value):
    return torch.zeros(2, 3, 4, 5)


def only_the_head(head, value):
    return lambda z: torch.as_tensor(value).expand_as(z[:, head])


def always_zeros(head, value):
    return _hook(lambda z: z[:, head].zero_())


def value_added(head, value):
    return _hook(lambda z: z[:, head].add_(value))


def kept_instead(head, value):
    def change(z):
        for other in range(z.shape[1]):
            if other != head:
                z[:, other] = value

    return _hook(change)


def no_head_0(head, value):
    def change(z):
        if head:
            z[:, head] = value

    return _hook(change)


def zeros_around(head, value):
    def replace(z):
        answer = torch.zeros_like(z)
        answer[:, head] = value
        return answer

    return replace


def last_token_only(head, value):
    return _hook(lambda z: z[:, head, -1].copy_(torch.as_tensor(value).expand_as(z[:, head])[:, -1]))


def first_text_only(head, value):
    return _hook(lambda z: z[0, head].copy_(torch.as_tensor(value).expand_as(z[:, head])[0]))


def heads_up_to(head, value):
    def change(z):
        for number in range(head + 1):
            z[:, number] = value

    return _hook(change)


def one_head_before(head, value):
    def change(z):
        z[:, head - 1] = value

    return _hook(change)


def value_subtracted(head, value):
    return _hook(lambda z: z[:, head].sub_(value))


def double_z(head, value):
    def replace(z):
        z = z.double()
        z[:, head] = value
        return z

    return replace


def mask_on_the_cpu(head, value):
    def replace(z):
        kept = (torch.arange(z.shape[1]) != head).to(z.dtype)[:, None, None]
        value_ = value[:, None] if torch.is_tensor(value) and value.ndim == 3 else value
        return kept * z + (1 - kept) * value_

    return replace


# -- Build: patch an activation ------------------------------------------------------------------------------------------
def patch(stream, heads):
    """Return a wrong ``patch_hook`` from what it assigns in the stream and in the heads."""

    def patch_hook(clean, position, head=None):
        def replace(x):
            x = x.clone()
            (stream if head is None else heads)(x, clean, position, head)
            return x

        return replace

    return patch_hook


def _stream(x, clean, position, head):
    x[:, position] = clean[:, position]


def _heads(x, clean, position, head):
    x[:, head, position] = clean[:, head, position]


def _all_of(x, clean, position, head):
    x[:] = clean


def _nothing(x, clean, position, head):
    pass


def _a_text(x, clean, position, head):
    x[1] = clean[1]


def _added(x, clean, position, head):
    x[:, position] += clean[:, position]


def _up_to(x, clean, position, head):
    x[:, : position + 1] = clean[:, : position + 1]


def _every_head(x, clean, position, head):
    x[:, :, position] = clean[:, :, position]


def _every_position(x, clean, position, head):
    x[:, head] = clean[:, head]


def _swapped(x, clean, position, head):
    x[:, position, head] = clean[:, position, head]


def _last(x, clean, position, head):
    x[:, -1] = clean[:, -1]


def _last_of_head(x, clean, position, head):
    x[:, head, -1] = clean[:, head, -1]


def _first_clean(x, clean, position, head):
    x[:, position] = clean[0, position]


def _first_row(x, clean, position, head):
    x[0, position] = clean[0, position]


def _zeros(x, clean, position, head):
    x[:, position] = 0


def _both(x, clean, position, head):
    x[:, head, position] = clean[:, head, position]
    x[:, position] = clean[:, position]


def _slice(x, clean, position, head):
    x[:, head, position : position + 1] = clean[:, head, position : position + 1]


always_last, heads_always_last = patch(_last, _heads), patch(_stream, _last_of_head)
first_texts_clean, first_text_patched = patch(_first_clean, _heads), patch(_first_row, _heads)
zeros_in, no_else, empty_slice = patch(_zeros, _heads), patch(_stream, _both), patch(_stream, _slice)
whole_text, runs_own, one_text = patch(_all_of, _heads), patch(_nothing, _heads), patch(_a_text, _heads)
clean_added, all_before = patch(_added, _heads), patch(_up_to, _heads)
all_heads_patched, all_positions = patch(_stream, _every_head), patch(_stream, _every_position)
head_and_position_swapped = patch(_stream, _swapped)


def falsy_head_0(clean, position, head=None):
    def replace(x):
        x = x.clone()
        if head:
            x[:, head, position] = clean[:, head, position]
        else:
            x[:, position] = clean[:, position]
        return x

    return replace


def the_wrong_way(clean, position, head=None):
    def replace(x):
        answer = clean.clone()
        if head is None:
            answer[:, position] = x[:, position]
        else:
            answer[:, head, position] = x[:, head, position]
        return answer

    return replace


def patched_in_place(clean, position, head=None):
    def replace(x):
        x[:, position] = clean[:, position]
        return x

    return replace


# -- Build: what each head writes ----------------------------------------------------------------------------------------
def _columns(weight, z):
    return weight.unflatten(1, (z.shape[1], z.shape[3]))  # [C, H, D]


def together(weight, z):
    return torch.einsum("bhtd,chd->btc", z, _columns(weight, z))


def texts_first(weight, z):
    return torch.einsum("bhtd,chd->bhtc", z, _columns(weight, z))


def head_0s_columns(weight, z):
    return torch.einsum("bhtd,cd->hbtc", z, weight[:, : z.shape[3]])


def alternating(weight, z):
    return torch.einsum("bhtd,cdh->hbtc", z, weight.unflatten(1, (z.shape[3], z.shape[1])))


def from_the_end(weight, z):
    return torch.einsum("bhtd,chd->hbtc", z, _columns(weight, z).flip(1))


def sum_for_each(weight, z):
    return together(weight, z)[None].repeat(z.shape[1], 1, 1, 1)


def averaged(weight, z):
    return torch.einsum("bhtd,chd->hbtc", z, _columns(weight, z)) / z.shape[1]


def rows_cut(weight, z):
    D = z.shape[-1]
    return torch.stack([z[:, h] @ weight[h * D : (h + 1) * D] for h in range(z.shape[1])])


def head_0s_z(weight, z):
    return torch.einsum("btd,chd->hbtc", z[:, 0], _columns(weight, z))


def adding_up(weight, z):
    return torch.einsum("bhtd,chd->hbtc", z, _columns(weight, z)).cumsum(0)


def the_others(weight, z):
    return together(weight, z) - torch.einsum("bhtd,chd->hbtc", z, _columns(weight, z))


def overlapping(weight, z):
    return torch.stack([z[:, h] @ weight[:, h : h + z.shape[3]].T for h in range(z.shape[1])])


# -- Build: the logit lens -----------------------------------------------------------------------------------------------
def _capped(model, logits):
    cap = model.settings.logit_cap
    return cap * torch.tanh(logits / cap) if cap else logits


def no_norm(model, stream):
    return _capped(model, model.head(stream))


def no_norm_no_cap(model, stream):
    return model.head(stream)


def no_cap(model, stream):
    return model.head(model.norm(stream))


def always_capped(model, stream):
    return 15 * torch.tanh(model.head(model.norm(stream)) / 15)


def half_capped(model, stream):
    return torch.tanh(model.head(model.norm(stream)) / (model.settings.logit_cap or 1))


def clipped(model, stream):
    return model.head(model.norm(stream)).clip(-15, 15)


def probabilities(model, stream):
    return _capped(model, model.head(model.norm(stream))).softmax(-1)


def no_question(model, stream):
    cap = model.settings.logit_cap
    return cap * torch.tanh(model.head(model.norm(stream)) / cap)


def capped_twice(model, stream):
    return _capped(model, _capped(model, model.head(model.norm(stream))))


def capped_before_the_head(model, stream):
    return model.head(_capped(model, model.norm(stream)))


def divided_outside(model, stream):
    cap = model.settings.logit_cap
    return torch.tanh(model.head(model.norm(stream)) / cap) / cap if cap else model.head(model.norm(stream))


def by_15(model, stream):
    logits = model.head(model.norm(stream))
    return 15 * torch.tanh(logits / 15) if model.settings.logit_cap else logits


def a_norm_of_ones_own(model, stream):
    return _capped(model, model.head(torch.nn.functional.rms_norm(stream, stream.shape[-1:])))


def three_dimensions(model, stream):
    logits = _capped(model, model.head(model.norm(stream)))
    return logits if stream.ndim == 3 else logits[-1]


def cap_on_the_cpu(model, stream):
    cap, logits = torch.full((23,), float(model.settings.logit_cap)), model.head(model.norm(stream))
    return cap * torch.tanh(logits / cap) if model.settings.logit_cap else logits


def log_probabilities(model, stream):
    return _capped(model, model.head(model.norm(stream))).log_softmax(-1)


WRONG = {
    "ablate_head": {
        all_heads: "All heads were replaced",
        a_position: "replaced a position in all heads",
        a_text: "replaced a text of the batch",
        in_place: "You changed a tensor",
        no_return: "inner function gives back None",
        not_a_function: "Return a *function*",
        only_the_head: "got shape",
        always_zeros: "zeros in, whatever",
        value_added: "You added the value",
        kept_instead: "replaced the others",
        no_head_0: "Head 0 is a head",
        zeros_around: "other heads became zeros",
        last_token_only: "Only the last token",
        first_text_only: "Only the first text",
        heads_up_to: "heads up to this one",
        one_head_before: "`head - 1`",
        value_subtracted: "subtracted the value",
        double_z: "became torch.float64",
        mask_on_the_cpu: "always on the CPU",
    },
    "patch_hook": {
        whole_text: "whole text was patched",
        runs_own: "Nothing was patched",
        one_text: "patched one text",
        clean_added: "was added",
        all_before: "up to this one",
        all_heads_patched: "All heads were patched",
        all_positions: "patched at all positions",
        head_and_position_swapped: "swapped",
        falsy_head_0: "is false for 0",
        the_wrong_way: "the other way around",
        patched_in_place: "You changed a tensor",
        always_last: "You patched the last position",
        heads_always_last: "yours patches the last position",
        first_texts_clean: "Every text got",
        first_text_patched: "Only the first text",
        zeros_in: "You put zeros in",
        no_else: "Is an `else` missing",
        empty_slice: "is empty for position",
    },
    "head_outputs": {
        together: "Keep them apart",
        texts_first: "texts first",
        head_0s_columns: "columns of head 0",
        alternating: "every n_head-th",
        from_the_end: "opposite order",
        sum_for_each: "the sum of all",
        averaged: "not averaged",
        rows_cut: "cut the *rows*",
        head_0s_z: "the z of head 0",
        adding_up: "add up from head to head",
        the_others: "all the *other* heads",
        overlapping: "neighbors overlap",
    },
    "logit_lens": {
        no_norm: "final norm is missing",
        no_norm_no_cap: "norm and the cap are missing",
        no_cap: "The cap is missing",
        always_capped: "has no cap",
        half_capped: "cap is half there",
        clipped: "clipped the logits",
        probabilities: "are probabilities",
        log_probabilities: "log-probabilities",
        no_question: "divides by it",
        capped_twice: "squeezed the logits twice",
        capped_before_the_head: "Not between norm and head",
        divided_outside: "divided by c outside",
        by_15: "always squeeze by 15",
        a_norm_of_ones_own: "numbers of its own",
        three_dimensions: "any shape",
        cap_on_the_cpu: "always on the CPU",
    },
}
