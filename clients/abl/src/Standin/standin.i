/*------------------------------------------------------------------------
    File        : Standin/standin.i
    Purpose     : The face of Standin for programs without classes: include
                  it at the top of a procedure, and
                      RUN standinOpen IN ghStandin (...)
                  and the others of Standin/standin.p.
  ----------------------------------------------------------------------*/

&IF DEFINED(STANDIN_INCLUDED) = 0 &THEN
&GLOBAL-DEFINE STANDIN_INCLUDED 1

/* What standin.p gives as piCode. Above 0: the number of the error that the service answered (docs/BUILTIN.md). */
&GLOBAL-DEFINE STANDIN_OK 0
&GLOBAL-DEFINE STANDIN_BAD_HANDLE -1
&GLOBAL-DEFINE STANDIN_BAD_ARGUMENT -2
&GLOBAL-DEFINE STANDIN_BAD_PATH -3
&GLOBAL-DEFINE STANDIN_WRONG_TYPE -4
&GLOBAL-DEFINE STANDIN_BAD_TEXT -5
&GLOBAL-DEFINE STANDIN_BAD_STATE -6
&GLOBAL-DEFINE STANDIN_TOO_DEEP -7
&GLOBAL-DEFINE STANDIN_NOT_RUNNING -8
&GLOBAL-DEFINE STANDIN_BUSY -9
&GLOBAL-DEFINE STANDIN_DENIED -10
&GLOBAL-DEFINE STANDIN_LOST -11
&GLOBAL-DEFINE STANDIN_FILE -12
&GLOBAL-DEFINE STANDIN_RANGE -13
&GLOBAL-DEFINE STANDIN_LIMIT -14
&GLOBAL-DEFINE STANDIN_PANIC -99

/* One for the session, whoever needs it first. */
DEFINE NEW GLOBAL SHARED VARIABLE ghStandin AS HANDLE NO-UNDO.

IF NOT VALID-HANDLE(ghStandin) THEN
    RUN Standin/standin.p PERSISTENT SET ghStandin.

&ENDIF
