/*------------------------------------------------------------------------
    File        : Standin/standin.p
    Purpose     : The face of Standin for programs without classes. Run
                  persistent by Standin/standin.i.
    Notes       : Every procedure says in piCode how it went: 0, or the
                  number of the error (standin.i names those below 0), and
                  nothing is thrown. standinLastError tells the rest. What is
                  nil or not there is the Unknown value, both ways. Clients,
                  calls and questions are INT64 numbers.
  ----------------------------------------------------------------------*/

BLOCK-LEVEL ON ERROR UNDO, THROW.

/* The objects behind the numbers that were given out. */
DEFINE TEMP-TABLE ttItem NO-UNDO
    FIELD iItem   AS INT64
    FIELD iClient AS INT64
    FIELD oItem   AS Progress.Lang.Object
    INDEX ixItem IS PRIMARY UNIQUE iItem.

/* Whose internal procedure answers which question. */
DEFINE TEMP-TABLE ttAnswer NO-UNDO
    FIELD cMethod    AS CHARACTER CASE-SENSITIVE
    FIELD hProcedure AS HANDLE
    FIELD cInternal  AS CHARACTER
    INDEX ixMethod IS PRIMARY UNIQUE cMethod.

DEFINE VARIABLE giNumber  AS INTEGER   NO-UNDO.
DEFINE VARIABLE gcCode    AS CHARACTER NO-UNDO.
DEFINE VARIABLE gcOutcome AS CHARACTER NO-UNDO.
DEFINE VARIABLE gcMessage AS CHARACTER NO-UNDO.

/* ------------------------------------------------------------------ helpers */

FUNCTION findItem RETURNS Progress.Lang.Object (INPUT piItem AS INT64):

    FIND ttItem WHERE ttItem.iItem = piItem NO-ERROR.
    IF NOT AVAILABLE ttItem THEN
        UNDO, THROW NEW Standin.WrongUseError (
            SUBSTITUTE("&1 is no open client or call.", piItem), -1, "bad_handle":U, "unknown":U, ?, ?).

    RETURN ttItem.oItem.

END FUNCTION.

FUNCTION findCall RETURNS Standin.Call (INPUT piCall AS INT64):

    RETURN CAST(findItem(piCall), Standin.Call).

END FUNCTION.

FUNCTION findClient RETURNS Standin.Client (INPUT piClient AS INT64):

    RETURN CAST(findItem(piClient), Standin.Client).

END FUNCTION.

FUNCTION failed RETURNS INTEGER (INPUT poError AS Progress.Lang.Error):

    DEFINE VARIABLE oOwn AS Standin.StandinError NO-UNDO.

    IF TYPE-OF(poError, Standin.StandinError) THEN DO:
        oOwn = CAST(poError, Standin.StandinError).
        ASSIGN
            giNumber  = oOwn:ErrorNumber
            gcCode    = oOwn:ErrorCode
            gcOutcome = oOwn:Outcome.
    END.
    ELSE
        ASSIGN
            giNumber  = -99
            gcCode    = "abl":U
            gcOutcome = "unknown":U.

    gcMessage = poError:GetMessage(1).

    /* A cast that fails, say, has no number of its own, and 0 would look like success. */
    RETURN IF giNumber = 0 OR giNumber = ? THEN -99 ELSE giNumber.

END FUNCTION.

/* Everything about the error that the last piCode below or above 0 stood for. */
PROCEDURE standinLastError:
    DEFINE OUTPUT PARAMETER piNumber  AS INTEGER   NO-UNDO.
    DEFINE OUTPUT PARAMETER pcCode    AS CHARACTER NO-UNDO.
    DEFINE OUTPUT PARAMETER pcOutcome AS CHARACTER NO-UNDO.
    DEFINE OUTPUT PARAMETER pcMessage AS CHARACTER NO-UNDO.

    ASSIGN
        piNumber  = giNumber
        pcCode    = gcCode
        pcOutcome = gcOutcome
        pcMessage = gcMessage.
END PROCEDURE.

/* ------------------------------------------------------------------ clients and calls */

/* A session with the service. "" is its usual place; the time is how long it is waited for, in milliseconds. */
PROCEDURE standinOpen:
    DEFINE INPUT  PARAMETER pcEndpoint AS CHARACTER NO-UNDO.
    DEFINE INPUT  PARAMETER piLimit    AS INT64     NO-UNDO.
    DEFINE OUTPUT PARAMETER piClient   AS INT64     NO-UNDO.
    DEFINE OUTPUT PARAMETER piCode     AS INTEGER   NO-UNDO.

    DEFINE VARIABLE oClient AS Standin.Client NO-UNDO.

    oClient = NEW Standin.Client(pcEndpoint, piLimit).
    piClient = oClient:HandleNumber.

    CREATE ttItem.
    ASSIGN
        ttItem.iItem   = piClient
        ttItem.iClient = piClient
        ttItem.oItem   = oClient.

    CATCH oError AS Progress.Lang.Error:
        piCode = failed(oError).
    END CATCH.
END PROCEDURE.

/* Closes a call, or a client with all its calls. */
PROCEDURE standinClose:
    DEFINE INPUT  PARAMETER piItem AS INT64   NO-UNDO.
    DEFINE OUTPUT PARAMETER piCode AS INTEGER NO-UNDO.

    findItem(piItem).
    FOR EACH ttItem WHERE ttItem.iItem = piItem OR ttItem.iClient = piItem:
        CAST(ttItem.oItem, Standin.Item):Close().
        DELETE ttItem.
    END.

    CATCH oError AS Progress.Lang.Error:
        piCode = failed(oError).
    END CATCH.
END PROCEDURE.

/* A call whose arguments are still to be set. */
PROCEDURE standinNewCall:
    DEFINE INPUT  PARAMETER piClient     AS INT64     NO-UNDO.
    DEFINE INPUT  PARAMETER pcMethodName AS CHARACTER NO-UNDO.
    DEFINE OUTPUT PARAMETER piCall       AS INT64     NO-UNDO.
    DEFINE OUTPUT PARAMETER piCode       AS INTEGER   NO-UNDO.

    DEFINE VARIABLE oClient AS Standin.Client NO-UNDO.
    DEFINE VARIABLE oCall   AS Standin.Call   NO-UNDO.

    oClient = findClient(piClient).
    oCall = oClient:NewCall(pcMethodName).
    piCall = oCall:HandleNumber.

    CREATE ttItem.
    ASSIGN
        ttItem.iItem   = piCall
        ttItem.iClient = piClient
        ttItem.oItem   = oCall.

    CATCH oError AS Progress.Lang.Error:
        piCode = failed(oError).
    END CATCH.
END PROCEDURE.

/* The time for the whole call, in milliseconds. */
PROCEDURE standinSetTimeout:
    DEFINE INPUT  PARAMETER piCall         AS INT64   NO-UNDO.
    DEFINE INPUT  PARAMETER piMilliseconds AS INT64   NO-UNDO.
    DEFINE OUTPUT PARAMETER piCode         AS INTEGER NO-UNDO.

    DEFINE VARIABLE oCall AS Standin.Call NO-UNDO.

    oCall = findCall(piCall).
    oCall:WithTimeout(piMilliseconds).

    CATCH oError AS Progress.Lang.Error:
        piCode = failed(oError).
    END CATCH.
END PROCEDURE.

/* A name for what is to be done: under one key it is done once. */
PROCEDURE standinSetKey:
    DEFINE INPUT  PARAMETER piCall AS INT64     NO-UNDO.
    DEFINE INPUT  PARAMETER pcKey  AS CHARACTER NO-UNDO.
    DEFINE OUTPUT PARAMETER piCode AS INTEGER   NO-UNDO.

    DEFINE VARIABLE oCall AS Standin.Call NO-UNDO.

    oCall = findCall(piCall).
    oCall:WithKey(pcKey).

    CATCH oError AS Progress.Lang.Error:
        piCode = failed(oError).
    END CATCH.
END PROCEDURE.

/* Sends it and waits for its end. */
PROCEDURE standinExecute:
    DEFINE INPUT  PARAMETER piCall AS INT64   NO-UNDO.
    DEFINE OUTPUT PARAMETER piCode AS INTEGER NO-UNDO.

    DEFINE VARIABLE oCall AS Standin.Call NO-UNDO.

    oCall = findCall(piCall).
    oCall:Execute().

    CATCH oError AS Progress.Lang.Error:
        piCode = failed(oError).
    END CATCH.
END PROCEDURE.

/* Sends it and does not wait. */
PROCEDURE standinStart:
    DEFINE INPUT  PARAMETER piCall AS INT64   NO-UNDO.
    DEFINE OUTPUT PARAMETER piCode AS INTEGER NO-UNDO.

    DEFINE VARIABLE oCall AS Standin.Call NO-UNDO.

    oCall = findCall(piCall).
    oCall:Start().

    CATCH oError AS Progress.Lang.Error:
        piCode = failed(oError).
    END CATCH.
END PROCEDURE.

/* Whether it has ended. */
PROCEDURE standinHasEnded:
    DEFINE INPUT  PARAMETER piCall  AS INT64   NO-UNDO.
    DEFINE OUTPUT PARAMETER plEnded AS LOGICAL NO-UNDO.
    DEFINE OUTPUT PARAMETER piCode  AS INTEGER NO-UNDO.

    DEFINE VARIABLE oCall AS Standin.Call NO-UNDO.

    oCall = findCall(piCall).
    plEnded = oCall:HasEnded().

    CATCH oError AS Progress.Lang.Error:
        piCode = failed(oError).
    END CATCH.
END PROCEDURE.

/* Takes it back; it still ends. */
PROCEDURE standinCancel:
    DEFINE INPUT  PARAMETER piCall AS INT64   NO-UNDO.
    DEFINE OUTPUT PARAMETER piCode AS INTEGER NO-UNDO.

    DEFINE VARIABLE oCall AS Standin.Call NO-UNDO.

    oCall = findCall(piCall).
    oCall:Cancel().

    CATCH oError AS Progress.Lang.Error:
        piCode = failed(oError).
    END CATCH.
END PROCEDURE.

{Standin/standinValues.i}

/* ------------------------------------------------------------------ mail, jobs, questions */

/* A mail by the server of the service's configuration. The files are a list with commas, or "". */
PROCEDURE standinSendMail:
    DEFINE INPUT  PARAMETER piClient  AS INT64     NO-UNDO.
    DEFINE INPUT  PARAMETER pcFrom    AS CHARACTER NO-UNDO.
    DEFINE INPUT  PARAMETER pcTo      AS CHARACTER NO-UNDO.
    DEFINE INPUT  PARAMETER pcSubject AS CHARACTER NO-UNDO.
    DEFINE INPUT  PARAMETER plcBody   AS LONGCHAR  NO-UNDO.
    DEFINE INPUT  PARAMETER pcFiles   AS CHARACTER NO-UNDO.
    DEFINE OUTPUT PARAMETER piCode    AS INTEGER   NO-UNDO.

    DEFINE VARIABLE oClient AS Standin.Client NO-UNDO.
    DEFINE VARIABLE oMail   AS Standin.Mail   NO-UNDO.
    DEFINE VARIABLE iFile   AS INTEGER        NO-UNDO.

    oClient = findClient(piClient).
    oMail = oClient:NewMail().
    oMail:SetSender(pcFrom):AddTo(pcTo):SetSubject(pcSubject):SetBody(plcBody).

    DO iFile = 1 TO NUM-ENTRIES(pcFiles):
        oMail:AttachFile(ENTRY(iFile, pcFiles)).
    END.

    oMail:Send().

    CATCH oError AS Progress.Lang.Error:
        piCode = failed(oError).
    END CATCH.
END PROCEDURE.

/* Hands a call over as a job. The arguments are JSON, a map; the key may be ?. */
PROCEDURE standinSubmit:
    DEFINE INPUT  PARAMETER piClient     AS INT64     NO-UNDO.
    DEFINE INPUT  PARAMETER pcMethodName AS CHARACTER NO-UNDO.
    DEFINE INPUT  PARAMETER plcJson      AS LONGCHAR  NO-UNDO.
    DEFINE INPUT  PARAMETER pcKey        AS CHARACTER NO-UNDO.
    DEFINE OUTPUT PARAMETER pcJob        AS CHARACTER NO-UNDO.
    DEFINE OUTPUT PARAMETER piCode       AS INTEGER   NO-UNDO.

    DEFINE VARIABLE oClient AS Standin.Client NO-UNDO.
    DEFINE VARIABLE oJob    AS Standin.Job    NO-UNDO.

    oClient = findClient(piClient).
    oJob = oClient:NewJob(pcMethodName).
    oJob:SetJson("":U, plcJson).
    IF pcKey <> ? THEN
        oJob:WithKey(pcKey).
    oJob:Submit().
    pcJob = oJob:JobName.

    CATCH oError AS Progress.Lang.Error:
        piCode = failed(oError).
    END CATCH.
END PROCEDURE.

/* How a job stands: queued, running, done, dead, unknown, cancelled. */
PROCEDURE standinJobState:
    DEFINE INPUT  PARAMETER piClient AS INT64     NO-UNDO.
    DEFINE INPUT  PARAMETER pcJob    AS CHARACTER NO-UNDO.
    DEFINE OUTPUT PARAMETER pcState  AS CHARACTER NO-UNDO.
    DEFINE OUTPUT PARAMETER piCode   AS INTEGER   NO-UNDO.

    DEFINE VARIABLE oClient AS Standin.Client NO-UNDO.

    oClient = findClient(piClient).
    pcState = oClient:FindJob(pcJob):GetState().

    CATCH oError AS Progress.Lang.Error:
        piCode = failed(oError).
    END CATCH.
END PROCEDURE.

/* An internal procedure answers what workers ask: INPUT piQuestion AS INT64. It reads and sets by that number. */
PROCEDURE standinAnswerWith:
    DEFINE INPUT  PARAMETER piClient     AS INT64     NO-UNDO.
    DEFINE INPUT  PARAMETER pcMethodName AS CHARACTER NO-UNDO.
    DEFINE INPUT  PARAMETER phProcedure  AS HANDLE    NO-UNDO.
    DEFINE INPUT  PARAMETER pcInternal   AS CHARACTER NO-UNDO.
    DEFINE OUTPUT PARAMETER piCode       AS INTEGER   NO-UNDO.

    DEFINE VARIABLE oClient AS Standin.Client NO-UNDO.

    oClient = findClient(piClient).
    oClient:Callbacks:RegisterProcedure(pcMethodName, THIS-PROCEDURE, "serveQuestion":U).

    FIND ttAnswer WHERE ttAnswer.cMethod = pcMethodName NO-ERROR.
    IF NOT AVAILABLE ttAnswer THEN
        CREATE ttAnswer.
    ASSIGN
        ttAnswer.cMethod    = pcMethodName
        ttAnswer.hProcedure = phProcedure
        ttAnswer.cInternal  = pcInternal.

    CATCH oError AS Progress.Lang.Error:
        piCode = failed(oError).
    END CATCH.
END PROCEDURE.

/* Hands a question on to whoever answers it. What is thrown there fails it. */
PROCEDURE serveQuestion:
    DEFINE INPUT PARAMETER poQuestion AS Standin.Question NO-UNDO.

    DEFINE VARIABLE hProcedure AS HANDLE    NO-UNDO.
    DEFINE VARIABLE cInternal  AS CHARACTER NO-UNDO.

    FIND ttAnswer WHERE ttAnswer.cMethod = poQuestion:MethodName NO-ERROR.
    IF NOT AVAILABLE ttAnswer THEN
        FIND ttAnswer WHERE ttAnswer.cMethod = "*":U.

    ASSIGN
        hProcedure = ttAnswer.hProcedure
        cInternal  = ttAnswer.cInternal.
    RUN VALUE(cInternal) IN hProcedure (INPUT poQuestion:HandleNumber).
END PROCEDURE.
