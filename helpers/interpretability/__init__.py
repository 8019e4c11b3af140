"""Room 6, interpretability: what goes on inside a model."""
