#include "app/look.hpp"

#include <chrono>
#include <future>
#include <simdjson.h>
#include <thread>

#include <fmt/format.h>

#include <iotstream/base/diagnostics.hpp>
#include <iotstream/net/client.hpp>

#include "app/rooms.hpp"

namespace iotstream::app {

namespace {

/// The sentence of a problem+json body, or the body itself.
std::string detail_of(const std::string& body) {
  simdjson::dom::parser parser;
  simdjson::dom::element element;
  std::string_view detail;
  if (parser.parse(body).get(element) == simdjson::SUCCESS && element["detail"].get(detail) == simdjson::SUCCESS)
    return std::string(detail);
  return body;
}

Result<std::string> to_body(unsigned status, std::string body) {
  if (status >= 200 && status < 300) return body;
  const ErrorKind kind = status == 404 ? ErrorKind::not_found : status < 500 ? ErrorKind::invalid : ErrorKind::unavailable;
  return Error{kind, body.empty() ? fmt::format("the server answered {}", status) : detail_of(body)};
}

class Served final : public Source {
 public:
  Served(std::unique_ptr<net::Client> client, std::string token) : client_(std::move(client)), token_(std::move(token)) {}
  Result<std::string> ask(net::Method method, const std::string& path, const std::string& body) override {
    net::Headers headers;
    if (!token_.empty()) headers.emplace_back("Authorization", "Bearer " + token_);
    if (!body.empty()) headers.emplace_back("Content-Type", "application/x-ndjson");
    auto answer = client_->request(method, path, body, std::move(headers));
    if (!answer) return answer.error();
    return to_body(answer->status, std::move(answer->body));
  }
  Status stream(const std::string& path, const std::function<bool(std::string_view)>& piece) override {
    net::Headers headers;
    if (!token_.empty()) headers.emplace_back("Authorization", "Bearer " + token_);
    auto answer = client_->stream(net::Method::get, path, piece, std::move(headers));
    if (!answer) return answer.error();
    if (auto good = to_body(answer->status, std::move(answer->body)); !good) return good.error();
    return {};
  }
  bool live() const override { return true; }

 private:
  std::unique_ptr<net::Client> client_;
  std::string token_;
};

/// The routes without a server: the same answers from a stopped directory.
class Stopped final : public Source {
 public:
  explicit Stopped(std::unique_ptr<Rooms> rooms) : rooms_(std::move(rooms)) {}
  Result<std::string> ask(net::Method method, const std::string& target, const std::string& body) override {
    auto response = answer(method, target, body);
    if (!response) return response.error();
    std::string text = response->static_body.empty() ? std::move(response->body) : std::string(response->static_body);
    while (response->source) {
      auto more = response->source->next(text);
      if (!more) return more.error();
      if (!*more) break;
    }
    return to_body(response->status, std::move(text));
  }
  Status stream(const std::string& target, const std::function<bool(std::string_view)>& piece) override {
    auto response = answer(net::Method::get, target, {});
    if (!response) return response.error();
    if (auto good = to_body(response->status, std::move(response->body)); !good) return good.error();
    return pump(response->source.get(), piece);
  }
  bool live() const override { return false; }

 private:
  Result<net::Response> answer(net::Method method, const std::string& target, const std::string& body) {
    net::Request request;
    request.method = method;
    request.body = body;
    split(target, request);
    net::Router::Match match = rooms_->router().match(method, request.path);
    if (match.handler == nullptr) return Error{ErrorKind::not_found, fmt::format("there is no route {}", target)};
    request.params = std::move(match.params);
    std::promise<net::Response> promise;
    (*match.handler)(std::move(request), [&promise](net::Response response) { promise.set_value(std::move(response)); });
    return promise.get_future().get();
  }

  /// The commands escape only what would break a URL; here the parts are taken back out.
  static std::string unescape(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '%' && i + 2 < text.size()) {
        out += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
        i += 2;
      } else {
        out += text[i];
      }
    }
    return out;
  }
  static void split(std::string_view target, net::Request& request) {
    const std::size_t mark = std::min(target.find('?'), target.size());
    request.path = unescape(target.substr(0, mark));
    std::string_view query = target.substr(std::min(mark + 1, target.size()));
    while (!query.empty()) {
      const std::size_t end = std::min(query.find('&'), query.size());
      const std::string_view pair = query.substr(0, end);
      const std::size_t equals = std::min(pair.find('='), pair.size());
      request.query.emplace_back(unescape(pair.substr(0, equals)), unescape(pair.substr(std::min(equals + 1, pair.size()))));
      query.remove_prefix(std::min(end + 1, query.size()));
    }
  }
  std::unique_ptr<Rooms> rooms_;
};

std::string url_of(const LookArguments& arguments, const config::Config& config) {
  if (!arguments.url.empty()) return arguments.url;
  const bool tls = !config.server.tls_certificate.empty();
  return fmt::format("{}://{}", tls ? "https" : "http", config.server.listen.front().text());
}

}  // namespace

Status pump(net::BodySource* source, const std::function<bool(std::string_view)>& piece) {
  while (source != nullptr) {
    std::string text;
    auto more = source->next(text);
    if (!more) return more.error();
    if (!text.empty() && !piece(text)) return {};
    if (!*more) return {};
    std::this_thread::sleep_for(std::chrono::microseconds(source->pause().us));
  }
  return {};
}

Result<std::unique_ptr<Source>> open_server(const LookArguments& arguments, const config::Config& config) {
  const std::string url = url_of(arguments, config);
  auto client = net::Client::create(url);
  if (!client) return client.error();
  auto served = std::make_unique<Served>(std::move(*client), config.server.token);
  auto answered = served->ask(net::Method::get, "/healthz", {});
  if (answered) return std::unique_ptr<Source>(std::move(served));
  if (!arguments.url.empty())
    return Error{ErrorKind::unavailable, fmt::format("no iotstream answers at {}: {}", url, answered.error().message)};
  return std::unique_ptr<Source>();
}

Result<std::unique_ptr<Source>> open_source(const LookArguments& arguments, const config::Config& config) {
  auto server = open_server(arguments, config);
  if (!server || *server != nullptr) return server;
  if (!os::real_disk().exists(config.data_dir + "/log")) {
    return Error{ErrorKind::unavailable, fmt::format("no iotstream answers at {}, and there is no data in '{}'",
                                                     url_of(arguments, config), config.data_dir)};
  }
  diagnostics::set_level(diagnostics::Level::warning);
  auto rooms = Rooms::open(config);
  if (!rooms) return rooms.error();
  return std::unique_ptr<Source>(std::make_unique<Stopped>(std::move(*rooms)));
}

std::string escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
                       c == '.' || c == '~';
    plain ? out.push_back(c) : static_cast<void>(out += fmt::format("%{:02X}", static_cast<unsigned char>(c)));
  }
  return out;
}

}  // namespace iotstream::app
