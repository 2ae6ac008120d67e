"""What intercept tests share: an intercept that ends with its test, and somebody in the cluster who asks."""

import json

from laptop import LabTest
from local_service import Client, HttpService

ANNA = {"x-user": "anna"}


class InterceptTest(LabTest):
    def setUp(self):
        super().setUp()
        self.client = Client()
        self.addCleanup(self.client.close)

    def local(self, number=1, text="local", port=0):
        service = HttpService(number, text, port)
        self.addCleanup(service.close)
        return service

    def intercept(self, service, port, *words, number=1):
        """`tunctl intercept`, undone after the test. Gives what it said."""
        laptop = self.lab.laptop(number)
        self.addCleanup(laptop.tunctl, "leave", service)
        return self.succeeds(laptop.tunctl("intercept", service, "--port", port, *words))

    def ask(self, headers=None, path="/", client=None, **more):
        """The body of an answer that is one."""
        status, body = (client or self.client).ask(path, headers, **more)
        self.assertEqual(status, 200, body)
        return body

    def listed(self, service="orders", number=1):
        services = json.loads(self.succeeds(self.lab.laptop(number).tunctl("list", "--json")))["services"]
        return next(each for each in services if each["name"] == service)
