"""Drawings of what the notebooks build, made from the learner's own model where they can be (built for notebooks 02 to 16).

>>> from helpers.show import drawings
>>> drawings.lstm_cell(2, hidden_size=128)

Every function returns a `Drawing`: a picture and its words. Nothing is loaded before it is used.
"""

from importlib import import_module

_WHERE = {
    "unrolled_rnn": "recurrent",
    "rnn_gradient_path": "recurrent",
    "encoder_decoder": "seq2seq",
    "lstm_cell": "lstm",
    "training_loop": "training",
    "next_token_targets": "training",
    "sampling_pipeline": "sampling",
    "beam_search": "search_tree",
    "kv_cache": "cache",
    "attention_step": "attention",
    "dot_product_attention": "attention",
    "causal_mask": "attention",
    "split_into_heads": "heads",
    "grouped_query_attention": "heads",
    "rotary_positions": "rotary",
    "transformer": "transformer_stacks",
    "gpt": "gpt_stack",
    "gpt_block": "gpt_stack",
    "residual_stream": "gpt_stack",
    "bpe_tree": "bpe",
    "tokenizer_pipeline": "tokenizing",
    "chat_template": "tuning",
    "lora": "tuning",
    "transfer": "tuning",
    "gan_loop": "adversarial",
    "cycle_consistency": "adversarial",
    "sampled_token": "through_tokens",
    "dialogue_game": "through_tokens",
    "reward_model": "preferences",
    "best_of_n": "preferences",
    "rlhf_loop": "preferences",
    "rlhf_and_dpo": "preferences",
    "logit_lens": "inside",
    "head_ablation": "inside",
    "activation_patching": "inside",
    "induction_head": "inside",
    "sparse_autoencoder": "inside",
    "hotflip": "attacks",
    "gradient_step": "attacks",
    "adversarial_training": "attacks",
    "filter_walls": "attacks",
    "quantization": "compressing",
    "two_in_a_byte": "compressing",
    "gptq": "compressing",
    "pruning_masks": "compressing",
    "distillation": "faster",
    "speculative_decoding": "faster",
    "ring_all_reduce": "workers",
    "data_parallel": "workers",
    "sharding": "cut_models",
    "tensor_parallel": "cut_models",
    "pipeline_schedule": "pipelines",
    "restart_timeline": "pipelines",
    "scatter_gather": "pipelines",
    "batching_schedule": "batching",
    "batch_schedules": "batching",
    "left_padding": "batching",
    "request_path": "traffic",
    "sse_on_the_wire": "traffic",
    "graceful_stop": "traffic",
    "token_bucket": "measuring",
    "histogram_quantile": "measuring",
    "tug_of_war": "arena",
    "comparison_graph": "arena",
    "mm_step": "arena",
    "arena_round": "voting",
    "bootstrap_by_prompt": "voting",
    "style_control": "voting",
    "likelihood_judge": "voting",
    "patches": "multimodal",
    "codebook": "multimodal",
    "one_sequence": "sequences",
    "one_gpt": "sequences",
    "guidance": "guiding",
    "two_towers": "guiding",
    "bayes_reading": "guiding",
    "source_filter": "sound",
}
__all__ = list(_WHERE)


def __getattr__(name):
    if name not in _WHERE:
        raise AttributeError(f"helpers.show.drawings has no {name!r}; it has {', '.join(__all__)}")
    value = getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted(set(globals()) | set(__all__))
