# Arguments for the program: make run ARGS="--help"
ARGS =
# How long each fuzz target runs.
FUZZTIME = 10s
# How many cases a property test tries: make test RAPID_CHECKS=1000 searches ten times as long.
RAPID_CHECKS = 100
export RAPID_CHECKS

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

# The version is passed by hand, so Go need not ask git, which refuses where another user owns the clone, as in containers.
# nomsgpack leaves out a codec of gin's that nothing here uses: 8 MB of the program, and half a minute of compiling.
export GOFLAGS := $(GOFLAGS) -buildvcs=false -tags=nomsgpack

# The program has no C in it, nor have its tests: what is compiled for one serves the others. Only the race detector is C.
export CGO_ENABLED = 0

.PHONY: help run build test test-race attack check bench lint fuzz screenshots

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## start a demo: everything in one process, nothing to set up
	./bin/tributary demo $(ARGS)

build: ## make bin/tributary, one file without C libraries
	go build -trimpath -ldflags "-X main.version=$(VERSION)" -o bin/tributary ./cmd/tributary

test: ## run all tests, on real PostgreSQL and Redis; those of what happens at once under the race detector
	./.ci/install
	go run ./internal/testservers/run -- ./.ci/test

test-race: ## run all tests under the race detector, for the night: takes about three times as long
	./.ci/install
	CGO_ENABLED=1 go run ./internal/testservers/run -- go test -race -timeout 60m ./...

attack: ## attack the server for long: the tests named TestAttack, which make test runs in a short form
	./.ci/install
	ATTACK=long go run ./internal/testservers/run -- go test -count=1 -timeout 60m -run '^TestAttack' ./...

# The packages whose tests start no servers. Property tests try a fifth of their cases.
check: lint ## the inner loop: lint, and the tests that need no servers
	go test -short $$(go list -f '{{.ImportPath}} {{join .TestImports " "}} {{join .XTestImports " "}}' ./... | \
		awk '!/testservers|storagetest/ { print $$1 }')

bench: ## measure against the targets of the design (ARGS=--quick: in five minutes)
	./.ci/install
	go run ./internal/bench $(ARGS)

# `go mod tidy -diff` needs the network where modules are not cached; only a difference is a fault.
lint: ## check formatting, vet, staticcheck, imports, width of lines, where SQL stands, go.mod, and a build without C
	@files=$$(gofmt -l .) && if [ -n "$$files" ]; then echo "run gofmt -w on:"; echo "$$files"; exit 1; fi
	go vet ./...
	go tool staticcheck ./...
	go run ./internal/lint
	@diff=$$(go mod tidy -diff) || if [ -n "$$diff" ]; then echo "run go mod tidy:"; echo "$$diff"; exit 1; fi
	go build ./...

screenshots: ## take pictures of all pages into ./screenshots
	./.ci/install
	go test -count=1 -timeout 15m -run '^TestPages_browser$$' ./internal/dashboard -args -screenshots=$(CURDIR)/screenshots

fuzz: ## run every fuzz target for FUZZTIME (10s)
	@go test -list '^Fuzz' ./... | awk '/^Fuzz/ { names[n++] = $$1 } \
		/^ok/ { for (i = 0; i < n; i++) print $$2, names[i] } !/^Fuzz/ { n = 0 }' | \
	while read -r package name; do \
		echo "$$package $$name"; \
		go test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) "$$package" </dev/null || exit 1; \
	done
