/*------------------------------------------------------------------------
    File        : cookbook/severalAtOnce.p
    Purpose     : Several calls in flight, and many in one round trip.
  ----------------------------------------------------------------------*/

BLOCK-LEVEL ON ERROR UNDO, THROW.

DEFINE VARIABLE oClient AS Standin.Client NO-UNDO.
DEFINE VARIABLE oCall   AS Standin.Call   NO-UNDO.
DEFINE VARIABLE oBatch  AS Standin.Batch  NO-UNDO.
DEFINE VARIABLE cHosts  AS CHARACTER      NO-UNDO INITIAL "one.example.org,two.example.org,three.example.org".
DEFINE VARIABLE iHost   AS INTEGER        NO-UNDO.
DEFINE VARIABLE iCall   AS INTEGER        NO-UNDO.

oClient = NEW Standin.Client().

/* Three web servers at the same time. The client keeps each call until it has ended. */
DO iHost = 1 TO NUM-ENTRIES(cHosts):
    oCall = oClient:NewCall("http.request":U).
    oCall:SetText("url":U, "https://":U + ENTRY(iHost, cHosts)).
    oCall:Start().
END.

DO iHost = 1 TO NUM-ENTRIES(cHosts):
    oCall = oClient:NextEnded(60000).
    RUN tellStatus (INPUT oCall).
END.

/* A hundred small calls in one round trip. */
oBatch = oClient:NewBatch().
DO iCall = 1 TO 100:
    oCall = oClient:NewCall("text.replace":U).
    oCall:SetText("text":U, SUBSTITUTE("row &1":U, iCall)).
    oCall:SetText("pattern":U, "row":U).
    oCall:SetText("with":U, "line":U).
    oBatch:AddCall(oCall).
END.
oBatch:Execute().

DO iCall = 1 TO oBatch:Size:
    MESSAGE oBatch:GetCall(iCall):GetResult():GetText("":U).
END.

oClient:Close().

/* Each call has its own result or error. */
PROCEDURE tellStatus:
    DEFINE INPUT PARAMETER poCall AS Standin.Call NO-UNDO.

    IF VALID-OBJECT(poCall) THEN
        MESSAGE poCall:GetResult():GetText("url":U) poCall:GetResult():GetInteger("status":U).

    CATCH oError AS Standin.CallFailedError:
        MESSAGE oError:GetMessage(1).
    END CATCH.
END PROCEDURE.
