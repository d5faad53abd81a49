"""Une adresse https devant une adresse http, et les certificats qu'elle montre.

`Front` ne lit de ce qu'il porte que le début de chaque demande. Ce qu'il en fait se change en route : le certificat qu'il
montre, raccrocher au milieu de la poignée de main, répondre en clair, perdre la réponse à un ordre que la bourse a eu.
"""

import contextlib
import select
import socket
import ssl
import subprocess
import threading
import urllib.parse

ORDER = b"POST /api/v3/order"
RAW = 65_536
# Au lieu d'un certificat.
HANG_UP, IN_CLEAR, SILENT = "hang up", "in clear", "silent"


class Authority:
    """Une autorité et ce qu'elle signe, par la commande `openssl`, dans `folder`."""

    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        self.pem = folder / f"{name}.pem"
        (folder / "openssl.cnf").write_text("[req]\ndistinguished_name = name\n[name]\n")
        self._make(name, ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign"])

    def sign(self, name, hosts, environment=None):
        """Un certificat de 30 jours pour ces noms, et sa clé, prêts à être montrés."""
        signed = ["-CA", self.pem, "-CAkey", self.pem.with_suffix(".key")]
        cert, key = self._make(name, [f"subjectAltName={hosts}", "extendedKeyUsage=serverAuth"], signed, environment)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        return context

    def _make(self, name, extensions, signed=(), environment=None):
        cert, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        command = ["openssl", "req", "-x509", "-config", self.folder / "openssl.cnf", "-subj", f"/CN={name}", "-days", "30",
                   "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", cert, *signed]
        for extension in extensions:
            command += ["-addext", extension]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"openssl: {done.stderr}")
        return cert, key


class Front:
    """Sert `https://localhost:…` devant `url`. `heads` : le début de chaque demande portée."""

    def __init__(self, url, certificate):
        self.behind = urllib.parse.urlsplit(url)
        self.certificate = certificate
        self.orders_to_lose = 0
        self.heads = []
        self._connections = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://localhost:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def show(self, certificate):
        """Ce que verront les prochaines connexions ; il n'y en a plus d'autres."""
        self.certificate = certificate
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def close(self):
        self._listener.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            with connection:
                self._greet(connection)
        except OSError:
            # Un client qui refuse le certificat finit ici (ssl.SSLError en est une).
            pass

    def _greet(self, connection):
        certificate = self.certificate
        if certificate == HANG_UP:
            connection.recv(RAW)
        elif certificate == SILENT:
            while connection.recv(RAW):
                pass
        elif certificate == IN_CLEAR:
            connection.recv(RAW)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
        else:
            with certificate.wrap_socket(connection, server_side=True) as client:
                self._connections.add(client)
                with socket.create_connection((self.behind.hostname, self.behind.port)) as server:
                    self._carry(client, server)
                self._connections.discard(client)

    def _carry(self, client, server):
        """Dans les deux sens, jusqu'à ce que l'un raccroche."""
        losing = False
        while True:
            for source in select.select([client, server], [], [])[0]:
                data = source.recv(RAW)
                if not data or (losing and source is server):
                    return
                if source is client:
                    self.heads.append(data[:40])
                    if data.startswith(ORDER) and self.orders_to_lose > 0:
                        self.orders_to_lose -= 1
                        losing = True
                (server if source is client else client).sendall(data)
