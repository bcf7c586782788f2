      * standin-codes.cpy - what the numbers of standin.h are called.
      * For programs that call the C functions themselves; those that
      * use the entries si-... have the conditions of standin.cpy.

       78  standin-ok                 value 0.
       78  standin-pending            value 1.
       78  standin-callback           value 2.
       78  standin-failed             value 3.
       78  standin-too-small          value 4.
       78  standin-missing            value 5.
       78  standin-null               value 6.
       78  standin-bad-handle         value -1.
       78  standin-bad-argument       value -2.
       78  standin-bad-path           value -3.
       78  standin-wrong-type         value -4.
       78  standin-bad-text           value -5.
       78  standin-bad-state          value -6.
       78  standin-too-deep           value -7.
       78  standin-not-running        value -8.
       78  standin-busy               value -9.
       78  standin-denied             value -10.
       78  standin-lost               value -11.
       78  standin-file               value -12.
       78  standin-range              value -13.
       78  standin-limit              value -14.
       78  standin-panic              value -99.
       78  standin-type-missing       value 0.
       78  standin-type-null          value 1.
       78  standin-type-bool          value 2.
       78  standin-type-int           value 3.
       78  standin-type-number        value 4.
       78  standin-type-text          value 5.
       78  standin-type-bytes         value 6.
       78  standin-type-list          value 7.
       78  standin-type-map           value 8.
