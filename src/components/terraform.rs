//! `.terraform.lock.hcl`: the providers of Terraform and its kin.
//!
//! `zh:` is the SHA-256 of a provider's archive for one platform, `h1:` is Go's hash of its content. `terraform` is no
//! registered purl type, yet what others use. Never here: modules, which have no lock.

use super::kind::Kind;
use super::purl::{self, Origin};
use super::reading::{Reading, is_hex, is_sound};
use super::tree::{File, Tree};
use crate::domain::{Component, Scope};

/// The registries that need no telling.
const USUAL: [&str; 2] = ["registry.terraform.io", "registry.opentofu.org"];

/// So many hashes of one provider are kept: one or two for each platform.
const MOST_HASHES: usize = 200;

/// One `provider` block.
#[derive(Default)]
struct Provider<'a> {
    address: &'a str,
    version: Option<&'a str>,
    hashes: Vec<&'a str>,
}

/// Reads every lock of providers in the tree.
pub(super) fn read(tree: &Tree<'_>) -> Vec<Reading> {
    tree.of_kind(Kind::TerraformLock)
        .map(|file| match file.text() {
            Ok(text) => read_lock(file, text),
            Err(why) => Reading::failed(file.kind, file.path, &why),
        })
        .collect()
}

fn read_lock(file: File<'_>, text: &str) -> Reading {
    let mut reading = Reading::new(file.kind, file.path);
    let (providers, unclear) = providers(text);
    for line in unclear {
        reading.gap(&format!("line {line} is not understood"));
    }
    for provider in &providers {
        if let Some(component) = component(&mut reading, provider) {
            reading.add(component);
        }
    }
    reading
}

/// Terraform writes one thing a line; anything else is not its own.
fn providers(text: &str) -> (Vec<Provider<'_>>, Vec<usize>) {
    let (mut found, mut unclear) = (Vec::<Provider<'_>>::new(), Vec::new());
    let (mut is_open, mut in_hashes) = (false, false);
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        let is_blank = line.is_empty() || line.starts_with('#') || line.starts_with("//");
        let understood = match (is_open, in_hashes) {
            _ if is_blank => true,
            (false, _) => match line.strip_prefix("provider ").and_then(|rest| rest.strip_suffix('{')) {
                Some(address) => {
                    found.push(Provider { address: unquoted(address), ..Provider::default() });
                    is_open = true;
                    true
                }
                None => false,
            },
            (true, true) => {
                let hash = line.trim_end_matches([',', ']']);
                in_hashes = !line.ends_with(']');
                found.last_mut().is_some_and(|provider| provider.add_hashes(hash))
            }
            (true, false) if line == "}" => {
                is_open = false;
                true
            }
            (true, false) => match line.split_once('=').map(|(key, value)| (key.trim(), value.trim())) {
                Some(("hashes", list)) => {
                    in_hashes = !list.ends_with(']');
                    let list = list.trim_start_matches('[').trim_end_matches(']');
                    found.last_mut().is_some_and(|provider| provider.add_hashes(list))
                }
                Some(("version", version)) => {
                    found.last_mut().map(|provider| provider.version = Some(unquoted(version))).is_some()
                }
                Some(("constraints", _)) => true,
                _ => false,
            },
        };
        if !understood {
            unclear.push(number + 1);
        }
    }
    (found, unclear)
}

fn unquoted(text: &str) -> &str {
    text.trim().trim_matches('"')
}

impl<'a> Provider<'a> {
    fn add_hashes(&mut self, list: &'a str) -> bool {
        let words = list.split(',').map(unquoted).filter(|word| !word.is_empty());
        let room = MOST_HASHES.saturating_sub(self.hashes.len());
        self.hashes.extend(words.take(room));
        true
    }
}

fn component(reading: &mut Reading, provider: &Provider<'_>) -> Option<Component> {
    let (host, path) = provider.address.split_once('/').unwrap_or(("", provider.address));
    let origin = if USUAL.contains(&host) { Origin::Usual } else { Origin::Registry(host.to_owned()) };
    let purl = purl::typed("terraform", path, provider.version, &origin);
    let mut component = reading.component("terraform", path, provider.version, purl)?;
    component.scope = Scope::Build;
    component.direct = Some(true);
    if provider.version.is_none() {
        reading.gap(&format!("{path}: the lock does not say which version"));
    }
    for hash in &provider.hashes {
        match hash.split_once(':') {
            Some(("zh", digits)) if is_hex(digits, 32) => component.hashes.push(reading.hash("SHA-256", digits)),
            Some(("h1", value)) if value.len() == 44 && is_sound(value) => {
                component.hashes.push(reading.hash("h1", value));
            }
            _ => reading.gap(&format!("{path}: one of its hashes is of another kind")),
        }
    }
    Some(component)
}

#[cfg(test)]
mod tests {
    use crate::components::testing::{found, gaps, inventory};

    #[test]
    fn providers_have_versions_and_both_kinds_of_hashes() {
        let text = format!(
            "# maintained by hand\nprovider \"registry.terraform.io/hashicorp/aws\" {{\n  version     = \"5.1.0\"\n  constraints = \"~> 5.0\"\n  hashes = [\n    \"h1:{}=\",\n    \"zh:{}\",\n  ]\n}}\n\n\
             provider \"tf.example/a/b\" {{\n  version = \"1.0.0\"\n  hashes = [\"x\"]\n}}\nnonsense\n",
            "A".repeat(43),
            "0".repeat(64)
        );
        let inventory = inventory(&[(".terraform.lock.hcl", &text)]);
        let aws = found(&inventory, "pkg:terraform/hashicorp/aws@5.1.0");
        let algorithms: Vec<_> = aws.hashes.iter().map(|hash| hash.alg.as_str()).collect();
        assert_eq!(algorithms, ["SHA-256", "h1"]);
        found(&inventory, "pkg:terraform/a/b@1.0.0?repository_url=tf.example");
        assert_eq!(
            gaps(&inventory, ".terraform.lock.hcl"),
            ["a/b: one of its hashes is of another kind", "line 15 is not understood"]
        );
    }
}
