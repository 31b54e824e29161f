#include "log/mark_file.hpp"

#include <array>

namespace iotstream::log {

Result<std::optional<format::Mark>> MarkFile::load() {
  std::optional<format::Mark> newest;
  if (!disk_.exists(path_)) return newest;
  if (auto status = open(); !status) return status.error();
  for (std::uint64_t slot = 0; slot != 2; ++slot) {
    std::array<std::byte, format::sector_size> sector;
    auto got = file_->read_at(slot * format::sector_size, sector);
    if (!got) return got.error();
    const auto mark = format::parse_mark(ByteView(sector).first(*got));
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
  return file_->write_at((sequence_ % 2) * format::sector_size, sector);
}

Status MarkFile::sync() { return file_ == nullptr ? Status() : file_->sync(); }

}  // namespace iotstream::log
