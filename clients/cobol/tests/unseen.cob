      * unseen.cob - a program that looks for an error only once, behind
      * its call, as the README begins.
       identification division.
       program-id. unseen.
       data division.
       working-storage section.
       copy "standin.cpy".
       procedure division.
           call "si-open" using standin
           call "si-begin" using standin "text.find"
           call "si-set-text" using standin "text" "a1"
           call "si-set-text" using standin "pattern" "[0-9]"
           call "si-key" using standin "unseen-1"
           call "si-send" using standin
           if si-error
               display function trim(si-error-code) " "
                   function trim(si-error-outcome)
               display function trim(si-error-message)
           end-if
           call "si-close" using standin
           stop run.
