# make demo    the guide's examples, measured here on a private PostgreSQL
# make test    everything that CI checks
# make test-matrix    the tests of virtual production on PostgreSQL 13, 15 and 18 (MAJORS='16 17' for others)
# make lint    formatting, clippy and the documentation alone
# make bench   how fast logs are read, files linted, indexes advised, and snapshots taken and carried
# make setup   what the others need; installs PostgreSQL and HypoPG on Debian when they are missing

export PATH := $(PATH):$(HOME)/.cargo/bin
TARGET := $(or $(CARGO_TARGET_DIR),target)

.DEFAULT_GOAL := test
.PHONY: demo test test-matrix lint bench setup rust

demo: setup
	cargo build --release --locked
	$(TARGET)/release/sargable demo

# The tests come last, so that their verdict is what remains on the screen.
test: setup lint
	@.ci/setup certificates xmllint
	INSTA_UPDATE=no cargo test --locked --no-fail-fast
	@$(MAKE) --no-print-directory test-matrix MAJORS=18

# The servers come from npm, without HypoPG: snapshots do without.
MAJORS := 13 15 18
test-matrix: setup
	@cargo test --locked --test live --no-run
	@set -e; for major in $(MAJORS); do \
		bin=$$(.ci/setup server $$major); \
		echo "PostgreSQL $$major: $$bin"; \
		PG_BIN=$$bin SARGABLE_NO_HYPOPG=1 cargo test --locked --quiet --test live -- assumed:: snapshot:: gate::; \
	done

lint: rust
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings -A rustdoc::private_intra_doc_links" cargo doc --locked --no-deps --document-private-items --quiet

bench: rust
	cargo bench --locked

setup: rust
	@.ci/setup postgres

rust:
	@.ci/setup rust
