"""Room 3, training: one loop for every model of the course (built in notebook 02, used from there on)."""

from importlib import import_module

_WHERE = {
    "fit": "loop",
    "History": "history",
    "next_token_loss": "losses",
    "reply_loss": "losses",
    "CarriedState": "losses",
    "mean_loss": "losses",
    "make_optimizer": "optimizers",
}
__all__ = list(_WHERE)


def __getattr__(name):
    if name not in _WHERE:
        raise AttributeError(f"helpers.training has no {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)


def __dir__():
    return sorted(set(globals()) | set(__all__))
