//! In which releases and tags a component stands.

use crate::support::Repo;

fn lock(version: &str) -> String {
    format!(
        "{{\"lockfileVersion\": 3, \"packages\": {{\"\": {{\"dependencies\": {{\"lodash\": \"*\"}}}}, \
         \"node_modules/lodash\": {{\"version\": \"{version}\"}}}}}}"
    )
}

#[test]
fn a_component_is_found_in_the_releases_that_have_it_by_their_signed_lists() {
    let repo = Repo::begun(&[]);
    repo.write("package-lock.json", lock("4.17.20"));
    repo.commit("First");
    repo.baseline(&["release", "1.0.0"]).exits(0);
    repo.git(&["tag", "v1"]);
    repo.write("package-lock.json", lock("4.17.21"));
    repo.commit("Second");
    repo.baseline(&["release", "1.1.0"]).exits(0);
    repo.git(&["tag", "v2"]);
    repo.git(&["tag", "-a", "-m", "m", "v2-again"]);
    repo.baseline(&["affected", "pkg:npm/lodash@4.17.20"]).exits(0).shows("1 of 2 releases have it").hides("1.1.0");
    repo.baseline(&["affected", "pkg:npm/lodash"]).exits(0).shows("2 of 2 releases have it");
    repo.baseline(&["affected", "pkg:npm/left-pad"]).exits(0).shows("0 of 2 releases have it");
    repo.baseline(&["affected", "lodash"]).refuses(2, "GB-USE-PURL");
    let tags = repo.baseline(&["affected", "pkg:npm/lodash@4.17.21", "--tags"]).exits(0).says("UNVERIFIED");
    tags.shows("v2-again").shows("2 of 3 tags have it");
}
