# One Conversation: `make lab` to learn, `make test` to check everything. Written for GNU make 3.81 and newer (macOS).

VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed
COLAB := .venv-colab
COLAB_STAMP := $(COLAB)/.installed

# PYTHON=… chooses the Python that makes the environment; ARGS=… is handed on to the command behind a target.
PYTHON ?=
ARGS ?=

# The environment's own kernel goes before one the user has, and nothing outside the environment leaks in.
export JUPYTER_PREFER_ENV_PATH := 1
export PYTHONNOUSERSITE := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV

# Loadfile keeps the cells of one notebook together, in one process and in order.
NBVAL := --nbval-current-env --nbval-sanitize-with=tests/notebooks/nbval_sanitize.cfg -n 2 --dist=loadfile
# One thread and no wide vector instructions: the numbers of an older computer.
OTHER_COMPUTER := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 ATEN_CPU_CAPABILITY=default ONEDNN_MAX_CPU_ISA=SSE41 \
	MKL_ENABLE_INSTRUCTIONS=SSE4_2

.PHONY: help setup lab test notebooks student badges checkpoints bench test-portable test-colab clean

help: ## list these targets (the default)
	@echo "One Conversation: what make can do here"
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-22s %s\n", $$1, $$2 }'

setup: $(STAMP) ## make the virtual environment .venv and install the course into it

$(STAMP): pyproject.toml constraints.txt .make/venv.sh .make/install.sh
	@sh .make/venv.sh $(VENV) $(PYTHON)
	@sh .make/install.sh $(VENV)
	@touch $@

lab: $(STAMP) ## open the first notebook in JupyterLab (ARGS="--no-browser --port 8899" is passed on)
	@$(VENV)/bin/jupyter lab $$([ "$$(id -u)" -ne 0 ] || echo --allow-root) notebooks/00_start_here.ipynb $(ARGS)

test: $(STAMP) ## run every check: helpers, answers, format, browser, and all notebooks under strict nbval
	@$(PY) -m pytest notebooks tests --nbval --nbval-cell-timeout=120 $(NBVAL) $(ARGS)

notebooks: badges ## run all notebooks in place and store their outputs (ARGS="--only 01" for one)
	@$(PY) -m tests.notebooks.build $(ARGS)

student: $(STAMP) ## copy the notebooks without solutions and instructor boxes to build/student/
	@$(PY) -m tests.notebooks.student $(ARGS)

badges: $(STAMP) ## write the repository's address and the setup cell into every notebook
	@$(PY) -m tests.notebooks.badges

checkpoints: $(STAMP) ## train the bots again and rewrite the scoreboard
	@if [ -f helpers/chat/zoo.py ]; then $(PY) -m helpers.chat.zoo $(ARGS); \
	else echo "There are no checkpoints yet: the first bot to train comes with notebook 02."; fi

bench: $(STAMP) ## measure the readers' speed and memory (minutes; not part of make test)
	@for file in tests/benchmarks/bench_*.py; do \
		[ -f "$$file" ] || { echo "There are no benchmarks yet."; continue; }; \
		$(PY) "$$file" $(ARGS) || exit 1; done

test-portable: $(STAMP) ## run the notebooks once more, imitating another computer
	@$(OTHER_COMPUTER) $(PY) -m pytest notebooks --nbval --nbval-cell-timeout=600 $(NBVAL) $(ARGS)

test-colab: $(COLAB_STAMP) ## run the notebooks with the versions Colab has, the course installed as Colab does it
	@$(COLAB)/bin/python -m pip install --quiet --no-deps --force-reinstall .
	@COLAB_RELEASE_TAG=imitated $(COLAB)/bin/python -m pytest notebooks --nbval-lax --nbval-cell-timeout=120 $(NBVAL) $(ARGS)

$(COLAB_STAMP): tests/notebooks/colab-constraints.txt .make/venv.sh
	@sh .make/venv.sh $(COLAB) $(PYTHON)
	@$(COLAB)/bin/python -m pip install --quiet -r tests/notebooks/colab-constraints.txt
	@touch $@

clean: ## remove what make made (not the notebooks' outputs)
	rm -rf $(VENV) $(COLAB) build dist .pytest_cache .ruff_cache .hypothesis
	find helpers tests notebooks -name __pycache__ -o -name .ipynb_checkpoints | xargs rm -rf
