"""`tunctl intercept`: the command that it runs, and the environment that it hands on."""

import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile

from lablib import layout, tunnel
from lablib.shell import wait_until

from intercepting import InterceptTest
from laptop import PATIENCE

# Listens where it is told to, answers with a variable, says which signals came, and ends with a code of its own.
PROGRAM = """
import http.server, os, signal, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = os.environ["GREETING"].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
def told(number, frame):
    print("got", signal.Signals(number).name, flush=True)
    if number == signal.SIGTERM: sys.exit(7)
for number in (signal.SIGUSR1, signal.SIGTERM): signal.signal(number, told)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


class Commands(InterceptTest):
    GREETING = tunnel.INTERCEPTABLE["orders"][3]["GREETING"]

    def test_a_command_runs_with_the_services_environment_and_ends_the_intercept_with_its_own_code(self):
        command = ["ip", "netns", "exec", self.laptop.namespace, layout.TUNCTL, "intercept", "orders", "--port", "8099", "--",
                   sys.executable, "-c", PROGRAM, "8099"]
        child = subprocess.Popen([str(word) for word in command], env=self.laptop.environment(), stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, cwd="/")
        try:
            self.assertTrue(wait_until(lambda: self.ask() == self.GREETING, PATIENCE), "it never answered")
            child.send_signal(signal.SIGUSR1)
            self.assertEqual(child.stdout.readline(), "got SIGUSR1\n")
            child.send_signal(signal.SIGTERM)
            out, _ = child.communicate(timeout=PATIENCE)
            self.assertEqual((out, child.returncode), ("got SIGTERM\n", 7))
        finally:
            child.kill()
            child.wait()
        self.assertIn("nginx", self.ask())
        self.assertEqual(self.listed()["intercepts"], [])

    def test_an_environment_file_comes_back_whole_from_its_real_reader(self):
        local = self.local()
        with tempfile.TemporaryDirectory() as folder:
            os.chmod(folder, 0o755)
            for extension in ("json", "sh"):
                self.intercept("orders", local.port, "--env-file", f"{folder}/orders.{extension}")
                self.succeeds(self.laptop.tunctl("leave", "orders"))
            with open(f"{folder}/orders.json") as file:
                self.assertEqual(json.load(file), tunnel.INTERCEPTABLE["orders"][3])
            script = f'. {shlex.quote(folder)}/orders.sh && printf %s "$GREETING"'
            self.assertEqual(subprocess.run(["sh", "-c", script], capture_output=True, text=True).stdout, self.GREETING)
            refused = self.laptop.tunctl("intercept", "orders", "--port", local.port, "--env-file", f"{folder}/orders.env")
            self.assertNotEqual(refused.returncode, 0, "docker's syntax has no line feeds")
            self.assertIn("GREETING", refused.stderr)
            self.assertIn("nginx", self.ask())
