"""An HTTP server that takes Qdrant's REST requests, reads them with qdrant-client's own models and answers
from its local mode. Not Qdrant: it proves that we send what the API declares."""

from __future__ import annotations

import json
import threading
from typing import Any

from qdrant_client import QdrantClient, models

from ai_stack_assets_tests.servers.http import HttpDouble, Request


class QdrantStub(HttpDouble):
    """`fail`, once set, is the status of all answers; `requests` are method, path and API key."""

    def __init__(self) -> None:
        super().__init__()
        self.client, self.fail = QdrantClient(":memory:"), 0
        self.requests: list[tuple[str, str, str | None]] = []
        self._lock = threading.Lock()

    def respond(self, request: Request) -> None:
        body = json.loads(request.body() or b"{}")
        path = request.path.partition("?")[0]
        self.requests.append((request.command, path, request.headers.get("api-key")))
        with self._lock:
            result = {} if self.fail else self.answer(request.command, path.split("/")[2:], body)
        request.send(self.fail or 200, {"status": "ok", "time": 0.0, "result": result})

    def answer(self, verb: str, path: list[str], body: dict[str, Any]) -> Any:
        if not path:
            return _plain(self.client.get_collections())
        name, what = path[0], "/".join((verb, *path[1:]))
        done = {"operation_id": 1, "status": "completed"}
        match what:
            case "GET/exists":
                return {"exists": self.client.collection_exists(name)}
            case "PUT":
                wanted = models.CreateCollection.model_validate(body)
                return self.client.create_collection(name, vectors_config=wanted.vectors)
            case "DELETE":
                return self.client.delete_collection(name)
            case "PUT/index":
                models.CreateFieldIndex.model_validate(body)
            case "PUT/points":
                self._upsert(name, body)
            case "POST/points/payload":
                put = models.SetPayload.model_validate(body)
                self.client.set_payload(name, put.payload, points=list(put.points or []))
            case "POST/points/payload/delete":
                drop = models.DeletePayload.model_validate(body)
                self.client.delete_payload(name, drop.keys, points=drop.filter or [])
            case "POST/points/delete":
                chosen = models.FilterSelector if "filter" in body else models.PointIdsList
                self.client.delete(name, points_selector=chosen.model_validate(body))
            case _:
                return self._read(name, what, body)
        return done

    def _upsert(self, name: str, body: dict[str, Any]) -> None:
        if "batch" in body:
            self.client.upsert(name, models.PointsBatch.model_validate(body).batch)
        else:
            self.client.upsert(name, models.PointsList.model_validate(body).points)

    def _read(self, name: str, what: str, body: dict[str, Any]) -> Any:
        match what:
            case "POST/points":
                ids = models.PointRequest.model_validate(body).ids
                return [_plain(r) for r in self.client.retrieve(name, ids, with_vectors=True)]
            case "POST/points/count":
                return _plain(self.client.count(name, models.CountRequest.model_validate(body).filter))
            case "POST/points/scroll":
                ask = models.ScrollRequest.model_validate(body)
                found, offset = self.client.scroll(name, ask.filter, limit=ask.limit or 10, offset=ask.offset)
                return {"points": [_plain(r) for r in found], "next_page_offset": offset}
            case "POST/points/query":
                ask = models.QueryRequest.model_validate(body)
                return _plain(
                    self.client.query_points(name, ask.query, query_filter=ask.filter, limit=ask.limit or 10)
                )
        raise AssertionError(f"a request that Qdrant does not know: {what}")


def _plain(model: Any) -> Any:
    return json.loads(model.model_dump_json())
