"""Where C++ functions begin and end, told from braces alone: enough to measure our own formatted sources."""
import re

_TOKENS = re.compile(
    r'R"(?P<tag>[^()\\ ]{0,16})\(.*?\)(?P=tag)"'  # raw strings
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9A-Za-z_])'(?:\\.|[^'\\\n])+'"      # characters, not digit separators
    r"|//[^\n]*|/\*.*?\*/"
    r"|^[ \t]*\#(?:[^\n\\]|\\.|\\\n)*",           # preprocessor lines
    re.S | re.M)
_TYPE = re.compile(r"^(?:template\s*<.*?>\s*)?(?:typedef\s+)?(?:class|struct|union|enum)\b(?!.*\)\s*(?:const|noexcept|override|final)*\s*$)", re.S)


def code_only(text):
    """The text with comments, literals and preprocessor lines blanked; line numbers stay."""
    def blank(match):
        kept = '""' if match[0][0] in "\"R" else "0" if match[0][0] == "'" else ""
        return kept + "\n" * match[0].count("\n")
    return _TOKENS.sub(blank, text)


def _without_parentheses(text):
    before = None
    while before != text:
        before, text = text, re.sub(r"\([^()]*\)", "@", text)
    return text


def _kind(statement, spaced):
    """What a `{` after this statement opens, outside of functions."""
    plain = _without_parentheses(statement.strip())
    if "(" in plain:
        return "value"  # inside a macro's or a call's arguments
    plain = re.sub(r"operator\s*(?:@|[^\w\s@(]+)\s*", "operator", plain)
    if re.match(r"^(inline\s+)?namespace\b|^extern\s*\"\"", plain):
        return "scope"
    if _TYPE.match(plain) and "@" not in re.sub(r"alignas@", "", plain):
        return "scope"
    if "=" in re.sub(r"template\s*<[^>]*>|<=>|==", "", plain) or "@" not in plain or not spaced:
        return "value"
    return "function"


def _name(statement):
    match = re.search(r"([\w:~]+|operator\s*[^\s(]+)\s*\(", statement)
    return match[1] if match else "a function"


def _closing(code, opening):
    depth = 0
    for at in range(opening, len(code)):
        depth += {"{": 1, "}": -1}.get(code[at], 0)
        if depth == 0:
            return at
    return len(code) - 1


def functions(code):
    """(name, first line, lines) of every function outside another, from `code_only` text."""
    at, begin = 0, 0
    while at < len(code):
        char = code[at]
        if char in ";}" or (char == ":" and re.search(r"\b(public|private|protected)\s*$", code[begin:at])):
            begin = at + 1
        elif char == "{":
            kind = _kind(code[begin:at], at > 0 and code[at - 1] in " \n")
            if kind == "scope":
                begin = at + 1
            else:
                end = _closing(code, at)
                if kind == "function":
                    first = begin + len(code[begin:at]) - len(code[begin:at].lstrip())
                    yield _name(code[first:at]), code.count("\n", 0, first) + 1, code.count("\n", first, end) + 1
                    begin = end + 1
                at = end
        at += 1
