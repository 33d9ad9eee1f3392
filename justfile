# Everything that CI runs, by name. `just check` runs all of it.

check: format lint docs test deny

format:
    cargo fmt --check

lint:
    cargo clippy --locked --all-targets -- -D warnings

docs:
    RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --document-private-items

test:
    cargo test --locked

deny:
    python3 tests/tools/licences.py

bench:
    cargo bench --locked

tour:
    cargo run --release --locked -- tour
