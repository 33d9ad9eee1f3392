//! `trust show`: persons, keys, roles, thresholds, and what waits for signatures.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::cli::context::{Answer, Context};
use crate::crypto;
use crate::domain::{ItemClass, Quorum, Revocation, Show as _, TrustRoot};
use crate::jobs::{Failure, Link, Log, Proposal, trust_words, waiting};
use crate::store::Access;

pub(super) fn run(context: &Context) -> Result<Answer, Failure> {
    let repository = context.repository(Access::Read)?;
    let mut log = Log::open(&repository)?;
    let trust = log.trust_as_claimed()?;
    let pinned = context.anchor(None)?.pinned.contains(&trust.fingerprint);
    let root = trust.root();
    let waiting = waiting(&log, &trust);
    let mut value = value(root);
    if let Some(object) = value.as_object_mut() {
        object.insert("fingerprint".into(), json!(trust.fingerprint.to_string()));
        object.insert("pinned".into(), json!(pinned));
        object.insert("verified".into(), json!(pinned));
        object.insert("roots".into(), trust.links().map(link).collect());
        object.insert("waiting".into(), waiting.iter().map(|proposal| proposed(root, proposal)).collect());
        let void =
            trust.proposals.iter().filter(|proposal| !waiting.iter().any(|other| other.folder == proposal.folder));
        object.insert("void".into(), void.map(|p| json!({ "path": p.folder, "why": p.why.to_string() })).collect());
    }
    let mut text = String::new();
    if !pinned {
        text.push_str("UNVERIFIED: this is what the repository says of itself; its fingerprint is not pinned here\n");
    }
    let _ = writeln!(
        text,
        "trust root {} of {}\n  fingerprint {}",
        root.version,
        root.product.escape_debug(),
        trust.fingerprint
    );
    for person in &root.persons {
        let _ = writeln!(
            text,
            "  person      {} ({}) {}",
            person.id,
            person.name.escape_debug(),
            person.emails.join(" ").escape_debug()
        );
        for key in &person.keys {
            let revoked = root.revocations.iter().find(|revocation| revocation.key == *key);
            let revoked = revoked.map_or_else(String::new, |revocation| format!("  {}", bound(revocation)));
            let _ = writeln!(text, "    key       {}{revoked}", crypto::fingerprint(key));
        }
    }
    for role in &root.roles {
        let holders = role.persons.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let _ = writeln!(text, "  role        {:<10} {} of {holders}", role.name, role.threshold);
    }
    for quorum in &root.quorums {
        let _ = writeln!(text, "  to {:<8} {}", quorum.act.as_str(), asked(quorum));
    }
    for witness in &root.witnesses {
        let _ = writeln!(text, "  witness     {} of {}", witness.name.escape_debug(), witness.operator.escape_debug());
    }
    if root.witness_quorum > 0 {
        let _ = writeln!(text, "  freshness   {} witnesses, distinct operators", root.witness_quorum);
    }
    let start = root.control_start.map_or_else(|| "the first commit".to_owned(), |id| format!("after {id}"));
    let _ = writeln!(text, "  control     since {start}");
    for proposal in &waiting {
        let Some(next) = &proposal.root else { continue };
        let _ = writeln!(text, "waiting: trust root {}", next.version);
        for cause in &proposal.why.causes {
            let _ = writeln!(text, "  {}", cause.shown());
        }
        for word in trust_words(root, next) {
            let _ = writeln!(text, "  {word}");
        }
        text.push_str("next: git baseline trust sign\n");
    }
    for void in trust.proposals.iter().filter(|proposal| !waiting.iter().any(|other| other.folder == proposal.folder)) {
        let _ = writeln!(text, "void: {}: {}", void.folder.shown(), void.why.to_string().shown());
    }
    Ok(Answer::done(value, text))
}

fn bound(revocation: &Revocation) -> String {
    match revocation.since {
        Some(since) => format!("{}: nothing from position {} of the log on counts", revocation.kind, since.size),
        None => format!("{}: nothing counts", revocation.kind),
    }
}

fn asked(quorum: &Quorum) -> String {
    let groups: Vec<_> = quorum.groups.iter().map(|group| format!("{} {}", group.count, group.role)).collect();
    let class = quorum.class.map_or_else(String::new, |class| format!(", where a {} changes", class.as_str()));
    format!("{}{class}", groups.join(" and "))
}

fn link(link: &Link) -> Value {
    json!({
        "version": link.root.value().version,
        "digest": link.digest.to_string(),
        "position": link.position,
        "signed_by": link.root.signers().iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

fn proposed(root: &TrustRoot, proposal: &Proposal) -> Value {
    json!({
        "path": proposal.folder,
        "version": proposal.root.as_ref().map(|root| root.version),
        "changes": proposal.root.as_ref().map_or_else(Vec::new, |next| trust_words(root, next)),
        "awaits": proposal.why.causes,
    })
}

fn value(root: &TrustRoot) -> Value {
    json!({
        "schema": "git-baseline/trust/1",
        "version": root.version,
        "product": root.product,
        "document_id": root.document_id,
        "origin": root.origin,
        "control_start": root.control_start.map(|id| id.to_string()),
        "persons": root.persons.iter().map(|person| json!({
            "id": person.id.as_str(),
            "name": person.name,
            "emails": person.emails,
            "keys": person.keys.iter().map(crypto::fingerprint).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "revocations": root.revocations.iter().map(|revocation| json!({
            "key": crypto::fingerprint(&revocation.key),
            "kind": revocation.kind.as_str(),
            "since": revocation.since.map(|since| since.size),
            "reason": revocation.reason,
        })).collect::<Vec<_>>(),
        "quorums": root.quorums.iter().map(|quorum| json!({
            "act": quorum.act.as_str(),
            "class": quorum.class.map(ItemClass::as_str),
            "groups": quorum.groups.iter().map(|g| json!({ "role": g.role.as_str(), "count": g.count })).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "witnesses": root.witnesses.iter().map(|witness| json!({
            "name": witness.name,
            "operator": witness.operator,
        })).collect::<Vec<_>>(),
        "witness_quorum": root.witness_quorum,
        "floors": json!({
            "block": root.floors.block.as_str(),
            "approvals": root.floors.approvals,
            "change_control": root.floors.change_control,
            "emergency_days": root.floors.emergency_days,
        }),
        "roles": root.roles.iter().map(|role| json!({
            "role": role.name.as_str(),
            "threshold": role.threshold,
            "persons": role.persons.iter().map(ToString::to_string).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
    })
}
