//! The program as its users meet it: the built binary, real Git, throw-away repositories.
//!
//! Every test builds what it needs in a folder of its own, with an own home and an empty environment; nothing is
//! fetched, and no clock is read. Never here: what one module does alone, which stands at the foot of its file.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests run programs on files, and a panic is how they fail"
)]

mod affected;
mod atomic;
mod bad_input;
mod component_history;
mod determinism;
mod documents;
mod hooks;
mod journey;
mod kept_log;
mod killed;
mod killed_writes;
mod later;
mod overlay;
mod registers;
mod rotation;
mod secrets;
mod shapes;
mod support;
mod sync;
mod tampering;
mod three_persons;

#[test]
fn no_file_of_this_folder_is_forgotten() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let main = include_str!("main.rs");
    let mut forgotten = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if name != "main" && !main.contains(&format!("\nmod {name};\n")) {
            forgotten.push(name);
        }
    }
    assert!(forgotten.is_empty(), "files without a `mod` line, whose tests never run: {forgotten:?}");
}
