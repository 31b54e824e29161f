#include "net/tls.hpp"

#include <boost/asio/ssl/context.hpp>
#include <fmt/format.h>

namespace iotstream::net {
namespace ssl = boost::asio::ssl;

TlsContext::TlsContext(std::unique_ptr<ssl::context> context) : context_(std::move(context)) {}
TlsContext::~TlsContext() = default;

Result<std::unique_ptr<TlsContext>> TlsContext::load(const std::string& certificate_path, const std::string& key_path) {
  auto context = std::make_unique<ssl::context>(ssl::context::tls_server);
  boost::system::error_code error;
  const auto failed = [&](std::string_view what, const std::string& path) {
    return Error{ErrorKind::invalid, fmt::format("{}: {} ({}); give a PEM file, and the key that belongs to the certificate",
                                                 path, what, error.message())};
  };
  context->set_options(ssl::context::default_workarounds | ssl::context::no_sslv2 | ssl::context::no_sslv3 |
                           ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1 | ssl::context::no_compression,
                       error);
  if (error) return failed("TLS cannot be set up", certificate_path);
  context->use_certificate_chain_file(certificate_path, error);
  if (error) return failed("the certificate cannot be loaded", certificate_path);
  context->use_private_key_file(key_path, ssl::context::pem, error);
  if (error) return failed("the key cannot be loaded, or is not the certificate's", key_path);
  SSL_CTX_set_mode(context->native_handle(), SSL_MODE_RELEASE_BUFFERS);  // 34 KiB less for every idle connection
  return std::unique_ptr<TlsContext>(new TlsContext(std::move(context)));
}

}  // namespace iotstream::net
