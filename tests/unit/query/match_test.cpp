#include <map>

#include <catch2/catch.hpp>

#include <iotstream/query/filter.hpp>

using namespace iotstream;
using namespace iotstream::query;
using model::FieldType;
using model::Value;
using model::ValueKind;

namespace {

model::SchemaPtr schema_of(const std::vector<std::pair<std::string, FieldType>>& fields) {
  std::vector<model::FieldDraft> drafts;
  for (const auto& [name, type] : fields) drafts.push_back({name, type, {}, {}});
  std::vector<model::SchemaChange> changes;
  return model::evolve(nullptr, "machines", drafts, Timestamp{}, changes);
}

struct Event final : EventView {
  std::map<std::uint32_t, Value> values;
  Timestamp time_{1'700'000'000'000'000};
  std::string device_ = "boiler 7";
  FactsId facts_{2};
  Timestamp time() const override { return time_; }
  std::string_view device() const override { return device_; }
  PartitionId partition() const override { return PartitionId(3); }
  Offset offset() const override { return Offset(41); }
  FactsId facts() const override { return facts_; }
  Value value(FieldId field) const override {
    const auto found = values.find(field.value);
    return found == values.end() ? Value{} : found->second;
  }
};

Value integer(std::int64_t n) { return {ValueKind::integer, n, 0, {}}; }
Value real(double n) { return {ValueKind::real, 0, n, {}}; }
Value text(std::string_view t) { return {ValueKind::text, 0, 0, t}; }

struct World {
  model::SchemaPtr schema = schema_of({{"Oil_Temperature", FieldType::real},
                                       {"gear", FieldType::integer},
                                       {"mode", FieldType::text},
                                       {"on", FieldType::boolean},
                                       {"serial", FieldType::text},
                                       {"Gear", FieldType::integer}});
  Event event;
  World() {
    event.values[0] = real(95.5);
    event.values[1] = integer(9'007'199'254'740'993);
    event.values[2] = text("Eco mode");
    event.values[3] = {ValueKind::true_, 0, 0, {}};
    event.values[4] = text("126");
  }
  Scope scope() const {
    return {*schema,
            {{FactsId(1), {{"brand", "\"Volvo\""}}}, {FactsId(2), {{"brand", "\"Toyota\""}, {"doors", "5"}}}},
            Timestamp{1'700'000'060'000'000}};
  }
  bool operator()(std::string_view filter) const {
    auto bound = compile(filter, scope());
    if (!bound) FAIL(filter << ": " << bound.error().message);
    return bound->matches(event);
  }
  std::string error(std::string_view filter) const {
    auto bound = compile(filter, scope());
    return bound ? "" : bound.error().message;
  }
};

}  // namespace

TEST_CASE("an event passes or not") {
  const World passes;
  CHECK(passes(""));
  CHECK(passes("oil_temperature > 95 and device = 'boiler 7'"));
  CHECK(passes("Oil_Temperature = 95.5"));
  CHECK_FALSE(passes("Oil_Temperature > 95.5"));
  CHECK(passes("Oil_Temperature between 95.5 and 95.5"));
  CHECK(passes("mode contains 'ECO' and mode starts with eco and mode ends with MODE"));
  CHECK(passes("mode = 'Eco mode' and mode != 'eco mode'"));
  CHECK_FALSE(passes("mode = 'eco mode'"));
  CHECK(passes("on = true and on = 1 and on != false"));
  CHECK(passes("time >= -2m and time < now and @timestamp = 2023-11-14T22:13:20Z"));
  CHECK(passes("_partition = 3 and _offset in (40, 41)"));
  CHECK(passes("brand = Toyota and doors >= 5"));
  CHECK_FALSE(passes("brand = Volvo"));
  CHECK(passes("serial = 126 and serial in (7, 126) and not serial = 0126"));
  CHECK(passes("device in (a, 'boiler 7')"));
}

TEST_CASE("integers compare exactly, beyond what a double holds") {
  const World passes;
  CHECK(passes("gear = 9007199254740993"));
  CHECK_FALSE(passes("gear = 9007199254740992"));
  CHECK(passes("gear > 9007199254740992.0 and gear < 9007199254740994.0"));
  CHECK(passes("gear < 1e400 and gear > -1e400"));
  CHECK(passes("gear < 99999999999999999999"));
}

TEST_CASE("classes do not mix, and what is missing passes no test") {
  World passes;
  CHECK_FALSE(passes("mode > 5"));
  CHECK_FALSE(passes("mode < 5"));
  CHECK(passes("mode != 5"));
  CHECK_FALSE(passes("gear > 'a'"));
  CHECK_FALSE(passes("gear contains 9"));
  passes.event.values.erase(1);
  CHECK_FALSE(passes("gear = 1"));
  CHECK_FALSE(passes("gear != 1"));
  CHECK(passes("not (gear = 1)"));
  CHECK(passes("gear missing"));
  passes.event.values[1] = {ValueKind::null, 0, 0, {}};
  CHECK(passes("gear missing"));
  CHECK_FALSE(passes("gear exists"));
}

TEST_CASE("names are found as written, then in other capitals when one only is meant") {
  const World passes;
  CHECK(passes("gear exists"));
  CHECK_FALSE(passes("Gear exists"));
  CHECK(passes.error("GEAR = 1") == "at character 1: dataset 'machines' has no field 'GEAR'");
  CHECK(passes.error("on = 1 and mdoe = 2") == "at character 12: dataset 'machines' has no field 'mdoe'; did you mean 'mode'?");
  CHECK(passes.error("time > yesterday").starts_with("at character 8: "));
  CHECK(passes.error("_offset = a") == "at character 11: 'a' is not a whole number");
  CHECK(passes.error("time contains 5").starts_with("at character 1: "));
}

TEST_CASE("a filter tells which fields it looks at") {
  const World world;
  const auto bound = compile("mode = a or (gear > 1 and not mode = b) or brand = x", world.scope());
  REQUIRE(bound);
  CHECK(bound->fields() == std::vector<FieldId>{FieldId(1), FieldId(2)});
}
