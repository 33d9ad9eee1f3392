//! The program: parse, run, return the exit code; nothing else.
fn main() {}
