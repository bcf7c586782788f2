"""The copybooks and the entries say what the header of the C library says."""

import re

from conftest import ROOT

COBOL = ROOT / "clients/cobol"
HEADER = (ROOT / "clients/c/include/standin.h").read_text()


def test_the_codes_of_the_copybook_are_those_of_the_header():
    defined = dict(re.findall(r"^#define STANDIN_(\w+) (-?\d+)$", HEADER, re.M))
    copybook = (COBOL / "copy/standin-codes.cpy").read_text()
    written = re.findall(r"^ +78 +standin-([\w-]+) +value (-?\d+)\.$", copybook, re.M)
    assert len(defined) > 30
    assert {name.upper().replace("-", "_"): value for name, value in written} == defined


def test_every_function_is_called_with_as_many_arguments_as_it_has():
    functions = {}
    for name, parameters in re.findall(r"STANDIN_API (standin_\w+)\(([^)]*)\);", HEADER):
        functions[name] = 0 if parameters == "void" else parameters.count(",") + 1
    called = set()
    for file in COBOL.glob("src/*.cob"):
        code = "\n".join(line for line in file.read_text().splitlines() if line[6:7] != "*")
        for name, arguments in re.findall(r'call\s+"(standin_\w+)"\s+using(.*?)returning', code, re.S):
            assert len(re.findall(r"by\s+(?:value|reference)", arguments)) == functions[name], name
            called.add(name)
        assert len(re.findall(r'"standin_\w+"', code)) == len(re.findall(r'call\s+"standin_\w+"\s+using', code)), file
    assert len(called) > 40, called
