"""Le dehors que les mesures règlent elles-mêmes : un leader qui se répète, une bourse qui prend son temps.

Devant le monde simulé, pas à sa place : ce leader ne vérifie pas de signature, cette bourse ne fait que retarder ce que
l'autre répond, en HTTPS si on le demande.
"""

import contextlib
import http.client
import http.server
import json
import threading
import time
import urllib.parse

ORDER = "/api/v3/order"


@contextlib.contextmanager
def served(handler):
    """Sert `handler` sur un port libre ; rend son adresse."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class Answering(http.server.BaseHTTPRequestHandler):
    """Une connexion gardée ouverte, sans journal."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def reply(self, status, headers, body):
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Leader:
    """Dit toujours le même signal, jusqu'à ce qu'on lui en donne un autre ; retient quand il l'a dit."""

    def __init__(self):
        self.signals = 0
        self.asked = 0
        self.told = {}
        self.say({})

    def say(self, targets):
        """Une nouvelle cible ; rend le nom du signal."""
        self.signals += 1
        positions = [{"coin": coin, "pct_of_portfolio": share} for coin, share in targets.items()]
        self.name = f"bench-{self.signals}"
        self.body = json.dumps({
            "version": 2, "signal_id": self.name, "timestamp": time.time(), "confidence": 0.7,
            "reasoning": "bench", "actions": [], "portfolio_state": {"positions": positions},
        }).encode()
        return self.name

    def served(self):
        leader = self

        class Handler(Answering):
            def do_GET(self):
                leader.asked += 1
                leader.told.setdefault(leader.name, time.monotonic())
                self.reply(200, [("Content-Type", "application/json")], leader.body)

        return served(Handler)


class Relay:
    """Retarde chaque réponse d'un autre, compte ce qu'on lui demande, et retient quand sont parties celles aux ordres.

    Avec `tls`, sert aussi qui le prend pour mandataire vers une adresse en HTTPS : c'est encore l'autre qui répond.
    """

    def __init__(self, url, latency=0, tls=None):
        self.host = urllib.parse.urlsplit(url).netloc
        self.latency = latency
        self.tls = tls
        self.asked = 0
        self.orders = []

    def served(self):
        relay = self

        class Handler(Answering):
            def do_CONNECT(self):
                self.send_response_only(200)
                self.end_headers()
                self.close_connection = False
                self.request = relay.tls.wrap_socket(self.request, server_side=True)
                self.setup()

            def pass_on(self):
                relay.asked += 1
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length) if length else None
                headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
                connection = http.client.HTTPConnection(relay.host, timeout=60)
                connection.request(self.command, self.path, body, {**headers, "Connection": "close"})
                answer = connection.getresponse()
                text = answer.read()
                dropped = {"content-length", "connection", "transfer-encoding"}
                kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in dropped]
                connection.close()
                time.sleep(relay.latency)
                self.reply(answer.status, kept, text)
                if self.command == "POST" and self.path.startswith(ORDER):
                    relay.orders.append(time.monotonic())

            do_GET = do_POST = pass_on

        return served(Handler)
