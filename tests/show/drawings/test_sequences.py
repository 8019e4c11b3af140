"""One row in two orders: the marks of the package, ids that never meet; one GPT for every kind of token."""

import pytest

from helpers.show.drawings.sequences import MARK_NAMES, one_gpt, one_sequence


def test_the_default_is_recorded(legible):
    assert legible(one_sequence()) == (
        "One row of tokens in two orders. Caption first: <caption> thick upright seven <media>, 16 codes, <end>: from the "
        "caption the GPT learns to paint. Picture first: <media>, the codes, <caption> thick upright seven <end>: from the codes "
        "it learns to read. Words and codes never share an id: words end at 19, and code 40 is id 60."
    )


@pytest.mark.parametrize(
    ("words", "codes"), [(["zero"], [0]), (["left-leaning"] * 4, [63] * 16), (["medium", "a"], [5, 123])]
)
def test_every_length_is_legible(words, codes, legible):
    drawing = one_sequence(words, codes, 90)
    assert f"code {codes[0]} is id {codes[0] + 90}." in legible(drawing)
    assert f"ids 90 and up: code {codes[0]} is id {codes[0] + 90}<" in drawing.svg
    assert drawing.svg.count(f">{codes[0]}<") >= 2 and "…<" not in drawing.svg


def test_the_marks_are_those_of_the_package():
    from helpers.corpus.tokenizers.words_and_codes import SPECIAL

    assert set(MARK_NAMES) <= set(SPECIAL)


@pytest.mark.parametrize(
    "kinds", [("words",), ("words", "pictures"), ("words", "pictures", "sound"), ("sound", "words")]
)
def test_every_kind_of_token_goes_through_one_gpt(kinds, legible):
    drawing = one_gpt(kinds)
    assert legible(drawing).startswith(kinds[0].capitalize())
    assert [drawing.svg.count(f">{kind}<") for kind in ("words", "pictures", "sound")] == [
        int(kind in kinds) for kind in ("words", "pictures", "sound")
    ]


def test_what_cannot_be_drawn_is_said():
    for call, sentence in (
        (lambda: one_sequence(["a"] * 5), "5 words cannot be drawn: give 1 to 4"),
        (lambda: one_sequence(codes=[1] * 17), "17 codes cannot be drawn: give 1 to 16"),
        (lambda: one_sequence(codes=[-1]), "from 0 on"),
        (lambda: one_sequence(n_words=0), "n_words is how many ids"),
        (lambda: one_gpt(()), "no such kind"),
        (lambda: one_gpt(["smell"]), "give some of words, pictures, sound"),
    ):
        with pytest.raises(ValueError, match=sentence):
            call()
