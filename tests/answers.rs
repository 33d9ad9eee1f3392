//! Every command's JSON answer is valid by its schema, as `tests/tools/validate_json.py` judges it.
//!
//! Skipped, with a note, where Git, Python or jsonschema are missing.

use std::fs;
use std::path::Path;
use std::process::Command;

mod room;

use room::Room;

fn is_missing() -> bool {
    let works = |program: &str, arguments: &[&str]| {
        Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
    };
    let missing = !works("git", &["--version"]) || !works("python3", &["-c", "import jsonschema"]);
    if missing {
        println!("skipped: Git, or python3 with jsonschema, is not here");
    }
    missing
}

const COMMANDS: [&str; 52] = [
    "items",
    "items 1.0.0 --class access-control",
    "items --explain .baseline/policy.toml",
    "components",
    "components 1.0.0 --profile ntia",
    "components --profile bsi-2.1",
    "affected pkg:cargo/serde",
    "affected pkg:cargo/serde --tags",
    "check",
    "check --staged",
    "check 1.0.0..1.1.0",
    "check --history",
    "record",
    "log",
    "log --class component",
    "log pkg:pypi",
    "diff 1.0.0 1.1.0",
    "release 2.0.0 --dry-run",
    "show",
    "show 1.1.0",
    "verify 1.1.0",
    "verify --all",
    "verify --commit HEAD",
    "verify 7.0.0",
    "verify 1.0.0 -C nowhere",
    "reproduce 1.0.0",
    "export 1.0.0 --as cyclonedx",
    "trust show",
    "trust fingerprint",
    "status",
    "hooks status",
    "hook pre-commit",
    "repair",
    "init",
    "changes",
    "changes 1.0.0..1.1.0",
    "trace CR-1",
    "trace etc/sshd_config",
    "trace nothing",
    "change open CR-2 --title Two",
    "change list",
    "change show CR-2",
    "change show CR-9",
    "sign CR-2 --meaning approved",
    "sign 1.1.0 --meaning witnessed --reason seen",
    "signatures 1.1.0",
    "checkpoint",
    "log-check",
    "log-proof 1.1.0",
    "trust raise-floors --approvals 1",
    "trust show",
    "trust sign",
];

#[test]
fn every_answer_is_valid_by_its_schema() {
    if is_missing() {
        return;
    }
    let product = Room::build("sha1");
    let folder = product.home.path().join("answers");
    fs::create_dir(&folder).unwrap();
    let mut count = 0;
    let pin = format!("trust pin {}", product.fingerprint);
    let release = "release 1.2.0".to_owned();
    for line in COMMANDS.into_iter().map(ToOwned::to_owned).chain([pin, release]) {
        let words: Vec<&str> = ["--format", "json"].into_iter().chain(line.split(' ')).collect();
        let output = product.baseline(&words);
        // Errors are objects of their own on stderr, beside what else is said there.
        let said = String::from_utf8(output.stderr).unwrap();
        let errors = said.find('{').map(|at| said[at..].to_owned()).unwrap_or_default();
        assert!(!output.stdout.is_empty() || !errors.is_empty(), "{line} says nothing");
        for text in [String::from_utf8(output.stdout).unwrap(), errors].iter().filter(|text| !text.is_empty()) {
            count += 1;
            fs::write(folder.join(format!("{count:02}-{}.json", line.replace([' ', '/'], "_"))), text).unwrap();
        }
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tools/validate_json.py");
    let output = Command::new("python3").env("PYTHONDONTWRITEBYTECODE", "1").arg(script).arg(&folder).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    assert!(output.status.success() && said.contains(&format!("{count} answers")), "{said}");
}
