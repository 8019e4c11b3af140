"""Checks of the block and the GPT that learners write in notebook 06; ``helpers.checks.nb06`` hands them on.

As in ``nb06_attention``: the learner's class is held against the formula, computed with the parts of the learner's own object.
"""

from helpers.checks import Wrong, exercise, tried
from helpers.checks.compare import call, kind, module, refuse_fixed_device, refuse_known, same, tensor
from helpers.checks.nb06_attention import CHANGED, DEVICE, OTHER, SIZES, built, config, numbers


@exercise
def check_Block(Block: type) -> str:
    """Build: attention, then a feed-forward network, each reading a normalized copy and adding to x [B, T, C]."""
    C = SIZES["n_embd"]
    parts = {"norm_1.weight": (C,), "norm_2.weight": (C,), "up.weight": (4 * C, C), "down.weight": (C, 4 * C)}
    block = built(Block, "a block", parts)
    with numbers(1) as torch:
        x = torch.randn(2, 5, C, dtype=torch.float64)
    attend, norm_1, norm_2, up, down = block.attention, block.norm_1, block.norm_2, block.up, block.down

    def gelu(values, approximate="tanh"):
        return torch.nn.functional.gelu(values, approximate=approximate)

    def mlp(values, activation=gelu):
        return down(activation(up(values)))

    with torch.no_grad():
        answer = tensor(call(block, x, changed=CHANGED), (2, 5, C), "the stream, as large as x")
        y = x + attend(norm_1(x))
        post = norm_1(x + attend(x))
        right = y + mlp(norm_2(y))
        refuse_known(
            answer,
            {
                "You normalize after the addition, as in 2017. GPT-2 normalizes what attention and MLP *read*, and adds to x "
                "itself.": norm_2(post + mlp(post)),
                "The MLP's output replaces the stream. Add it: x + down(…).": mlp(norm_2(y)),
                "The attention output replaces the stream. Add it: x = x + attention(…).": attend(norm_1(x))
                + mlp(norm_2(attend(norm_1(x)))),
                "Nothing is added to the stream: both parts replace it. Each returns what is *added* to x.": mlp(
                    norm_2(attend(norm_1(x)))
                ),
                "Attention reads the stream as it is. It reads norm_1(x).": x + attend(x) + mlp(norm_2(x + attend(x))),
                "The MLP reads the stream as it is. It reads norm_2 of the stream after attention.": y + mlp(y),
                "You used norm_1 twice. The MLP has a norm of its own: norm_2.": y + mlp(norm_1(y)),
                "Your MLP reads the stream from before the attention. It reads the new one.": y + mlp(norm_2(x)),
                "There is no GELU between up and down: two matrices in a row are only one matrix.": y + down(up(norm_2(y))),
                "You took the ReLU. GPT-2 has the smooth GELU: functional.gelu(…, approximate=\"tanh\").": y
                + mlp(norm_2(y), torch.relu),
                "You took the exact GELU. GPT-2 computes it by a tanh: functional.gelu(…, approximate=\"tanh\").": y
                + mlp(norm_2(y), lambda values: gelu(values, "none")),
                "GELU comes last in your MLP. It stands between up and down.": y + gelu(down(up(norm_2(y)))),
                "The stream itself was normalized: x = norm_1(x) loses it. Normalize only the copy that attention reads.": (
                    lambda z: norm_2(z) + mlp(norm_2(z))
                )(norm_1(x) + attend(norm_1(x))),
            },
        )  # fmt: skip
        if same(answer, y):
            raise Wrong("The second half is missing: after attention comes the MLP, and its output is added as well.")
        if not same(answer, right):
            raise Wrong("The result is not x + attention(norm_1(x)), plus the MLP of that. Compare your lines with the equation.")
    return "Two additions to one stream: attention, then the MLP. A GPT is this block, many times."


@exercise
def check_SmallGPT(SmallGPT: type) -> str:
    """Build: embedding and positions, n_layer blocks, a last norm, and the tied scores: tokens [B, T] -> logits [B, T, V]."""
    V, C, T = 11, SIZES["n_embd"], SIZES["context"]
    with numbers() as torch:
        tokens = torch.randint(V, (2, 5))
        model = module(tried(SmallGPT(config())), "a network")
        _run_first(model, tokens)
    blocks = getattr(model, "blocks", None)
    if isinstance(blocks, list | tuple):
        raise Wrong("`self.blocks` is a plain list, so torch does not find its parameters. Make it an nn.ModuleList.")
    with numbers():
        other = SmallGPT(config(OTHER))
    stacks = [getattr(each, "blocks", None) for each in (model, other)]
    lengths = [len(each) if isinstance(each, torch.nn.ModuleList | torch.nn.Sequential) else 0 for each in stacks]
    if lengths != [SIZES["n_layer"], OTHER["n_layer"]]:
        raise Wrong("`self.blocks` should be an nn.ModuleList of config.n_layer blocks, each made by Block(config).")
    if blocks[0] is blocks[1]:
        raise Wrong("All your layers are one and the same Block. Make a new one for each: Block(config) for _ in range(…).")
    if getattr(model, "context", None) != T:
        raise Wrong("Keep `self.context = config.context`: the sampler must know how many tokens the model can read.")
    if getattr(getattr(model, "head", None), "bias", None) is not None:
        raise Wrong("The head has a bias. GPT-2's has none: nn.Linear(…, bias=False).")
    tied = getattr(getattr(model, "head", None), "weight", 0) is getattr(getattr(model, "embed", None), "weight", 1)
    parts = {"embed.weight": (V, C), "positions.weight": (T, C), "norm.weight": (C,), "norm.bias": (C,)}
    model = built(SmallGPT, "a network", parts | ({} if tied else {"head.weight": (V, C)}))
    if not tied:
        raise Wrong("Reading and scoring have tables of their own. Tie them: self.head.weight = self.embed.weight.")
    with torch.no_grad():
        answer = call(model, tokens, changed="You changed the tokens you were given.")
        _compare_gpt(model, tokens, answer)
        _compare_gpt(model, tokens[:1, :1], model(tokens[:1, :1]))
    _refuse_positions_on_the_cpu(model, tokens)
    return "A GPT, from the parts you wrote: a score for every token of the vocabulary, at every position."


def _refuse_positions_on_the_cpu(model, tokens) -> None:
    """Raise ``Wrong`` when the positions are looked up by numbers on the CPU, which torch itself allows on "meta"."""
    message = DEVICE.replace("torch.ones(…, device=x.device)", "torch.arange(T, device=tokens.device)")

    def look(_, arguments):
        if arguments[0].device.type != "meta":
            raise Wrong(message)

    model.positions.register_forward_pre_hook(look)
    refuse_fixed_device(lambda: model.to("meta")(tokens.to("meta")), message)


def _run_first(model, tokens) -> None:
    """Run a network for the first time: name what makes it stop or give nothing back."""
    try:
        answer = model(tokens) if callable(getattr(model, "forward", None)) else None
    except RuntimeError as error:
        if f"({SIZES['context']}) at non-singleton dimension" in str(error):
            raise Wrong(
                "Your positions are those of the whole context. A text has T tokens: take the first T, torch.arange(T)."
            ) from None
        raise
    tried(answer)


def _compare_gpt(model, tokens, answer) -> None:
    """Raise ``Wrong`` when ``answer`` are not the logits of ``tokens`` and None."""
    import torch

    if torch.is_tensor(answer):
        raise Wrong("Return two things: the logits and None. Every model of the course may hand back a state; yours has none.")
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        raise Wrong(f"Return the logits and None, and not {kind(answer)}.")
    logits, T = answer[0], tokens.shape[1]
    embedded, places = model.embed(tokens), model.positions(torch.arange(T))

    def run(x, blocks=model.blocks):
        for block in blocks:
            x = block(x)
        return x

    right = model.head(model.norm(run(embedded + places)))
    if torch.is_tensor(logits) and logits.shape == right[:, -1].shape:
        raise Wrong("You return the scores of the last position only. Training needs those of all: [B, T, V].")
    refuse_known(
        tensor(logits, tuple(right.shape), "logits"),
        {
            "The positions are missing: without them your GPT cannot tell the order of its tokens.": model.head(
                model.norm(run(embedded))
            ),
            "The last norm is missing: between the blocks and the head stands self.norm.": model.head(run(embedded + places)),
            "The blocks are never run: x = block(x), for each of them.": model.head(model.norm(embedded + places)),
            "Only the first block is run. The stream goes through all of them.": model.head(
                model.norm(run(embedded + places, model.blocks[:1]))
            ),
            "Only the last block is used: each block reads what the one before returned, so assign to x.": model.head(
                model.norm(run(embedded + places, model.blocks[-1:]))
            ),
            "You return probabilities. Return the logits: loss and sampler take the softmax themselves.": right.softmax(-1),
            "You return log-probabilities. Return the logits: the loss takes the softmax itself.": right.log_softmax(-1),
            "Every token has the position of its number in the vocabulary. Positions are 0, 1, … T − 1: torch.arange(T).": (
                model.head(model.norm(run(embedded + model.positions(tokens.clamp(max=SIZES["context"] - 1)))))
            ),
            "Your positions begin at 1. Begin with 0: torch.arange(T).": model.head(
                model.norm(run(embedded + model.positions((torch.arange(T) + 1).clamp(max=SIZES["context"] - 1))))
            ),
        }
        if T > 1
        else {},
    )
    if not same(logits, right):
        raise Wrong("The logits are not those of embedding + positions, all blocks, the norm and the head, in this order.")
