"""Pipeline shapes that YAML instantiates."""

from ai_stack_assets.components.kubeflow import KubeflowPipeline as KubeflowPipeline
from ai_stack_assets.components.mlflow_operators import ModelJob as ModelJob
from ai_stack_assets.components.mlflow_sensors import DataQualitySensor as DataQualitySensor
from ai_stack_assets.components.mlflow_sensors import ModelAliasSensor as ModelAliasSensor
from ai_stack_assets.components.mlflow_sensors import PerformanceSensor as PerformanceSensor
from ai_stack_assets.components.mlflow_sensors import RunCompleteSensor as RunCompleteSensor
from ai_stack_assets.components.store_sync import StoreSync as StoreSync
