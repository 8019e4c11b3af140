"""Wrong answers to the build cells of notebook 06 that are classes, each with words of the message it must get."""

import math

import torch
from torch import nn
from torch.nn import functional

from helpers.models import small_gpt


# -- Attention ---------------------------------------------------------------------------------------------------------
class Steps(small_gpt.Attention):
    """The right attention in steps, one of which a mistake replaces."""

    def split(self, part):
        return part.unflatten(-1, (self.n_head, -1)).transpose(1, 2)

    def scale(self, D, C):
        return 1 / math.sqrt(D)

    def weights(self, scores, future):
        return scores.masked_fill(future, -math.inf).softmax(-1)

    def scores(self, q, k):
        return q @ k.transpose(-2, -1)

    def join(self, z):
        return z.transpose(1, 2).flatten(2)

    def forward(self, x):
        q, k, v = map(self.split, self.qkv(x).chunk(3, dim=-1))
        T = x.shape[1]
        future = torch.ones(T, T, dtype=torch.bool).triu(1)
        scores = self.scores(q, k) * self.scale(q.shape[-1], x.shape[-1])
        return self.output(self.join(self.weights(scores, future) @ v))


class NoMask(Steps):
    def weights(self, scores, future):
        return scores.softmax(-1)


class HidesThePast(Steps):
    def weights(self, scores, future):
        return scores.masked_fill(future.T, -math.inf).softmax(-1)


class HidesItself(Steps):
    def weights(self, scores, future):
        return scores.masked_fill(future | torch.eye(len(future), dtype=torch.bool), -math.inf).softmax(-1)


class MaskAfterSoftmax(Steps):
    def weights(self, scores, future):
        return scores.softmax(-1).masked_fill(future, 0.0)


class MaskWithZero(Steps):
    def weights(self, scores, future):
        return scores.masked_fill(future, 0.0).softmax(-1)


class NoScale(Steps):
    def scale(self, D, C):
        return 1.0


class ScaledByWidth(Steps):
    def scale(self, D, C):
        return C**-0.5


class DividedByD(Steps):
    def scale(self, D, C):
        return 1 / D


class OverQueries(Steps):
    def weights(self, scores, future):
        return scores.masked_fill(future, -math.inf).softmax(-2)


class OneHead(Steps):
    def split(self, part):
        return part.unflatten(-1, (1, -1)).transpose(1, 2)


class CutWrongly(Steps):
    def split(self, part):
        return part.reshape(part.shape[0], self.n_head, part.shape[1], -1)


class JoinedWrongly(Steps):
    def join(self, z):
        return z.reshape(z.shape[0], z.shape[2], -1)


class NoOutput(Steps):
    def __init__(self, config):
        super().__init__(config)
        self.forward = lambda x: self.unfinished(x)

    def unfinished(self, x):
        q, k, v = map(self.split, self.qkv(x).chunk(3, dim=-1))
        future = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1)
        return self.join(self.weights(self.scores(q, k) * q.shape[-1] ** -0.5, future) @ v)


class KeysAsk(Steps):
    def scores(self, q, k):
        return k @ q.transpose(-2, -1)


class AddsX(Steps):
    def forward(self, x):
        return x + super().forward(x)


class TwoHeads(Steps):
    def split(self, part):
        return part.unflatten(-1, (2, -1)).transpose(1, 2)


class DividedByRootOfTwo(Steps):
    def scale(self, D, C):
        return 2**-0.5


class OtherNames(Steps):
    def __init__(self, config):
        super().__init__(config)
        self.projection = self.output
        del self.output


# -- Block -------------------------------------------------------------------------------------------------------------
class PostNorm(small_gpt.Block):
    def forward(self, x):
        x = self.norm_1(x + self.attention(x))
        return self.norm_2(x + self.mlp(x))

    def mlp(self, x):
        return self.down(functional.gelu(self.up(x), approximate="tanh"))


class MLPReplaces(PostNorm):
    def forward(self, x):
        x = x + self.attention(self.norm_1(x))
        return self.mlp(self.norm_2(x))


class AttentionReplaces(PostNorm):
    def forward(self, x):
        x = self.attention(self.norm_1(x))
        return x + self.mlp(self.norm_2(x))


class NothingAdded(PostNorm):
    def forward(self, x):
        return self.mlp(self.norm_2(self.attention(self.norm_1(x))))


class AttentionWithoutNorm(PostNorm):
    def forward(self, x):
        x = x + self.attention(x)
        return x + self.mlp(self.norm_2(x))


class MLPWithoutNorm(PostNorm):
    def forward(self, x):
        x = x + self.attention(self.norm_1(x))
        return x + self.mlp(x)


class OneNorm(PostNorm):
    def forward(self, x):
        x = x + self.attention(self.norm_1(x))
        return x + self.mlp(self.norm_1(x))


class Parallel(PostNorm):
    def forward(self, x):
        return x + self.attention(self.norm_1(x)) + self.mlp(self.norm_2(x))


class NoGELU(PostNorm):
    def mlp(self, x):
        return self.down(self.up(x))

    def forward(self, x):
        x = x + self.attention(self.norm_1(x))
        return x + self.mlp(self.norm_2(x))


class WithReLU(NoGELU):
    def mlp(self, x):
        return self.down(self.up(x).relu())


class ExactGELU(NoGELU):
    def mlp(self, x):
        return self.down(functional.gelu(self.up(x)))


class GELULast(NoGELU):
    def mlp(self, x):
        return functional.gelu(self.down(self.up(x)), approximate="tanh")


class StreamNormalized(PostNorm):
    def forward(self, x):
        x = self.norm_1(x)
        x = x + self.attention(x)
        x = self.norm_2(x)
        return x + self.mlp(x)


class OnlyAttention(PostNorm):
    def forward(self, x):
        return x + self.attention(self.norm_1(x))


# -- SmallGPT ----------------------------------------------------------------------------------------------------------
class GPT(small_gpt.SmallGPT):
    """The right one in steps, one of which a mistake replaces."""

    def embedded(self, tokens):
        return self.embed(tokens) + self.positions(torch.arange(tokens.shape[1]))

    def run(self, x):
        for block in self.blocks:
            x = block(x)
        return x

    def forward(self, tokens, state=None):
        return self.head(self.norm(self.run(self.embedded(tokens)))), None


class PlainList(GPT):
    def __init__(self, config):
        super().__init__(config)
        blocks = list(self.blocks)
        del self.blocks
        self.blocks = blocks


class OneBlock(GPT):
    def __init__(self, config):
        super().__init__(config)
        self.blocks = nn.ModuleList([small_gpt.Block(config)] * config.n_layer)


class TooFewBlocks(GPT):
    def __init__(self, config):
        super().__init__(config)
        self.blocks = nn.ModuleList([small_gpt.Block(config)])


class AlwaysTwoBlocks(GPT):
    def __init__(self, config):
        super().__init__(config)
        self.blocks = nn.ModuleList([small_gpt.Block(config) for _ in range(2)])


class NoContext(GPT):
    def __init__(self, config):
        super().__init__(config)
        self.context = None


class HeadWithBias(GPT):
    def __init__(self, config):
        super().__init__(config)
        self.head = nn.Linear(config.n_embd, config.vocab_size)
        self.head.weight = self.embed.weight


class NotTied(GPT):
    def __init__(self, config):
        super().__init__(config)
        self.head = nn.Linear(config.n_embd, config.vocab_size, bias=False)


class LogitsAlone(GPT):
    def forward(self, tokens, state=None):
        return super().forward(tokens)[0]


class LastOnly(GPT):
    def forward(self, tokens, state=None):
        return super().forward(tokens)[0][:, -1], None


class NoPositions(GPT):
    def embedded(self, tokens):
        return self.embed(tokens)


class PositionsFromOne(GPT):
    def embedded(self, tokens):
        return self.embed(tokens) + self.positions(torch.arange(1, tokens.shape[1] + 1))


class PositionsOfTokens(GPT):
    def embedded(self, tokens):
        return self.embed(tokens) + self.positions(tokens.clamp(max=self.context - 1))


class PositionsOfTheContext(GPT):
    def embedded(self, tokens):
        return self.embed(tokens) + self.positions(torch.arange(self.context))


class NoLastNorm(GPT):
    def forward(self, tokens, state=None):
        return self.head(self.run(self.embedded(tokens))), None


class NoBlocks(GPT):
    def run(self, x):
        return x


class FirstBlockOnly(GPT):
    def run(self, x):
        return self.blocks[0](x)


class ForgetsToAssign(GPT):
    def run(self, x):
        for block in self.blocks:
            y = block(x)
        return y


class Probabilities(GPT):
    def forward(self, tokens, state=None):
        return super().forward(tokens)[0].softmax(-1), None


# -- CachedAttention ---------------------------------------------------------------------------------------------------
class Cached(small_gpt.CachedAttention):
    """The right one in steps, one of which a mistake replaces."""

    def longer(self, past, k, v):
        return (k, v) if past is None else (torch.cat((past[0], k), dim=2), torch.cat((past[1], v), dim=2))

    def future(self, T, S):
        return torch.ones(T, S + T, dtype=torch.bool).triu(S + 1)

    def kept(self, k, v, new):
        return k, v

    def forward(self, x, past=None):
        q, k, v = (part.unflatten(-1, (self.n_head, -1)).transpose(1, 2) for part in self.qkv(x).chunk(3, dim=-1))
        T, new = x.shape[1], (k, v)
        k, v = self.longer(past, k, v)
        scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
        z = scores.masked_fill(self.future(T, k.shape[2] - T), -math.inf).softmax(-1) @ v
        return self.output(z.transpose(1, 2).flatten(2)), self.kept(k, v, new)


class DoesNotGrow(Cached):
    def kept(self, k, v, new):
        return new


class NewOnesFirst(Cached):
    def longer(self, past, k, v):
        return (k, v) if past is None else (torch.cat((k, past[0]), dim=2), torch.cat((v, past[1]), dim=2))


class ValuesFirst(Cached):
    def kept(self, k, v, new):
        return v, k


class CachedWithoutMask(Cached):
    def future(self, T, S):
        return torch.zeros(T, S + T, dtype=torch.bool)


class MaskNotShifted(Cached):
    def future(self, T, S):
        return torch.ones(T, S + T, dtype=torch.bool).triu(1)


class HidesTheNewToken(Cached):
    def future(self, T, S):
        return torch.ones(T, S + T, dtype=torch.bool).triu(S or 1)


class KeysForValues(Cached):
    def longer(self, past, k, v):
        return (k, v) if past is None else (torch.cat((past[0], k), dim=2), torch.cat((past[0], v), dim=2))


class ThreeThings(Cached):
    def forward(self, x, past=None):
        output, pair = super().forward(x, past)
        return output, *pair


class OutputAlone(Cached):
    def forward(self, x, past=None):
        return super().forward(x, past)[0]


class ForgetsThePast(Cached):
    def forward(self, x, past=None):
        output, new = super().forward(x)
        return output, self.longer(past, *new)


class WritesIntoTheCache(Cached):
    def longer(self, past, k, v):
        if past is not None:
            past[0].mul_(1.5)
        return super().longer(past, k, v)


NETWORKS = {
    "Attention": {
        NoMask: "There is no mask",
        HidesThePast: "hides the past",
        HidesItself: "a softmax had nothing but −∞",
        MaskAfterSoftmax: "masked after the softmax",
        MaskWithZero: "masked with 0",
        NoScale: "The division by √D is missing",
        ScaledByWidth: "divided by √n_embd",
        DividedByD: "You divided by D",
        OverQueries: "runs over the queries",
        OneHead: "one head, scaled",
        CutWrongly: "The heads are cut wrongly",
        JoinedWrongly: "The heads are joined wrongly",
        NoOutput: "The last product is missing",
        KeysAsk: "Queries and keys are exchanged",
        AddsX: "You added x",
        OtherNames: "A part is missing",
        TwoHeads: "Is a number of heads written down",
        DividedByRootOfTwo: "You divided by √2",
        Steps: "torch.ones(…, device=x.device)",
    },
    "Block": {
        PostNorm: "as in 2017",
        MLPReplaces: "The MLP's output replaces",
        AttentionReplaces: "The attention output replaces",
        NothingAdded: "Nothing is added",
        AttentionWithoutNorm: "Attention reads the stream as it is",
        MLPWithoutNorm: "The MLP reads the stream as it is",
        OneNorm: "You used norm_1 twice",
        Parallel: "from before the attention",
        NoGELU: "no GELU between",
        WithReLU: "You took the ReLU",
        ExactGELU: "You took the exact GELU",
        GELULast: "GELU comes last",
        StreamNormalized: "The stream itself was normalized",
        OnlyAttention: "The second half is missing",
    },
    "SmallGPT": {
        PlainList: "plain list",
        OneBlock: "one and the same Block",
        TooFewBlocks: "an nn.ModuleList of config.n_layer blocks",
        AlwaysTwoBlocks: "an nn.ModuleList of config.n_layer blocks",
        NoContext: "Keep `self.context",
        PositionsOfTheContext: "those of the whole context",
        GPT: "device=tokens.device",
        HeadWithBias: "The head has a bias",
        NotTied: "tables of their own",
        LogitsAlone: "Return two things",
        LastOnly: "of the last position only",
        NoPositions: "The positions are missing",
        PositionsFromOne: "Your positions begin at 1",
        PositionsOfTokens: "its number in the vocabulary",
        NoLastNorm: "The last norm is missing",
        NoBlocks: "The blocks are never run",
        FirstBlockOnly: "Only the first block is run",
        ForgetsToAssign: "Only the last block is used",
        Probabilities: "You return probabilities",
    },
    "CachedAttention": {
        DoesNotGrow: "The cache does not grow",
        NewOnesFirst: "in front of the old ones",
        ValuesFirst: "Keys and values are mixed up",
        CachedWithoutMask: "There is no mask",
        MaskNotShifted: "takes the new tokens for the first ones",
        OutputAlone: "and not a Tensor",
        ThreeThings: "put the keys and the values in a pair",
        HidesTheNewToken: "hides each new token from itself",
        KeysForValues: "Your old values are the old keys",
        Cached: "torch.ones(…, device=x.device)",
        ForgetsThePast: "attend to themselves only",
        WritesIntoTheCache: "You changed the cache",
    },
}
