#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "unit/net/support.hpp"

using namespace iotstream;
using namespace iotstream::net;

namespace {

/// A key and a certificate of its own for 127.0.0.1, in a folder that goes with it.
struct Identity {
  Identity() : folder(std::filesystem::temp_directory_path() / ("iotstream-tls-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder);
    certificate = folder / "certificate.pem";
    key = folder / "key.pem";
    EVP_PKEY* pair = EVP_EC_gen("P-256");
    X509* x509 = X509_new();
    X509_set_version(x509, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
    X509_gmtime_adj(X509_getm_notBefore(x509), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
    X509_set_pubkey(x509, pair);
    X509_NAME* name = X509_get_subject_name(x509);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("iotstream test"), -1, -1, 0);
    X509_set_issuer_name(x509, name);
    X509_EXTENSION* names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1");
    X509_add_ext(x509, names, -1);
    X509_EXTENSION_free(names);
    X509_sign(x509, pair, EVP_sha256());
    std::FILE* file = std::fopen(certificate.c_str(), "w");
    PEM_write_X509(file, x509);
    std::fclose(file);
    file = std::fopen(key.c_str(), "w");
    PEM_write_PrivateKey(file, pair, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
    X509_free(x509);
    EVP_PKEY_free(pair);
  }
  ~Identity() { std::filesystem::remove_all(folder); }

  std::filesystem::path folder;
  std::filesystem::path certificate;
  std::filesystem::path key;
};

struct TlsServer : TestServer {
  explicit TlsServer(const Identity& identity) {
    options.config.tls_certificate = identity.certificate;
    options.config.tls_key = identity.key;
    router.add(Method::post, "/echo",
               [](Request request, Respond respond) { respond(Response::text(std::move(request.body))); });
    router.add_websocket("/echo-socket", [](const Request&, std::shared_ptr<WebSocket> socket) -> Result<WebSocketEvents> {
      WebSocketEvents events;
      events.message = [socket](std::string_view text, bool binary) {
        socket->send(std::make_shared<const std::string>(text), binary);
      };
      return events;
    });
    start();
    url = "https://127.0.0.1:" + std::to_string(port);
  }
};

}  // namespace

TEST_CASE("with a certificate the server speaks https and wss") {
  const Identity identity;
  ::setenv("SSL_CERT_FILE", identity.certificate.c_str(), 1);
  {
    TlsServer fixture(identity);
    auto client = *Client::create(fixture.url);
    for (const std::size_t size : {1u, 20'000u, 3'000'000u}) {
      const auto answer = client->request(Method::post, "/echo", std::string(size, 'x'));
      REQUIRE(answer);
      CHECK(answer->body == std::string(size, 'x'));
    }
    CHECK(fixture.metric("iotstream_net_connections_accepted_total") == 1);
    auto socket = WebSocketClient::connect(fixture.url, "/echo-socket");
    REQUIRE(socket);
    for (const std::size_t size : {0u, 100u, 50'000u}) {
      REQUIRE((*socket)->send(std::string(size, 'y')));
      CHECK((*socket)->receive(Duration::seconds(20))->bytes == std::string(size, 'y'));
    }
    fixture.server->stop(Duration::seconds(5));
    CHECK_FALSE((*socket)->receive(Duration::seconds(20)));
    CHECK((*socket)->close_code() == 1001);
  }
  ::unsetenv("SSL_CERT_FILE");
}

TEST_CASE("the client takes no certificate that nobody vouches for") {
  const Identity identity;
  TlsServer fixture(identity);
  auto client = *Client::create(fixture.url);
  const auto answer = client->request(Method::post, "/echo", "secret");
  REQUIRE_FALSE(answer);
  CHECK(answer.error().message.find("does not verify") != std::string::npos);
}

TEST_CASE("what is no TLS is closed, and so is a handshake that does not go on") {
  const Identity identity;
  TlsServer fixture(identity);
  RawClient plain(fixture.port);
  plain.send(get("/echo"));
  plain.read_all();
  TestServer slow;
  slow.options.config.tls_certificate = identity.certificate;
  slow.options.config.tls_key = identity.key;
  slow.options.header_timeout = Duration::milliseconds(30);
  slow.start();
  RawClient silent(slow.port);
  CHECK(silent.closed());
  CHECK(eventually([&] { return fixture.table.gauge("iotstream_net_connections", "").value() == 0; }));
}

TEST_CASE("a certificate or key that does not load is named") {
  const Identity identity;
  for (const bool bad_key : {false, true}) {
    TestServer fixture;
    fixture.options.config.tls_certificate = bad_key ? identity.certificate.string() : "/nonexistent.pem";
    fixture.options.config.tls_key = bad_key ? identity.certificate.string() : identity.key.string();
    const auto started = Server::start(fixture.options, fixture.router, fixture.workers, fixture.table);
    REQUIRE_FALSE(started);
    CHECK(started.error().kind == ErrorKind::invalid);
    CHECK(started.error().message.find(bad_key ? fixture.options.config.tls_key : "/nonexistent.pem") != std::string::npos);
  }
}
