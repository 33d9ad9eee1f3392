"""Trust roots, checkpoints, and who counts: docs/format.md sections 3, 6.1, 7.1, 8.3 and 8.5.

A part of verify.py.
"""

import base64
import hashlib
import itertools
import unicodedata

from baseline_format import PLAIN, ROLES, Refused, check_key, check_signature, decode, demand, digest, parse_key
from baseline_format import parse_signature, verify_ed25519

CLASSES = ["certificate", "key", "policy", "access-control", "hardening", "component", "document"]
KINDS = ["retired", "compromised", "compromised-always"]
SEVERITIES = ["info", "low", "medium", "high", "critical"]


def ascending(values):
    return all(a < b for a, b in zip(values, values[1:]))


# ---- roots (section 3) ----


class Root:
    def __init__(self, data, baseline=None):
        self.data, self.digest = data, digest(data)
        header, self.body = decode("root", data)
        if baseline is None:
            demand(header is None, "GB-TRUST-CHAIN")
        else:
            demand(header == baseline, "GB-BIND-BASELINE")
        self.persons = {person["id"]: person for person in self.body["persons"]}
        self.roles = {role["name"]: role for role in self.body["roles"]}
        self.version, self.position = self.body["version"], 0
        self.check()

    def check(self):
        body = self.body
        first = body["version"] == 1
        sound = body["version"] > 0 and first == (body["log"] is None) and first == (body["predecessor"] is None)
        sound = sound and ascending([person["id"].encode() for person in body["persons"]])
        sound = sound and ascending([ROLES.index(role["name"]) for role in body["roles"]]) and "root" in self.roles
        addresses = {}
        for person in body["persons"]:
            sound = sound and ascending(person["keys"]) and ascending([mail.encode() for mail in person["emails"]])
            for mail in person["emails"]:
                sound = sound and addresses.setdefault(mail.lower(), person["id"]) == person["id"]
        bots = self.holders("bot")
        for role in body["roles"]:
            held = role["persons"]
            sound = sound and ascending([person.encode() for person in held]) and set(held) <= set(self.persons)
            sound = sound and 1 <= role["threshold"] <= len(held)
            sound = sound and (role["name"] in ("bot", "developer") or not set(held) & bots)
        order = [(quorum["act"], quorum["class"] is not None, quorum["class"] or "") for quorum in body["quorums"]]
        sound = sound and ascending(order)
        for quorum in body["quorums"]:
            groups = quorum["groups"]
            sound = sound and groups and ascending([ROLES.index(group["role"]) for group in groups])
            for group in groups:
                sound = sound and group["role"] != "bot" and 1 <= group["count"] <= len(self.holders(group["role"]))
        keys = [key for person in body["persons"] for key in person["keys"]]
        sound = sound and ascending([revocation["key"] for revocation in body["revocations"]])
        for revocation in body["revocations"]:
            always = revocation["kind"] == "compromised-always"
            sound = sound and always == (revocation["since"] is None) and revocation["key"] in keys
        witnesses = body["witnesses"]
        operators = {witness["operator"] for witness in witnesses}
        sound = sound and ascending([witness["name"].encode() for witness in witnesses]) and not operators & set(self.persons)
        sound = sound and len({witness["key"] for witness in witnesses}) == len(witnesses) and "" not in operators
        sound = sound and all(is_key_name(witness["name"]) for witness in witnesses)
        sound = sound and body["witness_quorum"] <= len(operators)
        demand(sound, "GB-TRUST-DEFECT")
        demand(len(keys) == len(set(keys)), "GB-TRUST-DEFECT", "one key, two persons")
        for key in keys:
            check_key(key)
        points = [parse_key(key)[1] for key in keys]
        demand(len(points) == len(set(points)), "GB-TRUST-DEFECT", "one point in two keys")

    def holders(self, role):
        return set(self.roles.get(role, {"persons": []})["persons"])

    def threshold(self, role):
        return self.roles.get(role, {"threshold": 1})["threshold"]

    def person_of(self, key):
        return next((person["id"] for person in self.body["persons"] if key in person["keys"]), None)

    def signer(self, parsed, namespace, data):
        """Returns person and key of a signature that holds."""
        key = check_signature(parsed, namespace, data)
        person = self.person_of(key)
        demand(person, "GB-SIG-UNKNOWN-KEY")
        return person, key

    def barred(self, key, position):
        """Section 3.3."""
        for revocation in self.body["revocations"]:
            since = revocation["since"]
            if revocation["key"] == key and (since is None or position is None or position >= since["size"]):
                return True
        return False

    def signed(self, data, signatures):
        """Whether as many persons as this root's role `root` takes signed these bytes (section 3.2)."""
        persons = set()
        for armoured, position in signatures:
            try:
                person, key = self.signer(parse_signature(armoured), "git-baseline.root", data)
            except Refused:
                continue  # void
            if not self.barred(key, position):
                persons.add(person)
        return len(persons & self.holders("root")) >= self.threshold("root")

    # how many of which roles an act takes (sections 6.1 and 6.3)

    def groups(self, act, own, classes=()):
        groups = dict(own)
        for quorum in self.body["quorums"]:
            if quorum["act"] == act and (quorum["class"] is None or quorum["class"] in classes):
                for group in quorum["groups"]:
                    groups[group["role"]] = max(groups.get(group["role"], 0), group["count"])
        return groups

    def release_groups(self):
        return self.groups("release", {"release": self.threshold("release")})

    def approval_groups(self, classes, approvals):
        floor = self.body["floors"]["approvals"]
        return self.groups("approve", {"approver": max(self.threshold("approver"), approvals, floor, 1)}, classes)


def first_root(data, signatures):
    root = Root(data)
    demand(root.version == 1, "GB-TRUST-DEFECT")
    demand(root.signed(data, signatures), "GB-TRUST-THRESHOLD")
    return root


def next_root(before, data, signatures, baseline):
    """Section 3.2, steps 1 to 6."""
    root = Root(data, baseline)
    now, then = root.body, before.body
    demand(now["predecessor"] == before.digest, "GB-TRUST-CHAIN", "predecessor")
    kept = {revocation["key"]: revocation for revocation in now["revocations"]}
    for old in then["revocations"]:
        new = kept.get(old["key"])
        same = new and KINDS.index(new["kind"]) >= KINDS.index(old["kind"])
        same = same and (new["since"] is None or old["since"] and new["since"]["size"] <= old["since"]["size"])
        demand(same, "GB-TRUST-REVOCATION-LOST")
    floors, old = now["floors"], then["floors"]
    holds = now["version"] == then["version"] + 1 and now["time"] >= then["time"]
    holds = holds and all(now[name] == then[name] for name in ("product", "origin", "object_format", "control_start"))
    holds = holds and SEVERITIES.index(floors["block"]) <= SEVERITIES.index(old["block"])
    holds = holds and floors["approvals"] >= old["approvals"] and floors["change_control"] >= old["change_control"]
    holds = holds and floors["emergency_days"] <= old["emergency_days"]
    holds = holds and now["log"]["size"] >= (then["log"] or {"size": 0})["size"]
    demand(holds, "GB-TRUST-CHAIN", "what must stay")
    for person in then["persons"]:
        after = root.persons.get(person["id"], {"keys": []})
        demand(person["id"] in root.persons and set(person["keys"]) <= set(after["keys"]), "GB-TRUST-CHAIN", "a key is forgotten")
    demand(before.signed(data, signatures) and root.signed(data, signatures), "GB-TRUST-THRESHOLD")
    return root


class Trust:
    """The chain of roots in the first `size` leaves of a log."""

    def __init__(self, log, size):
        data = log.read("trust/1/root.cbor")
        own = [(log.read(path), log.position(path)) for path in log.below("trust/1/signatures/")]
        root = first_root(data, own)
        root.position = log.position("trust/1/root.cbor")
        self.baseline, self.chain, candidates = root.digest, [root], {}
        for at, path in enumerate(log.leaves()[:size]):
            parts = path.split("/")
            if len(parts) < 3 or parts[0] != "trust" or parts[1] == "1":
                continue
            folder = "/".join(parts[:2])
            if parts[2:] == ["root.cbor"]:
                candidates[folder] = []
            elif len(parts) == 4 and parts[2] == "signatures" and folder in candidates:
                candidates[folder].append((log.read(path), at))
            else:
                continue
            try:
                root = next_root(self.newest, log.read(f"{folder}/root.cbor"), candidates[folder], self.baseline)
            except Refused:
                continue  # no effect
            for head in [root.body["log"], *(revocation["since"] for revocation in root.body["revocations"])]:
                demand(head is None or head["size"] <= at and log.begins_with(head), "GB-LOG-FORK", "trust root")
            root.position = at
            self.chain.append(root)
            del candidates[folder]

    @property
    def newest(self):
        return self.chain[-1]

    def at(self, position):
        """The root in force at a position; the newest for what is not in the log."""
        if position is None:
            return self.newest
        return [self.chain[0], *(root for root in self.chain[1:] if root.position < position)][-1]


# ---- sign-offs and counting (sections 6.1 and 7.1) ----


class SignOff:
    """One that stands."""

    def __init__(self, trust, data, armoured, position):
        self.position, self.digest = position, digest(data)
        self.person, self.key = trust.newest.signer(parse_signature(armoured), "git-baseline.signoff", data)
        header, self.said = decode("signoff", data)
        demand(header == trust.baseline, "GB-BIND-BASELINE")
        self.printed = trust.newest.persons[self.person]["name"]

    def counts(self, root, newest, groups, meaning, target, excluded=()):
        said = self.said
        known = not newest.barred(self.key, self.position) and root.person_of(self.key) == self.person
        own = said["person"] == self.person and said["printed_name"] == self.printed
        means = said["meaning"] == meaning and (said["verification"] is not None) == (meaning == "verified")
        holds = said["role"] in groups and self.person in root.holders(said["role"])
        return known and own and means and holds and said["target"] == target and self.person not in excluded


def count(root, newest, groups, meaning, target, sign_offs, excluded=()):
    """Returns the persons who count when they are enough, and whether all that was signed counts and somebody did."""
    counted, all_count = set(), True
    for one in sign_offs:
        voice = (one.person, one.said["role"])
        if voice not in counted and one.counts(root, newest, groups, meaning, target, excluded):
            counted.add(voice)
        else:
            all_count = False
    enough = bool(groups)
    for length in range(1, len(groups) + 1):
        for choice in itertools.combinations(groups, length):
            persons = {person for person, role in counted if role in choice}
            enough = enough and len(persons) >= sum(max(groups[role], 1) for role in choice)
    persons = {person for person, _ in counted}
    return (persons if enough else None), bool(counted) and all_count


# ---- checkpoints (section 8.5) ----


def is_key_name(name):
    odd = any(c.isspace() or c == "+" or unicodedata.category(c) == "Cc" for c in name)
    return bool(name) and not odd


def exact_base64(text, code):
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise Refused(code, "base64", 4) from None
    demand(base64.b64encode(data).decode() == text, code, "base64")
    return data


class Checkpoint:
    def __init__(self, data):
        code = "GB-LOG-CHECKPOINT"
        demand(len(data) <= 65536, code, "too large")
        try:
            whole = data.decode("utf-8")
        except UnicodeDecodeError:
            raise Refused(code, "UTF-8", 4) from None
        demand(not any(c < " " and c != "\n" for c in whole), code, "control character")
        at = whole.rfind("\n\n") + 1
        demand(at > 0 and whole.endswith("\n") and len(whole) > at + 2, code, "no signatures")
        self.text, self.lines = whole[:at], []
        for line in whole[at + 1 : -1].split("\n"):
            parts = line.split(" ", 2)
            demand(len(parts) == 3 and parts[0] == "\u2014" and is_key_name(parts[1]), code, "signature line")
            signed = exact_base64(parts[2], code)
            demand(len(signed) > 4, code, "signature line")
            self.lines.append((parts[1], signed[:4], signed[4:]))
        demand(len(self.lines) <= 64, code, "too many signatures")
        lines = self.text[:-1].split("\n")
        demand(len(lines) >= 3 and all(lines), code, "lines")
        self.origin = lines[0]
        demand(lines[1].isascii() and lines[1].isdigit() and str(int(lines[1])) == lines[1] and int(lines[1]) < 2**64, code, "size")
        root = exact_base64(lines[2], code)
        demand(len(root) == 32, code, "root")
        self.head = {"root": root, "size": int(lines[1])}
        demand(self.head["size"] or root == hashlib.sha256(b"").digest(), code, "empty log")

    def signed_by(self, point):
        """Whether a log's key, under the origin as its name, signed the text: each line that names it must hold."""
        if not is_key_name(self.origin) or self.text.startswith("cosignature/v1\n"):
            return False
        name = hashlib.sha256(self.origin.encode() + b"\n\x01" + point).digest()[:4]
        found = [signature for origin, key, signature in self.lines if (origin, key) == (self.origin, name)]
        return bool(found) and all(len(one) == 64 and verify_ed25519(point, one, self.text.encode()) for one in found)

    def signed_for(self, root):
        """Whether enough holders of role `log` signed."""
        persons = set()
        for person in root.body["persons"]:
            for key in person["keys"]:
                algorithm, point, _ = parse_key(key)
                if algorithm == PLAIN and not root.barred(key, self.head["size"] - 1) and self.signed_by(point):
                    persons.add(person["id"])
        return len(persons & root.holders("log")) >= root.threshold("log")
