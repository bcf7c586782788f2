      * mail.cob - sends an order, as text and attached, through a mail
      * server that wants TLS and a login.
      *
      *     mail PORT AUTHORITY-FILE ORDER-FILE RECIPIENT...
       identification division.
       program-id. mail.
       environment division.
       input-output section.
       file-control.
           select orders assign to order-name
               organization line sequential file status file-state.
       data division.
       file section.
       fd  orders.
       01  order-line              pic x(128).
       working-storage section.
       copy "standin.cpy".
       01  authority-name          pic x(256).
       01  order-name              pic x(256).
       01  recipient               pic x(128).
       01  port-text               pic x(8).
       01  port                    pic 9(5).
       01  file-state              pic xx.
       01  line-used               pic 9(4).
       01  address-text            pic x(128).
       01  message-id              pic x(128).
       01  accepted                pic 9(4).
       01  refused                 pic 9(4).
       01  reply-code              pic 9(3).
       01  item                    pic 9(4).
       01  path                    pic x(64).
       procedure division.
           accept port-text from argument-value
           accept authority-name from argument-value
           accept order-name from argument-value
           move function numval(port-text) to port
           move "cobol-mail" to si-program
           call "si-open" using standin
           perform stop-on-error

           call "si-begin" using standin "mail.send"
           call "si-set-text" using standin "server.host" "localhost"
           call "si-set-int" using standin "server.port" port
           call "si-set-text" using standin "server.tls"
               "starttls_required"
           call "si-set-text" using standin "server.user" "anna"
           call "si-set-text" using standin "server.password" "geheim"
           call "si-set-file" using standin "server.ca_pem"
               authority-name
           call "si-set-text" using standin "from"
               "Anna <anna@example.org>"
           accept recipient from argument-value
           perform until recipient = spaces
               call "si-set-text" using standin "to[]" recipient
               move spaces to recipient
               accept recipient from argument-value
           end-perform
           call "si-set-text" using standin "subject"
               "Ihre Bestellung für Herrn Müller"
           perform add-lines
           call "si-set-text" using standin "attachments[0].name"
               "order.txt"
           call "si-set-file" using standin "attachments[0].content"
               order-name
           perform stop-on-error
           call "si-key" using standin order-name
           call "si-send" using standin
           perform stop-on-error

           call "si-get-text" using standin "message_id" message-id
           display "sent " function trim(message-id)
           call "si-count" using standin "accepted" accepted
           perform varying item from 0 by 1 until item >= accepted
               move spaces to path
               string "accepted[" item "]" delimited by size into path
               call "si-get-text" using standin path address-text
               display "accepted " function trim(address-text)
           end-perform
           call "si-count" using standin "rejected" refused
           perform varying item from 0 by 1 until item >= refused
               move spaces to path
               string "rejected[" item "].address"
                   delimited by size into path
               call "si-get-text" using standin path address-text
               move spaces to path
               string "rejected[" item "].code"
                   delimited by size into path
               call "si-get-int" using standin path reply-code
               display "rejected " function trim(address-text) " "
                   reply-code
           end-perform
           call "si-close" using standin
           stop run.

       add-lines.
           open input orders
           if file-state not = "00"
               display "cannot read " function trim(order-name)
               stop run returning 2
           end-if
           perform until exit
               read orders at end exit perform end-read
               move function stored-char-length(order-line)
                   to line-used
               add 1 to line-used
               move x"0a" to order-line(line-used:1)
               call "si-append-text" using standin "text"
                   order-line line-used
           end-perform
           close orders.

       stop-on-error.
           if si-error
               display "error " function trim(si-error-code) " "
                   function trim(si-error-outcome) ": "
                   function trim(si-error-message)
               call "si-close" using standin
               stop run returning 1
           end-if.
