"""The demonstration: two companies, eleven locks, and a story that plays by itself."""
