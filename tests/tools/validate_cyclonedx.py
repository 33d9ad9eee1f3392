#!/usr/bin/env python3
"""Validates CycloneDX documents, 1.6 and 1.7: the strict schema, and what no schema can say.

Needs `pip install 'cyclonedx-python-lib[validation]'`. Usage: validate_cyclonedx.py FILE...
Ends with 1 when a document is not valid.
"""

import json
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator


def entries(components):
    for component in components:
        yield component
        yield from entries(component.get("components", []))


def faults(text):
    version = SchemaVersion.from_version(json.loads(text)["specVersion"])
    error = JsonStrictValidator(version).validate_str(text)
    if error:
        yield f"schema: {error}"
        return
    bom = json.loads(text)
    root = bom["metadata"]["component"]["bom-ref"]
    refs = [root] + [component["bom-ref"] for component in entries(bom["components"])]
    if len(refs) != len(set(refs)):
        yield "a bom-ref is repeated"
    edges = {edge["ref"]: edge.get("dependsOn", []) for edge in bom["dependencies"]}
    if set(edges) != set(refs):
        yield f"dependencies and components differ: {sorted(set(edges) ^ set(refs))[:5]}"
    reached, queue = set(), [root]
    while queue:
        ref = queue.pop()
        if ref not in reached:
            reached.add(ref)
            queue.extend(edges.get(ref, []))
    if reached != set(refs):
        yield f"not reached from the root, or dangling: {sorted(reached ^ set(refs))[:5]}"
    if "vulnerabilities" in bom:
        yield "vulnerabilities do not belong here"
    for component in entries(bom["components"]):
        if "value" in component.get("cryptoProperties", {}).get("relatedCryptoMaterialProperties", {}):
            yield f"a value of a key: {component['bom-ref']}"


def main(paths):
    failed = not paths
    for path in paths:
        with open(path, encoding="utf-8") as file:
            found = list(faults(file.read()))
        failed |= bool(found)
        print(f"{path}: {'valid' if not found else 'NOT VALID'}")
        for fault in found:
            print(f"  {fault}"[:2000])
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
