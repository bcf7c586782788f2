      * standin-ask.cob - the questions that a worker asks this program
      * while its call is pending.
      *
      *     call "si-send" using standin
      *     perform until not si-asked
      *         evaluate si-question
      *             when "customer.read"
      *                 call "si-get-int" using standin "number"
      *                 my-number
      *                 ...
      *                 call "si-set-text" using standin "name" my-name
      *                 call "si-answer" using standin
      *             when other
      *                 call "si-refuse" using standin "unknown" "What?"
      *         end-evaluate
      *     end-perform
      *
      * A question may make calls of its own: si-begin, si-send, and so
      * on. Have read its arguments by then, since si-handle is the new
      * call until si-back.

      * si-answer: answers with what was set, and waits on for the call.
      * What could not be set makes a refusal of it.
       identification division.
       program-id. si-answer.
       data division.
       linkage section.
       copy "standin.cpy".
       procedure division using standin.
           if si-built not = 0
               call "si-refuse" using standin si-error-code
                   si-error-message
               goback
           end-if
           call "si-back" using standin
           if si-error
               goback
           end-if
           call "standin_answer" using by value si-handle
               returning si-answered
           call "si-on" using standin
           goback.
       end program si-answer.

      * si-refuse CODE MESSAGE: fails the question, and waits on.
       identification division.
       program-id. si-refuse.
       data division.
       working-storage section.
       01  c-code                  pic x(256).
       01  c-message               pic x(2048).
       linkage section.
       copy "standin.cpy".
       01  the-code                pic x any length.
       01  the-message             pic x any length.
       procedure division using standin the-code the-message.
           call "si-zero" using standin the-code c-code
           if not si-error
               call "si-zero" using standin the-message c-message
           end-if
           if not si-error
               call "si-back" using standin
           end-if
           if si-error
               goback
           end-if
           call "standin_fail" using
               by value si-handle
               by reference c-code
               by reference c-message
               returning si-answered
           call "si-on" using standin
           goback.
       end program si-refuse.

      * si-back: back from a call that was made for the innermost
      * question to the question itself, so that its answer can be set.
       identification division.
       program-id. si-back.
       data division.
       working-storage section.
       01  ignored                 binary-long.
       linkage section.
       copy "standin.cpy".
       procedure division using standin.
           move 0 to si-code
           if si-depth = 0
               move -6 to si-code si-error-number
               move "bad_state" to si-error-code
               move "not_executed" to si-error-outcome
               move "No question is open." to si-error-message
               goback
           end-if
           if si-call not = 0
               call "standin_close" using by value si-call
                   returning ignored
               move 0 to si-call
           end-if
           move si-outer-question(si-depth) to si-handle
           goback.
       end program si-back.

      * si-on: the question is answered; its call is waited for again.
      * An answer that nobody got (si-answered is -11) is no reason to
      * stop: the worker may ask again. For these files only.
       identification division.
       program-id. si-on.
       data division.
       working-storage section.
       01  ignored                 binary-long.
       linkage section.
       copy "standin.cpy".
       procedure division using standin.
      *    An answer that cannot be given as it is must not hang the
      *    worker: whatever is wrong with it, closing fails the
      *    question.
           call "standin_close" using by value si-handle
               returning ignored
           move si-outer-call(si-depth) to si-call
           subtract 1 from si-depth
           move si-call to si-handle
      *    After si-wait-any it is up to the program to wait again.
           move 1 to si-code
           if si-call not = 0
               call "si-come" using standin
           end-if
           goback.
       end program si-on.

      * si-come: waits for the end of the call, which its own time
      * brings at the latest, or for a question. For these files only.
       identification division.
       program-id. si-come.
       data division.
       working-storage section.
       01  slice                   binary-double value 60000.
       linkage section.
       copy "standin.cpy".
       procedure division using standin.
           if si-asked
               call "si-take" using standin
           end-if
           perform until not si-pending
               call "standin_wait" using
                   by value si-call
                   by value slice
                   returning si-code
               if si-asked
                   call "si-take" using standin
               end-if
           end-perform
           call "si-after" using standin si-call
           goback.
       end program si-come.

      * si-take: takes the question that came: si-asked, or si-pending
      * if it has gone again or was one too many. For these files only.
       identification division.
       program-id. si-take.
       data division.
       working-storage section.
       01  taken                   binary-double.
       01  buffer                  pic x(512).
       01  capacity                binary-double value 512.
       01  needed                  binary-double.
       01  ignored                 binary-long.
       linkage section.
       copy "standin.cpy".
       procedure division using standin.
           call "standin_callback" using
               by value si-client
               by reference taken
               returning si-code
           if not si-ok
               move 1 to si-code
               goback
           end-if
           call "standin_callback_method" using
               by value taken
               by reference buffer
               by value capacity
               by reference needed
               returning ignored
           move spaces to si-question
           if needed > 0 and needed < capacity
               move buffer(1:needed) to si-question
           end-if
           move 0 to si-built
           add 1 to si-depth
           move si-call to si-outer-call(si-depth)
           move taken to si-outer-question(si-depth) si-handle
           move 0 to si-call
           move 2 to si-code
           goback.
       end program si-take.
