"""Checks of notebook 16's one sequence: words and codes in one row, with ids of their own."""

from collections.abc import Callable

from helpers.checks import Wrong, exercise
from helpers.checks.compare import call, refuse_known, same, shown, tensor

CHANGED = "You changed what you were given: it is needed again. Compute something new."
WORDS = ("thin", "thick", "left", "right", "one", "two")


class SmallTokenizer:
    """Ten words and marks, then five codes: what ``WordsAndCodes`` offers, with other numbers than the notebook's."""

    pad, end, caption, media, first_code = 9, 0, 7, 8, 10
    first_word, word_ids, code_ids = 1, range(1, 7), range(10, 15)

    def __len__(self) -> int:
        return 15

    def encode(self, text: str) -> list[int]:
        return [1 + WORDS.index(word) for word in text.split()]

    def captions(self, texts):
        import torch

        return torch.tensor([self.encode(text) for text in texts])

    def encode_codes(self, codes):
        return codes + self.first_code

    def decode_codes(self, ids):
        return ids - self.first_code


def row_of(tokenizer, caption: str, codes, shift: int = 10) -> list[int]:
    return [
        tokenizer.caption,
        *tokenizer.encode(caption),
        tokenizer.media,
        *[int(code) + shift for code in codes],
        tokenizer.end,
    ]


@exercise
def check_caption_first(caption_first: Callable) -> str:
    """Build: the mark, the words, the mark, the codes shifted behind the words, the end."""
    import torch

    tokenizer, captions = SmallTokenizer(), ["thick left two", "thin right one"]
    codes = torch.tensor([[4, 0, 0, 2], [1, 3, 2, 0]])
    kept = codes.clone()
    answer = call(lambda codes: caption_first(tokenizer, captions, codes), codes, changed=CHANGED)
    if not codes.equal(kept):
        raise Wrong(CHANGED)
    expected = torch.tensor([row_of(tokenizer, *pair) for pair in zip(captions, codes)])
    if isinstance(answer, list):
        raise Wrong("A tensor of rows, please: torch.tensor(list of rows).")
    _check_length(answer, expected)
    answer = tensor(answer, (2, 10), "ids of one row for each caption, [N, 3 + 4 + 3] for four codes")
    marks = expected[:, [0, 4, 9]]
    words, pictures = expected[:, 1:4], expected[:, 5:9]
    refuse_known(
        answer,
        {
            "Your codes are not shifted: code 0 has the id of a word or a mark. Add tokenizer.first_code.": torch.cat(
                (marks[:, :1], words, marks[:, 1:2], codes, marks[:, 2:]), 1
            ),
            "You shifted the codes twice.": torch.cat(
                (marks[:, :1], words, marks[:, 1:2], pictures + tokenizer.first_code, marks[:, 2:]), 1
            ),
            "You shifted the codes by the number of words. The marks have ids, too: add tokenizer.first_code.": torch.cat(
                (marks[:, :1], words, marks[:, 1:2], codes + len(WORDS), marks[:, 2:]), 1
            ),
            "The picture comes before the caption in yours. Here the caption comes first.": torch.cat(
                (marks[:, 1:2], pictures, marks[:, :1], words, marks[:, 2:]), 1
            ),
            "Your marks are exchanged: tokenizer.caption opens the words, tokenizer.media the picture.": torch.cat(
                (marks[:, 1:2], words, marks[:, :1], pictures, marks[:, 2:]), 1
            ),
            "Every row of yours has the first caption.": torch.cat(
                (expected[:, :5] * 0 + expected[:1, :5], expected[:, 5:]), 1
            ),
            "The words are shifted as well. Only the codes have to make room.": torch.cat(
                (marks[:, :1], words + 10, marks[:, 1:2], pictures, marks[:, 2:]), 1
            ),
        },
    )
    if not same(answer, expected):
        raise Wrong(
            f"For {captions[0]!r} and the codes {codes[0].tolist()}, with first_code = 10, the row is "
            f"{expected[0].tolist()}; yours: {shown(answer[0].int())}."
        )
    if caption_first(tokenizer, captions, codes).dtype != torch.int64:
        raise Wrong("Ids are whole numbers, int64: an embedding takes no others.")
    one = caption_first(tokenizer, captions[:1], torch.tensor([[3, 3, 1, 4, 0, 2]]))
    if not same(one, torch.tensor([row_of(tokenizer, captions[0], [3, 3, 1, 4, 0, 2])])):
        raise Wrong("With six codes the row has twelve ids: don't count on a number of codes.")
    return "One row, one vocabulary: a GPT will not notice where the words end and the picture begins."


def _check_length(answer, expected) -> None:
    import torch

    if not torch.is_tensor(answer) or answer.ndim != 2 or len(answer) != len(expected):
        return
    answer, length = answer.double(), expected.shape[1]
    if answer.shape[1] == length - 1 and same(answer, expected[:, :-1]):
        raise Wrong("The end is missing: close each row with tokenizer.end.")
    without_media = expected[:, [0, 1, 2, 3, 5, 6, 7, 8, 9]]
    if same(answer, without_media):
        raise Wrong("The mark between words and picture is missing: tokenizer.media says that codes follow.")
    if same(answer, expected[:, 1:]):
        raise Wrong("The mark before the words is missing: a row begins with tokenizer.caption.")
    if same(answer, expected[:, [1, 2, 3, 5, 6, 7, 8]]):
        raise Wrong("Words and codes are there, the three marks are not: caption, media, end.")
