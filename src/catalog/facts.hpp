// The further facts of a prototype.
#pragma once

#include <iotstream/catalog/catalog.hpp>

namespace iotstream::catalog {

/// Errors: invalid for names that cannot be members of an event beside those that it has anyway, and for values that are no
/// JSON scalars.
Status check_facts(const Facts& facts);

}  // namespace iotstream::catalog
