"""Makes a program of every ABL example in the documentation, so that it can be checked like the others.

    doc_blocks.py FOLDER FILE...

Writes FOLDER/NAME-LINE.p for each block that begins with ```abl in a Markdown file, with what the text around it takes for
granted: variables by the names that the guide uses throughout, and a table of the database.
"""

import pathlib
import re
import sys

TYPES = {
    "oClient": "Standin.Client", "oCall": "Standin.Call", "oFirst": "Standin.Call", "oSecond": "Standin.Call",
    "oMail": "Standin.Mail", "oJob": "Standin.Job", "oBatch": "Standin.Batch", "oResult": "Standin.Result",
    "cJob": "CHARACTER", "cFrom": "CHARACTER", "cTo": "CHARACTER", "cSubject": "CHARACTER", "cCode": "CHARACTER",
    "cOutcome": "CHARACTER", "cMessage": "CHARACTER", "lcOrder": "LONGCHAR", "lcBody": "LONGCHAR",
    "iClient": "INT64", "iCode": "INTEGER", "iNumber": "INTEGER",
}  # fmt: skip
TABLE = "DEFINE TEMP-TABLE Customer NO-UNDO FIELD CustNum AS INTEGER FIELD Name AS CHARACTER.\n"


def program(block):
    """The block with what it needs before it."""
    before = ""
    for name, kind in TYPES.items():
        if re.search(rf"\b{name}\b", block) and not re.search(rf"\bDEFINE VARIABLE {name}\b", block):
            before += f"DEFINE VARIABLE {name} AS {kind} NO-UNDO.\n"
    if "Customer." in block:
        before += TABLE
    if "btnCancel" in block:
        before += "DEFINE BUTTON btnCancel LABEL \"Cancel\".\n"
    # An include stays where it is: its constants are needed below, and BLOCK-LEVEL is not.
    return before + block


def main(folder, files):
    written = 0
    for file in map(pathlib.Path, files):
        text = file.read_text()
        for match in re.finditer(r"^```abl\n(.*?)^```$", text, flags=re.S | re.M):
            line = text.count("\n", 0, match.start()) + 1
            (pathlib.Path(folder) / f"{file.stem}-{line}.p").write_text(program(match[1]))
            written += 1
    print(f"examples: {written}")
    return 0 if written else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
