#!/usr/bin/env python3
"""The house has floors: reads the #include lines of src/ and fails on an edge the tables do not name.

A folder includes from itself, from every floor below, and from the neighbours on its own floor
that its row names, and never a folder's x_internal.h from outside. A large folder has wings: each
includes from its folder and from the wings that its row names. Each third-party library has one
home.
"""

import pathlib
import re
import sys

# From the ground up: folder -> the neighbours on its own floor that it may use.
FLOORS = [
    {"base": []},
    {"crypto": [], "codec": ["crypto"]},
    {"net": [], "bus": ["net"], "store": ["net"], "stream": ["store", "bus", "net"]},
    {
        "identity": [],
        "hub": ["identity"],
        "provisioning": ["identity", "hub"],
        "central": ["identity", "hub", "provisioning"],
    },
    {"front/mqtt": [], "front/http": []},
    {"cmd": []},
]

# folder -> its wings -> the other wings that each may use. The folder itself, which ties them
# together, may use them all; from outside they are one.
WINGS = {
    "identity": {"access": [], "trust": [], "sign_in": ["access"]},
    "central": {
        "template": [],
        "property": ["template"],
        "telemetry": ["template", "property"],
        "operation": ["template", "property"],
        "simulation": ["template", "property"],
    },
    "front/http": {"app": [], "rest": []},
    "cmd": {"cert": [], "device": [], "simulate": []},
}

# What a lower floor keeps from a higher one all the same: fronts ask the domain, not its store;
# only the HTTP front serves operators.
CLOSED = {"front/mqtt": ["central", "store"], "front/http": ["store"]}

# Where the headers of a library may be read, by the start of the header's name. "*_test.c" is a
# home for what only tests use.
LIBRARIES = {
    "event2/": ["net", "cmd/serve.c"],
    "openssl/": ["crypto", "net"],
    "sqlite3.h": ["store"],
    "curl/": ["net"],
    "sodium.h": ["crypto"],
    "zstd.h": ["stream"],
    "ini.h": ["base", "cmd"],
    "jansson.h": ["*_test.c"],
    "cmocka.h": ["*_test.c", "net/test_support.h", "crypto/certificate_testing.h"],
}

# Folders of system headers: everything else with a slash is a library.
SYSTEM = {"sys", "netinet", "arpa", "net", "linux", "asm"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def allowed_folders():
    """folder -> the folders it may include from."""
    below, allowed = [], {}
    for floor in FLOORS:
        for folder, neighbours in floor.items():
            closed = CLOSED.get(folder, [])
            allowed[folder] = {folder, *neighbours, *(f for f in below if f not in closed)}
        below.extend(floor)
    return allowed


def house_of(folder):
    """The folder that a wing is part of; another folder is its own."""
    house, _, wing = folder.rpartition("/")
    return house if wing in WINGS.get(house, {}) else folder


def may_enter(folder, target):
    """Whether, within one house, files of `folder` may include from `target`."""
    house = house_of(folder)
    if folder == target or house in (folder, target):
        return True
    wing, other = (name.rpartition("/")[2] for name in (folder, target))
    return other in WINGS[house][wing]


def is_home(home, path, folder):
    """`path` is relative to src/, as "net/worker.c"; `home` a folder, a file, or "*_test.c"."""
    if home.startswith("*"):
        return path.endswith(home[1:])
    return home in (folder, path)


def complaint_about_library(path, folder, header):
    for library, homes in LIBRARIES.items():
        if header == library or (library.endswith("/") and header.startswith(library)):
            if any(is_home(home, path, folder) for home in homes):
                return None
            return f"<{header}> has its home in {', '.join(homes)}"
    if "/" in header and header.split("/")[0] not in SYSTEM:
        return f"<{header}> is of a library that the table does not know"
    return None


def complaint_about_folder(folder, header, allowed):
    target = header.rpartition("/")[0]
    if not target:
        return f'"{header}" is not written from src/ on'
    ours, theirs = house_of(folder), house_of(target)
    if theirs not in allowed:
        return f'"{header}" is in no folder of the house'
    if theirs not in allowed[ours] or (ours == theirs and not may_enter(folder, target)):
        return f'"{header}": {folder} may not include from {target}'
    if header.endswith("_internal.h") and theirs != ours:
        return f'"{header}" is for {theirs} alone'
    return None


def complaints(path, text, allowed):
    """What is wrong with one file's includes, as "src/net/worker.c:3: ..." lines."""
    folder = path.rpartition("/")[0]
    if house_of(folder) not in allowed:
        return [f"src/{path}: no floor of the house has the folder '{folder}'"]
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        match = INCLUDE.match(line)
        if not match:
            continue
        bracket, header = match.groups()
        if bracket == "<":
            wrong = complaint_about_library(path, folder, header)
        else:
            wrong = complaint_about_folder(folder, header, allowed)
        if wrong:
            found.append(f"src/{path}:{number}: {wrong}")
    return found


def main():
    src = pathlib.Path(__file__).resolve().parent.parent / "src"
    files = sorted(p for p in src.rglob("*") if p.suffix in (".c", ".h"))
    allowed = allowed_folders()
    found = []
    for file in files:
        found += complaints(file.relative_to(src).as_posix(), file.read_text(), allowed)
    print("\n".join(found) if found else f"layering: {len(files)} files keep to their floors")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
