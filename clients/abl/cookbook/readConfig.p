/*------------------------------------------------------------------------
    File        : cookbook/readConfig.p
    Purpose     : Reads settings from a file: INI, TOML, YAML, JSON or
                  properties.
  ----------------------------------------------------------------------*/

BLOCK-LEVEL ON ERROR UNDO, THROW.

DEFINE VARIABLE oClient   AS Standin.Client NO-UNDO.
DEFINE VARIABLE oCall     AS Standin.Call   NO-UNDO.
DEFINE VARIABLE oSettings AS Standin.Result NO-UNDO.
DEFINE VARIABLE iPrinter  AS INTEGER        NO-UNDO.

DO ON ERROR UNDO, THROW:

    oClient = NEW Standin.Client().

    oCall = oClient:NewCall("config.parse":U).
    oCall:SetText("format":U, "toml":U).
    oCall:SetFile("content":U, "program.toml":U).
    oCall:Execute().
    oSettings = oCall:GetResult().

    /* What is not there is the Unknown value. */
    MESSAGE "in:" oSettings:GetText("paths.in":U) SKIP
            "limit:" (IF oSettings:Has("limits.rows":U) THEN oSettings:GetInteger("limits.rows":U) ELSE 1000).

    /* Every entry of a map. */
    DO iPrinter = 0 TO oSettings:CountOf("printers":U) - 1:
        MESSAGE oSettings:KeyAt("printers":U, iPrinter)
                oSettings:GetText(SUBSTITUTE("printers.#&1":U, iPrinter)).
    END.

    CATCH oFailed AS Standin.CallFailedError:
        /* config.syntax: the message has the line and the column. */
        MESSAGE oFailed:GetMessage(1).
    END CATCH.
    FINALLY:
        IF VALID-OBJECT(oClient) THEN
            oClient:Close().
    END FINALLY.
END.
