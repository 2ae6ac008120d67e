"""What intercept tests talk with: HTTP servers in a laptop's namespace, and clients in the cluster's."""

import base64
import hashlib
import http.client
import http.server
import socket
import socketserver
import threading
import time

from lablib import layout, netns, probe_service

from laptop import PATIENCE

WEBSOCKET_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class _Handler(http.server.BaseHTTPRequestHandler):
    """Answers everything with its server's text, as the path wants it:

    /slow      after a second
    /wait      once the server's `go` is set
    /headers   with the request's own head
    /digest    with the SHA-256 of the request's body
    /socket    by becoming a WebSocket that echoes
    """

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = self.path.partition("?")[0]
        body = self._body()
        self.server.count(self)
        if path == "/socket":
            return self._echo_frames()
        if path == "/slow":
            time.sleep(1)
        if path == "/wait":
            self.server.go.wait(PATIENCE)
        text = self.server.text
        if path == "/headers":
            text = str(self.headers)
        if path == "/digest":
            text = hashlib.sha256(body).hexdigest()
        said = text.encode()
        # In one piece: a second one would wait for the acknowledgement of the first.
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s" % (len(said), said))

    do_POST = do_PUT = do_GET

    def _body(self):
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = bytearray()
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _echo_frames(self):
        accept = base64.b64encode(hashlib.sha1(self.headers["Sec-WebSocket-Key"].encode() + WEBSOCKET_MAGIC).digest())
        self.wfile.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                         b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
        while frame := read_frame(self.rfile):
            opcode, data = frame
            self.wfile.write(make_frame(opcode, data))
            if opcode == 8:
                break
        self.close_connection = True

    def log_message(self, *_):
        pass


class _Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def handle_error(self, *_):
        """Clients that go away are what these tests are about."""

    def get_request(self):
        self.accepted += 1
        return super().get_request()


class HttpService:
    """An HTTP server at 127.0.0.1 of a laptop, on threads of this process."""

    def __init__(self, number=1, text="local", port=0):
        self.server = _Server(("127.0.0.1", 0), _Handler, bind_and_activate=False)
        self.server.socket.close()
        self.server.socket = netns.socket_in(layout.laptop(number), socket.AF_INET, socket.SOCK_STREAM)
        self.server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.server.text = text
        self.server.accepted = 0
        self.server.go = threading.Event()
        self.server.count = self._count
        self.go = self.server.go
        self.requests = 0
        self._lock = threading.Lock()
        self.server.socket.bind(("127.0.0.1", port))
        self.server.server_activate()
        self.port = self.server.socket.getsockname()[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def accepted(self):
        return self.server.accepted

    def _count(self, _request):
        with self._lock:
            self.requests += 1

    def close(self):
        self.go.set()
        self.server.shutdown()
        self.server.server_close()


class ProbeService:
    """The lab's probe service (lablib/probe_service.py) at 127.0.0.1 of a laptop."""

    def __init__(self, number=1):
        self._socket = netns.socket_in(layout.laptop(number), socket.AF_INET, socket.SOCK_STREAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(64)
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=probe_service.handle, args=(connection,), daemon=True).start()

    def close(self):
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


def connect(service, port=layout.HTTP_PORT, source=None, timeout=PATIENCE):
    """A TCP connection from the cluster to a service there."""
    sock = netns.socket_in(layout.CLUSTER, socket.AF_INET, socket.SOCK_STREAM)
    sock.settimeout(timeout)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if source:
        sock.bind((source, 0))
    sock.connect((layout.SERVICES[service][0], port))
    return sock


class Client:
    """Somebody in the cluster with one connection, kept alive, that is dialled again when it was closed."""

    def __init__(self, service="orders.shop", source=None, timeout=PATIENCE):
        self._service, self._source, self._timeout = service, source, timeout
        self._connection = None

    def ask(self, path="/", headers=None, body=None, method=None):
        """(status, body); OSError or HTTPException where there is no answer."""
        if self._connection is None:
            self._connection = http.client.HTTPConnection(self._service)
            self._connection.sock = connect(self._service, source=self._source, timeout=self._timeout)
        try:
            self._connection.request(method or ("GET" if body is None else "POST"), path, body=body, headers=headers or {})
            response = self._connection.getresponse()
            answer = response.status, response.read().decode()
        except (OSError, http.client.HTTPException):
            self.close()
            raise
        if response.will_close:
            self.close()
        return answer

    def close(self):
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def make_frame(opcode, data, mask=b""):
    """One whole WebSocket frame (RFC 6455, 5.2); what a client sends has a mask of four bytes."""
    flag = 0x80 if mask else 0
    head = bytes([0x80 | opcode])
    if len(data) < 126:
        head += bytes([flag | len(data)])
    elif len(data) < 1 << 16:
        head += bytes([flag | 126]) + len(data).to_bytes(2, "big")
    else:
        head += bytes([flag | 127]) + len(data).to_bytes(8, "big")
    return head + mask + (_masked(data, mask) if mask else data)


def read_frame(file):
    """(opcode, data); None at the end."""
    head = file.read(2)
    if len(head) < 2:
        return None
    size = head[1] & 0x7F
    if size > 125:
        size = int.from_bytes(file.read(2 if size == 126 else 8), "big")
    mask = file.read(4) if head[1] & 0x80 else b""
    data = file.read(size)
    return head[0] & 0x0F, _masked(data, mask) if mask else data


def _masked(data, mask):
    key = (mask * (len(data) // 4 + 1))[:len(data)]
    return (int.from_bytes(data, "big") ^ int.from_bytes(key, "big")).to_bytes(len(data), "big")
