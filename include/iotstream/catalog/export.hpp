// In the words of others: a schema as a model that can be imported again and as JSON Schema, an import's report as JSON.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <iotstream/base/json.hpp>
#include <iotstream/base/result.hpp>
#include <iotstream/catalog/catalog.hpp>
#include <iotstream/model/compatibility.hpp>
#include <iotstream/model/schema.hpp>

namespace iotstream::catalog {

/// The schema as MySQL prints a table with `desc TABLE --xml`. What `models` (documents of the same kind, those of the
/// dataset's prototypes) say of a field stands as they say it, its size, null, key and default included, as long as its type
/// still holds every value; the rest has the widest type of its kind. read_model() of it gives the schema's fields again, and
/// exporting that the same bytes. Errors: those of read_model(), of `models`.
Result<std::string> model_xml_of(const model::Schema& schema, const std::vector<std::string>& models);

/// The schema as JSON Schema (2020-12) of an event as it is told: nested members with dots. A field of a type also holds
/// values of the narrower ones, and null; under `strict` other members are not allowed. What `models` say of a field stands
/// beside it: `default`, `x-type` (`decimal(18,15)`), `x-nullable`, `x-key`. Errors: those of read_model(), of `models`.
Result<std::string> json_schema_of(const model::Schema& schema, model::Compatibility compatibility,
                                   const std::vector<std::string>& models);

/// The members of an object that tells what became of an import: the same for the command line and the API.
void write_members(json::Writer& writer, const ImportReport& report);

}  // namespace iotstream::catalog
