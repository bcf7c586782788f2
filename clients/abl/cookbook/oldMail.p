/*------------------------------------------------------------------------
    File        : cookbook/oldMail.p
    Purpose     : What a program looks like that was written for smtpmail.p,
                  and sends over TLS now without an edit.
  ----------------------------------------------------------------------*/

BLOCK-LEVEL ON ERROR UNDO, THROW.

DEFINE VARIABLE lSent    AS LOGICAL   NO-UNDO.
DEFINE VARIABLE cMessage AS CHARACTER NO-UNDO.

RUN smtpmail.p (INPUT "mail.example.org:587":U,
                INPUT "anna@example.org;bob@example.org":U,
                INPUT "orders@example.org;Our Orders":U,
                INPUT "carla@example.org,archive@example.org^B":U,
                INPUT "Invoice.pdf:type=application/pdf:filetype=BINARY":U,
                INPUT "invoice4711.pdf":U,
                INPUT "Your order 4711",
                INPUT "<p>The invoice is attached.</p>",
                INPUT "type=text/html:charset=us-ascii:filetype=ascii":U,
                INPUT "text":U,
                INPUT 2,
                INPUT TRUE,
                INPUT "base64":U,
                INPUT "orders":U,
                INPUT OS-GETENV("MAIL_PASSWORD":U),
                OUTPUT lSent,
                OUTPUT cMessage).

IF lSent THEN
    MESSAGE cMessage.
ELSE IF lSent = ? THEN
    MESSAGE "Perhaps it was sent:" cMessage.
ELSE
    MESSAGE "Not sent:" cMessage.
