"""Sentences about what was given and what was read: clear about the cure, and short, however much there is to list."""

from collections.abc import Iterable
from numbers import Integral


def first_few(parts: Iterable[str], separator: str = ", ", room: int = 600) -> str:
    """Join the parts that ``room`` characters can hold; "and 497 more" stands for the others, "…" for the end of a long one."""
    parts, shown = list(parts), []
    for part in parts:
        if room < min(len(part), 60):
            return separator.join([*shown, f"and {len(parts) - len(shown):,} more"])
        shown.append(part if len(part) <= room else part[: room - 1] + "…")
        room -= len(shown[-1]) + len(separator)
    return separator.join(shown)


def whole_numbers(least: int | None = 1, **sizes) -> tuple[int, ...]:
    """Return the sizes as ints (numpy's are taken, too). Raises ValueError, with the name, for one that makes no sense."""
    for name, size in sizes.items():
        if not isinstance(size, Integral) or least is not None and size < least:
            raise ValueError(f"{name} is {size}: give a whole number" + ("" if least is None else f", {least} or more"))
    return tuple(int(size) for size in sizes.values())
