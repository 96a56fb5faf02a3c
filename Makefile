# make help lists what can be made.

CARGO ?= cargo
PREFIX ?= /usr/local
DESTDIR ?=

# gzip by ISA-L where the system's library is here (Debian: libisal-dev, pkg-config): twice the speed at the same size.
# Asked for at each use: `make test` may just have installed it.
FEATURES = $(shell pkg-config --exists libisal 2>/dev/null && echo --features isal)
export FEATURES

# Where cargo builds, also when CARGO_TARGET_DIR moves it.
TARGET := $(or $(CARGO_TARGET_DIR),target)
# Every binary of the toolkit has a folder in bins/ with a main.
BINARIES := $(notdir $(patsubst %/main.rs,%,$(wildcard bins/*/main.rs)))
# The shell scripts, by their first line; the stories share one that is only sourced.
SCRIPTS = $(sort $(shell grep -lE '^\#!.*\b(sh|bash)$$' .ci/run scripts/* scripts/*/* tests/*/programs/* 2>/dev/null) $(wildcard scripts/*/*.sh tests/*/*.sh tests/*/*/*.sh))

bin = $(DESTDIR)$(PREFIX)/bin
share = $(DESTDIR)$(PREFIX)/share
# One more than there are cores: the scenarios of the engines hold two for half of the time, and mostly wait.
TEST_THREADS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)

.DEFAULT_GOAL := help
# One after the other, also with -j: they share cargo's lock, and `lint test` is meant in that order.
.NOTPARALLEL:
.PHONY: help demo test setup tests lint bench soak tools install man schema check-mac

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## back a real database up, damage the backup, restore, migrate badly, undo that
	scripts/demo

test: setup tests ## install what the tests need where it is missing, then run all tests

setup:
	scripts/setup

tests:
ifneq ($(shell command -v cargo-nextest 2>/dev/null),)
	$(CARGO) test --workspace $(FEATURES) --doc
	$(CARGO) nextest run --workspace $(FEATURES) --test-threads $(TEST_THREADS)
else
	$(CARGO) test --workspace $(FEATURES)
endif

lint: ## formatting, clippy, shellcheck, cargo-deny; says what it could not run
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets $(FEATURES) -- -D warnings
	@if command -v shellcheck >/dev/null; then \
	    echo shellcheck -x $(SCRIPTS); shellcheck -x $(SCRIPTS); \
	else \
	    echo "NOT RUN: shellcheck is not here, so no script was checked (Debian: apt-get install shellcheck)" >&2; \
	fi
	@if ! command -v cargo-deny >/dev/null; then \
	    echo "NOT RUN: cargo-deny is not here, so licences, sources and advisories were not checked (cargo install cargo-deny)" >&2; \
	else \
	    echo $(CARGO) deny check; \
	    $(CARGO) deny check bans licenses sources || exit 1; \
	    if $(CARGO) deny fetch db >/dev/null 2>&1; then $(CARGO) deny check --disable-fetch advisories; \
	    else echo "NOT RUN: the advisory database cannot be fetched, so no advisory was checked" >&2; fi; \
	fi

bench: ## time, processor, memory and bytes beside the tools of today (BENCH=sqlite, BENCH_MB=500)
	scripts/bench/run $(BENCH)

soak: ## all tests with many more kills, full disks and random histories; an hour or more
	HOLDFAST_SOAK=1 HOLDFAST_SOAK_CASES=1000000 $(CARGO) test --workspace $(FEATURES) -- --include-ignored

# Not part of soak: it takes Django from PyPI, and knex and dbmate from npm.
tools: ## Django, dbmate and knex under safe-migrate and safe-db-test, on SQLite and PostgreSQL (takes PyPI and npm)
	scripts/migration-tools/run

# By rename: a run that has just started keeps the program it started with, and nobody ever starts half of one.
define place
	install -m $(1) $(2) $(3)/.$(notdir $(2)).new && mv -f $(3)/.$(notdir $(2)).new $(3)/$(notdir $(2))

endef

install: man ## binaries, man pages, completions and schedules below PREFIX (/usr/local); DESTDIR for packages
	$(CARGO) build --release --locked --bins $(FEATURES)
	install -d $(bin) $(share)/man/man1 $(share)/bash-completion/completions $(share)/zsh/site-functions \
	    $(share)/fish/vendor_completions.d $(share)/holdfast/scripts
	$(foreach name,$(BINARIES),$(call place,755,$(TARGET)/release/$(name),$(bin)))
	for page in man/*.1; do install -m 644 "$$page" $(share)/man/man1/; done
	for file in completions/*; do \
	    case $$file in \
	        *.bash) install -m 644 "$$file" "$(share)/bash-completion/completions/$$(basename "$$file" .bash)" ;; \
	        */_*) install -m 644 "$$file" $(share)/zsh/site-functions/ ;; \
	        *.fish) install -m 644 "$$file" $(share)/fish/vendor_completions.d/ ;; \
	    esac || exit 1; \
	done
	cp -R cron $(share)/holdfast/
	$(call place,755,scripts/install-schedule,$(share)/holdfast/scripts)

# As a release, like what is installed: both share what cargo has built.
man: ## man pages in man/ and shell completions in completions/, from the binaries' own arguments
	@echo "building; the first time this takes some minutes" >&2
	$(CARGO) run --release --locked $(FEATURES) --example manual

schema: ## docs/holdfast.schema.json, from the code that reads the configuration
	HOLDFAST_BLESS=1 $(CARGO) test --quiet --locked --package holdfast the_schema_that_is_checked_in
	ls -l docs/holdfast.schema.json

check-mac: ## type-check everything, C code included, for macOS (takes rustup, cargo-zigbuild and ziglang)
	@command -v cargo-zigbuild >/dev/null || { \
	    echo "NOT RUN: cargo-zigbuild is not here, so nothing was checked for macOS" >&2; \
	    echo "hint: pip install ziglang cargo-zigbuild, and rustup target add aarch64-apple-darwin" >&2; exit 1; }
	cargo-zigbuild check --target aarch64-apple-darwin --workspace --all-targets
