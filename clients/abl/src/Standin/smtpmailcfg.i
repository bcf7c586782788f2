/*------------------------------------------------------------------------
    File        : Standin/smtpmailcfg.i
    Purpose     : What a site may settle for all programs that still call
                  smtpmail.p. Change it here, and compile smtpmail.p again.
  ----------------------------------------------------------------------*/

/* The server where a program names none: "host" or "host:port". "": the one of the service's configuration. */
&GLOBAL-DEFINE STANDIN_MAIL_HUB ""

/* "": implicit on port 465, else STARTTLS if the server offers it. "starttls_required" is what one should come to.
   "none" is for a server inside the house that knows no TLS and wants a password all the same. */
&GLOBAL-DEFINE STANDIN_MAIL_TLS ""

/* "yes": the mail is safe on the disk when the program goes on, and sent when the server takes it (docs/JOBS.md). */
&GLOBAL-DEFINE STANDIN_MAIL_QUEUED "no"
