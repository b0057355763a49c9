"""What the server counts beside MLServer's own metrics.

A module of its own, since MLServer loads the module of the runtime anew for each model.
"""

from prometheus_client import Counter, Histogram

PICTURES = Histogram("batch_pictures", "Pictures in one run of a network", ["model"], buckets=[1, 2, 4, 8, 16, 32, 64])
SECONDS = Histogram(
    "network_seconds", "Seconds of one run of a network", ["model"], buckets=[1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1]
)
REFUSED = Counter("requests_refused", "Requests answered with a status from 400 on", ["status"])
