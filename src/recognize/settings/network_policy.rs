//! Network policies of Kubernetes: whom they select, and who may reach those or be reached by them.
//!
//! Format: `NetworkPolicy` of networking.k8s.io/v1. Never here: what several policies let through together.

use super::Reading;
use super::file::File;
use super::kubernetes::{self, NETWORK, kind, title};
use super::tree::Node;
use crate::domain::Facts;

pub(super) fn read(file: &File<'_>) -> Option<Reading> {
    let (mut reading, objects) = kubernetes::read(file, |object| kind(object) == NETWORK, judge)?;
    let mut policies = Facts::new();
    for object in &objects {
        let mut lines = describe(object);
        lines.sort();
        lines.dedup();
        policies.set(title(object), lines);
    }
    reading.facts.set("policies", policies);
    Some(reading)
}

/// The two ways of traffic with the keys of their peers.
const WAYS: [(&str, &str); 2] = [("ingress", "from"), ("egress", "to")];

/// An empty rule, one with an empty peer list, or one that names every address lets everyone in.
fn judge(object: &Node, reading: &mut Reading) {
    // Going out anywhere is common and less grave.
    let rules = object.at(&["spec", "ingress"]).map(Node::items).unwrap_or_default();
    let open = rules.iter().find_map(|rule| match rule.get("from") {
        None => rule.entries().is_empty().then_some(rule.line),
        Some(from) if from.items().is_empty() => Some(rule.line),
        Some(from) if rule.get("ports").is_none() => from.items().iter().find_map(every_address),
        Some(_) => None,
    });
    if let Some(line) = open {
        reading.observe("network-policy-allow-all", line, "everyone may connect to these pods");
    }
}

fn every_address(peer: &Node) -> Option<u32> {
    let block = peer.get("ipBlock").filter(|block| block.get("except").is_none())?;
    block.get("cidr").filter(|cidr| matches!(cidr.text(), Some("0.0.0.0/0" | "::/0"))).map(|cidr| cidr.line)
}

/// `isolates Ingress`, `selects app=web`, `ingress from 10.0.0.0/8 on TCP 443`.
fn describe(object: &Node) -> Vec<String> {
    let Some(spec) = object.get("spec") else { return Vec::new() };
    let mut lines: Vec<String> = match spec.get("policyTypes") {
        Some(types) => types.texts().iter().map(|way| format!("isolates {way}")).collect(),
        // Without a word on it, traffic that comes in is meant, and what goes out where there are rules for it.
        None => ["isolates Ingress"]
            .into_iter()
            .chain(spec.get("egress").map(|_| "isolates Egress"))
            .map(str::to_owned)
            .collect(),
    };
    lines.push(format!(
        "selects {}",
        spec.get("podSelector").map_or_else(|| "every pod".to_owned(), |s| selector(s, "pod"))
    ));
    for (way, key) in WAYS {
        for rule in spec.get(way).map(Node::items).unwrap_or_default() {
            let peers = rule.get(key).map(Node::items).unwrap_or_default();
            let peers: Vec<String> =
                if peers.is_empty() { vec!["anyone".to_owned()] } else { peers.iter().map(peer).collect() };
            let ports = rule.get("ports").map(Node::items).unwrap_or_default();
            let ports: Vec<String> =
                if ports.is_empty() { vec!["every port".to_owned()] } else { ports.iter().map(port).collect() };
            lines.extend(
                peers.iter().flat_map(|peer| ports.iter().map(move |port| format!("{way} {key} {peer} on {port}"))),
            );
        }
    }
    lines
}

fn peer(node: &Node) -> String {
    if let Some(block) = node.get("ipBlock") {
        let cidr = block.text_at("cidr").unwrap_or("?");
        let except = block.get("except").map(Node::texts).unwrap_or_default();
        return if except.is_empty() { cidr.to_owned() } else { format!("{cidr} except {}", except.join(",")) };
    }
    let part = |key: &str, of: &str| node.get(key).map(|inner| selector(inner, of));
    match (part("podSelector", "pod"), part("namespaceSelector", "namespace")) {
        (Some(pods), Some(spaces)) => format!("{pods} in {spaces}"),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => "anyone".to_owned(),
    }
}

/// `pod app=web,tier in (a|b)`, or `every pod`.
pub(super) fn selector(node: &Node, of: &str) -> String {
    let labels = node.get("matchLabels").map(Node::entries).unwrap_or_default();
    let mut terms: Vec<String> =
        labels.iter().map(|(name, value)| format!("{name}={}", value.scalar().unwrap_or_default())).collect();
    terms.extend(node.get("matchExpressions").map(Node::items).unwrap_or_default().iter().map(|term| {
        let part = |key| term.text_at(key).unwrap_or_default();
        let values = term.get("values").map(Node::texts).unwrap_or_default().join("|");
        format!("{} {} ({values})", part("key"), part("operator"))
    }));
    terms.sort();
    if terms.is_empty() { format!("every {of}") } else { format!("{of} {}", terms.join(",")) }
}

fn port(node: &Node) -> String {
    let protocol = node.text_at("protocol").unwrap_or("TCP");
    let first = node.get("port").and_then(Node::scalar).unwrap_or("any");
    match node.get("endPort").and_then(Node::scalar) {
        Some(last) => format!("{protocol} {first}-{last}"),
        None => format!("{protocol} {first}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{facts, rules};
    use crate::domain::Fact;

    #[test]
    fn a_policy_that_names_its_peers_is_silent() {
        let policy = |rule: &str| {
            format!(
                "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: a}}\nspec:\n  podSelector: {{}}\n  {rule}\n"
            )
        };
        assert_eq!(rules("a.yaml", &policy("ingress: [{from: [{podSelector: {}}]}]")), []);
        assert_eq!(rules("a.yaml", &policy("policyTypes: [Ingress]")), []);
        assert_eq!(
            rules("a.yaml", &policy("ingress: [{ports: [{port: 1}], from: []}]")),
            [("network-policy-allow-all", Some(6))]
        );
        let block = |inner: &str| policy(&format!("ingress: [{{from: [{{ipBlock: {{cidr: 0.0.0.0/0{inner}}}}}]}}]"));
        assert_eq!(rules("a.yaml", &block("")), [("network-policy-allow-all", Some(6))]);
        assert_eq!(rules("a.yaml", &block(", except: [10.0.0.0/8]")), []);
    }

    #[test]
    fn who_may_reach_whom_is_a_fact_of_each_policy() {
        let text = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a}\nspec:\n  podSelector: {matchLabels: {app: web}}\n  \
                    ingress:\n  - from: [{podSelector: {}, namespaceSelector: {matchLabels: {team: x}}}, {ipBlock: {cidr: 10.0.0.0/8}}]\n    \
                    ports: [{port: 443}, {port: dns, protocol: UDP}]\n";
        let found = facts("a.yaml", text);
        let Some(Fact::Map(policies)) = found.find("policies") else { panic!("{found:?}") };
        let wanted = [
            "ingress from 10.0.0.0/8 on TCP 443",
            "ingress from 10.0.0.0/8 on UDP dns",
            "ingress from every pod in namespace team=x on TCP 443",
            "ingress from every pod in namespace team=x on UDP dns",
            "isolates Ingress",
            "selects pod app=web",
        ];
        assert_eq!(policies.find("NetworkPolicy/a"), Some(&wanted.to_vec().into()));
    }
}
