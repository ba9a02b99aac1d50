# A server and a client of Apache Dubbo for Python, which talk Triple: `serve`, or `call`.
import sys
import threading
import time

import dubbo
from dubbo.configs import ReferenceConfig, ServiceConfig
from dubbo.proxy.handlers import RpcMethodHandler, RpcServiceHandler

SERVICE = "com.shop.api.CartService"


def add(request):
    return b"added " + request


def fail(_request):
    raise ValueError("no such item")


def slow(request):
    time.sleep(0.3)
    return request


def watch(stream):
    request = stream.read()
    for number in range(3):
        yield b"%s %d" % (request, number)


if sys.argv[1] == "serve":
    handlers = [RpcMethodHandler.unary(method, method_name=method.__name__) for method in (add, fail, slow)]
    handlers.append(RpcMethodHandler.server_stream(watch, method_name="watch"))
    config = ServiceConfig(RpcServiceHandler(SERVICE, handlers), host="127.0.0.1", port=50051)
    dubbo.Server(config).start()
    threading.Event().wait()
else:
    client = dubbo.Client(ReferenceConfig.from_url(f"tri://127.0.0.1:50051/{SERVICE}"))
    for method in ("add", "slow", "fail", "nowhere", "add"):
        try:
            print(method, client.unary(method)(b"hunter2"))
        except Exception as error:
            print(method, repr(error))
    print("watch", list(client.server_stream("watch")(b"hunter2")))
    sys.stdout.flush()
