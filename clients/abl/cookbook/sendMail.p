/*------------------------------------------------------------------------
    File        : cookbook/sendMail.p
    Purpose     : Sends a mail with an attachment, over TLS. The server and the
                  login stand in the configuration of the service.
  ----------------------------------------------------------------------*/

BLOCK-LEVEL ON ERROR UNDO, THROW.

DEFINE VARIABLE oClient AS Standin.Client NO-UNDO.
DEFINE VARIABLE oMail   AS Standin.Mail   NO-UNDO.
DEFINE VARIABLE oResult AS Standin.Result NO-UNDO.
DEFINE VARIABLE iRow    AS INTEGER        NO-UNDO.

DO ON ERROR UNDO, THROW:

    ASSIGN
        oClient = NEW Standin.Client()
        oMail   = oClient:NewMail().

    oMail:SetSender("Orders <orders@example.org>":U).
    oMail:AddTo("anna@example.org, bob@example.org":U).
    oMail:AddBcc("archive@example.org":U).
    oMail:SetSubject("Your order 4711").
    oMail:SetBody("Dear customer, the invoice is attached.").
    oMail:AttachFile("invoice4711.pdf":U).

    /* Under one key it is sent once, even if this program runs again. */
    oMail:WithKey("invoice-4711":U).
    oMail:Send().

    /* The server took it, but perhaps not for everybody. */
    oResult = oMail:GetResult().
    DO iRow = 0 TO oResult:CountOf("rejected":U) - 1:
        MESSAGE oResult:GetText(SUBSTITUTE("rejected[&1].address":U, iRow))
                oResult:GetText(SUBSTITUTE("rejected[&1].message":U, iRow)).
    END.

    CATCH oFailed AS Standin.StandinError:
        IF oFailed:IsSafeToRepeat() THEN
            MESSAGE "It was not sent:" oFailed:GetMessage(1).
        ELSE
            MESSAGE "Perhaps it was sent:" oFailed:GetMessage(1).
    END CATCH.
    FINALLY:
        IF VALID-OBJECT(oClient) THEN
            oClient:Close().
    END FINALLY.
END.
