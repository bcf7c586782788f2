;;; A worker of Standin in Common Lisp, by hand and whole: MessagePack, the hello, calls, an effect, progress, a question.
;;; For ECL, which has sockets in the box:
;;;     [pools.lisp]
;;;     command = ["ecl", "--norc", "--shell", "/opt/standin/worker.lisp"]
;;; A list is a list, a map is (:map ("name" . value) ...), nil and the truth are :null, :true and :false, bytes are a vector.

(require :sockets)

(defvar *pipe*
  (let ((socket (make-instance 'sb-bsd-sockets:local-socket :type :stream)))
    (sb-bsd-sockets:socket-connect socket (ext:getenv "STANDIN_WORKER_ENDPOINT"))
    (sb-bsd-sockets:socket-make-stream socket :element-type '(unsigned-byte 8) :input t :output t :buffering :full)))

;;; MessagePack, what there is of it

(defun to-utf-8 (text)
  (let ((bytes (make-array (length text) :element-type '(unsigned-byte 8) :fill-pointer 0 :adjustable t)))
    (loop for letter across text
          for code = (char-code letter)
          for tails = (cond ((< code #x80) 0) ((< code #x800) 1) ((< code #x10000) 2) (t 3))
          do (vector-push-extend (if (= tails 0) code (logior (aref #(0 #xc0 #xe0 #xf0) tails) (ash code (* -6 tails)))) bytes)
             (loop for tail from (1- tails) downto 0
                   do (vector-push-extend (logior #x80 (ldb (byte 6 (* 6 tail)) code)) bytes)))
    bytes))

(defun from-utf-8 (bytes)
  (with-output-to-string (text)
    (loop with at = 0
          while (< at (length bytes))
          do (let* ((first (aref bytes at))
                    (tails (cond ((< first #x80) 0) ((< first #xe0) 1) ((< first #xf0) 2) (t 3)))
                    (code (logand first (aref #(#x7f #x1f #x0f #x07) tails))))
               (loop repeat tails do (setf code (logior (ash code 6) (logand #x3f (aref bytes (incf at))))))
               (write-char (code-char code) text)
               (incf at)))))

(defun put (number bytes)
  (loop for shift from (* 8 (1- bytes)) downto 0 by 8 do (write-byte (ldb (byte 8 shift) number) *pipe*)))

(defun pack-double (number)
  (multiple-value-bind (mantissa exponent sign) (integer-decode-float (coerce number 'double-float))
    (let ((bits (if (zerop mantissa) 0 (logior (ash (+ exponent 1075) 52) (ldb (byte 52 0) mantissa)))))
      (put #xcb 1)
      (put (if (minusp sign) (logior bits (ash 1 63)) bits) 8))))

(defun pack (value)
  (cond ((eq value :null) (put #xc0 1))
        ((eq value :false) (put #xc2 1))
        ((eq value :true) (put #xc3 1))
        ((and (integerp value) (<= 0 value)) (put #xcf 1) (put value 8))
        ((integerp value) (put #xd3 1) (put (ldb (byte 64 0) value) 8))
        ((realp value) (pack-double value))
        ((stringp value) (let ((bytes (to-utf-8 value))) (put #xdb 1) (put (length bytes) 4) (write-sequence bytes *pipe*)))
        ((vectorp value) (put #xc6 1) (put (length value) 4) (write-sequence value *pipe*))
        ((and (consp value) (eq (first value) :map))
         (put #xdf 1)
         (put (length (rest value)) 4)
         (loop for (name . entry) in (rest value) do (pack name) (pack entry)))
        ((listp value) (put #xdd 1) (put (length value) 4) (mapc #'pack value))
        (t (error "~s has no place in a message" value))))

(defun get-number (bytes)
  (loop with number = 0 repeat bytes do (setf number (+ (ash number 8) (read-byte *pipe*))) finally (return number)))

(defun get-signed (bytes)
  (let ((number (get-number bytes)))
    (if (logbitp (1- (* 8 bytes)) number) (- number (ash 1 (* 8 bytes))) number)))

(defun get-bytes (count)
  (let ((bytes (make-array count :element-type '(unsigned-byte 8))))
    (loop for at below count do (setf (aref bytes at) (read-byte *pipe*)))
    bytes))

(defun get-double ()                                ; what is no number cannot come: JSON and 4GLs have none
  (let* ((bits (get-number 8)) (exponent (ldb (byte 11 52) bits)) (fraction (ldb (byte 52 0) bits)))
    (* (if (logbitp 63 bits) -1 1)
       (if (zerop exponent)
           (scale-float (coerce fraction 'double-float) -1074)
           (scale-float (coerce (logior fraction (ash 1 52)) 'double-float) (- exponent 1075))))))

(defun get-list (count) (loop repeat count collect (unpack)))
(defun get-map (count) (cons :map (loop repeat count collect (let ((name (unpack))) (cons name (unpack))))))
(defun get-text (count) (from-utf-8 (get-bytes count)))

(defun unpack ()
  (let ((first (get-number 1)))
    (cond ((<= first #x7f) first)
          ((<= first #x8f) (get-map (- first #x80)))
          ((<= first #x9f) (get-list (- first #x90)))
          ((<= first #xbf) (get-text (- first #xa0)))
          ((>= first #xe0) (- first 256))
          (t (ecase first
               (#xc0 :null) (#xc2 :false) (#xc3 :true)
               (#xc4 (get-bytes (get-number 1))) (#xc5 (get-bytes (get-number 2))) (#xc6 (get-bytes (get-number 4)))
               (#xcb (get-double))
               (#xcc (get-number 1)) (#xcd (get-number 2)) (#xce (get-number 4)) (#xcf (get-number 8))
               (#xd0 (get-signed 1)) (#xd1 (get-signed 2)) (#xd2 (get-signed 4)) (#xd3 (get-signed 8))
               (#xd9 (get-text (get-number 1))) (#xda (get-text (get-number 2))) (#xdb (get-text (get-number 4)))
               (#xdc (get-list (get-number 2))) (#xdd (get-list (get-number 4)))
               (#xde (get-map (get-number 2))) (#xdf (get-map (get-number 4))))))))

;;; The wire: docs/WORKERS.md

(defvar *draining* nil)

(defun send (message)
  (pack message)
  (finish-output *pipe*))

(defun wire-error (number code outcome sentence)
  (list number sentence (list :map (cons "code" code) (cons "outcome" outcome))))

(define-condition refused (error) ((answer :initarg :answer :reader answer)))

(defun ask (method &rest params)
  "Asks the service. One call is served at a time, so the next answer is this one."
  (send (list 0 1 method params))
  (loop for (kind name error result) = (unpack)
        do (cond ((eql kind 1)
                  (unless (eq error :null) (error 'refused :answer error))
                  (return result))
                 ((equal name "worker.drain") (setf *draining* t)))))

(defun begin-effect (attempt)
  (unless (eq (ask "effect.begin" attempt) :true)
    (error 'refused :answer (wire-error 8 "cancelled" "not_executed" "The call was taken back before it had any effect."))))

(defun argument (arguments name)
  (or (cdr (assoc name (rest arguments) :test #'equal))
      (error 'refused :answer (wire-error 4 "invalid_params" "not_executed" (format nil "The argument \"~a\" is missing." name)))))

;;; What it can do. Each takes the attempt and a map of arguments.

(defun sum (attempt arguments)
  (declare (ignore attempt))
  (reduce #'+ (argument arguments "numbers")))

(defun total (attempt arguments)
  "Asks the program that called what each article costs, and says how far it is."
  (loop for article in (argument arguments "articles")
        for done from 1
        sum (ask "client.call" attempt "price" (list (list :map (cons "article" article))))
        do (send (list 2 "request.progress" (list attempt (list :map (cons "done" done)))))))

(defun append-line (attempt arguments)
  (let ((file (argument arguments "file")) (line (argument arguments "line")))
    (begin-effect attempt)                          ; from here on the call is not replayed
    (with-open-file (out file :direction :output :if-exists :append :if-does-not-exist :create
                              :element-type '(unsigned-byte 8))
      (write-sequence (to-utf-8 (format nil "~a~%" line)) out))
    :true))

(defvar *methods*
  (list (list "lisp.sum" #'sum "always" "Adds numbers.")
        (list "lisp.total" #'total "always" "Adds up what articles cost; the program that calls knows the prices.")
        (list "lisp.append" #'append-line "until_effect" "Appends a line to a file.")))

(defun serve (attempt method params)
  (let ((arguments (if (eq (first params) :map) params (first params))))
    (send (handler-case
              (list 1 attempt :null (funcall (second (assoc method *methods* :test #'equal)) attempt arguments))
            (refused (refused) (list 1 attempt (answer refused) :null))
            (end-of-file () (ext:quit 0))           ; the service is gone
            (error (problem)
              (list 1 attempt (wire-error 1001 "lisp.error" "unknown" (format nil "It went wrong: ~a" problem)) :null))))))

(defun hello ()
  (loop for (name nil replay doc) in *methods*
        collect (list :map (cons "name" name) (cons "replay" replay) (cons "doc" doc)) into methods
        finally (ask "worker.hello" (list :map (cons "token" (ext:getenv "STANDIN_WORKER_TOKEN")) (cons "name" "worker.lisp")
                                               (cons "version" "1") (cons "concurrency" 1) (cons "methods" methods)))))

(handler-case
    (progn
      (hello)
      (loop until *draining*
            do (destructuring-bind (kind id &optional method params meta) (unpack)
                 (declare (ignore meta))
                 (cond ((equal id "worker.drain") (setf *draining* t))
                       ((eql kind 0) (serve id method params))))))
  (end-of-file () nil))
(ext:quit 0)
