#include "live/control.hpp"

#include <algorithm>
#include <simdjson.h>

#include <fmt/format.h>

#include <iotstream/base/json.hpp>

namespace iotstream::live {
namespace {

namespace dom = simdjson::dom;

constexpr std::int64_t id_max = 0x7FFF'FFFF;
constexpr Duration window_min = Duration::seconds(1);
constexpr Duration window_max = Duration::seconds(7 * 86'400);
constexpr std::int64_t pixels_min = 16;
constexpr std::int64_t pixels_max = 16'384;
constexpr double rate_min = 0.1;
constexpr double rate_max = 60;
constexpr std::size_t fields_max = 5'000;

/// An absent member keeps its default; null counts as absent.
std::optional<dom::element> member(dom::object message, std::string_view name) {
  dom::element element;
  if (message.at_key(name).get(element) != simdjson::SUCCESS || element.is_null()) return std::nullopt;
  return element;
}

std::string what_is(dom::element element) { return simdjson::minify(element).substr(0, 60); }

Error wrong(std::string_view name, std::string_view wanted, dom::element element) {
  return {ErrorKind::invalid, fmt::format("`{}` must be {}, not {}.", name, wanted, what_is(element))};
}

Status read_text(dom::object message, std::string_view name, std::string& value) {
  const auto element = member(message, name);
  if (!element) return {};
  std::string_view text;
  if (element->get_string().get(text) != simdjson::SUCCESS) return wrong(name, "a text", *element);
  value = text;
  return {};
}

Status read_integer(dom::object message, std::string_view name, std::int64_t least, std::int64_t most, std::int64_t& value) {
  const auto element = member(message, name);
  if (!element) return {};
  std::int64_t number = 0;
  if (element->get_int64().get(number) != simdjson::SUCCESS || number < least || number > most)
    return wrong(name, fmt::format("an integer from {} to {}", least, most), *element);
  value = number;
  return {};
}

Status read_window(dom::object message, Duration& window) {
  std::string text;
  if (auto read = read_text(message, "window", text); !read) return read;
  if (text.empty()) return {};
  const auto length =
      text.front() == '-' ? parse_duration(std::string_view(text).substr(1)) : Result<Duration>(Error{ErrorKind::invalid, {}});
  if (!length || *length < window_min || *length > window_max)
    return Error{ErrorKind::invalid,
                 fmt::format("`window` must be a relative start from -1s to -7d, not '{}'.", text.substr(0, 60))};
  window = *length;
  return {};
}

Status read_rate(dom::object message, double& rate) {
  const auto element = member(message, "rate");
  if (!element) return {};
  double number = 0;
  if (element->get_double().get(number) != simdjson::SUCCESS || !(number >= rate_min && number <= rate_max))
    return wrong("rate", fmt::format("a number of frames a second from {} to {}", rate_min, rate_max), *element);
  rate = number;
  return {};
}

Status read_fields(dom::object message, std::vector<std::string>& fields) {
  const auto element = member(message, "fields");
  if (!element) return {};
  dom::array names;
  if (element->get_array().get(names) != simdjson::SUCCESS) return wrong("fields", "an array of names", *element);
  bool all = false;
  for (const dom::element entry : names) {
    std::string_view name;
    if (entry.get_string().get(name) != simdjson::SUCCESS) return wrong("fields", "an array of names", entry);
    all |= name == "*";
    if (std::find(fields.begin(), fields.end(), name) == fields.end()) fields.emplace_back(name);
    if (fields.size() > fields_max)
      return Error{ErrorKind::invalid, fmt::format("`fields` names more than {} fields; [\"*\"] means all.", fields_max)};
  }
  if (fields.empty()) return Error{ErrorKind::invalid, "`fields` is empty; name fields, or [\"*\"] for all."};
  if (all) fields.clear();
  return {};
}

Result<Subscribe> read_subscribe(dom::object message) {
  Subscribe subscribe;
  std::int64_t pixels = subscribe.pixels;
  for (Status read : {read_text(message, "dataset", subscribe.dataset), read_text(message, "device", subscribe.device),
                      read_fields(message, subscribe.fields), read_window(message, subscribe.window),
                      read_integer(message, "pixels", pixels_min, pixels_max, pixels), read_rate(message, subscribe.rate)})
    if (!read) return std::move(read).error();
  if (subscribe.dataset.empty()) return Error{ErrorKind::invalid, "`dataset` is missing."};
  if (subscribe.device == "*") subscribe.device.clear();
  subscribe.pixels = static_cast<std::uint32_t>(pixels);
  return subscribe;
}

Result<ClientMessage> read_operation(dom::object message, std::uint32_t id) {
  std::string operation;
  if (auto read = read_text(message, "op", operation); !read) return read.error();
  ClientMessage result{id, Unsubscribe{}};
  if (operation == "subscribe") {
    auto subscribe = read_subscribe(message);
    if (!subscribe) return std::move(subscribe).error();
    result.what = std::move(*subscribe);
  } else if (operation == "ack") {
    std::int64_t seq = 0;
    if (auto read = read_integer(message, "seq", 1, std::numeric_limits<std::int64_t>::max(), seq); !read) return read.error();
    if (seq == 0) return Error{ErrorKind::invalid, "`seq` is missing."};
    result.what = Ack{static_cast<std::uint64_t>(seq)};
  } else if (operation == "park") {
    result.what = Park{};
  } else if (operation == "resume") {
    result.what = Resume{};
  } else if (operation != "unsubscribe") {
    return Error{ErrorKind::invalid,
                 fmt::format("`op` must be subscribe, ack, park, resume or unsubscribe, not '{}'.", operation.substr(0, 60))};
  }
  return result;
}

}  // namespace

std::variant<ClientMessage, Refusal> read_message(std::string_view text) {
  static thread_local dom::parser parser;  // keeps its memory: messages come up to a hundred times a second
  dom::element document;
  dom::object message;
  if (const auto error = parser.parse(text.data(), text.size()).get(document); error != simdjson::SUCCESS)
    return Refusal{{}, fmt::format("The message is not JSON: {}", simdjson::error_message(error))};
  if (document.get_object().get(message) != simdjson::SUCCESS) return Refusal{{}, "The message must be a JSON object."};
  std::int64_t id = 0;
  if (auto read = read_integer(message, "id", 1, id_max, id); !read) return Refusal{{}, read.error().message};
  if (id == 0) return Refusal{{}, "`id` is missing."};
  auto read = read_operation(message, static_cast<std::uint32_t>(id));
  if (!read) return Refusal{static_cast<std::uint32_t>(id), read.error().message};
  return std::move(*read);
}

std::string write_hello(Timestamp now, Timestamp started) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("op").value("hello").key("version").value(IOTSTREAM_VERSION);
  writer.key("time").value(now.us).key("started").value(started.us).end_object();
  return out;
}

std::string write_fields(std::uint32_t id, const model::Schema& schema, const std::vector<FieldId>& fields,
                         const std::vector<std::string>& devices) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("op").value("fields").key("id").value(id).key("dataset").value(schema.dataset());
  writer.key("schema_version").value(schema.version().value).key("fields").begin_array();
  for (const FieldId id_of_field : fields) {
    const model::Field& field = schema.field(id_of_field);
    writer.begin_object().key("index").value(field.id.value).key("name").value(field.name);
    writer.key("type").value(model::name_of(field.type)).key("unit").value(field.unit).end_object();
  }
  writer.end_array().key("devices").begin_array();
  for (const std::string& device : devices) writer.value(device);
  writer.end_array().end_object();
  return out;
}

std::string write_changed() { return R"({"op":"changed","what":"datasets"})"; }

std::string write_stats(Timestamp now, const std::vector<DatasetLive>& datasets, std::optional<LatencyMs> latency) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("op").value("stats").key("time").value(now.us).key("datasets").begin_array();
  for (const DatasetLive& dataset : datasets) {
    writer.begin_object().key("dataset").value(dataset.dataset).key("events").value(dataset.events);
    writer.key("rate").value(dataset.rate).end_object();
  }
  writer.end_array().key("latency_ms").begin_object().key("p50");
  latency ? writer.value(latency->p50) : writer.null();
  writer.key("p99");
  latency ? writer.value(latency->p99) : writer.null();
  writer.end_object().end_object();
  return out;
}

std::string write_error(const Refusal& refusal) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("op").value("error");
  if (refusal.id) writer.key("id").value(*refusal.id);
  writer.key("detail").value(refusal.detail).end_object();
  return out;
}

}  // namespace iotstream::live
