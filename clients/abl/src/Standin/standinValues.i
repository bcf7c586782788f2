/*------------------------------------------------------------------------
    File        : Standin/standinValues.i
    Purpose     : The part of Standin/standin.p that sets and reads values
                  by their paths. For standin.p alone.
  ----------------------------------------------------------------------*/

/* ------------------------------------------------------------------ arguments of a call, answer to a question */

/* A text of up to 32 K. */
PROCEDURE standinSetText:
    DEFINE INPUT  PARAMETER piItem AS INT64     NO-UNDO.
    DEFINE INPUT  PARAMETER pcPath AS CHARACTER NO-UNDO.
    DEFINE INPUT  PARAMETER pcText AS CHARACTER NO-UNDO.
    DEFINE OUTPUT PARAMETER piCode AS INTEGER   NO-UNDO.

    DEFINE VARIABLE oWriter AS Standin.Writer NO-UNDO.

    oWriter = NEW Standin.Writer(piItem).
    oWriter:SetText(pcPath, pcText).

    CATCH oError AS Progress.Lang.Error:
        piCode = failed(oError).
    END CATCH.
END PROCEDURE.

/* A text of any length. */
PROCEDURE standinSetLongText:
    DEFINE INPUT  PARAMETER piItem  AS INT64     NO-UNDO.
    DEFINE INPUT  PARAMETER pcPath  AS CHARACTER NO-UNDO.
    DEFINE INPUT  PARAMETER plcText AS LONGCHAR  NO-UNDO.
    DEFINE OUTPUT PARAMETER piCode  AS INTEGER   NO-UNDO.

    DEFINE VARIABLE oWriter AS Standin.Writer NO-UNDO.

    oWriter = NEW Standin.Writer(piItem).
    oWriter:SetLongText(pcPath, plcText).

    CATCH oError AS Progress.Lang.Error:
        piCode = failed(oError).
    END CATCH.
END PROCEDURE.

/* A whole number. */
PROCEDURE standinSetInteger:
    DEFINE INPUT  PARAMETER piItem  AS INT64     NO-UNDO.
    DEFINE INPUT  PARAMETER pcPath  AS CHARACTER NO-UNDO.
    DEFINE INPUT  PARAMETER piValue AS INT64     NO-UNDO.
    DEFINE OUTPUT PARAMETER piCode  AS INTEGER   NO-UNDO.

    DEFINE VARIABLE oWriter AS Standin.Writer NO-UNDO.

    oWriter = NEW Standin.Writer(piItem).
    oWriter:SetInteger(pcPath, piValue).

    CATCH oError AS Progress.Lang.Error:
        piCode = failed(oError).
    END CATCH.
END PROCEDURE.

/* A number. */
PROCEDURE standinSetDecimal:
    DEFINE INPUT  PARAMETER piItem  AS INT64     NO-UNDO.
    DEFINE INPUT  PARAMETER pcPath  AS CHARACTER NO-UNDO.
    DEFINE INPUT  PARAMETER pdValue AS DECIMAL   NO-UNDO.
    DEFINE OUTPUT PARAMETER piCode  AS INTEGER   NO-UNDO.

    DEFINE VARIABLE oWriter AS Standin.Writer NO-UNDO.

    oWriter = NEW Standin.Writer(piItem).
    oWriter:SetDecimal(pcPath, pdValue).

    CATCH oError AS Progress.Lang.Error:
        piCode = failed(oError).
    END CATCH.
END PROCEDURE.

/* True or false. */
PROCEDURE standinSetLogical:
    DEFINE INPUT  PARAMETER piItem  AS INT64     NO-UNDO.
    DEFINE INPUT  PARAMETER pcPath  AS CHARACTER NO-UNDO.
    DEFINE INPUT  PARAMETER plValue AS LOGICAL   NO-UNDO.
    DEFINE OUTPUT PARAMETER piCode  AS INTEGER   NO-UNDO.

    DEFINE VARIABLE oWriter AS Standin.Writer NO-UNDO.

    oWriter = NEW Standin.Writer(piItem).
    oWriter:SetLogical(pcPath, plValue).

    CATCH oError AS Progress.Lang.Error:
        piCode = failed(oError).
    END CATCH.
END PROCEDURE.

/* The bytes of a file. */
PROCEDURE standinSetFile:
    DEFINE INPUT  PARAMETER piItem AS INT64     NO-UNDO.
    DEFINE INPUT  PARAMETER pcPath AS CHARACTER NO-UNDO.
    DEFINE INPUT  PARAMETER pcFile AS CHARACTER NO-UNDO.
    DEFINE OUTPUT PARAMETER piCode AS INTEGER   NO-UNDO.

    DEFINE VARIABLE oWriter AS Standin.Writer NO-UNDO.

    oWriter = NEW Standin.Writer(piItem).
    oWriter:SetFile(pcPath, pcFile).

    CATCH oError AS Progress.Lang.Error:
        piCode = failed(oError).
    END CATCH.
END PROCEDURE.

/* Whatever JSON says. */
PROCEDURE standinSetJson:
    DEFINE INPUT  PARAMETER piItem  AS INT64     NO-UNDO.
    DEFINE INPUT  PARAMETER pcPath  AS CHARACTER NO-UNDO.
    DEFINE INPUT  PARAMETER plcJson AS LONGCHAR  NO-UNDO.
    DEFINE OUTPUT PARAMETER piCode  AS INTEGER   NO-UNDO.

    DEFINE VARIABLE oWriter AS Standin.Writer NO-UNDO.

    oWriter = NEW Standin.Writer(piItem).
    oWriter:SetJson(pcPath, plcJson).

    CATCH oError AS Progress.Lang.Error:
        piCode = failed(oError).
    END CATCH.
END PROCEDURE.

/* ------------------------------------------------------------------ result of a call, arguments of a question */

/* A text of up to 30 000 bytes. */
PROCEDURE standinGetText:
    DEFINE INPUT  PARAMETER piItem AS INT64     NO-UNDO.
    DEFINE INPUT  PARAMETER pcPath AS CHARACTER NO-UNDO.
    DEFINE OUTPUT PARAMETER pcText AS CHARACTER NO-UNDO.
    DEFINE OUTPUT PARAMETER piCode AS INTEGER   NO-UNDO.

    DEFINE VARIABLE oReader AS Standin.Reader NO-UNDO.

    oReader = NEW Standin.Reader(piItem).
    pcText = oReader:GetText(pcPath).

    CATCH oError AS Progress.Lang.Error:
        piCode = failed(oError).
    END CATCH.
END PROCEDURE.

/* A text of any length. */
PROCEDURE standinGetLongText:
    DEFINE INPUT  PARAMETER piItem  AS INT64     NO-UNDO.
    DEFINE INPUT  PARAMETER pcPath  AS CHARACTER NO-UNDO.
    DEFINE OUTPUT PARAMETER plcText AS LONGCHAR  NO-UNDO.
    DEFINE OUTPUT PARAMETER piCode  AS INTEGER   NO-UNDO.

    DEFINE VARIABLE oReader AS Standin.Reader NO-UNDO.

    oReader = NEW Standin.Reader(piItem).
    plcText = oReader:GetLongText(pcPath).

    CATCH oError AS Progress.Lang.Error:
        piCode = failed(oError).
    END CATCH.
END PROCEDURE.

/* A whole number. */
PROCEDURE standinGetInteger:
    DEFINE INPUT  PARAMETER piItem  AS INT64     NO-UNDO.
    DEFINE INPUT  PARAMETER pcPath  AS CHARACTER NO-UNDO.
    DEFINE OUTPUT PARAMETER piValue AS INT64     NO-UNDO.
    DEFINE OUTPUT PARAMETER piCode  AS INTEGER   NO-UNDO.

    DEFINE VARIABLE oReader AS Standin.Reader NO-UNDO.

    oReader = NEW Standin.Reader(piItem).
    piValue = oReader:GetInteger(pcPath).

    CATCH oError AS Progress.Lang.Error:
        piCode = failed(oError).
    END CATCH.
END PROCEDURE.

/* A number. */
PROCEDURE standinGetDecimal:
    DEFINE INPUT  PARAMETER piItem  AS INT64     NO-UNDO.
    DEFINE INPUT  PARAMETER pcPath  AS CHARACTER NO-UNDO.
    DEFINE OUTPUT PARAMETER pdValue AS DECIMAL   NO-UNDO.
    DEFINE OUTPUT PARAMETER piCode  AS INTEGER   NO-UNDO.

    DEFINE VARIABLE oReader AS Standin.Reader NO-UNDO.

    oReader = NEW Standin.Reader(piItem).
    pdValue = oReader:GetDecimal(pcPath).

    CATCH oError AS Progress.Lang.Error:
        piCode = failed(oError).
    END CATCH.
END PROCEDURE.

/* True or false. */
PROCEDURE standinGetLogical:
    DEFINE INPUT  PARAMETER piItem  AS INT64     NO-UNDO.
    DEFINE INPUT  PARAMETER pcPath  AS CHARACTER NO-UNDO.
    DEFINE OUTPUT PARAMETER plValue AS LOGICAL   NO-UNDO.
    DEFINE OUTPUT PARAMETER piCode  AS INTEGER   NO-UNDO.

    DEFINE VARIABLE oReader AS Standin.Reader NO-UNDO.

    oReader = NEW Standin.Reader(piItem).
    plValue = oReader:GetLogical(pcPath).

    CATCH oError AS Progress.Lang.Error:
        piCode = failed(oError).
    END CATCH.
END PROCEDURE.

/* How many items or entries there are. */
PROCEDURE standinCountOf:
    DEFINE INPUT  PARAMETER piItem  AS INT64     NO-UNDO.
    DEFINE INPUT  PARAMETER pcPath  AS CHARACTER NO-UNDO.
    DEFINE OUTPUT PARAMETER piCount AS INTEGER   NO-UNDO.
    DEFINE OUTPUT PARAMETER piCode  AS INTEGER   NO-UNDO.

    DEFINE VARIABLE oReader AS Standin.Reader NO-UNDO.

    oReader = NEW Standin.Reader(piItem).
    piCount = oReader:CountOf(pcPath).

    CATCH oError AS Progress.Lang.Error:
        piCode = failed(oError).
    END CATCH.
END PROCEDURE.

/* The value as JSON. */
PROCEDURE standinGetJson:
    DEFINE INPUT  PARAMETER piItem  AS INT64     NO-UNDO.
    DEFINE INPUT  PARAMETER pcPath  AS CHARACTER NO-UNDO.
    DEFINE OUTPUT PARAMETER plcJson AS LONGCHAR  NO-UNDO.
    DEFINE OUTPUT PARAMETER piCode  AS INTEGER   NO-UNDO.

    DEFINE VARIABLE oReader AS Standin.Reader NO-UNDO.

    oReader = NEW Standin.Reader(piItem).
    plcJson = oReader:GetJson(pcPath).

    CATCH oError AS Progress.Lang.Error:
        piCode = failed(oError).
    END CATCH.
END PROCEDURE.

/* Writes bytes or a text into a file. */
PROCEDURE standinSaveFile:
    DEFINE INPUT  PARAMETER piItem AS INT64     NO-UNDO.
    DEFINE INPUT  PARAMETER pcPath AS CHARACTER NO-UNDO.
    DEFINE INPUT  PARAMETER pcFile AS CHARACTER NO-UNDO.
    DEFINE OUTPUT PARAMETER piCode AS INTEGER   NO-UNDO.

    DEFINE VARIABLE oReader AS Standin.Reader NO-UNDO.

    oReader = NEW Standin.Reader(piItem).
    oReader:SaveFile(pcPath, pcFile).

    CATCH oError AS Progress.Lang.Error:
        piCode = failed(oError).
    END CATCH.
END PROCEDURE.

/* Makes a record of a temp-table for every item of a list. */
PROCEDURE standinFillTable:
    DEFINE INPUT  PARAMETER piItem  AS INT64     NO-UNDO.
    DEFINE INPUT  PARAMETER pcPath  AS CHARACTER NO-UNDO.
    DEFINE INPUT  PARAMETER phTable AS HANDLE    NO-UNDO.
    DEFINE OUTPUT PARAMETER piCode  AS INTEGER   NO-UNDO.

    DEFINE VARIABLE oReader AS Standin.Reader NO-UNDO.

    oReader = NEW Standin.Reader(piItem).
    oReader:FillTable(pcPath, phTable).

    CATCH oError AS Progress.Lang.Error:
        piCode = failed(oError).
    END CATCH.
END PROCEDURE.
