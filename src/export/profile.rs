//! What four lists of minimum elements ask of a list of components, and which components lack what.
//!
//! - `ntia`: The Minimum Elements for a Software Bill of Materials (2021), counted as ntia-conformance-checker counts.
//! - `cisa-2025`: the draft of its successor (August 2025).
//! - `fda`: the elements of NTIA, level and end of support (Cybersecurity in Medical Devices, 2025, V.A.4).
//! - `bsi-2.1`: the required fields of BSI TR-03183-2, version 2.1.0.
//!
//! An element that the manifest does not hold is had by none. Never here: a verdict on whether that is enough.

use super::component::checksums;
use super::graph::edges_are_known;
use super::license::declared;
use crate::domain::{Component, Manifest};

/// A list of minimum elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// NTIA, 2021.
    Ntia,
    /// CISA, the draft of 2025.
    Cisa2025,
    /// FDA, premarket submissions.
    Fda,
    /// BSI TR-03183-2 version 2.1.
    Bsi21,
}

/// One element that a list asks for, and who has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ElementCount<'a> {
    /// What the list calls it.
    pub name: &'static str,
    /// How many have it.
    pub have: usize,
    /// Of how many: the components, or 1 where the document as a whole is asked.
    pub of: usize,
    /// The purls of those that lack it.
    pub lacking: Vec<&'a str>,
}

/// How one element is judged.
#[derive(Clone, Copy)]
enum Asked {
    /// Of every component.
    Each(fn(&Component) -> bool),
    /// Of the document, which has it.
    Whole,
}

use Asked::{Each, Whole};

const NTIA: &[(&str, Asked)] = &[
    ("component name", Each(|component| !component.name.is_empty())),
    ("component version", Each(|component| component.version.is_some())),
    ("unique identifier", Each(|component| !component.purl.is_empty())),
    ("supplier name", Each(|component| component.supplier.is_some())),
    ("author of the document", Whole),
    ("timestamp", Whole),
    // Counted as the checker does: there are relationships at all. Which are not known, the document says.
    ("dependency relationships", Whole),
];

const CISA_2025: &[(&str, Asked)] = &[
    ("component name", Each(|component| !component.name.is_empty())),
    ("component version", Each(|component| component.version.is_some())),
    ("software identifiers", Each(|component| !component.purl.is_empty())),
    ("software producer", Each(|component| component.supplier.is_some())),
    ("component hash", Each(|component| !checksums(component).is_empty())),
    ("licence", Each(|component| declared(&component.licenses).expression.is_some())),
    ("dependency relationships", Each(edges_are_known)),
    ("author of the document", Whole),
    ("timestamp", Whole),
    ("tool name", Whole),
    ("generation context", Whole),
];

const FDA: &[(&str, Asked)] = &[
    ("component name", Each(|component| !component.name.is_empty())),
    ("component version", Each(|component| component.version.is_some())),
    ("unique identifier", Each(|component| !component.purl.is_empty())),
    ("supplier name", Each(|component| component.supplier.is_some())),
    ("level of support", Each(|component| component.support.is_some())),
    (
        "end of support",
        Each(|component| component.overlay.as_ref().is_some_and(|stated| stated.end_of_support.is_some())),
    ),
    ("author of the document", Whole),
    ("timestamp", Whole),
    ("dependency relationships", Whole),
];

const BSI_2_1: &[(&str, Asked)] = &[
    ("component creator", Each(|component| component.supplier.is_some())),
    ("component name", Each(|component| !component.name.is_empty())),
    ("component version", Each(|component| component.version.is_some())),
    ("filename of the component", Each(|_| false)),
    ("dependencies on other components", Each(edges_are_known)),
    ("distribution licences", Each(|component| declared(&component.licenses).expression.is_some())),
    ("hash of the deployable component (SHA-512)", Each(has_sha_512)),
    ("executable property", Each(|_| false)),
    ("archive property", Each(|_| false)),
    ("structured property", Each(|_| false)),
    ("creator of the document", Whole),
    ("timestamp", Whole),
];

fn has_sha_512(component: &Component) -> bool {
    checksums(component).iter().any(|(alg, _)| *alg == "SHA-512")
}

/// Returns every element that the list asks for, in its order.
#[must_use]
pub fn profile(profile: Profile, manifest: &Manifest) -> Vec<ElementCount<'_>> {
    let elements = match profile {
        Profile::Ntia => NTIA,
        Profile::Cisa2025 => CISA_2025,
        Profile::Fda => FDA,
        Profile::Bsi21 => BSI_2_1,
    };
    elements.iter().map(|(name, asked)| count(name, *asked, &manifest.components)).collect()
}

fn count<'a>(name: &'static str, asked: Asked, components: &'a [Component]) -> ElementCount<'a> {
    let Each(has) = asked else { return ElementCount { name, have: 1, of: 1, lacking: Vec::new() } };
    let lacking: Vec<&str> =
        components.iter().filter(|component| !has(component)).map(|component| component.purl.as_str()).collect();
    ElementCount { name, have: components.len() - lacking.len(), of: components.len(), lacking }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::testing::{component, manifest};

    #[test]
    fn each_element_counts_who_has_it_and_names_who_lacks_it() {
        let mut one = component("a", &[]);
        (one.version, one.supplier) = (None, Some("Acme".to_owned()));
        let manifest = manifest(vec![one, component("b", &[])]);
        let counts = profile(Profile::Ntia, &manifest);
        assert_eq!(counts.len(), 7, "the seven minimum elements");
        let of = |name: &str| counts.iter().find(|count| count.name == name).unwrap();
        assert_eq!((of("component version").have, of("component version").of), (1, 2));
        assert_eq!(of("component version").lacking, ["pkg:cargo/a@1.0.0"]);
        assert_eq!(of("supplier name").lacking, ["pkg:cargo/b@1.0.0"]);
        assert!(of("component name").lacking.is_empty());
    }

    #[test]
    fn what_the_manifest_does_not_hold_is_had_by_none() {
        let manifest = manifest(vec![component("a", &[])]);
        let counts = profile(Profile::Bsi21, &manifest);
        assert_eq!(counts.iter().find(|count| count.name == "archive property").unwrap().have, 0);
    }

    #[test]
    fn the_end_of_support_is_the_overlays() {
        let mut supported = component("a", &[]);
        supported.overlay = Some(crate::domain::Overlay {
            end_of_support: crate::domain::Timestamp::parse("2030-01-01"),
            ..crate::domain::Overlay::default()
        });
        let manifest = manifest(vec![supported, component("b", &[])]);
        let counts = profile(Profile::Fda, &manifest);
        assert_eq!(counts.iter().find(|count| count.name == "end of support").unwrap().have, 1);
    }
}
