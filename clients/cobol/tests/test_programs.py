"""The COBOL programs do their work through a real service."""

import email
import email.policy

from conftest import COMPILED
from servers import MailServer, start_shop


def mail_server(certificates, implicit=False):
    return MailServer(certificates / "localhost.pem", certificates / "localhost.key", implicit)


def test_a_mail_goes_out_over_tls_and_once(service, certificates, tmp_path):
    server = mail_server(certificates)
    order = tmp_path / "order.txt"
    order.write_text("3 Schräubchen\n  1 Hammer\n")
    command = [COMPILED / "mail", server.port, certificates / "ca.pem", order, "ben@example.org", "unknown@example.org"]
    said, code = service.run(command)
    assert code == 0, said
    assert said.splitlines()[1:] == ["accepted ben@example.org", "rejected unknown@example.org 550"]
    # The same key: the same answer, and no second mail, though the service was killed in between.
    service.kill()
    service.start()
    assert service.run(command) == (said, 0)
    [mail] = server.mails
    assert mail["secret"] and mail["user"] and mail["to"] == ["<ben@example.org>"]
    message = email.message_from_string(mail["text"], policy=email.policy.default)
    assert message["Subject"] == "Ihre Bestellung für Herrn Müller"
    assert message.get_body().get_content().replace("\r\n", "\n").rstrip("\n") == "3 Schräubchen\n  1 Hammer"
    [attached] = message.iter_attachments()
    content = attached.get_payload(decode=True)
    assert (attached.get_filename(), content) == ("order.txt", order.read_bytes())


def test_a_mail_server_of_another_authority_gets_nothing(service, certificates, tmp_path):
    server = mail_server(certificates)
    (tmp_path / "order.txt").write_text("1 Hammer\n")
    # The key of localhost is no authority: nothing is trusted.
    said, code = service.run([COMPILED / "mail", server.port, certificates / "localhost.pem", "order.txt", "ben@example.org"])
    assert code == 1 and said.startswith("error smtp.tls not_executed: No secure connection"), said
    assert server.mails == []


def test_settings_are_read_prices_asked_and_an_order_posted(service, tmp_path):
    shop = start_shop()
    url = f"http://127.0.0.1:{shop.server_address[1]}"
    (tmp_path / "shop.ini").write_text(f"; the shop\n[shop]\nurl = {url}\ntax = 19\n[paths]\nin = C:\\new\n")
    said, code = service.run([COMPILED / "web", "shop.ini"])
    assert code == 0, said
    assert said.splitlines()[:-1] == [
        "[shop]",
        f"url={url}",
        "tax=19",
        "[paths]",
        "in=C:\\new",
        "no colour is set",
        "prices: 200",
        "Schräubchen 0.07",
        "Hammer 19.90",
        "order: 201 order 1 taken",
    ]
    nobody = "nobody: +0000001303 http.connect not_executed 127.0.0.1:1 could not be reached"
    assert said.splitlines()[-1].startswith(nobody), said
    assert shop.asked == [("/prices?year=2026", "COBOL")]
    assert shop.orders == [{"article": "Hammer", "amount": 23.68, "express": True, "remark": None, "parts": []}]
    shop.shutdown()


def test_settings_that_are_wrong_are_told_with_their_place(service, tmp_path):
    (tmp_path / "shop.ini").write_text("[shop]\nurl = a\nurl = b\n")
    said, code = service.run([COMPILED / "web", "shop.ini"])
    assert code == 1 and said.startswith("error config.syntax not_executed: The INI is wrong at line 3"), said


def test_a_file_that_is_not_there_is_told_before_anything_is_sent(service):
    said, code = service.run([COMPILED / "web", "nothing.ini"])
    assert code == 1 and said.startswith("error file"), said


def test_questions_are_answered_from_an_indexed_file_while_the_call_is_pending(service):
    said, code = service.run([COMPILED / "letters", 42, 99, 7, 17])
    assert code == 0, said
    assert said.splitlines() == [
        "Dear Ben Okri. You owe nothing. In KÖLN live: Ada Ünal, Ben Okri.",
        "Dear Cleo Marsh. You owe nothing. In HULL live: Cleo Marsh.",
        "Nobody has the number 7: There is no such customer.",
        "Dear Ada Ünal. You owe 12.50. In KÖLN live: Ada Ünal, Ben Okri.",
        "questions 0007",
    ]


def test_without_a_service_the_program_is_told_so_in_time(service):
    service.kill()
    said, code = service.run([COMPILED / "letters", 42])
    assert code == 1 and said.startswith("error not_running not_executed: "), said


def test_a_program_that_looks_only_behind_its_call_is_told_the_first_error(service):
    service.kill()
    said, _ = service.run([COMPILED / "unseen"])
    error, sentence = said.splitlines()
    assert error == "not_running not_executed"
    assert "handle" not in sentence and "Standin" in sentence, said
