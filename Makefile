# Everything a newcomer types. `make` alone lists it; demo and test set up whatever they need.

# Your own scan for the demo; without one, a public sample is fetched once.
INPUT ?=
# More arguments for pytest: make test ARGS="-k geometry"
ARGS ?=
# PyTorch is pinned to the version that the figures were measured with. On Linux without an NVIDIA GPU its own index has
# a build without CUDA, ten times smaller; it is asked once and briefly, and where it does not answer, the usual index.
# TORCH="torch==2.12" or TORCH="torch --index-url URL" is installed as it is.
TORCH ?=
pinned = torch==2.13.0
without_cuda = --index-url https://download.pytorch.org/whl/cpu --timeout 5 --retries 0
# Pythons to try, the best first.
PYTHON ?= python3.11 python3.12 python3.13 python3

export PIP_DISABLE_PIP_VERSION_CHECK = 1

.DEFAULT_GOAL := help
.PHONY: help demo test test-slicer test-views slicer-tools docs lint wheel clean
.NOTPARALLEL:

help: ## list these
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 8

demo: .venv/.study ## make thick slices of a real head thin, then its plane finer (INPUT=path: your own scan, too)
	@.venv/bin/python -m benchmarks.demo $(if $(INPUT),"$(INPUT)")

# Byte code is written even where the environment says not to: the tests start more than a hundred processes.
test: .venv/.test slicer-tools ## run all tests (ARGS="-k geometry": some)
	@PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 .venv/bin/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile $(ARGS)

# Slicer's own Python with the newest core of Slicer, in an environment of its own. PyTorch's small build is for another
# Python on some machines, so it is left out: tests that start the engine skip there, and say so.
SLICER_CORE ?= slicer-core==5.13.31053.0 vtk==9.6.2 PySide6-Essentials==6.12.0
SLICER_PYTHON ?= python3.12 $(wildcard $(HOME)/.pyenv/versions/3.12.*/bin/python)
slicer_library = numpy scipy nibabel SimpleITK pydicom safetensors msgspec scikit-image matplotlib jinja2 tqdm
slicer_tests = Testing/slicer Testing/geometry Testing/files

test-slicer: .venv-slicer/.ready slicer-tools ## run what needs no PyTorch with Python 3.12 and the newest slicer-core
	@PYTHONPATH=$(CURDIR) OMP_NUM_THREADS=1 .venv-slicer/bin/python -m pytest --numprocesses auto --maxprocesses 4 \
	    --dist loadfile $(slicer_tests) $(ARGS)

define find_slicer_python
	python=; for candidate in $(SLICER_PYTHON); do \
	    if "$$candidate" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info[:2] != (3, 12))' 2>/dev/null; \
	    then python=$$candidate; break; fi; \
	done; \
	if [ -z "$$python" ]; then echo "Python 3.12 is missing: make $(1) SLICER_PYTHON=path" >&2; exit 1; fi
endef

.venv-slicer/.ready:
	@$(call find_slicer_python,test-slicer); "$$python" -m venv --clear .venv-slicer
	@.venv-slicer/bin/python -m pip install --quiet $(SLICER_CORE) $(slicer_library) \
	    pytest pytest-xdist hypothesis psutil
	@touch $@

# Slicer's real slice views, shown in the machine's Chromium by trame-slicer, in an environment of its own: it takes the
# slicer-core that its displayable managers were compiled for.
VIEWS_CORE ?= trame-slicer==2.0.0 slicer-core==5.11.0.6 slicer-layer-dm==2.0.0 vtk==9.6.0 \
    trame==4.0.0 trame-client==4.1.4 trame-server==4.1.0 trame-rca==2.11.8
views_library = numpy scipy safetensors msgspec playwright==1.65.2 pytest

test-views: .venv-views/.ready slicer-tools ## look at our views as Slicer's own slice views, in a browser
	@PYTHONPATH=$(CURDIR) OMP_NUM_THREADS=1 .venv-views/bin/python -m pytest Testing/slicer_views $(ARGS)

.venv-views/.ready:
	@$(call find_slicer_python,test-views); "$$python" -m venv --clear .venv-views
	@.venv-views/bin/python -m pip install --quiet $(VIEWS_CORE) $(views_library)
	@touch $@

docs: .venv/.docs ## build the documentation site in build/docs; a warning, such as a broken link, is an error
	@PYTHONPATH=$(CURDIR) .venv/bin/python -m sphinx -q -E -W --keep-going -c docs . build/docs
	@echo "Open build/docs/docs/index.html"

lint: .venv/.dev ## check style, format and types
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy

wheel: .venv/.torch ## build dist/superresolution-*.whl, models inside
	rm -rf build
	.venv/bin/python -m pip wheel --quiet --no-deps --wheel-dir dist .

clean: ## remove the environment and everything that was built; runs/ stays
	rm -rf .venv .venv-slicer .venv-views build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The package with the extras that a target needs: .venv/.study holds superresolution[study].
extras = $*
.venv/.test: extras = test,slicer-test,docs
.venv/.study .venv/.test .venv/.dev .venv/.docs: .venv/.%: .venv/.torch pyproject.toml setup.py
	@echo "Installing the package with what '$*' needs ..."
	@.venv/bin/python -m pip install --quiet --editable ".[$(extras)]"
	@touch $@

# What tests ask of a Linux system: for the Slicer module CMake and what Qt loads, for derived DICOM series a validator,
# a converter and an archive, for the viewer a browser. Where it cannot be had, those tests skip and say why.
slicer_libraries = libEGL.so.1 libGL.so.1 libxkbcommon.so.0 libdbus-1.so.3 libfontconfig.so.1 libglib-2.0.so.0
slicer_debian = apt-get install -y --no-install-recommends \
    cmake libegl1 libgl1 libxkbcommon0 libdbus-1-3 libfontconfig1 libglib2.0-0 \
    dicom3tools dcmtk dcm2niix iproute2 chromium
# Its package starts an archive that listens to everybody: the service is masked, the tests start one of their own.
archive = { systemctl mask --quiet orthanc.service 2>/dev/null || true; } && \
    apt-get install -y --no-install-recommends orthanc
define has_slicer_tools
	for tool in cmake dciodvfy dcm2niix getscu Orthanc ip chromium; do command -v $$tool >/dev/null || exit 1; done && \
	.venv/bin/python -c 'import ctypes, sys; [ctypes.CDLL(name) for name in sys.argv[1:]]' $(slicer_libraries) 2>/dev/null
endef

slicer-tools: .venv/.test
	@if [ "$$(uname)" != Linux ] || ( $(has_slicer_tools) ); then exit 0; fi; \
	if [ "$$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then \
	    echo "Installing what the tests of the Slicer module, of DICOM and of the viewer need ..."; export DEBIAN_FRONTEND=noninteractive; \
	    apt-get update -qq && $(slicer_debian) -qq >/dev/null && \
	    { command -v Orthanc >/dev/null || { $(archive) -qq >/dev/null; }; } && exit 0; \
	fi; \
	echo "Some tests of the Slicer module, of DICOM or of the viewer will be skipped; on Debian, run this once: sudo $(slicer_debian)" >&2

# ensurepip is what Debian leaves to the package python3-venv.
define find_python
	python=; for candidate in $(PYTHON); do \
	    if "$$candidate" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	    then python=$$candidate; break; fi; \
	done
endef
debian = apt-get install -y --no-install-recommends python3 python3-venv ca-certificates

.venv/.torch:
	@$(find_python); \
	if [ -z "$$python" ] && ! command -v apt-get >/dev/null; then \
	    echo "Python 3.11 or newer with its venv module is missing: install it, then make again." >&2; exit 1; \
	elif [ -z "$$python" ] && [ "$$(id -u)" -ne 0 ]; then \
	    echo "Python 3.11 or newer with its venv module is missing. Run this once, then make again:" >&2; \
	    echo "  sudo $(debian)" >&2; exit 1; \
	elif [ -z "$$python" ]; then \
	    echo "Installing Debian's Python ..."; export DEBIAN_FRONTEND=noninteractive; \
	    apt-get update -qq && $(debian) -qq || exit 1; \
	    $(find_python); \
	fi; \
	if [ -z "$$python" ]; then \
	    echo "The system's Python is older than 3.11: install a newer one, then make PYTHON=path again." >&2; exit 1; \
	fi; \
	echo "Setting up .venv with $$("$$python" --version) ..."; \
	"$$python" -m venv --clear .venv
	@if [ -n "$(TORCH)" ]; then \
	    echo "Installing $(firstword $(TORCH)) ..."; .venv/bin/python -m pip install --quiet $(TORCH); \
	elif [ "$$(uname)" = Linux ] && ! command -v nvidia-smi >/dev/null; then \
	    echo "Installing $(pinned) without CUDA, about 200 MB ..."; \
	    .venv/bin/python -m pip install --quiet $(without_cuda) $(pinned) 2>/dev/null || \
	    { echo "PyTorch's own index did not answer; trying the usual one, whose build may hold CUDA (gigabytes) ..."; \
	    .venv/bin/python -m pip install --quiet $(pinned); }; \
	else \
	    echo "Installing $(pinned): on a Mac about 100 MB, elsewhere gigabytes with CUDA ..."; .venv/bin/python -m pip install --quiet $(pinned); \
	fi
	@touch $@
