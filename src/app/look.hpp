// How a looking command asks: a running server over HTTP, or the same routes over a data directory that nobody serves.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <iotstream/base/result.hpp>
#include <iotstream/net/http.hpp>

#include "app/commands.hpp"

namespace iotstream::app {

class Source {
 public:
  virtual ~Source() = default;
  /// The body of a 2xx answer. Errors: the problem's detail otherwise.
  virtual Result<std::string> ask(net::Method method, const std::string& path, const std::string& body = {}) = 0;
  /// The same for answers that come in pieces, in whatever time they take; false from `piece` ends it. HTTP's GET.
  virtual Status stream(const std::string& path, const std::function<bool(std::string_view)>& piece) = 0;
  /// Whether more may come: a served source grows, a stopped one does not.
  virtual bool live() const = 0;
};

/// The server at --url, else the one at the configured address; a null pointer when none answers there. Errors: unavailable
/// when none answers at --url.
Result<std::unique_ptr<Source>> open_server(const LookArguments& arguments, const config::Config& config);

/// The server at --url; else the one at the configured address, when it answers; else the data directory itself. `config`
/// outlives it.
Result<std::unique_ptr<Source>> open_source(const LookArguments& arguments, const config::Config& config);

/// Gives all pieces of a body, pausing where the source says so.
Status pump(net::BodySource* source, const std::function<bool(std::string_view)>& piece);

/// `text` as one part of a URL's path or query.
std::string escape(std::string_view text);

}  // namespace iotstream::app
