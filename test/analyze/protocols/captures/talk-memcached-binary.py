# The binary protocol of memcached, as python-binary-memcached talks it.
import bmemcached
import bmemcached.exceptions

client = bmemcached.Client(("127.0.0.1:11211",))
client.set("cart", "hunter2", 60)
client.get("cart")
client.get("nothing")
client.add("cart", "hunter2")
client.replace("nothing", "hunter2")
client.set_multi({"a": "hunter2", "b": "hunter2" * 700})
client.get_multi(["a", "b", "c"])
client.incr("count", 5, default=1)
client.incr("count", 5)
client.decr("count", 2)
try:
    client.incr("cart", 1)
except bmemcached.exceptions.MemcachedException as error:
    print(error)
client.gets("cart")
client.cas("cart", "hunter2", 1)
client.delete("cart")
client.delete("cart")
client.stats()
client.flush_all()
client.disconnect_all()
