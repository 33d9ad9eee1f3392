#!/usr/bin/env bash
# Makes the tour's repositories, and gives what comes out of them to other people's validators.
set -euo pipefail
cd "$(dirname "$0")/../.."
cargo build --locked --quiet
program="$PWD/target/debug/git-baseline"
[ -z "${CARGO_TARGET_DIR:-}" ] || program="$CARGO_TARGET_DIR/debug/git-baseline"
tools="$PWD/tests/tools"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$program" tour --keep "$folder/tour" >"$folder/tour.txt"
export XDG_STATE_HOME="$folder/tour/state"
cd "$folder/tour/audit.git"
git fsck --strict
"$program" export 1.0.0 --as cyclonedx -o "$folder/1.0.0.cdx.json"
"$program" components 1.1.0 --format cyclonedx >"$folder/1.1.0.cdx.json"
"$program" components 1.1.0 --format cyclonedx-1.7 >"$folder/1.1.0.1-7.cdx.json"
python3 "$tools/validate_cyclonedx.py" "$folder"/*.cdx.json
"$program" export 1.0.0 --as spdx -o "$folder/1.0.0.spdx.json"
"$program" components 1.1.0 --format spdx >"$folder/1.1.0.spdx.json"
"$program" components 1.1.0 --format spdx-3 >"$folder/1.1.0.spdx3.json"
python3 "$tools/validate_spdx.py" "$folder"/*.spdx.json "$folder"/*.spdx3.json
# Findings end with 1, and are no failure here.
"$program" check --format sarif >"$folder/check.sarif" || [ $? -eq 1 ]
"$program" check 1.0.0..1.1.0 --format sarif >"$folder/range.sarif" || [ $? -eq 1 ]
"$program" check --history --format sarif >"$folder/history.sarif" || [ $? -eq 1 ]
python3 "$tools/validate_sarif.py" "$folder"/*.sarif
"$program" export 1.0.0 --as allowed-signers -o "$folder/allowed_signers"
"$program" export 1.0.0 --as signoff-list | while read -r person statement signature; do
    git cat-file blob "refs/baseline/log:$statement" >"$folder/statement"
    git cat-file blob "refs/baseline/log:$signature" >"$folder/statement.sig"
    ssh-keygen -Y verify -f "$folder/allowed_signers" -I "$person" -n git-baseline.signoff -s "$folder/statement.sig" <"$folder/statement"
done
