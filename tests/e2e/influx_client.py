"""Debian's python3-influxdb, unmodified: writes points and asks what such clients ask. Prints what it saw as JSON."""
import json
import sys

from influxdb import InfluxDBClient
from influxdb.exceptions import InfluxDBClientError

host, port = sys.argv[1], int(sys.argv[2])
client = InfluxDBClient(host=host, port=port, database="plant", gzip=len(sys.argv) > 3, retries=1, timeout=20)
seen = {"version": client.ping()}
client.create_database("plant")
seen["databases"] = [one["name"] for one in client.get_list_database()]
points = [
    {
        "measurement": "boiler",
        "tags": {"device": f"b{i % 3}", "room": "north, west = 1"},
        "time": 1700000000000 + i,
        "fields": {"temperature": 60.5 + i, "starts": i, "on": i % 2 == 0, "note": 'said "hello", \\ and\nleft'},
    }
    for i in range(300)
]
seen["written"] = client.write_points(points, time_precision="ms", batch_size=100)
try:
    client.write(["boiler,device=b9 temperature=1 1700000001", "boiler,device=b9 temperature=oops", "boiler,device=b9"],
                 {"db": "plant", "precision": "s"}, 204, "line")
    seen["partial"] = None
except InfluxDBClientError as error:
    seen["partial"] = [error.code, json.loads(error.content)["error"]]
seen["measurements"] = [one["name"] for one in client.get_list_measurements()]
print(json.dumps(seen))
