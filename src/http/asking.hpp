// What the routes of questions share.
#pragma once

#include <functional>
#include <memory>

#include <iotstream/http/questions.hpp>
#include <iotstream/query/filter.hpp>

#include "http/parameters.hpp"

namespace iotstream::http {

/// A handler whose work runs on the askers; 503 when their queue is full.
net::Handler on_askers(Questions& questions, std::function<Answer(const net::Request&)> work);

/// `where=`, in the language of room query; nullptr when it is absent. Errors: invalid, with the place of what is wrong.
Result<std::shared_ptr<const query::Bound>> where_parameter(Services& services, const net::Request& request,
                                                            const model::Schema& schema);

/// Asked while a question runs: whether the client has left.
std::function<bool()> client_left(const net::Request& request);

/// True once the client has left, or the process stops.
class GivenUp {
 public:
  GivenUp(const Questions& questions, const net::Request& request) : questions_(questions), left_(client_left(request)) {}
  explicit operator bool() const { return left_() || questions_.stopping(); }

 private:
  const Questions& questions_;
  std::function<bool()> left_;
};

void add_sql_route(net::Router& router, Questions& questions);
void add_profile_routes(net::Router& router, Questions& questions);
void add_file_routes(net::Router& router, Services& services);

}  // namespace iotstream::http
