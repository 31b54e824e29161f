#include "ingest/decompress.hpp"

#include <random>

#include "unit/ingest/packed.hpp"

using namespace iotstream;
using test::gzip;
using test::zstd;

namespace {

struct Kind {
  ingest::Coding coding;
  std::string (*pack)(const std::string&);
};
const Kind kinds[] = {{ingest::Coding::gzip, gzip},
                      {ingest::Coding::zstd, [](const std::string& plain) { return zstd(plain); }}};

}  // namespace

TEST_CASE("what was compressed comes out again, several members one after the other too") {
  for (const Kind& kind : kinds) {
    std::string plain;
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{65'535}, std::size_t{65'536},
                                   std::size_t{65'537}, std::size_t{300'000}}) {
      while (plain.size() < size) plain += static_cast<char>('a' + plain.size() % 23);
      const auto out = ingest::decompress(kind.coding, kind.pack(plain), 1u << 20);
      REQUIRE(out.ok());
      CHECK(*out == plain);
    }
    const auto both = ingest::decompress(kind.coding, kind.pack("one ") + kind.pack("") + kind.pack("two"), 100);
    REQUIRE(both.ok());
    CHECK(*both == "one two");
  }
}

TEST_CASE("cut at any byte, with room for any number of them, the same comes out") {
  std::string plain;
  for (int i = 0; i < 40; ++i) plain += "{\"device\":\"d" + std::to_string(i * 7919 % 101) + "\"}\n";
  for (const Kind& kind : kinds) {
    const std::string packed = kind.pack(plain) + kind.pack("the end");
    for (std::size_t cut = 0; cut <= packed.size(); ++cut) {
      for (const std::size_t room : {std::size_t{1}, std::size_t{7}, std::size_t{4096}}) {
        auto decompressor = ingest::Decompressor::create(kind.coding);
        REQUIRE(decompressor.ok());
        std::string out;
        for (std::string_view part : {std::string_view(packed).substr(0, cut), std::string_view(packed).substr(cut)}) {
          for (bool more = true; more;) {
            const std::size_t before = out.size();
            const auto next = (*decompressor)->next(part, out, room);
            REQUIRE(next.ok());
            REQUIRE(out.size() - before <= room);
            more = *next;
          }
          REQUIRE(part.empty());
        }
        REQUIRE((*decompressor)->finish().ok());
        REQUIRE(out == plain + "the end");
      }
    }
  }
}

TEST_CASE("a body may be as large as allowed and not a byte larger") {
  const std::string plain(100'000, 'x');
  for (const Kind& kind : kinds) {
    CHECK(ingest::decompress(kind.coding, kind.pack(plain), plain.size()).ok());
    const auto more = ingest::decompress(kind.coding, kind.pack(plain), plain.size() - 1);
    REQUIRE_FALSE(more.ok());
    CHECK(more.error().kind == ErrorKind::too_large);
  }
}

TEST_CASE("a small body that would be a huge one is given up at the limit") {
  for (const Kind& kind : kinds) {
    const std::string bomb = kind.pack(std::string(64u << 20, '\0'));
    CHECK(bomb.size() < 100'000);
    const auto out = ingest::decompress(kind.coding, bomb, 1u << 20);
    REQUIRE_FALSE(out.ok());
    CHECK(out.error().kind == ErrorKind::too_large);
  }
}

TEST_CASE("a window that would need more memory than RFC 9659 allows is refused") {
  std::mt19937 random(1);
  std::string plain(20u << 20, '\0');
  for (char& c : plain) c = static_cast<char>(random());
  const std::string packed = zstd(plain, 24);
  const auto out = ingest::decompress(ingest::Coding::zstd, packed, 64u << 20);
  REQUIRE_FALSE(out.ok());
  CHECK(out.error().kind == ErrorKind::invalid);
}

TEST_CASE("damaged and foreign bytes are refused") {
  const std::string plain = "a reading and another reading, and one more";
  const unsigned seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  for (const Kind& kind : kinds) {
    const std::string good = kind.pack(plain);
    for (std::size_t length = 0; length < good.size(); ++length) {
      const auto out = ingest::decompress(kind.coding, std::string_view(good).substr(0, length), 1000);
      REQUIRE_FALSE(out.ok());
      CHECK(out.error().kind == ErrorKind::invalid);
    }
    for (const std::string& foreign : {std::string("{\"a\":1}"), good + "x", good + std::string(10, '\0'),
                                       std::string("\x78\x9c\x03\x00\x00\x00\x00\x01", 8)}) {
      const auto out = ingest::decompress(kind.coding, foreign, 1000);
      REQUIRE_FALSE(out.ok());
      CHECK(out.error().kind == ErrorKind::invalid);
    }
    for (int i = 0; i < 500; ++i) {
      std::string damaged = good;
      damaged[10 + random() % (damaged.size() - 10)] ^= static_cast<char>(1u << random() % 8);
      // The bits that fill the last byte of the compressed data mean nothing; every other flip must be noticed.
      const auto out = ingest::decompress(kind.coding, damaged, 1000);
      CHECK((!out.ok() || *out == plain));
    }
  }
}

TEST_CASE("a Content-Encoding is known in any case, and only alone") {
  CHECK(ingest::coding_of("GZIP") == ingest::Coding::gzip);
  CHECK(ingest::coding_of("x-gzip") == ingest::Coding::gzip);
  CHECK(ingest::coding_of("zstd") == ingest::Coding::zstd);
  CHECK(ingest::coding_of("identity") == ingest::Coding::identity);
  for (const char* other : {"", "br", "deflate", "gzip, zstd", "gzip gzip"}) CHECK_FALSE(ingest::coding_of(other).has_value());
}
