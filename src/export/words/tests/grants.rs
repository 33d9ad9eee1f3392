//! Rules of packet filters, policies and headers: who gains, who loses, and what means nothing.

use super::told;

/// Says that the lines of a change are these and no others; the order does not matter.
fn check(path: &str, before: &str, after: &str, expected: &[&str]) {
    let mut lines = told(path, before, after);
    let mut expected = expected.to_vec();
    lines.sort();
    expected.sort_unstable();
    assert_eq!(lines, expected, "{path}: {before} → {after}");
}

#[test]
fn a_rule_of_a_packet_filter_is_told_alone() {
    let nft = |policy: &str, rule: &str| {
        format!("table inet f {{\n chain in {{\n  type filter hook input priority 0; policy {policy};\n{rule} }}\n}}\n")
    };
    let open = "  ip saddr 0.0.0.0/0 tcp dport 5432 accept\n";
    let wanted = "rule_list: +inet f in: ip saddr 0.0.0.0/0 tcp dport 5432 accept: port open to everyone (weakened)";
    check("a.nft", &nft("drop", ""), &nft("drop", open), &[wanted]);
    let wanted = "chains.inet f in: drop → accept: what no rule takes is let in (weakened)";
    check("a.nft", &nft("drop", open), &nft("accept", open), &[wanted]);
    let ports = |list: &str| nft("drop", &format!("  tcp dport {{ {list} }} accept\n"));
    let wanted = "rule_list: +inet f in: tcp dport 5432 accept: port open (weakened)";
    check("a.nft", &ports("22, 80"), &ports("22, 80, 5432"), &[wanted]);
    let saved = |rule: &str, count: u8| format!("*filter\n:INPUT DROP [{count}:0]\n{rule}COMMIT\n");
    let ssh = "-A INPUT -p tcp --dport 22 -j ACCEPT\n";
    let wanted = "rule_list: -filter INPUT: -p tcp --dport 22 -j ACCEPT: port open no more (hardened)";
    check("a", &saved(ssh, 1), &saved("", 1), &[wanted]);
    check("a", &saved(ssh, 1), &saved(ssh, 2), &["no semantic change"]);
}

#[test]
fn peers_of_a_network_policy_are_told_one_by_one() {
    let policy = |from: &str| {
        format!(
            "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: a}}\nspec:\n  podSelector: {{}}\n  \
             ingress: [{{from: [{from}], ports: [{{port: 443}}]}}]\n"
        )
    };
    let (one, all) = ("{podSelector: {matchLabels: {a: b}}}", "{ipBlock: {cidr: 0.0.0.0/0}}");
    let wanted = "policies.NetworkPolicy/a: +ingress from 0.0.0.0/0 on TCP 443: open to everyone (weakened)";
    check("a.yaml", &policy(one), &policy(&format!("{one}, {all}")), &[wanted]);
    check("a.yaml", &policy(&format!("{all}, {one}")), &policy(&format!("{one}, {all}")), &["no semantic change"]);
}

#[test]
fn what_a_policy_language_grants_is_told() {
    let cedar = |scope: &str, condition: &str| format!("@id(\"r\")\npermit({scope}, action, resource){condition};\n");
    let (staff, mfa) = ("principal in G::\"staff\"", " when { context.mfa }");
    let wanted = "Statement[r].condition: when { context.mfa } → (none): grant widened: a condition fell (weakened)";
    check("a.cedar", &cedar(staff, mfa), &cedar(staff, ""), &[wanted]);
    let wanted = "Statement[r].principal: in G::\"staff\" → *: grant widened (weakened)";
    check("a.cedar", &cedar(staff, ""), &cedar("principal", ""), &[wanted]);
    let forbid = "forbid(principal, action, resource) when { resource.locked };\n";
    let both = format!("{}{forbid}", cedar(staff, ""));
    let wanted = "-Statement[1]: no longer refused: * on * to * under a condition (weakened)";
    check("a.cedar", &both, &cedar(staff, ""), &[wanted]);
    let rego = |default: &str, rest: &str| format!("package a\ndefault allow := {default}\nallow if input.x\n{rest}");
    let wanted = "defaults.allow: false → true: what no rule decides (weakened)";
    check("a.rego", &rego("false", ""), &rego("true", ""), &[wanted]);
    let wanted = "clauses: +allow if input.role == \"b\": granted (weakened)";
    check("a.rego", &rego("false", ""), &rego("false", "allow if input.role == \"b\"\n"), &[wanted]);
    let model = |effect: &str| format!("[request_definition]\nr = a\n[policy_effect]\ne = {effect}\n");
    let (some, none) = ("some(where (p.eft == allow))", "!some(where (p.eft == deny))");
    let wanted = format!("effect: {some} → {none}: what no rule denies is allowed (weakened)");
    check("m", &model(some), &model(none), &[&wanted]);
}

#[test]
fn terraform_tells_openings_and_statements() {
    let group = |sources: &str| {
        format!(
            "resource \"aws_security_group\" \"d\" {{\n ingress {{\n from_port = 5432\n to_port = 5432\n protocol = \"tcp\"\n \
             cidr_blocks = [{sources}]\n }}\n}}\n"
        )
    };
    let wanted = "ingress: +aws_security_group.d: tcp 5432 from 0.0.0.0/0: open to everyone (weakened)";
    check("a.tf", &group("\"10.0.0.0/8\""), &group("\"10.0.0.0/8\", \"0.0.0.0/0\""), &[wanted]);
    let policy = |actions: &str| {
        format!(
            "resource \"aws_iam_policy\" \"p\" {{\n policy = jsonencode({{ Statement = [{{ Effect = \"Allow\", \
             Action = [{actions}], Resource = \"r\" }}] }})\n}}\n"
        )
    };
    let wanted = "Statement[aws_iam_policy.p 0].Action: +s3:DeleteObject: grant widened (weakened)";
    check("a.tf", &policy("\"s3:GetObject\""), &policy("\"s3:GetObject\", \"s3:DeleteObject\""), &[wanted]);
}

#[test]
fn headers_are_told_by_what_they_hold_back() {
    let headers = |policy: &str, origin: &str, age: u32| {
        format!(
            "/*\n  Content-Security-Policy: {policy}\n  Access-Control-Allow-Origin: {origin}\n  Strict-Transport-Security: max-age={age}\n"
        )
    };
    let old = headers("script-src 'self'; frame-ancestors 'none'", "https://a.test", 63_072_000);
    let new = headers("script-src 'self' 'unsafe-inline'", "*", 300);
    let expected = [
        "headers./*.access-control-allow-origin: https://a.test → *: every origin may read (weakened)",
        "headers./*.content-security-policy.frame-ancestors: ['none'] → (none): nothing is held back any more (weakened)",
        "headers./*.content-security-policy.script-src: +'unsafe-inline': more sources let in (weakened)",
        "headers./*.strict-transport-security: max-age=63072000 → max-age=300 (weakened)",
    ];
    check("_headers", &old, &new, &expected);
}

#[test]
fn sudoers_tells_members_of_aliases_and_keeps_quiet_of_blanks() {
    let text = |members: &str| format!("User_Alias OPS = {members}\nOPS ALL = (root) /bin/x\n");
    let wanted = "b: granted /bin/x as root on ALL (weakened)";
    check("sudoers", &text("a"), &text("a, b"), &[wanted]);
    check("sudoers", &text("a"), &text("a").replace(" (root) ", "\t(root)  "), &["no semantic change"]);
}

#[test]
fn the_order_of_owners_is_told_alone() {
    let expected = ["order: another order: the last that fits decides"];
    check("CODEOWNERS", "* @a\n/k/ @s\n", "/k/ @s\n* @a\n", &expected);
    check("CODEOWNERS", "* @a\n/k/ @s\n", "* @a\n", &["owners./k/: [@s] → (none) (weakened)"]);
    let role = |verbs: &str| {
        format!(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {{name: a}}\nrules: [{{apiGroups: [''], resources: [pods], verbs: [{verbs}]}}]\n"
        )
    };
    check("a.yaml", &role("get, list"), &role("list, get"), &["no semantic change"]);
    let both = |image: &str| format!("{}---\napiVersion: v1\nkind: Pod\nmetadata: {{name: {image}}}\n", role("get"));
    assert_ne!(told("a.yaml", &both("a"), &both("b")), ["no semantic change"]);
}

#[test]
fn rules_in_another_order_mean_nothing_where_none_comes_first() {
    let rules = |names: [&str; 2]| {
        let list = names.map(|name| format!("{{\"type\": \"{name}\"}}")).join(", ");
        format!("{{\"enforcement\": \"active\", \"target\": \"tag\", \"rules\": [{list}]}}")
    };
    check(
        "a.json",
        &rules(["deletion", "update"]),
        &rules(["update", "deletion"]),
        &["re-ordered, no semantic change"],
    );
    let review = |count: u8| {
        let rule =
            format!("{{\"type\": \"pull_request\", \"parameters\": {{\"required_approving_review_count\": {count}}}}}");
        format!("{{\"enforcement\": \"active\", \"target\": \"branch\", \"rules\": [{rule}]}}")
    };
    let wanted = "parameters.pull_request.required_approving_review_count: 2 → 1 (weakened)";
    check("a.json", &review(2), &review(1), &[wanted]);
}
