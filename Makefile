# The commands of a developer's day. `make help` lists them.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# The version that the binary says it is.
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)

# The tools are pinned in a module of their own, so that the product does not depend
# on what they depend on.
TOOL := go tool -modfile=tools/go.mod

# How long all tests may take, and one fuzz target in `make fuzz`.
TEST_TIMEOUT := 15m
FUZZ_TIME := 30s

# The newest PostgreSQL, and the tests that compare what it says with what pgweir does.
NEWEST_PG := 18
CONVERSATIONS := ^Test(Conversations.*|Rotation|Prepared|.*InOpenSeries|WireScripts|Protocol.*|ServerProtocol.*|SettingsOfTransactions)$$

.PHONY: help build run setup test test-newest test-matrix test-faults test-clients test-apps short lint fmt fuzz campaign bench cover ci clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## build bin/pgweir
	go build -ldflags '-X main.version=$(VERSION)' -o bin/pgweir ./cmd/pgweir

run: build ## run pgweir in front of a throwaway PostgreSQL, or of $DATABASE_URL
	@bin/pgweir dev

setup: ## install PostgreSQL where there is none, as the tests need it
	@go run ./cmd/pgweir dev -install-postgres

# In front of a command: then tells which tests it skipped, and why. Of a package that
# passes, go test itself tells nothing.
TELL_SKIPPED := export SKIPPED_TESTS=$$(mktemp); trap 'sort -u "$$SKIPPED_TESTS" >&2; rm "$$SKIPPED_TESTS"' EXIT;

# The tests of what things cost do not run under the race detector, so they have a run
# of their own.
#
# -count=1: the end-to-end tests build the binary themselves, which the test cache does
# not see.
test: setup test-newest ## run every test against a real PostgreSQL, with the race detector
	go test -count=1 -run 'Alloc|Memory' ./internal/reactor ./meter ./proxy ./stats/... ./wire
	@$(TELL_SKIPPED) REQUIRE_PG=1 go test -race -count=1 -timeout $(TEST_TIMEOUT) ./...

test-newest: setup ## compare conversations with pgweir and with the newest PostgreSQL, if that can be had
	@bin=$$(tools/postgres/fetch $(NEWEST_PG)) || { [ $$? = 2 ] && \
		echo "nothing is tested with PostgreSQL $(NEWEST_PG), for that reason" >&2; exit; }; \
	echo "with PostgreSQL $(NEWEST_PG):"; $(TELL_SKIPPED) PGWEIR_PG_BINDIR=$$bin REQUIRE_PG=1 \
		go test -count=1 -timeout $(TEST_TIMEOUT) -run '$(CONVERSATIONS)' ./proxy ./integration

test-matrix: setup ## run the tests that talk to PostgreSQL against versions 14 to 18 (15 minutes)
	@$(TELL_SKIPPED) TEST_TIMEOUT=$(TEST_TIMEOUT) tools/postgres/matrix

test-faults: setup ## have all that can fail fail for longer, and try all that could leak (8 minutes)
	REQUIRE_PG=1 go test -count=1 -timeout $(TEST_TIMEOUT) -run NothingLeaks ./proxy -long
	REQUIRE_PG=1 go test -count=1 -timeout $(TEST_TIMEOUT) -run 'Faults|Starvation|Killed|Dies|FairShares|SlowLoginsBy' ./integration -long

short: ## run the tests as they are, without set-up and race detector
	@$(TELL_SKIPPED) go test -timeout $(TEST_TIMEOUT) ./...

lint: ## check the format and run the linters
	@unformatted=$$($(TOOL) gofumpt -extra -l .); if [ -n "$$unformatted" ]; then \
		echo "not formatted, run make fmt:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	$(TOOL) staticcheck ./...
	$(TOOL) golangci-lint run

fmt: ## format the code
	$(TOOL) gofumpt -extra -w .

fuzz: ## run each fuzz target for FUZZ_TIME (30s)
	@for pkg in $$(go list ./...); do \
		for target in $$(go test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "== $$pkg $$target"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZ_TIME) $$pkg; \
		done; \
	done

campaign: setup ## hold thousands of random conversations, and cancel 10 000 statements (6 minutes)
	REQUIRE_PG=1 go test -count=1 -timeout $(TEST_TIMEOUT) -run Random ./proxy -rounds 5000

bench: ## measure pgweir against PgBouncer, into docs/benchmarks.md (about 20 minutes)
	go run ./integration/bench

test-clients: setup ## have the drivers' own tests and programs in many languages work through pgweir (15 minutes)
	REQUIRE_PG=1 go test -count=1 -timeout 40m ./integration/clients -all

test-apps: setup ## judge the search for loops by real programs, into docs/nplusone.md (5 minutes)
	@$(TELL_SKIPPED) REQUIRE_PG=1 go test -count=1 -timeout 60m ./integration/apps -all -write ../../docs/nplusone.md

cover: setup ## write the tests' coverage to cover.out and sum it up
	REQUIRE_PG=1 go test -timeout $(TEST_TIMEOUT) -coverprofile=cover.out -coverpkg=./... ./...
	@go tool cover -func=cover.out | tail -n 1

ci: lint test ## what has to pass before a change is merged

clean: ## remove what the other targets have made
	rm -rf bin cover.out
