      * several.cob - many calls in one batch, and a long call that is
      * watched on its way.
       identification division.
       program-id. several.
       data division.
       working-storage section.
       copy "standin.cpy".
       01  place                   binary-long.
       01  place-shown             pic 999.
       01  calls.
           05  one-call            binary-double occurs 100 times.
       01  sum-of-answers          binary-long value 0.
       01  failures                binary-long value 0.
       01  answer                  binary-long.
       01  letter                  pic x(80).
       01  told                    pic x(40).
       01  told-before             pic x(40) value spaces.
       01  times-told              binary-long value 0.
       01  five                    pic x(5).
       procedure division.
           call "si-open" using standin
           if si-error
               display "cannot open: " si-error-message
               stop run returning 1
           end-if
           perform send-hundred
           perform batch-with-questions
           perform batch-with-mistake
           perform take-batch-back
           perform watch
           call "si-close" using standin
           stop run.

      * The 40th has no method; the others answer with their nonce.
       send-hundred.
           call "si-begin-batch" using standin
           perform varying place from 1 by 1 until place > 100
               if place = 40
                   call "si-begin" using standin "no.such"
               else
                   call "si-begin" using standin "chaos.always"
                   call "si-set-int" using standin "id" place
                   call "si-set-int" using standin "nonce" place
               end-if
               call "si-add" using standin one-call(place)
               if si-error
                   display "cannot add: " si-error-message
               end-if
           end-perform
           call "si-member" using standin one-call(1)
           display "before the end " si-code " "
               function trim(si-error-code)
           call "si-send-batch" using standin
           display "batch " si-code
           perform varying place from 1 by 1 until place > 100
               call "si-member" using standin one-call(place)
               if si-ok
                   call "si-get-int" using standin " " answer
                   add answer to sum-of-answers
               else
                   add 1 to failures
                   move place to place-shown
                   display "member " place-shown " " si-code " "
                       function trim(si-error-code) " "
                       function trim(si-error-outcome)
               end-if
           end-perform
           call "si-member" using standin one-call(1)
           display "closed by the next " si-code
           call "si-member" using standin one-call(100)
           display "the last is open " si-code
           call "si-done" using standin
           display "sum " sum-of-answers " failures " failures.

      * Two letters, and each has questions.
       batch-with-questions.
           call "si-begin-batch" using standin
           perform varying place from 1 by 1 until place > 2
               call "si-begin" using standin "letters.write"
               call "si-set-int" using standin "numbers[]" place
               call "si-add" using standin one-call(place)
           end-perform
           call "si-send-batch" using standin
           perform until not si-asked
               evaluate si-question
                   when "customer.read"
                       call "si-get-int" using standin "number" answer
                       call "si-set-text" using standin "city" "HULL"
                       call "si-set-int" using standin "owes" 0
                       call "si-set-int" using standin "name" answer
                   when other
                       call "si-set-text" using standin "city" "HULL"
                       call "si-set-text" using standin "names[]" "Ada"
               end-evaluate
               call "si-answer" using standin
           end-perform
           display "letters " si-code
           perform varying place from 1 by 1 until place > 2
               call "si-member" using standin one-call(place)
               call "si-get-text" using standin "[0]" letter
               display function trim(letter)
           end-perform
           call "si-done" using standin.

      * One that cannot be built keeps all of them back.
       batch-with-mistake.
           call "si-begin-batch" using standin
           call "si-begin" using standin "chaos.always"
           call "si-set-text" using standin "id[" "a"
           call "si-add" using standin one-call(1)
           display "not added " si-code " " one-call(1)
           call "si-begin" using standin "sdk.echo"
           call "si-add" using standin one-call(2)
           display "added " si-code
           call "si-send-batch" using standin
           display "not sent " si-code " " function trim(si-error-code)
           call "si-begin-batch" using standin
           call "si-begin" using standin "sdk.echo"
           call "si-set-text" using standin "text" "here"
           call "si-add" using standin one-call(1)
           call "si-send-batch" using standin
           call "si-member" using standin one-call(1)
           call "si-get-text" using standin " " five
           display "another " five " " si-code
           call "si-done" using standin.

       take-batch-back.
           call "si-begin-batch" using standin
           call "si-begin" using standin "sdk.wait"
           call "si-add" using standin one-call(1)
           call "si-begin" using standin "sdk.wait"
           call "si-add" using standin one-call(2)
           call "si-start-batch" using standin
           display "started " si-code
           call "si-wait" using standin 50
           display "waited " si-code
           call "si-cancel" using standin
           perform with test after until not si-pending
               call "si-wait" using standin 1000
           end-perform
           display "ended " si-code
           call "si-member" using standin one-call(1)
           display "with its calls " si-code " "
               function trim(si-error-code)
           call "si-done" using standin.

      * In slices, so that the program can show how far it is; after
      * three steps it has seen enough.
       watch.
           call "si-begin" using standin "sdk.progress"
           call "si-set-int" using standin "steps" 10000
           call "si-set-int" using standin "pause_ms" 20
           call "si-progress" using standin told
           display "not started " si-code " "
               function trim(si-error-code)
           call "si-start" using standin
           call "si-progress" using standin told
           display "nothing yet " si-code " [" told(1:1) "]"
           perform until times-told = 3 or not si-pending
                         and not si-missing and not si-ok
               call "si-wait" using standin 10
               if si-pending
                   call "si-progress" using standin told
                   if si-ok and told not = told-before
                       move told to told-before
                       add 1 to times-told
                   end-if
               end-if
           end-perform
           display "told " times-told " " told(1:8)
           call "si-progress" using standin five
           display "in five [" five "] " si-code
           call "si-cancel" using standin
           perform with test after until not si-pending
               call "si-wait" using standin 1000
           end-perform
           display "taken back " si-code " "
               function trim(si-error-code)
           call "si-progress" using standin told
           display "afterwards " si-code
           call "si-done" using standin.
