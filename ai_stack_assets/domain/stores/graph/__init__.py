"""The code graph of a configuration: who calls, reads, references and grants what. Embedded, or in Neo4j by
its address."""
