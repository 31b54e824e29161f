// Answers in Elasticsearch's words.
#pragma once

#include <string>
#include <string_view>

#include <iotstream/base/json.hpp>
#include <iotstream/ingest/gate.hpp>
#include <iotstream/net/http.hpp>

#include "elastic/bulk.hpp"

namespace iotstream::elastic {

/// With the header by which clients know the product.
net::Response respond_with(std::string body, unsigned status = 200);
net::Response error_response(unsigned status, std::string_view type, std::string_view reason);
net::Response error_response(const Error& error);
net::Response no_such_index(std::string_view index);

/// What became of one action. `result`: of its submission; nullptr: it was not tried, since the log refused one before it.
/// Returns its status.
unsigned write_item(json::Writer& json, const Action& action, const Result<ingest::Outcome>* result);
/// An action that is not done here at all.
unsigned write_refused_item(json::Writer& json, const Action& action, std::string_view reason);

/// The members of a document's own answer, without the enclosing object.
unsigned write_outcome(json::Writer& json, const Action& action, const Result<ingest::Outcome>* result);

std::string banner();          ///< of `GET /`
std::string cluster_health();  ///< of `GET /_cluster/health`

}  // namespace iotstream::elastic
