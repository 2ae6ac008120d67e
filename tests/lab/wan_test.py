"""The wide-area path does what was asked of it, and the tunnel bears what the path does."""

import contextlib
import re
import statistics
import subprocess
import time

from lablib import lab, layout
from lablib.probe_service import made_bytes
from lablib.shell import LabError, in_namespace, wait_until

from laptop import PATIENCE, LabTest, digest_of, read_all, read_text

DIRECT4, DIRECT6 = layout.DIRECT
ORDERS4, ORDERS6 = layout.SERVICES["orders.shop"]


class Wan(LabTest):
    path = {}  # a lab with a wide-area path that does nothing yet

    def setUp(self):
        self.wan = lab.Lab().wan(1)
        self.wan.reset()
        super().setUp()

    def tearDown(self):
        self.wan.reset()

    def pings(self, to, count=15):
        text = self.succeeds(self.laptop.exec("ping", "-c", count, "-i", "0.03", to))
        return [float(value) for value in re.findall(r"time=([0-9.]+) ms", text)]


class Delay(Wan):
    def test_a_round_trip_takes_twice_the_delay_on_every_way(self):
        self.wan.set(delay=15)
        for to in (DIRECT4, DIRECT6, ORDERS4, ORDERS6):
            with self.subTest(to=to):
                trips = self.pings(to)
                self.assertGreaterEqual(min(trips), 30)
                self.assertLess(statistics.median(trips), 34)

    def test_jitter_spreads_the_round_trips_and_keeps_within_its_bounds(self):
        self.wan.set(delay=15, jitter=10)
        trips = self.pings(DIRECT4, 60)
        self.assertGreaterEqual(min(trips), 10)
        self.assertLess(statistics.median(trips), 40)
        self.assertGreater(max(trips) - min(trips), 10)

    def test_what_makes_no_sense_is_refused_and_changes_nothing(self):
        self.wan.set(delay=3)
        with self.assertRaisesRegex(LabError, "jitter"):
            self.wan.set(jitter=5)
        self.assertEqual(self.wan.settings(), {"delay": 3, "jitter": 0, "loss": 0, "rate": 0})


class Loss(Wan):
    def test_datagrams_beside_the_tunnel_are_lost_as_asked_for(self):
        sent = 4000
        self.wan.set(loss=5)
        before = self.wan.show()
        sock, came = self.udp(), set()
        for first in range(0, sent, 20):  # a few at a time, so that no socket's buffer loses any
            for number in range(first, first + 20):
                sock.sendto(number.to_bytes(4, "big"), (DIRECT4, layout.ECHO_PORT))
            receive(sock, came, 20, 0.005)
        receive(sock, came, sent, 0.5)
        # Four standard deviations around what two ways of 5 % leave.
        self.assertAlmostEqual(len(came) / sent, 0.95 * 0.95, delta=0.02)
        after = self.wan.show()
        gone = sum(after[f"{way}_lost"] - before[f"{way}_lost"] for way in ("up", "down"))
        self.assertGreaterEqual(gone, sent - len(came))
        self.assertEqual(after["up_missed"] + after["down_missed"], before["up_missed"] + before["down_missed"])

    def test_10_MB_through_the_tunnel_are_byte_exact_with_1_percent_lost(self):
        size = 10_000_000
        self.wan.set(delay=1, loss=1)
        before = self.wan.show()
        sock = self.probe("SINK")
        for piece in made_bytes(size, "lossy"):
            sock.sendall(piece)
        sock.shutdown(1)
        self.assertEqual(read_text(sock), f"{size} {digest_of(size, 'lossy')}")
        self.assertEqual(read_all(self.probe(f"SOURCE {size} lossy", 6)), (size, digest_of(size, "lossy")))
        after = self.wan.show()
        for way in ("up_lost", "down_lost"):
            self.assertGreater(after[way] - before[way], 20)


def receive(sock, came, count, silence):
    """Adds up to `count` datagrams to `came`, until none comes for `silence` seconds."""
    sock.settimeout(silence)
    with contextlib.suppress(TimeoutError):
        for _ in range(count):
            came.add(sock.recv(100))


class Rate(Wan):
    def test_bulk_beside_the_tunnel_fills_the_rate_and_no_more(self):
        self.wan.set(delay=10, rate=100)
        for way in ([], ["-R"]):
            with self.subTest(way=way):
                # Without the first second, in which TCP finds out how much there is.
                text = self.succeeds(self.laptop.exec("iperf3", "-J", "-c", DIRECT4, "-p", layout.IPERF_PORTS[0], "-O", 1, "-t", 2, *way))
                rate = float(re.search(r'"sum_received":\s*{[^}]*"bits_per_second":\s*([0-9.e+]+)', text).group(1)) / 1e6
                # 94.1 are left by the headers of frame, IP and TCP.
                self.assertTrue(84 < rate < 96, rate)

    def test_at_the_end_that_sends_through_the_tunnel_little_waits_before_a_slow_line(self):
        self.wan.set(delay=10, rate=10)
        for way, end, ports in (([], layout.laptop(1), "dport"), (["-R"], layout.CLUSTER, "sport")):
            with self.subTest(way=way):
                bulk = subprocess.Popen(["ip", "netns", "exec", self.laptop.namespace, "iperf3", "-c", layout.SERVICES["bulk.shop"][0],
                                         "-t", "3", *way], stdout=subprocess.DEVNULL)
                self.addCleanup(bulk.kill)
                time.sleep(1.5)
                waiting = []
                while bulk.poll() is None and len(waiting) < 20:
                    told = in_namespace(end, "ss", "-tinH", f"{ports} = :{layout.GATEWAY_PORT}").stdout
                    waiting.append(max((int(size) for size in re.findall(r"notsent:(\d+)", told)), default=0))
                    time.sleep(0.05)
                self.assertEqual(len(waiting), 20)
                self.assertEqual(bulk.wait(PATIENCE), 0)
                # 16 KB take 13 ms of this line.
                self.assertLess(statistics.median(waiting), 16 * 1024, waiting)
                self.assertGreater(max(waiting), 0, "nothing was sent")

    def test_a_burst_longer_than_the_queue_loses_its_end(self):
        self.wan.set(rate=1)
        before = self.wan.show()
        sock = self.udp()
        for _ in range(100):
            sock.sendto(bytes(1400), (DIRECT4, layout.ECHO_PORT))
        self.assertTrue(wait_until(lambda: self.wan.show()["up_queue"] - before["up_queue"] > 40, 2))


class Cut(Wan):
    def test_flows_outlive_two_seconds_without_a_path(self):
        self.wan.set(delay=5)
        sock = self.probe("ECHO")
        sock.sendall(b"before")
        self.assertEqual(sock.recv(100), b"before")
        self.wan.cut()
        sock.sendall(b"while it is cut")
        time.sleep(2)
        self.wan.heal()
        self.assertEqual(sock.recv(100), b"while it is cut")
        self.assertEqual(self.laptop.tunctl("status").returncode, 0)

    def test_a_path_that_stays_away_ends_flows_with_an_error_and_the_link_comes_back_with_it(self):
        sock = self.probe("ECHO")
        began = time.monotonic()
        self.wan.cut()
        with self.assertRaises(ConnectionResetError):
            sock.recv(100)
        self.assertTrue(4 < time.monotonic() - began < 9, time.monotonic() - began)
        self.assertNotEqual(self.laptop.tunctl("status").returncode, 0)
        self.wan.heal()
        self.assertTrue(wait_until(lambda: self.laptop.tunctl("status").returncode == 0, PATIENCE, 0.1))
        self.assertTrue(read_text(self.probe("PEER")))
