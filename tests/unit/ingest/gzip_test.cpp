#include "ingest/gzip.hpp"

#include <random>
#include <zlib.h>

#include <catch2/catch.hpp>

using namespace iotstream;

namespace {

std::string gzip(const std::string& plain) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, static_cast<uLong>(plain.size())), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace

TEST_CASE("what was compressed comes out again, several members one after the other too") {
  std::string plain;
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{65'535}, std::size_t{65'536}, std::size_t{65'537}, std::size_t{300'000}}) {
    while (plain.size() < size) plain += static_cast<char>('a' + plain.size() % 23);
    const auto out = ingest::gunzip(gzip(plain), 1u << 20);
    REQUIRE(out.ok());
    CHECK(*out == plain);
  }
  const auto both = ingest::gunzip(gzip("one ") + gzip("") + gzip("two"), 100);
  REQUIRE(both.ok());
  CHECK(*both == "one two");
}

TEST_CASE("a body may be as large as allowed and not a byte larger") {
  const std::string plain(100'000, 'x');
  CHECK(ingest::gunzip(gzip(plain), plain.size()).ok());
  const auto more = ingest::gunzip(gzip(plain), plain.size() - 1);
  REQUIRE_FALSE(more.ok());
  CHECK(more.error().kind == ErrorKind::too_large);
}

TEST_CASE("a small body that would be a huge one is given up at the limit") {
  const std::string bomb = gzip(std::string(64u << 20, '\0'));
  CHECK(bomb.size() < 100'000);
  const auto out = ingest::gunzip(bomb, 1u << 20);
  REQUIRE_FALSE(out.ok());
  CHECK(out.error().kind == ErrorKind::too_large);
}

TEST_CASE("damaged and foreign bytes are refused") {
  const std::string plain = "a reading and another reading, and one more";
  const std::string good = gzip(plain);
  for (std::size_t length = 0; length < good.size(); ++length) {
    const auto out = ingest::gunzip(std::string_view(good).substr(0, length), 1000);
    REQUIRE_FALSE(out.ok());
    CHECK(out.error().kind == ErrorKind::invalid);
  }
  for (const std::string& foreign : {std::string("{\"a\":1}"), good + "x", good + std::string(10, '\0'),
                                     std::string("\x78\x9c\x03\x00\x00\x00\x00\x01", 8)}) {
    const auto out = ingest::gunzip(foreign, 1000);
    REQUIRE_FALSE(out.ok());
    CHECK(out.error().kind == ErrorKind::invalid);
  }
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 500; ++i) {
    std::string damaged = good;
    damaged[10 + random() % (damaged.size() - 10)] ^= static_cast<char>(1u << random() % 8);
    // The bits that fill the last byte of the compressed data mean nothing; every other flip must be noticed.
    const auto out = ingest::gunzip(damaged, 1000);
    CHECK((!out.ok() || *out == plain));
  }
}
