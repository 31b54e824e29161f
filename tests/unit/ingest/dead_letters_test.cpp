// What could not be taken is kept, listed, sent again, and bounded.
#include <random>

#include <fmt/format.h>

#include <iotstream/base/text.hpp>

#include "ingest/csv_lines.hpp"
#include "ingest/letter_record.hpp"
#include "unit/ingest/fixture.hpp"

using namespace iotstream;
using namespace iotstream::ingest;
using test::GateFixture;

namespace {

struct Letters : GateFixture {
  std::vector<DeadLetter> list(const std::string& dataset, std::uint64_t limit = 100) {
    DeadLetterQuery query;
    query.dataset = dataset;
    query.limit = limit;
    auto page = gate->dead_letters().list(query);
    REQUIRE(page.ok());
    return std::move(page->letters);
  }
  std::uint64_t plain(const char* name) { return metrics.counter(name, "").value(); }
};

}  // namespace

TEST_CASE("a rejected reading is kept with its bytes, reason, line and source") {
  Letters f;
  Submission submission;
  submission.dataset = "pumps";
  submission.body = "{\"a\":1}\n{\"a\":\n{\"a\":2}\n";
  submission.source = "127.0.0.1:4711";
  auto outcome = f.submit(submission);
  REQUIRE(outcome.ok());
  CHECK(outcome->accepted == 2);
  CHECK(outcome->rejected == 1);
  const auto letters = f.list("pumps");
  REQUIRE(letters.size() == 1);
  CHECK(letters[0].raw == "{\"a\":");
  CHECK(letters[0].line == 2);
  CHECK(letters[0].reason == outcome->errors[0].reason);
  CHECK(letters[0].source == "127.0.0.1:4711");
  CHECK(letters[0].kind == "http");
  CHECK(letters[0].time == f.clock.now());
  CHECK(letters[0].form == LetterForm::reading);
  CHECK_FALSE(letters[0].truncated);
  CHECK(f.list("others").empty());
  f.check_balance();
}

TEST_CASE("what names no dataset is kept apart, and a dataset finds what came before it was there") {
  Letters f;
  static_cast<void>(f.submit("", "{\"data\":{}}"));
  CHECK_FALSE(f.submit("late", "no reading").ok());
  REQUIRE(f.list("").size() == 1);
  CHECK(f.list("")[0].form == LetterForm::envelope);
  REQUIRE(f.list("late").size() == 1);
  CHECK(f.list("late")[0].id.front() == 'g');
  f.taken("late", "{\"a\":1}");
  CHECK_FALSE(f.submit("late", "{again").ok());
  const auto letters = f.list("late");
  REQUIRE(letters.size() == 2);
  CHECK((letters[0].id.front() == 'd' || letters[1].id.front() == 'd'));
  CHECK(f.events("late").size() == 1);
}

TEST_CASE("a whole body that cannot be cut into readings is one letter") {
  Letters f;
  f.taken("pumps", "{\"a\":1}");
  CHECK_FALSE(f.submit("pumps", "neither JSON nor CSV").ok());
  CHECK_FALSE(f.submit("pumps", "").ok());
  Submission submission;
  submission.dataset = "pumps";
  submission.body = "\x1f\x8b broken";
  f.gate->reject(submission, "the gzip data is broken");
  const auto letters = f.list("pumps");
  REQUIRE(letters.size() == 3);
  for (const auto& letter : letters) CHECK(letter.form == LetterForm::body);
  CHECK(f.count("rejected") == 3);
  f.check_balance();
}

TEST_CASE("a CSV row is kept as it was written, with its header") {
  Letters f;
  const auto outcome = f.taken("csv", "a;b\n1;2\n\"x\n;y\";1;2;3\n3;4\n5;6;7;8;9\n", BodyFormat::csv);
  CHECK(outcome.accepted == 2);
  CHECK(outcome.rejected == 2);
  const auto letters = f.list("csv");
  REQUIRE(letters.size() == 2);
  CHECK(letters[0].raw == "5;6;7;8;9");
  CHECK(letters[1].raw == "\"x\n;y\";1;2;3");
  CHECK(letters[1].line == 3);
  CHECK(letters[0].header == "a;b");
}

TEST_CASE("rows of CSV are found by their line, whatever the breaks") {
  ingest::CsvLines lines("\r\n  \na,b\r\n1,\"x\ny\"\r2,3\n\"open\n4,5");
  CHECK(lines.header() == "a,b");
  CHECK(lines.row_at(3) == "a,b");
  CHECK(lines.row_at(4) == "1,\"x\ny\"");
  CHECK(lines.row_at(6) == "2,3");
  CHECK(lines.row_at(7) == "\"open");
  CHECK(lines.row_at(8) == "4,5");
  CHECK(lines.row_at(9).empty());
  CHECK(lines.row_at(1).empty());
  CHECK(ingest::CsvLines("").header().empty());
}

TEST_CASE("letters are sent again, mended ones too, and are off the list then") {
  Letters f;
  f.taken("pumps", "{\"a\":1}");
  f.taken("pumps", "{\"a\":2}\n{\"a\":3,}\n{\"a\" 4}\n", BodyFormat::ndjson);
  auto letters = f.list("pumps");
  REQUIRE(letters.size() == 2);
  letters[1].raw = "{\"a\":3}";  // the older one, mended
  auto outcome = resend(*f.gate, "pumps", letters);
  REQUIRE(outcome.ok());
  CHECK(outcome->accepted == 1);
  CHECK(outcome->rejected == 1);
  REQUIRE(outcome->errors.size() == 1);
  CHECK(outcome->errors[0].line == 1);
  CHECK(f.events("pumps").size() == 3);
  // Still broken: a letter again, a new one.
  const auto left = f.list("pumps");
  REQUIRE(left.size() == 1);
  CHECK(left[0].raw == "{\"a\" 4}");
  CHECK(left[0].id != letters[0].id);
  CHECK(left[0].kind == "resend");
  CHECK(f.gate->dead_letters().find("pumps", {letters[0].id}).error().kind == ErrorKind::not_found);
  CHECK(f.gate->dead_letters().find("pumps", {left[0].id}).ok());
  CHECK(f.gate->dead_letters().find("pumps", {"x9"}).error().kind == ErrorKind::invalid);
  CHECK(f.gate->dead_letters().settle("pumps", {left[0].id}).ok());
  CHECK(f.list("pumps").empty());
  f.check_balance();
  CHECK(f.count("received", "resend") == 2);
}

TEST_CASE("a CSV row and an envelope go through the gate again as what they were") {
  Letters f;
  f.taken("csv", "a,b\n1,2\n3,4,5\n", BodyFormat::csv);
  auto letters = f.list("csv");
  REQUIRE(letters.size() == 1);
  letters[0].raw = "3,4";
  REQUIRE(resend(*f.gate, "csv", letters)->accepted == 1);
  CHECK(f.events("csv").size() == 2);

  f.taken("", "{\"DatasetType\":\"e\",\"data\":{\"v\":1}}");
  CHECK_FALSE(f.submit("", "{\"DatasetType\":\"e\",\"data\":{\"v\":}}").ok());
  for (const char* dataset : {"", "e"}) {
    auto envelopes = f.list(dataset);
    if (envelopes.empty()) continue;
    CHECK(envelopes[0].form == LetterForm::envelope);
    envelopes[0].raw = "{\"DatasetType\":\"e\",\"data\":{\"v\":2}}";
    CHECK(resend(*f.gate, dataset, envelopes)->accepted == 1);
  }
  CHECK(f.events("e").size() == 2);
}

TEST_CASE("a long reading is kept in part and not sent again") {
  Letters f;
  f.taken("pumps", "{\"a\":1}");
  const std::string body = "{\"a\":\"" + std::string(letter_size_max * 2, 'x');
  CHECK_FALSE(f.submit("pumps", body).ok());
  const auto letters = f.list("pumps");
  REQUIRE(letters.size() == 1);
  CHECK(letters[0].truncated);
  CHECK(letters[0].size == body.size());
  CHECK(letters[0].raw.size() == letter_size_max);
  auto outcome = resend(*f.gate, "pumps", letters);
  REQUIRE(outcome.ok());
  CHECK(outcome->refused == 1);
  CHECK(f.list("pumps").size() == 1);
}

TEST_CASE("pages go back in time, each letter once, over both topics") {
  Letters f;
  for (int i = 0; i != 10; ++i) {
    f.clock.advance(Duration::seconds(1));
    CHECK_FALSE(f.submit("mixed", fmt::format("early {}", i)).ok());
  }
  f.taken("mixed", "{\"a\":1}");
  for (int i = 0; i != 600; ++i) {
    f.clock.advance(Duration::seconds(1));
    CHECK_FALSE(f.submit("mixed", fmt::format("{{late {}", i)).ok());
    CHECK_FALSE(f.submit("other", "{").ok());
  }
  DeadLetterQuery query;
  query.dataset = "mixed";
  query.limit = 7;
  std::vector<std::string> seen;
  Timestamp last{INT64_MAX};
  for (;;) {
    auto page = f.gate->dead_letters().list(query);
    REQUIRE(page.ok());
    for (const auto& letter : page->letters) {
      CHECK(letter.time <= last);
      last = letter.time;
      seen.push_back(letter.raw);
    }
    if (page->next.empty()) break;
    query.cursor = page->next;
  }
  REQUIRE(seen.size() == 610);
  CHECK(seen.front() == "{late 599");
  CHECK(seen.back() == "early 0");
  query.cursor = "nonsense";
  CHECK(f.gate->dead_letters().list(query).error().kind == ErrorKind::invalid);
  query.cursor.clear();
  query.limit = 1000;
  query.to = f.clock.now() - Duration::seconds(598);
  query.from = f.clock.now() - Duration::seconds(600);
  CHECK(f.gate->dead_letters().list(query)->letters.size() == 2);
}

TEST_CASE("a flood is counted and not kept beyond the allowance") {
  Letters f;
  for (int i = 0; i != 6000; ++i) CHECK_FALSE(f.submit("", "{").ok());
  CHECK(f.plain("iotstream_ingest_dead_letters_total") == 5000);
  CHECK(f.plain("iotstream_ingest_dead_letters_dropped_total") == 1000);
  f.clock.advance(Duration::seconds(1));
  for (int i = 0; i != 600; ++i) CHECK_FALSE(f.submit("", "{").ok());
  CHECK(f.plain("iotstream_ingest_dead_letters_total") == 5500);
  CHECK(f.count("rejected") == 6600);
  f.check_balance();
}

TEST_CASE("any letter is read back as it was written") {
  const std::uint64_t seed = std::random_device()();
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const auto bytes = [&random](std::size_t most) {
    std::string text(random() % most, '\0');
    for (char& c : text) c = static_cast<char>(random());
    return text;
  };
  for (int round = 0; round != 500; ++round) {
    DeadLetter letter;
    letter.reason = fmt::format("reason \"{}\"\n", random());
    letter.source = "ü:1";
    letter.kind = "http";
    letter.line = random() % 1000;
    letter.form = static_cast<LetterForm>(random() % 5);
    letter.header = bytes(50);
    letter.raw = bytes(300);
    letter.size = letter.raw.size() + random() % 2;
    const std::string record = encode(letter);
    const auto again = decode({Offset(1), Timestamp{5}, Timestamp{6}, "d", as_bytes(record)});
    REQUIRE(again.has_value());
    CHECK(again->reason == letter.reason);
    CHECK(again->source == letter.source);
    CHECK(again->line == letter.line);
    CHECK(again->form == letter.form);
    CHECK(again->header == letter.header);
    CHECK(again->raw == letter.raw);
    CHECK(again->size == letter.size);
    static_cast<void>(decode(
        {Offset(1), Timestamp{5}, Timestamp{6}, "d", as_bytes(std::string_view(record).substr(random() % record.size()))}));
  }
  const std::string settled = encode_settled({7, 9});
  CHECK(decode_settled({Offset(1), Timestamp{5}, Timestamp{6}, "", as_bytes(settled)}) == std::vector<std::uint64_t>{7, 9});
  CHECK(decode_settled({Offset(1), Timestamp{5}, Timestamp{6}, "key", as_bytes(settled)}).empty());
}

TEST_CASE("names of the topics of letters fit, however long the dataset's name is") {
  CHECK(dead_letter_topic_name("pumps") == "_rejected.pumps");
  const std::string a = dead_letter_topic_name(std::string(199, 'x') + "a");
  const std::string b = dead_letter_topic_name(std::string(199, 'x') + "b");
  CHECK(a.size() <= 200);
  CHECK(a != b);
  std::string umlauts;
  for (int i = 0; i != 100; ++i) umlauts += "ü";
  CHECK(is_utf8(dead_letter_topic_name(umlauts)));
}
