"""The few calls that training needs of the Kubernetes API, on plain JSON documents.

Kubernetes' own client does the transport: configuration, TLS, the service account's token. Its typed models are left
aside, because kubernetes 26.1 cannot read back a Job with a `podFailurePolicy`, and knows no operator's kinds.
"""

from __future__ import annotations

import json
import logging
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from data.errors import BenisonError

logger = logging.getLogger(__name__)

Document = dict[str, Any]
"""A Kubernetes object as its manifest has it."""

TIMEOUT = (10, 60)  # seconds to connect and to answer
BUSY = (429, 500, 502, 503, 504)


@dataclass(frozen=True)
class Kind:
    """A kind of object: its group and version (`batch/v1`; `v1` is the core), its name and its resource's."""

    api_version: str
    name: str
    plural: str

    @property
    def resource(self) -> str:
        """As roles and kubectl name it: `jobs.batch`, `pods`."""
        group, slash, _ = self.api_version.partition("/")
        return f"{self.plural}.{group}" if slash else self.plural

    def path(self, namespace: str, name: str = "") -> str:
        root = "apis" if "/" in self.api_version else "api"
        return f"/{root}/{self.api_version}/namespaces/{namespace}/{self.plural}" + (f"/{name}" if name else "")


POD = Kind("v1", "Pod", "pods")
SERVICE = Kind("v1", "Service", "services")
JOB = Kind("batch/v1", "Job", "jobs")


@dataclass(frozen=True)
class Api:
    """One namespace of a cluster. All methods raise BenisonError, with what is missing, where the API refuses.

    A server that cannot be reached or is busy is asked again for up to `patience` seconds.
    """

    client: Any
    """A `kubernetes.client.ApiClient`."""
    namespace: str
    patience: float = 600.0

    @classmethod
    def connect(cls, namespace: str) -> Api:
        """In a pod as its service account; elsewhere as KUBECONFIG or `~/.kube/config` says."""
        from kubernetes import client, config

        configuration = client.Configuration()
        try:
            if "KUBERNETES_SERVICE_HOST" in os.environ:
                config.load_incluster_config(client_configuration=configuration)
            else:
                config.load_kube_config(os.environ.get("KUBECONFIG"), client_configuration=configuration)
        except config.ConfigException as error:
            raise BenisonError(
                f"no way to the Kubernetes API: {error}",
                "let the pod mount its service account's token, or name a kubeconfig file in KUBECONFIG",
            ) from error
        configuration.retries = False  # `_call` is the one place that tries again
        return cls(client.ApiClient(configuration), namespace)

    def get(self, kind: Kind, name: str) -> Document | None:
        """The object, or None if there is none of that name."""
        return self._call("get", kind, name, missing=None)

    def create(self, kind: Kind, document: Document) -> bool:
        """False if there is one of that name already, which is left as it is."""
        name = document["metadata"]["name"]
        return self._call("create", kind, name, body=document, existing=None) is not None

    def merge(self, kind: Kind, name: str, changes: Document) -> None:
        """A JSON merge patch: lists are replaced, not merged."""
        self._call("patch", kind, name, body=changes)

    def delete(self, kind: Kind, name: str) -> None:
        """Asks for the object's end, which comes after that of all that it owns. Nothing happens if it is gone."""
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Foreground"}
        self._call("delete", kind, name, body=options, missing=None)

    def pods(self, labels: Mapping[str, str]) -> list[Document]:
        """The pods with all of these labels."""
        selector = ",".join(f"{key}={value}" for key, value in labels.items())
        found = self._call("list", POD, query=[("labelSelector", selector)])
        return list(found["items"])

    def log(self, pod: str, lines: int) -> str:
        """The last lines of what a pod wrote; empty if its container never started or the pod is gone. Asks once."""
        text = replace(self, patience=0.0)._call(
            "get", POD, f"{pod}/log", query=[("tailLines", lines)], missing="", not_started="", as_json=False
        )
        return str(text)

    def _call(
        self,
        verb: str,
        kind: Kind,
        name: str = "",
        *,
        body: Document | None = None,
        query: list[tuple[str, Any]] | None = None,
        as_json: bool = True,
        **answers: Any,
    ) -> Any:
        """One call, repeated while the server is out of reach or busy.

        `answers`: what stands for a refusal that the caller expects: `missing` for 404, `existing` for 409,
        `not_started` for 400. Any other refusal is raised.
        """
        import urllib3
        from kubernetes.client import ApiException

        expected = {status: answers[key] for key, status in _STATUS_OF.items() if key in answers}
        deadline, pause = time.monotonic() + self.patience, 0.25
        while True:
            try:
                return self._once(verb, kind, name, body, query, as_json)
            except ApiException as error:
                if error.status in expected:
                    return expected[error.status]
                refused = _refusal(error, verb, kind, name, self.namespace)
                if error.status not in BUSY:
                    raise refused from error
            except urllib3.exceptions.HTTPError as error:
                refused = BenisonError(
                    f"the Kubernetes API does not answer: {error}",
                    "look at the cluster's control plane and network policies (port 443 or 6443 of the API server)",
                )
            if time.monotonic() + pause > deadline:
                raise refused
            logger.warning("%s; asking again in %.1f s", refused.message, pause)
            time.sleep(pause)
            pause = min(2 * pause, 10.0)

    def _once(
        self,
        verb: str,
        kind: Kind,
        name: str,
        body: Document | None,
        query: list[tuple[str, Any]] | None,
        as_json: bool,
    ) -> Any:
        patch = "application/merge-patch+json"
        response, *_ = self.client.call_api(
            kind.path(self.namespace, "" if verb == "create" else name),
            _METHODS[verb],
            query_params=query,
            header_params={"Accept": "*/*", "Content-Type": patch if verb == "patch" else "application/json"},
            body=body,
            auth_settings=["BearerToken"],
            _preload_content=False,
            _request_timeout=TIMEOUT,
        )
        return json.loads(response.data) if as_json else response.data.decode(errors="replace")


_METHODS = {"get": "GET", "list": "GET", "create": "POST", "patch": "PATCH", "delete": "DELETE"}
_STATUS_OF = {"missing": 404, "existing": 409, "not_started": 400}


def _refusal(error: Any, verb: str, kind: Kind, name: str, namespace: str) -> BenisonError:
    """What the API's refusal means and what to do about it."""
    said = _message(error)
    what, subresource = kind.resource, "/log" if name.endswith("/log") else ""
    message = f"Kubernetes refused to {verb} {what}{subresource} in namespace {namespace}: {said}"
    if "exceeded quota" in said:
        return BenisonError(message, "raise the namespace's ResourceQuota or ask for less, then run again")
    if error.status == 401:
        return BenisonError(message, "the pod's service account token is not accepted: look at the cluster's clock")
    if error.status == 403:
        user = re.search(r'User "([^"]+)"', said)
        check = f"kubectl auth can-i {verb} {what}{subresource} -n {namespace}" + (f" --as={user[1]}" if user else "")
        return BenisonError(
            message,
            f"let the pipeline's service account {verb} {what}{subresource} (the Role is in kubeflow/base), then run "
            f"again; to check: {check}",
        )
    if error.status == 404:
        return BenisonError(
            message,
            f"the cluster does not serve {kind.api_version} {kind.name}, or has no namespace {namespace}: "
            "install its operator, or compile with --set cluster.training=job",
        )
    if error.status in (400, 422):
        return BenisonError(message, "correct the cluster.* setting that it names, compile and submit again")
    return BenisonError(message, "look at the cluster's control plane, then run again")


def _message(error: Any) -> str:
    """The API's own words, or the status where it answered with something else."""
    try:
        return str(json.loads(error.body)["message"])
    except (TypeError, ValueError, KeyError):
        return f"{error.status} {error.reason}"
