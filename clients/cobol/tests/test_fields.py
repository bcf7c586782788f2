"""Values find their way to fields of COBOL and back, and mistakes are told."""

from conftest import COMPILED, plain


def test_values_keep_their_meaning_in_fields_and_mistakes_are_told(service, tmp_path):
    said, code = service.run([COMPILED / "fields"])
    assert code == 0, said
    assert plain(said) == [
        "parsed 0",
        # No character is split, and the field says how long the text is.
        "four [ÄÖ] 4 6",
        "twenty [ÄÖÜ              ] 0",
        "number as text [123                 ]",
        "null [                    ] 6",
        "missing [                    ] 5",
        "json [[1,2]               ] 0",
        "long json [                    ] 4",
        "two digits 4",
        "large 123 0",
        "money -12.35 0",
        "fraction as whole -4 wrong_type",
        "number as bool -4",
        "decoded [üüA               ] 0",
        "bytes [A] 1 of 2",
        "saved 0",
        "set after the end bad_state executed",
        "parts 303 bytes 5994 last [efgüabcdefgü]",
        "whole 0 5994 abcdefgü",
        "wrong path not_executed",
        "no character -5 executed",
        "no number -4 executed",
        "long path to read -2 executed",
        "not saved -12 executed",
        "not ended -6 unknown",
        "mistake -3 bad_path",
        "long path -2 The text is too long: aa not_executed",
        "bad text -5 bad_text",
        "no question -6",
        "nothing to wait for -6",
        "waited 1",
        "taken back 3 cancelled",
        "done 0",
        "after close: bad_handle",
    ]
    assert (tmp_path / "saved.bin").read_bytes() == b"\xfcA"
