#include "catalog/csv_reader.hpp"

#include <random>

#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace iotstream::catalog;

namespace {

/// Rows as `line: [cell] [cell]`, with `!problem` and `…` for one that no line break ended.
std::string shown(const CsvRow& row) {
  std::string out = fmt::format("{}:", row.line);
  for (const CsvCell& cell : row.cells)
    out += cell.quoted ? fmt::format(" \"{}\"", cell.text) : fmt::format(" [{}]", cell.text);
  if (!row.problem.empty()) out += fmt::format(" !{}", row.problem);
  if (!row.ended) out += " …";
  return out;
}

std::vector<std::string> read(std::string_view text, char separator = ',', CsvLimits limits = {},
                              const std::vector<std::size_t>& cuts = {}) {
  std::vector<std::string> rows;
  CsvReader reader(separator, limits);
  const auto sink = [&](const CsvRow& row) { rows.push_back(shown(row)); };
  std::size_t begin = 0;
  for (std::size_t cut : cuts) {
    reader.feed(text.substr(begin, cut - begin), sink);
    begin = cut;
  }
  reader.feed(text.substr(begin), sink);
  reader.finish(sink);
  return rows;
}

using Rows = std::vector<std::string>;

}  // namespace

TEST_CASE("plain rows, with every kind of line break") {
  CHECK(read("a,b\n1,2\n") == Rows{"1: [a] [b]", "2: [1] [2]"});
  CHECK(read("a,b\r\n1,2\r\n") == Rows{"1: [a] [b]", "2: [1] [2]"});
  CHECK(read("a,b\r1,2\r") == Rows{"1: [a] [b]", "2: [1] [2]"});
  CHECK(read("a,b\n1,2") == Rows{"1: [a] [b]", "2: [1] [2] …"});
  CHECK(read("").empty());
}

TEST_CASE("blank lines are left out and counted") {
  CHECK(read("\n\n a,b\n \n\r\n1,2\n\n") == Rows{"3: [a] [b]", "6: [1] [2]"});
  CHECK(read("a\n\"\"\n") == Rows{"1: [a]", "2: \"\""});
}

TEST_CASE("empty cells and separators at the end") {
  CHECK(read("a,,b,\n,\n") == Rows{"1: [a] [] [b] []", "2: [] []"});
  CHECK(read("a,") == Rows{"1: [a] [] …"});
}

TEST_CASE("blanks around cells go, those between quotes stay") {
  CHECK(read(" a b , \" c \" ,\td\t\n") == Rows{"1: [a b] \" c \" [d]"});
  CHECK(read("a\t\tb \n", '\t') == Rows{"1: [a] [] [b]"});
}

TEST_CASE("quotes hold separators, quotes and line breaks") {
  CHECK(read("\"a,b\",\"say \"\"hi\"\"\"\n") == Rows{"1: \"a,b\" \"say \"hi\"\""});
  CHECK(read("\"a\nb\r\nc\",2\n3,4\n") == Rows{"1: \"a\nb\r\nc\" [2]", "4: [3] [4]"});
  CHECK(read("\"\",x\n") == Rows{"1: \"\" [x]"});
  CHECK(read("\"a\"") == Rows{"1: \"a\" …"});
}

TEST_CASE("quotes where RFC 4180 has none are taken as they stand") {
  CHECK(read("5\" pipe,2\n") == Rows{"1: [5\" pipe] [2]"});
  CHECK(read("\"a\"b,c\n") == Rows{"1: \"ab\" [c]"});
  CHECK(read("\"a\" \"b\",c\n") == Rows{"1: \"a\"b\"\" [c]"});
}

TEST_CASE("a quote that is never closed costs its own line only") {
  CHECK(read("a,b\n\"1,2\n3,4\n5,6\n") ==
        Rows{"1: [a] [b]", "2: !a quote is opened and never closed", "3: [3] [4]", "4: [5] [6]"});
  CHECK(read("a\r\"b\r\nc\rd") == Rows{"1: [a]", "2: !a quote is opened and never closed", "3: [c]", "4: [d] …"});
  CHECK(read("a,b\n1,\"2") == Rows{"1: [a] [b]", "2: !a quote is opened and never closed …"});
  std::string text = "a,b\n\"1,2\n";
  for (int i = 0; i < 100; ++i) text += "3,4\n";
  const Rows rows = read(text, ',', {64, 1024, 10});
  REQUIRE(rows.size() == 102);
  CHECK(rows[1] == "2: !a quote is opened and never closed");
  CHECK(rows[2] == "3: [3] [4]");
  CHECK(rows[101] == "102: [3] [4]");
}

TEST_CASE("every line that opens a quote for good is lost by itself") {
  // Seen from the first line the second and third close and open a quote: they belong to its cell. Only the end of the input
  // tells.
  CHECK(read("\"a\nx\"\"y\n\"b\nc\n") == Rows{"1: \"a\nx\"y\nb\"", "4: [c]"});
  CHECK(read("\"a\nb\n\"c\n\"d\ne\n") == Rows{"1: \"a\nb\nc\"", "4: !a quote is opened and never closed", "5: [e]"});
}

TEST_CASE("what is over a limit is one row with a problem, and reading goes on") {
  const CsvLimits limits{8, 20, 4};
  CHECK(read("a,123456789\nb\n", ',', limits) == Rows{"1: !a cell is too long", "2: [b]"});
  CHECK(read("1234567,1234567,1234567\nb\n", ',', limits) == Rows{"1: !the row is too long", "2: [b]"});
  CHECK(read("1,2,3,4,5\nb\n", ',', limits) == Rows{"1: !too many cells", "2: [b]"});
  CHECK(read("12345678 \t ,c\nb\n", ',', limits) == Rows{"1: [12345678] [c]", "2: [b]"});
  CHECK(read("12345678 \t 9,c\nb\n", ',', limits) == Rows{"1: !a cell is too long", "2: [b]"});
  CHECK(read("\"123456789\",c\nb\n", ',', limits) == Rows{"1: !a cell is too long", "2: [b]"});
}

TEST_CASE("any cut into chunks gives the same rows") {
  const unsigned seed = std::random_device{}();
  WARN("seed " << seed);
  std::mt19937_64 random(seed);
  using namespace std::literals;
  constexpr std::string_view alphabet = ",,;\"\"\n\n\r\r a1\tx    abc\0"sv;
  const CsvLimits limits{12, 40, 6};
  for (int round = 0; round < 400; ++round) {
    std::string text;
    for (std::size_t n = random() % 90; n > 0; --n) text += alphabet[random() % alphabet.size()];
    const Rows whole = read(text, ',', limits);
    INFO(text);
    for (std::size_t cut = 0; cut <= text.size(); ++cut) REQUIRE(read(text, ',', limits, {cut}) == whole);
    std::vector<std::size_t> all(text.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
    REQUIRE(read(text, ',', limits, all) == whole);
  }
}

TEST_CASE("cells that were written by the rules come back as they were") {
  const unsigned seed = std::random_device{}();
  WARN("seed " << seed);
  std::mt19937_64 random(seed);
  constexpr std::string_view alphabet = ",;\"\n\r ab\xc2\xb0";
  for (int round = 0; round < 500; ++round) {
    std::string text;
    Rows expected;
    std::uint64_t line = 1;
    for (std::size_t rows = random() % 8; rows > 0; --rows) {
      expected.push_back(fmt::format("{}:", line));
      const std::size_t cells = 1 + random() % 5;
      for (std::size_t i = 0; i < cells; ++i) {
        std::string cell;
        for (std::size_t n = random() % 9; n > 0; --n) cell += alphabet[random() % alphabet.size()];
        expected.back() += " \"" + cell + "\"";
        text += i > 0 ? ",\"" : "\"";
        for (std::size_t k = 0; k < cell.size(); ++k) {
          text += cell[k];
          if (cell[k] == '"') text += '"';
          if (cell[k] == '\r' || (cell[k] == '\n' && (k == 0 || cell[k - 1] != '\r'))) ++line;
        }
        text += '"';
      }
      text += "\r\n";
      ++line;
    }
    INFO(text);
    REQUIRE(read(text) == expected);
  }
}
