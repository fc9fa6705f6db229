# What a developer types. Everything needs Go only; the tools are fetched in
# their pinned versions by the go command.

GO         ?= go
GOFUMPT     = $(GO) run mvdan.cc/gofumpt@v0.12.0
STATICCHECK = $(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2
HELM        = helm.sh/helm/v3/cmd/helm@v3.19.0
GOVULNCHECK = $(GO) run golang.org/x/vuln/cmd/govulncheck@v1.9.0
VERSION    ?= $(shell git describe --always --dirty 2>/dev/null || echo unknown)
PROTO       = $(shell git ls-files '*.proto')
MACHINE     = home|root|Users|work
# MODULE_NOW is the module's name; everything else that has it, make module changes.
MODULE_NOW := $(shell sed -n 's/^module //p' go.mod)
LDFLAGS     = -s -w -X $(MODULE_NOW)/cmd/internal/node.version=$(VERSION)

.DEFAULT_GOAL := help
.PHONY: help run cluster certs build test test-long check lint-api vuln bench bench-engine bench-marks reference sim proto module docs chart tables fmt

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

run: build ## build and start one node on the defaults, which opens no port for others
	./bin/ssod

cluster: build ## start three nodes on loopback, with a secret of their own; HOST='[::1]': on IPv6; CERTS=dir: with the certificates of make certs
	CERTS=$(CERTS) HOST='$(HOST)' ./cmd/ssod/deploy/cluster.sh

NODES ?= n1 n2 n3

certs: ## make development certificates of NODES="n1 n2 n3" in CERTS=ssod-certs
	$(GO) run ./cmd/internal/devcerts -dir $(or $(CERTS),ssod-certs) $(NODES)

build: ## ssod, ssoctl and ssobench as static binaries in bin/
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/ ./cmd/ssod ./cmd/ssoctl
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/ssobench ./bench

# Tests of real processes are clients of programs that have no race detector in
# them, and the simulation runs on one goroutine. Under the detector they would take
# half of the time of all tests and find nothing; make test-long does it. They wait
# most of the time, so they run beside the others. Vet is a part of make check.
PLAIN = ./cmd/internal/benchrun ./cmd/internal/e2e ./cmd/internal/faultrun ./cluster/replica/sim
RACE  = $(filter-out $(PLAIN:./%=$(MODULE_NOW)/%),$(shell $(GO) list ./...))

test: ## all tests, those of code that runs side by side with the race detector
	@said=$$(mktemp) && trap 'rm -f "$$said"' EXIT && \
	  { $(GO) test -vet=off -timeout 30m $(TESTFLAGS) $(PLAIN) >"$$said" 2>&1 & plain=$$!; \
	    $(GO) test -vet=off -race -timeout 30m $(TESTFLAGS) $(RACE); race=$$?; \
	    wait $$plain; plain=$$?; cat "$$said"; exit $$((plain | race)); }

test-long: ## all tests with the race detector and the large volumes
	SSOD_LONG=1 $(GO) test -race -timeout 120m $(TESTFLAGS) $(PLAIN) ./...

check: ## what a merge must pass beside the tests
	@echo 'gofumpt' && out=$$($(GOFUMPT) -l $$(git ls-files '*.go' | grep -v '\.pb\.go$$')) && \
	  { test -z "$$out" || { echo "not formatted, run make fmt:"; echo "$$out"; exit 1; }; }
	$(GO) vet ./... && $(GO) vet -tags shiftedclock ./cmd/ssod
	$(STATICCHECK) ./...
	$(GO) mod tidy -diff
	$(GO) run ./cmd/internal/protogen -check $(PROTO)
	$(GO) run ./cmd/internal/docgen -check
	@echo 'paths of a machine' && ! git grep -nIE '(^|[^A-Za-z0-9_.-])/($(MACHINE))/' -- . ':!Makefile'

LINT = httpfront/fronttest/openapilint
APIS = httpfront/openapi.yaml httpfront/api/admin/openapi.yaml

lint-api: ## lint the OpenAPI documents, with npm and Node 20 or later; the linters go into a temporary directory
	@dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && cp $(LINT)/package*.json "$$dir" && \
	  npm ci --silent --ignore-scripts --prefix "$$dir" && export REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true && \
	  "$$dir"/node_modules/.bin/redocly lint --config $(LINT)/redocly.yaml $(APIS) && \
	  "$$dir"/node_modules/.bin/spectral lint --fail-severity hint --ruleset $(LINT)/spectral.yaml $(APIS)

vuln: ## look for known vulnerabilities in what is called, at vuln.go.dev; VULNDB=url: elsewhere
	$(GOVULNCHECK) $(if $(VULNDB),-db $(VULNDB)) ./...

bench: build ## measure a real process against the floor
	./bin/ssobench

bench-engine: ## measure the replication engine on three processes
	$(GO) run ./cluster/replica/loadtest --slow-fsync 500ms

REF     ?= 1c60b06
AGAINST ?= bin/$(REF)

bench-marks: build ## every mark of a cluster that pays, beside an older build in AGAINST=bin/1c60b06, see make reference
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/loadtest ./cluster/replica/loadtest
	./bin/loadtest --against $(AGAINST)/loadtest
	./bin/loadtest --against $(AGAINST)/loadtest --fresh
	./bin/ssobench marks --against $(AGAINST)

reference: ## build the programs of the older commit REF=1c60b06 in bin/REF, to measure against
	@dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && git archive $(REF) | tar -x -C "$$dir" && cd "$$dir" && \
	  { patch=$(CURDIR)/cluster/replica/loadtest/testdata/$(REF).patch; test ! -f "$$patch" || git apply "$$patch"; } && \
	  export CGO_ENABLED=0 && $(GO) build -trimpath -o $(CURDIR)/bin/$(REF)/ ./cmd/ssod ./cmd/ssoctl ./cluster/replica/loadtest && \
	  $(GO) build -trimpath -o $(CURDIR)/bin/$(REF)/ssobench ./bench && echo bin/$(REF)

SEEDS    ?= 100
FROM     ?= 1
DURATION ?= 20s
BUDGET   ?= 2m

sim: ## simulate SEEDS=n clusters FROM=s for DURATION=d of virtual time each; 0: as many as fit in BUDGET; JOINS=1: with nodes that join at bad moments; SCALES=1: that join and are drained; EVENTS=1: with a receiver of events
	$(GO) test ./cluster/replica/sim -run '$(if $(JOINS),TestJoins,$(if $(SCALES),TestScales,$(if $(EVENTS),TestEvents,TestSim)))$$' -count 1 -timeout 0 -v -seeds $(SEEDS) -from $(FROM) -duration $(DURATION) -budget $(BUDGET)

proto: ## regenerate the protobuf code
	$(GO) run ./cmd/internal/protogen $(PROTO)

tables: ## write the tables of flags and commands in the operators' pages anew
	$(GO) test ./cmd/ssod ./cmd/ssoctl -run TestTables -count 1 -update

docs: ## make the pages of /docs from httpfront/docs and the OpenAPI documents
	$(GO) run ./cmd/internal/docgen

# An import path is the name before one of the directories at the root, or before
# the end of a quoted pattern. Generated code is generated again.
ROOTS       = actors|bench|cluster|cmd|httpfront|persistence
IMPORT_PATH = (^|[^A-Za-z0-9_./-])$(subst .,\.,$(MODULE_NOW))/(($(ROOTS))([^A-Za-z0-9_-]|$$)|"|\.\.\.)

module: ## rename the module and every import of it: MODULE=host/org/ssod
	@test -n '$(MODULE)' || { echo 'say MODULE=host/org/ssod'; exit 2; }
	git grep -lzE '$(IMPORT_PATH)' -- ':!*.pb.go' ':!*.patch' | xargs -0 sed -E -i.before 's#$(IMPORT_PATH)#\1$(MODULE)/\2#g'
	find . -name '*.before' -delete
	$(GO) mod edit -module '$(MODULE)'
	$(GO) run ./cmd/internal/protogen $(PROTO)

chart: ## render the Helm chart anew
	$(GO) run $(HELM) template ssod cmd/ssod/deploy/helm/ssod >cmd/ssod/deploy/helm/rendered.yaml

fmt: ## format all code
	$(GOFUMPT) -w .
