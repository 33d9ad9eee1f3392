//! Kubernetes manifests: rights, network policies, pod security and workloads.
//!
//! One file may hold several objects; the gravest decides its kind. Never here: secrets, which other recognisers take.

use super::containers::judge_image;
use super::file::File;
use super::network_policy::{self, selector};
use super::tree::{self, Node};
use super::{Kind, Likeness, Reading};
use crate::domain::{Facts, ItemClass};

pub(super) const KINDS: &[Kind] = &[
    Kind { name: "k8s-rbac", class: ItemClass::AccessControl, looks: |file| looks(file, &RIGHTS), read: read_rights },
    Kind {
        name: "k8s-network-policy",
        class: ItemClass::Policy,
        looks: |file| looks(file, &[NETWORK]),
        read: network_policy::read,
    },
    Kind { name: "k8s-pod-security", class: ItemClass::Policy, looks: looks_pod_security, read: read_pod_security },
    Kind {
        name: "k8s-workload",
        class: ItemClass::Hardening,
        looks: |file| looks(file, &WORKLOADS),
        read: read_workload,
    },
];

const RIGHTS: [&str; 4] = ["Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"];
pub(super) const NETWORK: &str = "NetworkPolicy";
const WORKLOADS: [&str; 8] =
    ["Pod", "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "CronJob"];

/// Versions that were removed, and what stands in their place.
const REMOVED: [(&str, &str, &str); 7] = [
    ("policy/v1beta1", "", "policy/v1"),
    ("extensions/v1beta1", "", "apps/v1 or networking.k8s.io/v1"),
    ("apps/v1beta1", "", "apps/v1"),
    ("apps/v1beta2", "", "apps/v1"),
    ("batch/v1beta1", "CronJob", "batch/v1"),
    ("rbac.authorization.k8s.io/v1beta1", "", "rbac.authorization.k8s.io/v1"),
    ("networking.k8s.io/v1beta1", "", "networking.k8s.io/v1"),
];

/// Says whether a key `kind` with one of these values stands in the file; only then is it worth parsing.
fn looks(file: &File<'_>, kinds: &[&str]) -> Likeness {
    let plausible = ["yaml", "yml", "json"].iter().any(|ending| file.has_ending(ending)) || !file.name().contains('.');
    if !plausible || !file.holds("apiVersion") {
        return Likeness::None;
    }
    let text = file.text();
    let stands = memchr::memmem::find_iter(text.as_bytes(), "kind").any(|at| {
        let rest = text.get(at + 4..).unwrap_or_default().trim_start_matches('"').trim_start();
        let value = rest.strip_prefix(':').map(|value| value.trim_start_matches([' ', '"', '\'']));
        value.is_some_and(|value| {
            let end = value.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(value.len());
            value.get(..end).is_some_and(|word| word == "List" || kinds.contains(&word))
        })
    });
    if stands { Likeness::Maybe } else { Likeness::None }
}

fn looks_pod_security(file: &File<'_>) -> Likeness {
    let labelled = if file.holds(LEVEL) { looks(file, &["Namespace"]) } else { Likeness::None };
    if labelled == Likeness::None {
        looks(file, &[ADMISSION, "PodSecurityConfiguration", OLD_POLICY])
    } else {
        labelled
    }
}

/// Returns the objects of a file, those of lists included; none when they are not of Kubernetes.
fn objects(file: &File<'_>) -> Option<Vec<Node>> {
    let documents = match file.opens_with() {
        Some('{') => vec![tree::json(file.text())?],
        _ => tree::yaml(file.text())?,
    };
    let is_object = |node: &Node| node.text_at("apiVersion").is_some() && node.text_at("kind").is_some();
    if documents.is_empty() || !documents.iter().all(is_object) {
        return None;
    }
    let mut objects = Vec::new();
    for document in documents {
        match document.text_at("kind") {
            Some("List") => objects.extend(document.get("items").map(Node::items).unwrap_or_default().iter().cloned()),
            _ => objects.push(document),
        }
    }
    Some(objects)
}

pub(super) fn kind(object: &Node) -> &str {
    object.text_at("kind").unwrap_or_default()
}

pub(super) fn title(object: &Node) -> String {
    let name = object.at(&["metadata", "name"]).and_then(Node::scalar).unwrap_or("-");
    match object.at(&["metadata", "namespace"]).and_then(Node::scalar) {
        Some(space) => format!("{}/{space}/{name}", kind(object)),
        None => format!("{}/{name}", kind(object)),
    }
}

/// Reads the objects of a file when one is wanted: names them all, judges versions, then each wanted one. Returns the
/// wanted ones too.
pub(super) fn read(
    file: &File<'_>,
    wanted: impl Fn(&Node) -> bool,
    judge: impl Fn(&Node, &mut Reading),
) -> Option<(Reading, Vec<Node>)> {
    let objects = objects(file)?;
    if !objects.iter().any(&wanted) {
        return None;
    }
    let mut reading = Reading::default();
    for object in &objects {
        judge_version(object, &mut reading);
        if wanted(object) {
            judge(object, &mut reading);
        }
    }
    reading.facts.set("objects", objects.iter().map(title).collect::<Vec<_>>());
    reading.observations.sort_by_key(|seen| seen.line);
    Some((reading, objects.into_iter().filter(wanted).collect()))
}

fn judge_version(object: &Node, reading: &mut Reading) {
    let Some(version) = object.get("apiVersion") else { return };
    let used = version.text().unwrap_or_default();
    let removed = REMOVED.iter().find(|(old, of, _)| *old == used && (of.is_empty() || *of == kind(object)));
    if let Some((old, _, new)) = removed {
        reading.observe("api-version-deprecated", version.line, format!("{old} was removed; use {new}"));
    }
}

fn read_rights(file: &File<'_>) -> Option<Reading> {
    let (mut reading, objects) = read(file, |object| RIGHTS.contains(&kind(object)), judge_rights)?;
    let mut grants = Facts::new();
    for object in &objects {
        grants.set(title(object), describe_rights(object));
    }
    reading.facts.set("grants", grants);
    Some(reading)
}

fn describe_rights(object: &Node) -> Vec<String> {
    let joined = |node: &Node, key| {
        let mut names = node.get(key).map(Node::texts).unwrap_or_default();
        names.sort_unstable();
        names.join(",")
    };
    let rules = object.get("rules").map(Node::items).unwrap_or_default().iter();
    let describe = |rule: &Node| {
        let paths = joined(rule, "nonResourceURLs");
        if !paths.is_empty() {
            return format!("{} {paths}", joined(rule, "verbs"));
        }
        let only = joined(rule, "resourceNames");
        let only = if only.is_empty() { only } else { format!(" named {only}") };
        format!("{} {}/{}{only}", joined(rule, "verbs"), joined(rule, "apiGroups"), joined(rule, "resources"))
    };
    let mut lines: Vec<String> = rules.map(describe).collect();
    if let Some(sources) = object.at(&["aggregationRule", "clusterRoleSelectors"]) {
        lines.extend(sources.items().iter().map(|labels| format!("rules of roles with {}", selector(labels, "role"))));
    }
    let part = |node: &Node, key| node.text_at(key).unwrap_or("-").to_owned();
    if let Some(role) = object.get("roleRef") {
        let subjects = object.get("subjects").map(Node::items).unwrap_or_default().iter();
        let role = format!("{}/{}", part(role, "kind"), part(role, "name"));
        lines.extend(subjects.map(|subject| {
            let space = subject.text_at("namespace").map(|space| format!("{space}/")).unwrap_or_default();
            format!("{role} to {}/{space}{}", part(subject, "kind"), part(subject, "name"))
        }));
    }
    lines.sort();
    lines
}

fn judge_rights(object: &Node, reading: &mut Reading) {
    let find = |rule: &'_ Node, key: &str, wanted: &[&str]| -> Option<Node> {
        rule.get(key)?.find_text(|text| wanted.contains(&text)).cloned()
    };
    for rule in object.get("rules").map(Node::items).unwrap_or_default() {
        let any = |key| find(rule, key, &["*"]);
        let secrets = find(rule, "resources", &["secrets"]).filter(|_| rule.get("resourceNames").is_none());
        // What may be done says more than to what.
        if let Some(all) = any("verbs").or_else(|| any("resources")) {
            reading.observe("rbac-wildcard", all.line, "every verb or every resource is granted");
        } else if let Some(secrets) = secrets.filter(|_| find(rule, "verbs", &["get", "list", "watch"]).is_some()) {
            reading.observe("rbac-secrets-read", secrets.line, "every secret may be read");
        }
    }
    if let Some(name) = object.at(&["roleRef", "name"]).filter(|name| name.text() == Some("cluster-admin")) {
        reading.observe("rbac-cluster-admin", name.line, "every right on the cluster is granted");
    }
}

const LEVEL: &str = "pod-security.kubernetes.io/enforce";
const ADMISSION: &str = "AdmissionConfiguration";
const OLD_POLICY: &str = "PodSecurityPolicy";

/// The level that a name space, or the configuration of the admission for all of them, enforces.
fn level(object: &Node) -> Option<&Node> {
    match kind(object) {
        "Namespace" => object.at(&["metadata", "labels", LEVEL]),
        "PodSecurityConfiguration" => object.at(&["defaults", "enforce"]),
        ADMISSION => {
            let mut plugins = object.get("plugins").map(Node::items).unwrap_or_default().iter();
            plugins.find_map(|plugin| plugin.at(&["configuration", "defaults", "enforce"]))
        }
        _ => None,
    }
}

fn read_pod_security(file: &File<'_>) -> Option<Reading> {
    let wanted = |object: &Node| level(object).is_some() || kind(object) == OLD_POLICY;
    let (mut reading, spaces) = read(file, wanted, judge_pod_security)?;
    reading.facts.set_some("enforce", spaces.iter().find_map(level).and_then(Node::text));
    for old in spaces.iter().filter(|object| kind(object) == OLD_POLICY) {
        for (name, node) in old.get("spec").map(Node::entries).unwrap_or_default() {
            if let tree::Value::Flag(flag) = node.value {
                reading.facts.set(name.as_str(), flag);
            }
        }
    }
    Some(reading)
}

fn judge_pod_security(object: &Node, reading: &mut Reading) {
    let old = object.at(&["spec", "privileged"]).filter(|flag| kind(object) == OLD_POLICY && flag.is_true());
    if let Some(open) = level(object).filter(|level| level.text() == Some("privileged")).or(old) {
        reading.observe("pod-security-privileged", open.line, "pods may do everything");
    }
}

fn pod(object: &Node) -> Option<&Node> {
    match kind(object) {
        "Pod" => object.get("spec"),
        "CronJob" => object.at(&["spec", "jobTemplate", "spec", "template", "spec"]),
        _ => object.at(&["spec", "template", "spec"]),
    }
}

fn containers(object: &Node) -> impl Iterator<Item = &Node> {
    let lists = ["initContainers", "containers", "ephemeralContainers"].into_iter();
    lists.filter_map(move |list| pod(object)?.get(list)).flat_map(Node::items)
}

fn read_workload(file: &File<'_>) -> Option<Reading> {
    let (mut reading, workloads) = read(file, |object| WORKLOADS.contains(&kind(object)), judge_workload)?;
    let images: Vec<&str> =
        workloads.iter().flat_map(containers).filter_map(|container| container.text_at("image")).collect();
    reading.facts.set("images", images);
    let mut security = Facts::new();
    for workload in &workloads {
        for container in containers(workload) {
            let own = describe_security(container);
            if !own.is_empty() {
                let name = container.text_at("name").unwrap_or("-");
                security.set(format!("{} {name}", title(workload)), own);
            }
        }
        let own = pod(workload).map(describe_security).unwrap_or_default();
        if !own.is_empty() {
            security.set(title(workload), own);
        }
    }
    if !security.is_empty() {
        reading.facts.set("security", security);
    }
    Some(reading)
}

/// The security context of a container or pod, and what of its host it shares.
fn describe_security(node: &Node) -> Facts {
    let mut facts = Facts::new();
    let shared = ["hostNetwork", "hostPID", "hostIPC"].map(|name| (name, node.get(name)));
    let context = node.get("securityContext");
    let own = ["privileged", "allowPrivilegeEscalation", "readOnlyRootFilesystem", "runAsNonRoot", "runAsUser"];
    let own = own.map(|name| (name, context.and_then(|context| context.get(name))));
    for (name, value) in shared.into_iter().chain(own) {
        match value.map(|value| &value.value) {
            Some(tree::Value::Flag(flag)) => facts.set(name, *flag),
            Some(tree::Value::Number(number)) => facts.set(name, number.as_str()),
            _ => {}
        }
    }
    for (key, name) in [("add", "added_capabilities"), ("drop", "dropped_capabilities")] {
        if let Some(list) = context.and_then(|context| context.at(&["capabilities", key])) {
            facts.set(name, list.texts());
        }
    }
    facts
}

fn judge_workload(object: &Node, reading: &mut Reading) {
    for container in containers(object) {
        if let Some(image) = container.get("image") {
            judge_image(image.text().unwrap_or_default(), image.line, reading);
        }
        if let Some(flag) = container.at(&["securityContext", "privileged"]).filter(|flag| flag.is_true()) {
            reading.observe("k8s-privileged-container", flag.line, "the container has every right on its host");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{facts, kind_of, rules};

    fn role(rule: &str) -> String {
        format!("apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {{name: a}}\nrules:\n- {rule}\n")
    }

    #[test]
    fn wildcards_and_secrets_in_roles_are_told() {
        let all = role("{apiGroups: [''], resources: [pods], verbs: ['*']}");
        assert_eq!(rules("a.yaml", &all), [("rbac-wildcard", Some(5))]);
        let secrets = role("{apiGroups: [''], resources: [secrets], verbs: [get]}");
        assert_eq!(rules("a.yaml", &secrets), [("rbac-secrets-read", Some(5))]);
        let one = role("{apiGroups: [''], resources: [secrets], verbs: [get], resourceNames: [a]}");
        assert_eq!(rules("a.yaml", &one), []);
    }

    #[test]
    fn levels_of_pod_security_are_found_where_they_are_set() {
        let admission = "apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\nplugins:\n- name: PodSecurity\n  \
                         configuration:\n    apiVersion: a/v1\n    kind: PodSecurityConfiguration\n    defaults:\n      enforce: privileged\n";
        assert_eq!(rules("a.yaml", admission), [("pod-security-privileged", Some(9))]);
        assert_eq!(facts("a.yaml", &admission.replace("privileged", "baseline")).text("enforce"), Some("baseline"));
        let old =
            "apiVersion: policy/v1beta1\nkind: PodSecurityPolicy\nmetadata: {name: a}\nspec:\n  privileged: true\n";
        assert_eq!(rules("a.yaml", old), [("api-version-deprecated", Some(1)), ("pod-security-privileged", Some(5))]);
    }

    #[test]
    fn old_versions_and_loose_images_are_told_in_workloads() {
        let text = "apiVersion: batch/v1beta1\nkind: CronJob\nmetadata: {name: a, namespace: b}\nspec:\n  jobTemplate:\n    spec:\n      \
                    template:\n        spec:\n          containers:\n          - image: x\n            securityContext: {privileged: false}\n";
        assert_eq!(rules("a.yml", text), [("api-version-deprecated", Some(1)), ("image-not-pinned", Some(10))]);
        let security = facts("a.yml", text).find("security").map(ToString::to_string);
        assert_eq!(security.as_deref(), Some("[CronJob/b/a -=[privileged=false]]"));
        assert_eq!(facts("a.yml", text).find("objects"), Some(&vec!["CronJob/b/a"].into()));
    }

    #[test]
    fn other_objects_and_templates_are_not_taken() {
        for text in [
            "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n",
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n",
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ .Name }}\n{{- end }}\n",
            "kind: apiVersion\n",
        ] {
            assert_eq!(kind_of("a.yaml", text), None, "{text}");
        }
    }
}
