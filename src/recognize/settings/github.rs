//! What governs a repository's content at a forge: owners of code, and workflows.
//!
//! Formats: CODEOWNERS, workflow syntax of GitHub, Gitea and Forgejo. Never here: what a called action does.

use super::file::File;
use super::tree::{self, Node};
use super::{Kind, Likeness, Reading};
use crate::domain::{Fact, Facts, ItemClass};

pub(super) const KINDS: &[Kind] = &[
    Kind { name: "codeowners", class: ItemClass::AccessControl, looks: looks_owners, read: read_owners },
    Kind { name: "github-workflow", class: ItemClass::Hardening, looks: looks_workflow, read: read_workflow },
];

fn looks_owners(file: &File<'_>) -> Likeness {
    Likeness::named_or(file.name() == "codeowners", || false)
}

fn read_owners(file: &File<'_>) -> Option<Reading> {
    let mut reading = Reading::default();
    let mut owners = Facts::new();
    let (mut rules, mut default, mut order) = (0_i64, false, Vec::new());
    for (_, text) in file.lines(&['#']) {
        // A section of GitLab.
        if text.starts_with(['[', '^']) {
            continue;
        }
        let text = text.split([' ', '\t']).take_while(|word| !word.starts_with('#')).collect::<Vec<_>>().join(" ");
        let mut words = text.split_whitespace();
        let pattern = words.next()?;
        let names: Vec<&str> = words.collect();
        rules += 1;
        default |= ["*", "/**", "**", "/"].contains(&pattern) && !names.is_empty();
        owners.set(pattern, names);
        order.push(pattern.to_owned());
    }
    if !default {
        reading.observe_whole("codeowners-no-default", "nobody owns the files that no pattern names");
    }
    reading.facts.set("rules", rules);
    reading.facts.set("owners", owners);
    // The last pattern that fits decides.
    reading.facts.set("order", order);
    Some(reading)
}

/// Where forges look for workflows.
const FOLDERS: [&str; 3] = [".github/workflows/", ".gitea/workflows/", ".forgejo/workflows/"];

fn looks_workflow(file: &File<'_>) -> Likeness {
    let yaml = file.has_ending("yml") || file.has_ending("yaml");
    let named = yaml && FOLDERS.iter().any(|folder| file.path().contains(folder));
    Likeness::named_or(named, || yaml && file.holds("\njobs:") && file.holds("runs-on:"))
}

fn read_workflow(file: &File<'_>) -> Option<Reading> {
    let documents = tree::yaml(file.text())?;
    let [document] = documents.as_slice() else { return None };
    let jobs = document.get("jobs")?.entries();
    let triggers = document.get("on")?;
    let mut reading = Reading::default();
    judge_triggers(triggers, &mut reading);
    if let Some(permissions) = document.get("permissions") {
        judge_permissions(permissions, &mut reading);
        reading.facts.set("permissions", permissions_fact(permissions));
    }
    let (mut uses, mut job_permissions) = (Vec::new(), Facts::new());
    for (name, job) in jobs {
        if let Some(permissions) = job.get("permissions") {
            judge_permissions(permissions, &mut reading);
            job_permissions.set(name.as_str(), permissions_fact(permissions));
        }
        let steps = job.get("steps").map(Node::items).unwrap_or_default();
        for step in std::iter::once(job).chain(steps) {
            if let Some(action) = step.get("uses") {
                judge_action(action, &mut reading);
                uses.extend(action.text().map(str::to_owned));
            }
            let scripts = [step.get("run"), step.at(&["with", "script"])];
            scripts.into_iter().flatten().for_each(|script| judge_script(script, file.text(), &mut reading));
        }
    }
    uses.sort();
    uses.dedup();
    reading.facts.set("uses", uses);
    reading.facts.set("triggers", trigger_names(triggers));
    if !job_permissions.is_empty() {
        reading.facts.set("job_permissions", job_permissions);
    }
    reading.observations.sort_by_key(|seen| seen.line);
    Some(reading)
}

fn trigger_names(on: &Node) -> Vec<&str> {
    let mut names = on.texts();
    names.extend(on.entries().iter().map(|(name, _)| name.as_str()));
    names.sort_unstable();
    names
}

fn judge_triggers(on: &Node, reading: &mut Reading) {
    let named = on.one_or_many().iter().filter(|node| node.text() == Some("pull_request_target")).map(|node| node.line);
    let keyed = on.entries().iter().filter(|(name, _)| name == "pull_request_target").map(|(_, node)| node.key_line);
    if let Some(line) = named.chain(keyed).next() {
        let message = "code of strangers may run with the rights of this repository";
        reading.observe("workflow-pull-request-target", line, message);
    }
}

fn judge_permissions(permissions: &Node, reading: &mut Reading) {
    if permissions.text() == Some("write-all") {
        reading.observe("workflow-permissions-write-all", permissions.line, "the token may write everything");
    }
}

fn permissions_fact(permissions: &Node) -> Fact {
    if let Some(text) = permissions.scalar() {
        return text.into();
    }
    let mut facts = Facts::new();
    for (name, level) in permissions.entries() {
        facts.set_some(name.as_str(), level.scalar());
    }
    facts.into()
}

/// An action is pinned by the full id of a commit; one of the same repository needs no pin, an image a digest.
fn judge_action(action: &Node, reading: &mut Reading) {
    let Some(text) = action.text() else { return };
    let pinned = match text.rsplit_once('@') {
        _ if text.starts_with("./") => true,
        Some((_, digest)) if text.starts_with("docker://") => digest.starts_with("sha256:"),
        Some((_, id)) => matches!(id.len(), 40 | 64) && id.bytes().all(|c| c.is_ascii_hexdigit()),
        None => false,
    };
    if !pinned {
        let message = format!("{} can change under its name", text.escape_debug());
        reading.observe("workflow-unpinned-action", action.line, message);
    }
}

/// Texts that strangers write, and that a shell would take as commands.
const FOREIGN: [&str; 18] = [
    "github.event.issue.title",
    "github.event.issue.body",
    "github.event.pull_request.title",
    "github.event.pull_request.body",
    "github.event.pull_request.head.ref",
    "github.event.pull_request.head.label",
    "github.event.pull_request.head.repo.default_branch",
    "github.event.comment.body",
    "github.event.review.body",
    "github.event.discussion.",
    "github.event.commits",
    "github.event.head_commit.message",
    "github.event.head_commit.author.",
    "github.event.review_comment.body",
    "github.event.workflow_run.head_branch",
    "github.event.workflow_run.head_commit.message",
    "github.event.pages.",
    "github.head_ref",
];

fn judge_script(script: &Node, file: &str, reading: &mut Reading) {
    let text = script.text().unwrap_or_default();
    let expressions = text.split("${{").skip(1).filter_map(|rest| rest.split("}}").next());
    let mut foreign = expressions.filter_map(|inner| FOREIGN.iter().find(|name| inner.contains(**name)));
    if let Some(name) = foreign.next() {
        // A script of many lines begins below its key; the line at fault is the one with the name.
        let from = script.key_line.min(script.line);
        let mut lines = (from..).zip(file.lines().skip((from as usize).saturating_sub(1)));
        let line = lines.find(|(_, text)| text.contains(name)).map_or(script.line, |(line, _)| line);
        reading.observe("workflow-script-injection", line, format!("{name} is pasted into a script"));
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{facts, rules};

    const SOUND: &str = "on:\n  push:\n  pull_request:\npermissions:\n  contents: read\njobs:\n  a:\n    runs-on: x\n    \
                         steps:\n    - uses: a/b@0123456789012345678901234567890123456789 # v4\n    - uses: ./own\n    \
                         - run: |\n        echo ${{ github.sha }}\n";

    #[test]
    fn a_sound_workflow_is_silent() {
        assert_eq!(rules(".github/workflows/a.yml", SOUND), []);
        assert_eq!(facts("any/where.yml", SOUND).find("triggers"), Some(&vec!["pull_request", "push"].into()));
    }

    #[test]
    fn defects_of_a_workflow_are_told_with_their_lines() {
        let text = SOUND
            .replace("  contents: read", "  contents: read\n")
            .replace("@0123456789012345678901234567890123456789", "@v4")
            .replace("pull_request:", "pull_request_target:")
            .replace("github.sha", "github.head_ref");
        let found: Vec<_> = rules(".github/workflows/a.yml", &text).into_iter().map(|(rule, _)| rule).collect();
        assert_eq!(found, ["workflow-pull-request-target", "workflow-unpinned-action", "workflow-script-injection"]);
        let many = "on:\n  pull_request_target:\n    types: [opened]\njobs:\n  a:\n    runs-on: x\n    steps:\n    - run: |\n        \
                    ls\n        echo ${{ github.head_ref }}\n";
        let placed = [("workflow-pull-request-target", Some(2)), ("workflow-script-injection", Some(10))];
        assert_eq!(rules(".github/workflows/a.yml", many), placed);
        let broken = rules(".github/workflows/a.yml", "on: [push\n");
        assert_eq!(broken, [("unreadable", None)]);
    }

    #[test]
    fn owners_of_everything_end_the_complaint() {
        assert_eq!(rules("CODEOWNERS", "# x\n* @all\n/keys/ @sec\n"), []);
        assert_eq!(rules("docs/CODEOWNERS", "/keys/ @sec\n"), [("codeowners-no-default", None)]);
    }
}
