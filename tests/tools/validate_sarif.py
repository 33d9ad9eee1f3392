#!/usr/bin/env python3
"""Reads SARIF logs by the model that pydantic-sarif generates from the schema of SARIF 2.1.0.

Needs `pip install pydantic-sarif`. Usage: validate_sarif.py FILE...
Ends with 1 when a log is not valid, and with 2 when nothing was there to validate. What no schema can say is asked for
here: that results point at their rules, and that paths are relative URIs.
"""

import json
import pathlib
import re
import sys

from pydantic_sarif.model import StaticAnalysisResultsFormatSarifVersion210JsonSchema as Log

URI = re.compile(r"(?:[A-Za-z0-9._~/-]|%[0-9A-F]{2})+")


def faults(path):
    try:
        text = json.loads(path.read_text(encoding="utf-8"))
        Log.model_validate(text)
    except ValueError as error:
        yield str(error)
        return
    for run in text["runs"]:
        rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
        if len(rules) != len(set(rules)):
            yield "a rule is listed twice"
        for result in run["results"]:
            if rules[result["ruleIndex"]] != result["ruleId"]:
                yield f"ruleIndex {result['ruleIndex']} is not {result['ruleId']}"
            for place in result.get("locations", []):
                uri = place["physicalLocation"]["artifactLocation"]["uri"]
                if not URI.fullmatch(uri) or uri.startswith("/"):
                    yield f"{uri!r} is no relative URI"


def main(arguments):
    bad = 0
    for path in map(pathlib.Path, arguments):
        for fault in faults(path):
            bad += 1
            print(f"{path}: {fault}")
    print(f"{len(arguments)} logs, {bad} faults")
    if not arguments:
        return 2
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
