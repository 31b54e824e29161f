// Endpoints, and the expansion of patterns.
#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>

#include <iotstream/config/config.hpp>

#include "config/endpoint.hpp"
#include "support/temporary_directory.hpp"

using namespace iotstream;
using config::expand;
using config::parse_endpoint;

TEST_CASE("addresses to listen on are read and written") {
  CHECK(parse_endpoint("127.0.0.1:8080")->text() == "127.0.0.1:8080");
  CHECK(parse_endpoint("[::1]:8080")->text() == "[::1]:8080");
  CHECK(parse_endpoint("[::1]:8080")->host == "::1");
  CHECK(parse_endpoint("0.0.0.0:0")->port == 0);
  CHECK(parse_endpoint("localhost:80")->host == "127.0.0.1");
  for (const char* text :
       {"", ":", ":80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1: 80",
        "127.0.0.1:+80", "1.2.3:80", "::1:80", "[127.0.0.1]:80", "[::1:80", "[]:80", "example.org:80", "[::g]:80"}) {
    CAPTURE(text);
    CHECK(parse_endpoint(text).error().kind == ErrorKind::invalid);
  }
}

TEST_CASE("only addresses of this machine alone are loopback") {
  for (const char* text : {"127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1"})
    CHECK(parse_endpoint(text)->loopback());
  for (const char* text : {"0.0.0.0:1", "[::]:1", "192.168.0.1:1", "12.7.0.1:1", "[::ffff:1.2.3.4]:1", "[fe80::1]:1"}) {
    CHECK_FALSE(parse_endpoint(text)->loopback());
  }
  CHECK_FALSE(config::Endpoint{"nonsense", 1}.loopback());
}

TEST_CASE("patterns are expanded in the order given, their matches sorted, folders left out") {
  const test::TemporaryDirectory directory;
  for (const char* name : {"b.csv", "a.csv", "c.txt", "d [1].csv", ".hidden.csv"}) std::ofstream(directory / name) << "x";
  std::filesystem::create_directory(directory / "z.csv");
  CHECK(expand({directory / "c.txt", directory / "?.csv"}).value() ==
        std::vector<std::string>{directory / "c.txt", directory / "a.csv", directory / "b.csv"});
  CHECK(expand({directory / "{b,a}.csv"}).value() == std::vector<std::string>{directory / "b.csv", directory / "a.csv"});
  CHECK(expand({directory / "d [1].csv"}).value() == std::vector<std::string>{directory / "d [1].csv"});
  CHECK(expand({directory / "d *.csv"}).value() == std::vector<std::string>{directory / "d [1].csv"});
  CHECK(expand({}).value().empty());
  CHECK(expand({directory / "z*"}).error().kind == ErrorKind::not_found);
  CHECK(expand({directory / "none"}).error().message == "no file matches '" + (directory / "none") + "'");
}
