#include <catch2/catch.hpp>

#include <iotstream/net/http.hpp>

#include "net/response_head.hpp"

using namespace iotstream;
using namespace iotstream::net;

TEST_CASE("a problem is RFC 9457's object, with any detail escaped") {
  const Response response = Response::problem(404, "no dataset \"a\"\n");
  CHECK(response.status == 404);
  CHECK(response.content_type == "application/problem+json");
  CHECK(response.body == R"({"type":"about:blank","title":"Not Found","status":404,"detail":"no dataset \"a\"\n"})");
}

TEST_CASE("each kind of error has its status, and those that pass say when to come again") {
  const std::vector<std::pair<ErrorKind, unsigned>> expected{
      {ErrorKind::invalid, 400},     {ErrorKind::unprocessable, 422}, {ErrorKind::not_found, 404}, {ErrorKind::conflict, 409},
      {ErrorKind::too_large, 413},   {ErrorKind::unsupported, 415},   {ErrorKind::forbidden, 403}, {ErrorKind::busy, 429},
      {ErrorKind::unavailable, 503}, {ErrorKind::disk_full, 507},     {ErrorKind::io, 500},        {ErrorKind::corrupt, 500}};
  for (const auto& [kind, status] : expected) {
    const Response response = Response::from({kind, "x"});
    CHECK(response.status == status);
    CHECK(response.headers.empty() == (status != 429 && status != 503));
  }
}

TEST_CASE("a head carries the security headers, and a route's header takes the place of the server's") {
  Response response = Response::text("x");
  std::string head;
  append_head(head, response, {true, true, 1, {}});
  CHECK(head.starts_with("HTTP/1.1 200 OK\r\nDate: "));
  for (const char* line : {"\r\nX-Content-Type-Options: nosniff\r\n", "\r\nReferrer-Policy: no-referrer\r\n",
                           "\r\nCross-Origin-Resource-Policy: same-origin\r\n", "\r\nX-Frame-Options: DENY\r\n",
                           "\r\nCache-Control: no-store\r\n", "\r\nServer: iotstream\r\n", "\r\nContent-Length: 1\r\n"}) {
    CHECK(head.find(line) != std::string::npos);
  }
  CHECK(head.ends_with("\r\n\r\n"));
  CHECK(head.find("Connection") == std::string::npos);

  response.headers.emplace_back("cache-control", "public, max-age=31536000, immutable");
  head.clear();
  append_head(head, response, {false, false, std::nullopt, "https://grafana.example"});
  CHECK(head.starts_with("HTTP/1.0 200 OK\r\n"));
  CHECK(head.find("no-store") == std::string::npos);
  CHECK(head.find("immutable") != std::string::npos);
  CHECK(head.find("nosniff") != std::string::npos);
  CHECK(head.find("Transfer-Encoding") == std::string::npos);
  CHECK(head.find("Connection: close\r\n") != std::string::npos);
  CHECK(head.find("Access-Control-Allow-Origin: https://grafana.example\r\nVary: Origin\r\n") != std::string::npos);
}

TEST_CASE("204 and 304 have neither body nor length") {
  for (const unsigned status : {204u, 304u}) {
    Response response;
    response.status = status;
    std::string head;
    append_head(head, response, {true, true, 0, {}});
    CHECK(head.find("Content-Length") == std::string::npos);
    CHECK(head.find("Transfer-Encoding") == std::string::npos);
  }
}

TEST_CASE("an answer whose header would break the head is not written") {
  CHECK_FALSE(unwritable(Response::text("fine")));
  for (const auto& header :
       Headers{{"X", "a\r\nSet-Cookie: b"}, {"X\nY", "a"}, {"", "a"}, {"X:", "a"}, {"X", std::string("a\0b", 3)}}) {
    Response response = Response::text("x");
    response.headers.push_back(header);
    CHECK(unwritable(response));
  }
  Response response = Response::text("x");
  response.content_type = "text/plain\r\nX: y";
  CHECK(unwritable(response));
  CHECK(unwritable(Response::text("x", 101)));
  CHECK(unwritable(Response::text("x", 600)));
}

TEST_CASE("the date is IMF-fixdate") { CHECK(format_http_date(784'111'777) == "Sun, 06 Nov 1994 08:49:37 GMT"); }
