// One record of the log as the API shows it.
#pragma once

#include <optional>
#include <string>

#include <iotstream/http/api.hpp>
#include <iotstream/log/log.hpp>

namespace iotstream::http {

/// `{"offset","time","append_time","device","schema","value":{…}}`, with "partition" in front when one is given. The value is
/// the event's members, or for internal topics the stored text.
void append_message(std::string& out, Services& services, const std::string& topic, const log::Record& record,
                    std::optional<PartitionId> partition = std::nullopt);

}  // namespace iotstream::http
