/*------------------------------------------------------------------------
    File        : cookbook/procedural.p
    Purpose     : The same without classes.
  ----------------------------------------------------------------------*/

{Standin/standin.i}

DEFINE TEMP-TABLE ttPart NO-UNDO
    FIELD cText  AS CHARACTER SERIALIZE-NAME "text"
    FIELD iStart AS INTEGER   SERIALIZE-NAME "start".

DEFINE VARIABLE iClient  AS INT64     NO-UNDO.
DEFINE VARIABLE iCall    AS INT64     NO-UNDO.
DEFINE VARIABLE iCode    AS INTEGER   NO-UNDO.
DEFINE VARIABLE cCode    AS CHARACTER NO-UNDO.
DEFINE VARIABLE cOutcome AS CHARACTER NO-UNDO.
DEFINE VARIABLE cMessage AS CHARACTER NO-UNDO.

RUN standinOpen IN ghStandin (INPUT "":U, INPUT 10000, OUTPUT iClient, OUTPUT iCode).
IF iCode = {&STANDIN_NOT_RUNNING} THEN DO:
    MESSAGE "The service does not run.".
    RETURN.
END.

/* Three lines for a mail. */
RUN standinSendMail IN ghStandin
    (INPUT iClient, INPUT "orders@example.org":U, INPUT "anna@example.org":U, INPUT "Your order",
     INPUT "It is on its way.", INPUT "":U, OUTPUT iCode).
IF iCode <> {&STANDIN_OK} THEN DO:
    RUN standinLastError IN ghStandin (OUTPUT iCode, OUTPUT cCode, OUTPUT cOutcome, OUTPUT cMessage).
    MESSAGE cMessage SKIP cCode cOutcome.
END.

/* Any method, by its name. */
RUN standinNewCall IN ghStandin (INPUT iClient, INPUT "text.find":U, OUTPUT iCall, OUTPUT iCode).
RUN standinSetText IN ghStandin (INPUT iCall, INPUT "text":U, INPUT "one two three":U, OUTPUT iCode).
RUN standinSetText IN ghStandin (INPUT iCall, INPUT "pattern":U, INPUT "[a-z]+":U, OUTPUT iCode).
RUN standinExecute IN ghStandin (INPUT iCall, OUTPUT iCode).
IF iCode = {&STANDIN_OK} THEN
    RUN standinFillTable IN ghStandin (INPUT iCall, INPUT "":U, INPUT TEMP-TABLE ttPart:HANDLE, OUTPUT iCode).

FOR EACH ttPart:
    DISPLAY ttPart.
END.

RUN standinClose IN ghStandin (INPUT iClient, OUTPUT iCode).
