"""A mail server with TLS and a web server, on loopback, as threads of the tests."""

import http.server
import json
import socketserver
import ssl
import threading


class MailServer(socketserver.ThreadingTCPServer):
    """Takes every mail, but for ``unknown@``. With ``implicit`` it speaks TLS from the first byte, else STARTTLS and a login
    are needed."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, certificate, key, implicit):
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(certificate, key)
        self.implicit = implicit
        self.mails = []
        super().__init__(("127.0.0.1", 0), MailTalk)
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address):
        """Senders that are killed in the middle are what this server is for."""

    def subjects(self):
        """How often each subject was taken."""
        counts = {}
        for mail in list(self.mails):
            subject = next(line[9:] for line in mail["text"].splitlines() if line.startswith("Subject: "))
            counts[subject] = counts.get(subject, 0) + 1
        return counts


class MailTalk(socketserver.BaseRequestHandler):
    """One conversation."""

    def handle(self):
        self.is_secret = False
        self.user = None
        if self.server.implicit:
            self.start_tls()
        self.lines = self.request.makefile("rb")
        self.say("220 localhost ESMTP")
        recipients = []
        while line := self.lines.readline():
            verb = line.decode().strip().upper()
            if verb.startswith("EHLO"):
                self.say("250-localhost")
                self.say("250-STARTTLS" if not self.is_secret else "250-AUTH PLAIN")
                self.say("250 8BITMIME")
            elif verb == "STARTTLS":
                self.say("220 go ahead")
                self.start_tls()
                self.lines = self.request.makefile("rb")
            elif verb.startswith("AUTH PLAIN "):
                self.user = line.decode().split()[2]
                self.say("235 welcome")
            elif not self.server.implicit and self.user is None and verb.startswith("MAIL"):
                self.say("530 5.7.0 not without a login")
            elif verb.startswith("RCPT") and "UNKNOWN@" in verb:
                self.say("550 5.1.1 no such user here")
            elif verb == "DATA":
                self.say("354 end with a dot")
                if not self.take(recipients):
                    return
                recipients = []
                self.say("250 2.0.0 taken")
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                if verb.startswith("RCPT"):
                    recipients.append(line.decode().strip()[8:])
                self.say("250 fine")

    def start_tls(self):
        self.request = self.server.tls.wrap_socket(self.request, server_side=True)
        self.is_secret = True

    def take(self, recipients):
        text = []
        while line := self.lines.readline():
            if line == b".\r\n":
                mail = {"to": recipients, "text": "".join(text), "secret": self.is_secret, "user": self.user}
                # It is responsible from here on, whether its answer arrives or not.
                self.server.mails.append(mail)
                return True
            text.append(line.decode())
        return False

    def say(self, line):
        self.request.sendall(line.encode() + b"\r\n")


class Shop(http.server.BaseHTTPRequestHandler):
    """Prices, and orders that are kept."""

    def do_GET(self):
        self.server.asked.append((self.path, self.headers["X-Shop"]))
        prices = [{"article": "Schräubchen", "price": 0.07}, {"article": "Hammer", "price": 19.9}]
        self.answer(200, json.dumps({"prices": prices}, ensure_ascii=False), "application/json")

    def do_POST(self):
        order = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.orders.append(order)
        self.answer(201, f"order {len(self.server.orders)} taken", "text/plain")

    def answer(self, status, text, kind):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Nothing is printed."""


def start_shop():
    """The web server; its orders are in ``orders``."""
    shop = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    shop.orders, shop.asked = [], []
    threading.Thread(target=shop.serve_forever, daemon=True).start()
    return shop
