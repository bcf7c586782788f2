      * standin-set.cob - the arguments of a call, or the answer to a
      * question, by paths: "subject", "to[]", "headers.X-Id".
      *
      * A program need not look at si-code after each of them: si-send
      * and si-start give the first error, and nothing is sent.

      * si-set-text PATH TEXT: a text without its trailing blanks.
       identification division.
       program-id. si-set-text.
       data division.
       working-storage section.
       01  c-path                  pic x(1024).
       01  used                    binary-double.
       linkage section.
       copy "standin.cpy".
       01  the-path                pic x any length.
       01  the-text                pic x any length.
       procedure division using standin the-path the-text.
           call "si-zero" using standin the-path c-path
           if si-error
               call "si-keep-error" using standin
               goback
           end-if
           move function stored-char-length(the-text) to used
           call "standin_set_text_buffer" using
               by value si-handle
               by reference c-path
               by reference the-text
               by value used
               returning si-code
           call "si-after-set" using standin
           goback.
       end program si-set-text.

      * si-set-int PATH NUMBER: a whole number of any picture.
       identification division.
       program-id. si-set-int.
       data division.
       working-storage section.
       01  c-path                  pic x(1024).
       01  number-in               binary-double.
       linkage section.
       copy "standin.cpy".
       01  the-path                pic x any length.
       01  the-number              pic s9 any numeric.
       procedure division using standin the-path the-number.
           call "si-zero" using standin the-path c-path
           if si-error
               call "si-keep-error" using standin
               goback
           end-if
           move the-number to number-in
           call "standin_set_int" using
               by value si-handle
               by reference c-path
               by value number-in
               returning si-code
           call "si-after-set" using standin
           goback.
       end program si-set-int.

      * si-set-number PATH NUMBER: a number with a fraction, in a field.
      * A literal with a fraction would lose its point on the way here.
       identification division.
       program-id. si-set-number.
       data division.
       working-storage section.
       01  c-path                  pic x(1024).
       01  number-in               comp-2.
       linkage section.
       copy "standin.cpy".
       01  the-path                pic x any length.
       01  the-number              pic s9 any numeric.
       procedure division using standin the-path the-number.
           call "si-zero" using standin the-path c-path
           if si-error
               call "si-keep-error" using standin
               goback
           end-if
           move the-number to number-in
           call "standin_set_number" using
               by value si-handle
               by reference c-path
               by value number-in
               returning si-code
           call "si-after-set" using standin
           goback.
       end program si-set-number.

      * si-set-bool PATH NUMBER: 0 is false, all else is true.
       identification division.
       program-id. si-set-bool.
       data division.
       working-storage section.
       01  c-path                  pic x(1024).
       01  number-in               binary-long.
       linkage section.
       copy "standin.cpy".
       01  the-path                pic x any length.
       01  the-number              pic s9 any numeric.
       procedure division using standin the-path the-number.
           call "si-zero" using standin the-path c-path
           if si-error
               call "si-keep-error" using standin
               goback
           end-if
           move the-number to number-in
           call "standin_set_bool" using
               by value si-handle
               by reference c-path
               by value number-in
               returning si-code
           call "si-after-set" using standin
           goback.
       end program si-set-bool.

      * si-set-null PATH: nil, which is as if it had been left out.
       identification division.
       program-id. si-set-null.
       data division.
       working-storage section.
       01  c-path                  pic x(1024).
       linkage section.
       copy "standin.cpy".
       01  the-path                pic x any length.
       procedure division using standin the-path.
           call "si-zero" using standin the-path c-path
           if si-error
               call "si-keep-error" using standin
               goback
           end-if
           call "standin_set_null" using
               by value si-handle
               by reference c-path
               returning si-code
           call "si-after-set" using standin
           goback.
       end program si-set-null.

      * si-set-map PATH: an empty map.
       identification division.
       program-id. si-set-map.
       data division.
       working-storage section.
       01  c-path                  pic x(1024).
       linkage section.
       copy "standin.cpy".
       01  the-path                pic x any length.
       procedure division using standin the-path.
           call "si-zero" using standin the-path c-path
           if si-error
               call "si-keep-error" using standin
               goback
           end-if
           call "standin_set_map" using
               by value si-handle
               by reference c-path
               returning si-code
           call "si-after-set" using standin
           goback.
       end program si-set-map.

      * si-set-list PATH: an empty list.
       identification division.
       program-id. si-set-list.
       data division.
       working-storage section.
       01  c-path                  pic x(1024).
       linkage section.
       copy "standin.cpy".
       01  the-path                pic x any length.
       procedure division using standin the-path.
           call "si-zero" using standin the-path c-path
           if si-error
               call "si-keep-error" using standin
               goback
           end-if
           call "standin_set_list" using
               by value si-handle
               by reference c-path
               returning si-code
           call "si-after-set" using standin
           goback.
       end program si-set-list.

      * si-set-json PATH JSON: whatever JSON (UTF-8) says.
       identification division.
       program-id. si-set-json.
       data division.
       working-storage section.
       01  c-path                  pic x(1024).
       01  used                    binary-double.
       linkage section.
       copy "standin.cpy".
       01  the-path                pic x any length.
       01  the-text                pic x any length.
       procedure division using standin the-path the-text.
           call "si-zero" using standin the-path c-path
           if si-error
               call "si-keep-error" using standin
               goback
           end-if
           move function stored-char-length(the-text) to used
           call "standin_set_json" using
               by value si-handle
               by reference c-path
               by reference the-text
               by value used
               returning si-code
           call "si-after-set" using standin
           goback.
       end program si-set-json.

      * si-append-text PATH TEXT LENGTH: so many bytes of text, blanks
      * and all, behind what is at the path.
       identification division.
       program-id. si-append-text.
       data division.
       working-storage section.
       01  c-path                  pic x(1024).
       01  used                    binary-double.
       linkage section.
       copy "standin.cpy".
       01  the-path                pic x any length.
       01  the-text                pic x any length.
       01  the-length              pic s9 any numeric.
       procedure division using standin the-path the-text the-length.
           call "si-zero" using standin the-path c-path
           if si-error
               call "si-keep-error" using standin
               goback
           end-if
           move the-length to used
           call "standin_append_text" using
               by value si-handle
               by reference c-path
               by reference the-text
               by value used
               returning si-code
           call "si-after-set" using standin
           goback.
       end program si-append-text.

      * si-append-bytes PATH BYTES LENGTH: so many bytes, as they are.
       identification division.
       program-id. si-append-bytes.
       data division.
       working-storage section.
       01  c-path                  pic x(1024).
       01  used                    binary-double.
       linkage section.
       copy "standin.cpy".
       01  the-path                pic x any length.
       01  the-bytes               pic x any length.
       01  the-length              pic s9 any numeric.
       procedure division using standin the-path the-bytes the-length.
           call "si-zero" using standin the-path c-path
           if si-error
               call "si-keep-error" using standin
               goback
           end-if
           move the-length to used
           call "standin_append_bytes" using
               by value si-handle
               by reference c-path
               by reference the-bytes
               by value used
               returning si-code
           call "si-after-set" using standin
           goback.
       end program si-append-bytes.

      * si-set-file PATH FILE-NAME: the bytes of a file.
       identification division.
       program-id. si-set-file.
       data division.
       working-storage section.
       01  c-path                  pic x(1024).
       01  c-name                  pic x(1024).
       linkage section.
       copy "standin.cpy".
       01  the-path                pic x any length.
       01  file-name               pic x any length.
       procedure division using standin the-path file-name.
           call "si-zero" using standin the-path c-path
           if not si-error
               call "si-zero" using standin file-name c-name
           end-if
           if si-error
               call "si-keep-error" using standin
               goback
           end-if
           call "standin_set_file" using
               by value si-handle
               by reference c-path
               by reference c-name
               returning si-code
           call "si-after-set" using standin
           goback.
       end program si-set-file.

      * si-after-set: reads and keeps the first error. For these files
      * only.
       identification division.
       program-id. si-after-set.
       data division.
       linkage section.
       copy "standin.cpy".
       procedure division using standin.
           if not si-error or si-built not = 0
               goback
           end-if
           call "si-after" using standin si-handle
           call "si-keep-error" using standin
           goback.
       end program si-after-set.

      * si-keep-error: keeps the first error. For these files only.
       identification division.
       program-id. si-keep-error.
       data division.
       linkage section.
       copy "standin.cpy".
       procedure division using standin.
           if si-built = 0
               move si-code to si-built
           end-if
           goback.
       end program si-keep-error.
