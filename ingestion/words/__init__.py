"""The sentences that pages say about connections and syncs."""
