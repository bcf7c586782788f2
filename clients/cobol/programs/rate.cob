      * rate.cob - makes calls one after the other, as fast as they are
      * answered, once it reads a line; the same as clients/rust's
      * example of that name.
      *
      *     rate COUNT METHOD
       identification division.
       program-id. rate.
       data division.
       working-storage section.
       copy "standin.cpy".
       01  argument                pic x(64).
       01  method-name             pic x(64).
       01  calls                   binary-long.
       01  go-line                 pic x(8).
       01  is-match                pic 9.
       procedure division.
           accept argument from argument-value
           move function numval(argument) to calls
           accept method-name from argument-value
           call "si-open" using standin
           perform stop-on-error
           display "ready"
           accept go-line
           perform calls times
               call "si-begin" using standin method-name
               if method-name = "text.match"
                   call "si-set-text" using standin "text"
                       "Invoice 4711"
                   call "si-set-text" using standin "pattern"
                       "[0-9]{4}"
               end-if
               call "si-send" using standin
               perform stop-on-error
               if method-name = "text.match"
                   call "si-get-bool" using standin " " is-match
                   if is-match not = 1
                       display "there is a number in it"
                       stop run returning 1
                   end-if
               end-if
           end-perform
           call "si-close" using standin
           display "done"
           stop run.

       stop-on-error.
           if si-error
               display "error " function trim(si-error-message)
               stop run returning 1
           end-if.
