// What a payload says, as a body that the gate reads.
#pragma once

#include <string>
#include <string_view>

namespace iotstream::mqtt {

struct Body {
  std::string_view text;  ///< of the payload, or of `made`
  bool envelope = false;  ///< {"DatasetType","data"}: it names its dataset itself
};

/// JSON objects and arrays, and lines of them, stay as they are. A number, true, false, null or any other UTF-8 text becomes
/// {"value": …} in `made`. What is no UTF-8 stays, for the gate to refuse. An envelope is known by its first member.
Body body_of(std::string_view payload, std::string& made);

}  // namespace iotstream::mqtt
