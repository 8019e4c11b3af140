"""Wrong answers to notebook 16's row of words and codes: each is one mistake, with words of the message it must hear."""

import torch


# --- caption_first ---------------------------------------------------------------------------------------------------------
def rows(tokenizer, captions, codes, shift=None, order="cwmpe", first=False):
    """The right rows, but for the shift of the codes, the order of the parts, or one caption for all."""
    shift, found = tokenizer.first_code if shift is None else shift, []
    for caption, numbers in zip(captions, codes.tolist()):
        parts = {
            "c": [tokenizer.caption],
            "w": tokenizer.encode(captions[0] if first else caption),
            "m": [tokenizer.media],
            "p": [shift + number for number in numbers],
            "e": [tokenizer.end],
        }
        found.append([number for part in order for number in parts[part]])
    return torch.tensor(found)


def not_shifted(tokenizer, captions, codes):
    return rows(tokenizer, captions, codes, 0)


def shifted_twice(tokenizer, captions, codes):
    return rows(tokenizer, captions, codes, 2 * tokenizer.first_code)


def marks_forgotten(tokenizer, captions, codes):
    return rows(tokenizer, captions, codes, tokenizer.first_code - 4)


def picture_before(tokenizer, captions, codes):
    return rows(tokenizer, captions, codes, order="mpcwe")


def marks_exchanged(tokenizer, captions, codes):
    return rows(tokenizer, captions, codes, order="mwcpe")


def no_end(tokenizer, captions, codes):
    return rows(tokenizer, captions, codes, order="cwmp")


def no_media(tokenizer, captions, codes):
    return rows(tokenizer, captions, codes, order="cwpe")


def no_caption(tokenizer, captions, codes):
    return rows(tokenizer, captions, codes, order="wmpe")


def no_marks(tokenizer, captions, codes):
    return rows(tokenizer, captions, codes, order="wp")


def one_caption(tokenizer, captions, codes):
    return rows(tokenizer, captions, codes, first=True)


def a_list(tokenizer, captions, codes):
    return rows(tokenizer, captions, codes).tolist()


def with_points(tokenizer, captions, codes):
    return rows(tokenizer, captions, codes).float()


def four_codes(tokenizer, captions, codes):
    return rows(tokenizer, captions, codes[:, :4])


SEQUENCE = {
    not_shifted: "codes are not shifted",
    shifted_twice: "shifted the codes twice",
    marks_forgotten: "The marks have ids, too",
    picture_before: "The picture comes before the caption",
    marks_exchanged: "Your marks are exchanged",
    no_end: "The end is missing",
    no_media: "between words and picture is missing",
    no_caption: "before the words is missing",
    no_marks: "the three marks are not",
    one_caption: "the first caption",
    a_list: "A tensor of rows, please",
    with_points: "Ids are whole numbers",
    four_codes: "don't count on a number of codes",
}
