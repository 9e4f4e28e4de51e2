"""A champion behind HTTP: code in, answers out. Needs MLflow and the model's own requirements; ai_stack_assets is not installed.

    mlflow artifacts download --artifact-uri models:/bsl-classifier@champion -d model   # with MLFLOW_TRACKING_URI
    pip install -r model/requirements.txt
    python serve_model.py models:/bsl-classifier@champion --tracking-uri http://mlflow:5000

    curl localhost:8000/predict -d '[{"code": "Функция КурсВалюты(Валюта, Дата) …", "object": "Catalog.Валюты"}]'

An answer has one object for each method, in order, and names the version that gave it. A new champion is noticed within a minute
and answers from then on: no restart. `mlflow models serve` is the ready-made server for more than this.
"""

from __future__ import annotations

import argparse
import json
import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
import mlflow

CHECK_SECONDS = 60


class Champion:
    """The model that an alias stands for now. One that does not load leaves the one before in place."""

    def __init__(self, uri: str) -> None:
        self.name, _, self.alias = uri.removeprefix("models:/").partition("@")
        self.client = mlflow.MlflowClient()
        self.in_use: tuple[str, Any] = ("", None)
        """Version and model, replaced together: an answer names the version that gave it."""
        self.look()
        threading.Thread(target=self._watch, daemon=True).start()

    def look(self) -> None:
        version = self.client.get_model_version_by_alias(self.name, self.alias).version
        if version != self.version:
            self.in_use = version, mlflow.pyfunc.load_model(f"models:/{self.name}/{version}")

    @property
    def version(self) -> str:
        return self.in_use[0]

    def answer(self, methods: list[dict[str, Any]]) -> dict[str, Any]:
        import pandas as pd

        version, model = self.in_use
        rows = pd.DataFrame(model.predict(pd.DataFrame(methods))).to_dict("records")
        return {"model": f"{self.name}/{version}", "answers": rows}

    def _watch(self) -> None:
        while True:
            time.sleep(CHECK_SECONDS)
            try:
                self.look()
            except Exception as error:  # any: MLflow may be away for a while
                print(f"still on version {self.version}: {error}", flush=True)


def handler(champion: Champion) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            try:
                self._say(200, champion.answer(json.loads(body)))
            except (ValueError, KeyError, TypeError, mlflow.MlflowException) as error:
                self._say(400, {"error": str(error)})

        def _say(self, status: int, what: dict[str, Any]) -> None:
            text = json.dumps(what, ensure_ascii=False, default=_plain).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

    return Handler


def _plain(value: Any) -> Any:
    """Vectors and numbers of numpy."""
    return value.tolist()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", help="models:/<name>@<alias>")
    parser.add_argument(
        "--tracking-uri", required=True, help="http://host:5000, or sqlite:////data/mlflow/mlflow.db"
    )
    parser.add_argument("--port", type=int, default=8000)
    arguments = parser.parse_args()
    mlflow.set_tracking_uri(arguments.tracking_uri)
    champion = Champion(arguments.model)
    server = ThreadingHTTPServer(("127.0.0.1", arguments.port), handler(champion))
    print(
        f"version {champion.version} of {champion.name} on http://127.0.0.1:{server.server_port}", flush=True
    )
    server.serve_forever()


if __name__ == "__main__":
    main()
