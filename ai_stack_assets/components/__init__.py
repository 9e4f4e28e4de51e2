"""Pipeline shapes that YAML instantiates."""

from ai_stack_assets.components.kubeflow import KubeflowPipeline as KubeflowPipeline
from ai_stack_assets.components.store_sync import StoreSync as StoreSync
