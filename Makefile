# Berth: `make up` runs it, `make test` tests it, `make help` lists the rest.
SHELL := /bin/bash
VERSION := $(shell git describe --always --dirty 2>/dev/null || echo dev)
GO := go
T ?= 30s
WITHIN ?= 2m
SOAK ?= 1h
UNIT := ./cmd/... ./internal/...
# Unit tests that mostly wait: for containers, disks and leases.
WAITING := ./internal/agent/docker ./internal/state/etcd
# End-to-end tests that share the machine's engine and its way to the default VPC; those that break servers, disks and engines; and the others, with engines,
# networks or servers of their own.
SHARING := ./e2e ./e2e/clients
BREAKING := ./e2e/faults
OWNING = $$($(GO) list ./e2e/... | grep -v -x $(patsubst ./%,-e berth/%,$(SHARING) $(BREAKING)))

# One set of flags for the program and all tests but those under the race detector: each package is compiled once, wherever the clone is.
export CGO_ENABLED := 0
export GOFLAGS := $(strip $(shell $(GO) env GOFLAGS) -trimpath)

.PHONY: help deps build up down check unit race simulation beside apart waiting sharing breaking owning soak test e2e fuzz bench golden clean

help: ## list the targets
	@grep -E '^[a-z0-9]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  %-10s %s\n", $$1, $$2}'

deps: ## install and start what is missing: Docker Engine, the AWS CLI and, for the tests, etcd, busybox, boto3, Node.js and the AWS SDK for JavaScript
	@scripts/deps.sh

build: ## build bin/berth, a static program
	$(GO) build -ldflags "-s -w -X main.version=$(VERSION)" -o bin/berth ./cmd/berth

up: deps build ## start everything on this machine with a demo service in both modes
	bin/berth up --detach --demo

down: build ## stop it
	bin/berth down

check: ## formatting, vet, staticcheck, the architecture and the unit tests that need no engine
	@test -z "$$(gofmt -l cmd examples internal e2e)" || { gofmt -l cmd examples internal e2e; echo "run gofmt"; exit 1; }
	$(GO) vet ./...
	$(GO) tool staticcheck ./...
	$(GO) test -p 2 $$($(GO) list $(UNIT) | grep -v $(WAITING:./%=-e %))

unit: ## all tests of the packages, also those on Docker Engine and etcd
	$(GO) test -short -p 2 -timeout 10m $(UNIT)

simulation: ## the whole system in memory, deterministic: some hundred scripts of operations and faults
	$(GO) test -count=1 -timeout 15m ./internal/ecstest -seeds 250 -within $(WITHIN)

soak: deps ## the simulation for SOAK (default 1h) on new seeds, natively under the race detector, then faults of real processes and a fleet in steady churn for SOAK each
	$(GO) test -count=1 -timeout 0 ./internal/ecstest -run TestSeeds -v -seeds 100000000 -within $(SOAK) -first $$(date +%s)
	CGO_ENABLED=1 $(GO) test -count=1 -timeout 0 -race ./internal/ecstest -run TestNative -seeds 1000 -first $$(date +%s)
	$(GO) test -count=1 -timeout 0 ./e2e/faults -v -soak $(SOAK)
	$(GO) test -count=1 -timeout 0 ./e2e/replicas -v -soak 1m
	$(GO) test -count=1 -timeout 0 ./e2e/storm -run TestSoak -v -soak $(SOAK)

race: ## the concurrent packages under the race detector
	CGO_ENABLED=1 $(GO) test -race -p 2 -timeout 10m ./internal/acs ./internal/agent ./internal/reconcile ./internal/state ./internal/state/mem ./internal/controller ./internal/frontdoor ./internal/pipenet ./internal/stream ./internal/metrics ./internal/trace
	CGO_ENABLED=1 $(GO) test -race -short -timeout 10m ./internal/ecstest -seeds 40

e2e: deps build sharing breaking owning ## end to end: the aws CLI, a real berth, real containers

sharing:
	$(GO) test -count=1 -p 1 -timeout 25m $(SHARING)

breaking:
	$(GO) test -count=1 -timeout 15m $(BREAKING)

owning:
	$(GO) test -count=1 -p 1 -timeout 15m $(OWNING)

waiting:
	$(GO) test -short -p 2 -timeout 10m $(WAITING)

test: deps ## everything that CI runs
	@test -z "$$(gofmt -l cmd examples internal e2e)" || { gofmt -l cmd examples internal e2e; echo "run gofmt"; exit 1; }
	@$(MAKE) --output-sync=target -j3 beside owning apart

apart: # what mostly waits: for containers, disks, leases and replicas
	@$(MAKE) --no-print-directory waiting
	@$(MAKE) --no-print-directory sharing
	@$(MAKE) --no-print-directory breaking

beside: # what mostly computes, with what the others leave of the processors
	@nice -n 19 $(GO) vet ./...
	@nice -n 19 $(GO) test -short -p 2 -timeout 10m $$($(GO) list $(UNIT) | grep -v $(WAITING:./%=-e %))
	@nice -n 19 $(GO) tool staticcheck ./...
	@nice -n 19 $(MAKE) --no-print-directory simulation WITHIN=90s
	@nice -n 19 $(MAKE) --no-print-directory race

fuzz: ## fuzz every decoder for T (default 30s) each
	@for f in $$(grep -rl '^func Fuzz' --include='*_test.go' internal); do \
		for n in $$(grep -o '^func Fuzz[A-Za-z0-9]*' $$f | cut -c6-); do \
			echo "== $$n"; $(GO) test -run '^$$' -fuzz "^$$n$$" -fuzztime $(T) ./$$(dirname $$f) || exit 1; \
		done; done

bench: deps ## all benchmarks; their figures stand in docs/performance.md
	$(GO) test -run '^$$' -bench . -benchtime 2s $$($(GO) list ./internal/... )
	$(GO) test -run '^$$' -bench . -benchtime 3x -p 1 -timeout 60m ./e2e ./e2e/replicas
	$(GO) test -run '^$$' -bench . -benchtime 1x -timeout 60m ./e2e/storm

golden: ## rewrite what the golden tests want
	$(GO) test ./internal/... -update

clean:
	rm -rf bin
