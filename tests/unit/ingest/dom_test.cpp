// What is stored of an event is what simdjson's DOM parser reads in its text: another parser, another interface, the same
// values.
#include <bit>
#include <map>
#include <simdjson.h>

#include <fmt/format.h>

#include "support/random.hpp"
#include "unit/ingest/fixture.hpp"

using namespace iotstream;
using test::GateFixture;

namespace {

using Flat = std::map<std::string, std::string>;  // name with dots → kind and value

/// Arrays with all that is in them; objects within them likewise.
std::string told(const simdjson::dom::element& element) {
  using simdjson::dom::element_type;
  switch (element.type()) {
    case element_type::ARRAY: {
      std::string text = "[";
      for (const auto one : simdjson::dom::array(element)) text += told(one) + ",";
      return text + "]";
    }
    case element_type::OBJECT: {
      std::string text = "{";
      for (const auto field : simdjson::dom::object(element)) text += fmt::format("{}:{},", field.key, told(field.value));
      return text + "}";
    }
    case element_type::INT64:
      return fmt::format("int {}", std::int64_t(element));
    case element_type::UINT64:
      return fmt::format("uint {}", std::uint64_t(element));
    case element_type::DOUBLE:
      return fmt::format("double {:x}", std::bit_cast<std::uint64_t>(double(element)));
    case element_type::STRING:
      return fmt::format("text {}", std::string_view(element));
    case element_type::BOOL:
      return bool(element) ? "true" : "false";
    default:
      return "null";
  }
}

/// The documented rule: objects are flattened with dots, an empty one is a value, of the same member twice the last one counts.
void flatten(const simdjson::dom::object& object, const std::string& prefix, Flat& flat) {
  for (const auto field : object) {
    const std::string name = prefix + std::string(field.key);
    simdjson::dom::object below;
    if (field.value.get(below) == simdjson::SUCCESS && below.size() > 0)
      flatten(below, name + ".", flat);
    else
      flat[name] = told(field.value);
  }
}

Flat flat_of(std::string_view json) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  INFO(json);
  REQUIRE(parser.parse(json).get(object) == simdjson::SUCCESS);
  Flat flat;
  flatten(object, "", flat);
  return flat;
}

class Texts {
 public:
  explicit Texts(std::mt19937_64& random) : random_(random) {}

  std::string object(int depth) {
    std::string text = "{" + blanks();
    const std::size_t count = below(depth == 0 ? 12 : 4);
    for (std::size_t i = 0; i < count; ++i) {
      if (i > 0) text += "," + blanks();
      text += name() + blanks() + ":" + blanks() + value(depth + 1) + blanks();
    }
    return text + "}";
  }

 private:
  std::size_t below(std::size_t n) { return random_() % n; }
  std::string one_of(std::initializer_list<const char*> some) { return *(some.begin() + below(some.size())); }
  std::string blanks() { return one_of({"", "", "", " ", "\t", "\r\n ", "\n"}); }

  std::string value(int depth) {
    switch (below(depth < 6 ? 10 : 7)) {
      case 0:
        return one_of({"true", "false", "null"});
      case 1:
      case 2:
        return string(below(9));
      case 7:
        return array(depth);
      case 8:
      case 9:
        return object(depth);
      default:
        return number();
    }
  }
  std::string array(int depth) {
    std::string text = "[" + blanks();
    const std::size_t count = below(4);
    for (std::size_t i = 0; i < count; ++i) text += (i > 0 ? "," : "") + blanks() + value(depth + 1) + blanks();
    return text + "]";
  }
  /// Plain, escaped in every way, beyond the basic plane.
  std::string string(std::size_t pieces) {
    std::string text = "\"";
    for (std::size_t i = 0; i < pieces; ++i)
      text += one_of({"a", "b", "speed", " ", "é", "日", "😀", "\\\"", "\\\\", "\\/", "\\b", "\\t", "\\u00e9", "\\u65E5",
                      "\\ud83d\\ude00", "{", "]", ":"});
    return text + "\"";
  }
  /// One with a control character is refused.
  std::string name() {
    for (;;) {
      const std::string text = string(1 + below(3));
      if (text.find("\\b") == std::string::npos && text.find("\\t") == std::string::npos) return text;
    }
  }
  std::string digits(std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) text += static_cast<char>('0' + below(10));
    return text;
  }
  /// Of every length and form that the DOM has a place for.
  std::string number() {
    std::string text = below(3) == 0 ? "-" : "";
    const std::size_t whole = below(20);
    text += whole == 0 ? "0" : std::string(1, static_cast<char>('1' + below(9))) + digits(whole > 18 ? 17 : whole - 1);
    if (below(2) == 0) text += "." + digits(1 + below(20));
    if (below(5) == 0) text += one_of({"e", "E"}) + one_of({"", "+", "-"}) + std::to_string(below(280));
    return text;
  }

  std::mt19937_64& random_;
};

}  // namespace

TEST_CASE("events are stored as simdjson's DOM reads them") {
  IOTSTREAM_SEEDED(random);
  Texts texts(random);
  for (int round = 0; round < 1'500; ++round) {
    const std::string text = texts.object(0);
    const Flat wanted = flat_of(text);
    GateFixture fixture;
    REQUIRE(fixture.taken("dom", text).accepted == 1);
    const std::string stored = fixture.event("dom");
    INFO(text << "\n" << stored);
    REQUIRE(flat_of(stored) == wanted);
  }
}
