#include "elastic/bulk.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <simdjson.h>
#include <utility>

#include <fmt/format.h>

namespace iotstream::elastic {
namespace {

constexpr std::array<std::pair<std::string_view, Operation>, 4> operations{{{"index", Operation::index},
                                                                            {"create", Operation::create},
                                                                            {"update", Operation::update},
                                                                            {"delete", Operation::delete_}}};

/// The lines of a body, blank ones passed over.
class Lines {
 public:
  explicit Lines(std::string_view body) : body_(body) {}
  std::optional<std::string_view> next() {
    while (!body_.empty()) {
      const std::size_t end = std::min(body_.find('\n'), body_.size());
      std::string_view line = body_.substr(0, end);
      body_.remove_prefix(std::min(end + 1, body_.size()));
      ++number_;
      while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t')) line.remove_suffix(1);
      if (!line.empty()) return line;
    }
    return std::nullopt;
  }
  std::uint64_t number() const { return number_; }

 private:
  std::string_view body_;
  std::uint64_t number_ = 0;
};

/// A text, or a number as its digits: clients give ids as both.
std::string text_of(simdjson::dom::object meta, const char* name) {
  simdjson::dom::element value;
  if (meta[name].get(value) != simdjson::SUCCESS) return {};
  std::string_view text;
  if (value.get(text) == simdjson::SUCCESS) return std::string(text);
  std::int64_t number = 0;
  return value.get(number) == simdjson::SUCCESS ? fmt::format("{}", number) : std::string();
}

/// False when the line is no action.
bool read_action(simdjson::dom::parser& parser, std::string_view line, Action& action) {
  simdjson::dom::object object;
  if (parser.parse(line.data(), line.size()).get(object) != simdjson::SUCCESS || object.size() != 1) return false;
  const simdjson::dom::key_value_pair pair = *object.begin();
  const auto found = std::find_if(operations.begin(), operations.end(), [&](const auto& one) { return one.first == pair.key; });
  simdjson::dom::object meta;
  if (found == operations.end() || pair.value.get(meta) != simdjson::SUCCESS) return false;
  action.operation = found->second;
  if (std::string index = text_of(meta, "_index"); !index.empty()) action.index = std::move(index);
  action.id = text_of(meta, "_id");
  return true;
}

}  // namespace

std::string_view name_of(Operation operation) { return operations[static_cast<std::size_t>(operation)].first; }

Result<std::vector<Action>> read_bulk(std::string_view body, std::string_view index) {
  std::vector<Action> actions;
  simdjson::dom::parser parser;
  Lines lines(body);
  while (const auto line = lines.next()) {
    Action action;
    action.index = index;
    if (!read_action(parser, *line, action))
      return Error{
          ErrorKind::invalid,
          fmt::format("Malformed action/metadata line [{}], expected an object with one of index, create, update, delete",
                      lines.number())};
    if (action.operation != Operation::delete_) {
      const auto source = lines.next();
      if (!source)
        return Error{ErrorKind::invalid,
                     fmt::format("the action on line [{}] has no document: the body is cut short", lines.number())};
      action.source = *source;
    }
    if (actions.size() == actions_max)
      return Error{ErrorKind::too_large, fmt::format("more than {} actions in one request", actions_max)};
    actions.push_back(std::move(action));
  }
  if (actions.empty()) return Error{ErrorKind::invalid, "request body is required"};
  return actions;
}

}  // namespace iotstream::elastic
