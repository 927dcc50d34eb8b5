"""The engine for brokers that keep one sealed record per topic for whoever comes by."""
