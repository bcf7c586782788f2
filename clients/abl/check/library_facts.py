"""What the ABL classes count on in the library, tried on the library itself: the same functions in the same order.

    library_facts.py LIBSTANDIN

There is no ABL to run here. This shows that the calls that src/Standin makes are answered as it expects, against the
service that STANDIN_ENDPOINT names, which has the worker asking_worker.py.
"""

import ctypes
import sys
from ctypes import byref, c_double, c_int32, c_int64, create_string_buffer

OK, PENDING, CALLBACK, FAILED, TOO_SMALL, MISSING, NULL = 0, 1, 2, 3, 4, 5, 6
BAD_HANDLE, BAD_PATH, WRONG_TYPE, BAD_TEXT, BAD_STATE = -1, -3, -4, -5, -6


class Library:
    """The functions, called as ABL calls them: numbers, NUL-terminated bytes, buffers of ours."""

    def __init__(self, path, code_page):
        self.library = ctypes.CDLL(path)
        self.client = c_int64()
        assert self("open_as", b"", code_page, b"ABL: facts.p", c_int64(10000), byref(self.client)) == OK

    def __call__(self, name, *arguments):
        return getattr(self.library, "standin_" + name)(*arguments)

    def new(self, name, **texts):
        call = c_int64()
        assert self("call_new", self.client, name.encode(), byref(call)) == OK
        for path, text in texts.items():
            assert self("set_text", call, path.encode(), text.encode()) == OK
        return call

    def run(self, call):
        """Call.cls: start, then waits of a slice."""
        assert self("start", call) == OK
        while (code := self("wait", call, c_int64(100))) == PENDING:
            pass
        return code

    def text(self, function, *arguments, capacity=1024):
        buffer, needed = create_string_buffer(capacity), c_int64()
        code = self(function, *arguments, buffer, c_int64(capacity), byref(needed))
        return code, buffer.value, needed.value


def a_mail_is_built_by_the_paths_of_mail_cls(lib, scratch):
    mail = lib.new("mail.send", **{"from": "a@example.org"})
    for path, text in [("to[]", "b@example.org"), ("to[]", '"Foo, Bar" <c@example.org>'), ("headers.'X-Priority'", "1"),
                       ("attachments[].name", "a.txt"), ("server.host", "127.0.0.1"), ("server.tls", "none")]:
        assert lib("set_text", mail, path.encode(), text.encode()) == OK, path
    assert lib("set_file", mail, b"attachments[-1].content", scratch) == OK
    assert lib("set_text", mail, b"attachments[-1].content_type", b"text/plain; charset=iso-8859-1") == OK
    assert lib("set_int", mail, b"server.port", c_int64(1)) == OK
    assert lib("set_bool", mail, b"require_all", 1) == OK
    assert lib("set_timeout", mail, c_int64(120000)) == OK
    # Nobody listens there: the arguments were right, or it would be invalid_params.
    assert lib.run(mail) == FAILED
    assert lib.text("error_code", mail)[1] == b"smtp.connect"
    assert lib.text("error_outcome", mail)[1] == b"not_executed"
    number, retry = c_int32(), c_int64()
    assert lib("error_number", mail, byref(number)) == OK and number.value == 1411
    assert lib("error_retry_after", mail, byref(retry)) == OK and retry.value > 0


def a_job_is_built_by_the_paths_of_job_cls(lib, _):
    job = lib.new("job.submit", method="text.replace")
    assert lib("set_map", job, b"params[]") == OK
    for path, text in [("params[0].text", "a"), ("params[0].pattern", "a"), ("params[0].with", "b")]:
        assert lib("set_text", job, path.encode(), text.encode()) == OK
    assert lib("set_int", job, b"retry.attempts_max", c_int64(3)) == OK
    assert lib("set_timeout", job, c_int64(30000)) == OK
    assert lib.run(job) == OK
    name = lib.text("get_text", job, b"job")[1].decode()
    for method, path, wanted in [("job.wait", b"state", b"done"), ("job.status", b"method", b"text.replace"), ("job.result", b"", b"b")]:
        asking = lib.new(method, job=name)
        assert lib("set_timeout", asking, c_int64(30000)) == OK
        assert lib.run(asking) == OK, method
        assert lib.text("get_text", asking, path)[1] == wanted


def long_texts_go_and_come_in_utf_8_whatever_the_code_page_is(lib, _):
    sent = ("中 and more. " * 4000).encode()
    call = lib.new("text.replace", pattern="x", **{"with": "y"})
    assert lib("set_utf8", call, b"text", sent, c_int64(len(sent))) == OK
    assert lib.run(call) == OK
    # The code page of this client has no such character, and a CHARACTER no room.
    assert lib.text("get_text", call, b"", capacity=100000)[0] == BAD_TEXT
    buffer, copied, total = create_string_buffer(32768), c_int64(), c_int64()
    assert lib("get_bytes", call, b"", c_int64(0), buffer, c_int64(32768), byref(copied), byref(total)) == OK
    assert total.value == len(sent) and copied.value == 32768
    whole = create_string_buffer(total.value)
    assert lib("get_bytes", call, b"", c_int64(0), whole, total, byref(copied), byref(total)) == OK
    assert whole.raw == sent


def a_table_is_filled_by_the_paths_of_table_filler(lib, _):
    call = lib.new("text.json_parse", text='{"rows": [{"a.b": 1, "c\'d": null}, [true, 2.5]]}')
    assert lib.run(call) == OK
    count, kind = c_int64(), c_int32()
    assert lib("count", call, b"rows", byref(count)) == OK and count.value == 2
    for path, wanted in [(b"rows[0]", 8), (b"rows[1]", 7), (b"rows[0].'a.b'", 3), (b"rows[0].'c''d'", 1), (b"rows[0].'none'", 0),
                         (b"rows[1][0]", 2), (b"rows[1][1]", 4), (b"rows[1][2]", 0)]:
        assert lib("type", call, path, byref(kind)) == OK and kind.value == wanted, path
    assert lib.text("get_text", call, b"rows[1][1]")[:2] == (OK, b"2.5")
    assert lib.text("get_text", call, b"rows[0].'c''d'")[0] == NULL
    assert lib.text("get_text", call, b"nowhere")[0] == MISSING
    assert lib.text("get_text", call, b"rows[0].'a.b'", capacity=1) == (TOO_SMALL, b"", 1)
    assert lib.text("key", call, b"rows[0]", c_int64(1))[1] == b"c'd"
    assert lib.text("get_text", call, b"rows[0].#0")[1] == b"1"
    number = c_double()
    assert lib("get_number", call, b"rows[1][1]", byref(number)) == OK and number.value == 2.5


def started_calls_are_told_as_they_end(lib, _):
    call, ended = lib.new("text.replace", text="a", pattern="a", **{"with": "b"}), c_int64()
    assert lib("start", call) == OK
    assert lib("wait_any", lib.client, c_int64(20000), byref(ended)) == OK and ended.value == call.value
    assert lib("wait", call, c_int64(0)) == OK
    # Client.cls takes this for "none on its way".
    assert lib("wait_any", lib.client, c_int64(0), byref(ended)) == BAD_STATE


def a_batch_gives_each_call_its_own_end(lib, _):
    batch = c_int64()
    assert lib("batch_new", lib.client, byref(batch)) == OK
    right = lib.new("text.match", text="a", pattern="a")
    wrong = lib.new("text.match", text="a", pattern="(")
    assert lib("batch_add", batch, right) == OK and lib("batch_add", batch, wrong) == OK
    assert lib("set_timeout", batch, c_int64(20000)) == OK
    # The batch itself went well: Batch.cls throws only what is wrong with all of it.
    assert lib.run(batch) == OK
    assert lib("wait", right, c_int64(0)) == OK and lib("wait", wrong, c_int64(0)) == FAILED
    assert lib.text("error_code", wrong)[1] == b"text.bad_pattern"


def asked(lib, number):
    """A call under way whose worker asks for a customer, and the question, taken as Callbacks.cls takes it."""
    call, question = lib.new("facts.ask", method="customer.find"), c_int64()
    assert lib("set_int", call, b"arguments.number", c_int64(number)) == OK
    assert lib("start", call) == OK
    while (code := lib("wait", call, c_int64(100))) == PENDING:
        pass
    assert code == CALLBACK
    assert lib("callback", lib.client, byref(question)) == OK
    assert lib.text("callback_method", question)[1] == b"customer.find"
    got = c_int64()
    assert lib("get_int", question, b"number", byref(got)) == OK and got.value == number
    return call, question


def heard(lib, call):
    """What the worker heard, when the call has ended."""
    while (code := lib("wait", call, c_int64(100))) == PENDING:
        pass
    assert code == OK
    return lib.text("get_text", call, b"error")[1], lib.text("get_text", call, b"result.name")[1]


def a_question_is_answered_while_other_calls_go_on(lib, _):
    call, question = asked(lib, 17)
    # A handler may make calls of its own.
    nested = lib.new("text.replace", text="a", pattern="a", **{"with": "b"})
    assert lib.run(nested) == OK
    assert lib("set_text", question, b"name", b"Miller") == OK
    assert lib("answer", question) == OK and lib("close", question) == OK
    assert heard(lib, call) == (b"", b"Miller")


def a_question_that_fails_or_is_dropped_is_told_to_the_worker(lib, _):
    call, question = asked(lib, 18)
    assert lib("fail", question, b"customer.missing", b"There is no customer 18.") == OK and lib("close", question) == OK
    assert b"There is no customer 18." in heard(lib, call)[0]
    # Callbacks.cls closes in FINALLY, after a STOP as well.
    call, question = asked(lib, 19)
    assert lib("close", question) == OK
    assert heard(lib, call)[0] != b""


def no_bytes_are_bytes_and_a_closed_handle_stays_closed(lib, _):
    call = lib.new("text.decode", codepage="utf-8")
    assert lib("set_bytes", call, b"bytes", None, c_int64(0)) == OK
    assert lib.run(call) == OK
    assert lib.text("get_text", call, b"")[:2] == (OK, b"")
    assert lib("close", call) == OK and lib("close", call) == BAD_HANDLE


def what_cannot_be_read_is_not_safe_to_repeat(lib, _):
    def known(handle):
        """Library.cls, OutcomeOf: an unreadable path, and what the library then says of the call."""
        kind = c_int32()
        assert lib("type", handle, b"[", byref(kind)) == BAD_PATH
        return lib.text("error_outcome", handle)[1]

    call, number = lib.new("text.json_parse", text='{"t": "\\u20ac \\u4e2d"}'), c_int64()
    assert known(call) == b"not_executed"
    assert lib.run(call) == OK
    assert lib.text("get_text", call, b"t")[0] == BAD_TEXT and lib.text("error_outcome", call)[1] == b"executed"
    assert lib("get_int", call, b"t", byref(number)) == WRONG_TYPE and lib.text("error_outcome", call)[1] == b"executed"
    assert known(call) == b"executed"
    running, question = asked(lib, 20)
    assert known(running) == known(question) == b"unknown"
    assert lib("answer", question) == OK and lib("close", question) == OK
    heard(lib, running)


FACTS = [
    a_mail_is_built_by_the_paths_of_mail_cls,
    a_job_is_built_by_the_paths_of_job_cls,
    long_texts_go_and_come_in_utf_8_whatever_the_code_page_is,
    a_table_is_filled_by_the_paths_of_table_filler,
    started_calls_are_told_as_they_end,
    a_batch_gives_each_call_its_own_end,
    a_question_is_answered_while_other_calls_go_on,
    a_question_that_fails_or_is_dropped_is_told_to_the_worker,
    what_cannot_be_read_is_not_safe_to_repeat,
    no_bytes_are_bytes_and_a_closed_handle_stays_closed,
]

if __name__ == "__main__":
    library = Library(sys.argv[1], b"1252")
    assert library("abi") == 1
    for fact in FACTS:
        fact(library, __file__.encode())
    assert library("close", library.client) == OK
    print(f"library: {len(FACTS)} facts hold")
