#include "net/guard.hpp"

#include <catch2/catch.hpp>

using namespace iotstream;
using namespace iotstream::net;

namespace {

GuardPolicy policy() {
  config::Server server;
  server.listen = {{"192.168.7.9", 8080}, {"fe80::1", 8080}};
  server.allowed_hosts = {"Dash.Example"};
  server.allowed_origins = {"https://Grafana.example:443", "http://127.0.0.1:5173"};
  return GuardPolicy::from(server);
}

GuardFacts facts(std::string_view host) {
  GuardFacts facts;
  facts.host = host;
  facts.host_count = 1;
  facts.local_address = "127.0.0.1";
  return facts;
}

unsigned status_of(const GuardPolicy& policy, const GuardFacts& facts) { return judge(policy, facts).status; }

}  // namespace

TEST_CASE("Host must be a name of this server") {
  const GuardPolicy rules = policy();
  for (const char* host : {"localhost", "LOCALHOST:8080", "localhost.", "127.0.0.1", "127.0.0.1:1", "[::1]:8080", "[::1]",
                           "192.168.7.9:80", "[fe80::1]:8080", "dash.example", "dash.example:443"}) {
    INFO(host);
    CHECK(status_of(rules, facts(host)) == 0);
  }
  for (const char* host : {"evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "192.168.7.8", "0.0.0.0",
                           "dash.example.evil", "[::2]"}) {
    INFO(host);
    CHECK(status_of(rules, facts(host)) == 421);
  }
  for (const char* host :
       {"", ":8080", "local host", "localhost:8080x", "localhost:123456", "[::1", "user@localhost", "localhost/x", "[::1]x"}) {
    INFO(host);
    CHECK(status_of(rules, facts(host)) == 400);
  }
}

TEST_CASE("Host may be missing on HTTP/1.0 only, and never stands twice") {
  GuardFacts none = facts("");
  none.host_count = 0;
  CHECK(status_of(policy(), none) == 400);
  none.http11 = false;
  CHECK(status_of(policy(), none) == 0);
  GuardFacts twice = facts("localhost");
  twice.host_count = 2;
  CHECK(status_of(policy(), twice) == 400);
}

TEST_CASE("the address that the client reached is a valid Host on a listener for all addresses") {
  config::Server server;
  server.listen = {{"0.0.0.0", 8080}};
  GuardFacts reached = facts("10.1.2.3:8080");
  CHECK(status_of(GuardPolicy::from(server), reached) == 421);
  reached.local_address = "10.1.2.3";
  CHECK(status_of(GuardPolicy::from(server), reached) == 0);
}

TEST_CASE("Origin must be the server's own or an allowed one, on every method and upgrade") {
  const GuardPolicy rules = policy();
  for (const Method method : {Method::get, Method::post, Method::delete_, Method::options}) {
    for (const bool websocket : {false, true}) {
      GuardFacts request = facts("localhost:8080");
      request.method = method;
      request.websocket = websocket;
      CHECK(status_of(rules, request) == 0);
      for (const char* origin : {"http://localhost:8080", "HTTP://LOCALHOST:8080"}) {
        request.origin = origin;
        CHECK(status_of(rules, request) == 0);
        CHECK_FALSE(judge(rules, request).foreign_origin);
      }
      for (const char* origin : {"https://grafana.example", "http://127.0.0.1:5173"}) {
        request.origin = origin;
        CHECK(status_of(rules, request) == 0);
        CHECK(judge(rules, request).foreign_origin);
      }
      for (const char* origin :
           {"null", "", "https://evil.example", "http://localhost", "https://localhost:8080", "http://localhost:8081",
            "http://127.0.0.1:8080", "http://localhost:8080.evil.example", "http://grafana.example"}) {
        INFO(origin);
        request.origin = origin;
        CHECK(status_of(rules, request) == 403);
      }
    }
  }
}

TEST_CASE("the scheme's own port is the same as none in Host and Origin") {
  GuardFacts request = facts("localhost:80");
  request.origin = "http://localhost";
  CHECK(status_of(policy(), request) == 0);
  config::Server server;
  server.tls_certificate = "certificate.pem";
  request = facts("localhost");
  request.origin = "https://localhost:443";
  CHECK(status_of(GuardPolicy::from(server), request) == 0);
  request.origin = "http://localhost";
  CHECK(status_of(GuardPolicy::from(server), request) == 403);
}

TEST_CASE("without a Host no Origin is the server's own") {
  GuardFacts request = facts("");
  request.host_count = 0;
  request.http11 = false;
  request.origin = "http://";
  CHECK(status_of(policy(), request) == 403);
}

TEST_CASE("another site's page is refused unless its Origin is allowed or a person follows a link") {
  const GuardPolicy rules = policy();
  GuardFacts request = facts("localhost:8080");
  for (const char* site : {"same-origin", "none"}) {
    request.sec_fetch_site = site;
    CHECK(status_of(rules, request) == 0);
  }
  for (const char* site : {"cross-site", "same-site", "anything"}) {
    request = facts("localhost:8080");
    request.sec_fetch_site = site;
    CHECK(status_of(rules, request) == 403);
    request.origin = "https://grafana.example";
    CHECK(status_of(rules, request) == 0);
    request.origin.reset();
    request.sec_fetch_mode = "navigate";
    request.sec_fetch_dest = "document";
    CHECK(status_of(rules, request) == 0);
    request.method = Method::post;
    CHECK(status_of(rules, request) == 403);
    request.method = Method::get;
    request.sec_fetch_dest = "iframe";
    CHECK(status_of(rules, request) == 403);
    request.sec_fetch_mode = "no-cors";
    request.sec_fetch_dest = "script";
    CHECK(status_of(rules, request) == 403);
  }
}

TEST_CASE("a configured token is asked for as bearer, password or cookie") {
  GuardPolicy rules = policy();
  rules.token = "s3cret-token";
  GuardFacts request = facts("localhost");
  CHECK(status_of(rules, request) == 401);
  for (const char* value :
       {"Bearer s3cret-token", "bearer   s3cret-token", "Basic bmFtZTpzM2NyZXQtdG9rZW4=", "Basic OnMzY3JldC10b2tlbg=="}) {
    INFO(value);
    request.authorization = value;
    CHECK(status_of(rules, request) == 0);
  }
  for (const char* value : {"", "Bearer", "Bearer s3cret-toke", "Bearer s3cret-tokenn", "s3cret-token", "Basic s3cret-token",
                            "Basic czNjcmV0LXRva2Vu", "Digest s3cret-token"}) {
    INFO(value);
    request.authorization = value;
    CHECK(status_of(rules, request) == 401);
  }
  request.authorization.reset();
  for (const char* cookies : {"iotstream_token=s3cret-token", "a=b; iotstream_token=s3cret-token; c=d"}) {
    request.cookies = {cookies};
    CHECK(status_of(rules, request) == 0);
  }
  for (const char* cookies :
       {"iotstream_token=", "xiotstream_token=s3cret-token", "iotstream_token=s3cret", "iotstream_token"}) {
    request.cookies = {cookies};
    CHECK(status_of(rules, request) == 401);
  }
}

TEST_CASE("a preflight of an allowed Origin needs no token, and nothing else goes without") {
  GuardPolicy rules = policy();
  rules.token = "s3cret-token";
  GuardFacts request = facts("localhost");
  request.method = Method::options;
  CHECK(status_of(rules, request) == 401);
  request.origin = "http://localhost";
  CHECK(status_of(rules, request) == 401);
  request.origin = "https://grafana.example";
  CHECK(status_of(rules, request) == 0);
  request.method = Method::post;
  CHECK(status_of(rules, request) == 401);
}
