#include "catalog/csv_text.hpp"

#include <random>

#include <catch2/catch.hpp>

#include "catalog/csv_encoding.hpp"
#include "catalog/csv_form.hpp"

using namespace iotstream::catalog;

namespace {

Encoding encoding_of(std::string_view bytes, std::size_t step = 1000) {
  EncodingCensus census;
  for (std::size_t i = 0; i < bytes.size(); i += step) census.feed(bytes.substr(i, step));
  return census.encoding();
}

char find_separator(std::string_view head, bool whole) { return find_form({head, whole, std::nullopt, false}).separator; }

std::string decoded(std::string_view bytes, Encoding encoding) {
  std::string out;
  append_decoded(out, bytes, encoding);
  return out;
}

}  // namespace

TEST_CASE("UTF-8 is known from what is none") {
  CHECK(encoding_of("plain") == Encoding::utf8);
  CHECK(encoding_of("°C λ 𝄞") == Encoding::utf8);
  CHECK(encoding_of("20 \xb0"
                    "C, 30 \xb0"
                    "C") == Encoding::windows_1252);
  CHECK(encoding_of("°°°°°° and one \xff byte") == Encoding::utf8_damaged);
  CHECK(encoding_of("°C λ \xe2\x82") == Encoding::utf8_damaged);  // cut within a character by the end
  CHECK(encoding_of("\xed\xa0\x80") == Encoding::windows_1252);   // half a surrogate pair
  CHECK(encoding_of("\xc0\xaf") == Encoding::windows_1252);       // too long a writing of '/'
  CHECK(encoding_of("\xf4\x90\x80\x80") == Encoding::windows_1252);
  CHECK(encoding_of("") == Encoding::utf8);
}

TEST_CASE("the encoding does not depend on the chunks") {
  const unsigned seed = std::random_device{}();
  WARN("seed " << seed);
  std::mt19937_64 random(seed);
  constexpr std::string_view pieces[] = {"a", "plain text", "°", "λ", "𝄞", "\xff", "\xe2\x82", "\xc3"};
  for (int round = 0; round < 500; ++round) {
    std::string text;
    for (std::size_t n = random() % 30; n > 0; --n) text += pieces[random() % (round % 2 == 0 ? 5 : std::size(pieces))];
    const Encoding whole = encoding_of(text);
    if (round % 2 == 0) REQUIRE(whole == Encoding::utf8);
    for (std::size_t step : {1, 2, 3, 7, 8, 9}) REQUIRE(encoding_of(text, step) == whole);
  }
}

TEST_CASE("bytes become UTF-8") {
  CHECK(decoded("caf\xe9 \x80 \xb0", Encoding::windows_1252) == "café € °");
  CHECK(decoded("a\xff"
                "b°\xe2\x82",
                Encoding::utf8_damaged) ==
        "a\xef\xbf\xbd"
        "b°\xef\xbf\xbd\xef\xbf\xbd");
  CHECK(decoded("°", Encoding::utf8) == "°");
}

TEST_CASE("words for no value") {
  for (const char* cell : {"", "-", "--", "NaN", "nan", "NULL", "n/a", "N/A", "NA", "∞", "-∞", "Infinity", "\\N", "#N/A"})
    CHECK(is_missing(cell));
  for (const char* cell : {"0", "-1", "none", "nano", "-a", "---", "5", "no", "x"}) CHECK_FALSE(is_missing(cell));
}

TEST_CASE("the separator is the one that cuts most evenly") {
  CHECK(find_separator("a;b;c\n1;2,5;3\n", true) == ';');
  CHECK(find_separator("a,b;c,d\n1,2;3,4\n", true) == ';');  // `2;3` is nothing, `1,2` may be a number
  CHECK(find_separator("a,b;c,d\nx,y;z,w\n", true) == ',');  // three cells beat two
  CHECK(find_separator("a\tb\n1\t2\n", true) == '\t');
  CHECK(find_separator("a|b\n", true) == '|');
  CHECK(find_separator("alone\n", true) == ',');
  CHECK(find_separator("", true) == ',');
  CHECK(find_separator("a,b\n1,2,\n3,4,\n", true) == ',');
  CHECK(find_separator("a;b\n\"x,y,z\";2\n\"x,y,z\";3\n", true) == ';');
  CHECK(find_separator("a;b\n1;2\n3", false) == ';');  // the sample ends within a row
}
