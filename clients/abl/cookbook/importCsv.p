/*------------------------------------------------------------------------
    File        : cookbook/importCsv.p
    Purpose     : Reads a CSV file, whatever its code page is, into a temp-table.
  ----------------------------------------------------------------------*/

BLOCK-LEVEL ON ERROR UNDO, THROW.

DEFINE TEMP-TABLE ttArticle NO-UNDO
    FIELD cNumber AS CHARACTER SERIALIZE-NAME "Number"
    FIELD cName   AS CHARACTER SERIALIZE-NAME "Name"
    FIELD dePrice AS DECIMAL   SERIALIZE-NAME "Price"
    INDEX ixNumber IS PRIMARY cNumber.

DEFINE VARIABLE oClient AS Standin.Client NO-UNDO.
DEFINE VARIABLE oCall   AS Standin.Call   NO-UNDO.
DEFINE VARIABLE lcText  AS LONGCHAR       NO-UNDO.

oClient = NEW Standin.Client().

/* From bytes to text. The file is read here, with the rights of this program. */
oCall = oClient:NewCall("text.decode":U).
oCall:SetFile("bytes":U, "articles.csv":U).
oCall:SetText("codepage":U, "ibm850":U).
oCall:Execute().
lcText = oCall:GetResult():GetLongText("":U).

/* From text to records; the first row names the fields. */
oCall = oClient:NewCall("text.csv_parse":U).
oCall:SetLongText("text":U, lcText).
oCall:SetText("delimiter":U, ";":U).
oCall:Execute().
oCall:GetResult():FillTable("":U, TEMP-TABLE ttArticle:HANDLE).

FOR EACH ttArticle:
    DISPLAY ttArticle.
END.

oClient:Close().
