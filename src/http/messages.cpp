#include "http/messages.hpp"

#include <simdjson.h>

#include <iotstream/base/json.hpp>
#include <iotstream/model/row.hpp>

namespace iotstream::http {

namespace {

void append_value(std::string& out, Services& services, const std::string& topic, const log::Record& record,
                  std::uint32_t& version) {
  const auto schema = services.schemas.current(topic);
  auto row = topic.starts_with('_') ? Result<model::RowView>(Error{}) : model::RowView::open(record.value);
  if (!schema || !row) {
    const std::string_view text = as_text(record.value);
    simdjson::dom::parser parser;
    if (parser.parse(text.data(), text.size()).error() == simdjson::SUCCESS)
      out += text;
    else
      json::append_string(out, text);
    return;
  }
  version = row->schema_version().value;
  const auto facts = services.schemas.facts(row->facts());
  bool comma = false;
  out += '{';
  model::append_members(out, comma, *row, *schema, record.key, record.time, *facts);
  out += '}';
}

}  // namespace

void append_message(std::string& out, Services& services, const std::string& topic, const log::Record& record,
                    std::optional<PartitionId> partition) {
  std::string value;
  std::uint32_t version = 0;
  append_value(value, services, topic, record, version);
  json::Writer writer(out);
  writer.begin_object();
  if (partition) writer.key("partition").value(static_cast<std::uint64_t>(partition->value));
  writer.key("offset").value(record.offset.value);
  writer.key("time").value(format_rfc3339(record.time));
  writer.key("append_time").value(format_rfc3339(record.append_time));
  writer.key("device").value(record.key);
  writer.key("schema").value(version);
  writer.key("value").raw(value);
  writer.end_object();
}

}  // namespace iotstream::http
