# make demo   from nothing to a trained, evaluated and drawn MaskTrack R-CNN on generated video
# make test   the whole test suite
# make bench  speed of the fused ops and of the evaluator beside what users have without them
# make ext    the native ops, built again in place;   make cuda-compile   every .cu, where nvcc is present
# Both share one environment in .venv, made on first use and mended when it is broken.

PYTHON ?= $(firstword $(shell command -v python3.11 python3.12 python3.13 python3))
VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready
DEMO := demo_output
DEMO_RESULTS := $(DEMO)/eval/inference/synthvis_tiny_val/results.json
DEMO_DATA := $(DEMO)/datasets/synthvis/tiny
DEMO_CONFIG := configs/quick_schedules/masktrack_rcnn_R_50_FPN_narrow_synthvis_tiny.yaml
export DETECTRON2_DATASETS ?= $(CURDIR)/$(DEMO)/datasets
TEST_WORKERS ?= 2
# threads that wait sleep instead of spinning: on shared machines training is several times faster so
export OMP_WAIT_POLICY ?= PASSIVE

.PHONY: setup demo test bench ext cuda-compile clean env

setup: $(READY)
	@$(PY) -c "import torch, torchvision, detectron2, vis_projects, pytest" || \
	  { echo "The environment in $(VENV) is broken: making it anew."; rm -rf $(VENV); $(MAKE) --no-print-directory $(READY); }

# The stamp is written last, so a half-made environment is simply continued; one that cannot run is replaced.
$(READY): pyproject.toml setup.py fallback/pyproject.toml $(shell find csrc fallback/src -type f 2>/dev/null | grep -v __pycache__)
	@test -n "$(PYTHON)" || { echo "No Python >= 3.10 found: install one, or run make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 10))" || { echo "$(PYTHON) is older than 3.10: run make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PY) -m pip --version >/dev/null 2>&1 || { echo "[1/4] making $(VENV) with $(PYTHON)"; rm -rf $(VENV); $(PYTHON) -m venv $(VENV); }
	@echo "[2/4] torch and torchvision (a large download on the first run)"
	@$(PY) -m pip install -q "setuptools>=77,<82" wheel torch torchvision
	@echo "[3/4] Detectron2: the subset in fallback/, unless the real one is already here"
	@$(PY) -c "import importlib.metadata as m; m.version('detectron2')" 2>/dev/null || $(PY) -m pip install -q --force-reinstall --no-deps ./fallback
	@$(PY) -c "import importlib.metadata as m; m.version('detectron2')" 2>/dev/null || $(PY) -m pip install -q ./fallback
	@echo "[4/4] vis_projects, its native ops and the test tools"
	@$(PY) -m pip install -q --no-build-isolation -e ".[test]"
	@$(PY) -m vis_projects.cli.main env
	@touch $(READY)

env: setup
	@$(PY) -m vis_projects.cli.main env

demo: $(DEMO)/report.html
	@cat $(DEMO)/ap_table.txt
	@echo "Report: $(DEMO)/report.html   overlay videos: $(DEMO)/overlay   checkpoint: $(DEMO)/train/model_final.pth"

$(DEMO_DATA)/val/instances.json: | setup
	@echo "== demo 1/4: SynthVIS-tiny =="
	$(PY) -m vis_projects.cli.main synth --preset tiny --seed 0 --out $(DEMO_DATA) --splits train val

$(DEMO)/train/model_final.pth: $(DEMO_DATA)/val/instances.json $(DEMO_CONFIG) | setup
	@echo "== demo 2/4: training MaskTrack R-CNN from scratch =="
	$(PY) train_net.py --resume --config-file $(DEMO_CONFIG) OUTPUT_DIR $(DEMO)/train

$(DEMO_RESULTS): $(DEMO)/train/model_final.pth
	@echo "== demo 3/4: evaluating the written checkpoint =="
	$(PY) train_net.py --eval-only --config-file $(DEMO_CONFIG) MODEL.WEIGHTS $(DEMO)/train/model_final.pth OUTPUT_DIR $(DEMO)/eval

$(DEMO)/report.html: $(DEMO_RESULTS)
	@echo "== demo 4/4: overlay videos and report =="
	$(PY) -m vis_projects.cli.main report --output-dir $(DEMO)/eval --metrics $(DEMO)/train/metrics.json --out $(DEMO)

test: setup
	OMP_NUM_THREADS=1 $(PY) -m pytest -q -n $(TEST_WORKERS) --dist worksteal tests fallback/tests

bench: setup
	$(PY) benchmarks/kernels.py
	$(PY) benchmarks/evaluator.py

ext: setup
	$(PY) csrc/build.py

cuda-compile: setup
	$(PY) csrc/build.py --cuda-compile

clean:
	rm -rf $(VENV) $(DEMO) build vis_projects/_C.so vis_projects/_C_cuda.so *.egg-info
