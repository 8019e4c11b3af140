"""Checks of notebook 16's pictures: cut into patches and put together again, the nearest code, a step of k-means."""

from collections.abc import Callable

from helpers.checks import Wrong, exercise
from helpers.checks.compare import call, difference, refuse_known, same, shown, tensor

CHANGED = "You changed what you were given: it is needed again. Compute something new."


@exercise
def check_patches(patches: Callable) -> str:
    """Build: pictures as rows of patches, both in reading order."""
    import torch

    images = torch.arange(48.0).reshape(2, 4, 6)  # wider than high: rows and columns cannot be mixed up
    grid = images.reshape(2, 2, 2, 3, 2)  # N, rows of patches, rows in a patch, columns of patches, columns in a patch
    expected = grid.permute(0, 1, 3, 2, 4).reshape(2, 6, 4)
    answer = tensor(call(patches, images, 2, changed=CHANGED), (2, 6, 4), "patches as rows, [N, H·W/size², size²]")
    refuse_known(
        answer,
        {
            "These are strips of four neighbors in one line: a reshape alone never moves a number. A patch has two lines: "
            "split H and W, permute, then reshape.": images.reshape(2, 6, 4),
            "Your patches go down the columns. Reading order: along the first row of patches, then the next.": grid.permute(
                0, 3, 1, 2, 4
            ).reshape(2, 6, 4),
            "Inside of a patch your pixels go down the columns: line by line, please.": grid.permute(
                0, 1, 3, 4, 2
            ).reshape(2, 6, 4),
            "Your patches take every second or third pixel. The patch number comes first when you split, then the pixel in "
            "it: [H/size, size].": images.reshape(2, 2, 2, 2, 3).permute(0, 2, 4, 1, 3).reshape(2, 6, 4),
            "Your permute brings pixels to the front. The two patch dimensions come first, the two of the pixel last.": (
                grid.permute(0, 2, 4, 1, 3).reshape(2, 6, 4)
            ),
            "You exchanged height and width: images are [N, H, W].": (
                images.reshape(2, 3, 2, 2, 2).permute(0, 1, 3, 2, 4).reshape(2, 6, 4)
            ),
        },
    )
    if not same(answer, expected):
        raise Wrong(f"For 4 × 6 pixels, numbered 0 to 47 in reading order, yours has {difference(answer, expected)}.")
    images = torch.arange(72.0).reshape(2, 6, 6)
    expected = images.reshape(2, 2, 3, 2, 3).permute(0, 1, 3, 2, 4).reshape(2, 4, 9)
    answer = tensor(patches(images, 3), (2, 4, 9), "patches of 3 × 3 pixels")
    if not same(answer, expected):
        raise Wrong(f"With size=3 yours has {difference(answer, expected)}. Is a 2 left in your code?")
    images = torch.zeros(1, 8, 8)
    tensor(patches(images), (1, 16, 4), "16 patches of 2 × 2 when size is left out")
    return "Every pixel is in exactly one patch, and a row of patches reads like a row of words."


@exercise
def check_from_patches(from_patches: Callable) -> str:
    """Build: the pictures that rows of patches make."""
    import torch

    images = torch.arange(48.0).reshape(2, 4, 6)
    rows = images.reshape(2, 2, 2, 3, 2).permute(0, 1, 3, 2, 4).reshape(2, 6, 4)
    answer = call(from_patches, rows, 2, 6, changed=CHANGED)
    if torch.is_tensor(answer) and tuple(answer.shape) == (2, 6, 4):
        raise Wrong("Your picture is 6 high and 4 wide; `width` is 6. The height follows: all pixels / width.")
    answer = tensor(answer, (2, 4, 6), "pictures [N, H, W]")
    split = rows.reshape(2, 2, 3, 2, 2)  # N, rows of patches, columns of patches, rows in a patch, columns in a patch
    refuse_known(
        answer,
        {
            "You only reshaped. The second number of a patch is beside its first, its third is one line below: permute "
            "before the last reshape.": rows.reshape(2, 4, 6),
            "You put the patches down the columns. They come in reading order: along the first row of patches.": rows.reshape(
                2, 3, 2, 2, 2
            )
            .permute(0, 2, 3, 1, 4)
            .reshape(2, 4, 6),
            "Inside of a patch lines and columns are exchanged.": split.permute(0, 1, 4, 2, 3).reshape(2, 4, 6),
            "You interleave the patches: neighbors in a row come from different ones. The pixels in one row of a patch stay "
            "together: the patch's index comes before the pixel's.": split.permute(0, 1, 3, 4, 2).reshape(
                2, 4, 6
            ),
        },
    )
    if not same(answer, images):
        raise Wrong(
            f"For a picture of 4 × 6 pixels, numbered in reading order, yours has {difference(answer, images)}."
        )
    images = torch.arange(72.0).reshape(2, 6, 6)
    rows = images.reshape(2, 2, 3, 2, 3).permute(0, 1, 3, 2, 4).reshape(2, 4, 9)
    answer = tensor(from_patches(rows, 3, 6), (2, 6, 6), "pictures of 6 × 6 pixels from patches of 3 × 3")
    if not same(answer, images):
        raise Wrong(f"With size=3 yours has {difference(answer, images)}. Is a 2 left in your code?")
    tensor(from_patches(torch.zeros(3, 16, 4)), (3, 8, 8), "8 × 8 pixels when size and width are left out")
    return "Cut and put together again, a picture is what it was."


@exercise
def check_nearest_code(nearest_code: Callable) -> str:
    """Build: for each vector the number of the code with the smallest squared distance."""
    import torch

    codes = torch.tensor([[0.0, 0.0], [4.0, 4.0], [0.0, 3.0], [1.6, 1.6], [5.0, 0.0]])
    vectors = torch.tensor([[0.1, 0.2], [1.0, 2.9], [3.2, 0.0], [0.0, 2.2], [9.0, 9.0], [3.1, 0.4]])
    squares = ((vectors[:, None] - codes) ** 2).sum(-1)  # [6, 5]
    answer = call(nearest_code, vectors, codes, changed=CHANGED)
    if torch.is_tensor(answer) and tuple(answer.shape) == (5,):
        raise Wrong("You found the vector nearest to each code. It is the other way around: argmin over the codes.")
    if torch.is_tensor(answer) and same(answer, codes[squares.argmin(-1)]):
        raise Wrong("You returned the codes themselves. Their numbers are asked for: a picture becomes whole numbers.")
    answer = tensor(answer, (6,), "the number of a code for each of 6 vectors")
    refuse_known(
        answer,
        {
            "That is the farthest code: argmin, not argmax.": squares.argmax(-1),
            "You returned the smallest distances. The number of the code is asked for: argmin.": squares.amin(-1),
            "You returned the smallest distances. The number of the code is asked for: argmin, please.": squares.amin(
                -1
            ).sqrt(),
            "You took the largest product. A long code wins then: a distance is wanted, |v − c|².": (
                vectors @ codes.T
            ).argmax(-1),
            "You took the largest cosine. Patches of one pattern but different ink are not the same: |v − c|².": (
                torch.nn.functional.normalize(vectors, dim=-1) @ torch.nn.functional.normalize(codes, dim=-1).T
            ).argmax(-1),
            "You added absolute differences. Squares, please: they fit the mean that comes next.": (
                (vectors[:, None] - codes).abs().sum(-1).argmin(-1)
            ),
            "You took the largest difference alone. Sum the squares of all of them.": (
                (vectors[:, None] - codes).abs().amax(-1).argmin(-1)
            ),
            "You took the square of the sum. It is the sum of the squares, over the last dimension.": (
                (vectors[:, None] - codes).sum(-1) ** 2
            ).argmin(-1),
        },
    )
    if not same(answer, squares.argmin(-1)):
        raise Wrong(f"For my six vectors yours has {difference(answer, squares.argmin(-1))}.")
    if nearest_code(vectors, codes).dtype != torch.int64:
        raise Wrong("The numbers should be integers: int64, as argmin gives them.")
    again = nearest_code(vectors.reshape(2, 3, 2), codes)
    if not same(again, squares.argmin(-1).reshape(2, 3)):
        raise Wrong(
            "Pictures are vectors of shape [N, 16, D] and need codes of shape [N, 16]: keep the dimensions in front."
        )
    return "A patch of gray values has become one whole number."


@exercise
def check_kmeans_step(kmeans_step: Callable) -> str:
    """Build: every code moves to the mean of the vectors that are nearest to it."""
    import torch

    vectors = torch.tensor([[0.0, 0.0], [2.0, 0.0], [1.0, 3.0], [10.0, 10.0], [12.0, 14.0], [6.1, 6.1]])
    codes = torch.tensor([[1.0, 0.0], [11.0, 11.0], [-50.0, 7.0]])
    answer = call(kmeans_step, vectors, codes, changed=CHANGED)
    if torch.is_tensor(answer) and answer.shape == codes.shape and not torch.isfinite(answer).all():
        raise Wrong(
            "The third code is nearest to no vector, and yours became 0/0. A code without vectors keeps its position."
        )
    answer = tensor(answer, (3, 2), "as many codes as before")
    nearest = torch.tensor([0, 0, 0, 1, 1, 1])
    means = torch.stack([vectors[nearest == 0].mean(0), vectors[nearest == 1].mean(0)])
    expected = torch.cat((means, codes[2:]))
    sums = torch.stack([vectors[nearest == 0].sum(0), vectors[nearest == 1].sum(0)])
    known = {
        "You added the vectors. Divide by how many there are.": torch.cat((sums, codes[2:])),
        "You added the vectors. Divide by how many there are: a mean.": torch.cat((sums, torch.zeros(1, 2))),
        "A code that is nearest to no vector keeps its position; yours jumped to 0.": torch.cat(
            (means, torch.zeros(1, 2))
        ),
        "A code that is nearest to no vector keeps its position; yours went to the mean of all.": torch.cat(
            (means, vectors.mean(0, keepdim=True))
        ),
        "The code itself is not one of its vectors: leave it out of the mean.": torch.cat(
            ((sums + codes[:2]) / 4, codes[2:])
        ),
        "You went halfway. A step of k-means puts the code onto the mean.": (expected + codes) / 2,
        "That is the median. The mean, please: it has the smallest sum of squares.": torch.stack(
            [vectors[:3].median(0).values, vectors[3:].median(0).values, codes[2]]
        ),
        "Each of your codes went to the one vector nearest to it. It goes to the mean of all that are nearest to it.": vectors[
            ((vectors[:, None] - codes) ** 2).sum(-1).argmin(0)
        ],
        "Nothing has moved. Each code goes to the mean of its vectors.": codes,
    }
    refuse_known(answer, known)
    if not same(answer, expected):
        raise Wrong(f"For my six vectors and three codes yours has {difference(answer, expected)}.")
    row, start = torch.tensor([[0.0], [1.0], [2.2], [8.0]]), torch.tensor([[0.0], [4.0]])
    answer = tensor(kmeans_step(row, start), (2, 1), "as many codes as before")
    if same(answer, torch.tensor([[3.2 / 3], [8.0]])):
        raise Wrong("Yours repeats the step until nothing moves. One step, please: the loop comes in the next cell.")
    if not same(answer, torch.tensor([[0.5], [5.1]])):
        raise Wrong(
            f"For the vectors 0, 1, 2.2, 8 and the codes 0 and 4 the step gives 0.5 and 5.1, yours "
            f"{shown(answer.flatten())}. Look for the nearest codes once, before any of them moves."
        )
    return "One step of k-means: assign, then average."
