#!/usr/bin/env python3
"""A second verifier of git-baseline's releases, which follows docs/format.md and shares no code with it.

Needs Git and `pip install cryptography blake3`. Usage:

    verify.py REPOSITORY FINGERPRINT NAME
    verify.py --vectors DIR

It prints each step of docs/format.md section 10, then the verdict, and ends with 0 verified, 1 refused, 3 inconclusive
or 4 malformed. It recomputes no facts: of a record it compares what needs no rule set (section 5.3, step 7), of a
manifest its digests and the source tree's, of a change what its records say (section 6.4). Overdue emergencies it leaves
to the program.
"""

import hashlib
import json
import pathlib
import re
import sys

from baseline_changes import Changes, Policy, compose, content, segments
from baseline_format import Refused, TYPES, check_block, check_signature, decode, demand, digest, malformed, parse_note
from baseline_format import parse_signature, unknown
from baseline_log import Git, Log, releases
from baseline_trust import Checkpoint, SignOff, count, first_root, next_root

WORST = [0, 2, 6, 3, 5, 1, 4, 70]  # mildest first: the worst of all steps ends the process (section 10)


# ---- a verification (section 10) ----

PLACED = {"GB-CHAIN-PREDECESSOR": "sequence", "GB-RELEASE-SUPERSEDED": "sequence", "GB-LOG-FORK": "log-head"}


class Verification:
    def __init__(self, path, fingerprint, name):
        self.git, self.fingerprint, self.name = Git(path), fingerprint, name
        self.exit = 0

    def step(self, name, action):
        """Does one step; returns whether it passed."""
        try:
            action()
            print(f"  passed  {name}")
            return True
        except Refused as refused:
            self.exit = max(self.exit, refused.exit_code, key=WORST.index)
            print(f"  {'unknown' if refused.exit_code in (2, 3, 6) else 'failed'}  {name}: {refused}")
            return False

    def run(self):
        steps = [("log", self.open_log), ("trust", self.open_trust), ("log-root", self.log_root), ("releases", self.releases)]
        if all(self.step(name, action) for name, action in steps) and self.step(*self.find()):
            self.step("status", lambda: demand(self.release.withdrawn is None, "GB-RELEASE-WITHDRAWN"))
            self.step("statement", self.statement)
            self.step("sequence", lambda: None)
            self.step("log-head", lambda: None)
            self.step("documents", self.documents)
            if self.step("manifest", self.read_manifest):
                self.step("source-tree", self.source_tree)
                self.step("release-ref", self.release_ref)
            self.step("source-commit", self.source_commit)
            if self.step("records", self.records):
                self.step("changes", self.changes)
                self.step("notes", self.notes)
            self.step("name", self.shadows)
            self.step("replacements", self.replacements)
        verdict = {0: "verified", 2: "inconclusive", 3: "inconclusive"}.get(self.exit, "refused")
        print(f"{verdict} {self.name}")
        return self.exit

    def open_log(self):
        self.log = Log(self.git)

    def open_trust(self):
        found = digest(self.log.read("trust/1/root.cbor")).hex()
        demand(found == self.fingerprint, "GB-TRUST-FINGERPRINT", found)
        self.trust = self.log.trust()

    def log_root(self):
        self.log.head(len(self.log.pairs))

    def releases(self):
        self.standing, self.others = releases(self.log, self.trust)

    def find(self):
        """Returns the step that says whether a release of the name is in force."""
        self.release = next((one for one in self.standing if one.name == self.name), None)
        if self.release:
            self.said, self.folder = self.release.body, self.release.folder
            self.earlier = [one for one in self.standing if one.body["sequence"] < self.said["sequence"]]
            return "signatures", lambda: None
        named = [one for one in self.others if one.name == self.name]
        why = Refused("GB-USE-RELEASE", self.name, 2)
        if named:
            why = min(named, key=lambda one: (not one.open, len(one.folder), one.folder)).why

        def refuse():
            raise why

        return PLACED.get(why.code, "statement" if why.code == "GB-BIND-STATEMENT" else "signatures"), refuse

    def statement(self):
        root = self.trust.newest.body
        same = self.said["product"] == root["product"] and self.said["object_format"] == root["object_format"]
        demand(same and self.said["object_format"] == self.git.format, "GB-BIND-STATEMENT")

    def documents(self):
        for document in self.said["documents"]:
            stored = self.log.read(f"{self.folder}{document['name']}")
            demand(digest(stored) == document["digest"], "GB-BIND-DIGEST", document["name"])

    def read_manifest(self):
        data = self.log.read(f"{self.folder}manifest.cbor")
        demand(digest(data) == self.said["manifest"], "GB-BIND-DIGEST", "manifest.cbor")
        header, self.manifest = decode("manifest", data)
        demand(header == self.trust.baseline, "GB-BIND-BASELINE", "manifest.cbor")
        same = self.manifest["source_tree"]["digest"] == self.said["source_tree"]
        demand(same and self.manifest["ruleset"] == self.said["ruleset"], "GB-BIND-DIGEST", "manifest and statement")

    def source_commit(self):
        tree, _, raw = self.git.commit(self.said["commit"])
        own = [entry for entry in self.said["range"] if entry["commit"] == self.said["commit"]]
        bound = all(entry["digest"] == digest(raw) for entry in own)
        demand(tree == self.said["tree"] and bound, "GB-BIND-COMMIT")

    def source_tree(self):
        """Section 4.3."""
        lines, links = [], 0
        files = self.git.files(self.said["tree"])
        for path, (mode, target) in sorted(files.items()):
            link = mode & 0o170000 == 0o160000
            links += link
            kind, name = ("commit", target) if link else ("blob", digest(self.git.blob(target)))
            lines.append(f"{mode:06o} {kind} {name.hex()} ".encode() + path + b"\0")
        found = {"files": len(files) - links, "digest": digest(b"".join(lines)), "gitlinks": links}
        demand(found == self.manifest["source_tree"], "GB-REP-TREE")
        for item in self.manifest["items"]:
            content = self.git.blob(item["git_id"]) if files.get(item["path"]) == (item["mode"], item["git_id"]) else None
            demand(content is not None and len(content) == item["size"], "GB-REP-DIFFERS", repr(item["path"]))
            wanted = {"blake3": digest(content), "sha256": hashlib.sha256(content).digest()}
            demand(item["digest"] in (None, wanted), "GB-REP-DIFFERS", repr(item["path"]))

    def release_ref(self):
        head = self.git.ref(f"refs/baseline/releases/{self.name}")
        if head is None:
            raise unknown("GB-REF-MISSING", "release ref")
        tree, parents, _ = self.git.commit(head)
        paths = [path.encode() for path in self.log.below(self.folder)]
        expected = {path[len(self.folder) :]: self.log.files[path] for path in paths}
        for item in self.manifest["items"]:
            if item["digest"] is not None:
                expected[b"items/" + item["path"]] = (item["mode"], item["git_id"])
        found = self.git.files(tree)
        documents = {document["name"].encode() for document in self.said["documents"]}
        needed = {path for path in expected if path.startswith(b"items/")} | documents | {b"release.cbor", b"manifest.cbor"}
        same = all(expected.get(path) == entry for path, entry in found.items()) and needed <= set(found)
        demand(parents == [self.said["commit"]] and same, "GB-REF-ALTERED")

    def records(self):
        if self.git.shallow:
            raise unknown("GB-REPO-SHALLOW")
        tips = [other.body["commit"] for other in self.earlier if not other.taken_back(self.release.place)]
        start = self.trust.newest.body["control_start"]
        before = self.git.reachable(tips + ([start] if start else []))
        wanted = sorted(self.git.reachable([self.said["commit"]]) - before)
        demand(wanted == [entry["commit"] for entry in self.said["range"]], "GB-COVER-RANGE")
        self.held, self.sealed = {}, {}
        for entry in self.said["range"]:
            path, note = self.log.sealed(entry)
            commit = entry["commit"]
            self.sealed[commit] = (note, self.log.position(path))
            self.held[commit] = self.note(note, commit, self.log.position(path))
            demand(digest(self.git.commit(commit)[2]) == entry["digest"], "GB-BIND-COMMIT", commit.hex())

    def policy_of(self, tree):
        found = self.git.files(tree).get(b".baseline/policy.toml")
        return Policy(self.git.blob(found[1]) if found else None)

    def changes(self):
        policy = self.policy_of(self.said["tree"])
        kept = [one for one in self.earlier if not one.taken_back(self.release.place)]
        start = self.trust.newest.body["control_start"]
        base = kept[-1].body["tree"] if kept else start and self.git.commit(start)[0]
        other = self.policy_of(base) if base else None
        if other and other.digest is not None and other.digest != policy.digest:
            policy.with_stricter(other.required, other.approvals, other.days, other.block)
            policy.widened = True
        floors = self.trust.at(self.release.place).body["floors"]
        policy.with_stricter(floors["change_control"], floors["approvals"], floors["emergency_days"], floors["block"])
        ground = (self.log, self.trust, self.release.place, self.said["as_of"], policy, self.earlier, self.said["ruleset"])
        raws = {commit: self.git.commit(commit)[2] for commit in self.held}
        places = {commit: place for commit, (_, place) in self.sealed.items()}
        Changes(*ground).judge(self.held, raws, self.said["changes"], places)

    def notes(self):
        head = self.git.ref("refs/notes/baseline")
        if head is None and self.sealed:
            raise unknown("GB-REF-MISSING", "refs/notes/baseline")
        notes = self.git.files(self.git.commit(head)[0]) if head else {}
        for commit, (sealed, position) in self.sealed.items():
            here = [entry for path, entry in notes.items() if path.replace(b"/", b"") == commit.hex().encode()]
            if not here:
                raise unknown("GB-REF-MISSING", f"note on {commit.hex()}")
            if len(here) != 1:
                raise malformed("GB-NOTE-DUPLICATE")
            note = self.git.blob(here[0][1])
            if note != sealed:
                self.note(note, commit, position)
                kept = {block[0] for block in parse_note(sealed)}
                demand(kept <= {block[0] for block in parse_note(note)}, "GB-NOTE-ALTERED")

    def note(self, note, commit, position):
        """Section 5.3, without what needs the rule set; returns the record that holds."""
        tree, parents, _ = self.git.commit(commit)
        policy = self.policy_of(tree).digest
        first = aside = None
        for block in parse_note(note):
            try:
                record = check_block(self.trust, block, commit, position)
            except Refused as refused:
                if refused.code not in ("GB-BIND-COMMIT", "GB-SIG-REVOKED", "GB-SIG-ROLE"):
                    raise
                aside = aside or refused
                continue
            found = (record["tree"], record["parents"], record["object_format"], record["policy"])
            demand(found == (tree, parents, self.git.format, policy), "GB-RECORD-DELTA", commit.hex())
            first = first or record
        if first is None:
            raise aside
        return first

    def replacements(self):
        named = self.git.ask("for-each-ref", "--format=%(refname)", "refs/replace/").decode().split()
        replaced = {bytes.fromhex(name.rpartition("/")[2]) for name in named}
        if replaced:
            seen = {self.said["commit"], self.log.tip, *self.held}
            for commit in (self.said["commit"], self.log.tip):
                tree = self.git.commit(commit)[0]
                seen |= {tree, *self.git.everything(tree)}
            demand(not seen & replaced, "GB-OBJ-REPLACED")

    def shadows(self):
        for prefix in ("refs/tags/", "refs/heads/", "refs/tags/v"):
            if self.git.ref(prefix + self.name):
                peeled = self.git.ask("rev-parse", f"{prefix}{self.name}^{{commit}}").decode().strip()
                demand(peeled == self.said["commit"].hex(), "GB-NAME-SHADOWED", prefix + self.name)


# ---- vectors (tests/vectors/README.md) ----


class Roots:
    """What stands in for a chain of roots: the first one, and perhaps a next."""

    def __init__(self, files):
        self.first = first_root(files["root.cbor"], self.signatures(files, "root"))
        self.baseline, self.newest = self.first.digest, self.first
        if "next.cbor" in files:
            self.newest = next_root(self.first, files["next.cbor"], self.signatures(files, "next"), self.baseline)

    @staticmethod
    def signatures(files, name):
        return [(data, None) for file, data in files.items() if re.fullmatch(rf"{name}\..*\.sig", file)]

    def at(self, _):
        return self.first


def judge(expected, files):
    check = expected["check"]
    if check == "record":
        decode(expected["type"], files.get("input.cbor") or bytes(expected.get("zero_bytes", 0)))
    elif check == "signature":
        check_signature(parse_signature(files["input.sig"]), expected["namespace"], files["message"])
    elif check == "content":
        records = [decode("commit", files[name])[1] for name in sorted(files) if name.startswith("commit-")]
        composed = compose(step for record in records for step in segments(record))
        made = content(bytes.fromhex(expected["baseline"]), expected["change"], expected["ruleset"], composed)
        demand(made == files["content.cbor"] and digest(made).hex() == expected["digest"], "GB-BIND-CHANGES")
    elif check in ("root", "next-root"):
        Roots(files)
    elif check == "note":
        for block in parse_note(files["input.note"]):
            check_block(Roots(files), block, bytes.fromhex(expected["commit"]), None)
    elif check == "checkpoint":
        root, checkpoint = Roots(files).first, Checkpoint(files["checkpoint"])
        demand(checkpoint.origin == root.body["origin"], "GB-LOG-CHECKPOINT")
        demand(checkpoint.signed_for(root), "GB-SIG-THRESHOLD")
    else:
        roots, standing = Roots(files), []
        for name in files:
            if re.fullmatch(r"signoff-.*\.cbor", name):
                try:
                    standing.append(SignOff(roots, files[name], files[f"{name}.sig"], expected.get("position")))
                except Refused:
                    continue  # void
        target = {"name": "1.0.0", "type": "release", "digest": digest(files["statement.cbor"])}
        groups = roots.first.release_groups()
        demand(count(roots.first, roots.newest, groups, "released", target, standing)[0], "GB-SIG-THRESHOLD")


def vectors(folder):
    wrong = count = 0
    for path in sorted(folder.glob("*/*/expected.json")):
        expected = json.loads(path.read_text())
        try:
            judge(expected, {file.name: file.read_bytes() for file in path.parent.iterdir()})
            found = "accept"
        except Refused as refused:
            found = refused.code
        count += 1
        # Section 2.2: what is not canonical may be called a defect of a field.
        same = found == expected["code"] or (found, expected["code"]) == ("GB-FMT-FIELD", "GB-FMT-NOT-CANONICAL")
        if not same:
            wrong += 1
            print(f"{path.parent.name}: {found}, not {expected['code']}")
    print(f"{count} vectors, {wrong} judged otherwise")
    return 1 if wrong or not count else 0


def main(arguments):
    if len(arguments) == 2 and arguments[0] == "--vectors":
        return vectors(pathlib.Path(arguments[1]))
    if len(arguments) != 3 or not re.fullmatch("[0-9a-f]{64}", arguments[1]) or not TYPES["name"](arguments[2]):
        print(__doc__, file=sys.stderr)
        return 2
    return Verification(*arguments).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
