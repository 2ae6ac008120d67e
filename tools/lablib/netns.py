"""Sockets in other network namespaces: a thread enters the namespace, makes the socket there and ends."""

import ctypes
import os
import socket
import struct
import threading

CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def call_in(namespace, function):
    """Runs function() on a thread of its own whose network is that of `namespace`."""
    outcome = {}

    def body():
        try:
            with open(f"/run/netns/{namespace}") as handle:
                if _libc.setns(handle.fileno(), CLONE_NEWNET) != 0:
                    code = ctypes.get_errno()
                    raise OSError(code, os.strerror(code))
            outcome["value"] = function()
        except BaseException as error:  # carried to the caller's thread
            outcome["error"] = error

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    if "error" in outcome:
        raise outcome["error"]
    return outcome["value"]


def socket_in(namespace, family, kind, protocol=0):
    """A socket that stays in `namespace` whoever uses it."""
    return call_in(namespace, lambda: socket.socket(family, kind, protocol))


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def connect_in(namespace, address, port, timeout=10):
    """A connected TCP socket with `timeout` for everything that follows.

    The kernel waits, not Python: Linux can wake a poll for an ICMP error a moment before SO_ERROR tells of it, which Python takes for success.
    """
    sock = socket_in(namespace, family_of(address), socket.SOCK_STREAM)
    try:
        sock.setblocking(True)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", int(timeout), int(timeout % 1 * 1e6)))
        try:
            sock.connect((address, port))
        except BlockingIOError:
            raise TimeoutError(f"no answer of {address}:{port} within {timeout} s") from None
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 0, 0))
        sock.settimeout(timeout)
    except BaseException:
        sock.close()
        raise
    return sock


def exists(namespace):
    return os.path.exists(f"/run/netns/{namespace}")


def processes_in(namespace):
    """Ids of the processes whose network is `namespace`."""
    try:
        inode = os.stat(f"/run/netns/{namespace}").st_ino
    except FileNotFoundError:
        return []
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                if os.stat(f"/proc/{name}/ns/net").st_ino == inode:
                    found.append(int(name))
            except OSError:
                continue
    return found
