"""The HTTP API of connectors, connections and credentials."""
