"""The setup cell, the same in every notebook. `make badges` stamps it, with the repository's address, from here."""

# It can be run again after any failure: pip clones into a folder of its own and removes it, so none is left half done; pip
# works in "/", so that no folder of the learner's is in the way; and only what pip has finished installing counts as there.
TEMPLATE = """\
import subprocess
import sys
from importlib.metadata import distributions

packages = ["one-conversation", "chitchat-dataset", "zstandard"]
if "google.colab" in sys.modules and not all(any(distributions(name=name)) for name in packages):  # only on Colab
    packages[0] = "git+{address}"
    if subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--no-deps", *packages], cwd="/").returncode:
        raise RuntimeError(f"{{packages[0]}} cannot be installed. Is it the right address? Are you online? Try again.")

from helpers import runtime
device = runtime.start(seed=0)"""


def source(address: str) -> str:
    """Return the setup cell's code for a repository's address."""
    return TEMPLATE.format(address=address)
