# Needs python3 (any 3.8+ with pip or venv), make and git. Everything else is brought by `make setup`.
VENV := .venv
PYTHON := $(VENV)/bin/python
UV := .uv/bin/uv
STAMP := $(VENV)/.installed

.PHONY: setup demo test test-quick test-image lint lock bench results foreign clean
setup: $(STAMP)

$(UV):
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 8))' || { echo "python3 is older than 3.8: install a newer one"; exit 1; }
	@python3 -m venv .uv 2>/dev/null || { rm -rf .uv; python3 -m pip install --quiet --target .uv uv; } \
	  || { rm -rf .uv; echo "python3 has neither venv nor pip: install python3-venv (Debian, Ubuntu) and run make again"; exit 1; }
	@test -x $(UV) || .uv/bin/python -m pip install --quiet uv

$(STAMP): requirements.lock setup.py | $(UV)
	@test -x $(PYTHON) || $(UV) venv --quiet --python 3.11 $(VENV)
	$(UV) pip sync --quiet --require-hashes --compile-bytecode --python $(PYTHON) requirements.lock
	$(UV) pip install --quiet --no-deps --no-build-isolation --python $(PYTHON) --editable .
	@touch $(STAMP)

demo: setup
	$(VENV)/bin/benison run image_classification

test: lint
	tests/system-packages
	$(PYTHON) -m pytest -n 2

test-quick: lint
	$(PYTHON) -m pytest -n 2 -m "not whole"

test-image: setup
	kubeflow/test-image

lint: setup
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

LOCKED = $(UV) pip compile --quiet --generate-hashes --no-header --python-version 3.11
IMAGE_LOCKED = $(LOCKED) --no-annotate --constraint requirements.lock
lock: $(UV)
	$(LOCKED) setup.py --all-extras -o requirements.lock
	$(IMAGE_LOCKED) setup.py --extra kubeflow --extra tfds --extra dashboard --extra driving -o kubeflow/requirements.lock
	echo 'tensorflow[and-cuda]' | $(IMAGE_LOCKED) - | awk '/^[a-z]/ {cuda = /^nvidia-/} cuda' > kubeflow/requirements-cuda.lock
	echo uv | $(IMAGE_LOCKED) - > kubeflow/requirements-build.lock

bench: setup
	$(PYTHON) -m benchmarks

results: setup
	$(PYTHON) -m benchmarks.results

foreign: setup
	$(PYTHON) -m benchmarks.foreign

clean:
	rm -rf $(VENV) .uv build *.egg-info .pytest_cache .ruff_cache .mypy_cache
