"""TCP through the tunnel: every byte, every end of a connection, every errno, as on a direct connection."""

import errno
import socket
import threading
import time

from lablib import layout
from lablib.probe_service import made_bytes

from laptop import PATIENCE, LabTest, address, digest_of, fails_by_reset_after, read_all, read_bytes, read_text, reset_on_close

BULK = 64 << 20


class Bytes(LabTest):
    def test_64_MB_go_up_byte_exact(self):
        for version in (4, 6):
            with self.subTest(version=version):
                sock = self.probe("SINK", version)
                for piece in made_bytes(BULK, "up"):
                    sock.sendall(piece)
                sock.shutdown(socket.SHUT_WR)
                self.assertEqual(read_text(sock), f"{BULK} {digest_of(BULK, 'up')}")

    def test_64_MB_come_down_byte_exact(self):
        for version in (4, 6):
            with self.subTest(version=version):
                self.assertEqual(read_all(self.probe(f"SOURCE {BULK} down", version)), (BULK, digest_of(BULK, "down")))

    def test_200_flows_at_once_are_each_byte_exact(self):
        size, failures = 300_000, []

        def one(number):
            try:
                sock = self.probe("ECHO", 4 if number % 2 else 6, 1 + number % 2)
                data = b"".join(made_bytes(size, f"flow{number}"))
                sender = threading.Thread(target=lambda: (sock.sendall(data), sock.shutdown(socket.SHUT_WR)))
                sender.start()
                came = read_bytes(sock)
                sender.join()
                if came != data:
                    failures.append(f"flow {number}: {len(came)} bytes came, or others")
            except OSError as error:
                failures.append(f"flow {number}: {error}")

        threads = [threading.Thread(target=one, args=(number,)) for number in range(200)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])

    def test_one_byte_writes_arrive_in_order(self):
        sock = self.probe("ECHO")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        data = bytes(number % 251 for number in range(3000))
        for byte in data:
            sock.sendall(bytes([byte]))
        sock.shutdown(socket.SHUT_WR)
        self.assertEqual(read_bytes(sock), data)

    def test_a_slow_reader_does_not_hold_up_another_flow(self):
        stalled = self.probe("FLOOD slow-reader")
        stalled.recv(1)
        time.sleep(0.5)
        self.assertEqual(read_all(self.probe("SOURCE 20000000 beside")), (20_000_000, digest_of(20_000_000, "beside")))


class Ends(LabTest):
    def test_the_app_may_finish_first_and_still_read(self):
        for version in (4, 6):
            sock = self.probe("SINK", version)
            sock.sendall(b"half")
            sock.shutdown(socket.SHUT_WR)
            self.assertTrue(read_text(sock).startswith("4 "))

    def test_the_service_may_finish_first_and_still_read(self):
        sock = self.probe("FINFIRST early")
        self.assertEqual(read_bytes(sock), b"bye")
        for piece in made_bytes(5_000_000, "late"):
            sock.sendall(piece)
        sock.close()
        self.assertEqual(read_text(self.probe("REPORT early")), f"5000000 {digest_of(5_000_000, 'late')}")

    def test_a_reset_of_the_service_is_a_reset_for_the_app_after_the_bytes_before_it(self):
        sock = self.probe("RESET 100000")
        self.assertTrue(fails_by_reset_after(sock, 100_000))

    def test_a_service_that_closes_with_unread_data_resets_the_app(self):
        sock = self.probe("CLOSE")
        with self.assertRaises((ConnectionResetError, BrokenPipeError)):
            sock.sendall(b"never read" * 1000)
            for _ in range(100):
                if sock.recv(1) == b"":
                    sock.sendall(b"more")
                    time.sleep(0.05)

    def test_a_reset_of_the_app_reaches_the_service(self):
        sock = self.probe("FLOOD app-reset")
        sock.recv(1000)
        reset_on_close(sock)
        sock.close()
        self.assertIn(read_text(self.probe("REPORT app-reset")), ("ConnectionResetError", "BrokenPipeError"))

    def test_an_app_that_closes_with_unread_data_resets_the_service(self):
        sock = self.probe("FLOOD app-unread")
        time.sleep(0.2)
        sock.close()
        self.assertIn(read_text(self.probe("REPORT app-unread")), ("ConnectionResetError", "BrokenPipeError"))


class Errors(LabTest):
    """The same answer through the tunnel as on a direct connection."""

    def same(self, service, direct, port, expected, timeout=PATIENCE):
        for version, index in ((4, 0), (6, 1)):
            with self.subTest(service=service, version=version):
                self.assertEqual(self.connect_error(direct[index], port, timeout=timeout), expected[index], "direct")
                began = time.monotonic()
                self.assertEqual(self.connect_error(address(service, version), port, timeout=timeout), expected[index])
                if expected[index] != "timeout":
                    self.assertLess(time.monotonic() - began, 5)

    def test_a_refused_port_is_refused_at_once(self):
        self.same("orders.shop", layout.DIRECT, layout.CLOSED_PORT, (errno.ECONNREFUSED,) * 2)

    def test_a_host_that_is_not_there_is_EHOSTUNREACH(self):
        self.same("unreachable.shop", layout.DIRECT_UNREACHABLE, 80, (errno.EHOSTUNREACH,) * 2)

    def test_a_network_without_a_route_is_ENETUNREACH(self):
        self.same("noroute.shop", layout.DIRECT_NOROUTE, 80, (errno.ENETUNREACH,) * 2)

    def test_what_drops_packets_is_left_to_the_apps_own_timer(self):
        self.same("drop.shop", layout.DIRECT_DROP, 80, ("timeout",) * 2, timeout=2)

    def test_a_destination_that_the_gateway_forbids_is_prohibited(self):
        self.assertEqual(self.connect_error(address("forbidden.shop", 4), 80), errno.EHOSTUNREACH)
        self.assertEqual(self.connect_error(address("forbidden.shop", 6), 80), errno.EACCES)

    def test_a_refused_datagram_is_ECONNREFUSED(self):
        for version in (4, 6):
            sock = self.udp(version)
            sock.connect((address("orders.shop", version), 9))
            with self.assertRaises(ConnectionRefusedError):
                for _ in range(10):
                    sock.send(b"anybody?")
                    sock.settimeout(0.5)
                    try:
                        sock.recv(10)
                    except TimeoutError:
                        pass


class Clients(LabTest):
    def test_curl_gets_the_page_of_nginx_by_name(self):
        for words in (("-4",), ("-6",)):
            out = self.succeeds(self.laptop.exec("curl", "-sS", "--max-time", PATIENCE, *words, "http://orders.shop/"))
            self.assertIn("orders: nginx in the cluster", out)

    def test_curl_says_connection_refused_for_a_closed_port(self):
        result = self.laptop.exec("curl", "-v", "--max-time", PATIENCE, "http://orders.shop:81/")  # without -v it names no reason
        self.assertEqual(result.returncode, 7)
        self.assertIn("refused", result.stderr)

    def test_a_redis_session_works(self):
        script = "".join(f"SET key{number} value{number}\nGET key{number}\n" for number in range(200)) + "DBSIZE\n"
        out = self.succeeds(self.laptop.exec("redis-cli", "-h", "cache.shop", input=script))
        self.assertIn("value199", out)
        self.assertEqual(out.count("OK"), 200)

    def test_a_PostgreSQL_session_works(self):
        script = ("CREATE TEMP TABLE t AS SELECT n, repeat('x', 1000) AS s FROM generate_series(1, 20000) AS n;\n"
                  "SELECT count(*), sum(length(s)) FROM t;\nCOPY t TO STDOUT;\n")
        out = self.succeeds(self.laptop.exec("psql", "-h", "db.shop", "-U", "postgres", "-At", "-v", "ON_ERROR_STOP=1",
                                             input=script))
        self.assertIn("20000|20000000", out)
        self.assertEqual(out.count("x" * 1000), 20000)

    def test_two_laptops_use_one_gateway_side_by_side(self):
        socks = [self.probe("PEER", number=number) for number in (1, 2)]
        self.assertEqual([bool(read_text(sock)) for sock in socks], [True, True])
        out = [self.succeeds(self.lab.laptop(number).exec("curl", "-sS", "--max-time", PATIENCE, "http://orders.shop/"))
               for number in (1, 2)]
        self.assertEqual(out[0], out[1])
