# make demo    the guide's examples, measured here on a private PostgreSQL
# make test    everything that CI checks
# make lint    formatting, clippy and the documentation alone
# make bench   how fast logs are read, and files linted
# make setup   what the others need; installs PostgreSQL and HypoPG on Debian when they are missing

export PATH := $(PATH):$(HOME)/.cargo/bin
TARGET := $(or $(CARGO_TARGET_DIR),target)

.DEFAULT_GOAL := test
.PHONY: demo test lint bench setup rust

demo: setup
	cargo build --release --locked
	$(TARGET)/release/sargable demo

# The tests come last, so that their verdict is what remains on the screen.
test: setup lint
	@.ci/setup certificates xmllint
	INSTA_UPDATE=no cargo test --locked --no-fail-fast

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
