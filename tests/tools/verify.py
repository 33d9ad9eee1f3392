#!/usr/bin/env python3
"""A second verifier of git-baseline's releases, which follows docs/format.md and shares no code with it.

Needs Git and `pip install cryptography blake3`. Usage:

    verify.py REPOSITORY FINGERPRINT NAME
    verify.py --vectors DIR

It prints each step of docs/format.md section 10, then the verdict, and ends with 0 verified, 1 refused, 3 inconclusive
or 4 malformed. It recomputes no facts: of a record it compares what needs no rule set (section 5.3, step 7), of a
manifest its digests and the source tree's.
"""

import hashlib
import json
import pathlib
import re
import subprocess
import sys

from baseline_format import Refused, Root, TYPES, check_block, check_signature, decode, demand, digest, encode, malformed
from baseline_format import parse_note, parse_signature, unknown

WORST = [0, 2, 6, 3, 5, 1, 4, 70]  # mildest first: the worst of all steps ends the process (section 10)


# ---- Git: objects by their ids, hashed again (section 1) ----


class Git:
    def __init__(self, path):
        self.path, self.kept = path, {}
        self.format = self.ask("rev-parse", "--show-object-format").decode().strip()
        self.shallow = self.ask("rev-parse", "--is-shallow-repository").strip() == b"true"
        self.width = {"sha1": 20, "sha256": 32}[self.format]
        self.pipe = subprocess.Popen(self.command("cat-file", "--batch"), stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def command(self, *arguments):
        return ["git", "--no-replace-objects", "-C", self.path, *arguments]

    def ask(self, *arguments):
        return subprocess.run(self.command(*arguments), check=True, capture_output=True).stdout

    def ref(self, name):
        """Returns what a ref points to, as bytes; nothing where it is absent."""
        found = subprocess.run(self.command("show-ref", "--verify", "--hash", name), capture_output=True).stdout
        return bytes.fromhex(found.decode().strip()) or None

    def object(self, kind, name):
        if name in self.kept:
            return self.kept[name]
        self.pipe.stdin.write(name.hex().encode() + b"\n")
        self.pipe.stdin.flush()
        words = self.pipe.stdout.readline().split()
        if words[-1:] == [b"missing"]:
            raise unknown("GB-OBJ-MISSING", name.hex())
        size = int(words[2])
        data = self.pipe.stdout.read(size + 1)[:size]
        actual = hashlib.new(self.format, words[1] + b" " + words[2] + b"\0" + data).digest()
        if actual != name:
            raise malformed("GB-OBJ-HASH", name.hex())
        if words[1] != kind:
            raise malformed("GB-OBJ-MALFORMED", name.hex())
        if kind != b"blob":
            self.kept[name] = data
        return data

    def blob(self, name):
        return self.object(b"blob", name)

    def commit(self, name):
        """Returns tree, parents and raw bytes."""
        raw = self.object(b"commit", name)
        lines = raw.partition(b"\n\n")[0].split(b"\n")
        parents = []
        for line in lines[1:]:
            if not line.startswith(b"parent "):
                break
            parents.append(bytes.fromhex(line[7:].decode()))
        twice = any(line.startswith((b"tree ", b"parent ")) for line in lines[1 + len(parents) :])
        if twice or not lines[0].startswith(b"tree "):
            raise malformed("GB-OBJ-MALFORMED", name.hex())
        return bytes.fromhex(lines[0][5:].decode()), parents, raw

    def tree(self, name):
        """Returns (mode, name, id) of each entry of one tree."""
        data, entries = self.object(b"tree", name), []
        while data:
            mode, _, rest = data.partition(b" ")
            entry, _, rest = rest.partition(b"\0")
            plain = entry not in (b"", b".", b"..") and b"/" not in entry and len(rest) >= self.width
            if not plain or not re.fullmatch(rb"[0-7]{1,7}", mode):
                raise malformed("GB-OBJ-MALFORMED", name.hex())
            entries.append((int(mode, 8), entry, rest[: self.width]))
            data = rest[self.width :]
        keys = [entry + (b"/" if mode == 0o40000 else b"") for mode, entry, _ in entries]
        names = {entry for _, entry, _ in entries}
        if any(a >= b for a, b in zip(keys, keys[1:])) or len(names) != len(entries):
            raise malformed("GB-OBJ-MALFORMED", name.hex())
        return entries

    def files(self, name, prefix=b"", depth=0):
        """Returns {path: (mode, id)} of everything below a tree."""
        if depth > 512:
            raise malformed("GB-OBJ-MALFORMED", "too deep")
        found = {}
        for mode, entry, target in self.tree(name):
            if mode == 0o40000:
                found.update(self.files(target, prefix + entry + b"/", depth + 1))
            else:
                found[prefix + entry] = (mode, target)
        return found

    def reachable(self, tips):
        seen, queue = set(), list(tips)
        while queue:
            name = queue.pop()
            if name not in seen:
                seen.add(name)
                queue.extend(self.commit(name)[1])
        return seen


# ---- the log (section 8) ----


def merkle(leaves):
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + merkle(leaves[:half]) + merkle(leaves[half:])).digest()


class Log:
    def __init__(self, git):
        self.git, self.files, self.pairs = git, {}, []
        head = git.ref("refs/baseline/log")
        if head is None:
            raise unknown("GB-LOG-MISSING")
        chain = []
        while head:
            tree, parents, _ = git.commit(head)
            demand(len(parents) <= 1, "GB-LOG-NOT-LINEAR")
            chain.append(tree)
            head = parents[0] if parents else None
        for tree in reversed(chain):
            self.append(git.files(tree))

    def append(self, files):
        for path, entry in self.files.items():
            demand(files.get(path) == entry, "GB-LOG-REWRITTEN", repr(path))
        added = sorted(set(files) - set(self.files))
        for path in added:
            try:
                path.decode("utf-8")
            except UnicodeDecodeError:
                raise Refused("GB-LOG-REWRITTEN", repr(path)) from None
            demand(files[path][0] == 0o100644, "GB-LOG-REWRITTEN", repr(path))
        for path in added:
            signs = path.endswith(b".sig") and not path.endswith(b".sig.sig") and path[:-4] in added
            if not signs:
                signed = not path.endswith(b".sig") and path + b".sig" in added
                self.pairs.append((path, path + b".sig" if signed else None))
        self.files = files

    def read(self, path):
        path = path.encode() if isinstance(path, str) else path
        demand(path in self.files, "GB-LOG-INCOMPLETE", repr(path))
        return self.git.blob(self.files[path][1])

    def below(self, folder):
        return sorted(path for path in self.files if path.startswith(folder.encode()))

    def head(self, count):
        leaves = []
        for path, signature in self.pairs[:count]:
            signed = digest(self.read(signature)) if signature else None
            leaves.append(encode([path.decode(), digest(self.read(path)), signed]))
        return {"root": merkle(leaves), "size": len(leaves)}


# ---- a release (sections 6, 9 and 10) ----


class Release:
    """A statement that is vouched for: step 4."""

    def __init__(self, log, root, name):
        folder = f"releases/{name}/"
        if f"{folder}release.cbor".encode() not in log.files:
            raise Refused("GB-USE-RELEASE", name, 2)
        data = log.read(f"{folder}release.cbor")
        signatures = dict(log.pairs)
        paths = [path for path in log.below(f"{folder}signoffs/") if path.endswith(b".cbor") and signatures.get(path)]
        standing = root.standing([(log.read(path), log.read(signatures[path])) for path in paths])
        demand(root.vouched(standing, name, data, "released"), "GB-SIG-THRESHOLD")
        self.withdrawn = root.vouched(standing, name, data, "withdrawn")
        header, self.body = decode("release", data)
        demand(header == root.baseline, "GB-BIND-BASELINE")
        demand(self.body["name"] == name, "GB-BIND-NAME")
        self.digest = digest(data)


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
        steps = [("log", self.open_log), ("trust", self.trust), ("signatures", self.signatures)]
        if all(self.step(name, action) for name, action in steps):
            self.step("status", lambda: demand(not self.release.withdrawn, "GB-RELEASE-WITHDRAWN"))
            chained = self.step("sequence", self.sequence)
            self.step("log-head", self.log_head)
            self.step("documents", self.documents)
            if self.step("manifest", self.read_manifest):
                self.step("source-tree", self.source_tree)
                self.step("release-ref", self.release_ref)
            self.step("source-commit", self.source_commit)
            if chained:
                self.step("records", self.records)
            self.step("name", self.shadows)
        verdict = {0: "verified", 2: "inconclusive", 3: "inconclusive"}.get(self.exit, "refused")
        print(f"{verdict} {self.name}")
        return self.exit

    def open_log(self):
        self.log = Log(self.git)

    def trust(self):
        data = self.log.read("trust/1/root.cbor")
        demand(digest(data).hex() == self.fingerprint, "GB-TRUST-FINGERPRINT", digest(data).hex())
        if any(not path.startswith(b"trust/1/") for path in self.log.below("trust/")):
            raise unknown("GB-TRUST-VERSION")
        self.root = Root(data, [self.log.read(path) for path in self.log.below("trust/1/signatures/")])

    def signatures(self):
        self.release = Release(self.log, self.root, self.name)
        self.said = self.release.body

    def sequence(self):
        others = []
        for path in self.log.below("releases/"):
            name = re.fullmatch(r"releases/([^/]+)/release\.cbor", path.decode())
            if not name or not TYPES["name"](name[1]):
                continue
            try:
                others.append(Release(self.log, self.root, name[1]))
            except Refused as refused:
                if refused.exit_code != 1 and not refused.code.startswith("GB-FMT-"):
                    raise
        same = [other for other in others if other.body["sequence"] == self.said["sequence"]]
        demand(len(same) == 1, "GB-CHAIN-FORK")
        earlier = [other for other in others if other.body["sequence"] < self.said["sequence"]]
        self.earlier = sorted(earlier, key=lambda other: other.body["sequence"])
        number, predecessor = 1, None
        for link in [*self.earlier, self.release]:
            follows = link.body["sequence"] == number and link.body["predecessor"] == predecessor
            demand(follows, "GB-CHAIN-PREDECESSOR", link.body["name"])
            number, predecessor = number + 1, link.digest

    def log_head(self):
        demand(self.log.head(self.said["log"]["size"]) == self.said["log"], "GB-LOG-FORK")

    def documents(self):
        for document in self.said["documents"]:
            stored = self.log.read(f"releases/{self.name}/{document['name']}")
            demand(digest(stored) == document["digest"], "GB-BIND-DIGEST", document["name"])

    def read_manifest(self):
        data = self.log.read(f"releases/{self.name}/manifest.cbor")
        demand(digest(data) == self.said["manifest"], "GB-BIND-DIGEST", "manifest.cbor")
        header, self.manifest = decode("manifest", data)
        demand(header == self.root.baseline, "GB-BIND-BASELINE", "manifest.cbor")
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
        folder = f"releases/{self.name}/"
        expected = {path[len(folder) :]: self.log.files[path] for path in self.log.below(folder)}
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
        tips = [other.body["commit"] for other in self.earlier if not other.withdrawn]
        start = self.root.body["control_start"]
        before = self.git.reachable(tips + ([start] if start else []))
        wanted = sorted(self.git.reachable([self.said["commit"]]) - before)
        demand(wanted == [entry["commit"] for entry in self.said["range"]], "GB-COVER-RANGE")
        head = self.git.ref("refs/notes/baseline")
        notes = self.git.files(self.git.commit(head)[0]) if head else None
        for entry in self.said["range"]:
            self.record(entry, notes)
        if wanted and notes is None:
            raise unknown("GB-REF-MISSING", "refs/notes/baseline")

    def record(self, entry, notes):
        commit = entry["commit"]
        sealed = self.log.read(f"records/{commit.hex()[:2]}/{commit.hex()}")
        demand(digest(sealed) == entry["record"], "GB-BIND-DIGEST", commit.hex())
        self.note(sealed, commit)
        demand(digest(self.git.commit(commit)[2]) == entry["digest"], "GB-BIND-COMMIT", commit.hex())
        if notes is None:
            return
        here = [entry for path, entry in notes.items() if path.replace(b"/", b"") == commit.hex().encode()]
        if not here:
            raise unknown("GB-REF-MISSING", f"note on {commit.hex()}")
        demand(len(here) == 1, "GB-NOTE-DUPLICATE")
        note = self.git.blob(here[0][1])
        if note != sealed:
            self.note(note, commit)
            kept = {block[0] for block in parse_note(sealed)}
            demand(kept <= {block[0] for block in parse_note(note)}, "GB-NOTE-ALTERED")

    def note(self, note, commit):
        """Section 5.3, without what needs the rule set."""
        tree, parents, _ = self.git.commit(commit)
        policy = self.git.files(tree).get(b".baseline/policy.toml")
        policy = digest(self.git.blob(policy[1])) if policy else None
        for block in parse_note(note):
            record = check_block(self.root, block, commit)
            found = (record["tree"], record["parents"], record["object_format"], record["policy"])
            demand(found == (tree, parents, self.git.format, policy), "GB-RECORD-DELTA", commit.hex())

    def shadows(self):
        for prefix in ("refs/tags/", "refs/heads/", "refs/tags/v"):
            if self.git.ref(prefix + self.name):
                peeled = self.git.ask("rev-parse", f"{prefix}{self.name}^{{commit}}").decode().strip()
                demand(peeled == self.said["commit"].hex(), "GB-NAME-SHADOWED", prefix + self.name)


# ---- vectors (tests/vectors/README.md) ----


def judge(expected, files):
    def root():
        return Root(files["root.cbor"], [data for name, data in files.items() if re.fullmatch(r"root\..*\.sig", name)])

    check = expected["check"]
    if check == "record":
        decode(expected["type"], files.get("input.cbor") or bytes(expected.get("zero_bytes", 0)))
    elif check == "signature":
        check_signature(parse_signature(files["input.sig"]), expected["namespace"], files["message"])
    elif check == "root":
        root()
    elif check == "note":
        trusted = root()
        for block in parse_note(files["input.note"]):
            check_block(trusted, block, bytes.fromhex(expected["commit"]))
    else:
        trusted = root()
        names = [name for name in files if re.fullmatch(r"signoff-.*\.cbor", name)]
        standing = trusted.standing([(files[name], files[f"{name}.sig"]) for name in names])
        demand(trusted.vouched(standing, "1.0.0", files["statement.cbor"], "released"), "GB-SIG-THRESHOLD")


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
