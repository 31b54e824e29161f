#include "net/request_parser.hpp"

#include <catch2/catch.hpp>

using namespace iotstream::net;

namespace {

struct Outcome {
  bool done = false;
  unsigned status = 0;
  std::string target;
  Headers headers;
  std::string body;
  std::string rest;  ///< what the parser left
  bool operator==(const Outcome&) const = default;
};

/// Feeds `text` cut after each of `cuts`, keeping what the parser leaves in front of the next piece, as a connection does.
Outcome parse(std::string_view text, const std::vector<std::size_t>& cuts, const ParserLimits& limits = {}) {
  RequestParser parser(limits);
  std::string waiting;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= cuts.size(); ++i) {
    const std::size_t end = i < cuts.size() ? cuts[i] : text.size();
    waiting += text.substr(begin, end - begin);
    begin = end;
    // Twice: the parser stops once after the header.
    for (int round = 0; round < 2 && !parser.done() && !parser.failed(); ++round) waiting.erase(0, parser.feed(waiting));
  }
  return {parser.done(), parser.status(), parser.target(), parser.headers(), parser.body(), waiting};
}

unsigned status_of(std::string_view text, const ParserLimits& limits = {}) { return parse(text, {}, limits).status; }

}  // namespace

TEST_CASE("a request comes out the same wherever it is cut") {
  const std::vector<std::string> requests{
      "GET /a?b=c HTTP/1.1\r\nHost: localhost\r\nX-Long:   value with  blanks \r\n\r\n",
      "POST /p HTTP/1.1\r\nHost: localhost\r\nContent-Length: 11\r\n\r\nhello world",
      "POST /p HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5;name=value\r\nhello\r\n6\r\n "
      "world\r\n0\r\nTrailer: x\r\n\r\n",
  };
  for (const std::string& request : requests) {
    const std::string text = request + "GET /next HTTP/1.1\r\n";
    const Outcome whole = parse(text, {});
    REQUIRE(whole.done);
    CHECK(whole.rest == "GET /next HTTP/1.1\r\n");
    for (std::size_t cut = 1; cut < text.size(); ++cut) {
      INFO("cut after byte " << cut << " of " << text);
      REQUIRE(parse(text, {cut}) == whole);
    }
    std::vector<std::size_t> everywhere;
    for (std::size_t cut = 1; cut < text.size(); ++cut) everywhere.push_back(cut);
    CHECK(parse(text, everywhere) == whole);
  }
}

TEST_CASE("names come in lower case, values trimmed, bodies exact, trailers nowhere") {
  const Outcome outcome = parse(
      "POST /p HTTP/1.1\r\nHOST: a\r\nX-Y:  z \r\nTransfer-Encoding: Chunked\r\n\r\n3\r\na\r\n\r\n0\r\nX-T: 1\r\n\r\n", {});
  REQUIRE(outcome.done);
  CHECK(outcome.headers == Headers{{"host", "a"}, {"x-y", "z"}, {"transfer-encoding", "Chunked"}});
  CHECK(outcome.body == "a\r\n");
}

TEST_CASE("a request that could be read in two ways is refused") {
  CHECK(status_of("POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") == 400);
  CHECK(status_of("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n") == 400);
  CHECK(status_of("POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd") == 400);
  CHECK(status_of("POST / HTTP/1.1\r\nContent-Length: 3, 4\r\n\r\nabcd") == 400);
  CHECK(status_of("POST / HTTP/1.1\r\nContent-Length: -3\r\n\r\nabc") == 400);
  CHECK(status_of("POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n") == 400);
  CHECK(status_of("POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n") == 501);
  CHECK(status_of("POST / HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n\r\n") == 501);
  CHECK(status_of("POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n") == 501);
  CHECK(status_of("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n") == 400);
  CHECK(status_of("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n") == 400);
  CHECK(status_of("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n") == 400);
  CHECK(status_of("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n") == 400);
  CHECK(status_of("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n") == 400);
}

TEST_CASE("what is no HTTP is refused") {
  CHECK(status_of("\x16\x03\x01\x02\x01\x01\r\n\r\n") == 400);
  CHECK(status_of("GET\r\n\r\n") == 400);
  CHECK(status_of("GET / HTTP/2.0\r\n\r\n") == 505);
  CHECK(status_of("GET / HTTP/1.1\nHost: a\n\n") == 505);  // lines end with CR LF; what follows the version is part of it
  CHECK(status_of("GET / HTTP/1.1\r\nA b: c\r\n\r\n") == 400);
  CHECK(status_of(std::string_view("GET / HTTP/1.1\r\nA: b\0c\r\n\r\n", 27)) == 400);
  CHECK(status_of("GET /a\tb HTTP/1.1\r\n\r\n") == 400);
  CHECK(status_of("BREW / HTTP/1.1\r\n\r\n") == 501);
  CHECK(status_of("GET / HTTP/1.1\r\nExpect: the-unexpected\r\n\r\n") == 417);
}

TEST_CASE("an empty line before a request is passed over") {
  const Outcome outcome = parse("\r\n\r\nGET / HTTP/1.1\r\n\r\n", {1, 3});
  CHECK(outcome.done);
  CHECK(outcome.target == "/");
}

TEST_CASE("headers have a size and a count") {
  ParserLimits limits;
  limits.header_size_max = 1000;
  limits.header_count_max = 10;
  CHECK(status_of("GET / HTTP/1.1\r\nA: " + std::string(900, 'x') + "\r\n\r\n", limits) == 0);
  CHECK(status_of("GET / HTTP/1.1\r\nA: " + std::string(1100, 'x') + "\r\n\r\n", limits) == 431);
  CHECK(status_of("GET / HTTP/1.1\r\nA: " + std::string(1100, 'x'), limits) == 431);
  CHECK(status_of("GET /" + std::string(1100, 'x'), limits) == 431);
  std::string many = "GET / HTTP/1.1\r\n";
  for (int i = 0; i < 10; ++i) many += "A: b\r\n";
  CHECK(status_of(many + "\r\n", limits) == 0);
  CHECK(status_of(many + "A: b\r\n\r\n", limits) == 431);
  CHECK(status_of("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;" + std::string(1100, 'x'), limits) == 431);
  CHECK(status_of("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: " + std::string(1100, 'x'), limits) == 431);
}

TEST_CASE("a body has a size, told before it comes or counted as it comes") {
  ParserLimits limits;
  limits.body_size_max = 8;
  CHECK(parse("POST / HTTP/1.1\r\nContent-Length: 8\r\n\r\n12345678", {}, limits).done);
  CHECK(status_of("POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n", limits) == 413);
  CHECK(parse("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n1234\r\n4\r\n5678\r\n0\r\n\r\n", {}, limits).done);
  CHECK(status_of("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n1234\r\n5\r\n", limits) == 413);
  CHECK(status_of("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffff\r\n", limits) == 413);
}
