#!/usr/bin/env python3
"""The house rules a machine can check: layers, homes of libraries, clocks, sizes, form.

tidy.py [ROOT]            prints every breach as FILE:LINE: sentence; exit status 1 when there is one
tidy.py --tighten [ROOT]  rewrites the size ratchet where today's figures are better; it never loosens
"""
import os
import re
import subprocess
import sys

import cpp_shape

SOURCE_ENDS = (".cpp", ".hpp")
SOURCE_ROOTS = ("include/", "runtime/", "providers/", "replay/", "agents/", "actors/", "apps/", "examples/", "bench/",
                "tests/")
LINE_MAX, FILE_MAX, FUNCTION_MAX, FUNCTION_LONG = 110, 400, 70, 25
# Who may read a clock or wait: the clock itself, the HTTP timers (Asio's own clock), tests that wait for the world.
CLOCK_HOMES = ("runtime/base/clock.cpp", "runtime/http/", "tests/", "bench/")
CLOCK = re.compile(r"\b(sleep_for|usleep|nanosleep)\s*\(|\b(steady_clock|system_clock|high_resolution_clock)::now\s*\(")
SLEEP = re.compile(r"\b(sleep_for|usleep|nanosleep)\s*\(")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]')
# Assembled, so that this file does not break its own rule.
MACHINE_PATHS = re.compile(r"(?<![\w.~}$-])/(?:" + "|".join(["ro" + "ot", "wo" + "rk", "tmp/st" + "udio", "ho" + r"me/\w+"]) + ")/")
UNFINISHED = re.compile(r"\b(TO" + "DO|FIX" + "ME|X" + r"XX)\b")
ASSERTION = re.compile(r"\b(EXPECT_|ASSERT_|ADD_FAILURE|FAIL\(|SUCCEED\()")


def tracked_files(root):
    """What git tracks or would track; every file when `root` is no repository."""
    if os.path.exists(os.path.join(root, ".git")):
        listed = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True)
        if listed.returncode == 0:
            return sorted(path for path in set(listed.stdout.splitlines()) if os.path.isfile(os.path.join(root, path)))
    found = []
    for folder, _, names in os.walk(root):
        found += [os.path.relpath(os.path.join(folder, name), root) for name in names]
    return sorted(found)


def read_text(root, path):
    """The file's text, or None for a binary one."""
    with open(os.path.join(root, path), "rb") as file:
        raw = file.read()
    try:
        return None if b"\0" in raw else raw.decode("utf-8")
    except UnicodeDecodeError:
        return None


class Layers:
    """tools/layers.txt: who may include whom, and where libraries live."""

    def __init__(self, text):
        self.may, self.homes, self.libraries = {}, {}, {}
        for line in text.splitlines():
            line = line.split("#")[0].strip()
            if not line:
                continue
            fields = [field.strip() for field in line.split(":")]
            if fields[0].startswith("library "):
                self.libraries[fields[0].split()[1]] = fields[1].split()
                continue
            self.may[fields[0]] = fields[1].split()
            self.homes[fields[0]] = {entry.split("(")[0]: entry.split("(")[1][:-1] if "(" in entry else None
                                     for entry in fields[2].split()}

    def layer_of(self, path):
        held = [folder for folder in self.may if path == folder or path.startswith(folder + "/")]
        return max(held, key=len, default=None)

    def library_of(self, header):
        found = [name for name, begins in self.libraries.items() if header.startswith(tuple(begins))]
        return found[0] if found else None

    def allows_ours(self, layer, header):
        of = self.layer_of(header)
        for allowed in [layer, *self.may[layer]]:
            if allowed in (of, header) or (allowed.endswith("...") and header.startswith(allowed[:-3])):
                return True
        return False

    def allows_library(self, layer, library, path):
        if library not in self.homes[layer]:
            return False
        only = self.homes[layer][library]
        return only is None or path == f"{layer}/{only}"


def include_breach(layers, layer, path, kind, header):
    """Why this include is not allowed, or None."""
    ours = "include/" + header if header.startswith("troupe/") else header
    if kind == '"' or header.startswith("troupe/"):
        if header.startswith("troupe/") and kind == '"':
            return f"write <{header}>: public headers are included with angle brackets"
        if layers.layer_of(ours) is None:
            return f"{header} is in no folder that tools/layers.txt knows; paths start at the root"
        if not layers.allows_ours(layer, ours):
            return f"{layer} may not include {header} (tools/layers.txt)"
        return None
    library = layers.library_of(header)
    if library and not layers.allows_library(layer, library, path):
        return f"<{header}>: {library} has no home in this file (tools/layers.txt)"
    if not library and ("/" in header or header.endswith((".h", ".hpp"))):
        return f"<{header}> belongs to no library that tools/layers.txt knows"
    return None


def check_includes(layers, path, text):
    layer = layers.layer_of(path)
    if layer is None:
        yield 1, "this folder is not in tools/layers.txt"
        return
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        breach = include_breach(layers, layer, path, match[1], match[2])
        if breach:
            yield number, breach


def check_clock(path, code):
    pattern = SLEEP if path.startswith("tests/") else CLOCK
    if path.startswith(CLOCK_HOMES) and not path.startswith("tests/"):
        return
    for number, line in enumerate(code.splitlines(), 1):
        if pattern.search(line):
            yield number, "takes its own time; take `Instant now`, a Clock& or a timer instead"


def check_form(root, path, text, code):
    first = text.split("\n", 1)[0]
    introduced = path.endswith(".cpp") and os.path.exists(os.path.join(root, path[:-4] + ".hpp"))
    if not first.startswith("// ") and not introduced:
        yield 1, "begins without a sentence that says what it knows"
    if path.endswith(".hpp") and not re.search(r"^#pragma once$", text, re.M):
        yield 1, "has no #pragma once"
    for number, line in enumerate(code.splitlines(), 1):
        if re.match(r"using namespace\b", line) and "_literals" not in line:
            yield number, "has `using namespace` at file scope"
    if path.startswith("tests/") and path.endswith("_test.cpp") and not ASSERTION.search(code):
        yield 1, "is a test without an assertion"


def check_sizes(path, text, functions):
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        if len(line) > LINE_MAX and "R\"" not in line:
            yield number, f"is {len(line)} columns wide; at most {LINE_MAX}"
    if len(lines) > FILE_MAX:
        yield 1, f"has {len(lines)} lines; at most {FILE_MAX}: split it by idea"
    for name, begin, length in functions:
        if length > FUNCTION_MAX:
            yield begin, f"{name} has {length} lines; at most {FUNCTION_MAX}"


def check_text(text):
    for number, line in enumerate(text.splitlines(), 1):
        if UNFINISHED.search(line):
            yield number, "leaves a note of unfinished work"
        if MACHINE_PATHS.search(line):
            yield number, "names a path of one machine"


# ---- the ratchet ----

def figures(values):
    ordered = sorted(values) or [0]
    return ordered[(len(ordered) - 1) // 2], ordered[(len(ordered) - 1) * 9 // 10], ordered[-1]


def measure(sizes):
    """Figures by name. `sizes` holds (path, lines of the file, lengths of its functions)."""
    out = {}
    for group, excluded in (("code", ("tests/", "bench/")), ("tests", ())):
        chosen = [(lines, lengths) for path, lines, lengths in sizes
                  if (not path.startswith(excluded) if excluded else path.startswith("tests/"))]
        lengths = [length for _, each in chosen for length in each]
        out[f"{group}.file_lines_median"], out[f"{group}.file_lines_p90"], out[f"{group}.file_lines_max"] = \
            figures([lines for lines, _ in chosen])
        out[f"{group}.function_lines_median"], out[f"{group}.function_lines_p90"], out[f"{group}.function_lines_max"] = \
            figures(lengths)
        # A share, not a number: the program may grow, its functions may not.
        long = sum(1 for length in lengths if length > FUNCTION_LONG)
        out[f"{group}.functions_over_{FUNCTION_LONG}_permille"] = -(-1000 * long // max(1, len(lengths)))
    return out


def read_ratchet(text):
    pairs = [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return {name: int(value) for name, value in pairs}


def ratchet_text(values):
    head = ("# Sizes that may shrink and never grow. `python3 tools/tidy.py --tighten` writes better figures;\n"
            "# a worse one is written here by hand, in a commit that says why.\n")
    return head + "".join(f"{name} {value}\n" for name, value in values.items())


def check_ratchet(path, allowed, today):
    for name, value in today.items():
        if name not in allowed:
            yield path, 1, f"{name} is missing; today it is {value}"
        elif value > allowed[name]:
            yield path, 1, f"{name} was {allowed[name]} and is {value}: shorten what grew"


# ---- the whole ----

def inspect(root):
    """Every breach as (path, line, sentence), and today's figures."""
    breaches, sizes = [], []
    layers = Layers(read_text(root, "tools/layers.txt"))
    for path in tracked_files(root):
        text = read_text(root, path)
        if text is None:
            continue
        if path != "LICENSE":
            breaches += [(path, *breach) for breach in check_text(text)]
        if not path.endswith(SOURCE_ENDS) or not path.startswith(SOURCE_ROOTS):
            continue
        code = cpp_shape.code_only(text)
        functions = list(cpp_shape.functions(code))
        sizes.append((path, len(text.splitlines()), [length for _, _, length in functions]))
        for found in (check_includes(layers, path, text), check_clock(path, code),
                      check_form(root, path, text, code), check_sizes(path, text, functions)):
            breaches += [(path, *breach) for breach in found]
    return breaches, measure(sizes)


def main(arguments):
    tighten = "--tighten" in arguments
    roots = [argument for argument in arguments if not argument.startswith("--")]
    root = roots[0] if roots else os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    breaches, today = inspect(root)
    ratchet = os.path.join(root, "tools/size_ratchet.txt")
    allowed = read_ratchet(read_text(root, "tools/size_ratchet.txt")) if os.path.exists(ratchet) else {}
    if tighten:
        allowed = {name: min(value, allowed.get(name, value)) for name, value in today.items()}
        with open(ratchet, "w", encoding="utf-8") as file:
            file.write(ratchet_text(allowed))
    breaches += check_ratchet("tools/size_ratchet.txt", allowed, today)
    for path, line, sentence in breaches:
        print(f"{path}:{line}: {sentence}")
    better = [name for name, value in today.items() if value < allowed.get(name, value)]
    if better:
        print(f"smaller than the ratchet allows: {', '.join(better)}; keep it with tools/tidy.py --tighten")
    print(f"tidy: {len(breaches)} breaches")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
