// The server's certificate and key, loaded and checked.
#pragma once

#include <memory>
#include <string>

#include <iotstream/base/result.hpp>

namespace boost::asio::ssl {
class context;
}

namespace iotstream::net {

class TlsContext {
 public:
  /// TLS 1.2 and later. Errors: invalid when a PEM file cannot be read or the key is not the certificate's.
  static Result<std::unique_ptr<TlsContext>> load(const std::string& certificate_path, const std::string& key_path);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;
  boost::asio::ssl::context& context() { return *context_; }

 private:
  explicit TlsContext(std::unique_ptr<boost::asio::ssl::context> context);
  std::unique_ptr<boost::asio::ssl::context> context_;
};

}  // namespace iotstream::net
