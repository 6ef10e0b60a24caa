"""A gRPC client that knows nothing of the server but its address: it learns the contracts by reflection (v1alpha, as older
clients do) and drives it with Google's own library. Prints what it saw as one JSON line.

  python grpc_client.py <address> feed <token> <page size>
  python grpc_client.py <address> refused <token>
  python grpc_client.py <address> watch
  python grpc_client.py <address> slow <token> <seconds>
"""

import json
import sys

import grpc
from google.protobuf import descriptor_pool, message_factory
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from grpc_status import rpc_status


class Client:
    def __init__(self, address, token=None, language="ar"):
        self.channel = grpc.insecure_channel(address)
        database = ProtoReflectionDescriptorDatabase(self.channel)
        self.services = sorted(database.get_services())
        self.pool = descriptor_pool.DescriptorPool(database)
        self.metadata = [("accept-language", language)]
        if token:
            self.metadata.append(("authorization", f"Bearer {token}"))

    def call(self, method, request, timeout=30):
        """Calls `package.Service/Method` with a dictionary of fields."""
        service, name = method.split("/")
        described = self.pool.FindServiceByName(service).FindMethodByName(name)
        asks = message_factory.GetMessageClass(described.input_type)
        answers = message_factory.GetMessageClass(described.output_type)
        stub = self.channel.unary_unary(
            f"/{method}", request_serializer=asks.SerializeToString, response_deserializer=answers.FromString
        )
        return stub(asks(**request), metadata=self.metadata, timeout=timeout)

    def refused(self, method, request, timeout=30):
        """How a call is refused: its code, message, and the details of google.rpc."""
        try:
            self.call(method, request, timeout)
        except grpc.RpcError as error:
            told = {"code": error.code().name, "message": error.details()}
            status = rpc_status.from_call(error)
            for detail in status.details if status else []:
                for kind in ("ErrorInfo", "BadRequest", "RetryInfo", "LocalizedMessage"):
                    message = getattr(error_details_pb2, kind)()
                    if detail.Unpack(message):
                        told[kind] = shown(message)
            return told
        return {"code": "OK"}


def shown(message):
    if isinstance(message, error_details_pb2.ErrorInfo):
        return {"reason": message.reason, "domain": message.domain}
    if isinstance(message, error_details_pb2.BadRequest):
        return [violation.field for violation in message.field_violations]
    if isinstance(message, error_details_pb2.RetryInfo):
        return message.retry_delay.seconds
    return {"locale": message.locale, "message": message.message}


def feed(address, token, size):
    """All pages of the home feed, to the end."""
    client = Client(address, token)
    pages, page_token = [], ""
    while True:
        page = client.call("daira.feed.v1.FeedService/HomeFeed", {"page_size": int(size), "page_token": page_token})
        pages.append([post.id for post in page.posts])
        page_token = page.next_page_token
        if not page_token:
            return {"services": client.services, "pages": pages}


def refused(address, token):
    """What goes wrong, in both languages."""
    feed_method, create = "daira.feed.v1.FeedService/HomeFeed", "daira.post.v1.PostService/CreatePost"
    arabic, english = Client(address, token), Client(address, token, "en-GB")
    return {
        "too_long": english.refused(create, {"text": "ط" * 2201}),
        "too_long_ar": arabic.refused(create, {"text": "ط" * 2201}),
        "page_size": english.refused(feed_method, {"page_size": 101}),
        "page_token": english.refused(feed_method, {"page_token": "AAAA"}),
        "bad_id": english.refused("daira.post.v1.PostService/GetPost", {"id": "prf_0000000000001"}),
        "missing": english.refused("daira.post.v1.PostService/GetPost", {"id": "pst_0000000000001"}),
        "stranger": Client(address, None, "en").refused(feed_method, {}),
        "forged": Client(address, token[:-4] + "AAAA", "en").refused(feed_method, {}),
        "too_large": english.refused(create, {"text": "x" * 300_000}),
    }


def slow(address, token, seconds):
    """A call whose answer takes longer than the client waits."""
    return Client(address, token, "en").refused("daira.feed.v1.FeedService/HomeFeed", {}, timeout=float(seconds))


def watch(address):
    """Health until the server is gone: says when it saw it serve, then how it ended."""
    channel = grpc.insecure_channel(address)
    seen = []
    try:
        for answer in health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(service="")):
            seen.append(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))
            print(json.dumps(seen), flush=True)
        return {"seen": seen, "ended": "OK"}
    except grpc.RpcError as error:
        return {"seen": seen, "ended": error.code().name}


if __name__ == "__main__":
    address, what, *rest = sys.argv[1:]
    print(json.dumps({"feed": feed, "refused": refused, "watch": watch, "slow": slow}[what](address, *rest)))
