; letters.lsp - everything of standin.lsp once: builds and reads all types, makes a mistake, and answers questions

;
;     newlisp -n letters.lsp FOLDER-OF-standin.lsp

(load (append (main-args 3) "/standin.lsp"))

(define (stop what)
  (println "stopped: " what " " standin:code " " (standin:error standin:last-call))
  (exit 1))

(unless (standin:open "" "ISO8859-1" 10000)
  (println "error " (standin:error standin:client))
  (exit 1))

; all types, there and back: JSON is written from them and read again
(set 'written (standin:call "text.json_write" (list (list "value" (list
  (list "name" "\220nal") (list "count" 4200000000) (list "price" 12.5) (list "open" true) (list "nothing" nil)
  (list "parts" (list "a" 2 (list (list "deep" "er")))) (list "odd.name's" 1))))))
(unless written (stop "json_write"))
(set 'back (standin:call "text.json_parse" (list (list "text" (standin:text written "")))))
(unless back (stop "json_parse"))
(println "name " (= (standin:text back "name") "\220nal"))
(println "count " (standin:whole back "count") " price " (standin:fraction back "price") " open "
  (standin:flag back "open"))
(println "kinds " (map (fn (path) (standin:kind back path)) '("name" "count" "price" "open" "nothing" "parts" "" "no")))
(println "keys " (map (fn (place) (standin:key back "" place)) (sequence 0 (- (standin:entries back "") 1))))
(println "parts " (standin:entries back "parts") " " (standin:text back "parts[1]") " "
  (standin:text back "parts[2].deep"))
(println "odd " (standin:whole back "'odd.name''s'") " and " (standin:text back "#6"))
(println "missing " (standin:text back "nobody.here") " " standin:code)
(println "wrong " (standin:whole back "name") " " standin:code)
(println "closed " (standin:close written) " " (standin:close back) " again " (standin:close back))

; an error of a worker, and one of this program
(println "pattern " (standin:call "text.match" '(("text" "a") ("pattern" "("))) " " (0 3 (standin:error standin:last-call)))
(println "method " (standin:call "no.such" '()) " " (0 3 (standin:error standin:last-call)))

; questions
(set 'customers '((42 "Ben Okri" "K\246ln" -3.25) (17 "Ada \220nal" "K\246ln" 12.5)))
(define (answer method question)
  (case method
    ("customer.read"
      (let (found (assoc (standin:whole question "number") customers))
        (if found
          (list true (list (list "name" (found 1)) (list "city" (found 2)) (list "owes" (found 3))))
          '(nil "record.missing" "There is no such customer."))))
    ("customer.neighbours"
      (let (city (standin:text question "city") upper nil)
        ; a call of our own while the question is open
        (set 'upper (standin:call "text.template" (list (list "template" "{{ c | upper }}")
          (list "values" (list (list "c" city))))))
        (list true (list (list "city" (standin:text upper ""))
          (list "names" (map (fn (one) (one 1)) (filter (fn (one) (= (one 2) city)) customers)))))))
    (true '(nil "question.unknown" "This program does not know the question."))))
(set 'letters (standin:call "letters.write" '(("numbers" (17 5)) ("odd" true)) 30000 answer))
(unless letters (stop "letters.write"))
(dotimes (place (standin:entries letters ""))
  (println "letter " (standin:text letters (string "[" place "]"))))
(standin:close standin:client)
(exit 0)
