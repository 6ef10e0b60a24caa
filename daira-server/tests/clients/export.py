"""Asks for everything that is kept of somebody, waits, downloads it in ranges as after a broken line, checks it against the
index, and prints what is in it. Python's own library and nothing else.

usage: export.py ADDRESS TOKEN
"""

import hashlib
import json
import sys
import time
import urllib.request

address, token = sys.argv[1:]
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def send(path, body=None, headers=()):
    request = urllib.request.Request(f"http://{address}{path}", data=body)
    request.add_header("authorization", f"Bearer {token}")
    for name, value in headers:
        request.add_header(name, value)
    with opener.open(request, timeout=60) as answer:
        return answer.status, dict(answer.headers), answer.read()


def ask(document):
    body = json.dumps({"query": document}).encode()
    answer = json.loads(send("/graphql", body, [("content-type", "application/json")])[2])
    assert "errors" not in answer, answer
    return answer["data"]


def whole(path, size):
    """The file in two ranges."""
    if size < 2:
        return send(path)[2]
    status, headers, first = send(path, headers=[("range", f"bytes=0-{size // 2 - 1}")])
    assert status == 206 and headers["content-range"].endswith(f"/{size}"), headers
    status, _, second = send(path, headers=[("range", f"bytes={size // 2}-")])
    assert status == 206
    return first + second


asked = ask("mutation { requestExport(input: {}) { exportId userErrors { code } } }")["requestExport"]
assert asked["userErrors"] == [], asked
until = time.monotonic() + 90
while True:
    export = ask("{ me { exports { id state bytes files { name bytes path } } } }")["me"]["exports"][0]
    if export["state"] == "READY":
        break
    assert export["state"] == "PREPARING" and time.monotonic() < until, export
    time.sleep(0.2)

files = {file["name"]: whole(file["path"], int(file["bytes"])) for file in export["files"]}
index = json.loads(files.pop("index.json"))
assert {file["name"] for file in index["files"]} == set(files), (index, list(files))
for file in index["files"]:
    content = files[file["name"]]
    assert len(content) == file["bytes"], file
    for piece in file["pieces"]:
        there = content[piece["offset"] : piece["offset"] + piece["bytes"]]
        assert hashlib.sha256(there).hexdigest() == piece["sha256"], file
lines = {
    name.removesuffix(".jsonl"): [json.loads(line) for line in content.decode().splitlines()]
    for name, content in files.items()
    if name.endswith(".jsonl")
}
media = {name: len(content) for name, content in files.items() if not name.endswith(".jsonl")}
json.dump({"lines": lines, "media": media}, sys.stdout)
