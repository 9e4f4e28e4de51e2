"""Kubeflow Pipelines: a server that runs containers one after another in a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field

if TYPE_CHECKING:
    from ai_stack_assets.domain.training.kubeflow import Kubeflow


class KubeflowResource(dg.ConfigurableResource):
    """The HTTP API v2beta1 of Kubeflow Pipelines 2."""

    url: str = Field(default="", description="KUBEFLOW_URL, `http://host:port`")
    token: str = Field(default="", description="KUBEFLOW_TOKEN: bearer token, when the server asks for one")
    namespace: str = Field(default="", description="KUBEFLOW_NAMESPACE: of a server with several users")

    def open(self) -> Kubeflow:
        """Raises PermanentError when KUBEFLOW_URL is not set."""
        from ai_stack_assets.domain.training.kubeflow import Kubeflow

        return Kubeflow(self.url, self.token, self.namespace)
