"""Who may enter, and what becomes of flows and users when the link, the gateway or a key goes."""

import os
import threading
import time

from lablib import layout, netns, tunnel
from lablib.shell import wait_until

from laptop import PATIENCE, LabTest, read_text

# The exit codes that `tunctl --help` lists.
UNREACHABLE, REFUSED = 6, 7


class Keys(LabTest):
    def up(self, name, **changes):
        """`tunctl up` of a profile of its own; it is taken down again, and its files go."""
        settings = {"gateway_key": self.gateway.public_key(), **changes}
        self.laptop.write_profile(name, **settings)
        self.addCleanup(lambda: (self.laptop.profiles / f"{name}.toml").unlink())
        self.addCleanup(self.laptop.tunctl, "down", name)
        return self.laptop.tunctl("up", name)

    def test_a_strangers_key_is_refused_with_the_line_that_would_let_it_in(self):
        key = self.laptop.make_key("stranger")
        self.addCleanup((self.laptop.profiles / "stranger.key").unlink)
        result = self.up("stranger", key="stranger", routes=("10.250.0.0/24",))
        self.assertEqual(result.returncode, REFUSED, result.stdout + result.stderr)
        said = result.stdout + result.stderr
        self.assertIn("does not know our key", said)
        self.assertIn(key, said)
        self.assertIn(key, self.gateway.log().read_text())

    def test_a_wrong_gateway_key_gets_no_answer(self):
        other = tunnel.private_key(layout.RUN / "other.key")
        self.addCleanup((layout.RUN / "other.key").unlink)
        result = self.up("wrongkey", gateway_key=other, routes=("10.250.0.0/24",))
        self.assertEqual(result.returncode, UNREACHABLE, result.stdout + result.stderr)
        self.assertIn("wrong gateway key, or no gateway there", result.stdout + result.stderr)

    def test_an_absent_gateway_is_named_with_what_the_kernel_said(self):
        result = self.up("absent", gateways=["10.77.0.1:7799"], routes=("10.250.0.0/24",))
        self.assertEqual(result.returncode, UNREACHABLE, result.stdout + result.stderr)
        self.assertIn("10.77.0.1:7799", result.stdout + result.stderr)
        self.assertIn("refused", (result.stdout + result.stderr).lower())

    def test_a_failed_up_leaves_nothing_behind(self):
        before = self.state_of_host()
        self.up("absent2", gateways=["10.77.0.1:7799"], routes=("10.250.0.0/24",))
        self.assertEqual(self.state_of_host(), before)

    def state_of_host(self):
        return [self.laptop.exec(*words.split()).stdout for words in
                ("ip -o link show type tun", "ip -4 route show table all", "ip -6 route show table all", "cat /etc/resolv.conf")]

    def test_a_second_gateway_is_tried_when_the_first_is_not_there(self):
        result = self.up("second", gateways=["10.77.0.1:7799", f"10.77.0.1:{layout.GATEWAY_PORT}"], routes=("10.96.1.0/24",))
        self.succeeds(result)

    def test_a_removed_key_ends_its_session_within_seconds_and_comes_back_with_the_key(self):
        second = self.lab.laptop(2)
        sock = self.probe("FLOOD removed-key", number=2)
        sock.recv(1000)
        key = tunnel.public_key(second.profiles / "laptop.key")
        self.gateway.forbid("laptop2")
        try:
            began = time.monotonic()
            with self.assertRaises(OSError):
                while time.monotonic() - began < PATIENCE:
                    sock.recv(1 << 20)
            self.assertLess(time.monotonic() - began, 3)
            self.assertNotEqual(second.tunctl("status").returncode, 0)
        finally:
            self.gateway.allow(key, "laptop2")
            second.tunctl("down", tunnel.DEMO)
            self.succeeds(second.tunctl("up", tunnel.DEMO))


class Gateway(LabTest):
    def test_it_runs_as_an_ordinary_user_without_any_capability(self):
        pid = self.lab.processes.pid("gateway")
        with open(f"/proc/{pid}/status") as file:
            fields = dict(line.split(":\t") for line in file.read().splitlines() if ":\t" in line)
        self.assertEqual(fields["Uid"].split(), [str(layout.GATEWAY_UID)] * 4)
        self.assertEqual({int(fields[name], 16) for name in ("CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb")}, {0})

    def test_its_log_says_who_came(self):
        self.assertIn("laptop1", self.gateway.log().read_text())

    def test_killed_under_traffic_every_flow_ends_with_an_error_and_the_link_comes_back(self):
        socks = [self.probe("FLOOD killed-gateway") for _ in range(5)] + [self.probe("ECHO") for _ in range(5)]
        ended = []

        def read(sock):
            try:
                while sock.recv(65536):
                    pass
                ended.append("finished")
            except TimeoutError:
                ended.append("hung")
            except OSError:
                ended.append("error")

        threads = [threading.Thread(target=read, args=(sock,)) for sock in socks]
        for thread in threads:
            thread.start()
        time.sleep(0.3)
        self.gateway.kill()
        try:
            for thread in threads:
                thread.join()
            self.assertEqual(ended, ["error"] * len(socks))
        finally:
            self.gateway.start()
        self.assertTrue(wait_until(lambda: all(laptop.tunctl("status").returncode == 0 for laptop in self.lab.laptops()),
                                   PATIENCE, 0.2))
        self.assertTrue(read_text(self.probe("PEER")))

    def test_a_connection_begun_while_the_gateway_restarts_waits_for_it(self):
        self.gateway.kill()
        result = []
        thread = threading.Thread(target=lambda: result.append(
            self.laptop.exec("curl", "-sS", "--max-time", PATIENCE, f"http://{layout.SERVICES['orders.shop'][0]}/")))
        thread.start()
        time.sleep(0.5)
        self.gateway.start()
        thread.join()
        self.assertIn("orders: nginx", self.succeeds(result[0]))

    def test_garbage_on_its_port_gets_silence_and_harms_nobody(self):
        sock = netns.connect_in(self.laptop.namespace, *_endpoint(), timeout=1)
        with sock:
            sock.sendall(os.urandom(3000))
            try:
                self.assertEqual(sock.recv(100), b"")
            except (TimeoutError, ConnectionResetError):
                pass
        self.assertTrue(read_text(self.probe("PEER")))


def _endpoint():
    return layout.GATEWAY_ADDRESS[0], layout.GATEWAY_PORT
