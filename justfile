# Everything that CI runs, by name. `just check` runs all of it.

# A test may panic, and may touch the world.
in_tests := "-A clippy::unwrap_used -A clippy::expect_used -A clippy::indexing_slicing -A clippy::disallowed_methods -A clippy::print_stdout -A clippy::print_stderr -A unfulfilled_lint_expectations -A unreachable_pub"

check: format lint docs test deny

format:
    cargo fmt --check

lint:
    cargo clippy --locked --lib --bins -- -D warnings
    cargo clippy --locked --all-targets -- -D warnings {{ in_tests }}

docs:
    RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --document-private-items

test:
    cargo test --locked

deny:
    python3 tests/tools/licences.py

# Every attack in repositories of the other hash function.
attacks-sha256:
    GIT_BASELINE_ATTACKS=sha256 cargo test --locked --test attacks

# Needs the folder of a labelled corpus in GIT_BASELINE_CORPUS.
corpus:
    cargo test --locked --test corpus -- --nocapture --test-threads 1

# Every decoder and parser, for so many seconds each.
fuzz seconds="60":
    bash tests/tools/fuzz.sh {{ seconds }}

bench:
    cargo bench --locked

tour:
    cargo run --release --locked -- tour
