"""Debian's python3-elasticsearch, unmodified: its bulk helper, and what the client asks by itself. Prints what it saw as JSON."""
import json
import sys

from elasticsearch import Elasticsearch, helpers

client = Elasticsearch(sys.argv[1], http_compress=len(sys.argv) > 2, timeout=20)
seen = {"ping": client.ping(), "before": client.indices.exists(index="boiler")}
actions = (
    {"_index": "boiler", "device": f"b{i % 3}", "@timestamp": 1700000000000000 + i, "temperature": 60.5 + i, "n": i}
    for i in range(2500)
)
done, errors = helpers.bulk(client, actions, chunk_size=1000)
seen["bulk"] = [done, errors]
done, errors = helpers.bulk(
    client,
    [
        {"_index": "boiler", "_id": "7", "n": 1},
        {"_op_type": "create", "_index": "boiler", "_id": 8, "n": 2},
        {"_op_type": "delete", "_index": "boiler", "_id": "7"},
        {"_op_type": "update", "_index": "boiler", "_id": "7", "doc": {"n": 3}},
        {"_index": "_internal", "n": 4},
    ],
    raise_on_error=False,
)
seen["mixed"] = [done, [[list(error)[0], list(error.values())[0]["status"]] for error in errors]]
one = client.index(index="boiler", document={"device": "b9", "n": 5})
seen["one"] = one["result"]
seen["after"] = client.indices.exists(index="boiler")
seen["health"] = client.cluster.health()["status"]
client.indices.refresh(index="boiler")
print(json.dumps(seen))
