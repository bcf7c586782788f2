      * standin.cpy - what a program and the entries si-... share.
      *
      * In working-storage:  copy "standin.cpy".
      * It is one client with one call at a time that is built, sent and
      * read. A program may have several, by copy ... replacing.
       01  standin.
      *    Before si-open, where the usual will not do. No endpoint:
      *    what STANDIN_ENDPOINT says, else the usual place of the
      *    machine.
           05  si-endpoint             pic x(256)    value spaces.
           05  si-code-page            pic x(32)     value "UTF-8".
           05  si-program              pic x(64)     value "cobol".
      *    Milliseconds that si-open waits for a service that is not up.
           05  si-open-limit           binary-double value 10000.
      *    Milliseconds for a whole call, restarts of the service and
      *    all.
           05  si-limit                binary-double value 30000.

      *    How the last entry went.
           05  si-code                 binary-long   value 0.
               88  si-ok               value 0.
               88  si-pending          value 1.
      *        A question came; si-question is its name.
               88  si-asked            value 2.
      *        The call ended with an error; it stands below.
               88  si-failed           value 3.
      *        The field was too small for the value; what fits is in
      *        it.
               88  si-cut              value 4.
               88  si-missing          value 5.
               88  si-null             value 6.
               88  si-not-running      value -8.
               88  si-busy             value -9.
               88  si-denied           value -10.
               88  si-lost             value -11.
               88  si-error            values 3, -99 thru -1.
      *    Bytes of the value that was read, and of a part of it.
           05  si-length               binary-double value 0.
           05  si-part                 binary-double value 0.

      *    The last error: service or worker above 0, library below.
           05  si-error-number         binary-long   value 0.
           05  si-error-code           pic x(64)     value spaces.
           05  si-error-outcome        pic x(16)     value spaces.
               88  si-not-executed     value "not_executed".
               88  si-executed         value "executed".
               88  si-unknown          value "unknown".
           05  si-error-message        pic x(512)    value spaces.
      *    Milliseconds; -1: nothing was said.
           05  si-retry-after          binary-double value -1.

      *    What a worker asks this program; see si-answer.
           05  si-question             pic x(128)    value spaces.
      *    Whether somebody got the last answer: 0, or -11 (lost).
           05  si-answered             binary-long   value 0.

      *    Handles of the library. si-handle is what the next si-set-...
      *    and si-get-... are about: the call, or the question.
           05  si-client               binary-double value 0.
           05  si-call                 binary-double value 0.
           05  si-handle               binary-double value 0.
      *    The batch that si-add puts calls into.
           05  si-batch                binary-double value 0.
      *    How building went: the first error of si-set-... and si-key,
      *    and the last one of the calls of a batch.
           05  si-built                binary-long   value 0.
           05  si-batch-built          binary-long   value 0.
      *    The calls that wait while a question is open.
           05  si-depth                binary-long   value 0.
           05  si-outer.
               10  si-outer-call       binary-double value 0
                                       occurs 16 times.
               10  si-outer-question   binary-double value 0
                                       occurs 16 times.
