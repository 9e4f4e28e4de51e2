"""An HTTP server that keeps documents as Elasticsearch does for the requests that we send. It does not
search: what is found, and in which order, only a real server can show
(`integration/test_elasticsearch.py`)."""

from __future__ import annotations

import fnmatch
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class ElasticsearchStub:
    """`fail`, once set, is the status of all answers; `refuse` that of every document. `requests`: method and
    path."""

    def __init__(self) -> None:
        self.indexes: dict[str, dict[str, Any]] = {}
        self.aliases: dict[str, str] = {}
        self.requests: list[tuple[str, str]] = []
        self.fail, self.refuse, self.product, self.sequence = 0, 0, "Elasticsearch", 0
        stub, lock = self, threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                text = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
                path = self.path.partition("?")[0].strip("/")
                with lock:
                    stub.requests.append((self.command, path))
                    status, result = (stub.fail, {}) if stub.fail else stub.answer(self.command, path, text)
                data = b"" if self.command == "HEAD" else json.dumps(result).encode()
                self.send_response(status)
                self.send_header("X-Elastic-Product", stub.product)
                self.send_header("Content-Type", "application/vnd.elasticsearch+json;compatible-with=9")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def documents(self, alias: str) -> dict[str, Any]:
        return self.indexes[self.aliases[alias]]["documents"]

    def answer(self, method: str, path: str, text: str) -> tuple[int, Any]:
        first, _, rest = path.partition("/")
        if first == "_alias":
            index = self.aliases.get(rest)
            return (200, {index: {}}) if index else (404, {})
        if method == "GET" and first in self.aliases:
            return 200, {self.aliases[first]: self._described(self.aliases[first])}
        if first == "onec-writers":
            return self._lease(method, rest)
        if rest == "_mapping":
            self.indexes[first]["mappings"]["_meta"] = json.loads(text)["_meta"]
            return 200, {"acknowledged": True}
        if path == "_aliases":
            return 200, self._change_aliases(json.loads(text)["actions"])
        if rest.startswith("_clone/"):
            made = json.loads(json.dumps(self.indexes[first]))
            self.indexes[rest.removeprefix("_clone/")] = made
            return 200, {"acknowledged": True, "shards_acknowledged": True}
        if path.endswith("_bulk"):
            return 200, self._bulk(first, text)
        if rest == "_pit":
            return 200, {"id": first}
        if path == "_pit" or rest in ("_refresh", "_settings"):
            return 200, {}
        if path == "_search":
            return 200, self._page(json.loads(text))
        if method == "GET":
            if "*" not in first and first not in self.indexes:
                return 404, {}
            return 200, {name: self._described(name) for name in self.indexes if fnmatch.fnmatch(name, first)}
        if method == "PUT":
            self.indexes[first] = {"documents": {}, "mappings": json.loads(text)["mappings"]}
        if method == "DELETE":
            self.indexes.pop(first, None)
        return 200, {"acknowledged": True, "shards_acknowledged": True}

    def _lease(self, method: str, rest: str) -> tuple[int, Any]:
        """Always free: what two writers do to one another, only a real server can show."""
        if not rest:
            return 200, {"acknowledged": True, "shards_acknowledged": True}
        return 200, {"_id": "", "_seq_no": 0, "_primary_term": 1, "result": "created"}

    def _described(self, name: str) -> dict[str, Any]:
        aliases = {alias: {} for alias, index in self.aliases.items() if index == name}
        return {"aliases": aliases, "settings": {"index": {}}, "mappings": self.indexes[name]["mappings"]}

    def _change_aliases(self, actions: list[dict[str, Any]]) -> dict[str, Any]:
        for action in actions:
            for verb, what in action.items():
                if verb == "add":
                    self.aliases[what["alias"]] = what["index"]
                else:
                    self.indexes.pop(what["index"])
        return {}

    def _bulk(self, index: str, text: str) -> dict[str, Any]:
        documents, items = self.indexes[index]["documents"], []
        lines = iter(text.splitlines())
        for line in lines:
            ((operation, about),) = json.loads(line).items()
            source = next(lines) if operation == "index" else None
            status = self.refuse or 200
            if not self.refuse and source is not None:
                self.sequence += 1
                documents[about["_id"]] = {**json.loads(source), "_seq_no": self.sequence}
            elif not self.refuse and documents.pop(about["_id"], None) is None:
                status = 404
            result = {"_id": about["_id"], "status": status, "_seq_no": self.sequence}
            items.append({operation: {**result, "error": {"reason": "refused"}}})
        return {"errors": bool(self.refuse), "items": items}

    def _page(self, query: dict[str, Any]) -> dict[str, Any]:
        index, wanted = query["pit"]["id"], query["query"]["term"]["collection"]
        held = self.indexes[index]["documents"].items()
        found = [(key, d) for key, d in held if d["collection"] == wanted]
        at = query.get("search_after", [0])[0]
        hits = [
            {
                "_id": key,
                "_seq_no": d["_seq_no"],
                "fields": {"id": [d["id"]], "content_hash": [d["content_hash"]]},
                "sort": [at + n],
            }
            for n, (key, d) in enumerate(found[at : at + query["size"]], 1)
        ]
        return {"pit_id": index, "hits": {"hits": hits}}
