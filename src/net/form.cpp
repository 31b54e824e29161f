#include <iotstream/net/form.hpp>

#include "net/text.hpp"

namespace iotstream::net {

std::optional<std::vector<std::pair<std::string, std::string>>> read_form(std::string_view body) { return parse_query(body); }

}  // namespace iotstream::net
