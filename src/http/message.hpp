// A record of the log as the API shows it.
#pragma once

#include <string>

#include <iotstream/base/json.hpp>
#include <iotstream/http/api.hpp>
#include <iotstream/log/log.hpp>

namespace iotstream::http {

/// The members of a message, inside the caller's object: offset, time, append_time, device, schema, value.
void write_message(json::Writer& writer, Services& services, const std::string& topic, const log::Record& record);

}  // namespace iotstream::http
