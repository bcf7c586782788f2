/*------------------------------------------------------------------------
    File        : cookbook/patterns.p
    Purpose     : Regular expressions and templates, which MATCHES and SUBSTITUTE
                  are not.
  ----------------------------------------------------------------------*/

BLOCK-LEVEL ON ERROR UNDO, THROW.

DEFINE VARIABLE oClient AS Standin.Client NO-UNDO.
DEFINE VARIABLE oCall   AS Standin.Call   NO-UNDO.
DEFINE VARIABLE oResult AS Standin.Result NO-UNDO.
DEFINE VARIABLE cIban   AS CHARACTER      NO-UNDO.
DEFINE VARIABLE lValid  AS LOGICAL        NO-UNDO.
DEFINE VARIABLE iFound  AS INTEGER        NO-UNDO.

ASSIGN
    oClient = NEW Standin.Client()
    cIban   = "DE89 3704 0044 0532 0130 00":U.

/* Does it look like one? A brace is written with a tilde, since a bare one includes a file, even within a text; so is a
   backslash, which UNIX takes for an escape. */
oCall = oClient:NewCall("text.match":U).
oCall:SetText("text":U, REPLACE(cIban, " ":U, "":U)).
oCall:SetText("pattern":U, "^[A-Z]~{2}[0-9]~{2}[A-Z0-9]~{11,30}$":U).
oCall:Execute().
lValid = oCall:GetResult():GetLogical("":U).

/* Every amount in a text, with its place. */
oCall = oClient:NewCall("text.find":U).
oCall:SetText("text":U, "Total 119.90 EUR, of which 19.14 EUR tax":U).
oCall:SetText("pattern":U, "(?<amount>[0-9]+[.][0-9]~{2}) EUR":U).
oCall:Execute().

oResult = oCall:GetResult().
DO iFound = 0 TO oResult:CountOf("":U) - 1:
    MESSAGE oResult:GetDecimal(SUBSTITUTE("[&1].named.amount":U, iFound))
            "at" oResult:GetInteger(SUBSTITUTE("[&1].start":U, iFound)) + 1.
END.

/* A letter from a template. */
oCall = oClient:NewCall("text.template":U).
oCall:SetText("template":U, "Dear ~{~{ name }},~{% for i in items %} ~{~{ i }};~{% endfor %}":U).
oCall:SetText("values.name":U, "Ms Miller").
oCall:AddText("values.items":U, "Bolt").
oCall:AddText("values.items":U, "Nut").
oCall:Execute().

MESSAGE lValid oCall:GetResult():GetText("":U).

oClient:Close().
