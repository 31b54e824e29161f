// A dead letter as a record of its topic: one line of JSON, then the bytes as they came. A record without a key lists letters
// that are settled: {"settled":[17,18]}.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <iotstream/ingest/dead_letters.hpp>
#include <iotstream/ingest/gate.hpp>

namespace iotstream::ingest {

std::string_view name_of(LetterForm form);

std::string encode(const DeadLetter& letter);
/// Nothing for a record of settled letters, and for one that cannot be read. `id` stays empty.
std::optional<DeadLetter> decode(const log::Record& record);

/// How a letter of form point is read, for its header; and back.
std::string encode(const PointRules& rules);
PointRules decode_rules(std::string_view text);

std::string encode_settled(const std::vector<std::uint64_t>& offsets);
/// Empty for any other record.
std::vector<std::uint64_t> decode_settled(const log::Record& record);

}  // namespace iotstream::ingest
