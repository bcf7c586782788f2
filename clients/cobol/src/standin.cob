      * standin.cob - the entries of a COBOL program to Standin:
      * opening, calling, waiting. standin-set.cob builds the arguments,
      * standin-get.cob reads results, standin-ask.cob has the
      * questions, standin-batch.cob many calls at once and progress.
      *
      * In these five files alone the C functions are called.
      * Texts lose their trailing blanks on the way, as COBOL means
      * them.

      * si-open: opens the client. Closed with si-close.
       identification division.
       program-id. si-open.
       data division.
       working-storage section.
       01  endpoint                pic x(257).
       01  code-page               pic x(33).
       01  program-name            pic x(65).
       linkage section.
       copy "standin.cpy".
       procedure division using standin.
           call "si-zero" using standin si-endpoint endpoint
           call "si-zero" using standin si-code-page code-page
           call "si-zero" using standin si-program program-name
           move 0 to si-call si-handle si-batch si-depth
           call "standin_open_as" using
               by reference endpoint
               by reference code-page
               by reference program-name
               by value si-open-limit
               by reference si-client
               returning si-code
               on exception
      *            As a file that cannot be read.
                   move -12 to si-code si-error-number
                   move "no_library" to si-error-code
                   move "not_executed" to si-error-outcome
                   move "The library libstandin is missing. Link this "
                     & "program with it, or name it in COB_PRE_LOAD."
                       to si-error-message
                   goback
           end-call
           call "si-after" using standin si-client
           goback.
       end program si-open.

      * si-close: closes the client and all that belongs to it.
       identification division.
       program-id. si-close.
       data division.
       linkage section.
       copy "standin.cpy".
       procedure division using standin.
           call "standin_close" using by value si-client
               returning si-code
           move 0 to si-client si-call si-handle si-batch si-depth
           goback.
       end program si-close.

      * si-begin METHOD: begins a call. The one before it is closed. To
      * have several, take si-call away: move si-call to mine,
      * move 0 to si-call.
       identification division.
       program-id. si-begin.
       data division.
       working-storage section.
       01  method-name             pic x(128).
       01  ignored                 binary-long.
       linkage section.
       copy "standin.cpy".
       01  the-method              pic x any length.
       procedure division using standin the-method.
           if si-call not = 0
               call "standin_close" using by value si-call
                   returning ignored
               move 0 to si-call
           end-if
           move 0 to si-handle si-built
           call "si-zero" using standin the-method method-name
           if not si-error
               call "standin_call_new" using
                   by value si-client
                   by reference method-name
                   by reference si-call
                   returning si-code
               move si-call to si-handle
               call "si-after" using standin si-client
           end-if
      *    What is set and sent from here on fails with this error.
           if si-error
               call "si-keep-error" using standin
           end-if
           goback.
       end program si-begin.

      * si-done: closes the call. What was read of it stays.
       identification division.
       program-id. si-done.
       data division.
       linkage section.
       copy "standin.cpy".
       procedure division using standin.
           call "standin_close" using by value si-call
               returning si-code
           move 0 to si-call si-handle
           goback.
       end program si-done.

      * si-key KEY: under one key a method runs once, whatever dies.
       identification division.
       program-id. si-key.
       data division.
       working-storage section.
       01  key-text                pic x(1024).
       linkage section.
       copy "standin.cpy".
       01  the-key                 pic x any length.
       procedure division using standin the-key.
           call "si-zero" using standin the-key key-text
           if si-error
               call "si-keep-error" using standin
               goback
           end-if
           call "standin_set_key" using
               by value si-call
               by reference key-text
               returning si-code
           call "si-after-set" using standin
           goback.
       end program si-key.

      * si-idempotent: vouches that running it twice does no harm.
       identification division.
       program-id. si-idempotent.
       data division.
       working-storage section.
       01  yes                     binary-long value 1.
       linkage section.
       copy "standin.cpy".
       procedure division using standin.
           call "standin_set_idempotent" using
               by value si-call
               by value yes
               returning si-code
           call "si-after" using standin si-call
           goback.
       end program si-idempotent.

      * si-send: sends the call, with the time si-limit, and waits for
      * its end, or for a question (si-asked).
       identification division.
       program-id. si-send.
       data division.
       linkage section.
       copy "standin.cpy".
       procedure division using standin.
           if si-built not = 0
               move si-built to si-code
               goback
           end-if
           call "standin_send" using
               by value si-call
               by value si-limit
               returning si-code
           call "si-come" using standin
           goback.
       end program si-send.

      * si-start: sends the call, with the time si-limit, and does not
      * wait.
       identification division.
       program-id. si-start.
       data division.
       linkage section.
       copy "standin.cpy".
       procedure division using standin.
           if si-built not = 0
               move si-built to si-code
               goback
           end-if
           call "standin_set_timeout" using
               by value si-call
               by value si-limit
               returning si-code
           if si-code = 0
               call "standin_start" using by value si-call
                   returning si-code
           end-if
           call "si-after" using standin si-call
           goback.
       end program si-start.

      * si-wait MILLISECONDS: waits so long for the end of the call.
       identification division.
       program-id. si-wait.
       data division.
       working-storage section.
       01  wait-limit              binary-double.
       linkage section.
       copy "standin.cpy".
       01  milliseconds            pic s9 any numeric.
       procedure division using standin milliseconds.
           move milliseconds to wait-limit
           call "standin_wait" using
               by value si-call
               by value wait-limit
               returning si-code
           if si-asked
               call "si-take" using standin
           end-if
           call "si-after" using standin si-call
           goback.
       end program si-wait.

      * si-wait-any MILLISECONDS: waits so long until any started call
      * has ended that was not told of before. It is si-call then, to be
      * read, and closed with si-done. si-code is -6 if none is open.
       identification division.
       program-id. si-wait-any.
       data division.
       working-storage section.
       01  wait-limit              binary-double.
       linkage section.
       copy "standin.cpy".
       01  milliseconds            pic s9 any numeric.
       procedure division using standin milliseconds.
           move milliseconds to wait-limit
           move 0 to si-call
           call "standin_wait_any" using
               by value si-client
               by value wait-limit
               by reference si-call
               returning si-code
           move si-call to si-handle
           if si-asked
               call "si-take" using standin
           end-if
           if si-failed
               call "si-after" using standin si-call
           else
               call "si-after" using standin si-client
           end-if
           goback.
       end program si-wait-any.

      * si-cancel: asks for the call to be taken back. It still ends.
       identification division.
       program-id. si-cancel.
       data division.
       linkage section.
       copy "standin.cpy".
       procedure division using standin.
           call "standin_cancel" using by value si-call
               returning si-code
           call "si-after" using standin si-call
           goback.
       end program si-cancel.

      * si-zero TEXT, C-TEXT: the text as C wants it, without its
      * trailing blanks and with a NUL behind it. For these files only.
       identification division.
       program-id. si-zero.
       data division.
       working-storage section.
       01  used                    binary-long.
       linkage section.
       copy "standin.cpy".
       01  text-in                 pic x any length.
       01  text-out                pic x any length.
       procedure division using standin text-in text-out.
           move 0 to si-code
           move function stored-char-length(text-in) to used
           if used >= function length(text-out)
               move -2 to si-code
      *        The first error of what is built stands.
               if si-built not = 0
                   goback
               end-if
               call "si-known" using standin
               move -2 to si-error-number
               move "bad_argument" to si-error-code
               move -1 to si-retry-after
               move spaces to si-error-message
               string "The text is too long: " text-in(1:80) "..."
                   delimited by size into si-error-message
               goback
           end-if
           if used > 0
               move text-in(1:used) to text-out(1:used)
           end-if
           move x"00" to text-out(used + 1:1)
           goback.
       end program si-zero.

      * si-known: si-error-outcome is what the library knows of the call,
      * for a mistake that it does not get to see. For these files only.
       identification division.
       program-id. si-known.
       data division.
       working-storage section.
      *    No path at all, so that the library has to say something.
       01  no-path                 pic x(2)      value "[" & x"00".
       01  no-type                 binary-long.
       01  buffer                  pic x(16).
       01  capacity                binary-double value 16.
       01  needed                  binary-double.
       01  ignored                 binary-long.
       linkage section.
       copy "standin.cpy".
       procedure division using standin.
      *    Nothing is begun yet.
           if si-handle = 0
               move "not_executed" to si-error-outcome
               goback
           end-if
           call "standin_type" using by value si-handle
               by reference no-path
               by reference no-type returning ignored
           call "standin_error_outcome" using by value si-handle
               by reference buffer by value capacity
               by reference needed returning ignored
           if needed > 0 and needed < capacity
               move buffer(1:needed) to si-error-outcome
           end-if
           goback.
       end program si-known.

      * si-after HANDLE: reads the error that the last function left.
      * For these files only.
       identification division.
       program-id. si-after.
       data division.
       working-storage section.
       01  buffer                  pic x(2048).
       01  capacity                binary-double value 2048.
       01  needed                  binary-double.
       01  ignored                 binary-long.
       linkage section.
       copy "standin.cpy".
       01  the-handle              binary-double.
       procedure division using standin the-handle.
           if not si-error
               goback
           end-if
           call "standin_error_number" using by value the-handle
               by reference si-error-number returning ignored
           call "standin_error_code" using by value the-handle
               by reference buffer by value capacity
               by reference needed returning ignored
           move spaces to si-error-code
           if needed > 0 and needed < capacity
               move buffer(1:needed) to si-error-code
           end-if
           call "standin_error_outcome" using by value the-handle
               by reference buffer by value capacity
               by reference needed returning ignored
           move spaces to si-error-outcome
           if needed > 0 and needed < capacity
               move buffer(1:needed) to si-error-outcome
           end-if
           call "standin_error_message" using by value the-handle
               by reference buffer by value capacity
               by reference needed returning ignored
           move spaces to si-error-message
           if needed > 0 and needed < capacity
               move buffer(1:needed) to si-error-message
           end-if
           call "standin_error_retry_after" using by value the-handle
               by reference si-retry-after returning ignored
           goback.
       end program si-after.
