"""Intercepts fail open: what becomes of requests while the laptop that should answer them is killed, cut off or frozen."""

import http.client
import os
import signal
import threading
import time

from lablib import layout, netns
from lablib.shell import in_namespace, wait_until

from intercepting import ANNA, InterceptTest
from laptop import PATIENCE, read_text
from local_service import Client, ProbeService, connect

# Seconds within which the gateway knows that a laptop has stopped answering; it should take a third of that.
NOTICED = 2

CUT = """
table inet cut {
  chain input { type filter hook input priority 0; iifname "laptop1" drop; }
  chain output { type filter hook output priority 0; oifname "laptop1" drop; }
}
"""


class Load:
    """Four clients that ask without a pause: three with GET, which may be asked again, one with POST, which may not."""

    CLIENTS = 4
    POSTING = 1

    def __init__(self):
        self.answers = []  # (when it was asked, how long it took, method, "local", "original" or what went wrong)
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(self.CLIENTS)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        for thread in self._threads:
            thread.join()

    def newcomer(self):
        """One more client, for one GET."""
        thread = threading.Thread(target=self._ask, args=(Client(timeout=PATIENCE), False))
        self._threads.append(thread)
        thread.start()

    def _run(self, number):
        client = Client(timeout=PATIENCE)
        while not self._end.is_set():
            self._ask(client, number < self.POSTING)
            time.sleep(0.005)
        client.close()

    def _ask(self, client, posts):
        began = time.monotonic()
        try:
            status, body = client.ask("/", ANNA, b"posted" if posts else None)
            said = f"status {status}" if status != 200 else "original" if "nginx" in body else "local"
        except (OSError, http.client.HTTPException) as error:
            said = repr(error)
        self.answers.append((began, time.monotonic() - began, "POST" if posts else "GET", said))

    def since(self, when):
        return [answer for answer in self.answers if answer[0] >= when]

    def failed(self):
        return [answer for answer in self.answers if answer[3] not in ("local", "original")]


class FailOpen(InterceptTest):
    def setUp(self):
        super().setUp()
        self.service = self.local()
        self.intercept("orders", self.service.port, "--http-header", "x-user=anna")

    def under_load(self, trouble):
        """`trouble` befalls the laptop while requests are handed over. The gateway notices within a moment: from then on all go to the
        original. Those that were handed over before wait for the grace, and what can be asked again is."""
        with Load() as load:
            self.assertTrue(wait_until(lambda: len(load.answers) > 50, PATIENCE))
            at = time.monotonic()
            trouble()
            for _ in range(NOTICED * 20):
                load.newcomer()
                time.sleep(0.05)
            self.assertTrue(wait_until(lambda: len([one for one in load.since(at) if one[3] == "original"]) > 100, PATIENCE),
                            load.answers[-10:])
        failed = load.failed()
        self.assertEqual([one for one in failed if one[2] == "GET"], [], "these could be asked again")
        self.assertLessEqual(len(failed), load.POSTING, "those that were handed over before the gateway noticed")
        self.assertEqual({one[3] for one in load.answers if one[0] + one[1] < at}, {"local"})
        late = load.since(at + NOTICED - 0.5)
        self.assertEqual({one[3] for one in late}, {"original"})
        self.assertLess(max(one[1] for one in late), layout.GRACE / 2, "new ones wait for nothing")
        self.assertLess(max(one[1] for one in load.answers), NOTICED + layout.GRACE + 1)

    def freeze(self):
        pids = netns.processes_in(self.laptop.namespace)
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        self.addCleanup(self.thaw, pids)
        return pids

    @staticmethod
    def thaw(pids):
        for pid in pids:
            try:
                os.kill(pid, signal.SIGCONT)
            except ProcessLookupError:
                pass

    def cut(self):
        in_namespace(layout.CLUSTER, "nft", "-f", "-", input=CUT)
        self.addCleanup(self.heal)

    @staticmethod
    def heal():
        in_namespace(layout.CLUSTER, "nft", "delete", "table", "inet", "cut", check=False)

    def goes_on(self):
        return wait_until(lambda: Client().ask(headers=ANNA)[1] == "local", PATIENCE)

    def test_killed_under_load_nothing_is_lost_but_what_cannot_be_asked_again(self):
        def kill():
            for pid in netns.processes_in(self.laptop.namespace):
                os.kill(pid, signal.SIGKILL)

        self.under_load(kill)
        self.laptop.stop()
        self.laptop.start()
        self.laptop.up()
        self.assertIn("nginx", self.ask(ANNA), "who made it is not there any more")
        # Another of the same key is not in its way.
        self.intercept("orders", self.service.port, "--http-header", "x-user=anna")
        self.assertEqual(self.ask(ANNA), "local")

    def test_cut_off_under_load_the_original_answers_and_the_intercept_goes_on_when_it_is_back(self):
        self.under_load(self.cut)
        self.heal()
        self.assertTrue(self.goes_on())

    def test_frozen_under_load_the_original_answers_and_the_intercept_goes_on_when_it_is_back(self):
        pids = []
        self.under_load(lambda: pids.extend(self.freeze()))
        self.thaw(pids)
        self.assertTrue(self.goes_on())

    def test_what_was_handed_over_to_a_frozen_laptop_gets_the_grace_and_then_502(self):
        answers = []

        def post():
            answers.append((Client().ask("/wait", ANNA, b"once only"), time.monotonic()))

        thread = threading.Thread(target=post)
        thread.start()
        self.assertTrue(wait_until(lambda: self.service.requests == 1, PATIENCE))
        pids = self.freeze()
        at = time.monotonic()
        thread.join()
        self.thaw(pids)
        (status, _), when = answers[0]
        self.assertEqual(status, 502)
        self.assertGreater(when - at, layout.GRACE - 0.1)
        self.assertLess(when - at, layout.GRACE + 3)

    def test_a_connection_of_a_frozen_laptop_gets_the_grace_and_then_a_reset(self):
        local = ProbeService()
        self.addCleanup(local.close)
        self.intercept("ledger", local.port)
        sock = self.echoing()
        pids = self.freeze()
        at = time.monotonic()
        with self.assertRaises(ConnectionResetError):
            sock.recv(1)
        took = time.monotonic() - at
        sock = connect("ledger.shop", layout.LEDGER_PORT)
        sock.sendall(b"PEER\n")
        self.assertNotEqual(read_text(sock), "127.0.0.1", "new ones go to the original")
        self.thaw(pids)
        self.assertGreater(took, layout.GRACE - 0.1)
        self.assertLess(took, layout.GRACE + 3)

    def echoing(self):
        """A connection to ledger that has shown that it works."""
        sock = connect("ledger.shop", layout.LEDGER_PORT)
        self.addCleanup(sock.close)
        sock.sendall(b"ECHO\nx")
        self.assertEqual(sock.recv(1), b"x")
        return sock

    def test_a_laptop_that_is_back_within_the_grace_still_answers(self):
        answers = []
        thread = threading.Thread(target=lambda: answers.append(Client().ask("/wait", ANNA, b"once only")))
        thread.start()
        self.assertTrue(wait_until(lambda: self.service.requests == 1, PATIENCE))
        pids = self.freeze()
        time.sleep(layout.GRACE / 2)
        self.thaw(pids)
        self.service.go.set()
        thread.join()
        self.assertEqual(answers, [(200, "local")])
