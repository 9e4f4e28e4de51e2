"""Vectors of methods and objects in Qdrant: its embedded engine or a server, behind one `VectorStores`."""
