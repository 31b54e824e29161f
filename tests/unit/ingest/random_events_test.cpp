// Random events of random, drifting schemas: nothing is lost, every value is read back equal.
#include <map>
#include <random>
#include <simdjson.h>

#include <iotstream/base/json.hpp>

#include "unit/ingest/fixture.hpp"

using namespace iotstream;
using test::GateFixture;

namespace {

using Members = std::map<std::string, std::string>;  // name with dots → JSON text as it is rendered

class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}
  std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_); }
  bool one_in(std::size_t n) { return below(n) == 0; }

  // One event: its text as sent, and what is to be read back.
  std::string event(Members& expected) {
    std::string text;
    object(text, "", 0, expected);
    return text;
  }

  std::string blanks() {
    static const char* const some[] = {"", "", "", "", " ", "  ", "\t"};
    return some[below(7)];
  }

 private:
  std::string name() {
    static const std::vector<std::string> odd = {"λ", "a b", "q\"uote", "back\\slash", "speed (km/h)", "é", "x/y", "日本", "😀"};
    return one_in(6) ? odd[below(odd.size())] : "f" + std::to_string(below(14));
  }

  std::string number() {
    std::string text;
    switch (below(5)) {
      case 0:
        json::append_number(text, static_cast<std::int64_t>(below(200)) - 100);
        break;
      case 1:
        json::append_number(text, static_cast<std::int64_t>(random_()));
        break;
      case 2:
        return std::to_string(static_cast<std::uint64_t>(1) << 63 | random_());  // beyond int64: a decimal
      case 3: {
        double value;
        do {
          const std::uint64_t bits = random_();
          std::memcpy(&value, &bits, sizeof value);
        } while (!std::isfinite(value));
        model::Value real;
        real.kind = model::ValueKind::real;
        real.real = value;
        model::append_json(text, real);
        break;
      }
      default:
        return std::to_string(below(1000)) + "." + std::to_string(random_()) + std::to_string(1 + below(9));  // too many digits
    }
    return text;
  }

  std::string text() {
    std::string raw;
    for (std::size_t i = below(12); i > 0; --i) {
      static const std::vector<std::string> pieces = {"a", "B",  " ", "\"", "\\",        "\n", "\x01", "é",
                                                      "λ", "日", "😀", "/",  "</script>", "{",  "]"};
      raw += pieces[below(pieces.size())];
    }
    std::string out;
    json::append_string(out, raw);
    return out;
  }

  std::string scalar() {
    switch (below(6)) {
      case 0:
        return one_in(2) ? "true" : "false";
      case 1:
        return "null";
      case 2:
      case 3:
        return text();
      default:
        return number();
    }
  }

  std::string array(int depth) {
    std::string out = "[";
    for (std::size_t i = below(4); i > 0; --i) {
      if (out.size() > 1) out += ',';
      out += depth < 3 && one_in(3) ? array(depth + 1) : depth < 3 && one_in(4) ? "{\"k\":" + array(depth + 1) + "}" : scalar();
    }
    return out + "]";
  }

  void object(std::string& text, const std::string& prefix, int depth, Members& expected) {
    text += "{" + blanks();
    Members mine;
    const std::size_t count = below(depth == 0 ? 12 : 4);
    for (std::size_t i = 0; i < count; ++i) {
      const std::string own = name();
      if (mine.contains(own)) continue;
      mine[own] = "";
      if (mine.size() > 1) text += blanks() + "," + blanks();
      json::append_string(text, own);
      text += blanks() + ":" + blanks();
      if (depth < 3 && one_in(6)) {
        object(text, prefix + own + ".", depth + 1, expected);
        continue;
      }
      const std::string value = one_in(8) ? array(0) : scalar();
      text += value;
      expected[prefix + own] = value;
    }
    if (mine.empty() && depth > 0) expected[prefix.substr(0, prefix.size() - 1)] = "{}";
    text += blanks() + "}";
  }

  std::mt19937_64 random_;
};

// The members of a flat object with their values' raw text.
Members members_of(const std::string& json) {
  simdjson::ondemand::parser parser;
  const simdjson::padded_string padded(json);
  Members out;
  simdjson::ondemand::document document = parser.iterate(padded);
  for (auto field : document.get_object()) {
    const std::string name(std::string_view(field.unescaped_key()));
    simdjson::ondemand::value value = field.value();
    const auto type = value.type().value();
    if (type == simdjson::ondemand::json_type::array)
      out[name] = std::string(std::string_view(value.get_array().value().raw_json()));
    else if (type == simdjson::ondemand::json_type::object)
      out[name] = std::string(std::string_view(value.get_object().value().raw_json()));
    else
      out[name] = std::string(value.raw_json_token());
  }
  return out;
}

}  // namespace

TEST_CASE("random events of drifting schemas are read back equal, none is lost") {
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  Generator generator(seed);
  for (int round = 0; round < 40; ++round) {
    GateFixture fixture;
    std::vector<Members> expected;
    for (int batch = 0; batch < 5; ++batch) {
      std::string body;
      const bool array = generator.one_in(3);
      const std::size_t count = 1 + generator.below(20);
      for (std::size_t i = 0; i < count; ++i) {
        if (array && i > 0) body += ",";
        body += generator.event(expected.emplace_back()) + generator.blanks();
        if (!array) body += "\n";
      }
      const auto outcome =
          fixture.taken("d", array ? "[" + body + "]" : body, array ? ingest::BodyFormat::json : ingest::BodyFormat::ndjson);
      for (const auto& error : outcome.errors) UNSCOPED_INFO(error.line << ": " << error.reason);
      REQUIRE(outcome.accepted == count);
    }
    const auto records = fixture.log.records("d");
    REQUIRE(records.size() == expected.size());
    for (std::size_t i = 0; i < records.size(); ++i) REQUIRE(members_of(fixture.json_of("d", records[i])) == expected[i]);
    fixture.check_balance();
  }
}

TEST_CASE("what a whole parser takes is taken, what it refuses is refused") {
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  Generator generator(seed);
  simdjson::dom::parser whole;
  int taken = 0;
  int refused = 0;
  GateFixture fixture;
  for (int i = 0; i < 20'000; ++i) {
    Members ignored;
    std::string text = generator.event(ignored);
    for (std::size_t damage = generator.below(3); damage > 0 && !text.empty(); --damage) {
      static constexpr std::string_view bytes = "{}[]\",:\\ tfn01-+.eE\n\xff\x80u";
      const std::size_t at = generator.below(text.size());
      switch (generator.below(4)) {
        case 0:
          text.erase(at, 1 + generator.below(3));
          break;
        case 1:
          text.insert(at, 1, bytes[generator.below(bytes.size())]);
          break;
        case 2:
          text[at] = bytes[generator.below(bytes.size())];
          break;
        default:
          text.insert(at, text.substr(generator.below(text.size()), generator.below(20)));
          break;
      }
    }
    simdjson::dom::element element;
    const auto error = whole.parse(text).get(element);
    // Numbers that no double or 64 bits hold are kept here as they are written.
    if (error == simdjson::NUMBER_ERROR) continue;
    const bool object = !error && element.is_object();
    ingest::Submission submission;
    submission.dataset = "d";
    submission.body = text;
    submission.format = ingest::BodyFormat::json;
    const auto result = fixture.submit(submission);
    INFO(text);
    const bool accepted = result.ok() && result->accepted == 1;
    const bool own_rule = result.ok() && result->rejected == 1 && result->errors[0].kind != ErrorKind::invalid;
    if (object)
      REQUIRE((accepted || own_rule));
    else if (error && text.find_first_not_of(" \t\r\n") != std::string::npos && text.front() == '{' &&
             text.find("}\n{") == std::string::npos)
      REQUIRE_FALSE(accepted);
    ++(accepted ? taken : refused);
  }
  CHECK(taken > 1000);
  CHECK(refused > 1000);
  fixture.check_balance();
}
