"""What the header of the C library and the ABL sources say, as data. The checks compare the two."""

import pathlib
import re
from dataclasses import dataclass, field

# How a parameter of C is written in ABL: (direction, type). Nothing else may stand in the header.
FROM_C = {
    "const char *": ("INPUT", "CHARACTER"),
    "standin_int32": ("INPUT", "LONG"),
    "standin_int64": ("INPUT", "INT64"),
    "double": ("INPUT", "DOUBLE"),
    "standin_int32 *": ("OUTPUT", "LONG"),
    "standin_int64 *": ("OUTPUT", "INT64"),
    "double *": ("OUTPUT", "DOUBLE"),
    "void *": ("INPUT", "MEMPTR"),
    "const void *": ("INPUT", "MEMPTR"),
}


@dataclass
class Function:
    """A function of the header, with its parameters as ABL has to declare them."""

    name: str
    parameters: list  # of (direction, type, name in C)


@dataclass
class Callable:
    """A method, constructor or internal procedure: how many parameters it takes, and what it gives."""

    name: str
    directions: tuple
    returns: str = ""


@dataclass
class Class:
    """A class or interface: what may be called on it."""

    name: str
    parent: str = ""
    methods: dict = field(default_factory=dict)  # name in lower case -> list of Callable
    properties: dict = field(default_factory=dict)  # name in lower case -> type
    constructors: list = field(default_factory=list)


def header(text):
    """The functions and the codes of standin.h."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    constants = {name: int(value) for name, value in re.findall(r"#define (STANDIN_\w+) (-?\d+)", text)}
    functions = []
    for name, inside in re.findall(r"standin_int32\s+STANDIN_API\s+(standin_\w+)\s*\(([^)]*)\)\s*;", text):
        parameters = []
        for one in [] if inside.strip() == "void" else inside.split(","):
            kind, parameter = re.fullmatch(r"(.*?[\s*])(\w+)", " ".join(one.split())).groups()
            if (kind := kind.strip()) not in FROM_C:
                raise ValueError(f"{name}: ABL has no type for `{kind}`")
            parameters.append((*FROM_C[kind], parameter))
        functions.append(Function(name, parameters))
    declared = len(re.findall(r"\bSTANDIN_API\s+standin_\w+", text))
    if declared != len(functions) or not functions:
        raise ValueError(f"of {declared} functions of the header {len(functions)} were understood")
    return functions, constants


def code(text):
    """ABL without its comments; texts become \"\" so that nothing in them is taken for code. Lines stay where they are."""
    out, depth, i, quote = [], 0, 0, ""
    while i < len(text):
        two, one = text[i : i + 2], text[i]
        if quote:
            if one == "~":
                i += 2
                continue
            if one == quote:
                quote = ""
                out.append(one)
            elif one == "\n":
                out.append(one)
        elif two == "/*":
            depth += 1
            i += 2
            continue
        elif two == "*/" and depth:
            depth -= 1
            i += 2
            continue
        elif depth:
            if one == "\n":
                out.append(one)
        else:
            if one in "\"'":
                quote = one
            out.append(one)
        i += 1
    return "".join(out)


def line_of(text, position):
    """The line of a place in a text, from 1."""
    return text.count("\n", 0, position) + 1


def closing(text, opening):
    """Where the parenthesis that opens at `opening` is closed."""
    depth = 0
    for i in range(opening, len(text)):
        depth += {"(": 1, ")": -1}.get(text[i], 0)
        if depth == 0:
            return i
    raise ValueError("a parenthesis is not closed")


def arguments(inside):
    """The arguments between two parentheses, split at the commas that are theirs."""
    parts, depth, begin = [], 0, 0
    for i, character in enumerate(inside):
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(character, 0)
        if character == "," and depth == 0:
            parts.append(inside[begin:i].strip())
            begin = i + 1
    parts.append(inside[begin:].strip())
    return [] if parts == [""] else parts


def direction(argument):
    """INPUT, OUTPUT or INPUT-OUTPUT, as an argument or a parameter says; INPUT if it says nothing."""
    first = argument.split(None, 1)[0].upper() if argument else ""
    return first if first in ("INPUT", "OUTPUT", "INPUT-OUTPUT") else "INPUT"


def prototypes(text):
    """The EXTERNAL procedures of an ABL file: name -> (words behind EXTERNAL, [(direction, type)], line)."""
    found = {}
    pattern = r"^PROCEDURE\s+(\w+)\s+EXTERNAL\s+(\"[^\"]*\"[^:]*):(.*?)^END PROCEDURE\."
    for match in re.finditer(pattern, text, flags=re.S | re.M):
        parameters = re.findall(r"DEFINE\s+(\S+)\s+PARAMETER\s+\w+\s+AS\s+([\w-]+)\s*\.", match[3])
        found[match[1]] = (" ".join(match[2].split()), parameters, line_of(text, match.start()))
    return found


def parse_class(text):
    """What a class offers, from its code."""
    head = re.search(r"^\s*(?:CLASS|INTERFACE)\s+([\w.]+)([^:]*):", text, flags=re.M)
    if not head:
        return None
    parent = re.search(r"INHERITS\s+([\w.]+)", head[2])
    one = Class(head[1], parent[1] if parent else "")
    for match in re.finditer(r"\bMETHOD\s+((?:(?:PUBLIC|PRIVATE|PROTECTED|STATIC|OVERRIDE|ABSTRACT|FINAL)\s+)*)([\w.-]+)\s+(\w+)\s*\(", text):
        inside = arguments(text[match.end() : closing(text, match.end() - 1)])
        made = Callable(match[3], tuple(direction(a) for a in inside), match[2])
        one.methods.setdefault(match[3].lower(), []).append(made)
    for match in re.finditer(r"\bCONSTRUCTOR\s+\w+\s+(\w+)\s*\(", text):
        inside = arguments(text[match.end() : closing(text, match.end() - 1)])
        one.constructors.append(Callable(match[1], tuple(direction(a) for a in inside)))
    for match in re.finditer(r"\bPROPERTY\s+(\w+)\s+AS\s+([\w.-]+)", text):
        one.properties[match[1].lower()] = match[2]
    return one


def internal_procedures(text):
    """The internal procedures of a .p: name in lower case -> directions of its parameters."""
    found = {}
    for match in re.finditer(r"^PROCEDURE\s+(\w+)\s*:(.*?)^END PROCEDURE\.", text, flags=re.S | re.M):
        found[match[1].lower()] = tuple(d.upper() for d in re.findall(r"DEFINE\s+(INPUT|OUTPUT|INPUT-OUTPUT)\s+PARAMETER", match[2]))
    return found


def own_parameters(text):
    """The parameters of a .p as a whole, which stand outside of its internal procedures."""
    outside = re.sub(r"^PROCEDURE\s+\w+.*?^END PROCEDURE\.", "", text, flags=re.S | re.M)
    return tuple(d.upper() for d in re.findall(r"DEFINE\s+(INPUT|OUTPUT|INPUT-OUTPUT)\s+PARAMETER", outside))


def sources(folder):
    """Every ABL file below a folder, in a fixed order, without what a build made there."""
    found = (p for p in pathlib.Path(folder).rglob("*") if p.suffix in (".cls", ".p", ".i", ".w") and p.is_file())
    return sorted(p for p in found if "target" not in p.relative_to(folder).parts)
