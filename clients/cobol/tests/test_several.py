"""Many calls go in one batch, and a long one is watched on its way."""

from conftest import COMPILED, plain


def test_a_batch_has_an_answer_to_each_call_and_a_long_call_tells_how_far_it_is(service):
    said, code = service.run([COMPILED / "several"])
    assert code == 0, said
    assert plain(said) == [
        "before the end -6 bad_state",
        "batch 0",
        "member 040 3 method_not_found not_executed",
        "closed by the next -1",
        "the last is open 0",
        "sum 5010 failures 1",
        "letters 0",
        "Dear 1. You owe nothing. In HULL live: Ada.",
        "Dear 2. You owe nothing. In HULL live: Ada.",
        "not added -3 0",
        "added 0",
        "not sent -3 bad_path",
        "another here  0",
        "started 0",
        "waited 1",
        # Each of its calls has an end of its own.
        "ended 0",
        "with its calls 3 cancelled",
        "not started -6 bad_state",
        "nothing yet 5 [ ]",
        'told 3 {"step":',
        "in five [     ] 4",
        "taken back 3 cancelled",
        "afterwards 5",
    ]
