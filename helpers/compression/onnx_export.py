"""A GPT as an ONNX file, and a bot that runs it without torch's overhead: onnxruntime (notebook 12).

ONNX is a file format for the graph of a network: what is computed, with the weights, and no Python. A runtime plans the whole
graph once; torch decides each operation anew, and for a small network that costs more than the arithmetic. The packages are
those of the extra [export] (``helpers.extras.missing`` says how to get them): without them everything here raises a ValueError
that says so.
"""

import copy
import logging
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from helpers.extras import missing
from helpers.io import write_bytes
from helpers.models import gpt_attention
from helpers.models.gpt import GPT, Cache
from helpers.models.utils import device_of, evaluating, parameter_count


class OnnxCache(NamedTuple):
    """What an OnnxGPT has read, as ``helpers.models.gpt.Cache``, in numpy arrays."""

    past: tuple[np.ndarray, ...]  # keys of each layer, then values of each layer, float32 [B, n_kv_head, T, D]
    last: np.ndarray  # the token read last, int64 [B]

    @property
    def length(self) -> int:
        return self.past[0].shape[2]

    def cut(self, length: int, last: torch.Tensor) -> "OnnxCache":
        """Return the state after the first ``length`` tokens alone, the last of which are ``last`` [B]; see ``Cache.cut``."""
        if not 1 <= length <= self.length:
            raise ValueError(f"a state of {self.length} tokens cannot be cut to {length}: give 1 to {self.length}")
        return OnnxCache(tuple(part[:, :, :length] for part in self.past), last.numpy())


def export_onnx(model: GPT, path) -> Path:
    """Write a GPT to ``path`` as one ONNX graph with a KV cache, and return the path.

    The graph takes "ids" int64 [B, T], "last" int64 [B], the token before them, and keys and values of S tokens read before,
    float32 [B, n_kv_head, S, D] for each layer; B, T and S may be any, S also 0. It returns logits [B, T, V] and all keys and
    values. Raises ValueError without the packages, with torch before 2.8, and for a model that is no GPT or on a GPU.
    """
    _need("onnx", "onnxscript")
    if not isinstance(model, GPT):
        raise ValueError(
            f"a {type(model).__name__} cannot be exported: give the model of a GPT, such as that of the bot gpt"
        )
    if not hasattr(torch.onnx, "ops"):
        raise ValueError(f"exporting needs torch 2.8 or newer, and this is {torch.__version__}: pip install -U torch")
    if device_of(model).type != "cpu":
        raise ValueError("the model is on a GPU: move it first, model.cpu(), or load its checkpoint again")
    names = [f"{part}.{layer}" for part in ("keys", "values") for layer in range(model.settings.n_layer)]
    batch, tokens, before = (torch.export.Dim(name) for name in ("batch", "tokens", "before"))
    past = [
        torch.zeros(2, model.settings.kv_heads, 3, model.settings.head_size) for _ in names
    ]  # sizes 0 and 1 are special
    with _quiet(), evaluating(model), torch.no_grad(), _rotation_as_one_operation():
        program = torch.onnx.export(
            _Graph(model).eval(),
            (torch.zeros(2, 4, dtype=torch.int64), torch.zeros(2, dtype=torch.int64), past),
            dynamic_shapes=({0: batch, 1: tokens}, {0: batch}, [{0: batch, 2: before} for _ in names]),
            input_names=["ids", "last", *names],
            output_names=["logits", *(f"new.{name}" for name in names)],
            dynamo=True,
            opset_version=23,  # of 2025: the first with attention and RMSNorm as one operation each
            custom_translation_table={torch.ops.aten.rms_norm.default: _rms_norm},
            verbose=False,
        )
    about = {"context": model.context, "vocab_size": model.settings.vocab_size, "parameters": parameter_count(model)}
    program.model.metadata_props.update({name: str(value) for name, value in about.items()})
    return write_bytes(path, program.model_proto.SerializeToString())


def _rms_norm(x, shape, weight=None, eps=None):
    """Return ONNX's RMSNorm of ``x``: torch's own translation gives it factors as large as x, which older runtimes refuse."""
    import onnx_ir
    from onnxscript import opset23

    factors = opset23.Constant(value=onnx_ir.tensor(np.ones(int(shape[-1]), np.float32))) if weight is None else weight
    return opset23.RMSNormalization(
        x, factors, axis=-1, epsilon=float(np.finfo(np.float32).eps if eps is None else eps)
    )


@contextmanager
def _rotation_as_one_operation() -> Iterator[None]:
    """Inside, queries and keys are turned by ONNX's own operation, not by the eight of ``rotate``: each costs its overhead."""

    def rotate(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
        tables = (table[None].expand(x.shape[0], -1, -1) for table in (cos, sin))  # [T, D / 2] for each row
        return torch.onnx.ops.rotary_embedding(x, *tables)

    before, gpt_attention.rotate = gpt_attention.rotate, rotate
    try:
        yield
    finally:
        gpt_attention.rotate = before


class _Graph(nn.Module):
    """What is exported: a GPT that is always given a state, perhaps of no token, and a mask that fits any number.

    Its head has a table of its own, though the GPT reads and scores with one: so it is rounded as the other matrices are.
    """

    def __init__(self, model: GPT):
        super().__init__()
        self.model = copy.deepcopy(model)
        self.model.head.weight = nn.Parameter(self.model.head.weight.detach().clone())

    def forward(self, ids: torch.Tensor, last: torch.Tensor, past: list[torch.Tensor]):
        layers = len(past) // 2
        positions = torch.arange(past[0].shape[2] + ids.shape[1])
        mask = positions <= positions[past[0].shape[2] :, None]  # [T, S + T]
        state = Cache(tuple(past[:layers]), tuple(past[layers:]), None, last)
        logits, state = self.model.read(ids, state, None, mask[None, None])
        return logits, *state.keys, *state.values


def quantize_onnx(path, to) -> Path:
    """Write the graph at ``path`` with its weights as 8-bit integers to ``to``, and return that path: onnxruntime's dynamic way.

    The weights are rounded once. Before each product its input is rounded, too, with a scale of its own ("dynamic"), and the
    product is computed in integers. Raises ValueError without the packages, and for a file that is no ONNX graph.
    """
    _need("onnx", "onnxruntime")
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with tempfile.TemporaryDirectory() as folder, _quiet():
        try:
            graph = onnx.load_model_from_string(Path(path).read_bytes())
            # Products with weights and look-ups in tables. It would also take ONNX's attention for one of its own.
            settings = {"weight_type": QuantType.QInt8, "op_types_to_quantize": ["MatMul", "Gather"]}
            quantize_dynamic(graph, f"{folder}/int8.onnx", **settings)
        except OSError:
            raise
        except Exception as error:  # the protobuf library and onnxruntime have errors of their own kinds
            raise ValueError(_damaged(path)) from error
        return write_bytes(to, Path(f"{folder}/int8.onnx").read_bytes())


class OnnxGPT:
    """A GPT that onnxruntime computes: it stands in for the model of a bot, ``Bot(OnnxGPT(path), bot.tokenizer)``.

    ``model(ids [B, T], state=None) -> (logits [B, T, V] float32, state)`` as every language model of the course, on the CPU,
    with so many ``threads`` (0: one for each core; a network this small is fastest with one). Raises ValueError without the
    packages, and for a file that ``export_onnx`` did not write.
    """

    ignores_left_padding = False

    def __init__(self, path, threads: int = 1):
        _need("onnxruntime")
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        options.log_severity_level = 3
        # Operations that it would put in for tables in 8 bits are missing in older versions (1.23, the last for Python 3.10).
        options.add_session_config_entry("session.disable_quant_qdq", "1")
        content = Path(path).read_bytes()
        try:
            self.session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
            about = self.session.get_modelmeta().custom_metadata_map
            self.context, self.vocab_size, self._parameters = (
                int(about[name]) for name in ("context", "vocab_size", "parameters")
            )
        except Exception as error:  # onnxruntime's errors have no common kind of their own
            raise ValueError(_damaged(path)) from error
        inputs = self.session.get_inputs()
        self._names, self._shapes = [each.name for each in inputs], [each.shape for each in inputs[2:]]

    def __call__(self, ids: torch.Tensor, state: OnnxCache | None = None) -> tuple[torch.Tensor, OnnxCache]:
        """Read ids and return logits and the state. Raises ValueError when more than ``context`` tokens are to be seen."""
        length = ids.shape[1] + (0 if state is None else state.length)
        if length > self.context:
            raise ValueError(
                f"this GPT sees {self.context:,} tokens at once, and {length:,} were given: cut the oldest"
            )
        if state is None:
            empty = (np.zeros((len(ids), shape[1], 0, shape[3]), np.float32) for shape in self._shapes)
            state = OnnxCache(tuple(empty), np.zeros(len(ids), np.int64))
        array = ids.numpy()
        logits, *past = self.session.run(None, dict(zip(self._names, (array, state.last, *state.past))))
        return torch.from_numpy(logits), OnnxCache(tuple(past), array[:, -1])

    def parameter_count(self) -> int:
        """Return how many numbers the exported model had learned."""
        return self._parameters


def _need(*packages: str) -> None:
    if sentence := missing(*packages):
        raise ValueError(sentence)


def _damaged(path) -> str:
    return f"{Path(path).name} is not the ONNX graph of a GPT, or not a whole one: write it again with export_onnx(model, path)"


@contextmanager
def _quiet() -> Iterator[None]:
    """Inside, the exporter's warnings about itself are not shown."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
