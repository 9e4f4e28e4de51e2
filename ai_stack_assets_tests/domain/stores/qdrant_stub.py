"""An HTTP server that takes Qdrant's REST requests, reads them with qdrant-client's own models and answers
from its local mode. Not Qdrant: it proves that we send what the API declares."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from qdrant_client import QdrantClient, models


class QdrantStub:
    """`fail`, once set, is the status of all answers; `requests` are method, path and API key."""

    def __init__(self) -> None:
        self.client, self.fail = QdrantClient(":memory:"), 0
        self.requests: list[tuple[str, str, str | None]] = []
        stub, self._lock = self, threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                size = int(self.headers.get("content-length") or 0)
                body = json.loads(self.rfile.read(size) or b"{}")
                path = self.path.partition("?")[0]
                stub.requests.append((self.command, path, self.headers.get("api-key")))
                with stub._lock:
                    result = {} if stub.fail else stub.answer(self.command, path.split("/")[2:], body)
                data = json.dumps({"status": "ok", "time": 0.0, "result": result}).encode()
                self.send_response(stub.fail or 200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_PUT = do_POST = do_DELETE = do_PATCH = handle_any

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

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
