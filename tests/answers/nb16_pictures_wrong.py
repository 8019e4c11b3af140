"""Wrong answers to notebook 16's patches, codes and rows: each is one mistake, with words of the message it must hear."""

import torch


# --- patches ---------------------------------------------------------------------------------------------------------------
def cut(images, size=2, order=(0, 1, 3, 2, 4)):
    number, height, width = images.shape
    grid = images.reshape(number, height // size, size, width // size, size)
    return grid.permute(*order).reshape(number, -1, size * size)


def strips(images, size=2):
    return images.reshape(len(images), -1, size * size)


def down_the_columns(images, size=2):
    return cut(images, size, (0, 3, 1, 2, 4))


def turned_inside(images, size=2):
    return cut(images, size, (0, 1, 3, 4, 2))


def every_second(images, size=2):
    number, height, width = images.shape
    grid = images.reshape(number, size, height // size, size, width // size)
    return grid.permute(0, 2, 4, 1, 3).reshape(number, -1, size * size)


def pixels_to_the_front(images, size=2):
    return cut(images, size, (0, 2, 4, 1, 3))


def height_for_width(images, size=2):
    number, width, height = images.shape
    grid = images.reshape(number, height // size, size, width // size, size)
    return grid.permute(0, 1, 3, 2, 4).reshape(number, -1, size * size)


def always_two(images, size=2):
    return cut(images, 2)


def not_flat(images, size=2):
    number, height, width = images.shape
    return images.reshape(number, height // size, size, width // size, size).transpose(2, 3)


def scaled_in_passing(images, size=2):
    images += 1
    return cut(images, size)


def first_picture_only(images, size=2):
    return cut(images[:1].expand_as(images), size)


PATCHES = {
    strips: "strips of four neighbors",
    down_the_columns: "patches go down the columns",
    turned_inside: "pixels go down the columns",
    every_second: "every second or third pixel",
    pixels_to_the_front: "brings pixels to the front",
    height_for_width: "exchanged height and width",
    always_two: "patches of 3 × 3 pixels",
    not_flat: "patches as rows",
    scaled_in_passing: "You changed what you were given",
    first_picture_only: "numbered 0 to 47",
}


# --- from_patches ----------------------------------------------------------------------------------------------------------
def joined(rows, size=2, width=8, order=(0, 1, 3, 2, 4)):
    grid = rows.reshape(len(rows), -1, width // size, size, size)
    return grid.permute(*order).reshape(len(rows), -1, width)


def only_reshaped(rows, size=2, width=8):
    return rows.reshape(len(rows), -1, width)


def lines_and_columns(rows, size=2, width=8):
    return joined(rows, size, width, (0, 1, 4, 2, 3))


def interleaved(rows, size=2, width=8):
    return joined(rows, size, width, (0, 1, 3, 4, 2))


def columns_of_patches(rows, size=2, width=8):
    grid = rows.reshape(len(rows), width // size, -1, size, size)
    return grid.permute(0, 2, 3, 1, 4).reshape(len(rows), -1, width)


def width_is_height(rows, size=2, width=8):
    high = rows.shape[1] * size * size // width
    return joined(rows, size, high)


def two_again(rows, size=2, width=8):
    return joined(rows, 2, width) if size == 2 else rows.reshape(len(rows), -1, width)


FROM_PATCHES = {
    only_reshaped: "You only reshaped",
    lines_and_columns: "lines and columns are exchanged",
    interleaved: "You interleave the patches",
    columns_of_patches: "patches down the columns",
    width_is_height: "6 high and 4 wide",
    two_again: "Is a 2 left",
}


# --- nearest_code ----------------------------------------------------------------------------------------------------------
def squares(vectors, codes):
    return ((vectors[..., None, :] - codes) ** 2).sum(-1)


def nearest(vectors, codes):
    return squares(vectors, codes).argmin(-1)


def farthest(vectors, codes):
    return squares(vectors, codes).argmax(-1)


def the_distances(vectors, codes):
    return squares(vectors, codes).amin(-1)


def the_codes(vectors, codes):
    return codes[nearest(vectors, codes)]


def nearest_vector(vectors, codes):
    return squares(vectors, codes).argmin(0)


def products(vectors, codes):
    return (vectors @ codes.T).argmax(-1)


def by_cosine(vectors, codes):
    unit = torch.nn.functional.normalize
    return (unit(vectors, dim=-1) @ unit(codes, dim=-1).T).argmax(-1)


def absolute(vectors, codes):
    return (vectors[..., None, :] - codes).abs().sum(-1).argmin(-1)


def largest_difference(vectors, codes):
    return (vectors[..., None, :] - codes).abs().amax(-1).argmin(-1)


def sum_then_square(vectors, codes):
    return ((vectors[..., None, :] - codes).sum(-1) ** 2).argmin(-1)


def one_table_only(vectors, codes):
    return nearest(vectors.reshape(-1, codes.shape[1]), codes)


def as_numbers_with_point(vectors, codes):
    return nearest(vectors, codes).float()


NEAREST = {
    farthest: "farthest code",
    the_distances: "smallest distances",
    the_codes: "returned the codes themselves",
    nearest_vector: "vector nearest to each code",
    products: "largest product",
    by_cosine: "largest cosine",
    absolute: "absolute differences",
    largest_difference: "largest difference alone",
    sum_then_square: "square of the sum",
    one_table_only: "keep the dimensions in front",
    as_numbers_with_point: "int64",
}


# --- kmeans_step -----------------------------------------------------------------------------------------------------------
def step(vectors, codes, center=lambda own, code: own.mean(0), empty=lambda code, vectors: code):
    number = nearest(vectors, codes)
    return torch.stack(
        [
            center(vectors[number == k], code) if (number == k).any() else empty(code, vectors)
            for k, code in enumerate(codes)
        ]
    )


def not_divided(vectors, codes):
    return step(vectors, codes, lambda own, code: own.sum(0))


def nothing_by_nothing(vectors, codes):
    return step(vectors, codes, empty=lambda code, vectors: code * float("nan"))


def back_to_zero(vectors, codes):
    return step(vectors, codes, empty=lambda code, vectors: code * 0)


def to_the_middle(vectors, codes):
    return step(vectors, codes, empty=lambda code, vectors: vectors.mean(0))


def code_counts_too(vectors, codes):
    return step(vectors, codes, lambda own, code: (own.sum(0) + code) / (len(own) + 1))


def halfway(vectors, codes):
    return (codes + step(vectors, codes)) / 2


def medians(vectors, codes):
    return step(vectors, codes, lambda own, code: own.median(0).values)


def nearest_only(vectors, codes):
    return vectors[squares(vectors, codes).argmin(0)]


def stands_still(vectors, codes):
    return codes.clone()


def in_place(vectors, codes):
    codes[:] = step(vectors, codes)
    return codes


def one_after_the_other(vectors, codes):
    moved = codes.clone()
    for k in range(len(codes)):
        own = vectors[nearest(vectors, moved) == k]
        moved[k] = own.mean(0) if len(own) else moved[k]
    return moved


def to_the_end(vectors, codes):
    for _ in range(20):
        codes = step(vectors, codes)
    return codes


KMEANS = {
    not_divided: "You added the vectors",
    nothing_by_nothing: "became 0/0",
    back_to_zero: "yours jumped to 0",
    to_the_middle: "went to the mean of all.",
    code_counts_too: "leave it out of the mean",
    halfway: "You went halfway",
    medians: "That is the median",
    nearest_only: "one vector nearest to it",
    stands_still: "Nothing has moved",
    in_place: "You changed what you were given",
    one_after_the_other: "before any of them moves",
    to_the_end: "until nothing moves",
}
