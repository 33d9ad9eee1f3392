"""The format that docs/format.md describes: records, signatures, roots, notes.

A part of verify.py. Needs `pip install cryptography blake3`.
"""

import base64
import hashlib
import re

from blake3 import blake3
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class Refused(Exception):
    def __init__(self, code, detail="", exit_code=1):
        super().__init__(f"{code} {detail}".strip())
        self.code, self.exit_code = code, exit_code


def malformed(code, detail=""):
    return Refused(code, detail, 4)


def unknown(code, detail=""):
    return Refused(code, detail, 3)


def demand(holds, code, detail=""):
    if not holds:
        raise Refused(code, detail)


def digest(data):
    return blake3(data).digest()


# ---- records (section 2) ----


class Cbor:
    """Reads the one spelling of section 2.2, and nothing else."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        if count > len(self.data) - self.at:
            raise malformed("GB-FMT-TRUNCATED")
        taken = self.data[self.at : self.at + count]
        self.at += count
        return taken

    def head(self):
        first = self.take(1)[0]
        major, low = first >> 5, first & 31
        if low == 31:
            raise malformed("GB-FMT-INDEFINITE")
        if low in (28, 29, 30):
            raise malformed("GB-FMT-RESERVED")
        if major == 7:
            if low in (25, 26, 27):
                raise malformed("GB-FMT-FLOAT")
            if low not in (20, 21, 22):
                raise malformed("GB-FMT-SIMPLE")
            return 7, low
        if low < 24:
            return major, low
        width = 1 << (low - 24)
        argument = int.from_bytes(self.take(width), "big")
        if argument < (24 if width == 1 else 1 << (4 * width)):
            raise malformed("GB-FMT-NOT-SHORTEST")
        return major, argument

    def text(self, length):
        try:
            return self.take(length).decode("utf-8")
        except UnicodeDecodeError:
            raise malformed("GB-FMT-UTF8") from None

    def value(self, depth=0):
        if depth > 32:
            raise malformed("GB-FMT-DEPTH")
        major, argument = self.head()
        if major == 0:
            return argument
        if major == 1:
            return -1 - argument
        if major == 2:
            return bytes(self.take(argument))
        if major == 3:
            return self.text(argument)
        if major == 4:
            return [self.value(depth + 1) for _ in range(argument)]
        if major == 6:
            raise malformed("GB-FMT-TAG")
        if major == 7:
            return {20: False, 21: True, 22: None}[argument]
        pairs, last = {}, b""
        for _ in range(argument):
            start = self.at
            major, length = self.head()
            if major != 3:
                raise malformed("GB-FMT-KEY-TYPE")
            name = self.text(length)
            key = self.data[start : self.at]
            if key <= last:
                raise malformed("GB-FMT-KEY-TWICE" if key == last else "GB-FMT-KEY-ORDER")
            last = key
            pairs[name] = self.value(depth + 1)
        return pairs


def one_of(*words):
    return lambda value: isinstance(value, str) and value in words


def shaped(pattern, *never):
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value) and not re.search("|".join(never) or "$^", value)


def is_int(value):
    return isinstance(value, int) and not isinstance(value, bool)


def is_fact(value):
    if isinstance(value, list):
        return all(map(is_fact, value))
    if isinstance(value, dict):
        return all(map(is_fact, value.values()))
    return isinstance(value, (bool, str)) or (is_int(value) and -(2**63) <= value < 2**63)


ROLES = ["root", "release", "approver", "security", "quality", "developer", "log", "bot"]
TYPES = {
    "text": lambda value: isinstance(value, str),
    "bool": lambda value: isinstance(value, bool),
    "number": lambda value: is_int(value) and value >= 0,
    "mode": lambda value: is_int(value) and 0 <= value < 2**32,
    "time": lambda value: is_int(value) and -(2**63) <= value < 2**63,
    "bytes": lambda value: isinstance(value, bytes),
    "digest": lambda value: isinstance(value, bytes) and len(value) == 32,
    "object": lambda value: isinstance(value, bytes) and len(value) in (20, 32),
    "format": one_of("sha1", "sha256"),
    "severity": one_of("info", "low", "medium", "high", "critical"),
    "role": one_of(*ROLES),
    "meaning": one_of("reviewed", "approved", "verified", "released", "witnessed", "withdrawn"),
    "person": shaped(r"[a-z0-9][a-z0-9._-]{0,63}"),
    "name": shaped(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}", r"\.\.", r"\.lock\Z", r"\.\Z"),
    "change-id": shaped(r"[!-~]{1,100}"),
    "class": one_of("certificate", "key", "policy", "access-control", "hardening", "component", "document"),
    "scope": one_of("dev", "test", "build", "optional", "runtime"),
    "status": one_of("parsed", "failed", "unsupported", "unlocked"),
    "act": one_of("approve", "release"),
    "revocation": one_of("retired", "compromised", "compromised-always"),
    "handling": one_of("normal", "emergency", "standard"),
    "bound": one_of("patch", "minor", "major"),
    "facts": lambda value: isinstance(value, dict) and is_fact(value),
}
TABLES = {  # "field:type"; "?" is "or null", "*" a list, an upper-case type another table
    "root": "log:?HEAD time:time nonce:digest roles:*ROLE floors:FLOORS origin:text persons:*PERSON product:text "
    "quorums:*QUORUM version:number witnesses:*WITNESS document_id:text predecessor:?digest revocations:*REVOCATION "
    "control_start:?object object_format:format witness_quorum:number",
    "QUORUM": "act:act class:?class groups:*GROUP",
    "GROUP": "role:role count:number",
    "WITNESS": "key:digest name:text operator:text",
    "REVOCATION": "key:bytes kind:revocation since:?HEAD reason:text",
    "ROLE": "name:role persons:*person threshold:number",
    "FLOORS": "block:severity approvals:number change_control:bool emergency_days:number",
    "PERSON": "id:person keys:*bytes name:text emails:*text",
    "manifest": "items:*ITEM policy:?digest ruleset:number coverage:*COVERAGE services:*text components:*COMPONENT "
    "source_tree:TREE object_format:format",
    "ITEM": "kind:text mode:mode path:bytes size:number class:class facts:facts owner:?text digest:?DIGESTS git_id:object "
    "declared:bool",
    "DIGESTS": "blake3:digest sha256:digest",
    "COMPONENT": "name:text purl:text scope:scope direct:?bool hashes:*HASH overlay:?OVERLAY support:?text version:?text category:?text "
    "found_in:*bytes licenses:*text supplier:?text ecosystem:text dependencies:*text",
    "HASH": "alg:text value:text origin:bytes",
    "COVERAGE": "gaps:*text path:bytes reader:text status:status components:number",
    "TREE": "files:number digest:digest gitlinks:number",
    "commit": "time:time tree:object items:*ITEMDELTA commit:object policy:?digest changes:*change-id parents:*object "
    "ruleset:number summary:digest recorder:RECORDER components:*DELTA object_format:format",
    "ITEMDELTA": "after:?ITEM before:?ITEM",
    "DELTA": "after:?STATE before:?STATE",
    "STATE": "purl:text scope:scope hashes:*STATEHASH overlay:?OVERLAY support:?text category:?text licenses:*text "
    "supplier:?text",
    "STATEHASH": "alg:text value:text",
    "OVERLAY": "risk:?text reason:?text anomaly_review:?text end_of_support:?time",
    "RECORDER": "person:person made_by_me:bool",
    "release": "log:HEAD gate:*GATE name:name time:time tool:text tree:object as_of:time build:?digest range:*ENTRY "
    "commit:object changes:*CHANGE product:text ruleset:number manifest:digest sequence:number artefacts:*DOCUMENT "
    "documents:*DOCUMENT deviations:*text predecessor:?digest source_tree:digest object_format:format trust_version:number",
    "HEAD": "root:digest size:number",
    "GATE": "rule:text count:number severity:severity",
    "ENTRY": "commit:object digest:digest record:digest",
    "DOCUMENT": "name:text digest:digest",
    "CHANGE": "id:change-id content:digest approvals:*digest verifications:*digest",
    "signoff": "role:role time:time person:person reason:text target:TARGET meaning:meaning printed_name:text "
    "verification:?VERIFICATION",
    "VERIFICATION": "date:text tools:text tester:text results:text anomalies:text configuration:text version_tested:text",
    "change": "id:change-id url:text risk:*text time:time type:handling title:text reason:text safety:text source:text "
    "problems:*text security:text standing:?STANDING requester:person",
    "STANDING": "bot:person bound:bound count:number expires:time packages:*text",
    "TARGET": "name:text type:text digest:digest",
}


def check_field(kind, value, where):
    if kind.startswith("?"):
        return value is None or check_field(kind[1:], value, where)
    if kind.startswith("*"):
        if not isinstance(value, list):
            raise malformed("GB-FMT-FIELD", where)
        return all(check_field(kind[1:], entry, where) for entry in value)
    if kind not in TABLES:
        if not TYPES[kind](value):
            raise malformed("GB-FMT-FIELD", where)
        return True
    fields = dict(field.split(":") for field in TABLES[kind].split())
    if not isinstance(value, dict) or set(value) != set(fields):
        raise malformed("GB-FMT-FIELD", where)
    return all(check_field(fields[name], value[name], f"{where}.{name}") for name in fields)


def decode(kind, data):
    """Returns baseline id and body."""
    if len(data) > 256 * 1024 * 1024:
        raise malformed("GB-FMT-TOO-LARGE")
    reader = Cbor(data)
    frame = reader.value()
    if reader.at != len(data):
        raise malformed("GB-FMT-TRAILING")
    if not isinstance(frame, list) or len(frame) != 4 or not is_int(frame[0]) or not isinstance(frame[1], str):
        raise malformed("GB-FMT-FIELD", "frame")
    if frame[0] != 1:
        raise malformed("GB-FMT-VERSION")
    if frame[1] != kind:
        raise malformed("GB-FMT-TYPE")
    check_field("?digest", frame[2], "baseline")
    check_field(kind, frame[3], kind)
    return frame[2], frame[3]


def encode(value):
    """The deterministic CBOR of what a leaf, or the content of a change, holds."""

    def head(major, argument):
        if argument < 24:
            return bytes([major << 5 | argument])
        width = next(width for width in (1, 2, 4, 8) if argument < 1 << (8 * width))
        return bytes([major << 5 | 23 + width.bit_length()]) + argument.to_bytes(width, "big")

    if value is None:
        return b"\xf6"
    if is_int(value):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(encode, value))
    if isinstance(value, dict):
        pairs = sorted((encode(name), encode(entry)) for name, entry in value.items())
        return head(5, len(pairs)) + b"".join(name + entry for name, entry in pairs)
    raw = value.encode() if isinstance(value, str) else value
    return head(3 if isinstance(value, str) else 2, len(raw)) + raw


# ---- keys and signatures (section 7) ----

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
L = 2**252 + 27742317777372353535851937790883648493


def point(encoded):
    """Decodes a canonical point of Ed25519 (RFC 8032 section 5.1.3), or returns None."""
    number = int.from_bytes(encoded, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if y >= P:
        return None
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * v**3 * pow(u * v**7, (P - 5) // 8, P) % P
    if v * x * x % P != u:
        x = x * pow(2, (P - 1) // 4, P) % P
    if v * x * x % P != u or (x == 0 and sign):
        return None
    return (P - x if x & 1 != sign else x, y)


def is_small(where):
    """Whether eight times a point is the neutral one."""
    x, y = where
    for _ in range(3):
        product = D * x * x * y * y
        x, y = 2 * x * y * pow(1 + product, -1, P) % P, (y * y + x * x) * pow(1 - product, -1, P) % P
    return (x, y) == (0, 1)


class Strings:
    def __init__(self, data):
        self.data = data

    def take(self, count):
        if count > len(self.data):
            raise Refused("GB-SIG-MALFORMED", "cut off")
        taken, self.data = self.data[:count], self.data[count:]
        return taken

    def number(self):
        return int.from_bytes(self.take(4), "big")

    def string(self):
        return self.take(self.number())

    def end(self):
        demand(not self.data, "GB-SIG-MALFORMED", "bytes after the end")


def string(data):
    return len(data).to_bytes(4, "big") + data


PLAIN, TOKEN = b"ssh-ed25519", b"sk-ssh-ed25519@openssh.com"


def parse_key(wire):
    reader = Strings(wire)
    algorithm = reader.string()
    demand(algorithm in (PLAIN, TOKEN), "GB-SIG-ALGORITHM", repr(algorithm))
    encoded = reader.string()
    application = reader.string() if algorithm == TOKEN else None
    reader.end()
    demand(len(encoded) == 32, "GB-SIG-MALFORMED", "point")
    return algorithm, encoded, application


def check_key(wire):
    _, encoded, application = parse_key(wire)
    where = point(encoded)
    demand(where and not is_small(where), "GB-SIG-WEAK-KEY")
    demand(application is None or application.startswith(b"ssh:"), "GB-SIG-WEAK-KEY", "application")


def armour(label, data, width):
    text = base64.b64encode(data).decode()
    lines = "".join(text[at : at + width] + "\n" for at in range(0, len(text), width))
    return f"-----BEGIN {label}-----\n{lines}-----END {label}-----\n".encode()


def unarmour(label, data, width, code):
    begin, end = f"-----BEGIN {label}-----\n".encode(), f"-----END {label}-----\n".encode()
    demand(data.startswith(begin) and data.endswith(end), code, "armour")
    try:
        found = base64.b64decode(data[len(begin) : -len(end)].replace(b"\n", b""), validate=True)
    except ValueError:
        raise Refused(code, "base64") from None
    demand(armour(label, found, width) == data, code, "armour")
    return found


def parse_signature(data):
    demand(len(data) <= 65536, "GB-SIG-MALFORMED", "too large")
    reader = Strings(unarmour("SSH SIGNATURE", data, 70, "GB-SIG-MALFORMED"))
    demand(reader.take(6) == b"SSHSIG" and reader.number() == 1, "GB-SIG-MALFORMED", "magic or version")
    key, namespace, reserved, hashing, blob = (reader.string() for _ in range(5))
    reader.end()
    algorithm, encoded, application = parse_key(key)
    demand(not reserved and 1 <= len(namespace) <= 1024, "GB-SIG-MALFORMED", "reserved or namespace")
    try:
        namespace = namespace.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("GB-SIG-MALFORMED", "namespace") from None
    demand(hashing == b"sha512", "GB-SIG-ALGORITHM", repr(hashing))
    reader = Strings(blob)
    demand(reader.string() == algorithm, "GB-SIG-ALGORITHM", "signature type")
    signature = reader.string()
    demand(len(signature) == 64, "GB-SIG-MALFORMED", "signature")
    token = reader.take(5) if algorithm == TOKEN else None
    reader.end()
    return key, namespace, encoded, application, signature, token


def check_signature(parsed, namespace, data):
    """Demands that the signature holds for these bytes, and returns the key that made it (section 7.4)."""
    key, said, encoded, application, signature, token = parsed
    demand(said == namespace, "GB-SIG-CONTEXT", said)
    check_key(key)
    message = b"SSHSIG" + string(namespace.encode()) + string(b"") + string(b"sha512") + string(hashlib.sha512(data).digest())
    if token is not None:
        demand(token[0] & 1, "GB-SIG-NO-PRESENCE")
        message = hashlib.sha256(application).digest() + token + hashlib.sha256(message).digest()
    demand(verify_ed25519(encoded, signature, message), "GB-SIG-INVALID")
    return key


def verify_ed25519(key, signature, message):
    """Strictly: s below the group order, R of no small order (section 7.4)."""
    commitment = point(signature[:32])
    if not commitment or is_small(commitment) or int.from_bytes(signature[32:], "little") >= L:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except InvalidSignature:
        return False
    return True


# ---- notes (section 5) ----

END_SIGNATURE = b"-----END SSH SIGNATURE-----\n"


def parse_note(note):
    """Returns (whole, summary, record, armoured signature) of each block (section 5.2)."""
    damaged = "GB-NOTE-DAMAGED"
    demand(len(note) <= 16 * 1024 * 1024, damaged)
    try:
        note.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused(damaged) from None
    label = "GIT-BASELINE RECORD"
    begin, end = f"-----BEGIN {label}-----\n".encode(), f"-----END {label}-----\n".encode()
    blocks = []
    while note:
        demand(len(blocks) < 64, damaged, "more than 64")
        summary, found, rest = note.partition(begin)
        demand(found and summary.endswith(b"\n") and b"-----" not in summary, damaged, "summary")
        body, found, rest = rest.partition(end)
        demand(found, damaged, "record")
        record = unarmour(label, begin + body + end, 76, damaged)
        signature, found, rest = rest.partition(END_SIGNATURE)
        demand(found and signature.startswith(b"-----BEGIN SSH SIGNATURE-----\n"), damaged, "signature")
        whole = note[: len(note) - len(rest)]
        blocks.append((whole, summary, record, signature + found))
        note = rest.lstrip(b"\n")
    demand(blocks, damaged, "empty")
    return blocks


def check_block(trust, block, commit, position):
    """Section 5.3, steps 1 to 5; returns the record."""
    _, summary, data, signature = block
    root, newest = trust.at(position), trust.newest
    signer, key = newest.signer(parse_signature(signature), "git-baseline.commit", data)
    demand(not newest.barred(key, position), "GB-SIG-REVOKED")
    demand(root.person_of(key) == signer, "GB-SIG-UNKNOWN-KEY")
    demand(signer in root.holders("developer"), "GB-SIG-ROLE")
    header, record = decode("commit", data)
    demand(header == trust.baseline, "GB-BIND-BASELINE")
    demand(record["commit"] == commit, "GB-BIND-COMMIT")
    demand(record["summary"] == digest(summary), "GB-NOTE-SUMMARY")
    demand(record["recorder"]["person"] == signer, "GB-BIND-PERSON")
    return record
