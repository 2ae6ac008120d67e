"""Whose names: what a profile says of them, and what a cluster may not say at all."""

from lablib import layout, services, tunnel

from laptop import LabTest, address

PROFILE = "named"


class Asking(LabTest):
    def dig(self, *words):
        return self.succeeds(self.laptop.exec("dig", "+tries=1", "+timeout=6", *words))

    def short(self, *words):
        return sorted(self.dig("+short", *words).split("\n")[:-1])


class WhatAClusterMayNotSay(Asking):
    def test_loopback_and_the_laptops_own_addresses_are_taken_out(self):
        for name, kind in (("loop.infra", "A"), ("loop.infra", "AAAA"), ("laptop.infra", "A")):
            with self.subTest(name=name, kind=kind):
                out = self.dig(name, kind)
                self.assertIn("NOERROR", out)
                self.assertIn("ANSWER: 0", out)
        self.assertEqual(self.short("mixed.infra", "A"), [address("orders.infra")])

    def test_a_name_of_the_world_is_not_the_clusters_to_answer(self):
        self.assertEqual(self.short(layout.HOME_NAME, "A"), [layout.HOME_WEB[0]])
        self.assertIn(layout.HOME_WEB[0], self.short("far.shop", "A"))
        self.assertNotIn(address("orders.infra"), self.short("far.shop", "A"))

    def test_names_that_configure_a_machine_are_asked_of_nobody(self):
        for name in ("wpad", "isatap", "wpad.shop", "wpad.shop.svc.cluster.local", "wpad.example.test",
                     "_services._dns-sd._udp.example.test", "b._dns-sd._udp.shop.svc.cluster.local"):
            with self.subTest(name=name):
                self.assertIn("NXDOMAIN", self.dig(name, "A"))
        for server in ("dns-cluster", "dns-home"):
            asked = services.queries_log(server).read_text()
            self.assertNotIn("wpad", asked)
            self.assertNotIn("_dns-sd", asked)


class Forms(Asking):
    """Search paths, dots and types, as programs ask."""

    def test_names_of_0_to_5_dots_with_and_without_the_last(self):
        service = [address("orders.shop")]
        pod = [layout.PODS[1][0]]
        for name, expected in (("orders", service), ("orders.shop", service), ("orders.shop.svc", service),
                               ("orders.shop.svc.cluster.local", service), ("peers-1.peers.shop.svc.cluster.local", pod),
                               ("peers-1.peers.shop.svc", pod), ("peers-1.peers.shop", pod),
                               (f"orders.shop.{tunnel.DEMO}", service), (f"orders.shop.svc.{tunnel.DEMO}", service),
                               ("nothing.at.all.of.this.kind", [])):
            for form in (name, name + "."):
                with self.subTest(name=form):
                    self.assertEqual(self.short(form, "A"), expected)

    def test_a_search_path_and_ndots_find_the_same(self):
        for options in (("+search", "+domain=shop.svc.cluster.local", "+ndots=5"),
                        ("+search", "+domain=svc.cluster.local", "+ndots=1")):
            with self.subTest(options=options):
                self.assertEqual(self.short(*options, "orders.shop" if "ndots=1" in options[2] else "orders", "A"),
                                 [address("orders.shop")])

    def test_letters_of_any_case_are_the_same_name_and_come_back_as_asked(self):
        out = self.dig("OrDeRs.SHOP", "A")
        self.assertIn("OrDeRs.SHOP.", out)
        self.assertIn(address("orders.shop"), out)

    def test_types_that_nobody_knows_pass_as_they_are(self):
        self.assertEqual(self.short("unknown.infra.svc.cluster.local", "TYPE65280"), ["\\# 4 0A000001"])

    def test_ANY_is_answered(self):
        self.assertIn(address("orders.shop"), self.dig("orders.shop.svc.cluster.local", "ANY"))

    def test_4_KB_of_text_come_whole_after_a_truncated_answer(self):
        text = "".join(self.short("large.infra.svc.cluster.local", "TXT"))
        self.assertGreater(len(text), 4000)
        out = self.dig("+ignore", "+noedns", "large.infra.svc.cluster.local", "TXT")
        self.assertRegex(out, r"flags:[^;]* tc")

    def test_what_is_offered_by_EDNS_is_kept_to(self):
        for size in (512, 1232, 4096):
            with self.subTest(size=size):
                out = self.dig("+ignore", f"+bufsize={size}", "many.infra.svc.cluster.local", "A")
                self.assertEqual("tc" in out.split("flags:")[1].split(";")[0].split(), size < 1700)


class OwnRules(Asking):
    def setUp(self):
        super().setUp()
        self.succeeds(self.laptop.tunctl("down", tunnel.DEMO))
        self.laptop.write_profile(PROFILE, self.gateway.public_key())
        with open(self.laptop.profiles / f"{PROFILE}.toml", "a") as file:
            file.write(f"""include = ["partner.test"]
exclude = ["cache"]
mappings = [{{ name = "pay.test", address = "127.0.0.1" }}, {{ name = "warehouse.test", alias = "orders.shop" }},
            {{ name = "prices.shop", alias = "{layout.HOME_NAME}" }}]
""")
        self.laptop.up(PROFILE)
        self.addCleanup(self.laptop.up)
        self.addCleanup(self.laptop.tunctl, "down", PROFILE)

    def test_an_included_suffix_is_the_clusters_to_answer(self):
        self.assertEqual(self.short("api.partner.test", "A"), [address("orders.shop")])
        self.assertEqual(self.short("partner.shop", "A"), sorted(["api.partner.test.", address("orders.shop")]))

    def test_an_excluded_service_is_never_asked_of_the_cluster_in_any_form(self):
        for name in ("cache", "cache.shop", "cache.shop.svc", "cache.shop.svc.cluster.local"):
            with self.subTest(name=name):
                self.assertEqual(self.short(name, "A"), [])
        self.assertEqual(self.short("db.shop", "A"), [address("db.shop")])

    def test_mappings_are_answered_by_address_and_by_alias_in_any_form(self):
        self.assertEqual(self.short("pay.test", "A"), ["127.0.0.1"])
        self.assertIn(address("orders.shop"), self.short("warehouse.test", "A"))
        for name in ("prices", "prices.shop", "prices.shop.svc.cluster.local"):
            with self.subTest(name=name):
                self.assertIn(layout.HOME_WEB[0], self.short(name, "A"))

    def test_names_below_the_profiles_own_are_the_clusters_and_no_other(self):
        self.assertEqual(self.short(f"orders.shop.{PROFILE}", "A"), [address("orders.shop")])
        self.assertIn("NXDOMAIN", self.dig(f"nothing.shop.{PROFILE}", "A"))
