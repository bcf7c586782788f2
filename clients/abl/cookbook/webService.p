/*------------------------------------------------------------------------
    File        : cookbook/webService.p
    Purpose     : Asks a web service and puts what it lists into a temp-table.
  ----------------------------------------------------------------------*/

BLOCK-LEVEL ON ERROR UNDO, THROW.

DEFINE TEMP-TABLE ttRate NO-UNDO
    FIELD cCurrency AS CHARACTER SERIALIZE-NAME "currency"
    FIELD deRate    AS DECIMAL   SERIALIZE-NAME "rate" DECIMALS 6
    FIELD daDay     AS DATE      SERIALIZE-NAME "day"
    INDEX ixCurrency IS PRIMARY UNIQUE cCurrency.

DEFINE VARIABLE oClient   AS Standin.Client       NO-UNDO.
DEFINE VARIABLE oRequest  AS Standin.HttpRequest  NO-UNDO.
DEFINE VARIABLE oResponse AS Standin.HttpResponse NO-UNDO.
DEFINE VARIABLE oParse    AS Standin.Call         NO-UNDO.

ASSIGN
    oClient  = NEW Standin.Client()
    oRequest = oClient:NewRequest("GET":U, "https://rates.example.org/v1/latest":U).

oRequest:SetQuery("base":U, "EUR":U).
oRequest:WithBearer(OS-GETENV("RATES_TOKEN":U)).
oRequest:WithTimeout(10000).
oRequest:Send().

/* 404 and 500 are answers: only a server that cannot be asked is an error. */
oResponse = oRequest:GetResponse().
IF NOT oResponse:IsOk THEN
    UNDO, THROW NEW Progress.Lang.AppError(
        SUBSTITUTE("The rates cannot be had: &1 &2", oResponse:StatusCode, oResponse:GetText("reason":U)), 1).

/* {"rates": [{"currency": "USD", "rate": 1.0812, "day": "2026-11-26"}, ...]} */
oParse = oClient:NewCall("text.json_parse":U).
oParse:SetLongText("text":U, oResponse:GetBody()).
oParse:SetLogical("numbers_as_text":U, TRUE).
oParse:Execute().
oParse:GetResult():FillTable("rates":U, TEMP-TABLE ttRate:HANDLE).

FOR EACH ttRate:
    DISPLAY ttRate.
END.

oClient:Close().
