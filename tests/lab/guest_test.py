"""A good guest on the laptop: up and down, twice, after a kill -9, and nothing left."""

import json
import os
import shutil

from lablib import layout, network, tunnel
from lablib.netns import processes_in
from lablib.shell import wait_until

from laptop import PATIENCE, LabTest

NOT_RUNNING, NOT_PERMITTED, INVALID = 3, 4, 5


class Host(LabTest):
    def state(self):
        words = ("ip -o link show", "ip -o address show", "ip -4 route show table all", "ip -6 route show table all",
                 "cat /etc/resolv.conf")
        return [self.laptop.exec(*line.split()).stdout for line in words]

    def test_up_and_down_may_be_repeated_and_say_so(self):
        self.assertIn("already", self.succeeds(self.laptop.tunctl("up", tunnel.DEMO)))
        self.succeeds(self.laptop.tunctl("down", tunnel.DEMO))
        self.assertIn("down", self.succeeds(self.laptop.tunctl("down", tunnel.DEMO)))
        self.assertNotEqual(self.laptop.tunctl("status").returncode, 0)
        self.succeeds(self.laptop.tunctl("up", tunnel.DEMO))
        self.succeeds(self.laptop.tunctl("status"))

    def test_down_leaves_the_machine_as_it_was(self):
        self.succeeds(self.laptop.tunctl("down", tunnel.DEMO))
        before = self.state()
        self.assertNotIn("cw-demo", "".join(before))
        self.assertEqual(network.resolv_conf(self.laptop.namespace), f"nameserver {_home_dns()}\n")
        self.laptop.up()
        self.assertIn("cw-demo", "".join(self.state()))
        self.succeeds(self.laptop.tunctl("down", tunnel.DEMO))
        self.assertEqual(self.state(), before)

    def test_what_kill_9_leaves_is_undone_by_the_next_start(self):
        for pid in processes_in(self.laptop.namespace):
            os.kill(pid, 9)
        self.assertTrue(wait_until(lambda: not processes_in(self.laptop.namespace), 10))
        self.laptop.stop()
        self.assertIn("ausew", network.resolv_conf(self.laptop.namespace), "the stand-in is what a kill -9 leaves")
        self.laptop.start()
        self.assertEqual(network.resolv_conf(self.laptop.namespace), f"nameserver {_home_dns()}\n")
        self.assertNotIn("cw-demo", "".join(self.state()))

    def test_an_ended_daemon_takes_its_changes_with_it(self):
        self.assertTrue(self.laptop.stop(), "it ends by itself when asked")
        self.assertEqual(network.resolv_conf(self.laptop.namespace), f"nameserver {_home_dns()}\n")
        self.assertNotIn("cw-demo", "".join(self.state()))
        self.assertEqual(self.laptop.tunctl("status").returncode, NOT_RUNNING)

    def test_a_killed_engine_takes_its_changes_with_it(self):
        main = self.laptop.pid()
        engine = [pid for pid in processes_in(self.laptop.namespace) if pid != main and _uid(pid) != 0]
        self.assertEqual(len(engine), 1)
        os.kill(engine[0], 9)
        self.assertTrue(wait_until(lambda: "cw-demo" not in "".join(self.state()), PATIENCE))
        self.assertTrue(wait_until(lambda: network.resolv_conf(self.laptop.namespace) == f"nameserver {_home_dns()}\n", 5))
        self.laptop.stop()

    def test_the_engine_has_no_capability_and_is_not_root(self):
        found = [pid for pid in processes_in(self.laptop.namespace) if pid != self.laptop.pid() and _uid(pid) != 0]
        self.assertEqual(len(found), 1)
        self.assertEqual({int(_field(found[0], name), 16) for name in ("CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb")}, {0})
        self.assertEqual(_field(found[0], "NoNewPrivs"), "1")


class Users(LabTest):
    def test_status_is_for_everybody_and_down_for_the_few(self):
        copy = layout.RUN / "tunctl"  # the build folder may be closed to other users
        shutil.copy(layout.TUNCTL, copy)
        self.addCleanup(copy.unlink)
        nobody = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--", copy)
        self.succeeds(self.laptop.exec(*nobody, "status"))
        result = self.laptop.exec(*nobody, "down", tunnel.DEMO)
        self.assertEqual(result.returncode, NOT_PERMITTED, result.stdout + result.stderr)
        self.succeeds(self.laptop.tunctl("status"))

    def test_status_tells_programs_in_JSON(self):
        status = json.loads(self.succeeds(self.laptop.tunctl("status", "--json")))
        self.assertIn("demo", json.dumps(status))

    def test_a_mistake_in_a_profile_is_named_with_line_and_column(self):
        (self.laptop.profiles / "typo.toml").write_text('gateways = ["10.77.0.1:7700"]\nrotues = ["10.96.0.0/16"]\n')
        self.addCleanup((self.laptop.profiles / "typo.toml").unlink)
        result = self.laptop.tunctl("up", "typo")
        self.assertEqual(result.returncode, INVALID, result.stdout + result.stderr)
        self.assertRegex(result.stdout + result.stderr, r"typo\.toml:2:\d+.*rotues")

    def test_a_key_file_that_others_may_read_is_refused(self):
        self.laptop.make_key("loose")
        (self.laptop.profiles / "loose.key").chmod(0o644)
        self.addCleanup((self.laptop.profiles / "loose.key").unlink)
        self.laptop.write_profile("loose", self.gateway.public_key(), key="loose", routes=("10.250.0.0/24",))
        self.addCleanup((self.laptop.profiles / "loose.toml").unlink)
        result = self.laptop.tunctl("up", "loose")
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("loose.key", result.stdout + result.stderr)


def _home_dns():
    return layout.HOME_DNS[0]


def _field(pid, name):
    with open(f"/proc/{pid}/status") as file:
        return next(line.split(":")[1].strip() for line in file if line.startswith(name + ":"))


def _uid(pid):
    return int(_field(pid, "Uid").split()[0])
