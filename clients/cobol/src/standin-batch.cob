      * standin-batch.cob - many calls in one round trip, and how far a
      * call has got.
      *
      *     call "si-begin-batch" using standin
      *     perform varying row from 1 by 1 until row > 100
      *         call "si-begin" using standin "text.match"
      *         call "si-set-text" using standin "text" line(row)
      *         ...
      *         call "si-add" using standin row-call(row)
      *     end-perform
      *     call "si-send-batch" using standin
      *     if si-error ... none of them has an answer
      *     perform varying row from 1 by 1 until row > 100
      *         call "si-member" using standin row-call(row)
      *         if si-ok
      *             call "si-get-int" using standin "count" hits(row)
      *             ...
      *     end-perform
      *     call "si-done" using standin

      * si-begin-batch: begins a batch. Calls are begun as ever, and
      * added to it in place of being sent, a thousand at most.
       identification division.
       program-id. si-begin-batch.
       data division.
       working-storage section.
       01  ignored                 binary-long.
       linkage section.
       copy "standin.cpy".
       procedure division using standin.
           if si-batch not = 0
               call "standin_close" using by value si-batch
                   returning ignored
               move 0 to si-batch
           end-if
           call "standin_batch_new" using
               by value si-client
               by reference si-batch
               returning si-code
           move 0 to si-batch-built
           call "si-after" using standin si-client
           goback.
       end program si-begin-batch.

      * si-add MY-CALL: puts the call into the batch. MY-CALL, a
      * binary-double, is what si-member wants to know it by. A call
      * that has a mistake is not added, and si-send-batch tells of it.
       identification division.
       program-id. si-add.
       data division.
       linkage section.
       copy "standin.cpy".
       01  my-call                 binary-double.
       procedure division using standin my-call.
           move 0 to my-call
           if si-built not = 0
               move si-built to si-code
           else
               call "standin_batch_add" using
                   by value si-batch
                   by value si-call
                   returning si-code
               call "si-after" using standin si-batch
           end-if
           if si-error
               move si-code to si-batch-built
               goback
           end-if
           move si-call to my-call
           move 0 to si-call si-handle
           goback.
       end program si-add.

      * si-send-batch: sends the batch, with the time si-limit, and
      * waits for its end, or for a question (si-asked) of any of its
      * calls. si-error: none of them has an answer.
       identification division.
       program-id. si-send-batch.
       data division.
       linkage section.
       copy "standin.cpy".
       procedure division using standin.
           call "si-close-batch" using standin
           if not si-error
               call "si-send" using standin
           end-if
           goback.
       end program si-send-batch.

      * si-start-batch: sends the batch and does not wait. It is si-call
      * now: si-wait and si-cancel are about all of it, and si-wait-any
      * tells when it has ended. After si-cancel its calls have errors
      * (cancelled), each its own, and the batch has none.
       identification division.
       program-id. si-start-batch.
       data division.
       linkage section.
       copy "standin.cpy".
       procedure division using standin.
           call "si-close-batch" using standin
           if not si-error
               call "si-start" using standin
           end-if
           goback.
       end program si-start-batch.

      * si-member MY-CALL: how that call of a batch that has ended went.
      * It is si-call then, to be read; the one before it is closed.
       identification division.
       program-id. si-member.
       data division.
       working-storage section.
       01  no-time                 binary-double value 0.
       01  ignored                 binary-long.
       linkage section.
       copy "standin.cpy".
       01  my-call                 binary-double.
       procedure division using standin my-call.
           call "standin_wait" using
               by value my-call
               by value no-time
               returning si-code
           call "si-after" using standin my-call
           if not si-ok and not si-failed
               goback
           end-if
           if si-call not = 0 and si-call not = my-call
               call "standin_close" using by value si-call
                   returning ignored
           end-if
           move my-call to si-call si-handle
           goback.
       end program si-member.

      * si-progress FIELD: what the worker told last of how far the call
      * has got, as JSON. si-missing: nothing yet.
       identification division.
       program-id. si-progress.
       data division.
       working-storage section.
       01  field-size              binary-double.
       linkage section.
       copy "standin.cpy".
       01  the-field               pic x any length.
       procedure division using standin the-field.
           move spaces to the-field
           move 0 to si-length
           move function length(the-field) to field-size
           call "standin_progress" using
               by value si-call
               by reference the-field
               by value field-size
               by reference si-length
               returning si-code
           if not si-error
               inspect the-field replacing all x"00" by space
           end-if
           call "si-after" using standin si-call
           goback.
       end program si-progress.

      * si-close-batch: no more calls come to the batch; it is the call
      * now. For these files only.
       identification division.
       program-id. si-close-batch.
       data division.
       working-storage section.
       01  ignored                 binary-long.
       linkage section.
       copy "standin.cpy".
       procedure division using standin.
           move si-batch-built to si-code
           if si-error
               goback
           end-if
           if si-call not = 0
               call "standin_close" using by value si-call
                   returning ignored
           end-if
           move si-batch to si-call si-handle
           move 0 to si-batch si-built
           goback.
       end program si-close-batch.
