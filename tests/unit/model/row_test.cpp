#include <cmath>
#include <limits>
#include <random>

#include <catch2/catch.hpp>

#include <iotstream/base/json.hpp>
#include <iotstream/model/number.hpp>
#include <iotstream/model/row.hpp>

using namespace iotstream;
using namespace iotstream::model;

namespace {

struct Given {
  ValueKind kind = ValueKind::missing;
  std::int64_t integer = 0;
  double real = 0;
  std::string text;
};

void set(RowBuilder& builder, FieldId field, const Given& given) {
  switch (given.kind) {
    case ValueKind::integer:
      builder.set_integer(field, given.integer);
      break;
    case ValueKind::real:
      builder.set_real(field, given.real);
      break;
    case ValueKind::text:
    case ValueKind::json:
    case ValueKind::decimal:
      builder.set_text(field, given.kind, given.text);
      break;
    default:
      builder.set(field, given.kind);
      break;
  }
}

bool same(const Given& given, const Value& value, std::string_view key) {
  if (given.kind != value.kind) return false;
  switch (given.kind) {
    case ValueKind::integer:
      return given.integer == value.integer;
    case ValueKind::real:
      return std::bit_cast<std::uint64_t>(given.real) == std::bit_cast<std::uint64_t>(value.real);
    case ValueKind::text:
    case ValueKind::json:
    case ValueKind::decimal:
      return given.text == value.text;
    case ValueKind::key:
      return value.text == key;
    default:
      return true;
  }
}

unsigned fresh_seed() {
  const unsigned seed = std::random_device{}();
  WARN("seed " << seed);
  return seed;
}

Given random_value(std::mt19937_64& random) {
  Given given;
  given.kind = static_cast<ValueKind>(random() % 10);
  given.integer = static_cast<std::int64_t>(random());
  do given.real = std::bit_cast<double>(random());
  while (!std::isfinite(given.real));
  for (std::size_t n = random() % 40; n > 0; --n) given.text += static_cast<char>(random());
  return given;
}

std::vector<std::byte> copy_of(ByteView bytes) { return {bytes.begin(), bytes.end()}; }

/// Touches every value, as a reader does; the sanitizers watch.
std::size_t read_all(const RowView& row) {
  std::size_t bytes = 0;
  row.each("device", [&](FieldId, const Value& value) {
    bytes += value.text.size();
    for (char c : value.text) bytes += static_cast<unsigned char>(c);
    bytes += std::isnan(value.as_double()) ? 1 : 2;
  });
  return bytes;
}

std::string json_of(const Value& value) {
  std::string out;
  append_json(out, value);
  return out;
}

Value real(double number) { return {ValueKind::real, 0, number, {}}; }
Value integer(std::int64_t number) { return {ValueKind::integer, number, 0, {}}; }

SchemaPtr schema_of(const std::vector<std::string>& names) {
  std::vector<FieldDraft> drafts;
  for (const std::string& name : names) drafts.push_back({name, FieldType::json, {}, {}});
  std::vector<SchemaChange> changes;
  return evolve(nullptr, "1", drafts, {}, changes);
}

}  // namespace

TEST_CASE("a row gives back every value of every kind as it was set") {
  const unsigned seed = fresh_seed();
  std::mt19937_64 random(seed);
  RowBuilder builder;
  for (int round = 0; round < 2000; ++round) {
    std::vector<Given> given(random() % 200);
    for (Given& value : given) value = random_value(random);
    builder.begin(SchemaVersion(static_cast<std::uint32_t>(round)), FactsId(7), row_has_date_hour);
    std::vector<std::uint32_t> order(given.size());
    for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
    std::shuffle(order.begin(), order.end(), random);
    for (std::uint32_t i : order) set(builder, FieldId(i), given[i]);
    const auto row = RowView::open(builder.finish());
    REQUIRE(row.ok());
    REQUIRE(row->schema_version() == SchemaVersion(static_cast<std::uint32_t>(round)));
    REQUIRE(row->facts() == FactsId(7));
    REQUIRE(row->flags() == row_has_date_hour);
    std::size_t next = 0;
    std::size_t wrong = 0;
    row->each("key", [&](FieldId id, const Value& value) {
      for (; next < id.value; ++next) wrong += given[next].kind != ValueKind::missing;
      wrong += !same(given[next], value, "key");
      wrong += !same(given[next], row->value(id, "key"), "key");
      ++next;
    });
    for (; next < given.size(); ++next) wrong += given[next].kind != ValueKind::missing;
    REQUIRE(wrong == 0);
  }
}

TEST_CASE("equal events are equal bytes, whatever the order of setting and whatever was overwritten") {
  RowBuilder builder;
  builder.begin(SchemaVersion(1), FactsId(0), 0);
  builder.set_text(FieldId(0), ValueKind::text, "idle");
  builder.set_text(FieldId(2), ValueKind::text, "second");
  const auto plain = copy_of(builder.finish());
  builder.begin(SchemaVersion(1), FactsId(0), 0);
  builder.set_integer(FieldId(9), 1);
  builder.set_text(FieldId(2), ValueKind::text, "a longer text that does not stay");
  builder.set_text(FieldId(2), ValueKind::text, "second");
  builder.set_text(FieldId(0), ValueKind::text, "idle");
  builder.set(FieldId(9), ValueKind::missing);
  REQUIRE(copy_of(builder.finish()) == plain);
}

TEST_CASE("what is missing at the end takes no space, and the next row starts clean") {
  RowBuilder builder;
  builder.begin(SchemaVersion(1), FactsId(0), 0);
  builder.set_text(FieldId(500), ValueKind::text, "far");
  builder.finish();
  builder.begin(SchemaVersion(1), FactsId(0), 0);
  builder.set(FieldId(500), ValueKind::missing);
  builder.set_integer(FieldId(1), 5);
  const ByteView bytes = builder.finish();
  REQUIRE(bytes.size() == 16 + 8 + 8);
  const auto row = RowView::open(bytes);
  REQUIRE(row.ok());
  REQUIRE(row->field_count() == 2);
  REQUIRE(row->kind(FieldId(0)) == ValueKind::missing);
  REQUIRE(row->kind(FieldId(499)) == ValueKind::missing);
  REQUIRE(row->value(FieldId(1), {}).integer == 5);
}

TEST_CASE("an empty row is 16 bytes") {
  RowBuilder builder;
  builder.begin(SchemaVersion(3), FactsId(0), 0);
  REQUIRE(builder.finish().size() == 16);
  REQUIRE(RowView::open(builder.finish())->field_count() == 0);
}

TEST_CASE("a token stands behind the values, is given back, and is no value") {
  RowBuilder builder;
  const auto build = [&](std::string_view token) {
    builder.begin(SchemaVersion(1), FactsId(0), 0);
    builder.set_text(FieldId(0), ValueKind::text, "warm");
    builder.set_token(token);
    const ByteView bytes = builder.finish();
    return std::vector<std::byte>(bytes.begin(), bytes.end());
  };
  const auto plain = build("");
  for (const std::size_t size : {std::size_t{1}, std::size_t{17}, std::size_t{65'535}}) {
    const std::string token(size, 't');
    const auto bytes = build(token);
    CHECK(bytes.size() == plain.size() + size + 2);
    const auto row = RowView::open(bytes);
    REQUIRE(row);
    CHECK(row->token() == token);
    CHECK((row->flags() & row_has_token) != 0);
    CHECK(row->value(FieldId(0), "").text == "warm");
  }
  const auto row = RowView::open(plain);
  REQUIRE(row);
  CHECK(row->token().empty());
  auto cut = build("token");
  cut[cut.size() - 1] = std::byte{0xFF};  // longer than the row
  CHECK_FALSE(RowView::open(cut));
  // A text that would reach into the token is refused.
  auto reaching = build("token");
  store_le(reaching.data() + 16 + 8 + 4, std::uint32_t{6});
  CHECK_FALSE(RowView::open(reaching));
}

TEST_CASE("random bytes are a row or an error, never an access outside") {
  const unsigned seed = fresh_seed();
  std::mt19937_64 random(seed);
  std::size_t opened = 0;
  for (int round = 0; round < 20000; ++round) {
    std::vector<std::byte> bytes(random() % 120);
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random() % 4 == 0 ? random() : 0);
    const auto row = RowView::open(bytes);
    if (row.ok()) opened += read_all(*row) + 1;
    if (!row.ok()) REQUIRE(row.error().kind == ErrorKind::corrupt);
  }
  REQUIRE(opened > 0);
}

TEST_CASE("a row with flipped, cut or added bytes is a row or an error, never an access outside") {
  const unsigned seed = fresh_seed();
  std::mt19937_64 random(seed);
  RowBuilder builder;
  std::size_t refused = 0;
  for (int round = 0; round < 20000; ++round) {
    builder.begin(SchemaVersion(1), FactsId(0), 0);
    for (std::uint32_t i = 0; i < 20; ++i) set(builder, FieldId(i), random_value(random));
    std::vector<std::byte> bytes = copy_of(builder.finish());
    for (std::size_t n = 1 + random() % 3; n > 0; --n)
      bytes[random() % bytes.size()] ^= static_cast<std::byte>(1u << (random() % 8));
    if (random() % 3 == 0) bytes.resize(random() % (bytes.size() + 8));
    // A copy of the exact size, so that one byte too far is seen.
    const std::vector<std::byte> exact(bytes.begin(), bytes.end());
    const auto row = RowView::open(exact);
    if (row.ok())
      read_all(*row);
    else
      ++refused;
  }
  REQUIRE(refused > 1000);
}

TEST_CASE("damage that would be served is refused") {
  RowBuilder builder;
  builder.begin(SchemaVersion(1), FactsId(0), 0);
  builder.set_real(FieldId(0), 1.5);
  builder.set_text(FieldId(1), ValueKind::text, "abc");
  const std::vector<std::byte> good = copy_of(builder.finish());
  REQUIRE(RowView::open(good).ok());
  const auto with = [&](std::size_t at, auto number) {
    std::vector<std::byte> bytes = good;
    store_le(bytes.data() + at, number);
    return RowView::open(bytes).ok();
  };
  CHECK_FALSE(with(8, std::uint16_t{1}));   // fewer cells than kinds
  CHECK_FALSE(with(10, std::uint16_t{2}));  // a flag of a later format
  CHECK_FALSE(with(12, std::uint32_t{1}));  // fewer slots than values
  CHECK_FALSE(with(12, std::uint32_t{3}));  // more
  CHECK_FALSE(with(12, std::uint32_t{0xffffffff}));
  CHECK_FALSE(with(16, std::uint8_t{0xa5}));  // kind 10
  CHECK_FALSE(with(17, std::uint8_t{1}));     // a kind in the padding
  CHECK_FALSE(with(24, std::numeric_limits<double>::infinity()));
  CHECK_FALSE(with(24, std::numeric_limits<double>::quiet_NaN()));
  CHECK_FALSE(with(32, std::uint32_t{1}));           // text one byte past the end
  CHECK_FALSE(with(36, std::uint32_t{0xffffffff}));  // offset and length overflow 32 bits together
  CHECK_FALSE(RowView::open(ByteView(good).first(good.size() - 1)).ok());
  CHECK_FALSE(RowView::open(ByteView(good).first(15)).ok());
  CHECK_FALSE(RowView::open({}).ok());
}

TEST_CASE("numbers are written so that they read back as the same number of the same kind") {
  CHECK(json_of(integer(std::numeric_limits<std::int64_t>::max())) == "9223372036854775807");
  CHECK(json_of(integer(std::numeric_limits<std::int64_t>::min())) == "-9223372036854775808");
  CHECK(json_of(integer((1ll << 53) + 1)) == "9007199254740993");
  CHECK(json_of(real(8.620000000000001)) == "8.620000000000001");
  CHECK(json_of(real(0.1)) == "0.1");
  CHECK(json_of(real(1)) == "1.0");
  CHECK(json_of(real(-0.0)) == "-0.0");
  const unsigned seed = fresh_seed();
  std::mt19937_64 random(seed);
  std::vector<double> doubles = {
      5e-324, 2.2250738585072009e-308, 1.7976931348623157e308, 1e21, 1e22, 1e23, 123456789012345680.0, 0.0};
  for (int i = 0; i < 20000; ++i)
    if (const double number = std::bit_cast<double>(random()); std::isfinite(number)) doubles.push_back(number);
  for (double number : doubles) {
    const std::string text = json_of(real(number));
    INFO(text);
    Value back;
    REQUIRE(read_number(text, back));
    REQUIRE(back.kind == ValueKind::real);
    REQUIRE(std::bit_cast<std::uint64_t>(back.real) == std::bit_cast<std::uint64_t>(number));
  }
}

TEST_CASE("values as numbers for charts") {
  CHECK(integer(5).as_double() == 5);
  CHECK(Value{ValueKind::true_, 0, 0, {}}.as_double() == 1);
  CHECK(Value{ValueKind::false_, 0, 0, {}}.as_double() == 0);
  CHECK(Value{ValueKind::decimal, 0, 0, "18446744073709551616"}.as_double() == 18446744073709551616.0);
  CHECK(std::isnan(Value{ValueKind::decimal, 0, 0, "1e999"}.as_double()));
  CHECK(std::isnan(Value{ValueKind::text, 0, 0, "5"}.as_double()));
  CHECK(std::isnan(Value{}.as_double()));
}

TEST_CASE("members are the row's values, then dateHour, then the facts that the row does not have itself") {
  const SchemaPtr schema = schema_of({"code", "gpsSpeed", "note", "device", "marque", "empty", "list"});
  RowBuilder builder;
  builder.begin(schema->version(), FactsId(1), row_has_date_hour);
  builder.set_text(FieldId(0), ValueKind::text, "X46789");
  builder.set_real(FieldId(1), 8.620000000000001);
  builder.set_text(FieldId(2), ValueKind::text, "say \"hi\"\n");
  builder.set(FieldId(3), ValueKind::key);
  builder.set_text(FieldId(4), ValueKind::text, "own");
  builder.set(FieldId(5), ValueKind::null);
  builder.set_text(FieldId(6), ValueKind::json, "[1,{\"a\":2}]");
  const auto row = RowView::open(builder.finish());
  REQUIRE(row.ok());
  std::string out = "{";
  bool comma = false;
  append_members(out, comma, *row, *schema, "pipo-1", *parse_timestamp("2018-01-19 05:37:00.612611"),
                 {{"marque", "\"citronnault\""}, {"version", "\"1\""}});
  REQUIRE(comma);
  REQUIRE(
      out ==
      R"({"code":"X46789","gpsSpeed":8.620000000000001,"note":"say \"hi\"\n","device":"pipo-1","marque":"own","empty":null,"list":[1,{"a":2}],)"
      R"("dateHour":"2018-01-19 05:37:00.612611","version":"1")");
}

TEST_CASE("a value whose schema record was lost is still told") {
  RowBuilder builder;
  builder.begin(SchemaVersion(9), FactsId(0), 0);
  builder.set_integer(FieldId(1), 5);
  const auto row = RowView::open(builder.finish());
  std::string out;
  bool comma = false;
  append_members(out, comma, *row, *schema_of({"a"}), "k", {}, {});
  REQUIRE(out == R"("field_1":5)");
}
