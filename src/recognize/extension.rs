//! Extensions of certificates, requests and revocation lists: names, powers, and where to ask about revocation.
//!
//! Never here: a judgement about what an extension allows. Serves RFC 5280 §4.2 and §5.2.

use crate::domain::Facts;

use super::certificate::{serial, some_list};
use super::der::{BIT_STRING, BOOLEAN, Element, INTEGER, OCTET_STRING, OID, Reader, SEQUENCE};
use super::text::{MOST_VALUES, bounded, hex};
use super::{name, oid};

/// The extensions that are facts.
#[derive(Clone, Debug, Default)]
pub(super) struct Extensions {
    /// Subject alternative names with their types, sorted.
    pub san: Vec<String>,
    basic_constraints: Option<(bool, bool, Option<i64>)>,
    key_usage: Vec<&'static str>,
    ext_key_usage: Vec<String>,
    ski: Option<String>,
    aki: Option<String>,
    policies: Vec<String>,
    crl_distribution_points: Vec<String>,
    ocsp: Vec<String>,
    ca_issuers: Vec<String>,
    permitted: Vec<String>,
    excluded: Vec<String>,
    crl_number: Option<String>,
    delta_of: Option<String>,
    issuing_distribution_point: Vec<String>,
}

impl Extensions {
    /// Reads a sequence of extensions; what cannot be read is left out.
    pub(super) fn read(list: Reader<'_>) -> Self {
        let mut found = Self::default();
        for extension in list {
            found.read_one(extension);
        }
        found
    }

    fn read_one(&mut self, extension: Element<'_>) -> Option<()> {
        let mut inside = extension.inside();
        let id = inside.read(OID)?.oid()?;
        let critical = inside.read(BOOLEAN).is_some_and(|flag| flag.content != [0]);
        let value = Reader::new(inside.read(OCTET_STRING)?.content).next()?;
        match id.as_str() {
            "2.5.29.14" => self.ski = Some(bounded(hex(value.content).as_bytes())),
            "2.5.29.15" => self.key_usage = key_usage(value),
            "2.5.29.17" => self.san = name::all_general(value.inside(), MOST_VALUES),
            "2.5.29.19" => {
                let mut constraints = value.inside();
                let is_ca = constraints.read(BOOLEAN).is_some_and(|flag| flag.content != [0]);
                let path_length = constraints.read(INTEGER).and_then(Element::number);
                self.basic_constraints = Some((is_ca, critical, path_length));
            }
            "2.5.29.20" => self.crl_number = (value.tag == INTEGER).then(|| serial(value)),
            "2.5.29.27" => self.delta_of = (value.tag == INTEGER).then(|| serial(value)),
            "2.5.29.28" => self.issuing_distribution_point = issuing_point(value),
            "2.5.29.30" => {
                self.permitted = subtrees(value, 0xa0);
                self.excluded = subtrees(value, 0xa1);
            }
            "2.5.29.31" => {
                let points = value.inside().filter_map(|point| point.inside().read(0xa0)).flat_map(full_names);
                self.crl_distribution_points = sorted(points);
            }
            "2.5.29.32" => {
                let policies = value.inside().filter_map(|policy| policy.inside().read(OID)?.oid());
                self.policies = sorted(policies.map(|policy| match policy.as_str() {
                    "2.5.29.32.0" => "X509v3 Any Policy".to_owned(),
                    _ => policy,
                }));
            }
            "2.5.29.35" => {
                let id = value.inside().find(|element| element.tag == 0x80);
                self.aki = id.map(|id| bounded(hex(id.content).as_bytes()));
            }
            "2.5.29.37" => {
                let usages = value.inside().filter_map(Element::oid);
                self.ext_key_usage = sorted(usages.map(|usage| oid::usage(&usage).to_owned()));
            }
            "1.3.6.1.5.5.7.1.1" => {
                self.ocsp = access(value, "1.3.6.1.5.5.7.48.1");
                self.ca_issuers = access(value, "1.3.6.1.5.5.7.48.2");
            }
            _ => {}
        }
        Some(())
    }

    /// Says whether the certificate is that of an authority.
    pub(super) fn is_ca(&self) -> bool {
        self.basic_constraints.is_some_and(|(is_ca, ..)| is_ca)
    }

    /// Adds what is known to the facts of a certificate or request.
    pub(super) fn describe(&self, facts: &mut Facts) {
        if let Some((_, critical, path_length)) = self.basic_constraints {
            facts.set("basic_constraints_critical", critical);
            facts.set_some("path_length", path_length);
        }
        facts.set_some("san", some_list(&self.san));
        facts.set_some("key_usage", some_list(&self.key_usage));
        facts.set_some("ext_key_usage", some_list(&self.ext_key_usage));
        facts.set_some("ski", self.ski.as_deref());
        facts.set_some("aki", self.aki.as_deref());
        facts.set_some("policies", some_list(&self.policies));
        facts.set_some("crl_distribution_points", some_list(&self.crl_distribution_points));
        facts.set_some("ocsp", some_list(&self.ocsp));
        facts.set_some("ca_issuers", some_list(&self.ca_issuers));
        facts.set_some("permitted_names", some_list(&self.permitted));
        facts.set_some("excluded_names", some_list(&self.excluded));
    }

    /// Adds what is known to the facts of a revocation list.
    pub(super) fn describe_list(&self, facts: &mut Facts) {
        facts.set_some("aki", self.aki.as_deref());
        facts.set_some("crl_number", self.crl_number.as_deref());
        facts.set_some("delta_of", self.delta_of.as_deref());
        facts.set_some("issuing_distribution_point", some_list(&self.issuing_distribution_point));
    }
}

fn sorted(values: impl Iterator<Item = String>) -> Vec<String> {
    let mut values: Vec<_> = values.take(MOST_VALUES).collect();
    values.sort();
    values.dedup();
    values
}

/// Names inside of a `DistributionPointName`.
fn full_names(point: Element<'_>) -> Vec<String> {
    point.inside().read(0xa0).map(|names| name::all_general(names.inside(), MOST_VALUES)).unwrap_or_default()
}

/// Where a list is kept, and which certificates it is about.
fn issuing_point(value: Element<'_>) -> Vec<String> {
    let mut said = Vec::new();
    for field in value.inside() {
        let scope = match field.tag {
            0xa0 => {
                said.extend(full_names(field));
                continue;
            }
            0x81 => "Only User Certificates",
            0x82 => "Only CA Certificates",
            0x84 => "Indirect CRL",
            0x85 => "Only Attribute Certificates",
            _ => continue,
        };
        said.extend((field.content != [0]).then(|| scope.to_owned()));
    }
    sorted(said.into_iter())
}

/// Places of one method of an `AuthorityInfoAccess`.
fn access(value: Element<'_>, method: &str) -> Vec<String> {
    sorted(value.inside().filter_map(|description| {
        let mut inside = description.inside();
        let is_method = inside.read(OID)?.oid()? == method;
        inside.next().filter(|_| is_method).and_then(name::general)
    }))
}

fn subtrees(value: Element<'_>, tag: u8) -> Vec<String> {
    let list = value.inside().find(|element| element.tag == tag);
    let bases = list.into_iter().flat_map(Element::inside).filter(|subtree| subtree.tag == SEQUENCE);
    sorted(bases.filter_map(|subtree| name::subtree(subtree.inside().next()?)))
}

fn key_usage(value: Element<'_>) -> Vec<&'static str> {
    const NAMES: [&str; 9] = [
        "Digital Signature",
        "Non Repudiation",
        "Key Encipherment",
        "Data Encipherment",
        "Key Agreement",
        "Certificate Sign",
        "CRL Sign",
        "Encipher Only",
        "Decipher Only",
    ];
    let bytes = if value.tag == BIT_STRING { value.content.get(1..).unwrap_or_default() } else { &[] };
    let is_set = |bit: usize| bytes.get(bit / 8).is_some_and(|byte| byte & (0x80 >> (bit % 8)) != 0);
    let mut names: Vec<_> = NAMES.iter().enumerate().filter(|(bit, _)| is_set(*bit)).map(|(_, name)| *name).collect();
    names.sort_unstable();
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recognize::der::{encode, only};

    fn extension(id: &[u8], value: &[u8]) -> Vec<u8> {
        encode(SEQUENCE, &[&encode(OID, &[id]), &encode(OCTET_STRING, &[value])])
    }

    fn described(extension: &[u8]) -> Facts {
        let list = encode(SEQUENCE, &[extension]);
        let found = Extensions::read(only(&list, SEQUENCE).unwrap().inside());
        let mut facts = Facts::new();
        found.describe(&mut facts);
        found.describe_list(&mut facts);
        facts
    }

    #[test]
    fn usages_are_sorted_by_name() {
        let value = Element { tag: BIT_STRING, content: &[1, 0x06], whole: &[] };
        assert_eq!(key_usage(value), ["CRL Sign", "Certificate Sign"]);
    }

    #[test]
    fn where_to_ask_about_revocation_is_told() {
        let place = encode(0x86, &[b"http://a"]);
        let point = encode(0xa0, &[&encode(0xa0, &[&place])]);
        let points = encode(SEQUENCE, &[&encode(SEQUENCE, &[&point])]);
        let facts = described(&extension(&[0x55, 29, 31], &points));
        assert_eq!(facts.list("crl_distribution_points"), ["URI:http://a".into()]);
        let method = |last: u8| encode(OID, &[&[0x2b, 6, 1, 5, 5, 7, 48, last]]);
        let list = encode(
            SEQUENCE,
            &[
                &encode(SEQUENCE, &[&method(1), &place]),
                &encode(SEQUENCE, &[&method(2), &encode(0x86, &[b"http://b"])]),
            ],
        );
        let facts = described(&extension(&[0x2b, 6, 1, 5, 5, 7, 1, 1], &list));
        assert_eq!(facts.list("ocsp"), ["URI:http://a".into()]);
        assert_eq!(facts.list("ca_issuers"), ["URI:http://b".into()]);
        let issuing = encode(SEQUENCE, &[&point, &[0x82, 1, 0xff]]);
        let facts = described(&extension(&[0x55, 29, 28], &issuing));
        assert_eq!(facts.list("issuing_distribution_point"), ["Only CA Certificates".into(), "URI:http://a".into()]);
    }

    #[test]
    fn names_that_an_authority_may_give_are_told() {
        let base = encode(SEQUENCE, &[&encode(0x82, &[b"x.test"])]);
        let range = encode(SEQUENCE, &[&encode(0x87, &[&[0; 8]])]);
        let value = encode(SEQUENCE, &[&encode(0xa0, &[&base]), &encode(0xa1, &[&range])]);
        let facts = described(&extension(&[0x55, 29, 30], &value));
        assert_eq!(facts.list("permitted_names"), ["DNS:x.test".into()]);
        assert_eq!(facts.list("excluded_names"), ["IP:0.0.0.0/0.0.0.0".into()]);
    }

    #[test]
    fn an_extension_that_is_cut_short_is_left_out() {
        assert!(described(&extension(&[0x55, 29, 31], &[0x30, 9, 1])).iter().next().is_none());
        assert!(described(&[0x30, 3, 6, 9, 1]).iter().next().is_none());
    }
}
