"""The setup cell, the same in every notebook. `make badges` stamps it, with the repository's address, from here."""

TEMPLATE = """\
import importlib.util
import os
import sys

if "google.colab" in sys.modules and not importlib.util.find_spec("helpers"):  # only Colab has to fetch the course
    address = "{address}"
    install = f"{{sys.executable}} -m pip install --quiet --no-deps ./one-conversation chitchat-dataset zstandard"
    if os.system(f"git clone --quiet --depth 1 {{address}} one-conversation && {{install}}") != 0:
        print(f"The course could not be fetched from {{address}}. Is this address right, and are you online?")

from helpers import runtime
device = runtime.start(seed=0)"""


def source(address: str) -> str:
    """Return the setup cell's code for a repository's address."""
    return TEMPLATE.format(address=address)
