"""Names on the laptop: the cluster's are the cluster's, everything else goes where it always went."""

from lablib import layout, services

from laptop import LabTest, address


class Names(LabTest):
    def dig(self, *words):
        return self.succeeds(self.laptop.exec("dig", "+tries=1", "+timeout=6", *words))

    def short(self, *words):
        return sorted(self.dig("+short", *words).split("\n")[:-1])

    def test_a_service_resolves_by_every_form_of_its_name(self):
        for name in ("orders", "orders.shop", "orders.shop.svc", "orders.shop.svc.cluster.local"):
            with self.subTest(name=name):
                self.assertEqual(self.short(name, "A"), [address("orders.shop")])
                self.assertEqual(self.short(name, "AAAA"), [address("orders.shop", 6)])

    def test_a_program_finds_a_service_by_name(self):
        out = self.succeeds(self.laptop.exec("getent", "ahostsv4", "cache.shop"))
        self.assertIn(address("cache.shop"), out)

    def test_services_of_another_namespace_resolve(self):
        self.assertEqual(self.short("orders.infra", "A"), [address("orders.infra")])

    def test_an_SRV_record_and_its_target_resolve(self):
        self.assertEqual(self.short("_http._tcp.orders.shop.svc.cluster.local", "SRV"),
                         ["0 100 80 orders.shop.svc.cluster.local."])

    def test_a_headless_service_gives_its_pods_and_each_by_name(self):
        self.assertEqual(self.short("peers.shop", "A"), sorted(four for four, _ in layout.PODS))
        self.assertEqual(self.short("peers-1.peers.shop.svc.cluster.local", "A"), [layout.PODS[1][0]])

    def test_an_ExternalName_is_followed_to_what_the_machine_says_of_it(self):
        self.assertEqual(self.short("partner.shop", "A"), sorted(["api.partner.test.", "192.0.2.81"]))
        self.assertEqual(self.short("far.shop", "A"), sorted([f"{layout.HOME_NAME}.", layout.HOME_WEB[0]]))

    def test_aliases_within_the_cluster_are_followed_there(self):
        names = ["alias.infra.svc.cluster.local.", "orders.shop.svc.cluster.local."]
        self.assertEqual(self.short("chain.infra", "A"), sorted([*names, address("orders.shop")]))

    def test_the_reverse_name_of_a_routed_address_is_the_clusters(self):
        self.assertEqual(self.short("-x", address("orders.shop")), ["orders.shop.svc.cluster.local."])
        self.assertEqual(self.short("-x", address("orders.shop", 6)), ["orders.shop.svc.cluster.local."])

    def test_any_type_passes(self):
        self.assertEqual(self.short("dns-version.cluster.local", "TXT"), ['"1.1.0"'])

    def test_an_answer_beyond_a_datagram_comes_over_TCP(self):
        self.assertEqual(len(self.short("+noedns", "many.infra.svc.cluster.local", "A")), 100)
        self.assertEqual(len(self.short("+tcp", "large.infra.svc.cluster.local", "TXT")), 1)

    def test_a_name_that_is_not_in_the_cluster_does_not_exist(self):
        self.assertIn("NXDOMAIN", self.dig("nothing.shop.svc.cluster.local", "A"))

    def test_an_existing_name_without_such_a_record_is_no_error(self):
        out = self.dig("kubernetes.default.svc.cluster.local", "AAAA")
        self.assertIn("NOERROR", out)
        self.assertIn("ANSWER: 0", out)

    def test_everything_else_is_answered_by_the_machines_own_servers(self):
        self.assertEqual(self.short(layout.HOME_NAME, "A"), [layout.HOME_WEB[0]])
        self.assertEqual(self.short("-x", "10.78.0.80"), [])
        out = self.succeeds(self.laptop.exec("curl", "-sS", "--max-time", "20", f"http://{layout.HOME_NAME}/"))
        self.assertIn("outside the tunnel", out)

    def test_the_cluster_never_hears_of_other_names(self):
        self.assertEqual(self.short("github.com", "A"), ["192.0.2.80"])
        asked = services.queries_log("dns-cluster").read_text()
        self.assertNotIn("github", asked)
        self.assertNotIn("example.test", asked)

    def test_the_home_servers_never_hear_of_the_clusters_names(self):
        self.short("orders.shop.svc.cluster.local", "A")
        self.short("orders.shop", "A")
        asked = services.queries_log("dns-home").read_text()
        self.assertNotIn("cluster.local", asked)
        self.assertNotIn("orders.shop", asked)
