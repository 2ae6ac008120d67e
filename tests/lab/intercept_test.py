"""Services of the cluster that are answered by processes on laptops."""

import hashlib
import json
import os
import random
import re
import socket
import threading
import time

from lablib import layout
from lablib.probe_service import made_bytes
from lablib.shell import wait_until

from intercepting import ANNA, InterceptTest
from laptop import PATIENCE, digest_of, fails_by_reset_after, read_all, read_text
from local_service import Client, ProbeService, connect, make_frame, read_frame

# Exit codes that `tunctl --help` lists.
NO_SERVICE, TAKEN = 11, 12
BULK = 100_000_000


class Requests(InterceptTest):
    def test_a_request_in_the_cluster_is_answered_on_the_laptop_until_leave(self):
        local = self.local()
        self.assertIn("nginx", self.ask())
        said = self.intercept("orders", local.port)
        self.assertRegex(said, r"orders is intercepted: all requests go to 127\.0\.0\.1:\d+ \(proven, [0-9.]+ (us|ms) there and back\)")
        self.assertEqual(local.accepted, 0, "the probe is nobody else's")
        self.assertEqual(self.ask(), "local", "on the connection that was kept alive, too")
        self.assertEqual(self.ask(client=Client()), "local")
        self.succeeds(self.laptop.tunctl("leave", "orders"))
        self.assertIn("nginx", self.ask())

    def test_400_requests_of_four_clients_are_split_exactly_and_none_is_lost(self):
        local = self.local()
        self.intercept("orders", local.port, "--http-header", "x-user=anna")
        wrong, meant = [], []

        def one(seed):
            dice, client = random.Random(seed), Client()
            for number in range(100):
                ours = dice.random() < 0.5
                meant.append(ours)
                status, body = client.ask(f"/{seed}/{number}", {"X-User": "anna" if ours else "bob"})
                if status != 200 or ("nginx" in body) == ours:
                    wrong.append((seed, number, status, body))
            client.close()

        _together(one, range(4))
        self.assertEqual((len(meant), wrong), (400, []))
        self.assertEqual(local.requests, sum(meant))
        there = self.listed()["intercepts"][0]["at_gateway"]
        self.assertEqual((there["requests"], there["failures"]), (sum(meant), 0))

    def test_pipelined_requests_are_told_apart_and_answered_in_their_order(self):
        local = self.local()
        self.intercept("orders", local.port, "--http-header", "x-user=anna")
        ours = [number % 3 == 0 for number in range(60)]
        sock = connect("orders.shop")
        self.addCleanup(sock.close)
        sock.sendall(b"".join(b"GET /%d HTTP/1.1\r\nHost: orders.shop\r\nX-User: %s\r\n%s\r\n"
                              % (number, b"anna" if mine else b"bob", b"Connection: close\r\n" if number == 59 else b"")
                              for number, mine in enumerate(ours)))
        answers = re.findall(r"^(local|orders: nginx)", re.sub("local(?=HTTP|$)", "local\n", read_text(sock)), re.M)
        self.assertEqual([answer == "local" for answer in answers], ours)

    def test_250_filtered_intercepts_at_once_each_get_their_own(self):
        services = [self.local(text=f"local {number}") for number in range(10)]
        self.addCleanup(self.laptop.tunctl, "leave", "orders")
        with socket.socket(socket.AF_UNIX) as control:
            control.settimeout(PATIENCE)
            control.connect(str(self.laptop.socket))
            lines = control.makefile("r")
            for number in range(250):
                request = {"v": 1, "request": "intercept", "service": "orders", "headers": [["x-user", f"user{number}"]],
                           "address": "127.0.0.1", "port": services[number % 10].port}
                control.sendall(json.dumps(request).encode() + b"\n")
                while (answer := json.loads(lines.readline()))["answer"] not in ("intercept", "error"):
                    pass
                self.assertEqual((answer["answer"], answer.get("outcome")), ("intercept", "ready"), answer)
        wrong = []

        def one(first):
            client = Client()
            for number in range(first, 260, 4):
                body = client.ask(headers={"x-user": f"user{number}"})[1]
                if body.strip() != (f"local {number % 10}" if number < 250 else body.strip()) or (number >= 250) != ("nginx" in body):
                    wrong.append((number, body))
            client.close()

        _together(one, range(4))
        self.assertEqual(wrong, [])
        self.assertEqual(sum(service.requests for service in services), 250)
        self.assertEqual(len(self.listed()["intercepts"]), 250)
        self.assertIn("250 intercepts", self.succeeds(self.laptop.tunctl("leave", "orders")))
        self.assertIn("nginx", self.ask({"x-user": "user7"}))

    def test_a_path_prefix_chooses_too(self):
        local = self.local()
        self.intercept("orders", local.port, "--http-path-prefix", "/api")
        self.assertEqual([("nginx" in self.ask(path=path)) for path in ("/api/1", "/", "/api?x=1", "/ap")], [False, True, False, True])

    def test_a_slow_local_process_does_not_hold_up_the_original(self):
        local = self.local()
        self.intercept("orders", local.port, "--http-header", "x-user=anna")
        slow = []
        thread = threading.Thread(target=lambda: slow.append(Client().ask("/slow", ANNA)))
        began = time.monotonic()
        thread.start()
        for _ in range(100):
            self.assertIn("nginx", self.ask())
        took = time.monotonic() - began
        thread.join()
        self.assertEqual(slow, [(200, "local")])
        self.assertLess(took, 0.9, "while the other still waits")

    def test_a_large_body_arrives_whole_in_one_piece_and_in_chunks(self):
        local = self.local()
        self.intercept("orders", local.port)
        data, digest = b"".join(made_bytes(20_000_000, "body")), digest_of(20_000_000, "body")
        self.assertEqual(self.ask(path="/digest", body=data), digest)
        pieces = [data[at:at + 77_777] for at in range(0, len(data), 77_777)]
        self.assertEqual(self.ask(path="/digest", body=iter(pieces)), digest)

    def test_a_client_that_waits_for_100_continue_gets_it(self):
        local = self.local()
        self.intercept("orders", local.port, "--http-header", "x-user=anna")
        sock = connect("orders.shop")
        self.addCleanup(sock.close)
        sock.sendall(b"POST /digest HTTP/1.1\r\nHost: orders.shop\r\nX-User: anna\r\nExpect: 100-continue\r\n"
                     b"Connection: close\r\nContent-Length: 4\r\n\r\n")
        self.assertTrue(sock.recv(1000).startswith(b"HTTP/1.1 100 "))
        sock.sendall(b"body")
        self.assertTrue(read_text(sock).endswith(hashlib.sha256(b"body").hexdigest()))

    def test_a_web_socket_echoes(self):
        local = self.local()
        self.intercept("orders", local.port, "--http-header", "x-user=anna")
        sock = connect("orders.shop")
        self.addCleanup(sock.close)
        sock.sendall(b"GET /socket HTTP/1.1\r\nHost: orders.shop\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-User: anna\r\n"
                     b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        file = sock.makefile("rb")
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = file.readline()
            self.assertTrue(line, head)
            head += line
        self.assertTrue(head.startswith(b"HTTP/1.1 101 "), head)
        self.assertIn(b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", head)  # RFC 6455, 1.3
        for size in (0, 1, 125, 126, 5000, 70_000, 300_000):
            data = os.urandom(size)
            sock.sendall(make_frame(2, data, os.urandom(4)))
            self.assertEqual(read_frame(file), (2, data))
        sock.sendall(make_frame(8, b"\x03\xe8", os.urandom(4)))
        self.assertEqual(read_frame(file), (8, b"\x03\xe8"))
        self.assertEqual(file.read(), b"")

    def test_the_clients_address_arrives(self):
        local = self.local()
        self.intercept("orders", local.port, "--http-header", "x-user=anna")
        pod = layout.PODS[1][0]
        client = Client(source=pod)
        self.addCleanup(client.close)
        head = self.ask(ANNA, "/headers", client)
        self.assertIn(f"X-Forwarded-For: {pod}\n", head)
        self.assertIn(f"for={pod};", head)
        self.assertEqual(self.ask(None, "/client", client).partition("|")[0], pod, "the original gets it as well")


class Connections(InterceptTest):
    """A service whose bytes nobody looks into."""

    def setUp(self):
        super().setUp()
        self.service = ProbeService()
        self.addCleanup(self.service.close)
        self.intercept("ledger", self.service.port)

    def begin(self, line):
        sock = connect("ledger.shop", layout.LEDGER_PORT)
        self.addCleanup(sock.close)
        sock.sendall(line.encode() + b"\n")
        return sock

    def test_a_connection_goes_to_the_laptop_and_after_leave_to_the_original(self):
        self.assertEqual(read_text(self.begin("PEER")), "127.0.0.1")
        self.succeeds(self.laptop.tunctl("leave", "ledger"))
        self.assertNotEqual(read_text(self.begin("PEER")), "127.0.0.1")

    def test_100_MB_go_each_way_byte_exact(self):
        sock = self.begin("SINK")
        for piece in made_bytes(BULK, "to the laptop"):
            sock.sendall(piece)
        sock.shutdown(socket.SHUT_WR)
        self.assertEqual(read_text(sock), f"{BULK} {digest_of(BULK, 'to the laptop')}")
        self.assertEqual(read_all(self.begin(f"SOURCE {BULK} back")), (BULK, digest_of(BULK, "back")))

    def test_a_reset_of_the_local_process_is_a_reset_for_the_client(self):
        sock = self.begin("RESET 100000")
        self.assertTrue(fails_by_reset_after(sock, 100_000))

    def test_filters_are_refused_as_there_are_no_requests(self):
        result = self.lab.laptop(2).tunctl("intercept", "ledger", "--port", 9, "--http-header", "x-user=anna")
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("ledger", result.stderr)


class FromTheLaptop(InterceptTest):
    """The laptop itself reaches its own process without a trip through the cluster."""

    def curl(self, *words):
        return self.succeeds(self.laptop.exec("curl", "-sS", "--max-time", PATIENCE, *words, "http://orders.shop/"))

    def test_an_intercepted_name_goes_straight_to_the_local_process(self):
        local = self.local()
        self.intercept("orders", local.port)
        for words in (("-4",), ("-6",)):
            self.assertEqual(self.curl(*words), "local")
        self.assertEqual(self.listed()["intercepts"][0]["at_gateway"]["requests"], 0)

    def test_with_a_filter_only_what_matches_does(self):
        local = self.local()
        self.intercept("orders", local.port, "--http-header", "x-user=anna")
        self.assertEqual(self.curl("-H", "X-User: anna"), "local")
        self.assertIn("nginx", self.curl())
        self.assertEqual(self.listed()["intercepts"][0]["at_gateway"]["requests"], 0)


class Others(InterceptTest):
    """Several people at one service."""

    def test_what_another_has_is_refused_with_the_owners_name(self):
        local = self.local()
        self.intercept("orders", local.port, "--http-header", "x-user=anna")
        for words in ((), ("--http-header", "x-user=anna"), ("--http-header", "x-user=anna", "--http-header", "x-more=1")):
            result = self.lab.laptop(2).tunctl("intercept", "orders", "--port", local.port, *words)
            self.assertEqual(result.returncode, TAKEN, (words, result.stdout, result.stderr))
            self.assertIn("laptop1", result.stderr)
        self.assertEqual(self.ask(ANNA), "local")

    def test_two_laptops_have_a_part_each_and_more_conditions_win(self):
        one, two = self.local(1, "one"), self.local(2, "two")
        self.intercept("orders", one.port, "--http-header", "x-user=anna")
        self.intercept("orders", two.port, "--http-header", "x-team=a", "--http-header", "x-try=1", number=2)
        team = {"x-team": "a", "x-try": "1"}
        self.assertEqual([self.ask(headers).strip()[:3] for headers in (ANNA, team, {**team, **ANNA}, {"x-team": "a"})],
                         ["one", "two", "two", "ord"])
        owners = {each["at_gateway"]["owner"] for each in self.listed()["intercepts"]}
        self.assertEqual(owners, {"laptop1", "laptop2"})
        self.succeeds(self.lab.laptop(2).tunctl("leave", "orders"))
        self.assertEqual(self.ask({**team, **ANNA}), "one")

    def test_a_service_that_is_not_there_is_named(self):
        result = self.laptop.tunctl("intercept", "nosuch", "--port", 80)
        self.assertEqual(result.returncode, NO_SERVICE, result.stdout + result.stderr)
        self.assertIn("nosuch", result.stderr)

    def test_the_administrator_ends_an_intercept(self):
        local = self.local()
        self.intercept("orders", local.port)
        self.assertEqual(self.ask(), "local")
        self.assertIn("laptop1", self.succeeds(self.gateway.command("intercepts")))
        self.succeeds(self.gateway.command("free", "orders"))
        self.assertIn("nginx", self.ask())
        self.assertTrue(wait_until(lambda: not self.listed()["intercepts"], PATIENCE), self.listed())


class Down(InterceptTest):
    """Nobody listens on the laptop."""

    def test_the_original_answers_where_the_local_process_does_not_listen(self):
        local = self.local()
        local.close()
        self.assertIn("nothing listens", self.intercept("orders", local.port))
        self.assertIn("nginx", self.ask())
        self.assertIn("nginx", self.ask(body=b"posted"))

    def test_it_is_refused_where_the_gateway_says_so(self):
        local = self.local()
        local.close()
        self.intercept("prices", local.port)
        client = Client("prices.shop")
        self.addCleanup(client.close)
        self.assertEqual(client.ask()[0], 502)

    def test_a_process_that_ends_is_found_again_when_it_is_back(self):
        local = self.local()
        self.intercept("orders", local.port)
        self.assertEqual(self.ask(), "local")
        local.close()
        self.assertIn("nginx", self.ask(client=Client()))
        self.assertTrue(self.listed()["intercepts"][0]["here"]["last_error"])
        self.local(port=local.port)
        self.assertEqual(self.ask(client=Client()), "local")


def _together(function, values):
    threads = [threading.Thread(target=function, args=(value,)) for value in values]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
