      * letters.cob - has a worker write letters, and answers its
      * questions from an indexed file while the call is pending.
      *
      *     letters NUMBER...   (the customers to write to)
       identification division.
       program-id. letters.
       environment division.
       input-output section.
       file-control.
           select customers assign to "customers.dat"
               organization indexed access dynamic
               record key customer-number
               alternate record key customer-city with duplicates
               file status file-state.
       data division.
       file section.
       fd  customers.
       01  customer.
           05  customer-number     pic 9(6).
           05  customer-name       pic x(30).
           05  customer-city       pic x(20).
           05  customer-owes       pic s9(7)v99 comp-3.
       working-storage section.
       copy "standin.cpy".
       01  file-state              pic xx.
       01  number-text             pic x(8).
       01  number-asked            pic 9(6).
       01  letter                  pic x(200).
       01  path                    pic x(64).
       01  item                    pic 9(4).
       01  items                   pic 9(4).
       01  questions               pic 9(4) value 0.
       01  city                    pic x(20).
       01  encoded                 pic x(128).
       procedure division.
           perform make-file
           open input customers
           move "cobol-letters" to si-program
           call "si-open" using standin
           perform stop-on-error

           call "si-begin" using standin "letters.write"
           accept number-text from argument-value
           perform until number-text = spaces
               move function numval(number-text) to number-asked
               call "si-set-int" using standin "numbers[]" number-asked
               move spaces to number-text
               accept number-text from argument-value
           end-perform
           call "si-send" using standin
           perform answer-question until not si-asked
           perform stop-on-error

           call "si-count" using standin " " items
           perform varying item from 0 by 1 until item >= items
               move spaces to path
               string "[" item "]" delimited by size into path
               call "si-get-text" using standin path letter
               display function trim(letter)
           end-perform
           display "questions " questions
           close customers
           call "si-close" using standin
           stop run.

       answer-question.
           add 1 to questions
           evaluate si-question
               when "customer.read"
                   perform read-customer
               when "customer.neighbours"
                   perform read-neighbours
               when other
                   call "si-refuse" using standin "question.unknown"
                       "This program does not know the question."
           end-evaluate.

       read-customer.
           call "si-get-int" using standin "number" customer-number
           read customers key customer-number
               invalid key
                   call "si-refuse" using standin "record.missing"
                       "There is no such customer."
               not invalid key
                   call "si-set-text" using standin "name" customer-name
                   call "si-set-text" using standin "city" customer-city
                   call "si-set-number" using standin "owes"
                       customer-owes
                   call "si-answer" using standin
           end-read.

      * All customers of a city, by the other key. Its name is written
      * in capitals by a call of our own, while the question is open.
       read-neighbours.
           call "si-get-text" using standin "city" city
           call "si-begin" using standin "text.template"
           call "si-set-text" using standin "template"
               "{{ city | upper }}"
           call "si-set-text" using standin "values.city" city
           call "si-send" using standin
           move spaces to encoded
           if si-ok
               call "si-get-text" using standin " " encoded
           end-if
           call "si-back" using standin
           call "si-set-text" using standin "city" encoded
           call "si-set-list" using standin "names"
           move city to customer-city
           start customers key = customer-city
               invalid key move "23" to file-state
           end-start
           perform until file-state not = "00" and not = "02"
               read customers next at end exit perform end-read
               if customer-city not = city
                   exit perform
               end-if
               call "si-set-text" using standin "names[]" customer-name
           end-perform
           call "si-answer" using standin.

       make-file.
           open output customers
           move 17 to customer-number
           move "Ada Ünal" to customer-name
           move "Köln" to customer-city
           move 12.5 to customer-owes
           perform write-customer
           move 42 to customer-number
           move "Ben Okri" to customer-name
           move "Köln" to customer-city
           move -3.25 to customer-owes
           perform write-customer
           move 99 to customer-number
           move "Cleo Marsh" to customer-name
           move "Hull" to customer-city
           move 0 to customer-owes
           perform write-customer
           close customers.

       write-customer.
           write customer
           if file-state not = "00" and not = "02"
               display "cannot write customers.dat: " file-state
               stop run returning 2
           end-if.

       stop-on-error.
           if si-error
               display "error " function trim(si-error-code) " "
                   function trim(si-error-outcome) ": "
                   function trim(si-error-message)
               call "si-close" using standin
               stop run returning 1
           end-if.
