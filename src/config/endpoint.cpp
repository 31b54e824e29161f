#include "config/endpoint.hpp"

#include <array>
#include <charconv>
#include <system_error>

#include <arpa/inet.h>
#include <fmt/format.h>

namespace iotstream::config {

namespace {

bool is_v4(const std::string& host) {
  in_addr address{};
  return ::inet_pton(AF_INET, host.c_str(), &address) == 1;
}

std::optional<in6_addr> as_v6(const std::string& host) {
  in6_addr address{};
  if (::inet_pton(AF_INET6, host.c_str(), &address) != 1) return std::nullopt;
  return address;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

}  // namespace

bool Endpoint::loopback() const {
  if (is_v4(host)) return host.starts_with("127.");
  const auto address = as_v6(host);
  if (!address) return false;
  const auto& bytes = address->s6_addr;
  const bool mapped_v4 = IN6_IS_ADDR_V4MAPPED(&*address);
  return IN6_IS_ADDR_LOOPBACK(&*address) || (mapped_v4 && bytes[12] == 127);
}

std::string Endpoint::text() const {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port) : fmt::format("[{}]:{}", host, port);
}

Result<Endpoint> parse_endpoint(std::string_view text) {
  const Error error{ErrorKind::invalid,
                    fmt::format("'{}' is not an address to listen on: write it as 127.0.0.1:8080 or [::1]:8080", text)};
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return error;
  const auto port = parse_port(text.substr(colon + 1));
  if (!port) return error;
  std::string_view host = text.substr(0, colon);
  if (host == "localhost") return Endpoint{"127.0.0.1", *port};
  const bool brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (brackets) host = host.substr(1, host.size() - 2);
  const std::string name(host);
  if (brackets ? !as_v6(name).has_value() : !is_v4(name)) return error;
  return Endpoint{name, *port};
}

}  // namespace iotstream::config
