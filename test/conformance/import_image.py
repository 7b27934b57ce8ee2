"""Imports an image with Azure's Python SDK, and prints every request to Resource Manager with its response, as its pipeline records them."""

import json
import os
import sys

from azure.core.exceptions import HttpResponseError
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.identity import ClientSecretCredential
from azure.mgmt.containerregistry import ContainerRegistryManagementClient


class Recorder(SansIOHTTPPolicy):
    def __init__(self):
        self.exchanges = []

    def on_response(self, request, response):
        http = response.http_response
        http.read()
        self.exchanges.append(
            {
                "method": request.http_request.method,
                "url": request.http_request.url,
                "status": http.status_code,
                "body": http.text(),
                "headers": {name.lower(): value for name, value in http.headers.items()},
            }
        )


group, registry, parameters = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
credential = ClientSecretCredential(
    os.environ["ARM_TENANT_ID"], os.environ["ARM_CLIENT_ID"], os.environ["ARM_CLIENT_SECRET"]
)
recorder = Recorder()
client = ContainerRegistryManagementClient(
    credential, os.environ["ARM_SUBSCRIPTION_ID"], per_retry_policies=[recorder]
)
outcome = {}
try:
    poller = client.registries.begin_import_image(group, registry, parameters)
    poller.result()
    outcome["status"] = poller.status()
except HttpResponseError as error:
    outcome["error"] = {"status": error.status_code, "message": error.message}
print(json.dumps({**outcome, "exchanges": recorder.exchanges}))
