//! Components in other people's formats: what each document says of the same commit, and that it says it again.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::Repo;

/// What has the same number of entries in every format, and how it is counted there.
fn purls(format: &str, document: &Value) -> BTreeSet<String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let found: Vec<Option<String>> = match format {
        "spdx" => document["packages"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|package| package["externalRefs"].as_array().into_iter().flatten())
            .filter(|reference| reference["referenceType"] == "purl")
            .map(|reference| text(&reference["referenceLocator"]))
            .collect(),
        "spdx-3" => {
            document["@graph"].as_array().unwrap().iter().map(|one| text(&one["software_packageUrl"])).collect()
        }
        _ => document["components"].as_array().unwrap().iter().map(|one| text(&one["purl"])).collect(),
    };
    found.into_iter().flatten().collect()
}

#[test]
fn every_format_names_the_same_components_and_gives_the_same_bytes_again() {
    let repo = Repo::begun(&[]);
    let expected = purls("json", &repo.baseline(&["components", "--format", "json"]).exits(0).json());
    assert!(!expected.is_empty());
    for format in ["cyclonedx", "cyclonedx-1.7", "spdx", "spdx-3"] {
        let ask = ["components", "main", "--format", format];
        let first = repo.baseline(&ask).exits(0);
        assert_eq!(purls(format, &first.json()), expected, "{format}");
        let later = repo.baseline_with(&[("SOURCE_DATE_EPOCH", "1890000000"), ("TZ", "Asia/Tokyo")], &ask).exits(0);
        assert_eq!(first.stdout, later.stdout, "{format} reads no clock");
    }
    let table = repo.baseline(&["components", "--format", "csv"]).exits(0).text();
    let rows: Vec<&str> = table.split_terminator("\r\n").collect();
    assert!(rows[0].starts_with("purl,name,version,ecosystem,scope,direct,licenses,"), "{table}");
    assert_eq!(rows.len() - 1, expected.len());
}

#[test]
fn documents_are_for_components_alone() {
    let repo = Repo::begun(&[]);
    for format in ["cyclonedx", "cyclonedx-1.7", "spdx", "spdx-3", "csv"] {
        repo.baseline(&["items", "--format", format]).refuses(2, "GB-USE-ARGUMENTS");
    }
}

#[test]
fn a_release_keeps_both_documents_and_gives_them_back_unchanged() {
    let repo = Repo::walked();
    for (format, name) in [("cyclonedx", "sbom.cdx.json"), ("spdx", "sbom.spdx.json")] {
        let exported = repo.baseline(&["export", "1.1.0", "--as", format]).exits(0);
        assert_eq!(exported.stdout, repo.blob(&format!("refs/baseline/log:releases/1.1.0/{name}")), "{name}");
    }
    let stored = repo.baseline(&["export", "1.1.0", "--as", "spdx"]).exits(0).json();
    assert_eq!(stored["packages"][0]["versionInfo"], "1.1.0");
}

#[test]
fn a_profile_counts_who_has_each_element_and_names_who_lacks_it() {
    let repo = Repo::begun(&[]);
    for profile in ["ntia", "cisa-2025", "fda", "bsi-2.1"] {
        let answer = repo.baseline(&["components", "--profile", profile, "--format", "json"]).exits(0).json();
        assert_eq!(
            (answer["schema"].as_str(), answer["profile"].as_str()),
            (Some("git-baseline/profile/1"), Some(profile))
        );
        for element in answer["elements"].as_array().unwrap() {
            let lacking = element["lacking"].as_array().unwrap().len() as u64;
            assert_eq!(element["have"].as_u64().unwrap() + lacking, element["of"].as_u64().unwrap(), "{element}");
        }
    }
    repo.baseline(&["components", "--profile", "ntia"]).exits(0).shows("supplier name");
    repo.baseline(&["components", "--profile", "ntia", "--format", "spdx"]).refuses(2, "GB-USE-ARGUMENTS");
}
