#!/usr/bin/env python3
"""Validates SPDX documents, 2.3 and 3.0.1, and looks at what no schema can say.

Needs `pip install spdx-tools spdx-python-model`. Usage: validate_spdx.py FILE...
Ends with 1 when a document is not valid.
"""

import json
import sys

from spdx_python_model import v3_0_1 as spdx3
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

NOT_SAID = ("NOASSERTION", "https://spdx.org/rdf/3.0.1/terms/Core/NoAssertionElement")


def unreached(start, edges, ids):
    """Says what hangs on nothing, and what does not exist."""
    if len(ids) != len(set(ids)):
        yield "an id is repeated"
    below = {}
    for source, target in edges:
        below.setdefault(source, []).append(target)
    reached, queue = set(), [start]
    while queue:
        node = queue.pop()
        if node not in reached:
            reached.add(node)
            queue.extend(target for target in below.get(node, []) if target not in NOT_SAID)
    if reached != set(ids):
        yield f"not reached from the root, or dangling: {sorted(reached ^ set(ids))[:5]}"


def faults_of_2(path, document):
    for message in validate_full_spdx_document(parse_file(path)):
        yield f"spdx-tools: {message.validation_message}"
    edges = []
    for edge in document["relationships"]:
        source, target = edge["spdxElementId"], edge["relatedSpdxElement"]
        # `A DEV_DEPENDENCY_OF B` is told from below.
        from_below = edge["relationshipType"].endswith("_DEPENDENCY_OF")
        edges.append((target, source) if from_below else (source, target))
    ids = ["SPDXRef-DOCUMENT"] + [package["SPDXID"] for package in document["packages"]]
    yield from unreached("SPDXRef-DOCUMENT", edges, ids)
    own = {info["licenseId"] for info in document.get("hasExtractedLicensingInfos", [])}
    for package in document["packages"]:
        words = package["licenseDeclared"].replace("(", " ").replace(")", " ").split()
        if missing := {word for word in words if word.startswith("LicenseRef-")} - own:
            yield f"a licence without its text: {missing}"


def faults_of_3(path, document):
    objects = spdx3.SHACLObjectSet()
    try:
        # The bindings are made of the specification's shapes: a wrong type, field, value or count is an error.
        with open(path, "rb") as file:
            spdx3.JSONLDDeserializer().read(file, objects)
        spdx3.JSONLDSerializer().serialize_data(objects)
    except Exception as error:
        yield f"spdx-python-model: {error}"
        return
    known = {element.get("spdxId") or element["@id"] for element in document["@graph"]}
    if missing := [ref for ref in objects.missing_ids if str(ref) not in known and str(ref) not in NOT_SAID]:
        yield f"dangling: {missing[:5]}"
    of_type = lambda name: [element for element in document["@graph"] if element["type"] == name]
    if len(of_type("SpdxDocument")) != 1 or len(of_type("software_Sbom")) != 1:
        yield "not one document with one list of components"
    ids = [element["spdxId"] for element in of_type("software_Package")]
    edges = []
    for edge in (edge for edge in document["@graph"] if "from" in edge and edge["relationshipType"] != "hasDeclaredLicense"):
        edges.extend((edge["from"], target) for target in edge["to"])
    yield from unreached(of_type("software_Sbom")[0]["rootElement"][0], edges, ids)


def main(paths):
    failed = not paths
    for path in paths:
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
        found = list((faults_of_3 if "@graph" in document else faults_of_2)(path, document))
        failed |= bool(found)
        print(f"{path}: {'valid' if not found else 'NOT VALID'}")
        for fault in found:
            print(f"  {fault}"[:2000])
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
