"""Compares the names and types of arguments in the ABL sources with what the methods that come with Standin take.

    check_arguments.py STANDIN ABL_FOLDER

STANDIN is the program; the service that STANDIN_ENDPOINT names is asked for the JSON Schema of each method. A wrong name is
an error that only the running program would see.
"""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import interface as abl  # noqa: E402

# Variables that hold the arguments of a method without a NewCall of that name in the same file.
ELSEWHERE = {
    ("Mail.cls", "oArguments"): "mail.send",
    ("postOrder.p", "oBody"): "http.request",
}
# A worker of the house's own: nobody here knows what it takes.
OWN_WORKERS = {"reports.dunning"}
# The types of JSON Schema that a setter may meet. Bytes are a string with a contentEncoding there, or any string.
KINDS = {
    "SetText": {"string"},
    "SetLongText": {"string"},
    "AddText": {"string"},
    "SetAmount": {"string"},
    "SetDate": {"string"},
    "SetInteger": {"integer", "number"},
    "SetLogical": {"boolean"},
    "SetFile": {"string"},
    "SetBytes": {"string"},
    "SetTable": {"array"},
}
# What must be told when it stands in the sources: (file, what stands there, what it becomes, words of the complaint).
MISTAKES = [
    ("src/Standin/Mail.cls", 'SetLogical("require_all"', 'SetLogical("require_any"', "mail.send has no argument require_any"),
    ("src/Standin/Mail.cls", '"attachments[-1].cid"', '"attachments[-1].id"', "mail.send has no argument attachments[-1].id"),
    ("src/Standin/HttpRequest.cls", 'SetInteger("redirects"', 'SetText("redirects"', "http.request does not take redirects by SetText"),
    ("cookbook/importCsv.p", '"delimiter"', '"delimeter"', "text.csv_parse has no argument delimeter"),
    ("tests/ClientTest.cls", ':SetText("with"', ':SetText("by"', "text.replace has no argument by"),
]


def resolve(schema, root):
    """The alternatives that a schema allows, without references."""
    if schema is True:
        return [{}]
    if "$ref" in schema:
        return resolve(root["$defs"][schema["$ref"].split("/")[-1]], root)
    if "anyOf" in schema:
        return [one for other in schema["anyOf"] for one in resolve(other, root)]
    return [schema]


def step(schemas, name, root):
    """What stands at one step of a path: an entry of a map, or (`[]`) an item of a list."""
    found = []
    for schema in schemas:
        if not {"type", "properties", "items", "additionalProperties"} & schema.keys():
            found.append({})
        elif name.startswith("["):
            if "items" in schema:
                found += resolve(schema["items"], root)
        elif name in schema.get("properties", {}):
            found += resolve(schema["properties"][name], root)
        elif schema.get("additionalProperties", not schema.get("properties")) not in (False, None):
            found += resolve(schema["additionalProperties"] if schema.get("additionalProperties") else True, root)
    return found


def allows(schemas, kinds):
    """Whether one of the alternatives takes one of the kinds."""
    for schema in schemas:
        types = schema.get("type", [])
        types = {types} if isinstance(types, str) else set(types)
        if not types or types & kinds:
            return True
    return False


def settings(path, text):
    """(line, method, setter, path) for every argument that the file sets by a literal path."""
    holds = {v: m for (file, v), m in ELSEWHERE.items() if file == path.name}
    events = re.compile(
        r"(?P<var>\w+)\s*=\s*(?:\w+:)?New(?:Call|Job)\s*\(\"(?P<method>[\w.]+)\""
        r"|(?P<on>\w+)?:(?P<setter>Set\w+|AddText)\s*\(\"(?P<path>[^\"]*)\""
    )
    current = None
    for match in events.finditer(text):
        if match["method"]:
            holds[match["var"]] = match["method"]
            continue
        # A setter without a variable goes on with the chain of the one before it.
        current = holds.get(match["on"]) if match["on"] else current
        if current:
            yield abl.line_of(text, match.start()), current, match["setter"], match["path"]


def describe(program, method):
    """The JSON Schema of a method's arguments."""
    done = subprocess.run([program, "call", "standin.describe", f"method={method}", "--json"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"standin.describe of {method}: {done.stderr or done.stdout}")
    return json.loads(done.stdout).get("params")


def mistakes_of(folder, schema_of):
    """What is wrong in the sources below a folder, and how many arguments were compared."""
    folder, mistakes, compared = pathlib.Path(folder), [], 0
    for path in abl.sources(folder):
        text = re.sub(r"/\*.*?\*/", lambda m: "\n" * m[0].count("\n"), path.read_text(), flags=re.S)
        for line, method, setter, where in settings(path, text):
            if method in OWN_WORKERS or method.startswith(("job.", "standin.")) or where == "":
                continue
            root = schema_of(method)
            at = [root]
            for name in re.findall(r"'[^']*'|\[[^\]]*\]|[^.\[\]]+", where) + (["[]"] if setter == "AddText" else []):
                at = step(at, name.strip("'"), root)
            compared += 1
            place = f"{path.relative_to(folder)}:{line}"
            if not at:
                mistakes.append(f"{place}: {method} has no argument {where}")
            # A path that ends with a dot goes on with a name that only the program knows.
            elif not where.endswith(".") and setter in KINDS and not allows(at, KINDS[setter]):
                mistakes.append(f"{place}: {method} does not take {where} by {setter}")
    return mistakes, compared


def missed(folder, schema_of):
    """Makes mistakes in copies, and gives those that were not told."""
    for file, old, new, wanted in MISTAKES:
        with tempfile.TemporaryDirectory() as scratch:
            copy = pathlib.Path(scratch) / "abl"
            shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("target", "__pycache__"))
            text = (copy / file).read_text()
            (copy / file).write_text(text.replace(old, new, 1))
            told, _ = mistakes_of(copy, schema_of)
            if old not in text or not any(wanted in one for one in told):
                yield f"{file}: `{new}` was not told as `{wanted}`"


def main(program, folder):
    schemas = {}

    def schema_of(method):
        if method not in schemas:
            schemas[method] = describe(program, method)
        return schemas[method]

    mistakes, compared = mistakes_of(folder, schema_of)
    # 82 when this was written: far fewer means that they are not found any more.
    if compared < 60:
        mistakes.append(f"only {compared} arguments were found to compare")
    mistakes += missed(folder, schema_of)
    print("\n".join(mistakes) if mistakes else f"arguments: {compared} of {len(schemas)} methods, no mistakes")
    return 1 if mistakes else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
