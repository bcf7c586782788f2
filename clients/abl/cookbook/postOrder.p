/*------------------------------------------------------------------------
    File        : cookbook/postOrder.p
    Purpose     : Posts records as JSON, once, and tells what may be repeated.
  ----------------------------------------------------------------------*/

BLOCK-LEVEL ON ERROR UNDO, THROW.

DEFINE TEMP-TABLE ttLine NO-UNDO
    FIELD iLine    AS INTEGER   SERIALIZE-NAME "line"
    FIELD cArticle AS CHARACTER SERIALIZE-NAME "article"
    FIELD iPieces  AS INTEGER   SERIALIZE-NAME "pieces"
    INDEX ixLine IS PRIMARY UNIQUE iLine.

DEFINE VARIABLE oClient   AS Standin.Client       NO-UNDO.
DEFINE VARIABLE oRequest  AS Standin.HttpRequest  NO-UNDO.
DEFINE VARIABLE oResponse AS Standin.HttpResponse NO-UNDO.
DEFINE VARIABLE oBody     AS Standin.Writer       NO-UNDO.

CREATE ttLine.
ASSIGN
    ttLine.iLine    = 1
    ttLine.cArticle = "4711":U
    ttLine.iPieces  = 3.

DO ON ERROR UNDO, THROW:

    ASSIGN
        oClient  = NEW Standin.Client()
        oRequest = oClient:NewRequest("POST":U, "https://supplier.example.org/orders":U)
        oBody    = oRequest:GetArguments().

    /* Paths below "json" are the body. */
    oBody:SetText("json.number":U, "2026-0815":U).
    oBody:SetDate("json.date":U, TODAY).
    oBody:SetAmount("json.total":U, 119.90).
    oBody:SetTable("json.lines":U, TEMP-TABLE ttLine:HANDLE).

    /* The service asks the supplier once under this key, whatever happens in between. */
    oRequest:WithKey("order-2026-0815":U).
    oRequest:Send().

    oResponse = oRequest:GetResponse().
    MESSAGE oResponse:StatusCode oResponse:GetHeader("Location":U).

    /* All of them, since an answer that cannot be read is an error of its own class, and the order is placed. */
    CATCH oFailed AS Standin.StandinError:
        IF oFailed:IsSafeToRepeat() THEN
            MESSAGE "Not ordered, try again later:" oFailed:GetMessage(1).
        ELSE
            MESSAGE "Ask the supplier whether the order came:" oFailed:GetMessage(1).
    END CATCH.
    FINALLY:
        IF VALID-OBJECT(oClient) THEN
            oClient:Close().
    END FINALLY.
END.
