      * storm.cob - calls as fast as it can, eight at a time, until a
      * file appears, and writes down how each call ended.
      *
      *     storm FIRST-NUMBER RESULTS-FILE STOP-FILE PORT
      *     AUTHORITY-FILE
      *
      * Each call has a number. Of four, one is a mail with a key, one
      * has an effect and a key, two have none. A call that is told of
      * twice, or was never made, or brings another's answer, ends the
      * program.
       identification division.
       program-id. storm.
       environment division.
       input-output section.
       file-control.
           select results assign to results-name
               organization line sequential file status file-state.
       data division.
       file section.
       fd  results.
       01  result-line             pic x(80).
       working-storage section.
       copy "standin.cpy".
       01  argument                pic x(256).
       01  results-name            pic x(256).
       01  stop-name               pic x(256).
       01  authority-name          pic x(256).
       01  port                    pic 9(5).
       01  file-state              pic xx.
       01  file-facts              pic x(16).
       01  not-there               binary-long.
       01  call-number             pic 9(9).
       01  nonce                   pic 9(9).
       01  seen                    pic 9(9).
       01  started                 pic 9(9) value 0.
       01  ended                   pic 9(9) value 0.
       01  key-text                pic x(40).
       01  address-text            pic x(128).
       01  place                   binary-long.
       01  outcome                 pic x(16).
       01  is-over                 pic 9 value 0.
       01  slots-open              binary-long value 0.
       01  slots.
           05  slot                occurs 8 times.
               10  slot-call       binary-double value 0.
               10  slot-number     pic 9(9) value 0.
       procedure division.
           accept argument from argument-value
           move function numval(argument) to call-number
           accept results-name from argument-value
           accept stop-name from argument-value
           accept argument from argument-value
           move function numval(argument) to port
           accept authority-name from argument-value
           open output results
           move "cobol-storm" to si-program
           move 60000 to si-limit
           call "si-open" using standin
           if si-error
               display "cannot open: " si-error-message
               stop run returning 1
           end-if
           perform until is-over = 1 and slots-open = 0
               call "CBL_CHECK_FILE_EXIST" using stop-name file-facts
                   returning not-there
               if not-there = 0
                   move 1 to is-over
               end-if
               perform until slots-open = 8 or is-over = 1
                   perform start-one
               end-perform
               perform end-one
           end-perform
           close results
           call "si-close" using standin
           display "started " started " ended " ended
           stop run.

       start-one.
           perform varying place from 1 by 1
               until slot-call(place) = 0
               continue
           end-perform
           evaluate function mod(call-number, 4)
               when 0 perform begin-mail
               when 1 perform begin-effect
               when other perform begin-harmless
           end-evaluate
           call "si-start" using standin
           if si-error
               display "call " call-number " cannot be started: "
                   function trim(si-error-message)
               stop run returning 1
           end-if
           move si-call to slot-call(place)
           move 0 to si-call
           move call-number to slot-number(place)
           add 1 to slots-open started call-number.

       begin-mail.
           call "si-begin" using standin "mail.send"
           call "si-set-text" using standin "server.host" "localhost"
           call "si-set-int" using standin "server.port" port
           call "si-set-text" using standin "server.tls" "implicit"
           call "si-set-file" using standin "server.ca_pem"
               authority-name
           call "si-set-text" using standin "from" "cobol@example.org"
           call "si-set-text" using standin "to" "storm@example.org"
           perform make-key
           call "si-set-text" using standin "subject" key-text
           call "si-set-text" using standin "text" "In all weathers."
           call "si-key" using standin key-text.

       begin-effect.
           call "si-begin" using standin "chaos.until_effect"
           perform set-work
           perform make-key
           call "si-key" using standin key-text.

       begin-harmless.
           call "si-begin" using standin "chaos.always"
           perform set-work.

       set-work.
           compute nonce = 999999999 - call-number
           call "si-set-int" using standin "id" call-number
           call "si-set-int" using standin "nonce" nonce
           call "si-set-int" using standin "work_ms" 8.

       make-key.
           move spaces to key-text
           string "storm " call-number delimited by size into key-text.

       end-one.
           call "si-wait-any" using standin 500
           if si-pending
               exit paragraph
           end-if
           perform varying place from 1 by 1 until place > 8
               if slot-call(place) = si-call and si-call not = 0
                   exit perform
               end-if
           end-perform
           if place > 8
               display "a call ended that is not open: code " si-code
                   " " function trim(si-error-message)
               stop run returning 1
           end-if
           if si-ok
               move "ok" to outcome
               if function mod(slot-number(place), 4) not = 0
                   perform check-answer
               end-if
           else
               move si-error-outcome to outcome
           end-if
           move spaces to result-line
           string slot-number(place) " " outcome delimited by size
               into result-line
           if not si-ok
               move si-error-code to result-line(28:)
           end-if
           write result-line
           call "si-done" using standin
           move 0 to slot-call(place)
           subtract 1 from slots-open
           add 1 to ended.

       check-answer.
           compute nonce = 999999999 - slot-number(place)
           call "si-get-int" using standin " " seen
           if not si-ok or seen not = nonce
               display "call " slot-number(place) " brought " seen
                   " instead of " nonce
               stop run returning 1
           end-if.
