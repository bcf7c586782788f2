"""Writes the two procedures that own the prototypes from clients/c/include/standin.h. Run it when the header has changed."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import interface  # noqa: E402

ABL = pathlib.Path(__file__).resolve().parent.parent
PREFIX = {"CHARACTER": "pc", "LONG": "pi", "INT64": "pi", "DOUBLE": "pd", "MEMPTR": "pm"}

HEAD = """/*------------------------------------------------------------------------
    File        : Standin/{file}
    Purpose     : Every function of {library}, for {system}. Run persistent by
                  Standin.Library; nobody else needs to run it.
    Notes       : Written by check/write_prototypes.py from standin.h. LONG is
                  32 bits and INT64 is 64 bits in every session, so the same
                  file serves 32- and 64-bit clients; CDECL matters to the
                  32-bit ones. A name in the EXTERNAL phrase is looked for
                  where the system looks for libraries, not in the PROPATH.
  ----------------------------------------------------------------------*/

BLOCK-LEVEL ON ERROR UNDO, THROW.
"""


def prototype(function, library):
    rows = [(d, PREFIX[t] + "".join(w.capitalize() for w in n.split("_")), t) for d, t, n in function.parameters]
    rows.append(("RETURN", "piCode", "LONG"))
    width = max(len(name) for _, name, _ in rows)
    lines = [f'PROCEDURE {function.name} EXTERNAL "{library}" CDECL PERSISTENT:']
    lines += [f"    DEFINE {d:<6} PARAMETER {n:<{width}} AS {t}." for d, n, t in rows]
    return "\n".join(lines + ["END PROCEDURE."])


functions, _ = interface.header((ABL.parent / "c/include/standin.h").read_text())
for file, library, system in [("libraryWindows.p", "standin.dll", "Windows"), ("libraryUnix.p", "libstandin.so", "Linux and UNIX")]:
    text = HEAD.format(file=file, library=library, system=system) + "\n"
    text += "\n\n".join(prototype(f, library) for f in functions) + "\n"
    (ABL / "src/Standin" / file).write_text(text)
