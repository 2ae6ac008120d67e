#!/usr/bin/python3
"""The lab's service for tests: does on a TCP connection what its first line asks, and echoes UDP datagrams.

    ECHO                  sends back what comes; after the client's FIN the rest, then its own FIN
    SINK                  reads to the client's FIN, answers "COUNT SHA256", closes
    SOURCE COUNT SEED     sends COUNT bytes made from SEED, closes
    FINFIRST TOKEN        sends "bye" and FIN at once, goes on reading to the client's FIN; REPORT tells what came
    RESET COUNT           sends COUNT bytes, waits for a byte, then resets
    CLOSE                 closes with what the client sent unread
    FLOOD TOKEN           sends without end; REPORT tells how that ended
    HOLD                  neither reads nor sends until the client is gone
    REPORT TOKEN          waits up to 5 s for that connection to end and answers what became of it
    PEER                  answers the address that the connection comes from

Used as: probe_service.py TCP_PORT UDP_PORT UDP_ADDRESS...
"""

import hashlib
import socket
import struct
import sys
import threading

CHUNK = 1 << 20
reports = {}
reported = threading.Condition()


def made_bytes(count, seed):
    """The same bytes for the same seed, in pieces; no two pieces are alike."""
    block = hashlib.shake_128(str(seed).encode()).digest(CHUNK)
    for number in range((count + CHUNK - 1) // CHUNK):
        piece = number.to_bytes(8, "big") + block[8:]
        yield piece[: min(CHUNK, count - number * CHUNK)]


def report(token, text):
    with reported:
        reports[token] = text
        reported.notify_all()


def read_line(connection):
    line = b""
    while not line.endswith(b"\n") and len(line) < 200:
        byte = connection.recv(1)
        if not byte:
            break
        line += byte
    return line.decode().split()


def read_all(connection):
    count, digest = 0, hashlib.sha256()
    while piece := connection.recv(CHUNK):
        count += len(piece)
        digest.update(piece)
    return f"{count} {digest.hexdigest()}"


def serve(connection):
    words = read_line(connection)
    verb = words[0] if words else ""
    if verb == "ECHO":
        while piece := connection.recv(CHUNK):
            connection.sendall(piece)
    elif verb == "SINK":
        connection.sendall(read_all(connection).encode())
    elif verb == "SOURCE":
        for piece in made_bytes(int(words[1]), words[2]):
            connection.sendall(piece)
    elif verb == "FINFIRST":
        connection.sendall(b"bye")
        connection.shutdown(socket.SHUT_WR)
        report(words[1], read_all(connection))
    elif verb == "RESET":
        connection.sendall(b"x" * int(words[1]))
        connection.recv(1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    elif verb == "CLOSE":
        connection.recv(1, socket.MSG_PEEK)
    elif verb == "FLOOD":
        try:
            while True:
                connection.sendall(b"x" * 65536)
        except OSError as error:
            report(words[1], type(error).__name__)
    elif verb == "HOLD":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        threading.Event().wait(600)
    elif verb == "REPORT":
        with reported:
            reported.wait_for(lambda: words[1] in reports, timeout=5)
        connection.sendall(reports.get(words[1], "nothing").encode())
    elif verb == "PEER":
        connection.sendall(connection.getpeername()[0].encode())


def handle(connection):
    with connection:
        try:
            serve(connection)
        except OSError:
            pass


def echo_datagrams(address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
        sock.bind((address, port))
        while True:
            try:
                data, peer = sock.recvfrom(65535)
                sock.sendto(data, peer)
            except OSError:
                continue


def main():
    tcp_port, udp_port, *addresses = sys.argv[1:]
    for address in addresses:
        threading.Thread(target=echo_datagrams, args=(address, int(udp_port)), daemon=True).start()
    with socket.create_server(("::", int(tcp_port)), family=socket.AF_INET6, dualstack_ipv6=True, backlog=1024) as server:
        while True:
            connection, _ = server.accept()
            threading.Thread(target=handle, args=(connection,), daemon=True).start()


if __name__ == "__main__":
    main()
