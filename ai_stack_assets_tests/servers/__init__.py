"""Real servers on loopback for tests and benchmarks: PostgreSQL of the machine, Neo4j and Elasticsearch from Maven.

    with postgres() as server:          # neo4j(), elasticsearch(); `tls=True` for an encrypted one
        server.url, server.user, server.password, server.ca, server.folder, server.process, server.is_alive
        server.kill(); server.start()   # SIGKILL of all its processes; again on the same data and port
        server.pause(); server.resume() # SIGSTOP and SIGCONT

What was committed survives a kill. The folder goes with the server. A server that does not start raises.
"""

from __future__ import annotations

from ai_stack_assets_tests.servers.elasticsearch import ElasticsearchServer, elasticsearch
from ai_stack_assets_tests.servers.neo4j import Neo4jServer, neo4j
from ai_stack_assets_tests.servers.postgres import PostgresServer, postgres

__all__ = ["ElasticsearchServer", "Neo4jServer", "PostgresServer", "elasticsearch", "neo4j", "postgres"]
