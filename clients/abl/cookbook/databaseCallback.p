/*------------------------------------------------------------------------
    File        : cookbook/databaseCallback.p
    Purpose     : A worker of the house's own prints a list and asks this
                  program for the records, which has the database.
  ----------------------------------------------------------------------*/

BLOCK-LEVEL ON ERROR UNDO, THROW.

/* Stands for a table of the database, so that this file compiles without one. */
DEFINE TEMP-TABLE ttCustomer NO-UNDO
    FIELD iNumber  AS INTEGER
    FIELD cName    AS CHARACTER
    FIELD deCredit AS DECIMAL
    INDEX ixNumber IS PRIMARY UNIQUE iNumber.

DEFINE VARIABLE oClient AS Standin.Client NO-UNDO.
DEFINE VARIABLE oCall   AS Standin.Call   NO-UNDO.

CREATE ttCustomer.
ASSIGN
    ttCustomer.iNumber  = 17
    ttCustomer.cName    = "Miller & Sons"
    ttCustomer.deCredit = 5000.

oClient = NEW Standin.Client().
oClient:Callbacks:RegisterProcedure("customer.find":U, THIS-PROCEDURE, "findCustomer":U).

/* While this is waited for, findCustomer runs as often as the worker asks. */
oCall = oClient:NewCall("reports.dunning":U).
oCall:SetInteger("customer":U, 17).
oCall:WithTimeout(120000).
oCall:Execute().
oCall:GetResult():SaveFile("pdf":U, "dunning.pdf":U).

oClient:Close().

/* Runs inside of Execute(): keep transactions short, and lock nothing that the caller holds. */
PROCEDURE findCustomer:
    DEFINE INPUT PARAMETER poQuestion AS Standin.Question NO-UNDO.

    DEFINE VARIABLE iNumber AS INTEGER NO-UNDO.

    iNumber = INTEGER(poQuestion:Arguments:GetInteger("number":U)).

    FIND ttCustomer WHERE ttCustomer.iNumber = iNumber NO-ERROR.
    IF NOT AVAILABLE ttCustomer THEN DO:
        poQuestion:Fail("customer.missing":U, SUBSTITUTE("There is no customer &1.", iNumber)).
        RETURN.
    END.

    poQuestion:Answer:SetText("name":U, ttCustomer.cName).
    poQuestion:Answer:SetAmount("credit":U, ttCustomer.deCredit).
END PROCEDURE.
