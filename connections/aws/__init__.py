"""AWS’s own clients: the protocol of CodeStar Connections and CodeConnections."""
