// Bodies that a route takes while they arrive, where they are too long to be gathered first.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <iotstream/net/http.hpp>

namespace iotstream::net {

/// Takes the body of one request. take() and finish() run on the server's worker threads, one call at a time, and may block for
/// a while: the client is read one piece ahead and then waits. Destroyed when the request has been answered, or, without
/// finish(), when the client left or the body broke off.
class BodySink {
 public:
  virtual ~BodySink() = default;
  /// The next bytes of the body as sent. False: no more is wanted, finish() comes next and the connection ends with the answer.
  virtual bool take(std::string_view bytes) = 0;
  /// The body is whole, or take() has said no. `respond` may be called later, from any thread.
  virtual void finish(Respond respond) = 0;
};

/// Looks at a request of which `head` has come and more is to come; the request's own body is empty. Nothing: the body is
/// gathered whole, as far as server.max_body allows, for the route's handler. Called on a socket thread: must not block.
using SinkOpener = std::function<std::unique_ptr<BodySink>(const Request& request, std::string_view head)>;

/// The POST routes that take long bodies in pieces, by the pattern that the router knows them by. Filled before the server
/// starts, then only read.
class BodySinks {
 public:
  void add(std::string pattern, SinkOpener opener) { openers_[std::move(pattern)] = std::move(opener); }
  /// nullptr: there is none.
  const SinkOpener* find(const std::string& pattern) const {
    const auto found = openers_.find(pattern);
    return found == openers_.end() ? nullptr : &found->second;
  }

 private:
  std::map<std::string, SinkOpener> openers_;
};

}  // namespace iotstream::net
