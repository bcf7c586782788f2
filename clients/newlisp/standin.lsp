; standin.lsp - the C functions of Standin for newLISP
;
; (load "standin.lsp")
; (standin:open "" "UTF-8" 10000)                   ; nil and (standin:error) if it fails
; (set 'result (standin:call "text.split" '(("text" "a;b") ("pattern" ";"))))
; (standin:text result "[1]")                        ; "b"
; (standin:close result)
;
; An association list becomes a map, another list a list, nil and true are themselves. Handles are whole numbers.

(context 'standin)

(set 'library (or (env "STANDIN_LIBRARY") "libstandin.so"))
(set 'client 0 'code 0)

; what each function takes behind its name; the return code is an int
(dolist (function '(
    ("standin_open_as" "char*" "char*" "char*" "long" "void*")
    ("standin_close" "long")
    ("standin_call_new" "long" "char*" "void*")
    ("standin_set_text" "long" "char*" "char*")
    ("standin_set_int" "long" "char*" "long")
    ("standin_set_number" "long" "char*" "double")
    ("standin_set_bool" "long" "char*" "int")
    ("standin_set_null" "long" "char*")
    ("standin_set_list" "long" "char*")
    ("standin_set_map" "long" "char*")
    ("standin_set_key" "long" "char*")
    ("standin_send" "long" "long")
    ("standin_wait" "long" "long")
    ("standin_type" "long" "char*" "void*")
    ("standin_count" "long" "char*" "void*")
    ("standin_key" "long" "char*" "long" "void*" "long" "void*")
    ("standin_get_text" "long" "char*" "void*" "long" "void*")
    ("standin_get_int" "long" "char*" "void*")
    ("standin_get_number" "long" "char*" "void*")
    ("standin_get_bool" "long" "char*" "void*")
    ("standin_callback" "long" "void*")
    ("standin_callback_method" "long" "void*" "long" "void*")
    ("standin_answer" "long")
    ("standin_fail" "long" "char*" "char*")
    ("standin_error_number" "long" "void*")
    ("standin_error_code" "long" "void*" "long" "void*")
    ("standin_error_outcome" "long" "void*" "long" "void*")
    ("standin_error_message" "long" "void*" "long" "void*")))
  (apply import (append (list library (first function) "int") (rest function))))

; room for a number that a function writes, and what is in it then
(define (room) (dup "\000" 8))
(define (number-in buffer kind) (first (unpack kind buffer)))

; calls a getter of texts twice: for the length, then for the text; a list would copy the buffers, so their addresses go in
(define (fetch function)
  (let (needed (room) buffer "")
    (set 'code (apply function (append (args) (list 0 0 (address needed)))))
    (set 'buffer (dup "\000" (+ 1 (number-in needed "Ld"))))
    (set 'code (apply function (append (args) (list (address buffer) (length buffer) (address needed)))))
    (get-string (address buffer))))

(define (standin:open endpoint code-page limit-ms)
  (let (handle (room))
    (set 'code (standin_open_as endpoint code-page "newlisp" limit-ms handle))
    (set 'client (number-in handle "Ld"))
    (and (zero? code) client)))

(define (standin:close handle) (zero? (standin_close handle)))

; puts a value at a path, lists and maps item by item
(define (put handle path value)
  (cond
    ((nil? value) (standin_set_null handle path))
    ((= value true) (standin_set_bool handle path 1))
    ((string? value) (standin_set_text handle path value))
    ((integer? value) (standin_set_int handle path value))
    ((float? value) (standin_set_number handle path value))
    ((and (list? value) (for-all is-entry value) (not (empty? value)))
      (dolist (entry value) (put handle (join-path path (entry 0)) (entry 1))))
    ((list? value)
      (standin_set_list handle path)
      (dolist (item value) (put handle (string path "[" $idx "]") item)))))

(define (is-entry item) (and (list? item) (= (length item) 2) (string? (item 0))))

(define (join-path path name)
  (let (quoted (string "'" (replace "'" (copy name) "''") "'"))
    (if (empty? path) quoted (string path "." quoted))))

; makes a call and waits for its end; answer-with is asked what workers ask: a function of method and question that
; gives (true value) or (nil code message). nil if it fails; the handle of the call is last-call.
(define (call method arguments (limit-ms 30000) (answer-with nil))
  (let (handle (room))
    (set 'code (standin_call_new client method handle))
    (set 'last-call (number-in handle "Ld"))
    (put last-call "" arguments)
    (let (mine last-call)
      (set 'code (standin_send mine limit-ms))
      (while (or (= code 1) (= code 2))
        (if (= code 2) (serve answer-with))
        (set 'code (standin_wait mine 1000)))
      (set 'last-call mine)
      (and (zero? code) mine))))

(define (serve answer-with)
  (let (handle (room) question 0 answer nil)
    (when (zero? (standin_callback client handle))
      (set 'question (number-in handle "Ld"))
      (set 'answer (if answer-with
        (answer-with (fetch standin_callback_method question) question)
        '(nil "unknown" "This program answers no questions.")))
      (if (answer 0)
        (begin (put question "" (answer 1)) (standin_answer question))
        (standin_fail question (answer 1) (answer 2)))
      (standin_close question))))

(define (text handle path) (fetch standin_get_text handle path))
(define (key handle path place) (fetch standin_key handle path place))
(define (kind handle path) (let (out (room)) (set 'code (standin_type handle path out)) (number-in out "ld")))
(define (entries handle path) (let (out (room)) (set 'code (standin_count handle path out)) (number-in out "Ld")))
(define (whole handle path) (let (out (room)) (set 'code (standin_get_int handle path out)) (number-in out "Ld")))
(define (fraction handle path) (let (out (room)) (set 'code (standin_get_number handle path out)) (number-in out "lf")))
(define (flag handle path) (let (out (room)) (set 'code (standin_get_bool handle path out)) (= 1 (number-in out "ld"))))

; what went wrong last with a handle: number, code, outcome, sentence
(define (error handle)
  (let (out (room))
    (standin_error_number handle out)
    (list (number-in out "ld") (fetch standin_error_code handle) (fetch standin_error_outcome handle)
      (fetch standin_error_message handle))))

(context MAIN)
