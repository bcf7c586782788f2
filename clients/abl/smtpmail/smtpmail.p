/*------------------------------------------------------------------------
    File        : smtpmail.p
    Purpose     : Takes the place of the smtpmail.p (5.8) of the Free
                  Framework: the same 17 parameters, and what they mean, so
                  that old programs send over TLS without an edit. Put it
                  where the old one was.
    Notes       : docs/ABL.md lists the few things that differ. Settings for
                  the site are in Standin/smtpmailcfg.i. Like the old one it
                  raises no ERROR: plSuccessful and pcMessage say how it went.
  ----------------------------------------------------------------------*/

BLOCK-LEVEL ON ERROR UNDO, THROW.

{Standin/smtpmailcfg.i}

DEFINE INPUT  PARAMETER pcMailHub     AS CHARACTER NO-UNDO.
DEFINE INPUT  PARAMETER pcEmailTo     AS CHARACTER NO-UNDO.
DEFINE INPUT  PARAMETER pcEmailFrom   AS CHARACTER NO-UNDO.
DEFINE INPUT  PARAMETER pcEmailCC     AS CHARACTER NO-UNDO.
DEFINE INPUT  PARAMETER pcAttachments AS CHARACTER NO-UNDO.
DEFINE INPUT  PARAMETER pcLocalFiles  AS CHARACTER NO-UNDO.
DEFINE INPUT  PARAMETER pcSubject     AS CHARACTER NO-UNDO.
DEFINE INPUT  PARAMETER pcBody        AS CHARACTER NO-UNDO.
DEFINE INPUT  PARAMETER pcMimeHeader  AS CHARACTER NO-UNDO.
DEFINE INPUT  PARAMETER pcBodyType    AS CHARACTER NO-UNDO.
DEFINE INPUT  PARAMETER piImportance  AS INTEGER   NO-UNDO.
DEFINE INPUT  PARAMETER plDoAuth      AS LOGICAL   NO-UNDO.
DEFINE INPUT  PARAMETER pcAuthType    AS CHARACTER NO-UNDO.
DEFINE INPUT  PARAMETER pcUser        AS CHARACTER NO-UNDO.
DEFINE INPUT  PARAMETER pcPassword    AS CHARACTER NO-UNDO.
DEFINE OUTPUT PARAMETER plSuccessful  AS LOGICAL   NO-UNDO.
DEFINE OUTPUT PARAMETER pcMessage     AS CHARACTER NO-UNDO.

DEFINE VARIABLE oClient   AS Standin.Client NO-UNDO.
DEFINE VARIABLE oMail     AS Standin.Mail   NO-UNDO.
DEFINE VARIABLE cReceipts AS CHARACTER      NO-UNDO.
DEFINE VARIABLE cReplyTo  AS CHARACTER      NO-UNDO.

/* ------------------------------------------------------------------ the little languages of the parameters */

/* "Name <a@b>", "<a@b>", "a@b" or <a@b>"Name": as mail.send takes it. The name goes in quotes: it may hold a comma. */
FUNCTION asAddress RETURNS CHARACTER (INPUT pcName AS CHARACTER, INPUT pcAddress AS CHARACTER):

    pcName = TRIM(REPLACE(REPLACE(pcName, CHR(92), "":U), CHR(34), "":U)).

    IF pcName = "":U THEN
        RETURN TRIM(pcAddress).

    RETURN CHR(34) + pcName + CHR(34) + " <":U + TRIM(pcAddress) + ">":U.

END FUNCTION.

FUNCTION tidyAddress RETURNS CHARACTER (INPUT pcEntry AS CHARACTER):

    IF NUM-ENTRIES(pcEntry, "<":U) < 2 THEN
        RETURN TRIM(pcEntry).

    RETURN asAddress(ENTRY(1, pcEntry, "<":U), ENTRY(1, ENTRY(2, pcEntry, "<":U), ">":U)).

END FUNCTION.

/* One part of file:type=...:charset=...:filetype=..., or "". */
FUNCTION mimePart RETURNS CHARACTER (INPUT pcHeader AS CHARACTER, INPUT pcPart AS CHARACTER):

    DEFINE VARIABLE iPart AS INTEGER   NO-UNDO.
    DEFINE VARIABLE cPart AS CHARACTER NO-UNDO.

    DO iPart = 1 TO NUM-ENTRIES(pcHeader, ":":U):
        cPart = ENTRY(iPart, pcHeader, ":":U).
        IF NUM-ENTRIES(cPart, "=":U) > 1 AND TRIM(ENTRY(1, cPart, "=":U)) = pcPart THEN
            RETURN TRIM(ENTRY(2, cPart, "=":U)).
    END.

    RETURN "":U.

END FUNCTION.

/* ------------------------------------------------------------------ main block */

DO ON ERROR UNDO, THROW:

    RUN tidyParameters.
    IF pcMessage <> "":U OR plSuccessful THEN
        RETURN.

    oClient = NEW Standin.Client("":U, 10000).
    oClient:Timeout = 120000.

    IF {&STANDIN_MAIL_QUEUED} = "yes":U THEN
        oMail = oClient:NewQueuedMail().
    ELSE
        oMail = oClient:NewMail().

    RUN setServer.
    RUN setRecipients.
    RUN setContent.
    IF pcMessage = "":U THEN
        RUN setAttachments.
    IF pcMessage <> "":U THEN
        RETURN.

    oMail:Send().

    ASSIGN
        plSuccessful = TRUE
        pcMessage    = "Email has been accepted for delivery.".

    CATCH oStandin AS Standin.StandinError:
        /* ? where nobody knows whether it went out: a program that repeats what failed must not send it twice. */
        ASSIGN
            plSuccessful = IF oStandin:IsSafeToRepeat() THEN FALSE ELSE ?
            pcMessage    = oStandin:GetMessage(1).
    END CATCH.
    CATCH oError AS Progress.Lang.Error:
        ASSIGN
            plSuccessful = FALSE
            pcMessage    = oError:GetMessage(1).
    END CATCH.
    FINALLY:
        IF VALID-OBJECT(oClient) THEN
            oClient:Close().
    END FINALLY.
END.

/* ------------------------------------------------------------------ internal procedures */

/* The Unknown values, the special calls and what is missing, as the old one had it. */
PROCEDURE tidyParameters:

    IF NUM-ENTRIES(pcEmailFrom, CHR(1)) > 1 THEN
        ASSIGN
            cReceipts   = ENTRY(2, pcEmailFrom, CHR(1))
            pcEmailFrom = ENTRY(1, pcEmailFrom, CHR(1)).

    ASSIGN
        pcEmailFrom   = TRIM(pcEmailFrom, " ,":U)
        pcEmailTo     = TRIM(pcEmailTo, " ,":U)
        pcMailHub     = IF pcMailHub = ? THEN "":U ELSE pcMailHub
        pcEmailCC     = IF pcEmailCC = ? THEN "":U ELSE pcEmailCC
        pcAttachments = IF pcAttachments = ? THEN "":U ELSE pcAttachments
        pcLocalFiles  = IF pcLocalFiles = ? THEN "":U ELSE pcLocalFiles
        pcSubject     = IF pcSubject = ? THEN "":U ELSE pcSubject
        pcBody        = IF pcBody = ? THEN "":U ELSE pcBody
        pcMimeHeader  = IF pcMimeHeader = ? THEN "":U ELSE pcMimeHeader
        pcAuthType    = IF pcAuthType = ? THEN "":U ELSE pcAuthType.

    IF pcEmailFrom = "":U OR pcEmailFrom = ? OR pcEmailTo = "":U OR pcEmailTo = ? THEN DO:
        pcMessage = "From or To is blank or unknown".
        RETURN.
    END.

    IF plDoAuth AND pcAuthType <> "none":U
       AND (pcUser = ? OR pcUser = "":U OR pcPassword = ? OR pcPassword = "":U) THEN DO:
        pcMessage = "User or Password is blank or unknown".
        RETURN.
    END.

    /* The old one kept encoded copies of attachments, which this call removed. There are none any more. */
    IF pcEmailTo = "RemoveEncodedFiles":U THEN DO:
        plSuccessful = TRUE.
        RETURN.
    END.

    IF NUM-ENTRIES(pcEmailFrom, "^":U) > 1 THEN
        ASSIGN
            cReplyTo    = ENTRY(2, pcEmailFrom, "^":U)
            pcEmailFrom = ENTRY(1, pcEmailFrom, "^":U).

END PROCEDURE.

/* The server, and who logs in. */
PROCEDURE setServer:

    DEFINE VARIABLE iPort AS INTEGER   NO-UNDO INITIAL ?.
    DEFINE VARIABLE cTls  AS CHARACTER NO-UNDO INITIAL ?.

    IF pcMailHub = "":U THEN
        pcMailHub = {&STANDIN_MAIL_HUB}.

    /* No server anywhere: the service's own. */
    IF pcMailHub = "":U THEN
        RETURN.

    IF NUM-ENTRIES(pcMailHub, ":":U) > 1 THEN
        iPort = INTEGER(ENTRY(2, pcMailHub, ":":U)) NO-ERROR.
    IF iPort = ? OR iPort = 0 THEN
        iPort = 25.

    IF {&STANDIN_MAIL_TLS} <> "":U THEN
        cTls = {&STANDIN_MAIL_TLS}.

    oMail:UseServer(ENTRY(1, pcMailHub, ":":U), iPort, cTls).

    IF plDoAuth AND pcAuthType <> "none":U THEN
        oMail:LoginAs(pcUser, pcPassword).

END PROCEDURE.

/* Who sends it to whom. */
PROCEDURE setRecipients:

    DEFINE VARIABLE cEntry  AS CHARACTER NO-UNDO.
    DEFINE VARIABLE cSender AS CHARACTER NO-UNDO.
    DEFINE VARIABLE iEntry  AS INTEGER   NO-UNDO.

    cSender = IF NUM-ENTRIES(pcEmailFrom, ";":U) > 1
              THEN asAddress(ENTRY(2, pcEmailFrom, ";":U), ENTRY(1, pcEmailFrom, ";":U))
              ELSE tidyAddress(pcEmailFrom).
    oMail:SetSender(cSender).

    IF cReplyTo <> "":U THEN
        oMail:SetReplyTo(cReplyTo).

    IF cReceipts <> "":U AND ENTRY(1, cReceipts) = "yes":U THEN
        oMail:SetHeader("Return-Receipt-To":U, cSender).
    IF NUM-ENTRIES(cReceipts) > 1 AND ENTRY(2, cReceipts) = "yes":U THEN
        oMail:SetHeader("Disposition-Notification-To":U, cSender).

    pcEmailTo = REPLACE(pcEmailTo, ";":U, ",":U).
    DO iEntry = 1 TO NUM-ENTRIES(pcEmailTo):
        cEntry = tidyAddress(ENTRY(iEntry, pcEmailTo)).
        IF cEntry <> "":U THEN
            oMail:AddTo(cEntry).
    END.

    pcEmailCC = REPLACE(pcEmailCC, ";":U, ",":U).
    DO iEntry = 1 TO NUM-ENTRIES(pcEmailCC):
        cEntry = tidyAddress(ENTRY(1, ENTRY(iEntry, pcEmailCC), "^":U)).
        IF cEntry = "":U THEN
            NEXT.

        /* ^B behind an address makes it a blind copy. */
        IF NUM-ENTRIES(ENTRY(iEntry, pcEmailCC), "^":U) > 1
           AND TRIM(ENTRY(2, ENTRY(iEntry, pcEmailCC), "^":U)) = "B":U THEN
            oMail:AddBcc(cEntry).
        ELSE
            oMail:AddCc(cEntry).
    END.

    /* The old one gave up at the first recipient that the server refused, before anything was sent. */
    oMail:RequireAll().

END PROCEDURE.

/* Subject, importance and body. */
PROCEDURE setContent:

    DEFINE VARIABLE lcBody AS LONGCHAR  NO-UNDO.
    DEFINE VARIABLE cType  AS CHARACTER NO-UNDO.

    oMail:SetSubject(REPLACE(REPLACE(pcSubject, CHR(13), "":U), CHR(10), " ":U)).

    IF piImportance = 1 OR piImportance = 3 THEN DO:
        oMail:SetHeader("X-Priority":U, STRING(piImportance)).
        oMail:SetHeader("Priority":U, ENTRY(piImportance, "Urgent,Normal,Non-Urgent":U)).
        oMail:SetHeader("Importance":U, ENTRY(piImportance, "high,normal,low":U)).
    END.

    IF pcBodyType = "file":U THEN
        RUN readBody (INPUT mimePart(pcMimeHeader, "charset":U), OUTPUT lcBody).
    ELSE
        lcBody = pcBody.

    IF pcMessage <> "":U THEN
        RETURN.

    cType = mimePart(pcMimeHeader, "type":U).
    CASE cType:
        WHEN "":U OR WHEN "text/plain":U THEN
            oMail:SetBody(lcBody).
        WHEN "text/html":U THEN
            oMail:SetHtml(lcBody).
        OTHERWISE
            pcMessage = SUBSTITUTE("A body of the type &1 cannot be sent this way: text/plain and text/html can, and files as attachments.", cType).
    END CASE.

END PROCEDURE.

/* A body that stands in a file. */
PROCEDURE readBody:
    DEFINE INPUT  PARAMETER pcCharset AS CHARACTER NO-UNDO.
    DEFINE OUTPUT PARAMETER plcBody   AS LONGCHAR  NO-UNDO.

    FILE-INFO:FILE-NAME = pcBody.
    IF FILE-INFO:FILE-TYPE = ? OR INDEX(FILE-INFO:FILE-TYPE, "F":U) = 0 THEN DO:
        pcMessage = pcBody + " Not a valid file".
        RETURN.
    END.

    /* "us-ascii" is what everybody wrote there; what the files are in is what ABL writes files in. */
    IF pcCharset = "":U OR pcCharset = "us-ascii":U THEN
        pcCharset = SESSION:CPSTREAM.
    ELSE IF pcCharset BEGINS "windows-":U THEN
        pcCharset = SUBSTRING(pcCharset, 9).
    ELSE IF pcCharset BEGINS "iso-8859":U THEN
        pcCharset = "ISO8859":U + SUBSTRING(pcCharset, 9).

    FIX-CODEPAGE(plcBody) = "UTF-8":U.
    COPY-LOB FROM FILE FILE-INFO:FULL-PATHNAME TO plcBody CONVERT SOURCE CODEPAGE pcCharset.

END PROCEDURE.

/* The files: where they are, and how the reader sees them. */
PROCEDURE setAttachments:

    DEFINE VARIABLE cFile   AS CHARACTER NO-UNDO.
    DEFINE VARIABLE cHeader AS CHARACTER NO-UNDO.
    DEFINE VARIABLE cName   AS CHARACTER NO-UNDO.
    DEFINE VARIABLE cType   AS CHARACTER NO-UNDO.
    DEFINE VARIABLE iFile   AS INTEGER   NO-UNDO.

    DO iFile = 1 TO NUM-ENTRIES(pcLocalFiles):

        ASSIGN
            cFile   = TRIM(ENTRY(iFile, pcLocalFiles))
            cHeader = IF iFile <= NUM-ENTRIES(pcAttachments) THEN TRIM(ENTRY(iFile, pcAttachments)) ELSE "":U
            cName   = ENTRY(1, cHeader, ":":U)
            cType   = mimePart(cHeader, "type":U).

        FILE-INFO:FILE-NAME = cFile.
        IF FILE-INFO:FILE-TYPE = ? OR INDEX(FILE-INFO:FILE-TYPE, "F":U) = 0 THEN DO:
            pcMessage = cFile + " Not a valid file".
            RETURN.
        END.

        IF cType BEGINS "text/":U AND mimePart(cHeader, "charset":U) <> "":U THEN
            cType = cType + "; charset=":U + mimePart(cHeader, "charset":U).

        oMail:AttachFile(FILE-INFO:FULL-PATHNAME,
                         (IF cName = "":U THEN ? ELSE cName),
                         (IF cType = "":U THEN ? ELSE cType)).
    END.

END PROCEDURE.
