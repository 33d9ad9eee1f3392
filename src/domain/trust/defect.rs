//! What a trust root must be in itself, and what it must keep of the one before.
//!
//! Never here: whether it is signed. Serves contract §3.3: floors and control start never move back, revocations are
//! monotone, keys are never given to somebody else.

use std::collections::{BTreeMap, BTreeSet};

use super::{ItemClass, Person, PersonId, PublicKey, Revocation, RevocationKind, Role, RoleName, TrustRoot};

impl TrustRoot {
    /// Returns the first rule that the root itself breaks: a person, key or address twice, an unknown holder,
    /// a threshold that nobody or not everybody could reach, or a list out of order.
    pub fn defect(&self) -> Option<String> {
        if self.version == 0 {
            return Some("version 0".into());
        }
        let first = self.version == 1;
        if first != self.log.is_none() || first != self.predecessor.is_none() {
            return Some("the first root, and only that, has neither predecessor nor log".into());
        }
        self.person_defect()
            .or_else(|| {
                let sorted = self.roles.is_sorted_by(|a, b| a.name < b.name);
                (!sorted).then(|| "roles are not in order, or one stands twice".into())
            })
            .or_else(|| self.roles.iter().find_map(|role| self.role_defect(role)))
            .or_else(|| self.quorum_defect())
            .or_else(|| self.revocation_defect())
            .or_else(|| self.witness_defect())
    }

    fn person_defect(&self) -> Option<String> {
        let mut seen: BTreeMap<&PublicKey, &PersonId> = BTreeMap::new();
        let mut addresses: BTreeMap<String, &PersonId> = BTreeMap::new();
        if !self.persons.is_sorted_by(|a, b| a.id < b.id) {
            return Some("persons are not sorted, or one stands twice".into());
        }
        for person in &self.persons {
            if !person.keys.is_sorted_by(|a, b| a < b) || !person.emails.is_sorted_by(|a, b| a < b) {
                return Some(format!("keys or addresses of {} are not sorted, or one stands twice", person.id));
            }
            for key in &person.keys {
                if let Some(other) = seen.insert(key, &person.id) {
                    return Some(format!("{other} and {} hold the same key", person.id));
                }
            }
            // An address of two persons would leave open who took part in a change.
            for address in &person.emails {
                if let Some(other) = addresses.insert(address.to_lowercase(), &person.id).filter(|o| **o != person.id) {
                    return Some(format!("{other} and {} have the same address", person.id));
                }
            }
        }
        None
    }

    fn role_defect(&self, role: &Role) -> Option<String> {
        if !role.persons.is_sorted_by(|a, b| a < b) {
            return Some(format!("persons of role {} are not sorted, or one stands twice", role.name));
        }
        if let Some(stranger) = role.persons.iter().find(|id| !self.persons.iter().any(|person| person.id == **id)) {
            return Some(format!("role {} names {stranger}, who is no person of this root", role.name));
        }
        let reachable = role.threshold >= 1 && role.threshold <= role.persons.len() as u64;
        if !reachable {
            return Some(format!("threshold {} of role {} cannot be met", role.threshold, role.name));
        }
        if role.name != RoleName::Bot
            && let Some(bot) = self.role(RoleName::Bot)
        {
            // Automation records commits, and nothing else: it never approves, releases or changes trust.
            let both = role.persons.iter().find(|id| role.name != RoleName::Developer && bot.persons.contains(id));
            return both.map(|id| format!("{id} is a bot, and holds the role {}", role.name));
        }
        None
    }

    fn quorum_defect(&self) -> Option<String> {
        if !self
            .quorums
            .is_sorted_by(|a, b| (a.act, a.class.map(ItemClass::as_str)) < (b.act, b.class.map(ItemClass::as_str)))
        {
            return Some("quorums are not in order, or one stands twice".into());
        }
        for quorum in &self.quorums {
            if quorum.groups.is_empty() || !quorum.groups.is_sorted_by(|a, b| a.role < b.role) {
                return Some("groups of a quorum are missing, not in order, or one stands twice".into());
            }
            for group in &quorum.groups {
                let held = self.role(group.role).map_or(0, |role| role.persons.len() as u64);
                if group.count == 0 || group.count > held || group.role == RoleName::Bot {
                    return Some(format!("{} of role {} cannot be met", group.count, group.role));
                }
            }
        }
        None
    }

    fn revocation_defect(&self) -> Option<String> {
        if !self.revocations.is_sorted_by(|a, b| a.key < b.key) {
            return Some("revocations are not sorted, or one stands twice".into());
        }
        let broken = |revocation: &&Revocation| {
            let always = revocation.kind == RevocationKind::CompromisedAlways;
            always != revocation.since.is_none() || self.person_of(&revocation.key).is_none()
        };
        let found = self.revocations.iter().find(broken)?;
        Some(format!(
            "a revocation as {} has a bound where it must not, none where it must, or names a key of nobody",
            found.kind
        ))
    }

    fn witness_defect(&self) -> Option<String> {
        if !self.witnesses.is_sorted_by(|a, b| a.name < b.name) {
            return Some("witnesses are not sorted by name, or one stands twice".into());
        }
        let operators: BTreeSet<&str> = self.witnesses.iter().map(|witness| witness.operator.as_str()).collect();
        if let Some(both) = operators.iter().find(|name| self.persons.iter().any(|person| person.id.as_str() == **name))
        {
            return Some(format!("{both} is a person of this root, and no independent witness"));
        }
        let keys: BTreeSet<[u8; 32]> = self.witnesses.iter().map(|witness| witness.key).collect();
        if keys.len() != self.witnesses.len() {
            return Some("two witnesses have the same key".into());
        }
        let plain =
            |text: &str| !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+');
        if let Some(odd) = self.witnesses.iter().find(|witness| !plain(&witness.name) || witness.operator.is_empty()) {
            return Some(format!("\"{}\" is no name of a witness", odd.name.escape_debug()));
        }
        let reachable = self.witness_quorum <= operators.len() as u64;
        (!reachable).then(|| format!("{} witnesses are asked, and there are {}", self.witness_quorum, operators.len()))
    }

    /// Returns the first thing that a root does not keep of the one before it, whose stored bytes have the digest that
    /// it must name.
    pub fn succession_defect(&self, before: &Self) -> Option<String> {
        let fixed = [
            ("its version is not one higher", before.version.checked_add(1) == Some(self.version)),
            ("its product is another", self.product == before.product),
            ("its log's origin is another", self.origin == before.origin),
            ("its object format is another", self.object_format == before.object_format),
            ("its control start is another", self.control_start == before.control_start),
            ("its claimed time is earlier", self.time >= before.time),
            ("it lowers the severity that blocks", self.floors.block <= before.floors.block),
            ("it asks for fewer approvals", self.floors.approvals >= before.floors.approvals),
            ("it lifts change control", self.floors.change_control || !before.floors.change_control),
            ("it gives emergencies more days", self.floors.emergency_days <= before.floors.emergency_days),
            ("it names an older log", self.log.map_or(0, |log| log.size) >= before.log.map_or(0, |log| log.size)),
        ];
        if let Some((what, _)) = fixed.iter().find(|(_, holds)| !holds) {
            return Some((*what).to_owned());
        }
        before.persons.iter().find_map(|person| self.lost_of(person))
    }

    /// Returns the first revocation of the root before that this one loses or weakens.
    pub fn lost_revocation(&self, before: &Self) -> Option<String> {
        let kept = |earlier: &&Revocation| self.revocations.iter().any(|revocation| revocation.keeps(earlier));
        let lost = before.revocations.iter().find(|earlier| !kept(earlier))?;
        let held = before.person_of(&lost.key).map_or("nobody", |person| person.id.as_str());
        Some(format!("it loses the revocation of a key of {held} as {}", lost.kind))
    }

    /// A person and his keys stay, since what they signed stays: roles are taken and keys are revoked, never forgotten
    /// or given to somebody else.
    fn lost_of(&self, person: &Person) -> Option<String> {
        let Some(now) = self.persons.iter().find(|other| other.id == person.id) else {
            return Some(format!("it forgets {}", person.id));
        };
        let lost = person.keys.iter().any(|key| !now.keys.contains(key));
        lost.then(|| format!("it forgets a key of {}, instead of revoking it", person.id))
    }
}
