"""Room 3, generation: from scores to replies: one sampler for chat, reinforcement learning and evaluation."""
