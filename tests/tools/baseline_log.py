"""Git's objects, the log, and the releases in it: docs/format.md sections 1, 6.1 and 8.

A part of verify.py.
"""

import hashlib
import re
import subprocess

from baseline_format import Refused, TYPES, decode, demand, digest, encode, malformed, parse_note, unknown
from baseline_trust import Checkpoint, SignOff, Trust, count


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

    def everything(self, name):
        """Returns the ids of everything below a tree."""
        for mode, _, target in self.tree(name):
            yield target
            if mode == 0o40000:
                yield from self.everything(target)

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


def is_derived(path):
    return path == b"checkpoint" or path.startswith(b"tile/")


class Log:
    def __init__(self, git):
        self.git, self.files, self.pairs, self.checkpoints, self.kept = git, {}, [], [], {}
        self.tip = git.ref("refs/baseline/log")
        if self.tip is None:
            raise unknown("GB-LOG-MISSING")
        chain, head = [], self.tip
        while head:
            tree, parents, _ = git.commit(head)
            demand(len(parents) <= 1, "GB-LOG-NOT-LINEAR")
            chain.append(tree)
            head = parents[0] if parents else None
        checkpoint = None
        for tree in reversed(chain):
            files = git.files(tree)
            written = files.get(b"checkpoint")
            if written != checkpoint and written and written[0] == 0o100644:
                self.checkpoints.insert(0, written[1])
            checkpoint = written
            self.append({path: entry for path, entry in files.items() if not is_derived(path)})
        self.places = {path.decode(): at for at, (path, _) in enumerate(self.pairs)}

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
        new = set(added)
        for path in added:
            signs = path.endswith(b".sig") and not path.endswith(b".sig.sig") and path[:-4] in new
            if not signs:
                signed = not path.endswith(b".sig") and path + b".sig" in new
                self.pairs.append((path, path + b".sig" if signed else None))
        self.files = files

    def trust(self):
        """Section 8.3: how far the log counts, and the roots in that. What is pending is taken out."""
        Trust(self, 0)  # the first root is told of whether or not the log is signed
        found, accepted = [], None
        for blob in self.checkpoints:
            try:
                found.append(Checkpoint(self.git.blob(blob)))
            except Refused as refused:
                if refused.code != "GB-LOG-CHECKPOINT":
                    raise
        for checkpoint in sorted(found, key=lambda one: -one.head["size"]):
            size = checkpoint.head["size"]
            if not 0 < size <= len(self.pairs):
                continue
            trust = Trust(self, size)
            if checkpoint.origin != trust.newest.body["origin"] or not checkpoint.signed_for(trust.newest):
                continue
            demand(self.head(size) == checkpoint.head, "GB-LOG-ROOT")
            accepted = accepted or (trust, size)
        if accepted:
            trust, size = accepted
            for pair in self.pairs[size:]:
                for path in filter(None, pair):
                    del self.files[path]
                self.places.pop(pair[0].decode())
            self.pairs = self.pairs[:size]
            return trust
        raise unknown("GB-LOG-UNSIGNED")

    def read(self, path):
        path = path.encode() if isinstance(path, str) else path
        demand(path in self.files, "GB-LOG-INCOMPLETE", repr(path))
        return self.git.blob(self.files[path][1])

    def below(self, folder):
        return sorted(path.decode() for path in self.files if path.startswith(folder.encode()))

    def leaves(self):
        return [path.decode() for path, _ in self.pairs]

    def position(self, path):
        return self.places.get(path)

    def signature(self, path):
        """The signature that came with a statement."""
        place = self.places.get(path)
        signed = self.pairs[place][1] if place is not None else None
        return self.read(signed) if signed else None

    def sign_offs(self, trust, folder):
        """Those in a folder that stand, by position."""
        found = []
        for path in self.below(f"{folder}signoffs/"):
            signature = self.signature(path) if path.endswith(".cbor") else None
            if signature is None:
                continue
            try:
                one = SignOff(trust, self.read(path), signature, self.position(path))
                if one.said["time"] >= trust.at(one.position).body["time"]:
                    found.append(one)
            except Refused:
                continue  # void
        return sorted(found, key=lambda one: one.position)

    def past(self, trust, place):
        """The latest time that two persons had claimed before a place (section 6.1)."""
        rooms = ("releases", "changes", "deviations")
        paths = [path.split("/") for path in self.leaves()[:place]]
        fits = [path for path in paths if path[0] in rooms and path[-2:-1] == ["signoffs"] and path[-1].endswith(".cbor")]
        latest = {}
        for path in map("/".join, fits[-256:]):
            signature, position = self.signature(path), self.position(path)
            root = trust.at(position)
            try:
                one = SignOff(trust, self.read(path), signature or b"", position)
            except Refused:
                continue
            known = not trust.newest.barred(one.key, position) and root.person_of(one.key) == one.person
            holds = one.person in root.holders(one.said["role"])
            if known and holds and one.said["time"] >= root.body["time"]:
                latest[one.person] = max(one.said["time"], latest.get(one.person, one.said["time"]))
        return sorted(latest.values())[-2] if len(latest) > 1 else 0

    def head(self, size):
        for at in range(len(self.kept), size):
            path, signature = self.pairs[at]
            signed = digest(self.read(signature)) if signature else None
            self.kept[at] = encode([path.decode(), digest(self.read(path)), signed])
        return {"root": merkle([self.kept[at] for at in range(size)]), "size": size}

    def begins_with(self, head):
        return head["size"] <= len(self.pairs) and self.head(head["size"]) == head

    def sealed(self, entry):
        """Path and bytes of the sealed note that a range entry names."""
        path = f"records/{entry['commit'].hex()[:2]}/{entry['commit'].hex()}"
        beside = [found for found in self.below(path) if found == path or found[len(path)] == "~" and not found.endswith(".sig")]
        for found in sorted(beside, key=lambda found: self.position(found)):
            data = self.read(found)
            if digest(data) == entry["record"]:
                return found, data
        demand(digest(self.read(path)) == entry["record"], "GB-BIND-DIGEST", path)
        raise Refused("GB-LOG-INCOMPLETE", path)


# ---- releases (section 6) ----


class Release:
    """A statement that enough persons signed, or why it is none."""

    def __init__(self, log, trust, name, folder):
        self.name, self.folder, self.why, self.open = name, folder, None, False
        self.data = log.read(f"{folder}release.cbor")
        self.digest, self.place = digest(self.data), log.position(f"{folder}release.cbor")
        sign_offs = log.sign_offs(trust, folder)
        self.position, all_count = self.vouched(trust, sign_offs, "released")
        self.withdrawn, _ = self.vouched(trust, sign_offs, "withdrawn")
        try:
            if self.position is None:
                self.open = all_count is not None
                demand(False, "GB-RELEASE-PROPOSED" if all_count else "GB-SIG-THRESHOLD")
            header, self.body = decode("release", self.data)
            demand(header == trust.baseline, "GB-BIND-BASELINE")
            demand(self.body["name"] == name, "GB-BIND-NAME")
            fits = self.body["log"]["size"] <= self.place and log.begins_with(self.body["log"])
            demand(fits, "GB-LOG-FORK")
            claimed = min(self.body["time"], self.body["as_of"])
            demand(claimed >= trust.at(self.place).body["time"], "GB-TIME-BACKWARDS")
            demand(claimed >= log.past(trust, self.place), "GB-TIME-BACKWARDS")
            demand(self.body["trust_version"] == trust.at(self.place).version, "GB-BIND-STATEMENT")
        except Refused as refused:
            self.why = refused

    def vouched(self, trust, sign_offs, meaning):
        """Returns where it was signed by enough; else None, and whether all that was signed counts, None where nothing does."""
        target = {"name": self.name, "type": "release", "digest": self.digest}
        said, counted = None, False
        for at, last in enumerate(sign_offs):
            if last.position <= self.place:
                continue
            root = trust.at(last.position)
            asked = (root, trust.newest, root.release_groups(), meaning, target)
            enough, said = count(*asked, sign_offs[: at + 1])
            counted = any(one.counts(*asked) for one in sign_offs[: at + 1])
            if enough:
                return last.position, True
        return None, said if counted else None

    def taken_back(self, place):
        return self.withdrawn is not None and self.withdrawn < place

    def sealed(self, log):
        for entry in self.body["range"]:
            for block in parse_note(log.sealed(entry)[1]):
                _, record = decode("commit", block[2])
                if record["commit"] == entry["commit"]:
                    yield record
                    break


def releases(log, trust):
    """Section 6.1: those in force or withdrawn, in their order, and the others."""
    candidates = []
    for path in log.below("releases/"):
        found = re.fullmatch(r"releases/([^/]+)/release\.cbor", path, re.DOTALL)
        name = found and found[1].partition("~")[0]
        if name and TYPES["name"](name):
            candidates.append(Release(log, trust, name, f"releases/{found[1]}/"))
    standing, others = [], [one for one in candidates if one.why]
    for one in sorted((one for one in candidates if not one.why), key=lambda one: one.position):
        last, before = standing[-1] if standing else None, one.body["predecessor"]
        if before == (last and last.digest):
            if one.body["sequence"] != (last.body["sequence"] if last else 0) + 1:
                one.why = Refused("GB-CHAIN-PREDECESSOR", one.name)
            elif last and (one.body["time"] < last.body["time"] or one.body["as_of"] < last.body["as_of"]):
                one.why = Refused("GB-TIME-BACKWARDS", one.name)
            elif any(other.name.lower() == one.name.lower() for other in standing):
                one.why, one.open = Refused("GB-RELEASE-SUPERSEDED", one.name), True
        elif before is None or any(other.digest == before for other in standing):
            one.why, one.open = Refused("GB-RELEASE-SUPERSEDED", one.name), True
        else:
            one.why = Refused("GB-CHAIN-PREDECESSOR", one.name)
        (others if one.why else standing).append(one)
    return standing, others
