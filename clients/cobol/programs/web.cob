      * web.cob - reads its settings, asks a web server for prices, and
      * posts an order.
      *
      *     web SETTINGS-FILE (an INI file with [shop] url, tax)
       identification division.
       program-id. web.
       data division.
       working-storage section.
       copy "standin.cpy".
       copy "standin-codes.cpy".
       01  settings-name           pic x(256).
       01  shop-url                pic x(128).
       01  tax                     pic 99v99.
       01  sections                pic 9(4).
       01  names                   pic 9(4).
       01  kind                    pic 9.
       01  http-status             pic 9(3).
       01  body                    pic x(4096).
       01  address-text            pic x(256).
       01  article                 pic x(40).
       01  price                   pic 9(5)v99.
       01  price-shown             pic z(4)9.99.
       01  amount                  pic s9(5)v99.
       01  item                    pic 9(4).
       01  items                   pic 9(4).
       01  inner-item              pic 9(4).
       01  entry-name              pic x(40).
       01  entry-value             pic x(128).
       01  path                    pic x(64).
       procedure division.
           accept settings-name from argument-value
           move "cobol-web" to si-program
           call "si-open" using standin
           perform stop-on-error
           perform read-settings
           perform ask-prices
           perform post-order
           perform ask-nobody
           call "si-close" using standin
           stop run.

      * The file is read with this program's rights; its names are asked
      * for by place.
       read-settings.
           call "si-begin" using standin "config.parse"
           call "si-set-text" using standin "format" "ini"
           call "si-set-file" using standin "content" settings-name
           perform stop-on-error
           call "si-send" using standin
           perform stop-on-error
           call "si-count" using standin " " sections
           perform varying item from 0 by 1 until item >= sections
               call "si-get-key" using standin " " item entry-name
               display "[" function trim(entry-name) "]"
               move spaces to path
               string "#" item delimited by size into path
               call "si-count" using standin path names
               perform varying inner-item from 0 by 1
                   until inner-item >= names
                   call "si-get-key" using standin path inner-item
                       entry-name
                   perform show-setting
               end-perform
           end-perform
           call "si-get-text" using standin "shop.url" shop-url
           perform stop-on-error
           call "si-get-text" using standin "shop.tax" entry-value
           move function numval(entry-value) to tax
           call "si-get-text" using standin "shop.colour" entry-value
           if si-missing
               display "no colour is set"
           end-if.

       show-setting.
           move spaces to address-text
           string "#" item ".#" inner-item delimited by size
               into address-text
           call "si-get-text" using standin address-text entry-value
           display function trim(entry-name) "="
               function trim(entry-value).

       ask-prices.
           call "si-begin" using standin "http.request"
           move spaces to address-text
           string function trim(shop-url) "/prices"
               delimited by size into address-text
           call "si-set-text" using standin "url" address-text
           call "si-set-text" using standin "headers.X-Shop" "COBOL"
           call "si-set-int" using standin "query.year" 2026
           call "si-send" using standin
           perform stop-on-error
           call "si-get-int" using standin "status" http-status
           call "si-get-text" using standin "text" body
           display "prices: " http-status

           call "si-begin" using standin "text.json_parse"
           call "si-set-text" using standin "text" body
           call "si-send" using standin
           perform stop-on-error
           call "si-count" using standin "prices" items
           perform varying item from 0 by 1 until item >= items
               move spaces to path
               string "prices[" item "].article"
                   delimited by size into path
               call "si-get-text" using standin path article
               move spaces to path
               string "prices[" item "].price"
                   delimited by size into path
               call "si-get-type" using standin path kind
               if kind not = standin-type-number
                   display "the price is no number: " kind
               end-if
               call "si-get-number" using standin path price
               move price to price-shown
               display function trim(article) " "
                   function trim(price-shown)
           end-perform.

       post-order.
           compute amount rounded = price + price * tax / 100
           call "si-begin" using standin "http.request"
           move spaces to address-text
           string function trim(shop-url) "/orders"
               delimited by size into address-text
           call "si-set-text" using standin "url" address-text
           call "si-set-text" using standin "method" "post"
           call "si-set-text" using standin "json.article" article
           call "si-set-number" using standin "json.amount" amount
           call "si-set-bool" using standin "json.express" 1
           call "si-set-null" using standin "json.remark"
           call "si-set-list" using standin "json.parts"
           call "si-send" using standin
           perform stop-on-error
           call "si-get-int" using standin "status" http-status
           call "si-get-text" using standin "text" body
           display "order: " http-status " " function trim(body).

      * What an error looks like: nobody listens at that port.
       ask-nobody.
           call "si-begin" using standin "http.request"
           call "si-set-text" using standin "url" "http://127.0.0.1:1/"
           call "si-send" using standin
           display "nobody: " si-error-number " "
               function trim(si-error-code) " "
               function trim(si-error-outcome) " "
               function trim(si-error-message).

       stop-on-error.
           if si-error
               display "error " function trim(si-error-code) " "
                   function trim(si-error-outcome) ": "
                   function trim(si-error-message)
               call "si-close" using standin
               stop run returning 1
           end-if.
