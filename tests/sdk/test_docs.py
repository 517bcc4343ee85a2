"""The guides say the truth: their commands are run in their order, and print what they show.

A ```sh block is run. A ```text block behind it holds lines that the block prints, in this order;
`...` stands for any text, blanks count as one. A ```python block is the file that its first line
names."""

import fnmatch
import os
import pathlib
import re
import subprocess
import sys

import pytest
from lib.server import MUSTER

DOCS = pathlib.Path(__file__).parents[2] / "docs"
GUIDES = {"x509.md": 10, "operate.md": 10, "api.md": 10}  # and how many blocks each has at least
FENCED = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
END_OF_BLOCK = "--- end of block"


def read_guide(name, folder):
    """[(commands, expected lines)]; files are written into `folder`."""
    blocks = []
    for kind, text in FENCED.findall((DOCS / name).read_text()):
        if kind == "sh":
            blocks.append((text, []))
        elif kind == "text":
            blocks[-1][1].extend(text.splitlines())
        elif kind == "python":
            (folder / text.splitlines()[0].removeprefix("# ")).write_text(text)
    return blocks


def as_pattern(line):
    words = " ".join(line.split())
    return re.sub(r"([\[?*])", r"[\1]", words).replace("...", "*")


def missing_line(expected, printed):
    """The first expected line that does not follow those before it; None when all do."""
    rest = iter([" ".join(line.split()) for line in printed])
    for line in expected:
        pattern = as_pattern(line)
        if not any(fnmatch.fnmatchcase(line, pattern) for line in rest):
            return line
    return None


@pytest.mark.parametrize("expected, printed, missing", [
    (["a ...", "c"], ["a   b", "x", "c"], None),
    (["c", "a"], ["a", "c"], "a"),
    (["[x]"], ["x"], "[x]"),
])
def test_expected_lines_are_found_in_order(expected, printed, missing):
    assert missing_line(expected, printed) == missing


@pytest.mark.parametrize("name", GUIDES)
def test_a_guide_is_true(sdk_server, name):
    folder = sdk_server.folder / f"guide-{name}"
    folder.mkdir()
    blocks = read_guide(name, folder)
    assert len(blocks) >= GUIDES[name]
    script = f"\necho '{END_OF_BLOCK}'\n".join(commands for commands, _ in blocks)
    programs = [pathlib.Path(MUSTER).parent, pathlib.Path(sys.executable).parent]
    environment = {**os.environ, "DATA": str(sdk_server.data),
                   "PATH": ":".join([*map(str, programs), os.environ["PATH"]])}
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=folder, env=environment,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=240)
    printed = done.stdout.split(f"{END_OF_BLOCK}\n")
    assert done.returncode == 0, f"in block {len(printed)}:\n{done.stdout}"
    for (commands, expected), text in zip(blocks, printed):
        missing = missing_line(expected, text.splitlines())
        assert missing is None, f"'{missing}' is not printed by\n{commands}\nwhich printed\n{text}"
