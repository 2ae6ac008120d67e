"""Routes of the laptop that the tunnel has to live with: there before it is up, and while it is."""

import ipaddress

from lablib import layout
from lablib.shell import wait_until

from laptop import LabTest

PROFILE = "roads"
MACHINE_IN_THE_WAY = 9


class Routes(LabTest):
    def setUp(self):
        super().setUp()
        self.succeeds(self.laptop.tunctl("down"))
        self.ip("link", "add", "vpn0", "type", "veth", "peer", "name", "vpn1")
        self.ip("link", "set", "vpn1", "up")
        self.ip("link", "set", "vpn0", "up")
        self.addCleanup(self.ip, "link", "delete", "vpn0")
        self.before = self.state()
        self.addCleanup(self.laptop.tunctl, "down", PROFILE)

    def ip(self, *words):
        return self.succeeds(self.laptop.exec("ip", *words))

    def state(self):
        return [self.ip(*line.split()) for line in ("rule", "-6 rule", "-4 route show table all", "-6 route show table main")]

    def bring_up(self, extra):
        self.laptop.write_profile(PROFILE, self.gateway.public_key(), extra=extra)
        self.addCleanup((self.laptop.profiles / f"{PROFILE}.toml").unlink, missing_ok=True)
        return self.laptop.tunctl("up", PROFILE)

    def address_of(self, name):
        return self.succeeds(self.laptop.exec("getent", "ahostsv4", name)).split()[0]

    def hello(self, host="orders.shop"):
        return self.laptop.exec("curl", "-4", "-sS", "-m", "10", f"http://{host}/")

    def way(self, address):
        return self.laptop.exec("ip", "route", "get", address).stdout

    def is_virtual(self, address):
        return ipaddress.ip_address(address) in ipaddress.ip_network("198.18.0.0/16")

    def test_what_a_VPN_has_before_is_reached_by_virtual_addresses(self):
        for route in ("10.0.0.0/8", "10.96.0.0/12", "10.96.0.0/16"):
            with self.subTest(route):
                self.ip("route", "add", route, "dev", "vpn0")
                before = self.state()
                self.succeeds(self.bring_up(""))
                self.assertTrue(self.is_virtual(self.address_of("orders.shop")))
                self.assertIn("nginx", self.succeeds(self.hello()))
                self.assertIn("vpn0", self.way(layout.SERVICES["orders.shop"][0]), "the VPN keeps what it has")
                self.succeeds(self.laptop.tunctl("down", PROFILE))
                self.assertEqual(self.state(), before)
                self.ip("route", "del", route, "dev", "vpn0")

    def test_a_profile_that_is_to_fail_names_both_routes_and_changes_nothing(self):
        self.ip("route", "add", "10.0.0.0/8", "dev", "vpn0")
        before = self.state()
        result = self.bring_up('conflict = "fail"')
        self.assertEqual(result.returncode, MACHINE_IN_THE_WAY, result.stdout + result.stderr)
        self.assertIn("10.96.0.0/16: vpn0 has 10.0.0.0/8", result.stdout + result.stderr)
        self.assertEqual(self.state(), before)

    def test_a_profile_that_is_to_win_wins_and_gives_back_what_it_hid(self):
        self.ip("route", "add", "10.96.0.0/16", "dev", "vpn0")
        before = self.state()
        self.succeeds(self.bring_up('conflict = "win"'))
        self.assertEqual(self.address_of("orders.shop"), layout.SERVICES["orders.shop"][0])
        self.assertIn("nginx", self.succeeds(self.hello()))
        self.succeeds(self.laptop.tunctl("down", PROFILE))
        self.assertEqual(self.state(), before)

    def test_a_VPN_that_comes_and_goes_while_it_is_up_is_followed(self):
        self.succeeds(self.bring_up(""))
        self.assertFalse(self.is_virtual(self.address_of("orders.shop")))
        logged = len(self.laptop.log().read_text())
        self.ip("route", "add", "10.96.0.0/12", "dev", "vpn0")
        self.assertTrue(wait_until(lambda: "virtual here" in self.laptop.log().read_text()[logged:], 3))
        self.assertTrue(wait_until(lambda: self.is_virtual(self.address_of("orders.shop")), 3))
        self.assertIn("nginx", self.succeeds(self.hello()))
        virtual = self.address_of("orders.shop")
        self.ip("route", "del", "10.96.0.0/12", "dev", "vpn0")
        self.assertTrue(wait_until(lambda: not self.is_virtual(self.address_of("orders.shop")), 3))
        self.assertIn("nginx", self.succeeds(self.hello(virtual)), "what was handed out stays good")
        self.succeeds(self.laptop.tunctl("down", PROFILE))
        self.assertEqual(self.state(), self.before)

    def test_excluded_and_included_prefixes_and_null_routes(self):
        self.ip("route", "add", "blackhole", "10.244.0.0/16")
        self.addCleanup(self.laptop.exec, "ip", "route", "del", "blackhole", "10.244.0.0/16")
        echo, orders = layout.SERVICES["echo.shop"][0], layout.SERVICES["orders.shop"][0]
        way = self.way(echo)
        before = self.state()
        self.succeeds(self.bring_up(f'exclude = ["10.96.0.0/24"]\ninclude = ["{orders}/32"]'))
        self.assertEqual(self.way(echo), way)
        self.assertIn(f"dev cw-{PROFILE}", self.way(orders))
        self.assertIn("nginx", self.succeeds(self.hello(orders)))
        self.succeeds(self.laptop.exec("curl", "-sS", "-m", "10", f"http://{layout.PODS[0][0]}/"))
        self.succeeds(self.laptop.tunctl("down", PROFILE))
        self.assertEqual(self.state(), before)

    def test_what_another_program_takes_away_is_put_back(self):
        self.succeeds(self.bring_up(""))
        self.ip("rule", "del", "pref", "5000")
        self.assertTrue(wait_until(lambda: "5000:" in self.ip("rule"), 3))
        self.assertIn("nginx", self.succeeds(self.hello()))
