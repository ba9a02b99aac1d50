# Talks CQL 5 with PyPI's cassandra-driver.
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import Cluster

cluster = Cluster(
    ["127.0.0.1"],
    protocol_version=5,
    allow_beta_protocol_version=True,
    auth_provider=PlainTextAuthProvider("shop", "hunter2-right"),
    compression=False,
    schema_metadata_enabled=False,
    token_metadata_enabled=False,
)
session = cluster.connect()


def attempt(what):
    try:
        return what()
    except Exception as thrown:
        print(type(thrown).__name__, str(thrown)[:100])


attempt(lambda: session.execute("SELECT name FROM shop.orders"))
prepared = session.prepare("SELECT name FROM shop.orders WHERE id = ?")
for futures in [[session.execute_async(prepared, [f"id{n}"]) for n in range(5)]]:
    for future in futures:
        attempt(future.result)
attempt(lambda: session.execute("SELECT name FROM shop.missing"))
attempt(lambda: session.execute("SELECT name FROM shop.large"))
attempt(lambda: session.execute("INSERT INTO shop.orders (name) VALUES ('" + "y" * 3000 + "')"))
cluster.shutdown()
