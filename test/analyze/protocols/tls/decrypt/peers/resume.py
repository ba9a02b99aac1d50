# Python's ssl as a client: two connections, the second resumes the session of the first; it shows a certificate.
# resume.py PORT KEYLOG VERSION CERTIFICATE KEY; prints whether the session was resumed.
import socket
import ssl
import sys

context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
context.keylog_filename = sys.argv[2]
context.minimum_version = context.maximum_version = getattr(ssl.TLSVersion, sys.argv[3])
context.load_cert_chain(sys.argv[4], sys.argv[5])
session = None
for path in ("/first", "/resumed"):
    with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as plain:
        with context.wrap_socket(plain, server_hostname="web.shop", session=session) as secured:
            secured.sendall(f"GET {path} HTTP/1.1\r\nHost: web.shop\r\nConnection: close\r\n\r\n".encode())
            while secured.recv(65536):
                pass
            session = secured.session
            print(secured.session_reused)
