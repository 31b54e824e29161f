#include "report/html.hpp"

#include <catch2/catch.hpp>

using namespace iotstream;
using namespace iotstream::report;

TEST_CASE("no text becomes markup") {
  CHECK(escaped("<script>alert('x & \"y\"')</script>") ==
        "&lt;script&gt;alert(&#39;x &amp; &quot;y&quot;&#39;)&lt;/script&gt;");
  CHECK(escaped("été 🚜") == "été 🚜");
  CHECK(escaped(std::string_view("a\0b\x01\x7f", 5)) ==
        "a\xef\xbf\xbd"
        "b\xef\xbf\xbd\xef\xbf\xbd");
  CHECK(escaped("\xff<\xc3") == "\xef\xbf\xbd&lt;\xef\xbf\xbd");
  CHECK(escaped("\xed\xa0\x80").find('\xed') == std::string::npos);
}

TEST_CASE("numbers and lengths are short") {
  CHECK(shown(0) == "0");
  CHECK(shown(1234567) == "1\u2009234\u2009567");
  CHECK(shown(-1234.5) == "-1\u2009234");
  CHECK(shown(0.012345) == "0.01235");
  CHECK(shown(1.5e9) == "1.5e+09");
  CHECK(shown(1e-7) == "1e-07");
  CHECK(shown_count(1000) == "1\u2009000");
  CHECK(shown_count(999) == "999");
  CHECK(shown_time(Timestamp{1'516'340'220'612'611}) == "2018-01-19 05:37:00");
  CHECK(shown_length(Duration{1'500}) == "1.5 ms");
  CHECK(shown_length(Duration{12'500'000}) == "12.5 s");
  CHECK(shown_length(Duration{754'000'000}) == "12 min 34 s");
  CHECK(shown_length(Duration{11'520'000'000}) == "3 h 12 min");
  CHECK(shown_length(Duration{300'000'000'000}) == "3 d 11 h");
}
