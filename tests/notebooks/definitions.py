"""What the notebooks define, and the helper that does the same: prose and package cannot drift apart.

`TABLE` lists every function and class that a notebook defines outside exercises. Where the package has its twin, the
entry names it and a test compares the two; where not, the entry says why the definition belongs to that page alone.
"""

import ast
import importlib
import symtable
from pathlib import Path

from tests.notebooks import books
from tests.notebooks.rules import bound

# {number of the notebook: {name: "helpers.room.module.name", or a reason without dots of a module}}
TABLE: dict[str, dict[str, str]] = {
    "00": {
        "surprise": "the explorable of this page: draws the notebook's own letter counts",
    },
    "01": {
        "print_tree": "prints the learner's tree: the package's Thread walks without recursion",
        "my_clean": "the package's rules with the learner's among them; test_nb01_helpers holds that rule against the package's",
        "after_rules": "the explorable of this page: draws the rules that the page has put together",
        "kept_tree": "made of what the learner writes; the page itself holds its conversations against the package's",
        "pairs_in": "made of what the learner writes: pairs of the learner's tree",
        "conversations_in": "made of what the learner writes; the page itself holds it against the package's conversations",
        "words_of": "a one-line tokenizer for counting; notebook 05 builds real ones",
        "surprise": "the explorable of this page: draws the notebook's own word counts",
        "exchanges_of": "pairs a conversation's turns for the parrot, which lives on this page only",
        "Parrot": "a bot without a model, built and left behind on this page",
        "flat": "joins the exchanges of several conversations, for the measurement of this page",
        "shuffled_cut": "what not to do: the package splits by a hash instead",
        "percent_leaked": "the measurement of this page: the package closes the leak instead",
    },
    "02": {
        "RNNCell": "helpers.models.rnn.RNNCell",
        "generate": "the loop around the learner's sampler, to be read; the page itself holds it against the package's",
        "CharModel": "the smallest model around a learner's cell: the package's CharRNN uses torch's fused layers",
        "adamw": "the optimizer of this page's training runs, in one line",
        "character_model": "one of this page's small models, always from the same seed",
        "trained": "one of this page's short training runs: the learner's loop and a measurement",
        "random_rows": "random characters, for this page's measurement of gradients",
        "three_seeds": "the measurement of this page: gradients of three small models",
        "per_step": "the measurement of this page: by which factor a gradient shrinks per step",
        "kind_of": "the measurement of this page: what a token is, by its position in its word",
        "CellStateOnly": "what this page takes away: the learner's cell without the gradient through h",
        "name_bits": "the measurement of this page: what a name costs after another",
        "bits_with_context": "the measurement of this page: the same tokens after more and less of their context",
        "equal_distance_score": "the control of this page: AUC over positions equally far into their sentence",
        "last_eight": "the control of this page: what the nearest characters say about a label",
        "descend": "what this page takes away: clipping, in the learner's own loop",
    },
    "03": {
        "GRUCell": "one step, to be read; test_nb03_helpers holds it against torch.nn.GRUCell, which the package uses",
        "attend": "attention over four words, with numbers to read: the build cell does it with tensors",
        "Attentive": "puts the learner's attention and step into Seq2Seq; test_nb03_helpers holds it against Seq2Seq",
        "encode": "the encoder without padding, to be read; test_nb03_helpers holds it against Seq2Seq",
        "letters_of": "reads this page's stored runs",
        "UniformAttention": "what this page breaks: attention with equal weights",
        "SameContext": "what this page breaks: attention that hands over the same for every message",
        "effective_tokens": "the measurement of this page: e to the power of the entropy of attention weights",
        "question": "what this page's beam search asks: the package's NextToken with this page's rules",
        "log_p": "the measurement of this page: the package's reply_log_probabilities for lists of tokens",
        "log_p_anywhere": "the measurement of this page: log p(reply) over a few contexts",
    },
    "04": {
        "can_change": "the measurement of this page: how much a softmax over random scores can still change",
        "spread_at_start": "the measurement of this page: how large scores are with one initial weight or another",
        "output_for": "three words that attend to each other, to see that their order is invisible",
        "sinusoidal_positions": "helpers.models.attention.sinusoidal_positions",
        "Neighbors": "a toy of this page: one layer that must attend to two positions",
        "letters_and_neighbors": "the data of that toy",
        "trained_neighbors": "the training of that toy, written out",
        "NextLetter": "a toy of this page: one layer, to be trained with a right and a wrong mask",
        "sees_the_future": "the mask test on that toy: the package's tests do the same to every model",
        "trained_on_random_letters": "the training of that toy, written out",
        "OurTransformer": "made of what the learner writes; the page itself holds it against the package's Transformer",
        "train_reversed": "the training of this page's toy, the same for all that this page breaks",
        "from_fixed_positions": "the measurement of that toy: what it does with words longer and shorter than it knows",
        "WithoutPositions": "what this page breaks: a Transformer that does not know where a token stands",
        "WithoutResidual": "what this page breaks: a layer that replaces instead of adding",
        "summary": "writes the mean and standard deviation over the seeds of this page's table",
        "seconds_per_step": "the stopwatch of this page",
        "seconds_of_attention": "the stopwatch of this page, for attention alone",
        "token_bits": "the measurement of this page: bits by position in a reply",
    },
    "05": {
        "learn_merges": "made of what the learner writes; the page itself holds it against the library",
        "bits_on": "the measurement of this page: the learner's bits_per_byte on conversations",
        "counts": "the measurement of this page: the tokens of a word without their order",
        "learned_weights": "the simplest learner that counts letters, for this page's measurement",
        "percent_right": "the measurement of this page: how well that learner counts",
    },
    "06": {
        "first_change": "the measurement of this page: the package's own test of causality lies in tests/models",
        "unmasked": "what a proof of this page breaks: attention that sees the future",
        "rotate_pair": "one pair, with numbers to read: exercise 1 and the package's rotate turn all pairs",
        "product": "what the pair of this page gives, to see that only the distance counts",
        "write": "the loop of a sampler, to be read; the page itself holds it against the package's generate",
        "gradients": "the measurement of this page: fit accumulates",
        "multiplications": "counts what this page's cache saves",
        "interval": "writes the ends of an interval in this page's tables",
        "bits_saved": "a lookup in the table that this page reads",
        "loss_after": "the measurement of this page: the loss on tokens after the same ones, and after others",
        "saved_by_hearing": "the measurement of this page: does a name said before get likelier?",
        "without": "what this page breaks: a GPT that does not know the order",
        "windowed": "what this page breaks: a model that sees little of the past",
    },
    "07": {
        "texting": "helpers.corpus.texting_style.texting",
        "bits": "the measurement of this page: the new style and the old text",
        "reply_loss": "the learner's masked_cross_entropy of a batch, for fit",
        "changes": "what this page's stored runs gained and lost",
        "stopped": "the row of a stored run that the learner's early_stopping keeps",
        "measure": "the live measurement of this page, every eight steps",
        "Ensemble": "averages probabilities, to be read; test_nb07_helpers holds it against the mean",
        "accuracies": "a table of this page's stored classifiers",
        "reply_costs": "what this page breaks: replies after a history that is written down wrongly",
        "turns": "writes a history down with any names, right and wrong ones",
        "as_a_play": "what this page breaks: a history with its names written out",
    },
    "08": {
        "D": "the discriminator of one number, to be read",
        "slopes": "the measurement of this page: what is left of two losses' slopes when D is sure",
        "measures": "writes what modes_covered counts for this page's tables",
        "train": "the loop around the learner's step; test_nb08_helpers holds it against fit_gan",
        "reached": "says in words what modes_covered counts, for this page's replay",
        "train_translators": "the loop around the learner's losses; test_nb08_helpers holds it against fit_translators",
        "gradients": "the measurement of this page: one gradient per sample, for each estimator",
        "by_straight_through": "one of this page's estimators: the learner's straight_through, one gradient per sample",
        "verdict_of": "writes the package's verdict of a run into this page's table",
        "by_reinforce": "one of this page's estimators: the learner's reinforce_loss, one gradient per sample",
        "ReplyGenerator": "made of the learner's straight_through; test_nb08_text_helpers holds it against the package's",
        "MessageReplyDiscriminator": "to be read; test_nb08_text_helpers holds it against the package's",
        "train_small": "one of this page's short training runs: the learner's step, or the package's likelihood_step",
        "update": "one clipped step, to be read; the page itself holds the game against train_adversarially",
        "game_step": "made of what the learner writes; the page itself holds it against train_adversarially",
        "QuestionDiscriminator": "the discriminator with a known preference, which lives on this page only",
        "play": "one of this page's games; the page itself holds it against train_adversarially",
        "mean_and_sd": "writes the numbers of several seeds for this page's tables",
        "old_difference": "the measurement of this page: two curves at equal Self-BLEU",
        "pairings": "the measurement of this page: all pairs of seeds of two stored runs",
    },
    "09": {
        "correct": "the measurement of this page, pair by pair; test_nb09_helpers holds its mean against the package's accuracy",
        "with_interval": "writes a mean and the learner's interval for this page's tables",
        "right": "the measurement of this page: on features; the package's accuracy asks about turns",
        "pair_of": "writes a sentence of this page as a reward model reads it",
        "reward_of": "the explorable of this page: the reward model's score of a sentence",
        "RLHF": "made of what the learner writes; the page itself holds its loss and gradient against PolicyGradient",
        "trained": "a short run of this page: fit with the learner's loss",
        "with_deviation": "writes the mean and standard deviation of several seeds for this page's tables",
        "rlhf_exact": "three replies, with numbers to read: the policy gradient without sampling",
        "dpo_exact": "three replies, with numbers to read: the learner's DPO loss on all pairs",
        "dpo_step": "made of what the learner writes: its two functions as a loss for fit, with a record",
    },
    "10": {
        "difference": "the measurement of this page: helpers.interpretability.patching.logit_difference for he and she",
        "topic": "the measurement of this page: the same for movies and music",
        "differences": "the measurement of this page, for all its pairs",
        "attention_to_the_word": "reads this page's pairs: how much each head attends to what differs",
        "rows_of": "cuts this page's texts with the package's stream and inputs_and_targets",
        "losses_of": "the loss of every target under hooks, to be read; test_nb10_helpers holds it against the package's losses",
        "gap": "the measurement of this page: a mean over its pairs",
        "restored": "made of the learner's patch_hook; test_nb10_helpers holds it against the package's restored",
        "restored_by_heads": "the same for all heads and pairs",
        "parts_at_the_end": "made of the learner's head_outputs; test_nb10_helpers holds it against the package's stream_parts",
        "token_ids": "the groups of words of this page's table",
        "damage_of": "the measurement of this page, with the learner's ablate_head",
        "apart": "the measurement of this page: two answers after more and more turns",
        "labels_of": "the two tasks of this page's probes",
        "replies_with": "the bot of this page, steered by the learner's steer_hook",
        "last_person": "the sentence of this page, as a rule",
        "scores_of": "the measurement of this page, with the learner's induction_score",
        "grow": "the training of this page: fit, watched and logged",
    },
    "11": {
        "cost_of": "the measurement of this page: the package's cost, of one change in all contexts of this page",
        "accuracy_under": "the measurement of this page: with the learner's attack, the package's under_attack with its own",
        "at_random": "the control of this page: the package's random_flips for one text",
        "accuracy_after": "the measurement of this page: for a step that the learner's code has computed",
        "adversarial_loss": "made of what the learner writes: gradient, step and loss as a loss for train_classifier",
    },
    "12": {
        "bits_of": "the measurement of this page: its conversations, with the package's token_nats",
        "cost": "the measurement of this page: a difference in bits per byte, and its standard error",
        "rounded": "made of the learner's quantize; test_nb12_helpers holds it against the package's quantized",
        "mixed": "the measurement of this page: some matrices by row, the others by tensor",
        "seconds": "the measurement of this page: processor time of a call",
        "gptq_blocks": "made of the learner's gptq; test_nb12_helpers holds it against the package's gptq_model",
        "taught_by_teacher": "made of the learner's distillation_loss; test_nb12_helpers holds it against Distillation",
        "speculate": "made of the learner's accept; the page itself holds its tokens against generate",
    },
    "13": {
        "both": "shows what the package's all_gather and reduce_scatter do with two numbers",
        "sum_and_sent": "what a worker of this page runs: the learner's ring, and a count",
        "new_model": "this page's small GPT, always from the same seed",
        "as_one": "the measurement of this page: the rows of several batches as one",
        "gradient_of_team": "what a worker of this page runs: the learner's gradient as one vector",
        "Even": "the control of this page: the same batches with equally many targets",
        "steps_of": "what a worker of this page runs: some steps, right or wrong",
        "weights_after": "the measurement of this page: the workers' weights after some steps",
        "broken_step": "what not to do: three silent mistakes in one step, for the learner to mend",
        "reply_loss_after": "the measurement of this page: nats on other conversations",
        "twenty_steps": "what a process of this page runs: the learner's step, held against fit",
        "learn": "what a worker of this page runs: the learner's sharded step",
        "idle": "the measurement of this page: empty ticks of the learner's schedule",
        "run_schedule": "carries out the learner's schedule in one process; the page itself holds it against the whole network",
        "train_and_hash": "what a process of this page runs: the learner's training, killed or not",
        "two_hashes": "the measurement of this page: what three new Pythons say",
        "scatter_month": "made of the learner's scatter; the page itself holds its corpus against the package's load",
        "threads_of": "a partition's threads in order; the page itself holds its corpus against the package's load",
        "count_texts": "the first pass; the page itself holds its corpus against the package's load",
        "gather": "the second pass; the page itself holds its corpus against the package's load",
        "corpus_from": "the stages one after the other; the page itself holds its corpus against the package's load",
        "alone": "what not to do: every partition counts from zero",
        "commonest": "the measurement of this page: copies of one text",
        "times_of_a_step": "arithmetic of this page: seconds to compute and to send",
    },
    "14": {
        "whole_answer": "the bot of this page as one of the route's functions",
        "parsed": "feeds this page's pieces to the learner's parser",
        "step_time": "the measurement of this page: how long a step takes with so many rows",
        "first_tokens": "the measurement of this page: the likeliest tokens of a joined cache",
        "keep_rows": "test_nb14_helpers holds it against the package's keep_rows",
        "Generation": "one request of this page, made of the learner's settled; the engine's Ticket does more",
        "Service": "the thread of this page around the learner's batch; the engine does more",
        "Handler": "the web server of this page, on the standard library, around the learner's route",
        "listening": "starts and stops this page's server",
        "post": "the client of this page, around the learner's parser",
        "chat": "a request in this page's words",
        "handle": "what this page's server calls: the learner's route",
        "guarded": "the same, behind the learner's key and limit",
        "while_open": "the same, until the server is told to stop",
        "crowd": "random arrivals and services of this page",
        "letters_compared": "what == does with two texts, to be counted",
        "naive": "the mistake of this page: a template into which a message is pasted",
    },
    "15": {
        "voted": "the vote of this page's program: the higher of two stored scores",
        "regression": "the second opinion of this page: scikit-learn, which the package does not need",
        "by_votes": "the mistake of this page: single votes drawn, as if each came from a prompt of its own",
        "rated": "the learner's three functions, one after the other",
        "rank": "the measurement of this page: how high invented votes have lifted a contestant",
        "controlled": "the learner's design matrix and regression, in Elo; test_nb15_helpers holds them against fit_ratings",
    },
    "16": {
        "kmeans": "made of the learner's kmeans_step; test_nb16_helpers holds it against the package's kmeans",
        "error": "the measurement of this page: how far patches are from their codes",
        "picture_first": "made of the learner's caption_first; test_nb16_helpers holds it against the package's",
        "token_bits": "the measurement of this page: what each position of a row costs",
        "drawn_from": "made of the learner's from_patches; test_nb16_helpers holds it against the package's to_images",
        "over_seeds": "reads this page's stored runs",
        "measured": "the measurement of this page: the learner's paint, read by a machine that never saw a code",
        "painted": "the explorable of this page: draws with the learner's paint",
        "read_digits": "the explorable of this page: the words of the independent reader",
        "towers_after": "one of this page's short training runs, with the learner's loss",
        "features": "the learner's spectrum, without the loudness",
        "named": "the measurement of this page: the vowel that the learner's rows have taught the GPT to name",
        "nats_of": "the measurement of this page: each token of a text, in windows",
        "bits_per_byte": "the measurement of this page: a whole text under a model",
        "tuned_on": "one of this page's short training runs: gpt after 20 steps on a text",
        "surprise": "the explorable of notebook 00 once more, with every bot",
    },
}

# For each entry that names a helper: arguments on which notebook and helper must agree, two at least.
EXAMPLES: dict[tuple[str, str], list[tuple]] = {
    ("02", "RNNCell"): [(3, 5), (4, 2)],
    ("04", "sinusoidal_positions"): [(7, 6), (1, 2)],
    ("07", "texting"): [("I'm fine, and YOU?\n\n...",), ("Are you -- going to LA?",), ("!!",)],
}


# For classes of networks the examples are arguments to build them with. Given those, the shapes to call them with. For
# functions of tensors the examples only give the sizes, of which the shapes are made.
SHAPES = {
    ("02", "RNNCell"): lambda inputs, hidden: [(6, inputs), (6, hidden)],
}


def helper(entry: str):
    """Return the helper an entry of the table names, or None when the entry is a reason.

    Raises AttributeError or ImportError when it names a helper that does not exist.
    """
    if not entry.startswith("helpers."):
        return None
    module, _, name = entry.rpartition(".")
    return getattr(importlib.import_module(module), name)


def global_names(statement: ast.stmt) -> set[str]:
    """Return the names that a statement takes from the notebook: what its functions bind themselves is their own."""
    tables, names = [symtable.symtable(ast.unparse(statement), "notebook", "exec")], set()
    while tables:
        table = tables.pop()
        tables += table.get_children()
        names |= {symbol.get_name() for symbol in table.get_symbols()
                  if symbol.is_global() or table.get_type() == "module" and symbol.is_referenced()}  # fmt: skip
    return names


def lift(notebook: Path, name: str):
    """Return the function or class that a notebook defines as `name`, without running the rest of the notebook.

    Taken out with it is what it needs: imports, constants and other definitions, in the notebook's order. Raises
    KeyError when the notebook does not define it.
    """
    code = [cell.source for cell in books.read(notebook).cells if cell.cell_type == "code"]
    statements = [statement for source in code for statement in ast.parse(source).body]
    binding: dict[str, int] = {}
    for place, statement in enumerate(statements):
        for bound_name in bound(statement):
            binding.setdefault(bound_name, place)
    for place, statement in enumerate(statements):
        # The definition itself counts, not an import or a variable of the same name before it.
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            binding[statement.name] = place
    if name not in binding:
        raise KeyError(f"{notebook.name} does not define {name}")
    needed, waiting = set(), [binding[name]]
    while waiting:
        place = waiting.pop()
        if place not in needed:
            needed.add(place)
            waiting += [binding[other] for other in global_names(statements[place]) if other in binding]
    module = ast.Module([statements[place] for place in sorted(needed)], type_ignores=[])
    names: dict = {"__name__": f"lifted_from_{notebook.stem}"}
    exec(compile(module, str(notebook), "exec"), names)
    return names[name]
