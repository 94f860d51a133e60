"""The pages of tenants, one module per entity."""
