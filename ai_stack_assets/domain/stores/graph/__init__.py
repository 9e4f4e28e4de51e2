"""The code graph of a configuration: who calls, reads, references, grants what. Embedded by default, Neo4j by its address."""
