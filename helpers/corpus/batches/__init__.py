"""Conversations as tensors, in numbered batches (built from notebook 02 on)."""
