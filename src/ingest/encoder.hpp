// One event of one dataset: from its members' values to the record that the log takes.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <iotstream/catalog/schemas.hpp>
#include <iotstream/log/log.hpp>
#include <iotstream/model/row.hpp>

#include "ingest/members.hpp"

namespace iotstream::ingest {

/// What the log gets. Views are valid until the next begin().
struct Encoded {
  PartitionId partition;
  Timestamp time;
  std::string_view key;  ///< the device
  ByteView row;
};

/// begin(), place() for each value, finish(). Reused from event to event: no allocation once it knows the members. One thread.
/// `topic`, `schemas` and `row` outlive it.
class Encoder {
 public:
  Encoder(std::string dataset, log::Topic& topic, catalog::Schemas& schemas, model::RowBuilder& row);

  log::Topic& topic() { return topic_; }
  Members& members() { return members_; }

  /// Forgets the last event; takes over a schema that grew meanwhile.
  void begin();
  /// Where the next value of `member` goes: to be given a kind and what belongs to it before the next call. The last one of a
  /// member stays. Its text is read in finish() and must live until then.
  model::Value& place(Member& member) {
    if (used_ == cells_.size()) cells_.resize(2 * used_ + 16);
    if (member.role != Role::none) place_role(member.role);
    Cell& cell = cells_[used_++];
    cell.member = &member;
    cell.left_out = false;
    return cell.value;
  }

  /// The event's time when no member tells it: of a source that has it beside the members.
  void set_time(std::optional<Timestamp> time) { given_time_ = time; }

  /// The device, whatever the members say; empty: as they say. Must live until finish().
  void set_device(std::string_view device) { given_device_ = device; }
  /// RowBuilder::set_token: must live until finish() has returned.
  void set_token(std::string_view token) { token_ = token; }

  /// Decides device and time, grows the schema when it must (blocks for one sync then), encodes. Errors: unprocessable (a
  /// device that cannot be one), those of Schemas::evolve: conflict when the dataset's compatibility forbids the event.
  /// `source` is who sent it, for the record of a conflict.
  Result<Encoded> finish(Timestamp arrival, std::string_view source = {});

 private:
  struct Cell {
    Member* member = nullptr;
    model::Value value;
    bool left_out = false;  ///< told by the record's time, or overwritten
  };

  std::span<Cell> cells() { return {cells_.data(), used_}; }
  void place_role(Role role);
  void adopt(model::SchemaPtr schema);
  const Cell* cell_of(Role role) const;
  Status find_device();
  Timestamp find_time(Timestamp arrival);
  std::string_view text_of(const model::Value& value, std::array<char, 24>& buffer) const;
  FactsId find_facts();
  bool fits_schema();
  Status fit_schema(Timestamp arrival, std::string_view source);
  void note_conflicts(Timestamp arrival, std::string_view source);
  ByteView build();

  std::string dataset_;
  log::Topic& topic_;
  catalog::Schemas& schemas_;
  model::RowBuilder& row_;
  Members members_;
  model::SchemaPtr schema_;
  std::uint64_t generation_ = 0;

  std::vector<Cell> cells_;  ///< of which the first used_ are of this event
  std::size_t used_ = 0;
  std::array<std::uint32_t, role_count> role_cells_{};  ///< index + 1 into cells_; 0: not there
  std::string_view device_;
  std::array<char, 24> device_digits_{};  ///< of a device that is an integer
  std::uint16_t flags_ = 0;
  std::optional<Timestamp> given_time_;
  std::string_view given_device_;
  std::string_view token_;
  std::vector<model::FieldDraft> drafts_;

  std::string facts_code_;  ///< of the last event, with what it led to
  FactsId facts_;
  bool facts_known_ = false;
};

}  // namespace iotstream::ingest
