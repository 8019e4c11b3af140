"""A GPT-2 with 7,648 random parameters, written by Hugging Face's own package, and the logits it gives: data/tiny_gpt2/.

python -m tests.tiny_gpt2     write the folder again (the package ``transformers`` is needed)

Notebook 06 loads it into the class that learners write, without a network connection. Random weights, but large ones: so
every part of the network can be heard in the logits, and a mistake cannot hide.
"""

from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "data" / "tiny_gpt2"
SIZES = {
    "vocab_size": 50,
    "n_positions": 16,
    "n_embd": 16,
    "n_layer": 2,
    "n_head": 4,
    "bos_token_id": 0,
    "eos_token_id": 0,
}
KEPT = ("config.json", "model.safetensors", "logits.safetensors")


def main() -> None:
    import torch
    from safetensors.torch import save_file
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    model = GPT2LMHeadModel(GPT2Config(**SIZES)).eval()
    for name, parameter in model.named_parameters():
        torch.nn.init.normal_(parameter, mean=1.0 if "ln" in name and "weight" in name else 0.0, std=0.3)
    tokens = torch.randint(SIZES["vocab_size"], (2, SIZES["n_positions"]))
    with torch.no_grad():
        logits = model(tokens).logits
    model.save_pretrained(FOLDER)
    save_file({"tokens": tokens, "logits": logits}, FOLDER / "logits.safetensors")
    for path in FOLDER.iterdir():
        path.chmod(0o644)
        if path.name not in KEPT:
            path.unlink()


if __name__ == "__main__":
    main()
