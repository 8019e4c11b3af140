"""Recurrent networks: a hidden state that is updated character by character (built in notebook 02).

``RNNCell`` and ``LSTMCell`` are one step each, written out to be read. ``CharRNN`` is the model that is trained: it uses
torch's fused layers, which compute the same many times faster.
"""

import torch
from torch import nn

from helpers.models.network import Network

KINDS = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}


class RNNCell(nn.Module):
    """Elman's simple recurrent network, one step: ``h' = tanh(x W_xh + h W_hh + b)`` (Elman 1990).

    x [B, E] is the input, h [B, H] the hidden state; W_xh [E, H], W_hh [H, H] and b [H] are learned.
    """

    def __init__(self, input_size: int, hidden_size: int):
        super().__init__()
        bound = hidden_size**-0.5
        self.W_xh = nn.Parameter(torch.empty(input_size, hidden_size).uniform_(-bound, bound))
        self.W_hh = nn.Parameter(torch.empty(hidden_size, hidden_size).uniform_(-bound, bound))
        self.b = nn.Parameter(torch.zeros(hidden_size))

    def forward(self, x: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
        return torch.tanh(x @ self.W_xh + h @ self.W_hh + self.b)


class LSTMCell(nn.Module):
    """Long short-term memory, one step (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000).

    x [B, E] is the input; the state is a pair of the hidden state h [B, H] and the cell state c [B, H]. The gates
    stand side by side in W_xh [E, 4H], W_hh [H, 4H] and b [4H], in torch's order: input, forget, candidate, output. The
    forget gate's bias begins at 1, so that the cell remembers by default (Gers et al. 2000; Jozefowicz et al. 2015).
    """

    def __init__(self, input_size: int, hidden_size: int):
        super().__init__()
        bound = hidden_size**-0.5
        self.W_xh = nn.Parameter(torch.empty(input_size, 4 * hidden_size).uniform_(-bound, bound))
        self.W_hh = nn.Parameter(torch.empty(hidden_size, 4 * hidden_size).uniform_(-bound, bound))
        self.b = nn.Parameter(torch.zeros(4 * hidden_size))
        nn.init.ones_(self.b[hidden_size : 2 * hidden_size].detach())

    def forward(self, x: torch.Tensor, state: tuple[torch.Tensor, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        h, c = state
        i, f, g, o = (x @ self.W_xh + h @ self.W_hh + self.b).chunk(4, dim=-1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c


def torch_cell(cell: nn.Module) -> nn.RNNCell | nn.LSTMCell:
    """Return torch's own cell with the weights of an RNNCell or LSTMCell like ours, to hold one against the other.

    torch keeps its matrices transposed and has a second bias, here 0. ``cell`` has W_xh, W_hh and b.
    """
    kind = nn.RNNCell if cell.W_hh.shape[0] == cell.W_hh.shape[1] else nn.LSTMCell
    theirs = kind(len(cell.W_xh), len(cell.W_hh), dtype=cell.b.dtype)
    with torch.no_grad():
        theirs.weight_ih.copy_(cell.W_xh.T)
        theirs.weight_hh.copy_(cell.W_hh.T)
        theirs.bias_ih.copy_(cell.b)
        theirs.bias_hh.zero_()
    return theirs


class CharRNN(Network):
    """A character model: embedding, recurrent layers, and a score for every token of the vocabulary.

    ``kind`` is "rnn", "gru" or "lstm". ``model(ids, state)`` takes ids [B, T] int64 and the state of an earlier call (None
    at the beginning) and returns logits [B, T, V] with the state after the last token. Raises ValueError for another
    kind. ``config`` holds the arguments, so that ``CharRNN(**model.config)`` has the same shape.
    """

    def __init__(
        self,
        vocab_size: int,
        kind: str = "lstm",
        hidden_size: int = 128,
        n_layer: int = 1,
        embedding_size: int = 64,
        dropout: float = 0.0,
    ):
        super().__init__()
        if kind not in KINDS:
            raise ValueError(f"there is no recurrent network {kind!r}; known are {', '.join(KINDS)}")
        self.kind = kind
        self.config = {name: value for name, value in locals().items() if name not in ("self", "__class__")}
        self.embed = nn.Embedding(vocab_size, embedding_size)
        between = dropout if n_layer > 1 else 0.0  # torch warns when there is no "between"
        self.recurrent = KINDS[kind](embedding_size, hidden_size, n_layer, batch_first=True, dropout=between)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(hidden_size, vocab_size)
        if kind == "lstm":  # as in LSTMCell
            for layer in range(n_layer):
                nn.init.ones_(getattr(self.recurrent, f"bias_hh_l{layer}")[hidden_size : 2 * hidden_size].detach())

    def read(self, ids: torch.Tensor, state=None) -> tuple[torch.Tensor, object]:
        """Return the last layer's output after each token, [B, T, H], and the state."""
        embedded = self.dropout(self.embed(ids))
        if self.kind == "lstm" and state is not None and ids.shape[1] == 1 and not self.training:
            return self._step(embedded[:, 0], state)
        return self.recurrent(embedded, state)

    def _step(self, x: torch.Tensor, state) -> tuple[torch.Tensor, object]:
        """As ``recurrent``, for a single token.

        On a CPU that one lays out its matrices anew in each call, and takes about four times as long.
        """
        after = []
        for layer, (h, c) in enumerate(zip(*state)):
            names = (f"{name}_l{layer}" for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
            after.append(torch.lstm_cell(x, (h, c), *(getattr(self.recurrent, name) for name in names)))
            x = after[-1][0]
        return x[:, None], tuple(torch.stack(part) for part in zip(*after))

    def forward(self, ids: torch.Tensor, state=None) -> tuple[torch.Tensor, object]:
        outputs, state = self.read(ids, state)
        return self.head(self.dropout(outputs)), state
