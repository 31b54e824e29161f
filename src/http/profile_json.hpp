// Profiles and correlations as the API shows them.
#pragma once

#include <string>
#include <vector>

#include <iotstream/base/json.hpp>
#include <iotstream/model/schema.hpp>
#include <iotstream/profile/profile.hpp>

namespace iotstream::http {

/// What the answer says beside the profile.
struct ProfileFrame {
  std::string dataset;
  const model::Schema* schema = nullptr;
  std::vector<FieldId> fields;  ///< that are shown, in this order
  bool complete = true;         ///< false: there are older events that were not read
  Duration took;
  bool correlations = false;
};

/// Options for a profile of these fields of a schema: with `correlated` the first numeric ones, up to as many as are compared.
profile::Options profile_options(const model::Schema& schema, const std::vector<FieldId>& fields, bool correlated);
std::string profile_json(const profile::Profile& profile, const ProfileFrame& frame);
/// Only the correlations.
std::string correlations_json(const profile::Profile& profile, const ProfileFrame& frame);

}  // namespace iotstream::http
