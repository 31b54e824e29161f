// The OpenAPI 3.1 document, from one table: a test compares it with the router's routes, so that neither can forget the other.
#include <map>

#include <iotstream/base/json.hpp>

#include "http/routes.hpp"

namespace iotstream::http {

namespace {

struct Operation {
  const char* path;
  const char* method;
  const char* summary;
  const char* query;     ///< `name: what it is` separated by `;`
  const char* body;      ///< media types of the body separated by `,`; empty: none
  const char* statuses;  ///< besides 400, separated by `,`
  const char* answer;    ///< media type and shape of a 200
};

constexpr const char* json_type = "application/json";

constexpr Operation operations[] = {
    {"/search/results", "post",
     "One reading of a device: {\"DatasetType\":\"1\",\"data\":{…}}. Answers once it is on stable storage: "
     "{\"topic\",\"partition\",\"offset\"}.",
     "", "application/json", "200,409,413,415,422,429,503,507", json_type},
    {"/api/v1/datasets/{dataset}/events", "post",
     "Readings: one object, an array, NDJSON, or CSV with a header. Bad lines never spoil the good ones: "
     "{\"accepted\",\"rejected\",\"duplicates\",\"errors\":[{\"line\",\"reason\"}]}. "
     "Content-Encoding gzip and zstd are taken; lines may be any number: they are read while they arrive. An Idempotency-Key "
     "gives the first outcome again, also after a restart. "
     "With the headers Producer-Id and Producer-Sequence the sender numbers its readings: the first of the body has the "
     "sequence, "
     "the others follow; what was taken before counts as duplicates, a gap is refused with {\"expected_sequence\"}.",
     "acks: durable (default), written or none", "application/json,application/x-ndjson,text/csv",
     "200,409,413,415,422,429,503,507", json_type},
    {"/api/v1/datasets/{dataset}/events", "get",
     "Events, streamed: the fields as sent, @timestamp, device, _partition, _offset; with JSON also their count, behind "
     "(durable "
     "events that the answer lacks, 0 as a rule) and next, the cursor of the next page.",
     "from: first time, inclusive;to: last time, exclusive;device: only of this device;where: only events that pass this "
     "filter, as "
     "temperature > 95 and gear = 126;fields: only these, separated by commas "
     "(a comma in a name is written \\,);"
     "order: desc (newest first, default) or asc;limit: at most so many (100);cursor: next of the former page;format: json "
     "(default), ndjson or csv",
     "", "200,404", json_type},
    {"/write", "post",
     "With influx.enabled: points of InfluxDB's line protocol, as version 1 takes them. 204 when all were taken; 400 tells "
     "which "
     "were not, the others are. Beside it /ping, /health and /query answer what clients ask; see docs/influx.md.",
     "db: a word that influx.dataset may use;precision: ns (default), n, us, u, ms, s, m or h", "text/plain",
     "204,413,415,429,503,507", ""},
    {"/api/v2/write", "post", "With influx.enabled: the same, as version 2 takes them.",
     "bucket: a word that influx.dataset may use;org: anything;precision: ns (default), us, ms or s", "text/plain",
     "204,413,415,429,503,507", ""},
    {"/_bulk", "post",
     "With elasticsearch.enabled: documents as readings, an index for a dataset: "
     "{\"took\",\"errors\",\"items\"}. index and create are taken, update and delete refused item by item. Beside it /{index} "
     "and "
     "/_cluster/health answer what clients ask; see docs/elasticsearch.md.",
     "", "application/x-ndjson", "200,413,415,429,503", json_type},
    {"/{index}/_bulk", "post", "The same, for documents that name no index.", "", "application/x-ndjson", "200,413,415,429,503",
     json_type},
    {"/{index}/_doc", "post", "With elasticsearch.enabled: one document.", "", json_type, "201,413,415,429,503", json_type},
    {"/api/v1/datasets", "get",
     "All datasets: name, topic, label, schema version, compatibility, conflicts, fields, devices, events, rate, first and "
     "last "
     "time.",
     "", "", "200", json_type},
    {"/api/v1/datasets/{dataset}", "get", "One dataset.", "", "", "200,404", json_type},
    {"/api/v1/datasets/{dataset}", "patch",
     "Says which drift of its data the dataset takes: {\"compatibility\":\"adaptive\"|\"additive\"|\"strict\"}. From then on, "
     "and "
     "after a restart.",
     "", "application/json", "200,404,422,503,507", json_type},
    {"/api/v1/datasets/{dataset}/schema", "get",
     "The fields: name, label, type, the type it began with, unit, kind, group, description, hidden, first seen, count of "
     "values, and the conflicts: values that did not fit, who sent them, when, how often, a sample. Or the schema in the words "
     "of others.",
     "format: json (default), xml (a model as of `desc --xml`, to be imported again) or jsonschema (2020-12); Accept says it "
     "as well",
     "", "200,404", json_type},
    {"/api/v1/datasets/{dataset}/schema/versions", "get",
     "Every version of the schema: when it came, whose event brought it and who sent that, what changed, by which value.", "",
     "", "200,404", json_type},
    {"/api/v1/datasets/{dataset}/fields/{field}", "patch",
     "What people say of a field: {\"label\",\"unit\",\"kind\",\"group\",\"description\",\"hidden\"}, those given; null goes "
     "back to what its name tells. A new version of the schema.",
     "", "application/json", "200,404,422,503,507", json_type},
    {"/api/v1/datasets/{dataset}/series", "get",
     "Aggregates over time: {\"interval_us\",\"tier\",\"rows_scanned\",\"behind\",\"time\":[µs],\"series\":[{\"field\",\"agg\","
     "\"values\"}]}. Buckets begin at multiples of the interval since the epoch; an empty one is null (count: 0). tier: the "
     "longest rollups that were read (rows, 1s, 1min, 1h); behind: durable events that the answer lacks, 0 as a rule. With "
     "agg=m4, for drawing: {\"from\",\"to\",\"columns\",…,\"series\":[{\"field\",\"agg\",\"time\":[µs],\"values\"}]}: of each "
     "of "
     "points equal columns of the window the first, least, greatest and last reading with their times, in order; a line "
     "through "
     "them is drawn as one through all readings.",
     "fields: names separated by commas;from: first time (15 minutes before to);to: last time, exclusive (now);points: about "
     "so many buckets (500), longer ones where only those are kept; of m4 exactly so many columns;interval: the bucket's exact "
     "length, as 1s or 5min;"
     "agg: avg (default), min, max, sum, count, first, last, rate (a counter's increase per second, beginning anew at 0 "
     "counted), "
     "p50, p95, p99, several separated by commas; or m4 alone;device: only of this "
     "device;where: only of events that pass this filter",
     "", "200,404", json_type},
    {"/api/v1/datasets/{dataset}/rejected", "get",
     "Readings that could not be taken, newest first: "
     "{\"rejected\":[{\"id\",\"time\",\"reason\",\"source\",\"kind\",\"line\",\"size\","
     "\"truncated\",\"raw\"}],\"next\"}; raw_base64 in place of raw where the bytes are not UTF-8.",
     "from: first time, inclusive;to: last time, exclusive;limit: at most so many (100);cursor: next of the former page", "",
     "200,404", json_type},
    {"/api/v1/datasets/{dataset}/rejected", "delete", "Takes rejected readings off the list.",
     "ids: ids separated by commas; without it all that are listed", "", "200,404", json_type},
    {"/api/v1/datasets/{dataset}/rejected/resend", "post",
     "Sends rejected readings through the gate again: {\"ids\":[…]}, or without a body all (at most 1,000 a call). One may be "
     "mended: {\"ids\":[\"d17\"],\"raw\":\"…\"}. Answers {\"accepted\",\"rejected\",\"left\",\"errors\"}.",
     "", "application/json", "200,404,422,503", json_type},
    {"/api/v1/rejected", "get", "The same for readings that name no dataset.",
     "from: first time, inclusive;to: last time, exclusive;limit: at most so many (100);cursor: next of the former page", "",
     "200", json_type},
    {"/api/v1/rejected", "delete", "Takes them off the list.", "ids: ids separated by commas; without it all that are listed",
     "", "200,404", json_type},
    {"/api/v1/rejected/resend", "post", "Sends them through the gate again, as above.", "", "application/json",
     "200,404,422,503", json_type},
    {"/api/v1/datasets/{dataset}/profile", "get",
     "What the events hold, field by field: count, missing, distinct, min, max, mean, stddev, quantiles, histogram, outliers, "
     "numbers too large for those (out_of_range), most frequent values, first and last seen, longest stretch without a value; "
     "and the silences. Exact for up to 16.5 million "
     "numbers and 10,000 different texts, else estimates that say so. {dataset} may be file:<id>.",
     "from: first time, inclusive;to: last time, exclusive;device: only of this device;where: only events that pass this "
     "filter;"
     "fields: only these, separated by commas;limit: at most so many of the newest events (1,000,000, of files all);"
     "correlations: true for r of each pair of numeric fields as well",
     "", "200,404,503", json_type},
    {"/api/v1/datasets/{dataset}/correlations", "get",
     "r of each pair of numeric fields with the number of events that have both: "
     "{\"correlations\":[{\"a\",\"b\",\"n\",\"r\"}]}; at most 64 fields. {dataset} may be file:<id>.",
     "from: first time, inclusive;to: last time, exclusive;device: only of this device;where: only events that pass this "
     "filter;"
     "fields: only these, separated by commas;limit: at most so many of the newest events (1,000,000, of files all)",
     "", "200,404,503", json_type},
    {"/api/v1/files", "get",
     "The imported files, each a data set file:<id> of its own with its recorded times: id, name, prototype, rows, rejected, "
     "columns, from, to. GET /api/v1/datasets/file:<id> and its /schema, /events, /series, /profile and /correlations answer "
     "for "
     "it; /series also takes agg=m4 and time=elapsed, /events gives _row and _line and begins with the oldest.",
     "", "", "200", json_type},
    {"/api/v1/sql", "post",
     "One reading SQL statement over history.db and catalog.db (SQLite's dialect): {\"sql\",\"limit\",\"timeout\"}. Answers "
     "{\"columns\":[…],\"types\":[…],\"rows\":[[…]],\"truncated\",\"ms\"}; a blob is {\"base64\"}. At most limit rows (1,000; "
     "at "
     "most 100,000), timeout (10s, at most 60s), 64 MiB of memory. A mistake is told with its position.",
     "", "application/json", "200,403,413,503", json_type},
    {"/api/v1/prototypes", "get", "All prototypes.", "", "", "200", json_type},
    {"/api/v1/prototypes", "post",
     "Creates a prototype: {\"code\",\"label\",\"brand\",\"version\",\"dataset\",\"facts\":{…},\"model_xml\"}, or a MySQL "
     "`desc --xml` model "
     "with ?code=.",
     "code: of an XML body", "application/json,application/xml", "201,409,422", json_type},
    {"/api/v1/prototypes/{code}", "get", "One prototype.", "format: xml for its model as it was given", "", "200,404",
     json_type},
    {"/api/v1/prototypes/{code}", "put", "Creates or changes a prototype: the members given, or its XML model.", "",
     "application/json,application/xml", "200,201,422", json_type},
    {"/api/v1/prototypes/{code}", "delete", "Removes a prototype and its imported rows; its events stay.", "", "", "204,404",
     ""},
    {"/api/v1/dashboards", "get", "Saved dashboards: {\"dashboards\":[{\"id\",\"name\",\"changed\",\"bytes\"}]}.", "", "",
     "200", json_type},
    {"/api/v1/dashboards", "post",
     "Saves a dashboard: {\"name\",\"document\":{…}}, a document of at most 256 KiB. Answers "
     "{\"id\",\"name\",\"changed\",\"document\"}.",
     "", "application/json", "201,413,422,503,507", json_type},
    {"/api/v1/dashboards/{id}", "get", "One saved dashboard, with its document.", "", "", "200,404", json_type},
    {"/api/v1/dashboards/{id}", "put", "Puts another name and document in place of those of a saved dashboard.", "",
     "application/json", "200,404,413,422,503,507", json_type},
    {"/api/v1/dashboards/{id}", "delete", "Deletes a saved dashboard.", "", "", "204,404", ""},
    {"/api/v1/imports", "post",
     "A CSV file as the body (or the file of a multipart/form-data body) is loaded into a prototype's rows; the prototype is "
     "created when it is new. With JSON, {\"name\",\"size\",\"prototype\",\"dataset\",\"label\"}, an upload in pieces begins: "
     "201 with its id.",
     "prototype: whose rows these are;name: the file's name, for messages;dataset: of a new prototype;label: of a new "
     "prototype;wait: true to answer when it is done",
     "text/csv,multipart/form-data,application/json", "200,201,202,413,422,429,503,507", json_type},
    {"/api/v1/imports", "get", "Imports: all that are open, and the last hundred that have ended.", "", "", "200", json_type},
    {"/api/v1/imports/{id}", "get",
     "State (receiving, checking, preview, waiting, running, done, failed, cancelled), progress in bytes, preview and outcome "
     "of "
     "an import.",
     "", "", "200,404", json_type},
    {"/api/v1/imports/{id}", "put",
     "The next piece of an upload. What is here already may come again; after a gap 409 says where to go on. The last byte "
     "begins "
     "the look at the file.",
     "offset: of the piece's first byte, or a Content-Range header", "application/octet-stream", "200,404,409,413,507",
     json_type},
    {"/api/v1/imports/{id}", "delete", "Cancels an import, or forgets one that has ended.", "", "", "204,404", ""},
    {"/api/v1/imports/{id}/preview", "get",
     "What an upload holds: separator, encoding, time column and others that could be it, columns with unit, type and samples, "
     "the "
     "first rows, and the rows that cannot be taken, with line and reason.",
     "", "", "200,404,409", json_type},
    {"/api/v1/imports/{id}/preview", "post",
     "Looks again, by choices: {\"separator\",\"time_column\",\"date_order\",\"columns\":[{\"column\",\"name\",\"type\","
     "\"unit\"}]}; an empty time_column means none.",
     "wait: true to answer when it is done", "application/json", "200,202,404,409,422", json_type},
    {"/api/v1/imports/{id}/accept", "post",
     "Loads an upload that has been looked at: the choices of its preview, and {\"prototype\",\"dataset\",\"label\"}.",
     "wait: true to answer when it is done", "application/json", "200,202,404,409,422", json_type},
    {"/api/v1/devices", "get", "All devices: first and last seen, rate now and expected, state (live, late, lost), events.", "",
     "", "200", json_type},
    {"/api/v1/simulations", "get", "All simulations with their counts.", "", "", "200", json_type},
    {"/api/v1/simulations", "post",
     "Starts a simulation: {\"prototype\",\"period\",\"speed\",\"devices\",\"loop\",\"transport\",\"seed\"}.", "",
     "application/json", "201,404,422", json_type},
    {"/api/v1/simulations/{id}", "get", "One simulation.", "", "", "200,404", json_type},
    {"/api/v1/simulations/{id}", "patch",
     "Changes a running simulation: {\"state\":\"running\"|\"paused\",\"speed\",\"period\",\"devices\"}.", "",
     "application/json", "200,404,422", json_type},
    {"/api/v1/simulations/{id}", "delete", "Ends a simulation.", "", "", "204,404", ""},
    {"/api/v1/topics", "get",
     "All topics with their partitions: earliest, written and durable offsets, bytes, segments, damage.", "", "", "200",
     json_type},
    {"/api/v1/topics/{topic}", "get", "One topic: its options, its partitions.", "", "", "200,404", json_type},
    {"/api/v1/topics/{topic}/partitions/{partition}/messages", "get", "Messages of a partition, from an offset or a time on.",
     "offset: a whole number, earliest (default) or latest;time: instead of offset, the first message at or after it;limit: at "
     "most so many (100, at most 10000)",
     "", "200,404", json_type},
    {"/api/v1/topics/{topic}/replay", "get",
     "The records of a range of time, by event time and in their recorded pace, one message a line (with its partition); an "
     "empty "
     "line after ten seconds of silence.",
     "from: first event time, inclusive (the earliest record);to: last event time, exclusive (what is there now);speed: 0.1 to "
     "1000 "
     "times the recorded pace (1), or max (or 0) for as fast as possible;device: only of this device;partition: only this "
     "one;limit: "
     "at most so many;gap: silences that are longer are shortened to this, as 5s;follow: true to go on with what comes later",
     "", "200,404,429", "application/x-ndjson"},
    {"/api/v1/groups", "get",
     "All consumer groups: state, generation, members, and for each partition the committed offset, the lag in records and in "
     "seconds, and its owner.",
     "", "", "200", json_type},
    {"/api/v1/groups/{group}", "get", "One group, with its members and what each of them owns.", "", "", "200,404", json_type},
    {"/api/v1/groups/{group}", "delete", "Removes what a group without members has committed.", "", "", "204,404,409", ""},
    {"/api/v1/groups/{group}/offsets", "get", "One group's committed offsets and lag.", "", "", "200,404", json_type},
    {"/api/v1/groups/{group}/offsets", "put",
     "Resets a group: {\"offsets\":[{\"topic\",\"partition\",\"offset\"|\"time\"}]}; offset: a whole number, earliest or "
     "latest; without partition all of the topic. 409 while it has members, unless \"force\":true: then they are removed and "
     "join again. What lies where no record is goes to the nearest, and is named in \"clamped\".",
     "", "application/json", "200,404,409,422", json_type},
    {"/api/v1/groups/{group}/members", "post",
     "Joins: {\"topics\":[…],\"start\":\"earliest\"|\"latest\",\"session_timeout\",\"rebalance_timeout\",\"client\"}; with "
     "\"member\" a member changes its topics. Answers {\"member\",\"generation\",\"assignment\",\"releasing\"}. The protocol "
     "is "
     "in docs/groups.md.",
     "", "application/json", "200,201,404,422,429,503", json_type},
    {"/api/v1/groups/{group}/members/{member}", "delete", "Leaves: its partitions go to the others at once.", "", "", "204,404",
     ""},
    {"/api/v1/groups/{group}/members/{member}/heartbeat", "post",
     "A sign of life, and the acknowledgement of {\"generation\"}. 409 tells the current generation and assignment.", "",
     "application/json", "200,404,409,422,503", json_type},
    {"/api/v1/groups/{group}/members/{member}/fetch", "post",
     "Records of the partitions that the member owns, from the committed offsets or from \"positions\" on; waits up to "
     "\"max_wait\" (5s, at most 30s) for some: {\"generation\",\"max_wait\",\"max_bytes\",\"max_records\",\"positions\"}. "
     "Answers "
     "{\"generation\",\"assignment\",\"releasing\",\"records\",\"next\",\"resets\"}.",
     "", "application/json", "200,404,409,422,503", json_type},
    {"/api/v1/groups/{group}/members/{member}/commit", "post",
     "Commits for the group, on stable storage, all or none: "
     "{\"generation\",\"offsets\":[{\"topic\",\"partition\",\"offset\"}]}, "
     "each the next to read.",
     "", "application/json", "200,404,409,422,503,507", json_type},
    {"/api/v1/verify", "get",
     "Reads all of the log and of history and checks it, at a bounded speed, while the server works: a line for each finding "
     "({\"finding\":{\"kind\":\"damage\"|\"note\",\"topic\",\"partition\",\"first\",\"next\",\"file\",\"position\",\"what\"}}),"
     " some for the "
     "progress, the last one is the report ({\"report\":{\"ok\",…}}). One at a time.",
     "rate: at most so many bytes a second (64MiB); 0 for no limit", "", "200,429", "application/x-ndjson"},
    {"/healthz", "get", "The process answers.", "", "", "200", "text/plain"},
    {"/readyz", "get", "It serves: 200, else 503.", "", "", "200,503", "text/plain"},
    {"/metrics", "get", "Prometheus text format.", "", "", "200", "text/plain"},
    {"/api/v1/status", "get", "Version, uptime, rates, latencies, memory, viewers, MQTT clients, slow queries.", "", "", "200",
     json_type},
    {"/api/v1/openapi.json", "get", "This document.", "", "", "200", json_type},
    {"/api/v1/live", "get", "WebSocket: subscriptions with back-fill and live frames; the protocol is in docs/live.md.",
     "wire: json for data frames as text", "", "101,403", ""},
};

template <class Visit>
void each_part(std::string_view list, char separator, Visit&& visit) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find(separator), list.size());
    visit(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
}

void write_parameter(json::Writer& writer, std::string_view name, std::string_view place, std::string_view description) {
  writer.begin_object();
  writer.key("name").value(name);
  writer.key("in").value(place);
  if (place == "path") writer.key("required").value(true);
  if (!description.empty()) writer.key("description").value(description);
  writer.key("schema").begin_object().key("type").value("string").end_object();
  writer.end_object();
}

void write_parameters(json::Writer& writer, const Operation& operation) {
  writer.key("parameters").begin_array();
  std::string_view path = operation.path;
  for (std::size_t open = path.find('{'); open != std::string_view::npos; open = path.find('{', open + 1)) {
    write_parameter(writer, path.substr(open + 1, path.find('}', open) - open - 1), "path", "");
  }
  each_part(operation.query, ';', [&](std::string_view part) {
    const std::size_t colon = part.find(": ");
    write_parameter(writer, part.substr(0, colon), "query", part.substr(colon + 2));
  });
  writer.end_array();
}

constexpr std::string_view reason_of(std::string_view status) {
  if (status == "101") return "switching to WebSocket";
  if (status == "200") return "done";
  if (status == "201") return "created";
  if (status == "202") return "taken; ask for the outcome";
  if (status == "204") return "done, nothing to say";
  if (status == "400") return "malformed, with the position";
  if (status == "403") return "not allowed from there";
  if (status == "404") return "no such thing";
  if (status == "409") return "in conflict with what is there";
  if (status == "413") return "too large";
  if (status == "415") return "unknown media type or encoding";
  if (status == "422") return "well-formed, but cannot be taken";
  if (status == "429") return "back-pressure: again after Retry-After";
  if (status == "503") return "not ready, or stopping";
  return "the disk is full";
}

void write_responses(json::Writer& writer, const Operation& operation) {
  writer.key("responses").begin_object();
  const auto one = [&](std::string_view status) {
    writer.key(status).begin_object().key("description").value(reason_of(status));
    const bool good = status.front() == '2';
    const std::string_view type = good ? std::string_view(operation.answer) : std::string_view("application/problem+json");
    if (!type.empty() && status != "204" && status != "101") {
      writer.key("content").begin_object().key(type).begin_object();
      if (!good) writer.key("schema").begin_object().key("$ref").value("#/components/schemas/Problem").end_object();
      writer.end_object().end_object();
    }
    writer.end_object();
  };
  one("400");
  each_part(operation.statuses, ',', one);
  writer.end_object();
}

void write_operation(json::Writer& writer, const Operation& operation) {
  writer.key(operation.method).begin_object();
  writer.key("summary").value(operation.summary);
  write_parameters(writer, operation);
  if (*operation.body != '\0') {
    writer.key("requestBody").begin_object().key("required").value(true).key("content").begin_object();
    each_part(operation.body, ',', [&](std::string_view type) { writer.key(type).begin_object().end_object(); });
    writer.end_object().end_object();
  }
  write_responses(writer, operation);
  writer.end_object();
}

std::string build() {
  std::map<std::string_view, std::vector<const Operation*>> paths;
  for (const Operation& operation : operations) paths[operation.path].push_back(&operation);
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  writer.key("openapi").value("3.1.0");
  writer.key("info").begin_object();
  writer.key("title").value("iotstream");
  writer.key("version").value(IOTSTREAM_VERSION);
  writer.key("description")
      .value(
          "Devices in, log, history and live charts out. Times are RFC 3339, epoch µs integers, or relative (now, -15m, -2h). "
          "Errors are application/problem+json (RFC 9457).");
  writer.end_object();
  writer.key("paths").begin_object();
  for (const auto& [path, list] : paths) {
    writer.key(path).begin_object();
    for (const Operation* operation : list) write_operation(writer, *operation);
    writer.end_object();
  }
  writer.end_object();
  writer.key("components").begin_object().key("schemas").begin_object().key("Problem").begin_object();
  writer.key("type").value("object").key("properties").begin_object();
  for (const char* member : {"type", "title", "detail"})
    writer.key(member).begin_object().key("type").value("string").end_object();
  writer.key("status").begin_object().key("type").value("integer").end_object();
  writer.end_object().end_object().end_object().end_object();
  writer.end_object();
  return out;
}

}  // namespace

std::string_view openapi() {
  static const std::string document = build();
  return document;
}

}  // namespace iotstream::http
