// How a looking command asks: a running server over HTTP, or the same routes over a data directory that nobody serves.
#pragma once

#include <memory>
#include <string>

#include <iotstream/base/result.hpp>
#include <iotstream/net/http.hpp>

#include "app/commands.hpp"

namespace iotstream::app {

class Source {
 public:
  virtual ~Source() = default;
  /// The body of a 2xx answer. Errors: the problem's detail otherwise.
  virtual Result<std::string> ask(net::Method method, const std::string& path, const std::string& body = {}) = 0;
  /// Whether more may come: a served source grows, a stopped one does not.
  virtual bool live() const = 0;
};

/// The server at --url; else the one at the configured address, when it answers; else the data directory itself. `config`
/// outlives it.
Result<std::unique_ptr<Source>> open_source(const LookArguments& arguments, const config::Config& config);

/// `text` as one part of a URL's path or query.
std::string escape(std::string_view text);

}  // namespace iotstream::app
