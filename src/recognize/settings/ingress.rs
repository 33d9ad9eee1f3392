//! What a cloud's packet filter lets in: security groups of AWS, Azure and Google as Terraform declares them.
//!
//! Never here: traffic that goes out, or what a group is attached to.

use super::Reading;
use super::hcl::Body;
use super::tree::{Node, Value};

/// Ports that nobody should reach from everywhere; web servers' are not among them.
const PUBLIC_PORTS: [&str; 2] = ["80", "443"];

/// One rule that lets somebody in.
#[derive(Debug, Default)]
pub(super) struct Opening {
    protocol: String,
    /// `22`, `1000-2000`, or none for every port.
    ports: Vec<String>,
    /// Who is let in, with the line that says so.
    sources: Vec<(String, u32)>,
}

/// Returns what a resource lets in.
pub(super) fn of_resource(kind: &str, body: &Body) -> Vec<Opening> {
    let is = |name: &str, value: &str| text(body, name).is_some_and(|text| text.eq_ignore_ascii_case(value));
    match kind {
        "aws_security_group" | "aws_default_security_group" => {
            let mut all: Vec<Opening> = body.of_kind("ingress").map(|rule| of_aws(|name| rule.get(name))).collect();
            let listed = body.get("ingress").map(Node::items).unwrap_or_default();
            all.extend(listed.iter().map(|rule| of_aws(|name| rule.get(name))));
            all
        }
        "aws_security_group_rule" if is("type", "ingress") => vec![of_aws(|name| body.get(name))],
        "aws_vpc_security_group_ingress_rule" => vec![of_aws(|name| body.get(name))],
        "azurerm_network_security_rule" => of_azure(body).into_iter().collect(),
        "azurerm_network_security_group" => body.of_kind("security_rule").filter_map(of_azure).collect(),
        "google_compute_firewall" if !is("direction", "EGRESS") => of_google(body),
        _ => Vec::new(),
    }
}

fn text<'b>(body: &'b Body, name: &str) -> Option<&'b str> {
    body.get(name).and_then(Node::scalar)
}

/// Every text of a value with its line.
fn listed(node: Option<&Node>) -> Vec<(String, u32)> {
    let nodes = node.map(Node::one_or_many).unwrap_or_default();
    nodes.iter().filter_map(|node| Some((node.scalar()?.to_owned(), node.line))).collect()
}

/// Attributes of AWS that name who is let in.
const SOURCES: [&str; 9] = [
    "cidr_blocks",
    "ipv6_cidr_blocks",
    "cidr_ipv4",
    "cidr_ipv6",
    "security_groups",
    "source_security_group_id",
    "referenced_security_group_id",
    "prefix_list_ids",
    "prefix_list_id",
];

fn of_aws<'n>(get: impl Fn(&str) -> Option<&'n Node>) -> Opening {
    let scalar = |name: &str| get(name).and_then(Node::scalar);
    let protocol = scalar("protocol").or_else(|| scalar("ip_protocol"));
    let all = protocol.is_some_and(|protocol| ["-1", "all", "any"].contains(&protocol));
    let protocol = protocol.filter(|_| !all).unwrap_or("any").to_owned();
    let ports = match (scalar("from_port"), scalar("to_port")) {
        _ if all => Vec::new(),
        (Some(from), Some(to)) if from != to => vec![format!("{from}-{to}")],
        (Some(port), _) | (None, Some(port)) => vec![port.to_owned()],
        (None, None) => Vec::new(),
    };
    let mut sources: Vec<(String, u32)> = SOURCES.iter().flat_map(|name| listed(get(name))).collect();
    sources.extend(get("self").filter(|own| own.value == Value::Flag(true)).map(|own| ("self".to_owned(), own.line)));
    Opening { protocol, ports, sources }
}

fn of_azure(body: &Body) -> Option<Opening> {
    let is = |name: &str, value: &str| text(body, name).is_some_and(|text| text.eq_ignore_ascii_case(value));
    if !is("direction", "Inbound") || !is("access", "Allow") {
        return None;
    }
    let both = |one: &str, many: &str| [listed(body.get(one)), listed(body.get(many))].concat();
    let ports = both("destination_port_range", "destination_port_ranges");
    Some(Opening {
        protocol: text(body, "protocol").unwrap_or("any").to_ascii_lowercase().replace('*', "any"),
        ports: ports.into_iter().map(|(port, _)| port).filter(|port| port != "*").collect(),
        sources: both("source_address_prefix", "source_address_prefixes"),
    })
}

fn of_google(body: &Body) -> Vec<Opening> {
    let sources = || {
        let lists = ["source_ranges", "source_tags", "source_service_accounts"];
        lists.iter().flat_map(|name| listed(body.get(name))).collect::<Vec<_>>()
    };
    body.of_kind("allow")
        .map(|allowed| Opening {
            protocol: text(allowed, "protocol").unwrap_or("any").replace("all", "any"),
            ports: listed(allowed.get("ports")).into_iter().map(|(port, _)| port).collect(),
            sources: sources(),
        })
        .collect()
}

impl Opening {
    /// Returns one line for every port and source.
    pub(super) fn entries(&self) -> impl Iterator<Item = String> {
        let every = if self.ports.is_empty() { vec![String::new()] } else { self.ports.clone() };
        let ports = every.into_iter().map(|port| format!("{} {port}", self.protocol).trim_end().to_owned());
        ports.flat_map(|port| self.sources.iter().map(move |(source, _)| format!("{port} from {source}")))
    }

    /// Observes a rule that lets everyone in to more than web servers.
    pub(super) fn judge(&self, title: &str, reading: &mut Reading) {
        let everyone = |source: &str| ["0.0.0.0/0", "::/0", "*", "internet", "any"].contains(&source);
        let open = self.sources.iter().find(|(source, _)| everyone(&source.to_ascii_lowercase()));
        let web = !self.ports.is_empty() && self.ports.iter().all(|port| PUBLIC_PORTS.contains(&port.as_str()));
        let harmless = ["icmp", "icmpv6", "ah", "esp"].contains(&self.protocol.as_str());
        if let Some((_, line)) = open.filter(|_| !web && !harmless) {
            let ports =
                if self.ports.is_empty() { "every port".to_owned() } else { format!("port {}", self.ports.join(", ")) };
            let message = format!("{}: {} open to everyone", title.escape_debug(), ports.escape_debug());
            reading.observe("firewall-open-world", *line, message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{facts, rules};

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
    fn every_source_and_port_is_an_entry() {
        let text = group(
            "ingress {\n from_port = 1\n to_port = 9\n protocol = \"tcp\"\n cidr_blocks = [\n \"10.0.0.0/8\",\n \"::/0\" ]\n}",
        );
        let wanted = ["aws_security_group.a: tcp 1-9 from 10.0.0.0/8", "aws_security_group.a: tcp 1-9 from ::/0"];
        assert_eq!(facts("a.tf", &text).find("ingress"), Some(&wanted.to_vec().into()));
        assert_eq!(rules("a.tf", &text), [("firewall-open-world", Some(8))]);
    }

    #[test]
    fn rules_of_other_clouds_are_read_too() {
        let azure = "resource \"azurerm_network_security_rule\" \"s\" {\n direction = \"Inbound\"\n access = \"Allow\"\n \
                     protocol = \"Tcp\"\n destination_port_range = \"22\"\n source_address_prefix = \"*\"\n}\n";
        assert_eq!(rules("a.tf", azure), [("firewall-open-world", Some(6))]);
        assert_eq!(rules("a.tf", &azure.replace("Inbound", "Outbound")), []);
        let google = "resource \"google_compute_firewall\" \"s\" {\n allow {\n  protocol = \"tcp\"\n  ports = [\"22\"]\n }\n \
                      source_ranges = [\"0.0.0.0/0\"]\n}\n";
        assert_eq!(rules("a.tf", google), [("firewall-open-world", Some(6))]);
        assert_eq!(rules("a.tf", &google.replace("allow", "deny")), []);
    }
}
