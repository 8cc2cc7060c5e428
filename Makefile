# The README's commands. Each does all it needs by itself.

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
PACKAGE := github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep
LDFLAGS := -s -w -X $(PACKAGE).version=$(VERSION)
INSTALL_DIR := $(or $(STEAMPIPE_INSTALL_DIR),$(HOME)/.steampipe)
DATABASE ?= postgres://steampipe@127.0.0.1:9193/steampipe
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
# To build it takes minutes, so that one that is installed may be named: make release-snapshot GORELEASER=goreleaser
GORELEASER ?= go run github.com/goreleaser/goreleaser/v2@v2.15.1
# Another apt may be at work: install waits for its lock by itself, update has to be tried again where the lock of the
# lists is taken. Both wait ten minutes at most.
APT_WAIT := -o DPkg::Lock::Timeout=600
APT_UPDATE := tries=0; until problem=$$(apt-get $(APT_WAIT) update -qq 2>&1); do \
	case "$$problem" in *"Could not get lock"*|*"Unable to lock"*) ;; *) echo "$$problem" >&2; exit 1;; esac; \
	tries=$$((tries + 1)); [ $$tries -le 120 ] || { echo "$$problem" >&2; exit 1; }; sleep 5; done
# Packages that do not run the SDK and use goroutines. The race detector finds races inside the SDK, so only these are
# tested with it.
RACE := ./shodanrep/lookup/... ./shodanrep/dataset/... ./shodanrep/cache/... ./shodanrep/history/... \
	./shodanrep/shodan/... ./shodanrep/upstream/... ./shodanrep/ratelimit/... ./shodanrep/sqlitefile/... \
	./shodanrep/filelock/... ./shodanrep/internetdbfile/... ./shodanrep/shodantest ./shodanrep/reputation/policyfile
# SQLite and compression work on memory that no other goroutine has. The race detector would take more time for them than
# for everything else, so it leaves them out. A package that has a cache of its own, such as encoding/json, must stay in:
# without the order that its atomic operations make, the detector reports races that are none.
RACE_FLAGS := -race -gcflags='github.com/ncruces/go-sqlite3-wasm/...=-race=false' -gcflags='compress/...=-race=false' \
	-gcflags='$(PACKAGE)/inflate=-race=false' \
	-gcflags='github.com/klauspost/compress/...=-race=false' -gcflags='github.com/google/go-cmp/...=-race=false'
# The packages whose tests take longest and most memory, without those of the page in Chromium: beside these the browser
# would take too much. The matrix is first because it mostly waits, and shodanrep last, when the other two are done.
LARGEST := ./shodanrep/shodantest/matrix ./shodanrep/cli ./shodanrep
# Tests without the race detector, which needs cgo, are compiled as the release is, so that the test that builds it and
# "make lint" compile nothing once more.
GO_TEST := CGO_ENABLED=0 go test

.PHONY: demo
demo: build ## Run on the invented sample: no key, no network
	@config/sample/demo.sh

.PHONY: build
build: ## Build bin/shodanrep, plugin and command line in one
	@mkdir -p bin
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/shodanrep .

.PHONY: install
install: build ## Put plugin and configuration where Steampipe looks
	mkdir -p '$(INSTALL_DIR)/plugins/local/shodanrep' '$(INSTALL_DIR)/config'
	install -m 0755 bin/shodanrep '$(INSTALL_DIR)/plugins/local/shodanrep/shodanrep.plugin'
	test -e '$(INSTALL_DIR)/config/shodanrep.spc' || install -m 0600 config/shodanrep.spc '$(INSTALL_DIR)/config/shodanrep.spc'

.PHONY: install-functions
install-functions: ## Make the functions of config/functions.sql in DATABASE, by default that of a running Steampipe
	psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 --file config/functions.sql '$(DATABASE)'

# GoReleaser needs to know the repository's address, even for a snapshot. A clone without a remote is given it.
.PHONY: release-snapshot
release-snapshot: ## Build in dist/ all that a release has, and test it
	@if ! git ls-remote --get-url >/dev/null 2>&1; then \
		export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=remote.origin.url \
			GIT_CONFIG_VALUE_0=https://github.com/shodanrep/steampipe-plugin-shodanrep; \
	fi; \
	$(GORELEASER) release --snapshot --clean
	go test -count=1 ./config/release

.PHONY: release
release: ## Build a tagged version, and publish it on GitHub: what a workflow does
	$(GORELEASER) release --clean

# A test with the race detector checks all that it checks without, so each package is tested once. In lookup there are
# tests that send so many requests that they skip with the race detector, and reputation has tests of random hosts, of which
# a tenth is enough for it. Many tests wait, so what takes most memory runs beside all else: test-large and test-small take
# about as long, which keeps two processors at work to the end. The programs then have at most 1.1 GB of memory of their own
# (Pss_Anon and Pss_Shmem of all), and up to 0.7 GB of files mapped, most by Go's linker. "make lint"
# vets everything. The limit for a package is for a machine that is busy, or compiles beside it.
.PHONY: test
test: export GOFLAGS += -trimpath -pgo=off -vet=off -timeout=30m
# A process with the race detector sleeps for a second when it ends, if nothing else is said.
test: export GORACE = atexit_sleep_ms=50
test: packages ## Run every test
	@$(MAKE) --no-print-directory -j 2 test-large test-small

.PHONY: test-large
test-large:
	$(GO_TEST) -p 2 -parallel 16 $(LARGEST)

.PHONY: test-small
test-small:
	go test -short -p 1 -parallel 4 $(RACE_FLAGS) $(RACE) ./shodanrep/reputation
	$(GO_TEST) -run Ban ./shodanrep/lookup
	$(GO_TEST) -p 2 -parallel 16 $$(go list ./... | grep -vxF "$$(go list $(RACE) $(LARGEST))")

# To optimize by a profile, Go compiles each package once more. What only checks the code needs none.
.PHONY: lint
lint: export GOFLAGS += -trimpath -pgo=off
lint: export CGO_ENABLED := 0
lint: ## Check format and code
	@unformatted=$$(gofmt -l main.go shodanrep config contrib third_party); if [ -n "$$unformatted" ]; then echo "gofmt would change: $$unformatted"; exit 1; fi
	go vet ./...
	GOOS=windows go vet ./...
	GOOS=darwin go vet ./...
	go run $(STATICCHECK) ./...

.PHONY: bench
bench: build packages ## Measure, for some fifteen minutes; the table of docs/performance.md is from here
	go test -run '^$$' -bench . -benchmem -benchtime 0.2s ./shodanrep/...
	@go run ./shodanrep/tools/bench -binary bin/shodanrep

# Go's compiler optimizes the program by default.pgo, which says where the program spends its time. An old profile does no
# harm: what has changed since is compiled as without one. The figures need not be reached here.
.PHONY: profile
profile: packages ## Write default.pgo anew
	@rm -rf build/profiles && mkdir -p build/profiles
	go build -o build/profiled ./shodanrep/tools/profile
	-PROFILES='$(CURDIR)/build/profiles' go run ./shodanrep/tools/bench -binary build/profiled -only 1,2,10,11,12,14,17
	go tool pprof -proto -output build/default.pgo build/profiles/*.pprof
	mv build/default.pgo default.pgo

.PHONY: soak
soak: build packages ## Run for ten minutes while processes are killed, services fail and Redis comes and goes
	go run ./shodanrep/tools/soak -binary bin/shodanrep -for 10m

# What the tests and the figures need from Debian: a Redis server, the programs of PostgreSQL, Shodan's own Python
# client, and a browser.
.PHONY: packages
packages:
	@missing=""; \
	command -v redis-server >/dev/null || missing="$$missing redis-server"; \
	ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || missing="$$missing postgresql"; \
	/usr/bin/python3 -c 'import shodan' 2>/dev/null || missing="$$missing python3-shodan"; \
	command -v chromium >/dev/null || command -v google-chrome >/dev/null || missing="$$missing chromium"; \
	if [ -n "$$missing" ]; then \
		if [ "$$(id -u)" = 0 ]; then \
			$(APT_UPDATE) && DEBIAN_FRONTEND=noninteractive apt-get $(APT_WAIT) install -y -qq --no-install-recommends $$missing >/dev/null; \
		else \
			echo "The tests and the figures need$$missing: sudo apt-get install$$missing"; exit 1; \
		fi; \
	fi
