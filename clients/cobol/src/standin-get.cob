      * standin-get.cob - the result of a call, or the arguments of a
      * question, by paths: "status", "accepted[0]", "headers.#2".
      *
      * si-code: 0; si-cut (the field is too small; what fits is in it);
      * si-missing, si-null (the field is blank or 0 then); an error.

      * These two stand first: GnuCOBOL 3.1 fetches what arithmetic
      * needs only if the first program of a file has some.

      * si-get-int PATH FIELD: a whole number.
       identification division.
       program-id. si-get-int.
       data division.
       working-storage section.
       01  c-path                  pic x(1024).
       01  number-out              binary-double.
       linkage section.
       copy "standin.cpy".
       01  the-path                pic x any length.
       01  the-number              pic s9 any numeric.
       procedure division using standin the-path the-number.
           move 0 to the-number
           call "si-zero" using standin the-path c-path
           if si-error
               goback
           end-if
           call "standin_get_int" using
               by value si-handle
               by reference c-path
               by reference number-out
               returning si-code
           if si-ok
               compute the-number = number-out
                   on size error move 4 to si-code
               end-compute
           end-if
           call "si-after" using standin si-handle
           goback.
       end program si-get-int.

      * si-get-number PATH FIELD: a number, rounded to what FIELD holds.
       identification division.
       program-id. si-get-number.
       data division.
       working-storage section.
       01  c-path                  pic x(1024).
       01  number-out              comp-2.
       linkage section.
       copy "standin.cpy".
       01  the-path                pic x any length.
       01  the-number              pic s9 any numeric.
       procedure division using standin the-path the-number.
           move 0 to the-number
           call "si-zero" using standin the-path c-path
           if si-error
               goback
           end-if
           call "standin_get_number" using
               by value si-handle
               by reference c-path
               by reference number-out
               returning si-code
           if si-ok
               compute the-number rounded = number-out
                   on size error move 4 to si-code
               end-compute
           end-if
           call "si-after" using standin si-handle
           goback.
       end program si-get-number.

      * si-get-text PATH FIELD: a text; a number and true or false too.
       identification division.
       program-id. si-get-text.
       data division.
       working-storage section.
       01  c-path                  pic x(1024).
       01  buffer                  pic x(4096).
       01  capacity                binary-double value 4096.
       01  field-size              binary-double.
       01  copied                  binary-double.
       01  begin                   binary-double value 0.
       linkage section.
       copy "standin.cpy".
       01  the-path                pic x any length.
       01  the-field               pic x any length.
       procedure division using standin the-path the-field.
           move spaces to the-field
           move 0 to si-length
           call "si-zero" using standin the-path c-path
           if si-error
               goback
           end-if
           move function length(the-field) to field-size
           call "standin_get_text" using
               by value si-handle
               by reference c-path
               by reference buffer
               by value capacity
               by reference si-length
               returning si-code
           evaluate true
               when si-ok and si-length <= field-size
                   if si-length > 0
                       move buffer(1:si-length) to the-field
                   end-if
               when si-ok or si-cut
      *            The library knows where a character ends.
                   call "standin_get_text_part" using
                       by value si-handle
                       by reference c-path
                       by value begin
                       by reference the-field
                       by value field-size
                       by reference copied
                       by reference si-length
                       returning si-code
                   if si-ok and copied < si-length
                       move 4 to si-code
                   end-if
           end-evaluate
           call "si-after" using standin si-handle
           goback.
       end program si-get-text.

      * si-get-part PATH OFFSET FIELD: the text from that byte on, as
      * much as fits: si-part bytes of si-length. Go on at OFFSET +
      * si-part.
       identification division.
       program-id. si-get-part.
       data division.
       working-storage section.
       01  c-path                  pic x(1024).
       01  begin                   binary-double.
       01  field-size              binary-double.
       linkage section.
       copy "standin.cpy".
       01  the-path                pic x any length.
       01  the-offset              pic s9 any numeric.
       01  the-field               pic x any length.
       procedure division using standin the-path the-offset the-field.
           move spaces to the-field
           move 0 to si-length si-part
           call "si-zero" using standin the-path c-path
           if si-error
               goback
           end-if
           move the-offset to begin
           move function length(the-field) to field-size
           call "standin_get_text_part" using
               by value si-handle
               by reference c-path
               by value begin
               by reference the-field
               by value field-size
               by reference si-part
               by reference si-length
               returning si-code
           call "si-after" using standin si-handle
           goback.
       end program si-get-part.

      * si-get-bytes PATH OFFSET FIELD: the same with bytes.
       identification division.
       program-id. si-get-bytes.
       data division.
       working-storage section.
       01  c-path                  pic x(1024).
       01  begin                   binary-double.
       01  field-size              binary-double.
       linkage section.
       copy "standin.cpy".
       01  the-path                pic x any length.
       01  the-offset              pic s9 any numeric.
       01  the-field               pic x any length.
       procedure division using standin the-path the-offset the-field.
           move 0 to si-length si-part
           call "si-zero" using standin the-path c-path
           if si-error
               goback
           end-if
           move the-offset to begin
           move function length(the-field) to field-size
           call "standin_get_bytes" using
               by value si-handle
               by reference c-path
               by value begin
               by reference the-field
               by value field-size
               by reference si-part
               by reference si-length
               returning si-code
           call "si-after" using standin si-handle
           goback.
       end program si-get-bytes.

      * si-get-bool PATH FIELD: 1 is true, 0 false.
       identification division.
       program-id. si-get-bool.
       data division.
       working-storage section.
       01  c-path                  pic x(1024).
       01  number-out              binary-long.
       linkage section.
       copy "standin.cpy".
       01  the-path                pic x any length.
       01  the-number              pic s9 any numeric.
       procedure division using standin the-path the-number.
           move 0 to the-number number-out
           call "si-zero" using standin the-path c-path
           if si-error
               goback
           end-if
           call "standin_get_bool" using
               by value si-handle
               by reference c-path
               by reference number-out
               returning si-code
           move number-out to the-number
           call "si-after" using standin si-handle
           goback.
       end program si-get-bool.

      * si-get-type PATH FIELD: one of standin-type-..., which are in
      * standin-codes.cpy; 0 if there is nothing.
       identification division.
       program-id. si-get-type.
       data division.
       working-storage section.
       01  c-path                  pic x(1024).
       01  number-out              binary-long.
       linkage section.
       copy "standin.cpy".
       01  the-path                pic x any length.
       01  the-number              pic s9 any numeric.
       procedure division using standin the-path the-number.
           move 0 to the-number number-out
           call "si-zero" using standin the-path c-path
           if si-error
               goback
           end-if
           call "standin_type" using
               by value si-handle
               by reference c-path
               by reference number-out
               returning si-code
           move number-out to the-number
           call "si-after" using standin si-handle
           goback.
       end program si-get-type.

      * si-count PATH FIELD: items of a list, or entries of a map.
       identification division.
       program-id. si-count.
       data division.
       working-storage section.
       01  c-path                  pic x(1024).
       01  number-out              binary-double.
       linkage section.
       copy "standin.cpy".
       01  the-path                pic x any length.
       01  the-number              pic s9 any numeric.
       procedure division using standin the-path the-number.
           move 0 to the-number number-out
           call "si-zero" using standin the-path c-path
           if si-error
               goback
           end-if
           call "standin_count" using
               by value si-handle
               by reference c-path
               by reference number-out
               returning si-code
           move number-out to the-number
           call "si-after" using standin si-handle
           goback.
       end program si-count.

      * si-get-key PATH INDEX FIELD: the name of an entry of a map,
      * counted from 0. The value is at "path.#index".
       identification division.
       program-id. si-get-key.
       data division.
       working-storage section.
       01  c-path                  pic x(1024).
       01  buffer                  pic x(4096).
       01  capacity                binary-double value 4096.
       01  place                   binary-double.
       linkage section.
       copy "standin.cpy".
       01  the-path                pic x any length.
       01  the-index               pic s9 any numeric.
       01  the-field               pic x any length.
       procedure division using standin the-path the-index the-field.
           move spaces to the-field
           move 0 to si-length
           call "si-zero" using standin the-path c-path
           if si-error
               goback
           end-if
           move the-index to place
           call "standin_key" using
               by value si-handle
               by reference c-path
               by value place
               by reference buffer
               by value capacity
               by reference si-length
               returning si-code
           if si-ok and si-length > 0
               move buffer(1:si-length) to the-field
               if si-length > function length(the-field)
                   move 4 to si-code
               end-if
           end-if
           call "si-after" using standin si-handle
           goback.
       end program si-get-key.

      * si-get-json PATH FIELD: the value as JSON. None of it if the
      * field is too small (si-cut): half a JSON is of no use.
       identification division.
       program-id. si-get-json.
       data division.
       working-storage section.
       01  c-path                  pic x(1024).
       01  field-size              binary-double.
       linkage section.
       copy "standin.cpy".
       01  the-path                pic x any length.
       01  the-field               pic x any length.
       procedure division using standin the-path the-field.
           move spaces to the-field
           move 0 to si-length
           call "si-zero" using standin the-path c-path
           if si-error
               goback
           end-if
           move function length(the-field) to field-size
           call "standin_get_json" using
               by value si-handle
               by reference c-path
               by reference the-field
               by value field-size
               by reference si-length
               returning si-code
           if si-ok
               inspect the-field replacing all x"00" by space
           end-if
           if si-cut
               move spaces to the-field
           end-if
           call "si-after" using standin si-handle
           goback.
       end program si-get-json.

      * si-save-file PATH FILE-NAME: writes bytes or a text into a file.
       identification division.
       program-id. si-save-file.
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
               goback
           end-if
           call "standin_save_file" using
               by value si-handle
               by reference c-path
               by reference c-name
               returning si-code
           call "si-after" using standin si-handle
           goback.
       end program si-save-file.
