"""The content of changes, and who approved it: docs/format.md section 6.3.

A part of verify.py. It recomputes no facts: own changes of merges, and of ranges whose commits have different policies,
it takes as stated (section 6.4).
"""

import re
import tomllib

from baseline_format import Refused, check_signature, decode, demand, digest, encode, parse_signature
from baseline_trust import CLASSES, SEVERITIES, count

VERIFYING = ["approver", "security", "quality", "developer"]


# ---- content ----


def item_state(item):
    content = item["digest"]["blake3"] if item["digest"] else item["git_id"]
    return (item["kind"], item["mode"], item["class"], content)


def component_state(state):
    return ("component", None, "component", digest(encode(state)))


def segments(record):
    """The segments of a commit's delta, as (subject, before, after)."""
    sides = {}
    for deltas, name, state in (("items", "path", item_state), ("components", "purl", component_state)):
        for delta in record[deltas]:
            for at, side in ((0, "before"), (1, "after")):
                if delta[side]:
                    sides.setdefault(delta[side][name], [None, None])[at] = state(delta[side])
    return [(subject, *both) for subject, both in sides.items() if both[0] != both[1]]


def state_order(state):
    if state is None:
        return (0,)
    kind, mode, group, content = state
    return (1, kind.encode(), -1 if mode is None else mode, CLASSES.index(group), content)


def subject_order(subject):
    return (isinstance(subject, str), subject.encode() if isinstance(subject, str) else subject)


def compose(steps):
    runs = {}
    for subject, before, after in steps:
        run = runs.setdefault(subject, [])
        if run and run[-1][1] == before:
            run[-1] = (run[-1][0], after)
        else:
            run.append((before, after))
    whole = [(subject, *both) for subject, run in runs.items() for both in run if both[0] != both[1]]
    return sorted(whole, key=lambda one: (subject_order(one[0]), state_order(one[1]), state_order(one[2])))


def content(baseline, change, ruleset, composed):
    def side(state):
        return state and [state[0], state[1], state[3]]

    entries = [[subject, side(before), side(after)] for subject, before, after in composed]
    return encode(["git-baseline.content", baseline, change, ruleset, entries])


def parents_first(records):
    order, done = [], set()
    for start in sorted(records, reverse=True):
        stack = [(start, False)]
        while stack:
            commit, below = stack.pop()
            if below:
                order.append(commit)
            elif commit not in done:
                done.add(commit)
                stack.append((commit, True))
                parents = reversed(records[commit]["parents"])
                stack.extend((parent, False) for parent in parents if parent in records and parent not in done)
    return order


# ---- policy ----


class Policy:
    """What change control asks for, as far as it needs no patterns."""

    def __init__(self, data):
        self.digest = None if data is None else digest(data)
        try:
            table = tomllib.loads(data.decode("utf-8")) if data is not None else {}
        except ValueError:
            raise Refused("GB-POLICY-INVALID", "", 2) from None
        control = table.get("change_control", {})
        self.required, self.approvals = control.get("required", False), control.get("approvals", 1)
        self.days, self.block = control.get("emergency_days", 7), table.get("checks", {}).get("block", "critical")
        self.widened = False

    def with_stricter(self, required, approvals, days, block):
        self.required |= required
        self.approvals, self.days = max(self.approvals, approvals), min(self.days, days)
        self.block = min(self.block, block, key=SEVERITIES.index)


# ---- participants ----


def trailers(message, token):
    _, found, block = message.rstrip().rpartition("\n\n")
    lines = [line for line in block.split("\n") if not line.startswith((" ", "\t"))]
    parsed = [re.fullmatch(r"([A-Za-z0-9-]+):(?: (.*))?", line) for line in lines]
    if not found or not all(parsed):
        return []
    return [(one[2] or "").strip() for one in parsed if one[1].lower() == token.lower()]


def address(line):
    return line.partition("<")[2].partition(">")[0].strip()


class Participants:
    def __init__(self, trust, root, raw, record, place):
        head, _, message = raw.partition(b"\n\n")
        lines = head.decode("utf-8", "replace").split("\n")
        author, committer = (next((line for line in lines if line.startswith(word)), "") for word in ("author ", "committer "))
        values = trailers(message.decode("utf-8", "replace"), "Co-authored-by")
        mails = [address(author), address(committer), *(address(value) for value in values if "<" in value)]
        persons = [self.of(root, mail) for mail in mails]
        self.persons = {record["recorder"]["person"], *persons} - {None}
        own = record["recorder"]["made_by_me"] and persons[0] == record["recorder"]["person"]
        self.proven = own or persons[0] and self.signer(trust, raw, place) == persons[0]

    @staticmethod
    def of(root, mail):
        same = (person["id"] for person in root.body["persons"] if mail.lower() in map(str.lower, person["emails"]))
        return next(same, None)

    @staticmethod
    def signer(trust, raw, place):
        head, _, rest = raw.partition(b"\n\n")
        payload, armour, inside, found = b"", b"", False, 0
        for line in (head + b"\n").splitlines(keepends=True):
            first = re.match(rb"gpgsig(-sha256)? ", line)
            if first:
                inside, found = True, found + 1
                armour += line[first.end() :]
            elif inside and line.startswith(b" "):
                armour += line[1:]
            else:
                inside = False
                payload += line
        try:
            key = check_signature(parse_signature(armour), "git", payload + b"\n" + rest)
        except Refused:
            return None
        return trust.newest.person_of(key) if found == 1 and not trust.newest.barred(key, place) else None


# ---- judging ----


def folder(change):
    name = "".join(c if re.match("[A-Za-z0-9_-]", c) or c == "." and at else f"%{ord(c):02X}" for at, c in enumerate(change))
    return f"changes/{name}/"


class Requests:
    def __init__(self, log, trust):
        self.found = {}
        for path in log.below("changes/"):
            if not path.endswith(".cbor") or "/requests/" not in path:
                continue
            try:
                self.add(log, trust, path)
            except Refused as refused:
                if refused.code.startswith("GB-OBJ-"):
                    raise

    def add(self, log, trust, path):
        position, data = log.position(path), log.read(path)
        signature = log.signature(path)
        demand(signature is not None, "GB-SIG-MALFORMED")
        person, key = trust.newest.signer(parse_signature(signature), "git-baseline.change", data)
        counts = not trust.newest.barred(key, position) and trust.at(position).person_of(key) == person
        demand(counts, "GB-SIG-REVOKED")
        header, request = decode("change", data)
        demand(header == trust.baseline, "GB-BIND-BASELINE")
        demand(request["requester"] == person, "GB-BIND-PERSON")
        demand(request["time"] >= trust.at(position).body["time"], "GB-TIME-BACKWARDS")
        demand(path.startswith(f"{folder(request['id'])}requests/"), "GB-BIND-NAME")
        earlier = self.found.get(request["id"])
        if not earlier or position < earlier[1]:
            self.found[request["id"]] = (request, position, digest(data))

    def before(self, change, until):
        found = self.found.get(change)
        return found if found and found[1] < until else None


class Changes:
    """Judges the changes of a release that stands at position `until`, as `stated` by it."""

    def __init__(self, log, trust, until, as_of, policy, earlier, ruleset):
        self.log, self.trust, self.until, self.as_of, self.policy = log, trust, until, as_of, policy
        self.earlier, self.ruleset, self.root = earlier, ruleset, trust.at(until)
        self.requests = Requests(log, trust)
        self.spent = {
            one
            for release in earlier
            if not release.taken_back(until)
            for change in release.body["changes"]
            for one in change["approvals"] + change["verifications"]
        }

    def judge(self, records, raws, stated, places):
        """Demands that the stated changes are those of the records, and that change control holds."""
        self.places, order = places, parents_first(records)
        alike = not self.policy.widened and all(record["policy"] == self.policy.digest for record in records.values())
        own = {commit: segments(records[commit]) for commit in order if len(records[commit]["parents"]) < 2}
        named = sorted({change for record in records.values() for change in record["changes"]})
        demand(named == [change["id"] for change in stated], "GB-BIND-CHANGES", "ids")
        stops = [("high", "change-request-missing") for commit in order if own.get(commit) and not records[commit]["changes"]]
        for change in stated:
            commits = [commit for commit in order if change["id"] in records[commit]["changes"]]
            stops += self.judge_one(change, commits, records, raws, own, alike and all(c in own for c in commits))
        if self.policy.required:
            bad = [why for severity, why in stops if SEVERITIES.index(severity) >= SEVERITIES.index(self.policy.block)]
            demand(not bad, "GB-CHANGE-UNAPPROVED", ", ".join(bad))

    def judge_one(self, change, commits, records, raws, own, known):
        composed = compose(step for commit in commits for step in own.get(commit, []))
        if known:
            found = digest(content(self.trust.baseline, change["id"], self.ruleset, composed))
            demand(found == change["content"], "GB-BIND-CHANGES", f"content of {change['id']}")
        else:
            print(f"          the content of {change['id']} is taken as stated (section 6.4)")
        request = self.requests.before(change["id"], self.until)
        took_part = [Participants(self.trust, self.root, raws[commit], records[commit], self.places[commit]) for commit in commits if own.get(commit)]
        excluded = set().union(*(one.persons for one in took_part)) | ({request[0]["requester"]} if request else set())
        said = [one for one in self.log.sign_offs(self.trust, folder(change["id"])) if one.position < self.until]
        said = [one for one in said if one.digest not in self.spent]
        target = {"name": change["id"], "type": "content", "digest": change["content"]}
        approved = self.approved(composed, said, target, excluded)
        demand(self.named(said, "approved", target, approved or set()) == change["approvals"], "GB-BIND-CHANGES", "approvals")
        verified = set()
        for role in VERIFYING:
            verified |= self.met({role: 1}, said, "verified", target, excluded) or set()
        demand(self.named(said, "verified", target, verified) == change["verifications"], "GB-BIND-CHANGES", "verifications")
        if not composed and known:
            return []
        stops = [] if request else [("high", f"change-request-unknown {change['id']}")]
        if not approved and not (request and self.passes(request, commits, records, own, said, target, excluded)):
            stops.append(("high", f"change-unapproved {change['id']}"))
        if not verified:
            stops.append(("medium", f"change-unverified {change['id']}"))
        if not all(one.proven for one in took_part):
            stops.append(("high", f"segregation-unproven {change['id']}"))
        return stops

    def met(self, groups, said, meaning, target, excluded):
        said = [one for one in said if one.said["meaning"] == meaning]
        return count(self.root, self.trust.newest, groups, meaning, target, said, excluded)[0]

    def approved(self, composed, said, target, excluded):
        classes = {state[2] for _, before, after in composed for state in (before, after) if state}
        groups = self.root.approval_groups(classes, self.policy.approvals)
        rules = any(isinstance(subject, bytes) and subject.startswith(b".baseline/") for subject, _, _ in composed)
        persons = self.met(groups, said, "approved", target, excluded)
        if not rules or {"quality", "security"} & set(groups):
            return persons
        guards = self.root.holders("quality") | self.root.holders("security")
        if persons and persons & guards:
            return persons
        for role in ("quality", "security"):
            with_guard = {**groups, "approver": groups["approver"] - 1, role: 1}
            with_guard = {role: number for role, number in with_guard.items() if number > 0}
            persons = self.met(with_guard, said, "approved", target, excluded)
            if persons:
                return persons
        return None

    @staticmethod
    def named(said, meaning, target, persons):
        about = [one for one in said if one.said["meaning"] == meaning and one.said["target"]["digest"] == target["digest"]]
        return sorted({one.digest for one in about if one.said["person"] in persons})

    def passes(self, stored, commits, records, own, said, target, excluded):
        """Emergencies and standing changes."""
        request, _, digest_of_request = stored
        asked = {"name": request["id"], "type": "change", "digest": digest_of_request}
        agreed = self.met({"approver": 1}, said, "approved", asked, excluded)
        if request["type"] == "emergency":
            return agreed or self.met({"approver": 1}, said, "approved", target, excluded)
        standing = request["standing"]
        if request["type"] != "standard" or not standing or not agreed or self.as_of >= standing["expires"]:
            return False
        fits = standing["bot"] in self.root.holders("bot")
        for commit in commits:
            record = records[commit]
            fits = fits and record["recorder"]["person"] == standing["bot"]
            fits = fits and all(self.is_allowed(standing, subject) for subject, _, _ in own.get(commit, []))
            fits = fits and all(self.is_within(standing, delta) for delta in record["components"])
        uses = sum(request["id"] in record["changes"] for release in self.earlier for record in release.sealed(self.log))
        return fits and uses + len(commits) <= standing["count"]

    @staticmethod
    def is_allowed(standing, subject):
        if isinstance(subject, bytes):
            return False
        name, found, _ = re.split("[?#]", subject)[0].rpartition("@")
        return (name if found else re.split("[?#]", subject)[0]) in standing["packages"]

    @staticmethod
    def is_within(standing, delta):
        def numbers(purl):
            _, found, version = re.split("[?#]", purl)[0].rpartition("@")
            return re.split("[.+-]", version if found else "")

        if not delta["before"] or not delta["after"]:
            return False
        kept = {"patch": 2, "minor": 1, "major": 0}[standing["bound"]]
        before, after = numbers(delta["before"]["purl"]), numbers(delta["after"]["purl"])
        return len(before) >= kept and before[:kept] == after[:kept]
