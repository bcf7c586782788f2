      * fields.cob - what happens to values on the way to fields of
      * COBOL and back, and to calls that are not simply sent.
       identification division.
       program-id. fields.
       data division.
       working-storage section.
       copy "standin.cpy".
       01  four                    pic x(4).
       01  twenty                  pic x(20).
       01  long-text               pic x(6000).
       01  long-path               pic x(2000) value all "a".
       01  two-digits              pic 99.
       01  money                   pic s9(5)v99 comp-3.
       01  money-shown             pic -(5)9.99.
       01  large                   binary-double.
       01  place                   binary-long.
       01  sum-of-parts            binary-long value 0.
       procedure division.
           call "si-open" using standin
           if si-error
               display "cannot open: " si-error-message
               stop run returning 1
           end-if
           perform build-json
           perform read-texts
           perform read-numbers
           perform move-bytes
           perform long-texts
           perform outcomes
           perform mistakes
           perform take-back
           call "si-close" using standin
           call "si-begin" using standin "standin.ping"
           display "after close: " function trim(si-error-code)
           stop run.

       build-json.
           call "si-begin" using standin "text.json_parse"
           call "si-set-text" using standin "text"
             '{"u": "ÄÖÜ", "n": 123, "m": -12.345, ' &
             '"z": null, "l": [1,2]}'
           call "si-idempotent" using standin
           call "si-send" using standin
           display "parsed " si-code.

       read-texts.
           call "si-get-text" using standin "u" four
           display "four [" four "] " si-code " " si-length
           call "si-get-text" using standin "u" twenty
           display "twenty [" twenty "] " si-code
           call "si-get-text" using standin "n" twenty
           display "number as text [" twenty "]"
           call "si-get-text" using standin "z" twenty
           display "null [" twenty "] " si-code
           call "si-get-text" using standin "x.y" twenty
           display "missing [" twenty "] " si-code
           call "si-get-json" using standin "l" twenty
           display "json [" twenty "] " si-code
           call "si-get-json" using standin " " twenty
           display "long json [" twenty "] " si-code.

       read-numbers.
           call "si-get-int" using standin "n" two-digits
           display "two digits " si-code
           call "si-get-int" using standin "n" large
           display "large " large " " si-code
           call "si-get-number" using standin "m" money
           move money to money-shown
           display "money " function trim(money-shown) " " si-code
           call "si-get-int" using standin "m" large
           display "fraction as whole " si-code " "
               function trim(si-error-code)
           call "si-get-bool" using standin "n" two-digits
           display "number as bool " si-code.

      * Bytes go in and come out in pieces, and into a file.
       move-bytes.
           call "si-begin" using standin "text.decode"
           call "si-append-bytes" using standin "bytes" x"8181" 2
           call "si-append-bytes" using standin "bytes" x"41" 1
           call "si-set-text" using standin "codepage" "ibm850"
           call "si-send" using standin
           call "si-get-text" using standin " " twenty
           display "decoded [" twenty "] " si-code
           call "si-begin" using standin "text.encode"
           call "si-set-text" using standin "text" "üA"
           call "si-set-text" using standin "codepage" "1252"
           call "si-send" using standin
           move spaces to four
           call "si-get-bytes" using standin " " 1 four
           display "bytes [" four(1:1) "] " si-part " of " si-length
           call "si-save-file" using standin " " "saved.bin"
           display "saved " si-code
           call "si-set-text" using standin "text" "too late"
           display "set after the end " function trim(si-error-code)
               " " function trim(si-error-outcome).

      * What cannot be read was executed all the same, and a program
      * that repeats what was not must not repeat it.
       outcomes.
           move "ISO8859-1" to si-code-page
           call "si-close" using standin
           call "si-open" using standin
           call "si-begin" using standin "text.replace"
           call "si-set-int" using standin "text[" 1
           display "wrong path " function trim(si-error-outcome)
           call "si-begin" using standin "text.decode"
           call "si-set-text" using standin "codepage" "1252"
           call "si-append-bytes" using standin "bytes" x"80" 1
           call "si-send" using standin
           call "si-get-text" using standin " " twenty
           display "no character " si-code " "
               function trim(si-error-outcome)
           call "si-get-int" using standin " " large
           display "no number " si-code " "
               function trim(si-error-outcome)
           call "si-get-text" using standin long-path twenty
           display "long path to read " si-code " "
               function trim(si-error-outcome)
           call "si-save-file" using standin " " "no/such/folder"
           display "not saved " si-code " "
               function trim(si-error-outcome)
           call "si-begin" using standin "chaos.always"
           call "si-set-int" using standin "work_ms" 20000
           call "si-start" using standin
           call "si-get-text" using standin " " twenty
           display "not ended " si-code " "
               function trim(si-error-outcome)
           move "UTF-8" to si-code-page
           call "si-close" using standin
           call "si-open" using standin.

       long-texts.
           move all "abcdefgü" to long-text
           call "si-begin" using standin "text.template"
           call "si-set-text" using standin "template" "{{ a.t }}"
           call "si-set-map" using standin "values"
           call "si-set-json" using standin "values.a" '{"k": 1}'
           call "si-append-text" using standin "values.a.t"
               long-text 5994
           call "si-send" using standin
           move spaces to long-text
           move 0 to large
           perform with test after until large >= si-length
               call "si-get-part" using standin " " large twenty
               add si-part to large
               add 1 to sum-of-parts
           end-perform
           display "parts " sum-of-parts " bytes " large " last ["
               twenty(1:si-part) "]"
           call "si-get-text" using standin " " long-text
           display "whole " si-code " " si-length " "
               long-text(5986:9).

      * The first mistake counts, and nothing is sent.
       mistakes.
           call "si-begin" using standin "text.match"
           call "si-set-text" using standin "text[" "a"
           call "si-set-text" using standin long-path "a"
           call "si-send" using standin
           display "mistake " si-code " " function trim(si-error-code)
           call "si-begin" using standin "text.match"
           call "si-set-text" using standin long-path "a"
           call "si-send" using standin
           display "long path " si-code " "
               function trim(si-error-message)(1:24) " "
               function trim(si-error-outcome)
           call "si-begin" using standin "text.match"
           call "si-set-text" using standin "text" x"41ff"
           call "si-start" using standin
           display "bad text " si-code " " function trim(si-error-code)
           call "si-answer" using standin
           display "no question " si-code
           call "si-wait-any" using standin 10
           display "nothing to wait for " si-code.

       take-back.
           call "si-begin" using standin "chaos.always"
           call "si-set-int" using standin "work_ms" 20000
           call "si-start" using standin
           call "si-wait" using standin 50
           display "waited " si-code
           call "si-cancel" using standin
           perform until not si-pending and not si-ok
               call "si-wait" using standin 1000
           end-perform
           display "taken back " si-code " "
               function trim(si-error-code)
           call "si-done" using standin
           display "done " si-code.
