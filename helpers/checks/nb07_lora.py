"""Checks of LoRA as learners write it in notebook 07: the layer, and a GPT with it; ``helpers.checks.nb07`` hands them on."""

from helpers.checks import Wrong, exercise, tried
from helpers.checks.compare import call, difference, kind, module, near, number, refuse_known, same, tensor

RANK, ALPHA = 2, 6.0  # so α / r is 3


@exercise
def check_LoRALinear(LoRALinear: type) -> str:
    """Build: a frozen nn.Linear with A [r, in] and B [out, r] beside it, of which B begins at zero."""
    import torch
    from torch import nn

    for bias in (True, False):
        torch.manual_seed(0)
        linear = nn.Linear(96, 5, bias=bias)
        weight = linear.weight.detach().clone()
        layer = module(tried(LoRALinear(linear, RANK, ALPHA)), "LoRALinear(linear, rank=2, alpha=6.0)")
        if not hasattr(layer, "linear") and not hasattr(layer, "A"):
            tried(layer(torch.zeros(1, 96)))  # both stubs still stand: not tried, and no mistake
        _parts(layer, weight)
        x = torch.randn(2, 3, 96)
        with torch.no_grad():
            first = tensor(call(layer, x, changed="You changed x. Compute a new tensor."), (2, 3, 5), "y, a row for each x")
            known = {
                "The factor α / r belongs to B A x alone; W x + b stays as it is.": 3 * linear(x),
                "That is the change alone. Add it to W x + b.": torch.zeros(2, 3, 5),
            }
            if bias:
                known["The bias of `linear` is lost: compute W x + b with self.linear(x)."] = linear(x) - linear.bias
            refuse_known(first, known)
            if not same(first, linear(x)):
                raise Wrong("Before any training y must be that of `linear` alone. B is zero: what else do you add?")
            for parameter in (layer.A, layer.B):
                parameter.copy_(torch.randn(parameter.shape) / 4)
        _forward(layer, linear, x)
        _gradients(layer, linear, x)
    _narrow(layer)
    _other_sizes(LoRALinear)
    return "W stays, a narrow path runs beside it, and at first it adds nothing."


def _parts(layer, weight) -> None:
    """See that the layer has linear, A, B and scale, of which only A and B are trained, and with which numbers they begin."""
    import torch
    from torch import nn

    if missing := [name for name in ("linear", "A", "B", "scale") if not hasattr(layer, name)]:
        raise Wrong(f"self.{missing[0]} is missing. The rest of the notebook needs self.linear, self.A, self.B and self.scale.")
    for name, shape in (("A", (2, 96)), ("B", (5, 2))):
        part = getattr(layer, name)
        if not isinstance(part, nn.Parameter):
            raise Wrong(f"self.{name} is {kind(part)}, which no optimizer finds: make it an nn.Parameter.")
        if tuple(part.shape) != shape:
            raise Wrong(
                f"For in = 96, out = 5 and r = 2 self.{name} is {list(shape)}; yours is {list(part.shape)}. A is [r, in], B is "
                "[out, r]."
            )
        if not part.requires_grad:
            raise Wrong(f"self.{name} is frozen, too. Freeze `linear` only: A and B are what is trained.")
    trained = {name for name, parameter in layer.named_parameters() if parameter.requires_grad}
    if more := sorted(trained - {"A", "B", "linear.weight", "linear.bias"}):
        raise Wrong(f"self.{more[0]} would be trained as well. Only A and B are parameters; α / r is a plain number.")
    if not same(layer.linear.weight, weight):
        raise Wrong("self.linear no longer has the weights you were given. Keep `linear` itself: it is the pretrained W.")
    if layer.linear.weight.requires_grad or getattr(layer.linear.bias, "requires_grad", False):
        which = "W" if layer.linear.weight.requires_grad else "The bias"
        raise Wrong(f"{which} would still be trained. Freeze all of it: linear.requires_grad_(False).")
    zero = {name: not getattr(layer, name).detach().abs().max().item() for name in "AB"}
    if zero["A"] and zero["B"]:
        raise Wrong("A and B are both zero. Then neither ever gets a gradient: start A at random.")
    if zero["A"]:
        raise Wrong("You have A at zero and B at random. As in the paper, start A at random and B at zero.")
    if not zero["B"]:
        raise Wrong("B does not start at zero, so the layer changes the network before it has learned anything.")
    spread = layer.A.detach().std().item() * 96**0.5
    if not 0.4 < spread < 1.8:
        raise Wrong(
            f"The standard deviation of A is {spread / 96**0.5:.3g}. Divide random normal numbers by √in: here about 0.1."
        )
    if int(torch.linalg.matrix_rank(layer.A.detach())) < 2:
        raise Wrong("All rows of A are the same, so B A has rank 1 whatever r is. Give each row its own random numbers.")
    if not near(number(layer.scale, "self.scale"), 3.0):
        raise Wrong(f"self.scale is α / r, here 6 / 2 = 3; yours is {number(layer.scale, 'self.scale'):g}.")


def _forward(layer, linear, x) -> None:
    """Hold y against the formula and against what known mistakes give."""
    import torch

    with torch.no_grad():
        try:
            answer = layer(x).double()
        except RuntimeError as error:
            if "cannot be multiplied" not in str(error) and "must match" not in str(error):
                raise
            raise Wrong("The shapes do not fit: x is a batch of rows, so A x is x @ A.T, and B of it is … @ B.T.") from None
        plain, beside = linear(x).double(), (x @ layer.A.T @ layer.B.T).double()
        factors = {
            "That is W x + b alone. Add what A and B compute.": 0.0,
            "The factor α / r is missing before B A x.": 1.0,
            "You multiply by α without dividing by r.": 6.0,
            "You divide α by the width of the input, not by r.": 6.0 / 96,
            "You divide α by the width of the output, not by r.": 6.0 / 5,
            "You divide by r twice: self.scale is α / r already.": 1.5,
            "You subtract B A x. Add it.": -3.0,
            "The factor α / r is in there twice.": 9.0,
        }
        refuse_known(answer, {message: plain + factor * beside for message, factor in factors.items()})
        if not same(answer, right := plain + 3 * beside, 1e-4):
            raise Wrong(f"y should be W x + b + (α / r) · B A x; yours has {difference(answer, right)}.")


def _narrow(layer) -> None:
    """See that no product of two matrices is as large as W: B A is not to be built."""
    import torch
    from torch.utils._python_dispatch import TorchDispatchMode

    class Watch(TorchDispatchMode):
        def __torch_dispatch__(self, operation, types, arguments=(), options=None):
            result = operation(*arguments, **(options or {}))
            if operation is torch.ops.aten.mm.default and tuple(result.shape) in ((5, 96), (96, 5)):
                raise Wrong("You build B A, as large as W. Multiply x by A first and the result by B: (x @ A.T) @ B.T.")
            return result

    with torch.no_grad(), Watch():
        layer(torch.zeros(1, 96))


def _gradients(layer, linear, x) -> None:
    """See that a gradient reaches A, B and x, and none W."""
    x = x.clone().requires_grad_(True)
    output = layer(x)
    if not output.requires_grad:
        raise Wrong("y is right, but no gradient flows back from it: is there a no_grad, a detach or an item() too many?")
    output.square().sum().backward()
    for name in "AB":
        gradient = getattr(layer, name).grad
        if gradient is None or not gradient.abs().max().item():
            raise Wrong(f"y is right, but no gradient reaches {name}: do not detach what is to be trained.")
    wrong = x.grad - 3 * (2 * output @ layer.B @ layer.A)
    if not wrong.abs().max().item() > 1e-4:
        raise Wrong(
            "No gradient flows through W to x, so LoRA in the layers below learns nothing from here. Frozen means that W is "
            "not changed; its product still needs a gradient: no no_grad, no detach."
        )
    if linear.weight.grad is not None:
        raise Wrong("W got a gradient. Freeze it: linear.requires_grad_(False).")


def _other_sizes(LoRALinear: type) -> None:
    """See that neither rank nor α nor a width is written down as a number."""
    import torch

    linear = torch.nn.Linear(6, 9)
    layer = LoRALinear(linear, 4, 2.0)
    if tuple(layer.A.shape) != (4, 6) or tuple(layer.B.shape) != (9, 4) or not near(layer.scale, 0.5):
        raise Wrong("Rank 2 and α = 6 are right, rank 4 and α = 2 are not: is a number written down somewhere?")
    x = torch.randn(7, 6)
    with torch.no_grad():
        layer.B.fill_(0.5)
        if not same(layer(x), linear(x) + 0.5 * x @ layer.A.T @ layer.B.T, 1e-4):
            raise Wrong("With rank 4 and α = 2 the output is not W x + b + (2 / 4) · B A x: is a number written down?")


MATRICES = {name: f"block.{name}" for name in ("attention.qkv", "attention.output", "up", "down")}


@exercise
def check_add_lora(add_lora) -> str:
    """Build: a GPT, frozen, with a LoRALinear in the place of the four matrices of each block; only A and B are trained."""
    import copy

    import torch

    from helpers.models.gpt import GPT, GPTConfig

    torch.manual_seed(0)
    model = GPT(GPTConfig.modern(40, n_embd=16, n_layer=3, n_head=2, context=16, zero_output=False)).eval()
    before, ids = copy.deepcopy(model), torch.randint(40, (2, 9))
    grown = module(tried(add_lora(model, RANK, ALPHA)), "the GPT with LoRA")
    if not hasattr(grown, "blocks"):
        raise Wrong(f"Return the model itself, with its blocks; I got a {type(grown).__name__}.")
    _placed(grown)
    free = [name for name, parameter in grown.named_parameters() if parameter.requires_grad]
    if not free:
        raise Wrong("Nothing is left to train: you freeze A and B as well. Freeze the model first, then put LoRA into it.")
    if other := [name for name in free if name.rpartition(".")[2] not in "AB"]:
        raise Wrong(f"{other[0]} is still trained ({len(other)} such parameters). Freeze the whole model before you add LoRA.")
    if len({id(getattr(part, "A", None)) for block in grown.blocks for part in (block.up,)}) < 3:
        raise Wrong("The blocks share their LoRA. Make a new LoRALinear for each matrix of each block.")
    if len(free) == 8:
        raise Wrong("Only the last block's A and B can learn: freeze the model once, before the loop over its blocks.")
    if len(free) < 24:
        raise Wrong(f"3 blocks with 4 matrices have 24 matrices A and B; {len(free)} of them are trained in yours.")
    if any(parameter.abs().max().item() for name, parameter in grown.named_parameters() if name.endswith(".B")):
        raise Wrong("A matrix B is not zero, so the GPT has changed before any training. LoRALinear starts B at zero.")
    with torch.no_grad():
        if not same(grown(ids)[0], before(ids)[0], 1e-4):
            raise Wrong("The GPT's logits have changed. Hand the old matrix to LoRALinear, each in its own place.")
    return "All of the GPT is frozen; in every block four narrow paths can learn."


def _placed(model) -> None:
    """See that in each block each of the four matrices has its own LoRA, of the rank and α that were asked for."""
    missing = []
    for number_, block in enumerate(model.blocks):
        for name, path in MATRICES.items():
            part = block.get_submodule(name)
            if not all(hasattr(part, each) for each in ("linear", "A", "B", "scale")):
                missing.append((number_, path))
            elif hasattr(part.linear, "A"):
                raise Wrong(f"There is LoRA beside LoRA at {path}: put it there once.")
            elif len(part.A) != 2:
                raise Wrong(f"The rank should be 2; at {path} it is {len(part.A)}. Hand `rank` on to LoRALinear.")
            elif not near(part.scale, 3.0):
                raise Wrong(f"With rank 2 and α = 6 the scale is 3; at {path} it is {float(part.scale):g}. Hand `alpha` on.")
    if len(missing) == 12:
        raise Wrong("No block has LoRA. Assign it: block.up = LoRALinear(block.up, rank, alpha).")
    if missing:
        number_, path = missing[0]
        raise Wrong(f"In block {number_} {path} has no LoRA, and {len(missing)} of the 12 matrices in 3 blocks lack it.")
    wrapped = [name for name, part in model.named_modules() if hasattr(part, "A") and hasattr(part, "B")]
    if len(wrapped) > 12:
        extra = next(name for name in wrapped if not name.startswith("blocks."))
        raise Wrong(f"{extra} has LoRA as well. Only the four matrices of each block get it here.")
