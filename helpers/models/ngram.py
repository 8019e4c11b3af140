"""Counting what followed: an n-gram language model with Kneser–Ney smoothing (built in notebook 02).

Shannon (1948) let the last few letters decide the next one. A long context is precise but was seen rarely, a short one was
seen often but says little; interpolated Kneser–Ney smoothing mixes them all (Kneser & Ney 1995, in the interpolated form of
Chen & Goodman 1998). With D_k the discount of order k, h the last k - 1 tokens and h' the same without the oldest:

    p_k(w | h) = (max(c(hw) - D_k, 0) + D_k · kinds(h) · p_{k-1}(w | h')) / total(h)        p_0 = 1 / V

kinds(h) is how many different tokens followed h, total(h) the sum of their counts. The highest order counts how often an
n-gram was seen; a lower one how many different tokens were seen in front of it. A context never seen is left to p_{k-1}.
"""

import io
import zipfile
import zlib
from collections.abc import Mapping, Sequence

import numpy as np

BITS = 7  # per token, of up to 128: nine of them and the sign fit into an int64; more tokens take more bits each
KEY = 63  # bits of a key
MOST_TOKENS, MOST_ORDER = 1 << 15, 9
USUAL_DISCOUNT = 0.75  # where counts of one or of two are missing, n1 / (n1 + 2 n2) says nothing (Jurafsky & Martin)


class NGram:
    """The n-gram model of a stream of tokens. Make one with ``NGram.count``, or with ``from_tensors`` from a checkpoint.

    It is a language model like every other of the course: ``model(ids, state)`` returns a score for each possible next
    token, here its log-probability. ``tables[k - 1]`` holds the n-grams of order k, ``config`` what else a checkpoint needs.
    """

    context, ignores_left_padding = None, False  # as of every ``LanguageModel``

    def __init__(self, tables: Sequence["Table"], config: dict):
        self.tables, self.config = list(tables), config
        self.order, self.vocab_size = config["order"], config["vocab_size"]

    @classmethod
    def count(cls, ids, order: int, vocab_size: int, discount: float | None = None) -> "NGram":
        """Count the n-grams of orders 1 to ``order`` in one stream of token numbers, integers [N].

        ``ids`` is a numpy array, a torch tensor or a list. Without ``discount``, each order's is n1 / (n1 + 2 n2), n1 and
        n2 being how many of its n-grams have a count of one and of two. Raises ValueError for an order outside 1 to 9, a
        vocabulary over 32,768, an order that is too high for its vocabulary (9 up to 128 tokens, 5 up to 4,096, 4 above
        that), a discount outside 0 to 1, a stream shorter than ``order``, or a number outside the vocabulary.
        """
        if not 1 <= order <= MOST_ORDER:
            raise ValueError(f"order {order} is not possible: choose 1 to {MOST_ORDER}")
        if not 1 <= vocab_size <= MOST_TOKENS:
            raise ValueError(f"{vocab_size} tokens are not possible: take 1 to {MOST_TOKENS:,}")
        bits = _bits(vocab_size)
        if order * bits > KEY:
            raise ValueError(
                f"order {order} is not possible with {vocab_size:,} tokens: choose 1 to {KEY // bits}, "
                "or fewer tokens (see min_count)"
            )
        if discount is not None and not 0 < discount <= 1:
            raise ValueError(f"discount {discount} is not possible: it must be above 0 and at most 1")
        ids = _checked(ids, vocab_size)
        if len(ids) < order:
            raise ValueError(f"a stream of {len(ids)} tokens has no n-gram of order {order}: give it more text")
        tables, keys = [], _windows(ids, order, bits)
        for k in range(order, 0, -1):
            keys, counts = _unique(keys)
            tables.insert(0, Table(keys, counts, _estimate(counts) if discount is None else discount, bits=bits))
            # Each different n-gram votes once for its ending; the first of the stream does too, though none voted for it.
            keys = _with(keys, _windows(ids[:k], k, bits)) & ((1 << bits * (k - 1)) - 1)
        discounts = [table.discount for table in tables]
        return cls(tables, {"order": order, "vocab_size": vocab_size, "discounts": discounts})

    def __repr__(self) -> str:
        return f"NGram(order {self.order}, {self.vocab_size} tokens, {self.parameter_count():,} counts)"

    def parameter_count(self) -> int:
        """How many n-grams of all orders it keeps a count of."""
        return sum(len(table.keys) for table in self.tables)

    def log_probabilities(self, context: Sequence[int]) -> np.ndarray:
        """Return the natural log-probability of every next token, float64 [V], after ``context``, of any length.

        Only the last ``order - 1`` tokens count. Raises ValueError when one of them is outside the vocabulary.
        """
        if context := self._recent(context):
            _checked(context, self.vocab_size)
        probabilities, tokens, packed = 1 / self.vocab_size, np.arange(self.vocab_size), 0
        for used, table in enumerate(self.tables[: len(context) + 1]):
            if used:
                packed |= context[-used] << table.bits * (used - 1)
            probabilities = table.refine(packed, tokens, probabilities)
        return np.log(np.broadcast_to(probabilities, tokens.shape))

    def negative_log_likelihood(self, ids) -> np.ndarray:
        """Return the nats of each of ``ids[1:]`` given what stands before it, float64 [N - 1], for integers [N].

        Raises ValueError for an empty stream or a number outside the vocabulary.
        """
        ids = _checked(ids, self.vocab_size)
        probabilities = np.full(len(ids), 1 / self.vocab_size)
        for used, table in enumerate(self.tables[: len(ids)]):
            keys = _windows(ids, used + 1, table.bits)  # the first tokens have no context this long and stay as they are
            probabilities[used:] = table.refine(keys >> table.bits, ids[used:], probabilities[used:])
        return -np.log(probabilities[1:])

    def __call__(self, ids, state: list[tuple[int, ...]] | None = None):
        """Read ids, a torch tensor int64 [B, T]; return log-probabilities float32 [B, T, V] and the state.

        ``[b, t]`` is for the token after ``ids[b, t]``. The state is the last ``order - 1`` tokens of each row, for the next
        call to go on. Raises ValueError when it has another number of rows, or a number is outside the vocabulary.
        """
        import torch  # here only: counting and scoring need none of it

        if ids.numel():
            _checked(ids.flatten().cpu(), self.vocab_size)
        state = [()] * len(ids) if state is None else list(state)
        if len(state) != len(ids):
            raise ValueError(f"the state has {len(state)} rows and ids have {len(ids)}: begin again with state=None")
        logits = np.empty((*ids.shape, self.vocab_size), dtype=np.float32)
        for b, row in enumerate(ids.tolist()):
            for t, token in enumerate(row):
                state[b] = self._recent((*state[b], token))
                logits[b, t] = self.log_probabilities(state[b])
        return torch.from_numpy(logits).to(ids.device), state

    def prune(self, minimum: int = 2, from_order: int = 5) -> "NGram":
        """Return a smaller model without the n-grams of order ``from_order`` and above whose count is below ``minimum``.

        What they had of their context's probability goes to the order below, so probabilities still sum to 1; the orders
        below are not computed anew. Raises ValueError when ``minimum`` or ``from_order`` is below 1.
        """
        if minimum < 1 or from_order < 1:
            raise ValueError(f"minimum and from_order must be 1 or more; they are {minimum} and {from_order}")
        below, above = self.tables[: from_order - 1], self.tables[from_order - 1 :]
        return NGram(below + [table.prune(minimum) for table in above], self.config)

    def tensors(self) -> dict[str, np.ndarray]:
        """Return the counts for a checkpoint: one compressed file of ``numpy.savez_compressed``, its bytes as uint8 [N].

        For each order: the steps between its sorted keys, the counts, and what pruning left out of each context.
        """
        arrays, file = {}, io.BytesIO()
        for k, table in enumerate(self.tables, 1):
            steps = np.diff(table.keys, prepend=0)
            arrays |= {f"{k}.keys": steps, f"{k}.counts": table.counts, f"{k}.left_out": table.left_out}
        # All lowest bytes side by side, then all second ones: most numbers are small, so most rows are zeros.
        np.savez_compressed(file, **{name: np.ascontiguousarray(_bytes(array).T) for name, array in arrays.items()})
        return {"counts.npz": np.frombuffer(file.getvalue(), dtype=np.uint8)}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, np.ndarray], config: dict) -> "NGram":
        """Make the model again from ``tensors()`` and ``config``. Raises ValueError when they are not an n-gram model's."""
        try:
            tables, arrays = [], np.load(io.BytesIO(np.asarray(tensors["counts.npz"]).tobytes()))
            for k, discount in zip(range(1, config["order"] + 1), config["discounts"], strict=True):
                steps, counts, left_out = (_numbers(arrays[f"{k}.{name}"].T) for name in ("keys", "counts", "left_out"))
                tables.append(Table(np.cumsum(steps), counts, discount, left_out, _bits(config["vocab_size"])))
            return cls(tables, dict(config))
        except (KeyError, TypeError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise ValueError("this is not the checkpoint of an n-gram model, or not a whole one") from error

    def _recent(self, context: Sequence[int]) -> tuple[int, ...]:
        return tuple(map(int, context[max(0, len(context) - self.order + 1) :]))


class Table:
    """The n-grams of one order: sorted int64 keys [M], each the tokens at ``bits`` bits apiece, and their counts [M].

    An n-gram's last token is in the lowest bits, so those that share a context stand side by side. ``left_out`` [contexts]
    is the sum of the counts that pruning took from each context, in their order.
    """

    def __init__(self, keys: np.ndarray, counts: np.ndarray, discount: float, left_out=0, bits: int = BITS):
        if len(keys) != len(counts):
            raise ValueError(f"{len(keys)} n-grams and {len(counts)} counts: give one count for each")
        self.keys, self.counts, self.discount, self.bits = keys, counts.astype(np.int32), discount, bits
        self.contexts, kinds = _unique(keys >> bits)
        self.starts = np.cumsum(kinds) - kinds
        self.left_out = np.zeros(len(self.contexts), np.int64) + left_out
        self.totals = _sums(self.counts, self.starts) + self.left_out
        self.passed_on = discount * kinds + self.left_out  # to the order below

    def refine(self, contexts, tokens, lower):
        """Return p(tokens | contexts), given ``lower``, that of the order below; contexts are keys without the last token."""
        if not len(self.keys):
            return lower
        row = np.minimum(np.searchsorted(self.contexts, contexts), len(self.contexts) - 1)
        keys = np.left_shift(contexts, self.bits) | tokens
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        kept = np.where(self.keys[at] == keys, self.counts[at] - self.discount, 0.0)
        mixed = (kept + self.passed_on[row] * lower) / self.totals[row]
        return np.where(self.contexts[row] == contexts, mixed, lower)

    def prune(self, minimum: int) -> "Table":
        keep = self.counts >= minimum
        remaining = _sums(self.counts * keep, self.starts)
        left_out = (self.totals - remaining)[remaining > 0]  # a context that lost all its n-grams is forgotten
        return Table(self.keys[keep], self.counts[keep], self.discount, left_out, self.bits)


def _bytes(numbers: np.ndarray) -> np.ndarray:
    """Return whole numbers as their bytes, the lowest first: uint8 [N, bytes of a number]."""
    return numbers.astype(numbers.dtype.newbyteorder("<")).view(np.uint8).reshape(len(numbers), numbers.itemsize)


def _numbers(data: np.ndarray) -> np.ndarray:
    """Return the numbers, int64 or int32 [N], whose bytes ``data`` [N, 8 or 4] holds; see ``_bytes``."""
    return np.ascontiguousarray(data).view(f"<i{data.shape[1]}")[:, 0]


def _checked(ids, vocab_size: int) -> np.ndarray:
    """Return ids as a numpy array [N], after making sure that they are token numbers."""
    ids = np.asarray(ids)
    if not ids.size:
        raise ValueError("the stream is empty: give it at least one token")
    if ids.ndim != 1 or ids.dtype.kind not in "iu":
        raise ValueError(f"a stream is one row of whole numbers; this has shape {ids.shape} and type {ids.dtype}")
    for number in (int(ids.min()), int(ids.max())):
        if not 0 <= number < vocab_size:
            raise ValueError(f"no token has the number {number}; this vocabulary has 0 to {vocab_size - 1}")
    return ids.astype(np.int64, copy=False)


def _bits(vocab_size: int) -> int:
    return max(BITS, (vocab_size - 1).bit_length())


def _windows(ids: np.ndarray, length: int, bits: int) -> np.ndarray:
    """Return the key of every ``length`` neighbors, int64 [N - length + 1]."""
    count = len(ids) - length + 1
    keys = np.zeros(count, dtype=np.int64)
    for i in range(length):
        keys = keys << bits | ids[i : i + count]
    return keys


def _unique(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the different keys, sorted, and how often each occurs. Sorts ``keys`` in place, where np.unique copies."""
    keys.sort()
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])[: len(keys)])
    return keys[starts], np.diff(starts, append=len(keys))


def _with(keys: np.ndarray, key: np.ndarray) -> np.ndarray:
    """Return sorted keys with one more, int64 [1], unless it is there: np.union1d would sort them all again."""
    index = np.searchsorted(keys, key)
    present = index[0] < len(keys) and keys[index[0]] == key[0]
    return keys if present else np.insert(keys, index, key)


def _sums(numbers: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Return the sum of the numbers from each start up to the next, int64."""
    return np.add.reduceat(numbers, starts, dtype=np.int64) if len(numbers) else np.zeros(0, np.int64)


def _estimate(counts: np.ndarray) -> float:
    ones, twos = int((counts == 1).sum()), int((counts == 2).sum())
    return ones / (ones + 2 * twos) if ones and twos else USUAL_DISCOUNT
