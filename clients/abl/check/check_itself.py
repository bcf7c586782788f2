"""Shows that check_interface.py finds what it is for: each mistake below is made in a copy, and must be told.

    check_itself.py HEADER ABL_FOLDER
"""

import pathlib
import shutil
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from check_interface import Check  # noqa: E402

SRC = "src/Standin/"
# (file, what stands there, what it becomes, words that the complaint must have)
MISTAKES = [
    (SRC + "libraryWindows.p", "PROCEDURE standin_set_int ", "PROCEDURE standin_set_integer ", "standin_set_int of standin.h has no prototype"),
    (SRC + "libraryUnix.p", "PROCEDURE standin_wait ", "PROCEDURE standin_await ", "standin.h has no standin_await"),
    (SRC + "libraryWindows.p", "INPUT  PARAMETER pdValue  AS DOUBLE.", "INPUT  PARAMETER pdValue  AS FLOAT.", "standin_set_number: standin.h wants"),
    (SRC + "libraryUnix.p", "DEFINE OUTPUT PARAMETER piClient   AS INT64.", "DEFINE INPUT  PARAMETER piClient   AS INT64.", "standin_open: standin.h wants"),
    (SRC + "libraryWindows.p", "    DEFINE INPUT  PARAMETER pcCodePage AS CHARACTER.\n", "", "standin_open: standin.h wants"),
    (SRC + "libraryUnix.p", 'standin_close EXTERNAL "libstandin.so" CDECL PERSISTENT', 'standin_close EXTERNAL "libstandin.so" PERSISTENT', "it must be"),
    (SRC + "libraryWindows.p", 'standin_close EXTERNAL "standin.dll"', 'standin_close EXTERNAL "libstandin.so"', "it must be"),
    (SRC + "Call.cls", "(INPUT HandleNumber, INPUT 1, OUTPUT iCode)", "(INPUT HandleNumber, OUTPUT iCode)", "RUN standin_set_idempotent: it has 3"),
    (SRC + "Reader.cls", "OUTPUT iValue, OUTPUT iCode", "INPUT iValue, OUTPUT iCode", "RUN standin_get_int: it has 4"),
    (SRC + "Call.cls", "RUN standin_cancel IN", "RUN standin_recall IN", "standin.h has no standin_recall"),
    (SRC + "Call.cls", "RUN standin_cancel IN hLibrary", "RUN standin_cancel", "without IN"),
    (SRC + "standin.i", "STANDIN_BUSY -9", "STANDIN_BUSY -90", "STANDIN_BUSY is -9"),
    (SRC + "standin.i", "&GLOBAL-DEFINE STANDIN_LIMIT -14\n", "", "does not define STANDIN_LIMIT"),
    (SRC + "Client.cls", "Callbacks:Serve(HandleNumber)", "Callbacks:ServeAll(HandleNumber)", "has no method ServeAll"),
    (SRC + "Client.cls", "oJob:Follow(pcJobName)", "oJob:Follow(pcJobName, 1)", "Follow: it has 1"),
    (SRC + "Job.cls", ':GetText("state":U)', ':GetTexts("state":U)', "has no method GetTexts"),
    (SRC + "Client.cls", "NEW Standin.Batch(THIS-OBJECT)", "NEW Standin.Batch()", "no constructor takes that"),
    (SRC + "Client.cls", "NEW Standin.Batch(THIS-OBJECT)", "NEW Standin.Batches(THIS-OBJECT)", "there is no class Standin.Batches"),
    (SRC + "Mail.cls", "RETURN AttachFile(pcFile, ?, ?)", "RETURN AttachFile(pcFile, ?)", "AttachFile: it has"),
    (SRC + "CallFailedError.cls", "SUPER (pcMessage, piNumber,", "SUPER (piNumber,", "no constructor of Standin.StandinError"),
    (SRC + "Call.cls", "oClient:AwaitEnd(HandleNumber, plEvents, OUTPUT iCode)", "oClient:AwaitEnd(HandleNumber, plEvents, iCode)", "AwaitEnd: it has 3"),
    (SRC + "Batch.cls", "poCall:HandleNumber, OUTPUT", "poCall:Handles, OUTPUT", "has no property Handles"),
    ("smtpmail/smtpmail.p", "RUN setServer.", "RUN setServers.", "this file has no such procedure"),
    ("smtpmail/smtpmail.p", "oMail:UseServer(ENTRY(1, pcMailHub, \":\":U), iPort, cTls)", "oMail:UseServer(pcMailHub, cTls)", "UseServer: it has 3"),
    ("smtpmail/smtpmail.p", "{&STANDIN_MAIL_TLS} <>", "{&STANDIN_TLS} <>", "STANDIN_TLS is defined nowhere"),
    ("cookbook/patterns.p", "[0-9]~{2}) EUR", "[0-9]{2}) EUR", "a brace without a tilde"),
    ("cookbook/procedural.p", "RUN standinExecute IN ghStandin (INPUT", "RUN standinExecute IN ghStandin (INPUT 1, INPUT", "RUN standinExecute: it has 2"),
    ("cookbook/procedural.p", "RUN standinClose IN", "RUN standinShut IN", "standin.p has no standinShut"),
    ("cookbook/oldMail.p", "RUN smtpmail.p (", "RUN smtpmail.p (INPUT 1,", "RUN smtpmail.p: it has 17"),
    ("cookbook/databaseCallback.p", "poQuestion:Answer:SetText(", "poQuestion:Answer:SetTexts(", "has no method SetTexts"),
]


def main(header, folder):
    failed = 0
    for file, old, new, wanted in MISTAKES:
        with tempfile.TemporaryDirectory() as scratch:
            copy = pathlib.Path(scratch) / "abl"
            shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("target", "__pycache__"))
            path = copy / file
            text = path.read_text()
            if text.count(old) < 1:
                print(f"{file}: `{old}` does not stand there any more: mend check_itself.py")
                failed += 1
                continue
            path.write_text(text.replace(old, new, 1))
            told = Check(header, copy).run()
            if not any(wanted in one for one in told):
                print(f"{file}: `{new}` was not complained of as `{wanted}`, but as {told}")
                failed += 1
    print(f"check_itself: {len(MISTAKES)} mistakes were made, {failed} were missed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
