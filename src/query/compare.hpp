// One value against operands. The same answers as SQLite gives for the columns of history.db with the same comparison, within
// the class of the operand: numbers are never compared with texts.
#pragma once

#include <string_view>
#include <vector>

#include <iotstream/query/filter.hpp>

namespace iotstream::query {

bool test_value(const model::Value& value, Operator op, const std::vector<Operand>& operands);
/// A value as JSON text (a number, a text, true, false; anything else is a text).
bool test_json(std::string_view json, Operator op, const std::vector<Operand>& operands);

}  // namespace iotstream::query
