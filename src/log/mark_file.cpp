#include "log/mark_file.hpp"

#include <array>

#include "log/mutation.hpp"

namespace iotstream::log {

using mutation::Site;
using mutation::without;

Result<std::optional<format::Mark>> MarkFile::load() {
  std::optional<format::Mark> newest;
  if (!disk_.exists(path_)) return newest;
  if (auto status = open(); !status) return status.error();
  for (std::uint64_t slot = 0; slot != 2; ++slot) {
    std::array<std::byte, format::sector_size> sector;
    auto got = file_->read_at(slot * format::sector_size, sector);
    if (!got) return got.error();
    const auto mark = format::parse_mark(ByteView(sector).first(*got));
    if (mark && !format::may_belong_to(sector, owner_) && !without(Site::mark_owner)) continue;
    if (mark && (!newest || mark->sequence > newest->sequence)) newest = mark;
  }
  if (newest) sequence_ = newest->sequence;
  return newest;
}

Status MarkFile::open() {
  if (file_ != nullptr) return {};
  auto opened = disk_.open(path_, disk_.exists(path_) ? os::OpenMode::read_write : os::OpenMode::create);
  if (!opened) return opened.error();
  file_ = std::move(*opened);
  return {};
}

Status MarkFile::write(format::Mark mark) {
  if (auto status = open(); !status) return status;
  mark.sequence = ++sequence_;
  std::array<std::byte, format::sector_size> sector;
  format::encode(mark, sector);
  format::stamp_owner(sector, owner_);
  return file_->write_at((sequence_ % 2) * format::sector_size, sector);
}

Status MarkFile::sync() {
  if (file_ == nullptr) return {};
  if (auto status = without(Site::mark_sync) ? Status() : file_->sync(); !status) return status;
  // Also when it was there: who created it may have been killed before the name was synced.
  return without(Site::mark_name_sync) ? Status() : disk_.sync_directory(directory_);
}

}  // namespace iotstream::log
