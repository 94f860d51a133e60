"""The demo: two organizations, a simulated Bitbucket, and the main job without a browser."""
