"""What lab tests share: the lab as it is, and sockets on its laptops."""

import hashlib
import socket
import struct
import unittest

from lablib import lab, layout, netns
from lablib.probe_service import made_bytes

# Guards against hanging only.
PATIENCE = 30


class LabTest(unittest.TestCase):
    # The lab that a test runs in: settings of a wide-area path (lablib/wan.py), or None for plain wires.
    path = None

    def setUp(self):
        """Every test begins with everything up, whatever the one before it has left."""
        self.lab = lab.Lab()
        self.gateway = self.lab.gateway
        self.laptop = self.lab.laptop(1)
        if not self.gateway.running():
            self.gateway.start()
        for laptop in self.lab.laptops():
            if not laptop.running():
                laptop.start()
            if laptop.tunctl("status").returncode != 0:
                laptop.up()

    def tcp(self, service, port, version=4, number=1, timeout=PATIENCE):
        """A TCP connection from a laptop through the tunnel."""
        sock = netns.connect_in(layout.laptop(number), address(service, version), port, timeout)
        self.addCleanup(sock.close)
        return sock

    def probe(self, line, version=4, number=1):
        """A connection to the probe service that has been told what to do."""
        sock = self.tcp("echo.shop", layout.PROBE_PORT, version, number)
        sock.sendall(line.encode() + b"\n")
        return sock

    def udp(self, version=4, number=1):
        family = socket.AF_INET6 if version == 6 else socket.AF_INET
        sock = netns.socket_in(layout.laptop(number), family, socket.SOCK_DGRAM)
        sock.settimeout(PATIENCE)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.addCleanup(sock.close)
        return sock

    def connect_error(self, to, port, number=1, timeout=PATIENCE):
        """The errno that connect() gives; 0 where it connects. `to` is an address."""
        try:
            netns.connect_in(layout.laptop(number), to, port, timeout).close()
            return 0
        except TimeoutError:
            return "timeout"
        except OSError as error:
            return error.errno

    def succeeds(self, result):
        self.assertEqual(result.returncode, 0, f"{result.args}\n{result.stdout}{result.stderr}")
        return result.stdout


def address(service, version=4):
    return layout.SERVICES[service][0 if version == 4 else 1]


def read_all(sock):
    """Count and SHA-256 of everything to the peer's FIN."""
    count, digest = 0, hashlib.sha256()
    while piece := sock.recv(1 << 20):
        count += len(piece)
        digest.update(piece)
    return count, digest.hexdigest()


def read_bytes(sock):
    came = bytearray()
    while piece := sock.recv(65536):
        came += piece
    return bytes(came)


def fails_by_reset_after(sock, count):
    """Whether the other end resets once this one, with `count` bytes read, says another word."""
    got = 0
    while got < count:
        piece = sock.recv(65536)
        if not piece:
            return False
        got += len(piece)
    sock.sendall(b"x")
    try:
        sock.recv(1)
    except ConnectionResetError:
        return True
    return False


def read_text(sock):
    return read_bytes(sock).decode()


def digest_of(count, seed):
    digest = hashlib.sha256()
    for piece in made_bytes(count, seed):
        digest.update(piece)
    return digest.hexdigest()


def reset_on_close(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
