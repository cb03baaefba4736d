"""A name server on loopback, for what asks the world's."""

import socket
import threading

import dns.message
import dns.resolver
import dns.rrset
import pytest

GOOD = {
    ("bounce.example.", "TXT"): '"v=spf1 ip4:192.0.2.1 -all"',
    ("bounce.example.", "MX"): "10 mx.bounce.example.",
    ("key._domainkey.site.example.", "TXT"): '"v=DKIM1; p=MIIB"',
    ("_dmarc.site.example.", "TXT"): '"v=DMARC1; p=reject"',
}


@pytest.fixture
def zone():
    """A name server on loopback, and a resolver that asks it alone; `records` is what it says."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], server.getsockname()[1]
    resolver.records = dict(GOOD)

    def serve():
        while (received := server.recvfrom(4096)) and received[0]:
            data, whence = received
            question = dns.message.from_wire(data)
            answer = dns.message.make_response(question)
            asked = question.question[0]
            kind = dns.rdatatype.to_text(asked.rdtype)
            if found := resolver.records.get((asked.name.to_text(), kind)):
                answer.answer.append(dns.rrset.from_text(asked.name, 60, "IN", kind, found))
            server.sendto(answer.to_wire(), whence)

    serving = threading.Thread(target=serve)
    serving.start()
    yield resolver
    server.sendto(b"", server.getsockname())  # An empty question ends it, after all the others.
    serving.join()
    server.close()
