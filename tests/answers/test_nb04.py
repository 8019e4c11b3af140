"""Notebook 04: every check accepts the solution the notebook shows and names each wrong answer's own mistake."""

import torch
import torch.nn.functional as F
from torch import nn

from helpers.checks import nb04
from helpers.models import transformer_from_parts as parts
from helpers.models.attention import attention as right_attention
from helpers.models.attention import causal_mask as right_mask
from helpers.models.transformer import FeedForward
from tests.answers.common import closing_tests

Heads = parts.multi_head_attention(right_attention)
Encoder = parts.encoder_layer(Heads)
Decoder = parts.decoder_layer(Encoder, Heads, right_mask)


# -- Build: attention --------------------------------------------------------------------------------------------------
def scores_of(q, k, divisor=None):
    return q @ k.transpose(-2, -1) / (divisor or q.shape[-1] ** 0.5)


def finish(scores, v, mask):
    weights = (scores if mask is None else scores.masked_fill(~mask, -torch.inf)).softmax(-1)
    return weights @ v, weights


def no_root(q, k, v, mask=None):
    return finish(scores_of(q, k, 1), v, mask)


def divides_by_d(q, k, v, mask=None):
    return finish(scores_of(q, k, q.shape[-1]), v, mask)


def root_of_the_number_of_keys(q, k, v, mask=None):
    return finish(scores_of(q, k, k.shape[-2] ** 0.5), v, mask)


def root_of_the_values_width(q, k, v, mask=None):
    return finish(scores_of(q, k, v.shape[-1] ** 0.5), v, mask)


def softmax_over_queries(q, k, v, mask=None):
    weights = scores_of(q, k).softmax(-2)
    return weights @ v, weights


def no_softmax(q, k, v, mask=None):
    return scores_of(q, k) @ v, scores_of(q, k)


def no_sum(q, k, v, mask=None):
    return scores_of(q, k).exp() @ v, scores_of(q, k).exp()


def sums_keys(q, k, v, mask=None):
    weights = finish(scores_of(q, k), v, mask)[1]
    return weights @ k, weights


def only_outputs(q, k, v, mask=None):
    return right_attention(q, k, v, mask)[0]


def weights_first(q, k, v, mask=None):
    return right_attention(q, k, v, mask)[::-1]


def rows_are_keys(q, k, v, mask=None):
    weights = scores_of(k, q).softmax(-1)
    return weights.transpose(-2, -1) @ v, weights


def ignores_the_mask(q, k, v, mask=None):
    return right_attention(q, k, v)


def true_is_hidden(q, k, v, mask=None):
    return right_attention(q, k, v, None if mask is None else ~mask)


def masks_afterwards(q, k, v, mask=None):
    weights = right_attention(q, k, v)[1] * (1 if mask is None else mask)
    return weights @ v, weights


def masks_with_zero(q, k, v, mask=None):
    return finish(scores_of(q, k) * (1 if mask is None else mask), v, None)


def one_table_only(q, k, v, mask=None):
    return finish(q @ k.permute(*range(k.ndim - 1, -1, -1)) / q.shape[-1] ** 0.5, v, mask)


def softmax_over_dimension_1(q, k, v, mask=None):
    scores = scores_of(q, k) if mask is None else scores_of(q, k).masked_fill(~mask, -torch.inf)
    return scores.softmax(1) @ v, scores.softmax(1)


def overflows(q, k, v, mask=None):
    scores = scores_of(q, k) if mask is None else scores_of(q, k).masked_fill(~mask, -torch.inf)
    weights = scores.exp() / scores.exp().sum(-1, keepdim=True)
    return weights @ v, weights


def divides_in_place(q, k, v, mask=None):
    q /= q.shape[-1] ** 0.5
    return finish(q @ k.transpose(-2, -1), v, mask)


def always_root_of_four(q, k, v, mask=None):
    return finish(scores_of(q, k, 4**0.5), v, mask)


def root_of_dimension_1(q, k, v, mask=None):
    return finish(scores_of(q, k, q.shape[1] ** 0.5), v, mask)


def mask_as_an_index(q, k, v, mask=None):
    scores = scores_of(q, k)
    if mask is not None:
        scores[~mask] = -torch.inf
    return finish(scores, v, None)


def mask_reshaped(q, k, v, mask=None):
    scores = scores_of(q, k)
    return finish(scores, v, None if mask is None else mask.expand(scores.shape[-2:]).reshape(scores.shape))


def masks_with_minus_100(q, k, v, mask=None):
    scores = scores_of(q, k)
    return finish(scores if mask is None else scores.masked_fill(~mask, -100.0), v, None)


def without_a_gradient(q, k, v, mask=None):
    with torch.no_grad():
        return right_attention(q, k, v, mask)


# -- Build: the causal mask --------------------------------------------------------------------------------------------
def everything(length):
    return torch.ones(length, length, dtype=torch.bool)


def one_column_too_wide(length):
    return everything(length).tril(1)


def never_itself(length):
    return everything(length).tril(-1)


def transposed(length):
    return everything(length).triu()


def marks_the_hidden(length):
    return everything(length).triu(1)


def mask_of_numbers(length):
    return torch.ones(length, length).tril()


def always_five(length):
    return everything(5).tril()


def table_to_add(length):
    return torch.full((length, length), -torch.inf).triu(1)


# -- Build: heads ------------------------------------------------------------------------------------------------------
class WrongHeads(Heads):
    """The right layer; a subclass replaces one of its steps."""

    def attend(self, q, k, v, mask):
        values, self.weights = right_attention(self.split(q), self.split(k), self.split(v), mask)
        return values

    def join(self, values):
        return values.transpose(1, 2).flatten(2)

    def forward(self, x, source=None, mask=None):
        q, k, v = self.in_proj(x).chunk(3, dim=-1)
        if source is not None:
            _, k, v = self.in_proj(source).chunk(3, dim=-1)
        return self.out_proj(self.join(self.attend(q, k, v, mask)))


class SplitsTokens(WrongHeads):
    def split(self, x):
        return x.reshape(len(x), self.n_head, x.shape[1], -1)


class JoinsWithoutTranspose(WrongHeads):
    def join(self, values):
        return values.reshape(len(values), values.shape[2], -1)


class OneHead(WrongHeads):
    def attend(self, q, k, v, mask):
        values, self.weights = right_attention(q, k, v)
        return values[:, None]


class WithoutOutProj(WrongHeads):
    def forward(self, x, source=None, mask=None):
        return self.join(self.attend(*self.in_proj(x).chunk(3, dim=-1), mask))


class KeysFirst(WrongHeads):
    def forward(self, x, source=None, mask=None):
        k, q, v = self.in_proj(x).chunk(3, dim=-1)
        return self.out_proj(self.join(self.attend(q, k, v, mask)))


class ScalesByTheWholeWidth(WrongHeads):
    def attend(self, q, k, v, mask):
        return finish(scores_of(self.split(q), self.split(k), q.shape[-1] ** 0.5), self.split(v), mask)[0]


class ForgetsItsWeights(WrongHeads):
    def attend(self, q, k, v, mask):
        return right_attention(self.split(q), self.split(k), self.split(v), mask)[0]


class KeepsOneHeadsWeights(WrongHeads):
    def attend(self, q, k, v, mask):
        values, weights = right_attention(self.split(q), self.split(k), self.split(v), mask)
        self.weights = weights[:, 0]
        return values


class IgnoresTheMask(WrongHeads):
    def attend(self, q, k, v, mask):
        return super().attend(q, k, v, None)


class IgnoresTheSource(WrongHeads):
    def forward(self, x, source=None, mask=None):
        return super().forward(x, None, mask)


class AllFromTheSource(WrongHeads):
    def forward(self, x, source=None, mask=None):
        return super().forward(x if source is None else source, None, mask)


class ValuesBeforeKeys(WrongHeads):
    def forward(self, x, source=None, mask=None):
        q, v, k = self.in_proj(x).chunk(3, dim=-1)
        return self.out_proj(self.join(self.attend(q, k, v, mask)))


class HeadsAttendToEachOther(WrongHeads):
    def split(self, x):
        return x.unflatten(-1, (self.n_head, -1))

    def join(self, values):
        return values.flatten(2)


class SizesTheWrongWayAround(WrongHeads):
    def split(self, x):
        return x.unflatten(-1, (-1, self.n_head)).transpose(1, 2)


class ThreeHeadsAlways(WrongHeads):
    def split(self, x):
        return x.unflatten(-1, (3, -1)).transpose(1, 2)


class FourNumbersAlways(WrongHeads):
    def split(self, x):
        return x.unflatten(-1, (-1, 4)).transpose(1, 2)


class TwoHeadsAlways(WrongHeads):
    def split(self, x):
        return x.unflatten(-1, (2, -1)).transpose(1, 2)


class AddsX(WrongHeads):
    def forward(self, x, source=None, mask=None):
        return x + super().forward(x, source, mask)


class MasksItselfOnly(WrongHeads):
    def forward(self, x, source=None, mask=None):
        return super().forward(x, source, mask if source is None else None)


class ForgetsTheWeightsOfTheSource(WrongHeads):
    def forward(self, x, source=None, mask=None):
        kept = getattr(self, "weights", None)
        output = super().forward(x, source, mask)
        self.weights = self.weights if source is None else kept
        return output


class ChangesX(WrongHeads):
    def forward(self, x, source=None, mask=None):
        output = super().forward(x, source, mask)
        x.mul_(2)
        return output


class OtherNames(nn.Module):
    def __init__(self, d_model, n_head):
        super().__init__()
        self.qkv = nn.Linear(d_model, 3 * d_model)

    def forward(self, x, source=None, mask=None):
        return x


# -- Build: the encoder layer ------------------------------------------------------------------------------------------
class WrongEncoder(Encoder):
    """The right layer in steps; a subclass replaces one of them."""

    def attend(self, x, mask):
        return self.self_attention(self.self_attention_norm(x), mask=mask)

    def feed(self, x):
        return self.feed_forward(self.feed_forward_norm(x))

    def forward(self, x, mask=None):
        x = x + self.attend(x, mask)
        return x + self.feed(x)


class AddsNothing(WrongEncoder):
    def forward(self, x, mask=None):
        return self.feed(self.attend(x, mask))


class SecondSumOnly(WrongEncoder):
    def forward(self, x, mask=None):
        x = self.attend(x, mask)
        return x + self.feed(x)


class FirstSumOnly(WrongEncoder):
    def forward(self, x, mask=None):
        return self.feed(x + self.attend(x, mask))


class WithoutNorms(WrongEncoder):
    def forward(self, x, mask=None):
        x = x + self.self_attention(x, mask=mask)
        return x + self.feed_forward(x)


class FeedsTheRawStream(WrongEncoder):
    def feed(self, x):
        return self.feed_forward(x)


class AttendsToTheRawStream(WrongEncoder):
    def attend(self, x, mask):
        return self.self_attention(x, mask=mask)


class PostNorm(WrongEncoder):
    def forward(self, x, mask=None):
        x = self.self_attention_norm(x + self.self_attention(x, mask=mask))
        return self.feed_forward_norm(x + self.feed_forward(x))


class NormalizesTheStream(WrongEncoder):
    def forward(self, x, mask=None):
        x = self.self_attention_norm(x) + self.attend(x, mask)
        return x + self.feed(x)


class OneNorm(WrongEncoder):
    def feed(self, x):
        return self.feed_forward(self.self_attention_norm(x))


class SideBySide(WrongEncoder):
    def forward(self, x, mask=None):
        return x + self.attend(x, mask) + self.feed(x)


class FeedsFirst(WrongEncoder):
    def forward(self, x, mask=None):
        x = x + self.feed(x)
        return x + self.attend(x, mask)


class ForgetsTheMask(WrongEncoder):
    def attend(self, x, mask):
        return super().attend(x, None)


class FeedsNothing(WrongEncoder):
    def forward(self, x, mask=None):
        return x + self.attend(x, mask)


class AddsInPlace(WrongEncoder):
    def forward(self, x, mask=None):
        x += self.attend(x, mask)
        x += self.feed(x)
        return x


class MaskForSource(WrongEncoder):
    def attend(self, x, mask):
        return self.self_attention(self.self_attention_norm(x), mask)


class NormalizesWhatComesOut(WrongEncoder):
    def attend(self, x, mask):
        return self.self_attention_norm(self.self_attention(x, mask=mask))

    def feed(self, x):
        return self.feed_forward_norm(self.feed_forward(x))


class AttendsToItsOwnSource(WrongEncoder):
    def attend(self, x, mask):
        return self.self_attention(self.self_attention_norm(x), x, mask)


class AddsToTheOldX(WrongEncoder):
    def forward(self, x, mask=None):
        return x + self.feed(x + self.attend(x, mask))


class AddsTwice(WrongEncoder):
    def forward(self, x, mask=None):
        return 2 * super().forward(x, mask)


class _Linear(FeedForward):
    def forward(self, x):
        return self.down(self.up(x))


class _LateReLU(FeedForward):
    def forward(self, x):
        return F.relu(self.down(self.up(x)))


class _Sigmoid(FeedForward):
    def forward(self, x):
        return self.down(self.up(x).sigmoid())


class _Empty(FeedForward):
    def forward(self, x): ...


def with_feed_forward(kind):
    class Layer(WrongEncoder):
        def __init__(self, d_model, n_head, d_ff):
            super().__init__(d_model, n_head, d_ff)
            self.feed_forward = kind(d_model, d_ff)

    return Layer


class RenamesANorm(WrongEncoder):
    def __init__(self, d_model, n_head, d_ff):
        super().__init__(d_model, n_head, d_ff)
        self.norm_2 = self.feed_forward_norm
        del self.feed_forward_norm

    def feed(self, x):
        return self.feed_forward(self.norm_2(x))


# -- Build: the decoder layer ------------------------------------------------------------------------------------------
class WrongDecoder(Decoder):
    def past(self, x):
        return right_mask(x.shape[1])

    def attend(self, x):
        return self.self_attention(self.self_attention_norm(x), mask=self.past(x))

    def cross(self, x, memory, mask):
        return self.cross_attention(self.cross_attention_norm(x), memory, mask)

    def feed(self, x):
        return self.feed_forward(self.feed_forward_norm(x))

    def forward(self, x, memory, mask=None):
        x = x + self.attend(x)
        x = x + self.cross(x, memory, mask)
        return x + self.feed(x)


class SeesTheFuture(WrongDecoder):
    def past(self, x):
        return None


class IgnoresMemory(WrongDecoder):
    def cross(self, x, memory, mask):
        return self.cross_attention(self.cross_attention_norm(x))


class WithoutCrossAttention(WrongDecoder):
    def forward(self, x, memory, mask=None):
        x = x + self.attend(x)
        return x + self.feed(x)


class CrossFirst(WrongDecoder):
    def forward(self, x, memory, mask=None):
        x = x + self.cross(x, memory, mask)
        x = x + self.attend(x)
        return x + self.feed(x)


class EndsTooEarly(WrongDecoder):
    def forward(self, x, memory, mask=None):
        x = x + self.attend(x)
        return x + self.cross(x, memory, mask)


class CrossReplaces(WrongDecoder):
    def forward(self, x, memory, mask=None):
        x = self.cross(x + self.attend(x), memory, mask)
        return x + self.feed(x)


class CrossReadsTheRawStream(WrongDecoder):
    def cross(self, x, memory, mask):
        return self.cross_attention(x, memory, mask)


class NormalizesMemory(WrongDecoder):
    def cross(self, x, memory, mask):
        return super().cross(x, self.cross_attention_norm(memory), mask)


class ForgetsTheContextsMask(WrongDecoder):
    def cross(self, x, memory, mask):
        return super().cross(x, memory, None)


class MaskStaysOnTheCPU(WrongDecoder):
    def past(self, x):
        return torch.ones(x.shape[1], x.shape[1]).bool().tril().cpu()


class FiveTokensAlways(WrongDecoder):
    def past(self, x):
        return right_mask(5)


class FutureInsteadOfPast(WrongDecoder):
    def past(self, x):
        return ~right_mask(x.shape[1])


class LengthOfTheBatch(WrongDecoder):
    def past(self, x):
        return right_mask(3)


class ContextsMaskForItself(WrongDecoder):
    def forward(self, x, memory, mask=None):
        x = x + self.self_attention(self.self_attention_norm(x), mask=mask)
        x = x + self.cross(x, memory, mask)
        return x + self.feed(x)


class CausalCross(WrongDecoder):
    def cross(self, x, memory, mask):
        return self.cross_attention(self.cross_attention_norm(x), memory, self.past(x))


class CrossWithoutASource(WrongDecoder):
    def cross(self, x, memory, mask):
        return self.cross_attention(self.cross_attention_norm(x), mask=mask)


class CausalMaskForSource(WrongDecoder):
    def attend(self, x):
        return self.self_attention(self.self_attention_norm(x), self.past(x))


class AddsInPlaceInTheDecoder(WrongDecoder):
    def forward(self, x, memory, mask=None):
        x += self.attend(x)
        x += self.cross(x, memory, mask)
        return x + self.feed(x)


class PostNormDecoder(WrongDecoder):
    def forward(self, x, memory, mask=None):
        x = self.self_attention_norm(x + self.self_attention(x, mask=self.past(x)))
        x = self.cross_attention_norm(x + self.cross_attention(x, memory, mask))
        return self.feed_forward_norm(x + self.feed_forward(x))


class FirstSumMissing(WrongDecoder):
    def forward(self, x, memory, mask=None):
        x = self.attend(x)
        x = x + self.cross(x, memory, mask)
        return x + self.feed(x)


class LastSumMissing(WrongDecoder):
    def forward(self, x, memory, mask=None):
        x = x + self.attend(x)
        return self.feed(x + self.cross(x, memory, mask))


class NoSums(WrongDecoder):
    def forward(self, x, memory, mask=None):
        return self.feed(self.cross(self.attend(x), memory, mask))


class AllReadTheSame(WrongDecoder):
    def forward(self, x, memory, mask=None):
        return x + self.attend(x) + self.cross(x, memory, mask) + self.feed(x)


class OneNormForTwo(WrongDecoder):
    def cross(self, x, memory, mask):
        return self.cross_attention(self.self_attention_norm(x), memory, mask)


class FeedsBeforeCross(WrongDecoder):
    def forward(self, x, memory, mask=None):
        x = x + self.attend(x)
        x = x + self.feed(x)
        return x + self.cross(x, memory, mask)


class DoublesTheDecoder(WrongDecoder):
    def forward(self, x, memory, mask=None):
        return 2 * super().forward(x, memory, mask)


class NoCrossAttentionAtAll(WrongEncoder):
    def forward(self, x, memory, mask=None):
        return super().forward(x)


# -- Exercise 1 --------------------------------------------------------------------------------------------------------
def distances(length):
    places = torch.arange(length)
    return places[:, None] - places


def open_future(length, window):
    return distances(length).abs() < window


def one_condition(length, window):
    return distances(length) < window


def no_window(length, window):
    return distances(length) >= 0


def one_too_wide(length, window):
    back = distances(length)
    return (back >= 0) & (back <= window)


def one_too_narrow(length, window):
    back = distances(length)
    return (back >= 0) & (back < window - 1)


def not_itself(length, window):
    back = distances(length)
    return (back > 0) & (back <= window)


def only_the_past(length, window):
    back = distances(length)
    return (back > 0) & (back < window)


def upside_down(length, window):
    back = -distances(length)
    return (back >= 0) & (back < window)


def hidden_for_true(length, window):
    back = distances(length)
    return ~((back >= 0) & (back < window))


def numbers(length, window):
    back = distances(length)
    return ((back >= 0) & (back < window)).float()


def three_always(length, window):
    back = distances(length)
    return (back >= 0) & (back < 3)


# -- Exercise 2 --------------------------------------------------------------------------------------------------------
def parts(d_model, d_ff):
    return 4 * d_model * d_model + 4 * d_model, 2 * d_model * d_ff + d_ff + d_model, 4 * d_model


def matrices_only(d_model, d_ff):
    return 4 * d_model * d_model + 2 * d_model * d_ff


def no_biases(d_model, d_ff):
    return matrices_only(d_model, d_ff) + 4 * d_model


def three_matrices(d_model, d_ff):
    return sum(parts(d_model, d_ff)) - d_model * d_model - d_model


def no_norms(d_model, d_ff):
    return sum(parts(d_model, d_ff)[:2])


def one_norm(d_model, d_ff):
    return sum(parts(d_model, d_ff)) - 2 * d_model


def feed_forward_with_one_matrix(d_model, d_ff):
    return sum(parts(d_model, d_ff)) - d_model * d_ff - d_model


def without_feed_forward(d_model, d_ff):
    look, _, norms = parts(d_model, d_ff)
    return look + norms


def without_attention(d_model, d_ff):
    _, think, norms = parts(d_model, d_ff)
    return think + norms


def of_a_decoder(d_model, d_ff):
    return sum(parts(d_model, d_ff)) + parts(d_model, d_ff)[0] + 2 * d_model


def hidden_is_three_times_the_width(d_model, d_ff):
    return sum(parts(d_model, 3 * d_model))


def infinite(d_model, d_ff):
    return float("inf")


# -- Exercise 3 --------------------------------------------------------------------------------------------------------
def attend(query, keys, values, divisor):
    return torch.softmax(keys @ query / divisor, 0) @ values


def grown(key, value, cache):
    if cache is None:
        return key[None], value[None]
    return torch.cat([cache[0], key[None]]), torch.cat([cache[1], value[None]])


def forgets_the_beginning(query, key, value, cache):
    keys, values = torch.cat([cache[0], key[None]]), torch.cat([cache[1], value[None]])
    return attend(query, keys, values, len(query) ** 0.5), (keys, values)


def values_first(query, key, value, cache):
    keys, values = grown(key, value, cache)
    return attend(query, keys, values, len(query) ** 0.5), (values, keys)


def sees_only_itself(query, key, value, cache):
    return value, grown(key, value, cache)


def does_not_see_itself(query, key, value, cache):
    keys, values = cache or (key[None], value[None])
    return attend(query, keys, values, len(query) ** 0.5), grown(key, value, cache)


def without_the_root(query, key, value, cache):
    keys, values = grown(key, value, cache)
    return attend(query, keys, values, 1), (keys, values)


def by_d_itself(query, key, value, cache):
    keys, values = grown(key, value, cache)
    return attend(query, keys, values, len(query)), (keys, values)


def does_not_grow(query, key, value, cache):
    keys, values = grown(key, value, cache)
    return attend(query, keys, values, len(query) ** 0.5), cache or (keys, values)


def puts_it_in_front(query, key, value, cache):
    keys, values = key[None], value[None]
    if cache is not None:
        keys, values = torch.cat([keys, cache[0]]), torch.cat([values, cache[1]])
    return attend(query, keys, values, len(query) ** 0.5), (keys, values)


def changes_the_cache(query, key, value, cache):
    keys, values = grown(key, value, cache)
    if cache is not None:
        cache[0].add_(1)
    return attend(query, keys, values, len(query) ** 0.5), (keys, values)


def no_cache_returned(query, key, value, cache):
    return attend(query, *grown(key, value, cache), len(query) ** 0.5)


def a_flat_cache(query, key, value, cache):
    keys, values = (key, value) if cache is None else map(torch.vstack, zip(cache, (key, value)))
    return value, (keys, values)


WRONG = {
    "attention": {
        no_root: "You forgot √d",
        divides_by_d: "You divided by d itself",
        root_of_the_number_of_keys: "root of the number of keys",
        root_of_the_values_width: "root of the values' width",
        softmax_over_queries: "softmax runs over the queries",
        no_softmax: "These are the scores",
        no_sum: "Your weights do not sum to 1: after exp",
        sums_keys: "You summed the keys",
        only_outputs: "Return the attention weights, too",
        weights_first: "You return the weights first",
        rows_are_keys: "a row for each key",
        ignores_the_mask: "does not use the mask",
        true_is_hidden: "the wrong way around",
        masks_afterwards: "You masked after the softmax",
        masks_with_zero: "You set masked scores to 0",
        one_table_only: "Swap the last two dimensions only",
        softmax_over_dimension_1: "One table works, a batch of them",
        divides_in_place: "You changed a tensor that you were given",
        always_root_of_four: "those of a batch are not: divide by √d",
        root_of_dimension_1: "those of a batch are not: divide by √d",
        mask_as_an_index: "one that broadcasts, [3, 5]",
        mask_reshaped: "one that broadcasts, [3, 5]",
        masks_with_minus_100: "Beside very negative scores",
        without_a_gradient: "no gradient reaches q",
        overflows: "your numbers overflow",
    },
    "causal_mask": {
        one_column_too_wide: "One column too wide",
        never_itself: "No token may attend to itself",
        transposed: "Upside down",
        marks_the_hidden: "The wrong way around",
        everything: "the future is open",
        mask_of_numbers: "but it is torch.float32",
        always_five: "length 1 is not",
        table_to_add: "a table of numbers to add to scores",
    },
    "MultiHeadAttention": {
        SplitsTokens: "Your split mixes tokens",
        JoinsWithoutTranspose: "not joined again as they were split",
        OneHead: "one head as wide as the layer",
        WithoutOutProj: "The last matrix is missing",
        KeysFirst: "in another order",
        ScalesByTheWholeWidth: "You divided by √d_model",
        ForgetsItsWeights: "Keep the attention weights in self.weights",
        KeepsOneHeadsWeights: "self.weights should hold the weights of each head",
        IgnoresTheMask: "does not use the mask",
        IgnoresTheSource: "still attends to x",
        AllFromTheSource: "took the queries from it, too",
        ValuesBeforeKeys: "in another order",
        HeadsAttendToEachOther: "Your heads attend to each other",
        SizesTheWrongWayAround: "You have 4 heads of 3 numbers",
        ThreeHeadsAlways: "Three heads are right, two are not",
        FourNumbersAlways: "Three heads are right, two are not",
        TwoHeadsAlways: "You have two heads",
        AddsX: "Do not add x here",
        MasksItselfOnly: "With a source and a mask together",
        ForgetsTheWeightsOfTheSource: "After cross-attention self.weights",
        ChangesX: "You changed the x that you were given",
        OtherNames: "Keep the two matrices of the stub",
    },
    "EncoderLayer": {
        AddsNothing: "Nothing is added",
        SecondSumOnly: "The first sum is missing",
        FirstSumOnly: "The second sum is missing",
        WithoutNorms: "Nothing is normalized",
        FeedsTheRawStream: "The feed-forward network reads x as it is",
        AttendsToTheRawStream: "Self-attention reads x as it is",
        PostNorm: "You normalize after adding",
        NormalizesTheStream: "You add to the normalized x",
        OneNorm: "One norm does both jobs",
        SideBySide: "Both parts read the same x",
        FeedsFirst: "comes first in your layer",
        ForgetsTheMask: "The mask is not handed on",
        FeedsNothing: "The feed-forward network is missing",
        with_feed_forward(_Linear): "FeedForward lacks its ReLU",
        with_feed_forward(_LateReLU): "the ReLU stands at the end",
        with_feed_forward(_Sigmoid): "FeedForward should go up",
        with_feed_forward(_Empty): "FeedForward.forward returns nothing yet",
        AddsInPlace: "changes the x that was handed in",
        MaskForSource: "A mask landed in `source`",
        NormalizesWhatComesOut: "You normalize what attention returns",
        AttendsToItsOwnSource: "Self-attention needs no source",
        AddsToTheOldX: "is added to the old x",
        AddsTwice: "This is not x + attention of its norm",
        RenamesANorm: "your layer has no feed_forward_norm",
    },
    "DecoderLayer": {
        SeesTheFuture: "The future is open",
        IgnoresMemory: "Memory is not attended to",
        WithoutCrossAttention: "Cross-attention is missing",
        CrossFirst: "Cross-attention comes first",
        EndsTooEarly: "feed-forward network is missing",
        CrossReplaces: "What cross-attention gives replaces x",
        CrossReadsTheRawStream: "Cross-attention reads x as it is",
        NormalizesMemory: "You normalized memory, too",
        ForgetsTheContextsMask: "The mask is not handed on to cross-attention",
        MaskStaysOnTheCPU: "The causal mask stays on the CPU",
        FiveTokensAlways: "one of four is not",
        FutureInsteadOfPast: "causal mask is turned around",
        LengthOfTheBatch: "a mask of shape [3, 3] for a reply of 5 tokens",
        ContextsMaskForItself: "Self-attention got the mask of the context",
        CausalCross: "Cross-attention got a mask of shape [5, 5]",
        CrossWithoutASource: "Memory is not attended to",
        CausalMaskForSource: "A mask landed in `source`",
        AddsInPlaceInTheDecoder: "changes the x or memory",
        PostNormDecoder: "You normalize after adding",
        FirstSumMissing: "The first sum is missing",
        LastSumMissing: "The last sum is missing",
        NoSums: "Nothing is added",
        AllReadTheSame: "All parts read the same x",
        OneNormForTwo: "One norm does more than one job",
        FeedsBeforeCross: "comes before cross-attention",
        DoublesTheDecoder: "This is not x + causal self-attention",
        NoCrossAttentionAtAll: "your layer has no cross_attention",
    },
    "window_mask": {
        open_future: "The future is open: no token",
        one_condition: "The future is open: `back < window` alone",
        no_window: "Nothing old is hidden",
        one_too_wide: "one token too wide",
        one_too_narrow: "one token too narrow",
        not_itself: "may not attend to itself in your mask",
        only_the_past: "stops before the token itself",
        upside_down: "Upside down",
        hidden_for_true: "You hid the window",
        numbers: "but the mask is torch.float32",
        three_always: "length 4 with window 9 is not",
    },
    "layer_parameters": {
        matrices_only: "These are the matrices only",
        no_biases: "The biases are missing",
        three_matrices: "Attention has a fourth matrix",
        no_norms: "The two norms are missing",
        one_norm: "This is one norm",
        feed_forward_with_one_matrix: "The feed-forward network has a second matrix",
        without_feed_forward: "The feed-forward network is missing",
        without_attention: "Attention is missing",
        of_a_decoder: "This is a decoder's layer",
        hidden_is_three_times_the_width: "for d_model 64 and d_ff 256",
        infinite: "a whole one",
    },
    "attend_with_cache": {
        forgets_the_beginning: "there is no cache yet",
        values_first: "holds the values first",
        sees_only_itself: "sees only itself",
        does_not_see_itself: "does not see itself",
        without_the_root: "You forgot √d",
        by_d_itself: "You divided by d itself",
        does_not_grow: "The cache did not grow",
        puts_it_in_front: "stands before the old ones",
        changes_the_cache: "You changed the cache",
        no_cache_returned: "Return two things",
        a_flat_cache: "shapes [1, 5] and [1, 3]",
    },
}

globals().update(closing_tests(nb04, "04_attention_is_all_you_need", WRONG))


def test_a_line_of_the_answers_own_cell_comes_before_those_of_earlier_cells(capsys, monkeypatch):
    """What an accepted cell raises is named by the line that called it: the mistake is there."""
    import linecache

    cells = {
        "<cell 1>": "def earlier():\n    return 1 / 0\n",
        "<cell 2>": "def attention(q, k, v, mask=None):\n    return earlier()\n",
    }
    names = {}
    for name, code in cells.items():
        monkeypatch.setitem(linecache.cache, name, (len(code), None, code.splitlines(True), name))
        exec(compile(code, name, "exec"), names)
    nb04.check_attention(names["attention"])
    assert "It was in the line `return earlier()`" in capsys.readouterr().out
