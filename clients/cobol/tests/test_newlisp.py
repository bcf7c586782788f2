"""A second language that hardly can call anything, as the other opinion on the C library."""

from conftest import ROOT

NEWLISP = ROOT / "clients/newlisp"


def test_newlisp_opens_calls_builds_reads_fails_and_answers(service):
    said, code = service.run(["newlisp", "-n", NEWLISP / "letters.lsp", NEWLISP], encoding="iso8859-1")
    assert code == 0, said
    assert said.splitlines() == [
        "name true",
        "count 4200000000 price 12.5 open true",
        "kinds (5 3 4 2 1 7 8 0)",
        'keys ("name" "count" "price" "open" "nothing" "parts" "odd.name\'s")',
        "parts 3 2 er",
        "odd 1 and 1",
        "missing  5",
        "wrong 0 -4",
        "closed true true again nil",
        'pattern nil (1101 "text.bad_pattern" "not_executed")',
        'method nil (3 "method_not_found" "not_executed")',
        "letter Dear Ada Ünal. You owe 12.50. In KÖLN live: Ben Okri, Ada Ünal.",
        "letter Nobody has the number 5: There is no such customer.",
        "letter This program does not know the question.",
    ]


def test_newlisp_is_told_when_there_is_no_service(service):
    service.kill()
    said, code = service.run(["newlisp", "-n", NEWLISP / "letters.lsp", NEWLISP])
    assert code == 1 and said.startswith('error (-8 "not_running" "not_executed"'), said
