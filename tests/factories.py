"""Tiny models, tokenizers, conversations and folders that many tests share: the one place where they are built.

Plain functions with keyword arguments, and fixtures that a room's ``conftest.py`` imports. Each function seeds torch first,
so the same call gives the same numbers. The modules of helpers are imported where they are used: this file costs nothing.
"""

import pytest

# The ids of the special tokens in the tiny vocabularies: 0 to 5 are special, words begin at 6.
SPECIAL_IDS = {"speakers": (3, 4, 5), "pad": 0, "end": 2}
# Rows that end with the speaker whose reply comes next, of unequal length.
CONTEXTS = [[2, 4, 7, 8, 3], [2, 3, 9, 4], [2, 4, 10, 11, 12, 13, 3], [2, 3]]


# --- models -----------------------------------------------------------------------------------------------------------


def scaled(model, factor):
    """Multiply all parameters in place: fresh ones are so small that every token is nearly as likely as any other."""
    for parameter in model.parameters():
        parameter.data *= factor
    return model


def gpt(vocab_size=16, recipe="modern", seed=0, embedding=1, scale=1, std=None, noise=None, **config):
    """Return a GPT in evaluation mode, by default of 2 layers, 2 heads and 16 features, with a context of 32 tokens.

    ``recipe`` is "gpt2" or "modern". Blocks of the modern one begin by adding nothing, which would pass every test:
    ``zero_output=False``, ``std`` (of all matrices, drawn anew) or ``noise`` (added to all parameters) prevents it.
    ``embedding`` multiplies the table of token vectors, which LoRA leaves as it is; ``scale`` multiplies all parameters.
    """
    import torch

    from helpers.models.gpt import GPT, GPTConfig

    torch.manual_seed(seed)
    sizes = {"context": 32, "n_embd": 16, "n_layer": 2, "n_head": 2}
    model = GPT(getattr(GPTConfig, recipe)(vocab_size, **{**sizes, **config}))
    for parameter in model.parameters():
        if std is not None and parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=std)
        if noise is not None:
            parameter.data += noise * torch.randn_like(parameter)
    model.embed.weight.data *= embedding
    return scaled(model, scale).eval()


def small_gpt(vocab_size=16, seed=0, std=0.3, attention=None, cached=False, **config):
    """Return a GPT of plain modules, as a learner writes it in notebook 06, in training mode, of the sizes of ``gpt``.

    All its parameters are random, of standard deviation ``std``; ``attention`` is another class for all its blocks.
    """
    import torch

    from helpers.models import small_gpt as learners
    from helpers.models.gpt_config import GPTConfig

    torch.manual_seed(seed)
    sizes = {"context": 32, "n_embd": 16, "n_layer": 2, "n_head": 2}
    kind = learners.CachedGPT if cached else learners.SmallGPT
    config = GPTConfig.gpt2(vocab_size, **{**sizes, **config})
    model = kind(config) if attention is None else kind(config, lambda config: learners.Block(config, attention))
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=std)
    return model


def rnn(vocab_size=8, seed=0, scale=1, **config):
    """Return a CharRNN in training mode, with 12 hidden features and 6 a token."""
    import torch

    from helpers.models.rnn import CharRNN

    torch.manual_seed(seed)
    return scaled(CharRNN(vocab_size, **{"hidden_size": 12, "embedding_size": 6, **config}), scale)


def seq2seq(vocab_size=15, seed=0, scale=1, **config):
    """Return a recurrent encoder–decoder in training mode, with 12 hidden features and 8 a token."""
    import torch

    from helpers.models.seq2seq import Seq2Seq

    torch.manual_seed(seed)
    return scaled(Seq2Seq(vocab_size, **{"hidden_size": 12, "embedding_size": 8, **SPECIAL_IDS, **config}), scale)


def transformer(vocab_size=15, seed=0, scale=1, **config):
    """Return an encoder–decoder transformer in training mode, of 1 layer, 2 heads and 8 features."""
    import torch

    from helpers.models.transformer import Transformer

    torch.manual_seed(seed)
    return scaled(Transformer(vocab_size, **{"d_model": 8, "n_head": 2, "n_layer": 1, **SPECIAL_IDS, **config}), scale)


def ngram(vocab_size=15, seed=0, order=3, length=300, first=2):
    """Return an n-gram model of a stream of so many random tokens, from ``first`` on."""
    import torch

    from helpers.models.ngram import NGram

    generator = torch.Generator().manual_seed(seed)
    return NGram.count(torch.randint(first, vocab_size, (length,), generator=generator), order, vocab_size)


LANGUAGE_MODELS = ("n-gram", "RNN", "seq2seq", "fixed vector", "transformer", "GPT")


def language_model(kind, vocab_size=15, seed=3, scale=4, **config):
    """Return a model of a ``kind`` of LANGUAGE_MODELS with opinions: in evaluation mode, networks in double precision."""
    if kind == "n-gram":
        return ngram(vocab_size, seed)
    build, sizes = {
        "RNN": (rnn, {"hidden_size": 8}),
        "seq2seq": (seq2seq, {"hidden_size": 8, "embedding_size": 6}),
        "fixed vector": (seq2seq, {"hidden_size": 8, "embedding_size": 6, "attention": False}),
        "transformer": (transformer, {}),
        "GPT": (gpt, {"recipe": "gpt2", "n_embd": 8, "n_layer": 1}),
    }[kind]
    return build(vocab_size, seed=seed, scale=scale, **{**sizes, **config}).eval().double()


def randomized_lora(model, std=0.1, seed=1):
    """Give the matrices B of a model with LoRA numbers, as a training would: at first they are zero and change nothing."""
    import torch

    torch.manual_seed(seed)
    for name, parameter in model.named_parameters():
        if name.endswith(".B"):
            torch.nn.init.normal_(parameter, std=std)
    return model


def tuned_gpt(vocab_size=20, **config):
    """Return a GPT whose table is as large as after a training: LoRA leaves the table as it is."""
    return gpt(vocab_size, **{"context": 24, "zero_output": False, "embedding": 10, **config})


def preference_pairs(number=24, good=11, bad=12):
    """Return preferences, in tokens: the better reply holds ``good``, the other ``bad``; contexts and lengths differ."""
    from helpers.corpus.batches.base import Pair
    from helpers.corpus.implicit_feedback import Preference

    pairs = []
    for place in range(number):
        context = [2, 4, *[6 + place % 4] * (1 + place % 3)]
        tail = [13 + place % 5] * (place % 3)
        pairs.append(Preference(Pair(context, [3, good, *tail, 4]), Pair(context, [3, bad, *tail, 14, 4])))
    return pairs


def parameter_vector(model):
    """Return a copy of all parameters as one vector."""
    import torch

    return torch.cat([value.detach().flatten() for value in model.parameters()])


# --- conversations ----------------------------------------------------------------------------------------------------


def conversation(*texts, speakers="AB", name="c"):
    """Return a conversation of these texts, whose speakers take turns."""
    from helpers.corpus.conversations import Conversation, Turn

    turns = (Turn(speakers[place % len(speakers)], text) for place, text in enumerate(texts))
    return Conversation(name, name, tuple(turns))


SOUP = ("hello there my friend", "hello to you too", "how is the soup today", "the soup is fine, thank you")


SMALL_TALK = ("Hello there, my friend!", "Hello to you too.", "How is the soup?", "It is fine, and you?", "Me too.", "Ok!")


def conversations(number, texts=SOUP):
    """Return that many conversations with ids of their own and the same texts."""
    return [conversation(*texts, name=f"c{place}") for place in range(number)]


def corpus(train=(), val=(), test=()):
    """Return a corpus of these conversations."""
    from helpers.corpus.conversations import Card, Corpus

    return Corpus(list(train), list(val), list(test), Card("invented", "CC0"))


def use_corpus(monkeypatch, corpus):
    """Let whatever loads the course's conversations get this corpus."""
    for where in ("helpers.bots.train.load", "helpers.corpus.load.load"):
        monkeypatch.setattr(where, lambda *_, **__: corpus)
    return corpus


# --- tokenizers, bots and their folder --------------------------------------------------------------------------------


@pytest.fixture
def tokenizer():
    """A tokenizer of the printable characters of ASCII and the line break."""
    from helpers.corpus.tokenizers.characters import CharTokenizer

    return CharTokenizer.train(["".join(map(chr, range(32, 127))) + "\n"])


@pytest.fixture
def bot(tokenizer):
    """A bot with a small network that was never trained: it babbles, but in its own voice."""
    from helpers.bots.bot import Bot

    model = rnn(len(tokenizer), hidden_size=8).eval()
    scaled(model.recurrent, 5)  # a memory that does not fade within a message
    model.head.weight.data *= 5
    return Bot(model, tokenizer, "rnn")


def questions_and_answers(number, first=0):
    """Return conversations of nine turns: B answers A's "what" at length, and A's "fine" with a word or two."""
    words = "hello to you too how is the soup today it is fine thank you and what do you like".split()
    talks = []
    for place in range(first, first + number):
        texts = []
        for turn in range(0, 8, 2):
            word, asks = words[(place + turn) % len(words)], turn % 4 == 0
            texts.append(f"{word} {'what' if asks else 'fine'} soup")
            texts.append("it is fine thank you and hello to you too" if asks else "hello you")
        talks.append(conversation(*texts, "thank you", name=f"c{place}"))
    return talks


@pytest.fixture
def checkpoint_folder(tmp_path, monkeypatch):
    """The folder of an empty set of checkpoints; it does not exist before the first bot is saved."""
    from helpers.bots import checkpoints

    folder = tmp_path / "data" / "checkpoints"
    monkeypatch.setattr(checkpoints, "folder", lambda: folder)
    return folder


@pytest.fixture
def preference_course(checkpoint_folder, monkeypatch):
    """Checkpoints of a tiny gpt and gpt-chat, and the conversations they know: returned as a corpus."""
    from helpers.bots import checkpoints
    from helpers.bots.bot import Bot
    from helpers.corpus.tokenizers.bpe import BPETokenizer

    monkeypatch.setenv("HELPERS_DEVICE", "cpu")
    splits = corpus(questions_and_answers(12), questions_and_answers(6, 12), questions_and_answers(6, 18))
    tokenizer = BPETokenizer.train((turn.text for talk in splits.train for turn in talk.turns), 280)
    for seed, name in enumerate(("gpt", "gpt-chat")):
        model = tuned_gpt(len(tokenizer), seed=seed, context=160, n_layer=1)
        checkpoints.save(Bot(model.half().float(), tokenizer, name), {}, {})  # as the file has it
    return splits


def random_reward_model(name="gpt", seed=3):
    """Return a reward model on a saved bot's network, with a random head."""
    import torch

    from helpers.bots import checkpoints
    from helpers.corpus.tokenizers.base import special_token_ids
    from helpers.models.reward_model import RewardModel

    bot = checkpoints.load(name)
    model = RewardModel(bot.model, 2, **special_token_ids(bot.tokenizer))
    torch.manual_seed(seed)
    torch.nn.init.normal_(model.head.weight)
    return model.eval()
