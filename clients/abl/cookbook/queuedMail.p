/*------------------------------------------------------------------------
    File        : cookbook/queuedMail.p
    Purpose     : Hands a mail over and goes on. It is on the disk when Send()
                  returns, and goes out when the mail server takes it.
  ----------------------------------------------------------------------*/

BLOCK-LEVEL ON ERROR UNDO, THROW.

DEFINE VARIABLE oClient AS Standin.Client NO-UNDO.
DEFINE VARIABLE oMail   AS Standin.Mail   NO-UNDO.
DEFINE VARIABLE oJob    AS Standin.Job    NO-UNDO.
DEFINE VARIABLE cJob    AS CHARACTER      NO-UNDO.

ASSIGN
    oClient = NEW Standin.Client()
    oMail   = oClient:NewQueuedMail().

oMail:SetSender("orders@example.org":U):AddTo("anna@example.org":U):SetSubject("Reminder").
oMail:SetBody("The invoice 4711 is still open.").
oMail:WithKey("reminder-4711":U).
oMail:Send().

/* Keep the name with the invoice: another program may ask with it tomorrow. */
oJob = oMail:GetJob().
cJob = oJob:JobName.

/* Tomorrow. */
oJob = oClient:FindJob(cJob).
CASE oJob:GetState():
    WHEN "done":U THEN
        MESSAGE "Sent.".
    WHEN "dead":U THEN
        MESSAGE "Refused:" oJob:GetStatus():GetText("error.message":U).
    WHEN "unknown":U THEN
        MESSAGE "The machine stopped at the moment of sending. Look into the mail server's log, then SendAgain() or leave it.".
    OTHERWISE
        MESSAGE "Still waiting, after" oJob:GetStatus():GetInteger("attempts":U) "attempts.".
END CASE.

oClient:Close().
