# `make` alone lists the targets.
PYTEST := .venv/bin/python -m pytest
# Two processes with one thread each, every file of tests in one of them, as its fixtures are made once.
IN_TWO := -n 2 --dist loadfile
ONE_THREAD := TF_NUM_INTRAOP_THREADS=1 OMP_NUM_THREADS=1
# Freed memory is kept for what comes next: whenever a graph with weights in it is optimized, it is copied a hundred
# times, and each copy would be fetched from the system page by page (glibc; elsewhere it means nothing).
KEEP_MEMORY := MALLOC_MMAP_THRESHOLD_=4294967296 MALLOC_TRIM_THRESHOLD_=17179869184 MALLOC_TOP_PAD_=67108864
NEEDS_DATA := facenet or shared_data or slow

.PHONY: help environment demo test test-all check bench bench-peers bench-training bench-gallery bench-service bench-deepface fetch lock clean

help:
	@echo "make demo      both systems on 118 photos, from detection to report (a few minutes)"
	@echo "make test      the tests that need no data and no network"
	@echo "make test-all  the tests that need the real FaceNet weights, ../shared/data, Chromium, or many processes"
	@echo "make check     ruff and mypy"
	@echo "make bench     speed and memory: bench-peers (against other packages, into docs/performance.md)"
	@echo "               bench-training and bench-gallery (as JSON), bench-service (into docs/service.md);"
	@echo "               they want an idle machine"
	@echo "make bench-deepface  deepface's API server beside our service, into docs/service.md; it is a large download"
	@echo "make fetch     the FaceNet weights and the sample photos, into the cache folder"
	@echo "make lock      requirements.lock anew from pyproject.toml"
	@echo "make clean     removes .venv and what the tools left in the checkout"

environment:
	@tools/repository/make_environment.sh

demo: environment
	.venv/bin/python tools/repository/demo.py

fetch: environment
	.venv/bin/python tools/fetch_samples.py

test: environment
	$(KEEP_MEMORY) $(ONE_THREAD) $(PYTEST) $(IN_TWO) -m "not ($(NEEDS_DATA))"

test-all: environment
	-.venv/bin/python tools/fetch_samples.py
	$(PYTEST) $(IN_TWO) -m "$(NEEDS_DATA)"

check: environment
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

bench: bench-peers bench-training bench-gallery bench-service

# About ten minutes on an idle machine; the figures end up in docs/performance.md.
bench-peers: environment
	@tools/repository/make_peers_environment.sh
	@for stage in detect embed super_resolve identify extract start; do \
	    .venv/bin/python tools/repository/bench_$$stage.py || exit; done
	.venv/bin/python tools/repository/write_performance.py

bench-training: environment
	@for what in input logistic train; do .venv/bin/python tools/repository/bench_$$what.py || exit; done

# Galleries of up to a million persons: 5 GB of disk, 6 GB of memory.
bench-gallery: environment
	.venv/bin/python tools/repository/bench_gallery.py

# Eight minutes; the figures end up in docs/service.md.
bench-service: environment
	.venv/bin/python tools/repository/bench_service.py
	.venv/bin/python tools/repository/write_service_load.py

.venv-deepface: requirements-deepface.txt | environment
	rm -rf $@
	.venv/bin/python -m venv $@
	$@/bin/python -m pip install --quiet --disable-pip-version-check -r $< || { rm -rf $@; exit 1; }
	@touch $@

# Seven minutes; the figures end up in docs/service.md.
bench-deepface: environment .venv-deepface
	.venv/bin/python tools/repository/bench_deepface.py
	.venv/bin/python tools/repository/write_service_peers.py

# uv resolves for all supported Pythons and platforms at once. `make lock UPGRADE=` keeps the versions that are there.
# requirements-server.lock has the same versions of what the image of the service needs.
UPGRADE := --upgrade
lock:
	uv pip compile pyproject.toml --extra dev --extra onnx --extra tflite --extra server --extra client --universal \
	    --generate-hashes --python-version 3.11 --no-annotate --no-header $(UPGRADE) -o requirements.lock
	uv pip compile pyproject.toml --extra server --universal --generate-hashes --python-version 3.11 --no-annotate \
	    --no-header --constraint requirements.lock -o requirements-server.lock

clean:
	rm -rf .venv .venv-peers .venv-deepface *.egg-info .pytest_cache .mypy_cache .ruff_cache
