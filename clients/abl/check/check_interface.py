"""Compares what ABL finds out only when it runs: prototypes with standin.h, and calls with what they call.

    check_interface.py HEADER ABL_FOLDER

Reads every ABL file below the folder. Prints `file:line: sentence` for each mistake and ends with 1 if there is one, or if
there was nothing to compare.
"""

import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import interface as abl  # noqa: E402

LIBRARIES = {"libraryWindows.p": '"standin.dll" CDECL PERSISTENT', "libraryUnix.p": '"libstandin.so" CDECL PERSISTENT'}
# Folders that stand in the PROPATH of whoever compiles all of it.
PROPATH = ("src", "smtpmail", "cookbook", "tests")


class Check:
    def __init__(self, header, folder):
        self.folder = pathlib.Path(folder)
        self.functions, self.constants = abl.header(pathlib.Path(header).read_text())
        self.files = {p: p.read_text() for p in abl.sources(folder)}
        self.code = {p: abl.code(t) for p, t in self.files.items()}
        parsed = [abl.parse_class(c) for p, c in self.code.items() if p.suffix == ".cls"]
        self.classes = {c.name.lower(): c for c in parsed if c}
        self.mistakes = []
        self.compared = {"prototypes": 0, "library calls": 0, "method calls": 0, "procedure calls": 0}

    def wrong(self, path, line, sentence):
        self.mistakes.append(f"{path.relative_to(self.folder)}:{line}: {sentence}")

    def run(self):
        for path in self.files:
            if path.name in LIBRARIES:
                self.check_prototypes(path)
        self.check_constants()
        for path, text in self.files.items():
            self.check_braces(path, text)
        for path, code in self.code.items():
            self.check_runs(path, code)
            self.check_methods(path, code)
        for name in LIBRARIES:
            if not any(p.name == name for p in self.files):
                self.mistakes.append(f"{name} is not there")
        for what, count in self.compared.items():
            if count == 0:
                self.mistakes.append(f"there were no {what} to compare")
        return self.mistakes

    # -- prototypes and constants

    def check_prototypes(self, path):
        found = abl.prototypes(self.files[path])
        for function in self.functions:
            if function.name not in found:
                self.wrong(path, 1, f"{function.name} of standin.h has no prototype")
                continue
            self.compared["prototypes"] += 1
            words, parameters, line = found[function.name]
            wanted = [(d, t) for d, t, _ in function.parameters] + [("RETURN", "LONG")]
            if words != LIBRARIES[path.name]:
                self.wrong(path, line, f"{function.name}: EXTERNAL {words}, and it must be {LIBRARIES[path.name]}")
            if parameters != wanted:
                shown = "; ".join(f"{d} {t}" for d, t in wanted)
                self.wrong(path, line, f"{function.name}: standin.h wants {shown}")
        known = {f.name for f in self.functions}
        for name, (_, _, line) in found.items():
            if name not in known:
                self.wrong(path, line, f"standin.h has no {name}")
        if len(found) != self.files[path].count("EXTERNAL \""):
            self.wrong(path, 1, "not every EXTERNAL of this file was understood")

    def check_constants(self):
        defined = {}
        for path, text in self.files.items():
            for match in re.finditer(r"&GLOBAL-DEFINE\s+(STANDIN_\w+)\s+(\S+)", text):
                defined[match[1]] = match[2]
                wanted = self.constants.get(match[1])
                if wanted is not None and str(wanted) != match[2]:
                    self.wrong(path, abl.line_of(text, match.start()), f"{match[1]} is {wanted} in standin.h")
        for name, value in self.constants.items():
            if value < 0 and name not in defined:
                self.mistakes.append(f"standin.i does not define {name}")
        for path, text in self.code.items():
            for match in re.finditer(r"\{&(STANDIN_\w+)\}", text):
                if match[1] not in defined:
                    self.wrong(path, abl.line_of(text, match.start()), f"{match[1]} is defined nowhere")

    def check_braces(self, path, text):
        """A brace includes a file, within a text as well: a pattern needs ~{. Neither parser says so."""
        for match in re.finditer(r"(?<!~)\{(?!&\w+\}|[\w./]+\.i\}\s)", re.sub(r"/\*.*?\*/", lambda m: "\n" * m[0].count("\n"), text, flags=re.S)):
            self.wrong(path, abl.line_of(match.string, match.start()), "a brace without a tilde before it includes a file")

    # -- RUN

    def check_runs(self, path, code):
        own = abl.internal_procedures(code)
        for match in re.finditer(r"\bRUN\s+([\w./-]+?)(?=[\s.(])(?:\s+PERSISTENT\s+SET\s+\w+)?(?:\s+IN\s+([\w.-]+))?\s*(\(|\.(?=\s))", code):
            name, where, opening = match[1], match[2], match[3]
            if name.upper() == "VALUE":
                continue
            line = abl.line_of(code, match.start())
            given = ()
            if opening == "(":
                given = tuple(abl.direction(a) for a in abl.arguments(code[match.end() : abl.closing(code, match.end() - 1)]))
            wanted = self.run_target(path, line, name, where, own)
            if wanted is not None and given != wanted:
                self.wrong(path, line, f"RUN {name}: it has {describe(wanted)}, and is given {describe(given)}")

    def run_target(self, path, line, name, where, own):
        """The directions of the parameters of what is run, or None if nobody can know or it was complained of."""
        if name.startswith("standin_"):
            self.compared["library calls"] += 1
            function = next((f for f in self.functions if f.name == name), None)
            if not where:
                self.wrong(path, line, f"RUN {name} without IN: the prototype is in another procedure")
            elif function:
                return tuple(d for d, _, _ in function.parameters) + ("OUTPUT",)
            else:
                self.wrong(path, line, f"standin.h has no {name}")
            return None
        if where and where.lower() == "ghstandin":
            self.compared["procedure calls"] += 1
            offered = {}
            for other, code in self.code.items():
                if other.name in ("standin.p", "standinValues.i"):
                    offered |= abl.internal_procedures(code)
            if name.lower() not in offered:
                self.wrong(path, line, f"standin.p has no {name}")
            return offered.get(name.lower())
        if where:
            return None
        if name.endswith(".p"):
            self.compared["procedure calls"] += 1
            for folder in PROPATH:
                if (self.folder / folder / name) in self.files:
                    return abl.own_parameters(self.code[self.folder / folder / name])
            self.wrong(path, line, f"RUN {name}: there is no such file in {', '.join(PROPATH)}")
            return None
        self.compared["procedure calls"] += 1
        if name.lower() not in own:
            self.wrong(path, line, f"RUN {name}: this file has no such procedure")
        return own.get(name.lower())

    # -- methods

    def ancestry(self, name):
        while one := self.classes.get(name.lower()):
            yield one
            name = one.parent

    def methods(self, class_name, method):
        return [m for c in self.ancestry(class_name) for m in c.methods.get(method.lower(), [])]

    def variables(self, path, code):
        """Name in lower case -> the types it has in this file."""
        types = {}
        for pattern in (r"\b(\w+)\s+AS\s+(Standin\.\w+)", r"\b(\w+)\s+AS\s+([\w.-]+)"):
            for name, kind in re.findall(pattern, code):
                types.setdefault(name.lower(), set()).add(kind)
        own = abl.parse_class(code) if path.suffix == ".cls" else None
        if own:
            types["this-object"] = {own.name}
            for one in self.ancestry(own.name):
                for name, kind in one.properties.items():
                    types.setdefault(name, set()).add(kind)
        return types, own

    def check_methods(self, path, code):
        types, own = self.variables(path, code)
        self.check_new(path, code)
        if own:
            self.check_own(path, code, own)
            self.check_implements(path, code, own)
        starts = [(m.end() - 1, set(types[m[1].lower()])) for m in re.finditer(r"(?<![\w:.&-])([\w-]+):(?=[A-Za-z])", code) if m[1].lower() in types]
        starts += [(m.end() - 1, {m[1]}) for m in re.finditer(r"(?<![\w.])(Standin\.\w+):(?=[A-Za-z])", code)]
        for match in re.finditer(r"\bCAST\s*\(", code):
            end = abl.closing(code, match.end() - 1)
            starts.append((end + 1, {abl.arguments(code[match.end() : end])[-1]}))
        for position, kinds in starts:
            self.follow(path, code, position, kinds)

    def follow(self, path, code, position, kinds):
        """Walks along a:b(c):d and checks each step, as far as the types are Standin's."""
        while step := re.compile(r":([A-Za-z][\w-]*)\s*(\(?)").match(code, position):
            kinds = {k for k in kinds if k.lower() in self.classes}
            if not kinds:
                return
            line, after = abl.line_of(code, position), set()
            if step[2]:
                end = abl.closing(code, step.end() - 1)
                given = tuple(abl.direction(a) for a in abl.arguments(code[step.end() : end]))
                candidates = [m for k in kinds for m in self.methods(k, step[1])]
                self.compared["method calls"] += 1
                if not candidates and step[1].lower() not in ("gettype", "tostring", "getmessage", "getclass"):
                    self.wrong(path, line, f"{' or '.join(sorted(kinds))} has no method {step[1]}")
                elif candidates and given not in [m.directions for m in candidates]:
                    self.wrong(path, line, f"{step[1]}: it has {' or '.join(describe(m.directions) for m in candidates)}, and is given {describe(given)}")
                after, position = {m.returns for m in candidates}, end + 1
            else:
                found = {c.properties[step[1].lower()] for k in kinds for c in self.ancestry(k) if step[1].lower() in c.properties}
                if not found:
                    self.wrong(path, line, f"{' or '.join(sorted(kinds))} has no property {step[1]}")
                after, position = found, step.end()
            kinds = after

    def check_new(self, path, code):
        for match in re.finditer(r"\bNEW\s+(Standin\.\w+)\s*\(", code):
            line = abl.line_of(code, match.start())
            given = tuple(abl.direction(a) for a in abl.arguments(code[match.end() : abl.closing(code, match.end() - 1)]))
            one = self.classes.get(match[1].lower())
            self.compared["method calls"] += 1
            if not one:
                self.wrong(path, line, f"there is no class {match[1]}")
            elif given not in ([c.directions for c in one.constructors] or [()]):
                self.wrong(path, line, f"NEW {match[1]} is given {describe(given)}, and no constructor takes that")

    def check_own(self, path, code, own):
        """Calls of the class's own methods, which stand there without an object."""
        parent = self.classes.get(own.parent.lower())
        for match in re.finditer(r"(?<![\w:.&-])([A-Za-z]\w*)\s*\(", code):
            before = code[: match.start()].rstrip()
            if re.search(r"\b(METHOD|CONSTRUCTOR|DESTRUCTOR)\b[\w\s.-]*$", before) or re.search(r"\b(NEW|IN)$", before, flags=re.I):
                continue
            line = abl.line_of(code, match.start())
            given = tuple(abl.direction(a) for a in abl.arguments(code[match.end() : abl.closing(code, match.end() - 1)]))
            if match[1] == "SUPER":
                if parent and given not in ([c.directions for c in parent.constructors] or [()]):
                    self.wrong(path, line, f"SUPER is given {describe(given)}, and no constructor of {parent.name} takes that")
                continue
            # Words of the language are written in capitals throughout; what is not, is ours.
            if match[1].isupper():
                continue
            self.compared["method calls"] += 1
            candidates = self.methods(own.name, match[1])
            if not candidates:
                self.wrong(path, line, f"{own.name} has no method {match[1]}")
            elif given not in [m.directions for m in candidates]:
                self.wrong(path, line, f"{match[1]}: it has {' or '.join(describe(m.directions) for m in candidates)}, and is given {describe(given)}")
            self.follow(path, code, abl.closing(code, match.end() - 1) + 1, {m.returns for m in candidates})

    def check_implements(self, path, code, own):
        for name in re.findall(r"\bIMPLEMENTS\s+(Standin\.\w+)", code):
            one = self.classes.get(name.lower())
            if not one:
                self.wrong(path, 1, f"there is no interface {name}")
                continue
            for methods in one.methods.values():
                for method in methods:
                    if method.directions not in [m.directions for m in self.methods(own.name, method.name)]:
                        self.wrong(path, 1, f"{own.name} does not implement {method.name} of {name}")


def describe(directions):
    """A list of parameters in words."""
    if not directions:
        return "no parameters"
    return f"{len(directions)} ({', '.join(directions)})"


if __name__ == "__main__":
    check = Check(sys.argv[1], sys.argv[2])
    mistakes = check.run()
    print("\n".join(mistakes) if mistakes else "compared: " + ", ".join(f"{n} {w}" for w, n in check.compared.items()))
    sys.exit(1 if mistakes else 0)
