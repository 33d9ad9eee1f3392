//! What an attacker can try, one test an attack: A01 to A40 of docs/threat-model.md, built with the real program, Git and
//! ssh-keygen, each with a benign twin that must verify, so that refusing everything does not pass.
//!
//! `cargo test --test attacks -- --nocapture table` prints the table: attack, exit code, code, milliseconds.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests run programs on files, and a panic is how they fail"
)]

#[path = "../it/support/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the other tests use more of it")]
mod support;

mod changes;
mod design;
mod encodings;
mod evidence;
mod exhaustion;
mod forge;
mod freshness;
mod judge;
mod logs;
mod machine;
mod persons;
mod roots;
mod team;
mod thresholds;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

use judge::Row;

/// What became of an attack: what was asserted, or how it failed.
type Outcome = Result<Vec<Row>, String>;

/// One attack, which runs once however often it is asked for.
struct Attack {
    id: &'static str,
    what: &'static str,
    run: fn(),
    outcome: OnceLock<Outcome>,
}

impl Attack {
    const fn new(id: &'static str, what: &'static str, run: fn()) -> Self {
        Self { id, what, run, outcome: OnceLock::new() }
    }

    fn outcome(&self) -> &Outcome {
        self.outcome.get_or_init(|| {
            judge::take_rows();
            let ended = catch_unwind(AssertUnwindSafe(self.run));
            let rows = judge::take_rows();
            ended.map(|()| rows).map_err(|panic| {
                let text = panic.downcast_ref::<String>().cloned();
                text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default()
            })
        })
    }

    fn must_fail(&self) {
        if let Err(why) = self.outcome() {
            panic!("{} ({}): {why}", self.id, self.what);
        }
    }
}

macro_rules! attacks {
    ($($(#[$mark:meta])* $name:ident: $id:literal, $what:literal, $run:path;)*) => {
        mod suite {
            $(#[test] $(#[$mark])* fn $name() {
                super::ATTACKS.iter().find(|attack| attack.0 == stringify!($name)).unwrap().1.must_fail();
            })*
        }

        static ATTACKS: &[&(&str, Attack, &str)] = &[
            $({
                static ONE: (&str, Attack, &str) =
                    (stringify!($name), Attack::new($id, $what, $run), stringify!($($mark)*));
                &ONE
            },)*
        ];
    };
}

include!("list.rs");

/// Prints the table. Attacks that succeed are marked, and do not run.
#[test]
fn table() {
    println!("{:<4} {:<74} {:>4}  {:<26} {:>6}", "", "attack", "exit", "code", "ms");
    let mut failed = Vec::new();
    for (name, attack, mark) in ATTACKS {
        if mark.contains("ignore") {
            println!("{:<4} {:<74} OPEN  {mark}", attack.id, attack.what);
            continue;
        }
        match attack.outcome() {
            Err(_) => failed.push(*name),
            Ok(rows) => {
                for (at, row) in distinct(rows).iter().enumerate() {
                    let (id, what) = if at == 0 { (attack.id, attack.what) } else { ("", "") };
                    println!("{id:<4} {what:<74} {:>4}  {:<26} {:>6}", row.exit, row.code, row.millis);
                }
            }
        }
    }
    assert!(failed.is_empty(), "{failed:?}");
}

/// Each ending once, with its longest time.
fn distinct(rows: &[Row]) -> Vec<Row> {
    let mut all: Vec<Row> = Vec::new();
    for row in rows {
        match all.iter_mut().find(|known| known.exit == row.exit && known.code == row.code) {
            Some(known) => known.millis = known.millis.max(row.millis),
            None => all.push(row.clone()),
        }
    }
    all
}

#[test]
fn every_attack_of_the_threat_model_has_a_test() {
    let document = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/threat-model.md")).unwrap();
    for number in 1..=40 {
        let id = format!("A{number:02}");
        let named = ATTACKS.iter().filter(|(_, attack, _)| attack.id == id);
        let names: Vec<&str> = named.map(|(name, ..)| *name).collect();
        assert!(!names.is_empty(), "{id} has no test");
        for name in names {
            assert!(document.contains(name), "docs/threat-model.md does not name {name}");
        }
    }
}
