# retinago: every target works alone, from a machine with Go, git, make and apt.
# TAGS are Go's build tags: opencv reads and writes videos and decodes pictures by OpenCV and libjpeg-turbo, libjpeg decodes JPEGs by
# libjpeg-turbo alone, gpu computes on NVIDIA GPUs, mpi trains in several processes by Open MPI. TAGS= builds with oneDNN and a C++ compiler only. GO names another go command.

GO ?= go
TAGS ?= opencv
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
IMAGE ?= retinago
BENCH ?= .

tags := $(if $(TAGS),-tags '$(TAGS)')
# gorgonia.org/cu compiles against our header of the CUDA driver and links with our loader of it, whatever is installed.
ifneq (,$(findstring gpu,$(TAGS)))
export CGO_CFLAGS := -I$(CURDIR)/engine/cuda/driver/include
export CGO_LDFLAGS := -L$(CURDIR)/engine/cuda/driver/link
endif
# Programs for GPUs find oneDNN beside themselves too; the old form of a run path holds for what oneDNN needs in turn.
beside := -extldflags=-Wl,--disable-new-dtags,-rpath,$$ORIGIN
setup := TAGS='$(TAGS)' scripts/setup

.DEFAULT_GOAL := help
.PHONY: help setup build demo test test-short test-long bin/cuda.test test-gpu lint bench docker clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-10s %s\n", $$1, $$2 }'

setup: ## install with apt what the build needs and the machine lacks
	@$(setup)

build: setup ## build bin/retinago
	$(GO) build $(tags) -ldflags '-X main.version=$(VERSION) $(if $(findstring gpu,$(TAGS)),$(beside))' -o bin/retinago ./cmd/retinago
	$(if $(findstring gpu,$(TAGS)),$(if $(findstring opencv,$(TAGS)),,@scripts/bundle bin/retinago))

demo: build ## train on synthetic shapes, measure, draw detections; minutes
	@scripts/demo

test: export TESTS = 1
test: setup ## vet and test everything, with and without OpenCV, with the race detector
	@scripts/test

test-short: setup ## vet and the short tests of the build with OpenCV; minutes
	@scripts/test short

test-long: setup ## kill, damage, mutate, attack, fuzz, sanitize; hours, SIZE=.01 is a hundredth; see docs/reliability.md
	@scripts/test-long

bin/cuda.test: setup
	CGO_CFLAGS=-I$(CURDIR)/engine/cuda/driver/include CGO_LDFLAGS=-L$(CURDIR)/engine/cuda/driver/link \
	  $(GO) test -c -tags gpu -ldflags '$(beside)' -o bin/cuda.test ./engine/cuda
	@scripts/bundle bin/cuda.test

test-gpu: bin/cuda.test ## test the engine for GPUs on the first one of this machine, and in compute-sanitizer if it is there
	@scripts/test-gpu

lint: setup ## check formatting, vet in every build, staticcheck, deadcode
	@files=$$(git ls-files -co --exclude-standard '*.go' | xargs gofmt -l); \
	  [ -z "$$files" ] || { echo "not gofmt-ed:" $$files; exit 1; }
	$(GO) vet ./...
	$(GO) vet -tags opencv ./...
	$(GO) vet -tags libjpeg ./internal/media/picture
	$(GO) vet -tags campaign ./internal/...
	if pkg-config --exists ompi-c 2>/dev/null; then $(GO) vet -tags 'opencv mpi' ./internal/cluster/... ./train ./cmd/...; fi
	CGO_CFLAGS=-I$(CURDIR)/engine/cuda/driver/include CGO_LDFLAGS=-L$(CURDIR)/engine/cuda/driver/link $(GO) vet -tags gpu ./...
	@scripts/lint

bench: setup ## run the benchmarks; BENCH=REGEXP selects
	$(GO) test $(tags) -run '^$$' -bench '$(BENCH)' -benchmem -timeout 60m ./...

docker: ## build the Docker image; IMAGE names it, TAGS="gpu opencv" takes the stage for GPUs, TAGS=libjpeg the small one without video
	docker build --target $(if $(findstring gpu,$(TAGS)),gpu,$(if $(findstring opencv,$(TAGS)),cpu,images)) --build-arg VERSION='$(VERSION)' -t '$(IMAGE)' .

clean: ## remove what make made: bin and out
	rm -rf bin out
