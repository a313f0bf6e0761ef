"""Django's PostgreSQL backend, with one thing done with less: see `base`, where Django looks for a backend's parts."""
