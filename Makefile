# One Conversation: `make lab` to learn, `make test` to check everything. Written for GNU make 3.81 and newer (macOS).

VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed
EXTRAS := $(VENV)/.extras
TRUSTED := $(VENV)/.trusted
COLAB := .venv-colab
COLAB_STAMP := $(COLAB)/.installed
BOOK := .venv-book
BOOK_STAMP := $(BOOK)/.installed

# PYTHON=… chooses the Python that makes the environment; ARGS=… is handed on to the command behind a target; DIR=… is the
# folder of submissions that `make mark` marks.
PYTHON ?=
ARGS ?=
DIR ?=

# The environment's own kernel goes before one the user has, and nothing outside the environment leaks in: no settings of
# Jupyter, IPython, matplotlib or pytest made for other work, no start-up files, no Python without `assert`, no repository
# of a git hook. (pip's are left out by .make/pip.py.)
SETTINGS = $(CURDIR)/$(VENV)/etc
test-colab $(COLAB_STAMP): SETTINGS = $(CURDIR)/$(COLAB)/etc
export JUPYTER_PREFER_ENV_PATH := 1
export JUPYTER_CONFIG_DIR = $(SETTINGS)/jupyter
export IPYTHONDIR = $(SETTINGS)/ipython
export MPLCONFIGDIR = $(SETTINGS)/matplotlib
export PYTHONNOUSERSITE := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
unexport PYTHONPATH PYTHONHOME PYTHONSTARTUP PYTHONOPTIMIZE PYTHONWARNINGS PYTHONSAFEPATH PYTHONINSPECT VIRTUAL_ENV
unexport JUPYTER_CONFIG_PATH JUPYTER_PATH JUPYTER_NO_CONFIG JUPYTER_TOKEN JUPYTER_TOKEN_FILE
unexport JUPYTERLAB_DIR JUPYTERLAB_SETTINGS_DIR JUPYTERLAB_WORKSPACES_DIR MATPLOTLIBRC MPLBACKEND
unexport PYTEST_ADDOPTS PYTEST_PLUGINS PYTEST_DISABLE_PLUGIN_AUTOLOAD GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE

# The stamp says where the environment was installed. One that was moved, or lost its Python, is installed again.
ifneq ($(shell test -x $(PY) && cat $(STAMP) 2>/dev/null),$(CURDIR))
.PHONY: $(STAMP)
endif
ifneq ($(shell test -x $(BOOK)/bin/python && cat $(BOOK_STAMP) 2>/dev/null),$(CURDIR))
.PHONY: $(BOOK_STAMP)
endif

# Loadfile keeps the cells of one notebook together, in one process and in order. Files come in the order of their names:
# by their number of tests the slowest, which have few, would come last, and one process would wait for the other.
NBVAL := --nbval-current-env --nbval-sanitize-with=tests/notebooks/nbval_sanitize.cfg -n 2 --dist=loadfile --no-loadscope-reorder
# One notebook after the other in each of two processes; who is done first takes one of the other's.
COPIES := -n 2 --dist=worksteal
# For runs of the notebooks alone, which find no conftest by themselves: it prints the seconds of each.
REPORT := -p tests.conftest
# One thread and no wide vector instructions: the numbers of an older computer.
OTHER_COMPUTER := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 ATEN_CPU_CAPABILITY=default ONEDNN_MAX_CPU_ISA=SSE41 \
	MKL_ENABLE_INSTRUCTIONS=SSE4_2

.PHONY: help setup extras lab test notebooks student solved book kit test-book mark release-check badges checkpoints bench test-portable test-colab clean

help: ## list these targets (the default)
	@echo "One Conversation: what make can do here"
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{ printf "%-22s %s\n", $$1, $$2 }'

setup: $(STAMP) ## make the virtual environment .venv and install the course into it
	@echo "The course is installed in $(VENV). Next: make lab"

$(STAMP): pyproject.toml constraints.txt .make/venv.sh .make/install.sh .make/pip.py
	@sh .make/venv.sh $(VENV) "$(PYTHON)"
	@sh .make/install.sh $(VENV)
	@pwd -P > $@

# The packages that some notebooks can show and none needs. All that is tested is tested with them, and the student copies without.
extras: $(EXTRAS) ## install what notebooks 10 and 12 to 14 can show and do not need (TensorBoard, ONNX, Dask, FastAPI)

$(EXTRAS): $(STAMP)
	@echo "Installing TensorBoard, ONNX, Dask and FastAPI (a minute)"
	@$(PY) .make/pip.py install --quiet --constraint constraints.txt --editable ".[track,export,cluster,serve]"
	@touch $@

lab: $(TRUSTED) ## open the first notebook in JupyterLab (ARGS="--no-browser --port 8899" is passed on)
	@$(PY) -m jupyterlab --ServerApp.root_dir="$$(pwd)" --LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb $(ARGS) $$([ "$$(id -u)" -ne 0 ] || echo --allow-root)

# Lab shows stored drawings only in notebooks it trusts. The signatures stay inside the environment, as all of Jupyter's data.
# The shell finds what changed, not make: for make a learner's "My notes.ipynb" would be two files.
lab $(TRUSTED): export JUPYTER_DATA_DIR := $(CURDIR)/$(VENV)/share/jupyter
$(TRUSTED): $(STAMP)
	@$(PY) -m nbformat.sign notebooks/[0-9][0-9]_*.ipynb >/dev/null
	@touch $@
ifneq ($(shell find notebooks/[0-9][0-9]_*.ipynb -newer $(TRUSTED) 2>/dev/null),)
.PHONY: $(TRUSTED)
endif

test: $(EXTRAS) ## run every check: helpers, answers, format, browser, and all notebooks under strict nbval
	@$(PY) -m pytest notebooks tests --nbval --nbval-cell-timeout=120 $(NBVAL) $(ARGS)

# Then once more, for what the book moves: so that the seconds measured are those of the notebooks alone.
notebooks: badges $(EXTRAS) ## run all notebooks in place and store their outputs (ARGS="--only 01" for one)
	@$(PY) -m tests.notebooks.build $(ARGS)
	@$(PY) -m tests.book.frames $(ARGS)

student: $(STAMP) ## copies for a class in build/student/ (no solutions, no outputs), run once to see that they work
	@$(PY) -m tests.notebooks.student
	@$(PY) -m pytest tests/notebooks/copies.py -k student $(COPIES) $(ARGS)

# One run for two questions: does the learner's own code carry the notebooks, and do they say the same on another computer?
solved: $(EXTRAS) ## copies with every stub filled in build/solved/, run as another computer would and compared
	@$(PY) -m tests.notebooks.solved
	@$(OTHER_COMPUTER) $(PY) -m pytest tests/notebooks/copies.py -k solved $(COPIES) $(ARGS)

book: $(BOOK_STAMP) ## the course as a website in build/book/, its teacher's edition in build/book/teacher/
	@$(BOOK)/bin/python -m tests.book $(ARGS)

kit: $(BOOK_STAMP) ## the teacher's kit in build/kit/: lesson plans, slides, handouts, wrong answers, syllabi
	@$(BOOK)/bin/python -m tests.kit $(ARGS)

# What is not built under this name is not tested: these files have no name that pytest finds by itself.
test-book: book kit $(STAMP) ## build the book and the kit and check each page and slide, in a browser too
	@$(PY) -m pytest tests/book/checks.py tests/book/browser.py tests/kit/checks.py tests/kit/decks.py -n 2 --dist=worksteal

$(BOOK_STAMP): pyproject.toml constraints.txt .make/venv.sh .make/pip.py .make/extra.py
	@sh .make/venv.sh $(BOOK) "$(PYTHON)"
	@echo "Installing what makes the book into $(BOOK) (less than a minute)"
	@$(BOOK)/bin/python .make/pip.py install --quiet --constraint constraints.txt \
		$$($(BOOK)/bin/python .make/extra.py book)
	@pwd -P > $@

mark: $(STAMP) ## mark the notebooks that learners handed in, all in one folder (DIR=path/to/folder)
	@$(PY) -m tests.marking "$(DIR)" $(ARGS)

release-check: $(EXTRAS) ## what a maintainer looks at before a release, line by line
	@$(PY) -m tests.release $(ARGS)

badges: $(STAMP) ## write the repository's address and the setup cell into every notebook
	@$(PY) -m tests.notebooks.badges

checkpoints: $(EXTRAS) ## train the bots again and rewrite the scoreboard (hours; ARGS="rnn" for one)
	@$(PY) -m helpers bots train $(ARGS)

bench: $(EXTRAS) ## measure speed and memory (minutes; not part of make test)
	@for file in tests/benchmarks/bench_*.py; do \
		[ -f "$$file" ] || { echo "There are no benchmarks yet."; continue; }; \
		$(PY) "$$file" $(ARGS) || exit 1; done

test-portable: $(EXTRAS) ## run the notebooks once more, imitating another computer
	@$(OTHER_COMPUTER) $(PY) -m pytest notebooks --nbval --nbval-cell-timeout=600 $(NBVAL) $(REPORT) $(ARGS)

test-colab: $(COLAB_STAMP) ## run the notebooks with the versions Colab has, the course installed as Colab does it
	@$(COLAB)/bin/python .make/pip.py install --quiet --no-deps --no-build-isolation --force-reinstall .
	@$(COLAB)/bin/python -m pytest notebooks --nbval-lax --nbval-cell-timeout=120 $(NBVAL) $(REPORT) $(ARGS)

$(COLAB_STAMP): tests/notebooks/colab-constraints.txt .make/venv.sh .make/pip.py
	@sh .make/venv.sh $(COLAB) "$(PYTHON)"
	@echo "Installing what Colab has into $(COLAB) (about two minutes the first time)"
	@$(COLAB)/bin/python .make/pip.py install --quiet --requirement tests/notebooks/colab-constraints.txt
	@touch $@

clean: ## remove what make made (not the notebooks' outputs, not an unfinished training in build/training)
	@for folder in $(VENV) $(COLAB) $(BOOK); do \
		if [ -f "$$folder/pyvenv.cfg" ]; then rm -rf "$$folder"; fi; done
	@[ -L build ] || rm -rf build/student build/solved build/book build/kit
	rm -rf .pytest_cache .ruff_cache .hypothesis
	@rmdir build 2>/dev/null || true
	find helpers tests notebooks .make -type d \( -name __pycache__ -o -name .ipynb_checkpoints \) -prune -exec rm -rf {} +
