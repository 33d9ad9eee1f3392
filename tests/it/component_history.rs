//! What became of components, as `log` tells it.

use serde_json::Value;

use crate::support::Repo;

fn lock(packages: &[(&str, &str, &str)]) -> String {
    let package = |(name, version, hash): &(&str, &str, &str)| {
        format!(
            "\"node_modules/{name}\": {{\"version\": \"{version}\", \
             \"resolved\": \"https://registry.npmjs.org/{name}/-/{name}-{version}.tgz\", \"integrity\": \"{hash}\"}}"
        )
    };
    let packages: Vec<String> = packages.iter().map(package).collect();
    format!("{{\"lockfileVersion\": 3, \"packages\": {{\"\": {{}}, {}}}}}", packages.join(", "))
}

const ONE: &str = "sha1-AAECAwQFBgcICQoLDA0ODxAREhM=";
const OTHER: &str = "sha1-BBECAwQFBgcICQoLDA0ODxAREhM=";

/// Commits in which components come, rise, are altered, fall and go.
fn moved() -> Repo {
    let repo = Repo::sample(&[]);
    for (message, packages) in [
        ("Come", &[("a", "1.9.0", ONE), ("b", "1.0.0", ONE)][..]),
        ("Rise", &[("a", "1.10.0", ONE), ("b", "1.0.0", ONE)]),
        ("Alter", &[("a", "1.10.0", OTHER), ("b", "1.0.0", ONE)]),
        ("Fall", &[("a", "1.9.0", ONE), ("b", "1.0.0", ONE)]),
        ("Go", &[("a", "1.9.0", ONE)]),
    ] {
        repo.write("web/package-lock.json", lock(packages));
        repo.commit(message);
    }
    repo.write("etc/sshd_config", "PermitRootLogin yes\nPort 22\n");
    repo.commit("Open");
    repo
}

fn told(answer: &Value) -> Vec<String> {
    let purl = |side: &Value| side["purl"].as_str().unwrap_or("-").trim_start_matches("pkg:").to_owned();
    let event = |event: &Value| {
        let op = event["op"].as_str().unwrap();
        if event["kind"] != "component" {
            return format!("{op} {}", event["path"].as_str().unwrap());
        }
        assert_eq!(event["class"], "component");
        format!("{op} {} {} in {}", purl(&event["from"]), purl(&event["to"]), event["path"].as_str().unwrap())
    };
    answer["events"].as_array().unwrap().iter().map(event).collect()
}

const LOCK: &str = "web/package-lock.json";

#[test]
fn components_come_rise_are_altered_fall_and_go() {
    let repo = moved();
    let log = repo.baseline(&["log", LOCK, "--format", "json"]).exits(0).json();
    assert_eq!(
        told(&log),
        [
            format!("removed npm/b@1.0.0 - in {LOCK}"),
            format!("downgraded npm/a@1.10.0 npm/a@1.9.0 in {LOCK}"),
            format!("altered npm/a@1.10.0 npm/a@1.10.0 in {LOCK}"),
            format!("upgraded npm/a@1.9.0 npm/a@1.10.0 in {LOCK}"),
            format!("added - npm/a@1.9.0 in {LOCK}"),
            format!("added - npm/b@1.0.0 in {LOCK}"),
        ]
    );
    let altered = &log["events"][2];
    assert_eq!(altered["statements"][0]["direction"], "weakened");
    assert_eq!(altered["facts"][0]["name"], "hashes");
    assert_eq!(log["events"][3]["facts"][0]["before"], "1.9.0");
    let text = repo.baseline(&["log", "web"]).exits(0);
    text.shows("altered pkg:npm/a@1.10.0: hash differs at the same version (SHA-1) (weakened)")
        .shows("downgraded pkg:npm/a@1.10.0 → pkg:npm/a@1.9.0: an older version (weakened)");
}

#[test]
fn items_and_components_are_told_apart_by_path_class_kind_and_purl() {
    let repo = moved();
    let log = |words: &[&str]| told(&repo.baseline(&[&["log", "--format", "json"], words].concat()).exits(0).json());
    let all = log(&[]);
    assert_eq!(all[0], "changed etc/sshd_config");
    assert!(all.iter().any(|event| event.starts_with("added - pypi/requests@2.31.0")), "{all:?}");
    assert_eq!(log(&["etc"]).len(), 2);
    assert_eq!(log(&["--kind", "component"]), log(&["pkg:npm", "pkg:pypi"]));
    assert!(log(&["--class", "component"]).iter().any(|event| event.contains("npm/b@1.0.0")));
    assert!(log(&["--class", "hardening"]).iter().all(|event| !event.contains("npm/")));
    assert_eq!(log(&["pkg:npm/b"]).len(), 2);
    assert_eq!(log(&["pkg:npm/a@1.10.0"]).len(), 3);
    assert_eq!(log(&["HEAD~3..HEAD", "pkg:npm"]).len(), 2);
    assert_eq!(log(&["pkg:npm/c"]), Vec::<String>::new());
}

#[test]
fn what_log_tells_of_components_is_what_their_records_hold() {
    let repo = moved();
    repo.begin();
    // On another line of history, so that the reader goes back and forth between lock files.
    repo.git(&["checkout", "--quiet", "-b", "side", "HEAD~3"]);
    repo.write("Cargo.lock", "version = 4\n[[package]]\nname = \"x\"\nversion = \"1.0.0\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\n");
    repo.commit("Aside");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.git(&["merge", "--quiet", "--no-ff", "-m", "Join", "side"]);
    let log = repo.baseline(&["log", "--kind", "component", "--format", "json"]).exits(0).json();
    let all = told(&log);
    let crates: Vec<_> = all.iter().filter(|event| event.contains("cargo/x@1.0.0")).collect();
    assert_eq!(crates.len(), 2, "in its own commit, and in the merge that brings it to the main line: {all:?}");
    for event in log["events"].as_array().unwrap() {
        let commit = event["commit"].as_str().unwrap();
        let from = repo.baseline(&["diff", &format!("{commit}~1"), commit, "--format", "json"]);
        let Ok(diff) = serde_json::from_slice::<Value>(&from.stdout) else { continue };
        let same =
            |delta: &Value| delta["purl_before"] == event["from"]["purl"] && delta["purl_after"] == event["to"]["purl"];
        assert!(diff["components"].as_array().is_some_and(|deltas| deltas.iter().any(same)), "{event}");
    }
}

#[test]
fn packages_of_the_product_itself_stand_apart() {
    let repo = Repo::empty(&[]);
    let registry = "registry+https://github.com/rust-lang/crates.io-index";
    repo.write(
        "Cargo.lock",
        format!(
            "version = 4\n[[package]]\nname = \"own\"\nversion = \"1.0.0\"\ndependencies = [\"itoa\"]\n\
             [[package]]\nname = \"itoa\"\nversion = \"1.0.1\"\nsource = \"{registry}\"\n"
        ),
    );
    repo.write("go.mod", "module example.org/own\n\ngo 1.22\n\nrequire example.org/other v1.2.3\n");
    repo.write("package.json", r#"{"name":"own","version":"2.0.0","workspaces":["packages/*"]}"#);
    repo.write("packages/a/package.json", r#"{"name":"@own/a","version":"0.1.0"}"#);
    repo.write(
        "package-lock.json",
        r#"{"name":"own","version":"2.0.0","lockfileVersion":3,"packages":{"":{"name":"own","version":"2.0.0"},
            "packages/a":{"name":"@own/a","version":"0.1.0"},"node_modules/@own/a":{"resolved":"packages/a","link":true},
            "node_modules/left-pad":{"version":"1.3.0"}}}"#,
    );
    repo.write(
        "uv.lock",
        "version = 1\n[[package]]\nname = \"own\"\nversion = \"0.2.0\"\nsource = { editable = \".\" }\n\
         [[package]]\nname = \"six\"\nversion = \"1.16.0\"\nsource = { registry = \"https://pypi.org/simple\" }\n",
    );
    repo.commit("First");
    let answer = repo.baseline(&["components", "HEAD", "--format", "json"]).exits(0).json();
    let purls = |list: &str| -> Vec<String> {
        let list = answer[list].as_array().unwrap();
        list.iter().map(|entry| entry["purl"].as_str().unwrap().to_owned()).collect()
    };
    let own = [
        "pkg:cargo/own@1.0.0",
        "pkg:golang/example.org/own",
        "pkg:npm/%40own/a@0.1.0",
        "pkg:npm/own@2.0.0",
        "pkg:pypi/own@0.2.0",
    ];
    assert_eq!(purls("first_party"), own);
    let external = [
        "pkg:cargo/itoa@1.0.1",
        "pkg:golang/example.org/other@v1.2.3",
        "pkg:npm/left-pad@1.3.0",
        "pkg:pypi/six@1.16.0",
    ];
    assert_eq!(purls("components"), external);
    repo.baseline(&["components", "HEAD"]).exits(0).shows("and 5 packages of its own");
}
