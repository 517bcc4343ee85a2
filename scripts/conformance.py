#!/usr/bin/env python3
"""conformance.py RESULTS OUTPUT: the conformance table, from the results of the last test run.

RESULTS is a folder of XML files, cmocka's and pytest's. A test that covers a numbered statement of
a contract has the number in its name: `P001_sas_signature_vectors_pass`, `test_H072_H074_...`.
Exits with 1 when a statement that is in scope now has no test, or a test names no statement.
"""

import csv
import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree

CHECKLIST = pathlib.Path(__file__).resolve().parent.parent / "tests/conformance/checklist.tsv"

FAMILIES = {
    "P": "Provisioning",
    "H": "Hub, device side",
    "S": "Hub, service side",
    "C": "Application",
}

# P001 of `P001_...`, `test_P001_P002_...`; not the P256 of a word such as `ecdsa_P256`.
IDS = re.compile(r"^(?:test_)?((?:[PHSC]\d{3}_)+)")


def read_checklist(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def ids_of(test_name):
    match = IDS.match(test_name + "_")
    return match.group(1).rstrip("_").split("_") if match else []


def read_results(folder):
    """id -> {test name: "pass" | "fail" | "skipped"}; a test that fails once has failed."""
    results = {}
    for path in sorted(pathlib.Path(folder).glob("*.xml")):
        for case in ElementTree.parse(path).iter("testcase"):
            name = re.sub(r"\[.*\]$", "", case.get("name", ""))
            outcome = "pass"
            if case.find("skipped") is not None:
                outcome = "skipped"
            if case.find("failure") is not None or case.find("error") is not None:
                outcome = "fail"
            for number in ids_of(name):
                tests = results.setdefault(number, {})
                worst = max(tests.get(name, "pass"), outcome, key=["pass", "skipped", "fail"].index)
                tests[name] = worst
    return results


def result_of(row, tests):
    """What the last column says."""
    if not tests:
        return "**no test**" if row["scope"] == "now" else row["scope"]
    outcomes = set(tests.values())
    worst = next(o for o in ("fail", "skipped", "pass") if o in outcomes)
    if worst == "pass" and row["scope"] != "now":
        return f"in part; {row['scope']}"
    return "**fail**" if worst == "fail" else worst


def cell(text):
    return text.replace("|", "\\|")


def write_table(rows, results):
    lines = [
        "# Conformance",
        "",
        "What the contracts ask for, statement by statement, and the tests that show it. Made from",
        "the results of `make test` by `make conformance`; `make test` fails when it is not true.",
    ]
    now = [row for row in rows if row["scope"] == "now"]
    shown = [row for row in now if result_of(row, results.get(row["id"])) == "pass"]
    lines += ["", f"{len(rows)} statements, {len(now)} in scope now, {len(shown)} of these pass."]
    for letter, family in FAMILIES.items():
        lines += ["", f"## {family}", "", "| number | statement | tests | result |"]
        lines += ["| --- | --- | --- | --- |"]
        for row in (r for r in rows if r["id"].startswith(letter)):
            tests = results.get(row["id"], {})
            names = sorted(name.removeprefix("test_") for name in tests)
            shown_by = "<br>".join(f"`{name}`" for name in names)
            result = result_of(row, tests)
            lines.append(f"| {row['id']} | {cell(row['statement'])} | {shown_by} | {result} |")
    return "\n".join(lines) + "\n"


def faults(rows, results):
    known = {row["id"] for row in rows}
    for row in rows:
        if row["scope"] == "now" and row["id"] not in results:
            yield f"{row['id']} is in scope and has no test: {row['statement']}"
    for number in sorted(set(results) - known):
        yield f"{number} is no statement of the checklist: {', '.join(results[number])}"


def main(arguments):
    if len(arguments) != 2:
        print(__doc__.splitlines()[0], file=sys.stderr)
        return 2
    rows, results = read_checklist(CHECKLIST), read_results(arguments[0])
    pathlib.Path(arguments[1]).write_text(write_table(rows, results), encoding="utf-8")
    found = list(faults(rows, results))
    for fault in found:
        print(f"conformance: {fault}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
