// The table [mqtt].
#pragma once

#include <iotstream/config/config.hpp>

#include "config/section.hpp"

namespace iotstream::config {

/// `server`: for its token and certificate, which MQTT shares.
Mqtt read_mqtt(Section section, const Server& server);

}  // namespace iotstream::config
