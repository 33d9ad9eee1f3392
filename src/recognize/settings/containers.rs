//! Containers: how images are built, and what the daemon and the kernel let them do.
//!
//! Formats: Dockerfile reference, `daemon.json`, seccomp profiles. Never here: the images themselves.

use std::collections::{BTreeMap, VecDeque};

use super::file::File;
use super::tree::{self, Node};
use super::{Kind, Likeness, Reading};
use crate::domain::{Fact, Facts, ItemClass};

pub(super) const KINDS: &[Kind] = &[
    Kind { name: "seccomp-profile", class: ItemClass::Policy, looks: looks_seccomp, read: read_seccomp },
    Kind { name: "docker-daemon", class: ItemClass::Hardening, looks: looks_daemon, read: read_daemon },
    Kind { name: "dockerfile", class: ItemClass::Hardening, looks: looks_dockerfile, read: read_dockerfile },
];

fn looks_seccomp(file: &File<'_>) -> Likeness {
    let plausible = match file.opens_with() {
        Some('{') => file.holds("\"defaultAction\""),
        _ => file.holds("kind: SeccompProfile"),
    };
    if plausible && file.holds("SCMP_ACT_") { Likeness::Maybe } else { Likeness::None }
}

/// A profile stands alone, in the configuration of an OCI runtime, or in an object of the Security Profiles Operator.
fn read_seccomp(file: &File<'_>) -> Option<Reading> {
    let document = match file.opens_with() {
        Some('{') => tree::json(file.text())?,
        _ => {
            tree::yaml(file.text())?.into_iter().find(|document| document.text_at("kind") == Some("SeccompProfile"))?
        }
    };
    let document = document.at(&["linux", "seccomp"]).or_else(|| document.get("spec")).unwrap_or(&document);
    let default = document.get("defaultAction")?;
    let action = default.text().filter(|action| action.starts_with("SCMP_ACT_"))?;
    let mut reading = Reading::default();
    if ["SCMP_ACT_ALLOW", "SCMP_ACT_LOG"].contains(&action) {
        reading.observe("seccomp-default-allow", default.line, "system calls that are not listed are allowed");
    }
    reading.facts.set("defaultAction", action);
    let mut calls: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for rule in document.get("syscalls").map(Node::items).unwrap_or_default() {
        let names = rule.get("names").or_else(|| rule.get("name")).map(Node::texts).unwrap_or_default();
        let action = rule.text_at("action").unwrap_or_default();
        calls.entry(action.to_owned()).or_default().extend(names.into_iter().map(str::to_owned));
    }
    let mut facts = Facts::new();
    for (action, mut names) in calls {
        names.sort();
        names.dedup();
        facts.set(action, names);
    }
    reading.facts.set("syscalls", facts);
    Some(reading)
}

/// Keys that only the daemon's file has.
const DAEMON: [&str; 10] = [
    "\"insecure-registries\"",
    "\"userns-remap\"",
    "\"live-restore\"",
    "\"tlsverify\"",
    "\"icc\"",
    "\"userland-proxy\"",
    "\"no-new-privileges\"",
    "\"exec-opts\"",
    "\"storage-driver\"",
    "\"registry-mirrors\"",
];

fn looks_daemon(file: &File<'_>) -> Likeness {
    let named = file.name() == "daemon.json" && (file.is_under("docker") || file.is_under("etc"));
    Likeness::named_or(named, || {
        let least = if file.name() == "daemon.json" { 1 } else { 2 };
        file.opens_with() == Some('{') && DAEMON.iter().filter(|key| file.head_holds(key)).count() >= least
    })
}

fn read_daemon(file: &File<'_>) -> Option<Reading> {
    let document = tree::json(file.text())?;
    if !matches!(document.value, tree::Value::Map(_)) {
        return None;
    }
    let mut reading = Reading::default();
    let verified = document.get("tlsverify").is_some_and(Node::is_true);
    for host in document.get("hosts").map(Node::items).unwrap_or_default() {
        let text = host.text().unwrap_or_default();
        let local = ["tcp://127.", "tcp://localhost", "tcp://[::1]"].iter().any(|own| text.starts_with(own));
        if text.starts_with("tcp://") && !verified && !local {
            let message = format!("{} gives root to whoever connects", text.escape_debug());
            reading.observe("docker-socket-exposed", host.line, message);
        }
    }
    if let Some(registries) = document.get("insecure-registries").filter(|list| !list.items().is_empty()) {
        let names = registries.texts().join(", ");
        let message = format!("images come from {} unverified", names.escape_debug());
        reading.observe("docker-insecure-registry", registries.line, message);
    }
    for (name, node) in document.entries() {
        // Proxies may carry a password in their address.
        if name != "proxies" {
            reading.facts.set_some(name.as_str(), fact(node));
        }
    }
    Some(reading)
}

fn fact(node: &Node) -> Option<Fact> {
    match &node.value {
        tree::Value::Flag(flag) => Some((*flag).into()),
        tree::Value::Text(text) => Some(text.as_str().into()),
        tree::Value::Number(number) => Some(number.parse::<i64>().map_or_else(|_| number.as_str().into(), Fact::from)),
        tree::Value::List(_) => Some(node.texts().into()),
        tree::Value::Map(_) | tree::Value::Null => None,
    }
}

fn looks_dockerfile(file: &File<'_>) -> Likeness {
    const NAMES: [&str; 2] = ["dockerfile", "containerfile"];
    let stem = file.name().split('.').next().unwrap_or_default();
    Likeness::named_or(NAMES.contains(&file.name()), || {
        NAMES.contains(&stem) || file.has_ending("dockerfile") || builds_image(file)
    })
}

/// Says whether a file without an ending begins with FROM and has nothing but instructions.
fn builds_image(file: &File<'_>) -> bool {
    const INSTRUCTIONS: [&str; 18] = [
        "ADD",
        "ARG",
        "CMD",
        "COPY",
        "ENTRYPOINT",
        "ENV",
        "EXPOSE",
        "FROM",
        "HEALTHCHECK",
        "LABEL",
        "MAINTAINER",
        "ONBUILD",
        "RUN",
        "SHELL",
        "STOPSIGNAL",
        "USER",
        "VOLUME",
        "WORKDIR",
    ];
    let first = file.first_lines(&['#']).next().unwrap_or_default();
    if file.name().contains('.') || !(first.starts_with("FROM ") || first.starts_with("ARG ")) {
        return false;
    }
    let words: Vec<String> = file.joined_lines(&['#']).into_iter().map(|(_, line)| first_word(&line)).collect();
    words.len() > 1
        && words.iter().any(|word| word == "FROM")
        && words.iter().all(|word| INSTRUCTIONS.contains(&word.as_str()))
}

fn first_word(line: &str) -> String {
    line.split_whitespace().next().unwrap_or_default().to_owned()
}

fn read_dockerfile(file: &File<'_>) -> Option<Reading> {
    let mut reading = Reading::default();
    let mut images: Vec<String> = Vec::new();
    let mut users_of_stages: BTreeMap<String, Option<String>> = BTreeMap::new();
    let (mut stage, mut user) = (String::new(), None);
    // The words that end the texts which an instruction was given.
    let mut texts: VecDeque<String> = VecDeque::new();
    for (line, text) in file.joined_lines(&['#']) {
        if let Some(end) = texts.front() {
            if text == *end {
                texts.pop_front();
            }
            continue;
        }
        // The blanks inside a template's expression do not end a word.
        let text = if text.contains("{{") { text.replace("{{ ", "{{").replace(" }}", "}}") } else { text };
        let mut words = text.split_whitespace();
        let instruction = words.next().unwrap_or_default().to_ascii_uppercase();
        let rest: Vec<&str> = words.filter(|word| !word.starts_with("--")).collect();
        if ["RUN", "COPY", "ADD"].contains(&instruction.as_str()) {
            texts.extend(rest.iter().filter_map(|word| text_mark(word)));
        }
        match (instruction.as_str(), rest.as_slice()) {
            ("FROM", [image, name @ ..]) => {
                // A stage built on another begins with its user; a base image's user is not known.
                users_of_stages.insert(std::mem::take(&mut stage), user);
                let base = users_of_stages.get(&image.to_ascii_lowercase());
                user = base.cloned().flatten();
                if base.is_none() {
                    judge_image(image, line, &mut reading);
                    images.push(image.replace("{{", "{{ ").replace("}}", " }}"));
                }
                stage = name.get(1).copied().unwrap_or_default().to_ascii_lowercase();
            }
            ("USER", [name, ..]) => user = Some((*name).to_owned()),
            _ => {}
        }
    }
    if images.is_empty() {
        return None;
    }
    let name = user.as_deref().map(|user| user.split(':').next().unwrap_or_default());
    if name.is_none_or(|name| name == "root" || name == "0") {
        reading.observe_whole("dockerfile-root-user", "the image's programs run as root");
    }
    reading.facts.set("base_images", images);
    reading.facts.set_some("user", user);
    Some(reading)
}

/// `<<EOF`, `<<-"EOF"`: the word that ends the text.
fn text_mark(word: &str) -> Option<String> {
    let mark = word.strip_prefix("<<")?.trim_start_matches('-').trim_matches(['"', '\'']);
    mark.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_').then(|| mark.to_owned())
}

/// An image is pinned by digest, or at least has a version; `latest` and none are not.
pub(super) fn judge_image(image: &str, line: u32, reading: &mut Reading) {
    if !is_pinned(image) {
        let message = format!("{} can change under its name", image.escape_debug());
        reading.observe("image-not-pinned", line, message);
    }
}

fn is_pinned(image: &str) -> bool {
    if image == "scratch" || image.contains("@sha256:") || image.contains('$') || image.contains("{{") {
        return true;
    }
    let last = image.rsplit('/').next().unwrap_or_default();
    last.split_once(':').is_some_and(|(_, tag)| !tag.is_empty() && tag != "latest")
}

#[cfg(test)]
mod tests {
    use super::super::tests::{facts, kind_of, rules};

    #[test]
    fn the_user_of_the_last_stage_counts() {
        let root = [("dockerfile-root-user", None)];
        assert_eq!(rules("Dockerfile", "FROM a:1 AS b\nUSER app\nFROM c:2\nRUN x \\\n  y\n"), root);
        assert_eq!(rules("Dockerfile", "FROM a:1 AS b\nUSER app:app\nFROM b\nRUN x\n"), []);
        assert_eq!(rules("app/prod.Dockerfile", "from a:1\nuser 0:0\n"), root);
        let given =
            "FROM a:1\nRUN <<EOF bash\nUSER x\nFROM y\nEOF\nCOPY <<-'A' <<B /z\nFROM b\nA\nUSER c\nB\nUSER app\n";
        assert_eq!(rules("Dockerfile", given), []);
        assert_eq!(facts("Dockerfile", given).find("base_images"), Some(&vec!["a:1"].into()));
        assert_eq!(rules("Dockerfile.prod", "ARG V=1\nFROM --platform=x a:$V\nUSER 1000\n"), []);
    }

    #[test]
    fn images_need_a_version() {
        for (image, pinned) in [
            ("debian", false),
            ("reg.example.test:5000/app", false),
            ("app:latest", false),
            ("scratch", true),
            ("app:1.2", true),
            ("app@sha256:00", true),
        ] {
            let text = format!("FROM {image}\nUSER app\n");
            assert_eq!(rules("Dockerfile", &text).is_empty(), pinned, "{image}");
        }
        assert_eq!(
            facts("Dockerfile", "FROM a:1 AS x\nFROM x\nUSER b\n").find("base_images"),
            Some(&vec!["a:1"].into())
        );
    }

    #[test]
    fn a_daemon_behind_tls_or_on_the_loopback_is_silent() {
        assert_eq!(
            rules("etc/docker/daemon.json", r#"{"hosts": ["tcp://0.0.0.0:2376", "fd://"], "tlsverify": true}"#),
            []
        );
        assert_eq!(rules("etc/docker/daemon.json", r#"{"hosts": ["tcp://127.0.0.1:2375"]}"#), []);
        let open = "{\n\"hosts\": [\n\"tcp://[::]:2375\"], \"icc\": false, \"live-restore\": true}";
        assert_eq!(rules("x.json", open), [("docker-socket-exposed", Some(3))]);
        assert_eq!(rules("etc/docker/daemon.json", "[]"), [("unreadable", None)]);
    }

    #[test]
    fn a_profile_that_denies_by_default_is_silent() {
        let text =
            r#"{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{"names": ["read"], "action": "SCMP_ACT_ALLOW"}]}"#;
        assert_eq!(rules("a", text), []);
        assert_eq!(kind_of("a", r#"{"defaultAction": "see SCMP_ACT_ALLOW"}"#), None);
        let runtime =
            "{\"ociVersion\": \"1.0.2\", \"linux\": {\"seccomp\": {\n\"defaultAction\": \"SCMP_ACT_ALLOW\"}}}";
        assert_eq!(rules("config.json", runtime), [("seccomp-default-allow", Some(2))]);
        let object = "apiVersion: x/v1\nkind: SeccompProfile\nspec:\n  defaultAction: SCMP_ACT_ERRNO\n";
        assert_eq!(facts("p.yaml", object).text("defaultAction"), Some("SCMP_ACT_ERRNO"));
    }
}
