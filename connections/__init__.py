"""What is connected: connectors, connections, credentials, verification, consent, HTTP."""
