"""UDP and ping through the tunnel."""

import hashlib

from lablib import layout

from laptop import PATIENCE, LabTest, address

SIZES = (1, 2, 100, 1400, 1472, 1473, 1500, 4096, 9000, 16384, 16385, 32768, 65000)


def datagram(size):
    return hashlib.shake_128(str(size).encode()).digest(size)


class Udp(LabTest):
    def echoed(self, version):
        sock = self.udp(version)
        sock.connect((address("echo.shop", version), layout.ECHO_PORT))
        for size in (*SIZES, 65507):
            with self.subTest(size=size):
                sock.send(datagram(size))
                self.assertEqual(sock.recv(65535), datagram(size))

    def test_datagrams_of_1_to_65507_bytes_come_back_whole_over_IPv4(self):
        self.echoed(4)

    def test_datagrams_of_1_to_65507_bytes_come_back_whole_over_IPv6(self):
        self.echoed(6)

    def test_an_empty_datagram_comes_back_empty(self):
        sock = self.udp()
        sock.connect((address("echo.shop"), layout.ECHO_PORT))
        sock.send(b"")
        self.assertEqual(sock.recv(100), b"")

    def test_many_flows_from_many_ports_keep_their_answers_apart(self):
        socks = [self.udp() for _ in range(100)]
        for number, sock in enumerate(socks):
            sock.sendto(f"flow {number}".encode(), (address("echo.shop"), layout.ECHO_PORT))
        for number, sock in enumerate(socks):
            data, source = sock.recvfrom(100)
            self.assertEqual((data.decode(), source), (f"flow {number}", (address("echo.shop"), layout.ECHO_PORT)))

    def test_datagrams_of_one_flow_keep_their_order(self):
        sock = self.udp()
        sock.connect((address("echo.shop"), layout.ECHO_PORT))
        for burst in range(20):
            for number in range(10):
                sock.send(bytes([burst, number]))
            self.assertEqual([sock.recv(10) for _ in range(10)], [bytes([burst, number]) for number in range(10)])


class Ping(LabTest):
    def ping(self, target, *words):
        return self.laptop.exec("ping", "-n", "-c", "3", "-i", "0.2", "-W", "3", *words, target, timeout=PATIENCE)

    def test_a_host_that_is_there_answers_pings(self):
        for version in (4, 6):
            self.assertIn("3 received", self.succeeds(self.ping(address("orders.shop", version))))

    def test_a_large_ping_comes_back_whole(self):
        self.assertIn("3 received", self.succeeds(self.ping(address("orders.shop"), "-s", "20000")))

    def test_a_host_that_is_not_there_answers_no_pings(self):
        result = self.ping(address("unreachable.shop"))
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("0 received", result.stdout)

    def test_status_says_that_pings_are_available(self):
        self.assertIn("available", self.succeeds(self.laptop.tunctl("status")))
