"""One training of a bot, as its recipe says: what all recipes of networks share (notebook 02 on)."""

from pathlib import Path


def trained(recipe, model, batches, device, resume: Path, **how) -> tuple:
    """Train ``model`` as ``recipe`` and ``how`` (arguments of ``fit``) say; return it and the seconds it took.

    ``recipe`` has a learning_rate and a weight_decay. Raises ValueError when the training was stopped: then there is
    nothing to save.
    """
    from ..training import fit

    history = fit(
        model.to(device.torch),
        batches,
        learning_rate=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
        resume=resume,
        dtype=device.dtype,
        **how,
    )
    if history.stopped:
        raise ValueError(f"{history.stopped} Nothing was saved; the same command goes on from {resume}.")
    return model, history.seconds
