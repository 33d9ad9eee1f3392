//! Terraform: resources of a configuration, and the providers that its lock file pins.
//!
//! Lines and braces are enough for facts; expressions are not evaluated. Never here: variables' values.

use super::file::{File, unquoted};
use super::{Kind, Likeness, Reading};
use crate::domain::{Facts, ItemClass};

pub(super) const KINDS: &[Kind] = &[
    Kind { name: "terraform-lock", class: ItemClass::Component, looks: looks_lock, read: read_lock },
    Kind { name: "terraform", class: ItemClass::AccessControl, looks: looks_resources, read: read_resources },
];

fn looks_lock(file: &File<'_>) -> Likeness {
    let content = || file.has_ending("hcl") && file.head_holds("provider \"") && file.head_holds("hashes");
    Likeness::named_or(file.name() == ".terraform.lock.hcl", content)
}

fn read_lock(file: &File<'_>) -> Option<Reading> {
    let mut providers = Facts::new();
    let mut provider = "";
    for (_, text) in file.lines(&['#']) {
        if let Some(rest) = text.strip_prefix("provider ") {
            provider = unquoted(rest.trim_end_matches('{').trim());
        } else if let Some(rest) = text.strip_prefix("version").map(str::trim_start)
            && let Some(version) = rest.strip_prefix('=')
        {
            providers.set(provider, unquoted(version.trim()));
        }
    }
    if providers.is_empty() {
        return None;
    }
    let mut reading = Reading::default();
    reading.facts.set("providers", providers);
    Some(reading)
}

fn looks_resources(file: &File<'_>) -> Likeness {
    let plausible =
        file.has_ending("tf") && (file.holds("resource \"") || file.holds("data \"") || file.holds("module \""));
    if plausible { Likeness::Maybe } else { Likeness::None }
}

/// Ports that nobody should reach from everywhere; web servers' are not among them.
const PUBLIC_PORTS: [i64; 2] = [80, 443];

/// What is known of the rule that lines are in.
#[derive(Default)]
struct Ingress {
    depth: usize,
    from: Option<i64>,
    to: Option<i64>,
    world: Option<u32>,
}

fn read_resources(file: &File<'_>) -> Option<Reading> {
    let mut reading = Reading::default();
    let mut resources = Vec::new();
    let mut resource = String::new();
    let mut depth = 0_usize;
    let mut ingress: Option<Ingress> = None;
    for (line, text) in file.lines(&['#', '/']) {
        if depth == 0 && text.starts_with("resource ") {
            let mut names = text.split('"').skip(1).step_by(2);
            if let (Some(kind), Some(name)) = (names.next(), names.next()) {
                kind.clone_into(&mut resource);
                resources.push(format!("{kind}.{name}"));
            }
        }
        let opens = text.starts_with("ingress") && text.contains('{');
        let opens = opens || (depth == 0 && is_ingress_resource(&resource) && text.starts_with("resource "));
        if opens && ingress.is_none() {
            ingress = Some(Ingress { depth, ..Ingress::default() });
        }
        if let Some(ingress) = &mut ingress {
            read_ingress(text, line, ingress);
        }
        judge_policy(text, line, &mut reading);
        let bare = without_texts(text);
        depth = (depth + bare.matches(['{', '[', '(']).count()).saturating_sub(bare.matches(['}', ']', ')']).count());
        if ingress.as_ref().is_some_and(|ingress| depth <= ingress.depth) {
            judge_ingress(&ingress.take().unwrap_or_default(), &mut reading);
        }
    }
    if resources.is_empty() {
        return None;
    }
    reading.facts.set("resources", resources);
    Some(reading)
}

fn is_ingress_resource(kind: &str) -> bool {
    ["aws_security_group_rule", "aws_vpc_security_group_ingress_rule"].contains(&kind)
}

fn without_texts(line: &str) -> String {
    line.split('"').step_by(2).collect()
}

fn read_ingress(text: &str, line: u32, ingress: &mut Ingress) {
    let Some((name, value)) = text.split_once('=') else { return };
    let number = || value.trim().parse::<i64>().ok();
    match name.trim() {
        "from_port" => ingress.from = number(),
        "to_port" => ingress.to = number(),
        "cidr_blocks" | "ipv6_cidr_blocks" | "cidr_ipv4" | "cidr_ipv6"
            if value.contains("\"0.0.0.0/0\"") || value.contains("\"::/0\"") =>
        {
            ingress.world = Some(line);
        }
        // A rule of its own may be for traffic that goes out.
        "type" if value.contains("egress") => ingress.from = Some(-1),
        _ => {}
    }
}

fn judge_ingress(ingress: &Ingress, reading: &mut Reading) {
    let Some(line) = ingress.world else { return };
    let outward = ingress.from == Some(-1);
    let web = ingress.from == ingress.to && ingress.from.is_some_and(|port| PUBLIC_PORTS.contains(&port));
    if !outward && !web {
        let ports = match (ingress.from, ingress.to) {
            (Some(from), Some(to)) if from == to => format!("port {from}"),
            (Some(from), Some(to)) => format!("ports {from} to {to}"),
            _ => "ports".to_owned(),
        };
        reading.observe("firewall-open-world", line, format!("{ports} open to everyone"));
    }
}

/// A policy written on one line with `jsonencode`.
fn judge_policy(text: &str, line: u32, reading: &mut Reading) {
    let packed: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    for statement in packed.split("Effect=\"Allow\"").skip(1) {
        let statement = statement.split("Effect=").next().unwrap_or_default();
        let any =
            |key: &str| statement.contains(&format!("{key}=\"*\"")) || statement.contains(&format!("{key}=[\"*\"]"));
        if any("Action") && any("Resource") {
            reading.observe("iam-admin-star", line, "every action on every resource is allowed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{facts, kind_of, rules};

    fn group(block: &str) -> String {
        format!("resource \"aws_security_group\" \"a\" {{\n  {block}\n}}\n")
    }

    #[test]
    fn only_ports_beside_the_web_s_are_told() {
        let rule = |direction: &str, port: u16, from: &str| {
            group(&format!("{direction} {{\n from_port = {port}\n to_port = {port}\n cidr_blocks = [\"{from}\"]\n }}"))
        };
        assert_eq!(rules("a.tf", &rule("ingress", 22, "0.0.0.0/0")), [("firewall-open-world", Some(5))]);
        assert_eq!(rules("a.tf", &rule("ingress", 443, "0.0.0.0/0")), []);
        assert_eq!(rules("a.tf", &rule("ingress", 22, "10.0.0.0/8")), []);
        assert_eq!(rules("a.tf", &rule("egress", 22, "0.0.0.0/0")), []);
    }

    #[test]
    fn locked_providers_are_facts() {
        let text = "provider \"r/a\" {\n  version     = \"1.2.3\"\n  hashes = [\n  ]\n}\n";
        let providers = facts(".terraform.lock.hcl", text).find("providers").map(ToString::to_string);
        assert_eq!(providers.as_deref(), Some("[r/a=1.2.3]"));
        assert_eq!(kind_of("variables.tf", "variable \"a\" {}\n"), None);
    }
}
