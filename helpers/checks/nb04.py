"""Checks of notebook 04, *Attention is all you need*."""

from collections.abc import Callable

from helpers.checks import Wrong, exercise, shown, tried


def _plain(value) -> str:
    """Show a tensor, or several, as lists: the repr of a tensor can take more than one line."""
    if isinstance(value, list | tuple):
        value = [part.tolist() if hasattr(part, "tolist") else part for part in value]
    return shown(value.tolist() if hasattr(value, "tolist") else value)


def _tensor(value, *shape: int, what: str):
    """Return a learner's tensor in double precision; raise ``Wrong`` when it is something else."""
    import torch

    if not torch.is_tensor(value):
        raise Wrong(f"I expected a tensor, {what}, and got a {type(value).__name__}: {_plain(value)}.")
    if value.shape != shape:
        raise Wrong(f"I expected {what}, of shape {list(shape)}, and got the shape {list(value.shape)}.")
    return value.detach().double()


def _like(answer, expected) -> bool:
    """Whether two tensors agree to five digits; one that is no tensor or has another shape agrees with nothing."""
    import torch

    same_shape = torch.is_tensor(answer) and answer.shape == expected.shape
    return same_shape and torch.allclose(answer.detach().double(), expected.double(), atol=1e-5)


@exercise
def check_look(look: Callable) -> str:
    """Exercise 1: what one query [D] takes from keys [S, D] and values [S, V]."""
    import torch

    query = torch.tensor([2.0, 0.0, 1.0, -1.0])
    keys = torch.tensor([[1.0, 2.0, 0.0, 1.0], [1.0, 1.0, 1.0, 0.0], [0.0, -1.0, 2.0, 0.0]])
    values = torch.tensor([[8.0, 1.0], [-4.0, 2.0], [2.0, -3.0]])
    scores = keys @ query  # 1, 3 and 2
    answer = tried(look(query.clone(), keys.clone(), values.clone()))
    if _like(answer, scores.softmax(0)) or _like(answer, (scores / 2).softmax(0)):
        raise Wrong("These are the shares. One step is left: add up the values, each times its share.")
    if _like(answer, (scores / 2).softmax(0) @ keys):
        raise Wrong("You handed over the keys. They are only what is compared; what is taken are the values.")
    answer = _tensor(answer, 2, what="what is taken from the values")
    known = {
        "You forgot √d: divide the scores by the square root of the query's length, before the softmax.": 1,
        "You divided by d itself. Its square root is enough: the spread of a dot product grows like √d.": 4,
        "You divided by the root of the number of keys. It is the length of the query that makes scores large.": 3**0.5,
        "You divided by the root of the values' width. Scores come from queries and keys: take the query's length.": 2
        ** 0.5,
        "You multiplied by √d. Divide: the scores are too large, not too small.": 0.5,
    }
    for message, divisor in known.items():
        if _like(answer, (scores / divisor).softmax(0) @ values):
            raise Wrong(message)
    if _like(answer, (scores / 2) @ values) or _like(answer, scores @ values):
        raise Wrong("The scores went in as they are. A softmax first turns them into shares that sum to 1.")
    if _like(answer, (scores / 2).exp() @ values) or _like(answer, scores.exp() @ values):
        raise Wrong("Your shares do not sum to 1: after exp, divide each by the sum of all.")
    if _like(answer, values.mean(0)):
        raise Wrong("This is the plain mean of the values: the query was not asked. Are all your scores the same?")
    if _like(answer, values[1]):
        raise Wrong("You took the value of the best key alone. Attention takes of each value its share.")
    if not _like(answer, (scores / 2).softmax(0) @ values):
        raise Wrong(f"With scores 1, 3 and 2 and d = 4 I expected {_taken(scores, values)} and got {_plain(answer)}.")
    large = look(torch.tensor([500.0, 0.0]), torch.tensor([[1.0, 0.0], [0.9, 0.0]]), torch.eye(2))
    if not _like(large, torch.tensor([1.0, 0.0])):
        raise Wrong(
            "With a large query your numbers overflow. torch.softmax does not: use it, or subtract the maximum."
        )
    return "A query met its keys and took its share of every value. That is attention."


def _taken(scores, values) -> str:
    return str([round(number, 2) for number in ((scores / 2).softmax(0) @ values).tolist()])


@exercise
def check_window_mask(window_mask: Callable) -> str:
    """Exercise 2: bool [length, length]; each token may look at itself and at the window - 1 before it."""
    import torch

    def expected(length: int, low: int, high: int):
        """True where the distance back, row minus column, is from ``low`` to ``high``."""
        places = torch.arange(length)
        back = places[:, None] - places
        return (back >= low) & (back <= high)

    answer = tried(window_mask(6, 3))
    if not torch.is_tensor(answer) or answer.shape != (6, 6):
        got = list(answer.shape) if torch.is_tensor(answer) else _plain(answer)
        raise Wrong(f"I expected a tensor of shape [6, 6], a row for each token that looks, and got {got}.")
    given, answer = answer, answer.detach().bool()
    known = {
        "The future is open: no token may look at a later one. Only columns up to its own are allowed.": (-2, 2),
        "Nothing old is hidden: a token may look at the last `window` tokens only, itself among them.": (0, 5),
        "Your window is one token too wide: itself and the window − 1 before it make `window` in all.": (0, 3),
        "Your window is one token too narrow: with window = 3 a token sees itself and the two before it.": (0, 1),
        "A token may not look at itself in your mask. The window of 3 is itself and the two before it.": (1, 3),
        "Your window stops before the token itself: it may look at itself, too.": (1, 2),
        "Upside down: your tokens look at themselves and at what comes later. Rows look, columns are looked at.": (
            -2,
            0,
        ),
        "You hid the window and opened the rest: that is what comes from True for “hidden”. True is “may look”.": None,
    }
    for message, distances in known.items():
        wrong = ~expected(6, 0, 2) if distances is None else expected(6, *distances)
        if torch.equal(answer, wrong):
            raise Wrong(message)
    if not torch.equal(answer, expected(6, 0, 2)):
        place = int((answer != expected(6, 0, 2)).any(1).nonzero()[0])
        raise Wrong(f"For length 6 and window 3, row {place} is not right: {answer[place].int().tolist()}.")
    if given.dtype != torch.bool:
        raise Wrong(f"The places are right, but the mask is {given.dtype}. `masked_fill(~mask, …)` needs torch.bool.")
    for length, window in ((4, 9), (5, 1), (1, 1)):
        if not _like(window_mask(length, window), expected(length, 0, window - 1)):
            raise Wrong(f"Length 6 with window 3 is right; length {length} with window {window} is not.")
    return "Each token sees a little of the past and nothing of the future. Code that skips the rest can afford long texts."


@exercise
def check_both_masks(both_masks: Callable) -> str:
    """Exercise 3: is_token bool [B, T] to a mask bool [B, 1, T, T] that hides padding and whatever comes later."""
    import torch

    is_token = torch.tensor([[True, True, True, False], [False, True, True, True], [True, True, True, True]])
    triangle = torch.ones(4, 4, dtype=torch.bool).tril()
    columns, rows = is_token[:, None, None], is_token[:, None, :, None]
    right = triangle & columns
    answer = tried(both_masks(is_token.clone()))
    got = list(answer.shape) if torch.is_tensor(answer) else _plain(answer)
    if got not in ([3, 1, 4, 4], [3, 4, 4], [3, 1, 1, 4], [1, 1, 4, 4], [4, 4]):
        raise Wrong(f"For three texts of four places I expected a tensor of shape [3, 1, 4, 4] and got {got}.")
    seen = answer.detach().bool()
    seen = (seen[:, None] if seen.ndim == 3 else seen).expand(3, 1, 4, 4)
    known = {
        "Padding is not hidden in your mask: join the triangle with `is_token`, by &.": triangle,
        "The future is open: join what hides padding with the triangle of section 5, by &.": columns,
        "You joined the two by “or”. A look must be allowed by both: &.": triangle | columns,
        "Your mask is the wrong way round: True means “may look here”, not “hidden”.": ~right,
        "`is_token` is upside down: it is True at tokens, so it needs no ~ to say where one may look.": triangle
        & ~columns,
        "You hid what padding looks at. Hide that others look at it: its column, not its row, [:, None, None].": triangle
        & rows,
        "You hid the rows of padding as well. Nobody reads them, and I asked for the columns alone.": triangle
        & rows
        & columns,
        "Your triangle is upside down: rows look, columns are looked at, so what comes later is above: tril.": triangle.T
        & columns,
        "A token may not look at itself in your mask: the triangle includes its diagonal.": triangle.tril(-1) & columns,
        "Your triangle is one column too wide: each place sees the next token, which is its answer.": (
            torch.ones(4, 4, dtype=torch.bool).tril(1) & columns
        ),
        "You used the padding of the first text for all of them. Each text has its own.": triangle & is_token[0],
    }
    for message, wrong in known.items():
        if torch.equal(seen, wrong.expand(3, 1, 4, 4)):
            raise Wrong(message)
    if not torch.equal(seen, right):
        text, _, place, _ = (seen != right).nonzero()[0].tolist()
        raise Wrong(f"Text {text}, place {place} (counted from 0) is not right: {seen[text, 0, place].int().tolist()}.")
    if got != [3, 1, 4, 4]:
        raise Wrong(
            f"The places are right, but the shape is {got}: torch would take your texts for heads. Make it [3, 1, 4, 4]."
        )
    if answer.dtype != torch.bool:
        raise Wrong(f"The places are right, but the mask is {answer.dtype}. `masked_fill(~mask, …)` needs torch.bool.")
    for shape in ((1, 1), (2, 6)):
        is_token = torch.arange(shape[1]) < torch.arange(1, shape[0] + 1)[:, None]
        expected = torch.ones(shape[1], shape[1], dtype=torch.bool).tril() & is_token[:, None, None]
        if not _like(both_masks(is_token), expected):
            raise Wrong(f"Three texts of four places are right; {shape[0]} × {shape[1]} is not.")
    return "Not the future, and not the padding: this is the mask with which chatbots are trained in batches."


@exercise
def check_layer_parameters(layer_parameters: Callable[[int, int], int]) -> str:
    """Exercise 4: how many weights an encoder layer of a width has, its feed-forward part being ``hidden`` wide."""
    width, hidden = 10, 30
    answer = _whole(tried(layer_parameters(width, hidden)))
    look, think, norms = 4 * width * width + 4 * width, 2 * width * hidden + hidden + width, 4 * width
    right = look + think + norms
    known = {
        "You counted matrices only. Each of them has a bias, a number for each of its outputs; the norms count, too.": (
            4 * width * width + 2 * width * hidden
        ),
        "The biases are missing: each matrix has one number for each of its outputs as well.": (
            4 * width * width + 2 * width * hidden + norms
        ),
        "You counted three matrices for looking. A fourth mixes what the heads brought home: `outward`.": (
            right - width * width - width
        ),
        "The two norms are missing: each has a factor and an offset for every number of the width.": right - norms,
        "You counted half of the norms: there are two, and each has a factor and an offset for every number.": (
            right - 2 * width
        ),
        "You counted one matrix for thinking. One leads up to `hidden` numbers, another one down again.": (
            right - width * hidden - width
        ),
        "Thinking is missing: two matrices, up to `hidden` numbers and down again.": right - think,
        "Looking is missing: queries, keys, values, and a matrix that mixes the heads.": right - look,
        "This is a decoder's layer: an encoder's has one look only, no look across.": right + look + 2 * width,
    }
    for message, count in known.items():
        if answer == count:
            raise Wrong(message)
    if answer != right:
        raise Wrong(f"For width 10 and hidden 30 I expected {right:,} and got {answer:,}.")
    for width, hidden in ((64, 256), (3, 7)):
        expected = 4 * width * width + 8 * width + 2 * width * hidden + hidden + width
        if (answer := _whole(layer_parameters(width, hidden))) != expected:
            raise Wrong(
                f"Width 10 is right; for width {width} and hidden {hidden} I expected {expected:,}, not {answer:,}."
            )
    return "Every weight found. And did you notice that the number of heads appears nowhere?"


def _whole(value) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float) or value % 1 != 0:  # of inf and NaN it is NaN
        raise Wrong(f"I expected one whole number and got {_plain(value)}.")
    return int(value)


@exercise
def check_one_more(one_more: Callable) -> str:
    """Exercise 5: attention for one new token, with the keys and values of those before it kept."""
    import torch

    random = torch.Generator().manual_seed(0)
    queries, keys, values = (torch.randn(4, width, generator=random) for width in (5, 5, 3))

    def expected(place: int, scale: float = 5**-0.5):
        return (scale * keys[: place + 1] @ queries[place]).softmax(0) @ values[: place + 1]

    def ask(place: int, cache):
        answer = one_more(queries[place].clone(), keys[place].clone(), values[place].clone(), cache)
        if place == 0:
            tried(answer)
        if not isinstance(answer, tuple | list) or len(answer) != 2:
            raise Wrong(f"Return two things: what is taken, and the grown cache. I got {_plain(answer)}.")
        taken, cache = answer
        if not isinstance(cache, tuple | list) or len(cache) != 2 or not all(map(torch.is_tensor, cache)):
            raise Wrong("The cache you return must be a pair of tensors: all keys so far, and all values so far.")
        return _tensor(taken, 3, what="what the new token takes"), tuple(cache)

    try:
        taken, cache = ask(0, None)
    except (TypeError, AttributeError) as error:
        raise Wrong(f"At the first token there is no cache yet, it is None, and your code stopped: {error}.") from None
    if not _like(taken, values[0]):
        raise Wrong("The first token sees itself alone, so it takes its own value, all of it.")
    if _like(cache[0], values[:1]):
        raise Wrong("Your cache holds the values first. The keys come first, as they came in.")
    if [list(part.shape) for part in cache] != [[1, 5], [1, 3]]:
        got = [list(part.shape) for part in cache]
        raise Wrong(f"After one token the cache holds a row of each, shapes [1, 5] and [1, 3]; I got {got}.")
    for place in range(1, 4):
        before = tuple(part.clone() for part in cache)
        given = cache
        taken, cache = ask(place, given)
        if not all(map(torch.equal, given, before)):
            raise Wrong(
                "You changed the cache you were given. Make a new one: somebody may try another word from there."
            )
        if _like(taken, values[place]):
            raise Wrong("The new token sees only itself. Put its key and value to those of the cache, then look.")
        if _like(taken, (5**-0.5 * before[0] @ queries[place]).softmax(0) @ before[1]):
            raise Wrong("The new token does not see itself: add its key and value to the cache before you look.")
        if _like(taken, expected(place, 1.0)):
            raise Wrong("You forgot √d: divide the scores by the square root of the query's length.")
        if _like(taken, expected(place, 1 / 5)):
            raise Wrong("You divided by d itself: its square root is enough.")
        if [len(part) for part in cache] == [place] * 2:
            raise Wrong("The cache did not grow: return it with the new key and value in it.")
        if _like(cache[0], torch.cat([keys[place : place + 1], before[0]])):
            raise Wrong(
                "The new key stands before the old ones. Add it at the end: the order is the order of the text."
            )
        if not _like(cache[0], keys[: place + 1]) or not _like(cache[1], values[: place + 1]):
            raise Wrong(
                f"After {place + 1} tokens the cache should hold their keys and values, in the order they came."
            )
        if not _like(taken, expected(place)):
            raise Wrong(f"Token {place + 1} should take {_plain(expected(place))} and takes {_plain(taken)}.")
    return "One token, one step, the same result as reading everything again. This is how chatbots answer fast."
