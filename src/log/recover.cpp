#include "log/recover.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include <iotstream/base/diagnostics.hpp>

#include "log/mutation.hpp"

namespace iotstream::log {
namespace {

using mutation::Site;
using mutation::without;

/// A segment without a usable index, opened.
struct Loose {
  std::unique_ptr<os::File> file;
  format::SegmentHeader header;
  std::uint64_t size = 0;
};

class Recovery {
 public:
  Recovery(const RecoverContext& context, MarkFile& marks) : context_(context), marks_(marks) {}

  Result<Recovered> run() {
    auto mark = marks_.load();
    if (!mark) return mark.error();
    result_.mark = *mark;
    if (auto status = list(); !status) return status.error();
    for (place_ = 0; place_ < bases_.size(); ++place_)
      if (auto status = take(bases_[place_]); !status) return status.error();
    // A mark at no place is that of a log that held nothing: it only says where the offsets begin.
    if (result_.segments.empty() && result_.mark && result_.mark->position == 0)
      result_.next_offset = result_.mark->next_offset;
    if (result_.mark && result_.mark->next_offset > result_.next_offset) {
      // Acknowledged records are gone. Their offsets must not come back with other contents.
      report(result_.next_offset, result_.mark->next_offset, path_of(result_.mark->segment_base), result_.mark->position, 0,
             "records that had been durable are missing at the end");
      result_.next_offset = result_.mark->next_offset;
      result_.growing.reset();
    }
    return std::move(result_);
  }

 private:
  Status list() {
    auto names = context_.disk.list(context_.directory);
    if (!names) return names.error();
    for (const std::string& name : *names)
      if (const auto base = parse_segment_file_name(name)) bases_.push_back(*base);
    std::sort(bases_.begin(), bases_.end());
    return {};
  }

  bool is_last() const { return place_ + 1 == bases_.size(); }
  std::string path_of(std::uint64_t base) const { return context_.directory + "/" + segment_file_name(base); }

  Status take(std::uint64_t base) {
    // What retention has left; or the first files were never synced and went with a power cut. Nobody was promised these, and
    // what is there is served.
    if (place_ == 0) result_.next_offset = base;
    if (base < result_.next_offset) return set_aside(base, "damaged", "its offsets are in the segment before it as well");
    if (base > result_.next_offset) {
      auto durable = durable_before(place_, result_.next_offset);
      if (!durable) return durable.error();
      if (!*durable) return set_aside_from(place_, "what stands before it was never synced");
    }
    if (auto summary = stored_summary(base)) {
      report_missing_before(base);
      auto segment = Segment::sealed(context_.disk, context_.directory, *summary, {context_.topic, context_.partition});
      adopt(std::move(segment));
      return {};
    }
    auto loose = open_loose(base);
    if (!loose) {
      if (loose.error().kind != ErrorKind::corrupt) return loose.error();
      return without_header(base, loose.error().message);
    }
    report_missing_before(base);
    return walk(std::move(*loose));
  }

  /// Only for a segment that is one: a file put here by mistake says nothing about what should stand before it.
  void report_missing_before(std::uint64_t base) {
    if (base > result_.next_offset)
      report(result_.next_offset, base, path_of(base), 0, 0, "the records before this segment are missing");
  }

  /// The summary at the front of the index file, when it holds and is this segment's.
  std::optional<format::SegmentSummary> stored_summary(std::uint64_t base) {
    const std::string path = context_.directory + "/" + index_file_name(base);
    if (!context_.disk.exists(path)) return std::nullopt;
    std::array<std::byte, format::summary_size> bytes;
    std::string reason;
    if (auto file = context_.disk.open(path, os::OpenMode::read); !file) {
      reason = file.error().message;
    } else if (auto got = (*file)->read_at(0, bytes); !got) {
      reason = got.error().message;
    } else if (auto summary = format::parse_summary(ByteView(bytes).first(*got)); !summary) {
      reason = summary.error().message;
    } else if (!format::may_belong_to(bytes, format::owner_tag(context_.topic, context_.partition.value)) &&
               !without(Site::index_owner)) {
      reason = "it is another partition's";
    } else if (summary->base_offset == base) {
      return *summary;
    } else {
      reason = "it is another segment's";
    }
    diagnostics::warning("log", "{}: {}; it is rebuilt from the segment", path, reason);
    return std::nullopt;
  }

  Result<Loose> open_loose(std::uint64_t base) {
    Loose loose;
    auto file = context_.disk.open(path_of(base), os::OpenMode::read_write);
    if (!file) return file.error();
    loose.file = std::move(*file);
    auto size = loose.file->size();
    if (!size) return size.error();
    loose.size = *size;
    auto header = Segment::read_header(*loose.file);
    if (!header) return header.error();
    loose.header = std::move(*header);
    const bool own = loose.header.base_offset == base && loose.header.partition == context_.partition.value &&
                     loose.header.topic == context_.topic;
    if (!own && !without(Site::segment_identity))
      return Error{ErrorKind::corrupt, "the segment's header belongs to another file"};
    return loose;
  }

  /// Nothing in the file can be checked without its salt. It is kept under another name.
  Status without_header(std::uint64_t base, const std::string& why) {
    const bool was_durable = !is_last() || (result_.mark && result_.mark->next_offset > base);
    return set_aside(base, was_durable ? "damaged" : "tail", why);
  }

  /// Only the name of the first file says which offsets were given out before it, and that file is about to be put aside: the
  /// next start would begin at 0, or take what retention had removed for lost. The mark says it from now on, before the file
  /// goes. One that tells of more is left: those records are missing, and are reported.
  Status keep_first_offset() {
    if (!result_.segments.empty() || result_.next_offset == 0) return {};
    const auto& known = result_.mark;
    if (known &&
        (known->next_offset > result_.next_offset || (known->position == 0 && known->next_offset == result_.next_offset)))
      return {};
    format::Mark mark;
    mark.segment_base = mark.next_offset = result_.next_offset;
    if (auto status = marks_.write(mark); !status) return status;
    if (auto status = marks_.sync(); !status) return status;
    result_.mark = mark;
    return {};
  }

  Status set_aside(std::uint64_t base, std::string_view kind, std::string_view why) {
    if (auto status = keep_first_offset(); !status) return status;
    const std::string path = path_of(base);
    const std::string aside = fmt::format("{}.{}.{}", path, kind, context_.now.us);
    diagnostics::error("log", "{}: {} is kept as {}: {}", context_.name, segment_file_name(base), aside, why);
    if (auto status = context_.disk.rename(path, aside); !status) return status;
    return without(Site::set_aside_sync) ? Status() : context_.disk.sync_directory(context_.directory);
  }

  Status set_aside_from(std::size_t place, std::string_view why) {
    for (std::size_t later = place; later < bases_.size(); ++later)
      if (auto status = set_aside(bases_[later], "tail", why); !status) return status;
    bases_.resize(place);
    return {};
  }

  void adopt(std::shared_ptr<Segment> segment) {
    const auto summary = segment->summary();
    result_.next_offset = std::max(result_.next_offset, summary.next_offset);
    result_.last_append_us = std::max(result_.last_append_us, summary.last_append_us);
    result_.segments.push_back(std::move(segment));
  }

  /// Reads a segment that has no index, from the durable mark on when it is in there.
  Status walk(Loose loose) {
    const auto& header = loose.header;
    SegmentIndex index(header.salt, header.base_offset);
    const auto& mark = result_.mark;
    if (mark && mark->segment_base == header.base_offset && mark->salt == header.salt && mark->position <= loose.size &&
        mark->position >= format::frames_begin)
      index = SegmentIndex(*mark);
    const auto known = index.summary();
    if (mark && mark->clean && is_last() && known.end_position == mark->position) {
      auto untouched = nothing_stands_at(*loose.file, mark->position);
      if (!untouched) return untouched.error();
      if (*untouched) return finish(std::move(loose), std::move(index), known, false, false);
    }
    FrameScanner scanner(*loose.file, header.salt, {known.end_position, known.next_offset, known.chain}, loose.size, 1u << 20);
    bool cut = false;
    bool closed = false;
    for (bool more = true; more;) {
      auto step = scanner.next();
      if (!step) return step.error();
      switch (*step) {
        case FrameScanner::Step::frame:
          index.add(scanner.frame(), scanner.frame_position());
          break;
        case FrameScanner::Step::end:
          more = false;
          break;
        case FrameScanner::Step::damaged: {
          auto rotten = is_rotten(loose, scanner);
          if (!rotten) return rotten.error();
          if (!*rotten) {
            auto done = cut_tail(loose, scanner);
            if (!done) return done.error();
            cut = *done;
            closed = !*done;
            more = false;
            break;
          }
          auto found = pass_damage(loose, scanner);
          if (!found) return found.error();
          more = *found;
          closed = !more;
          break;
        }
      }
    }
    return finish(std::move(loose), std::move(index), known, cut, closed);
  }

  /// Frames become durable in order: where the first of a later life has left no trace, none of them was acknowledged.
  static Result<bool> nothing_stands_at(const os::File& file, std::uint64_t position) {
    std::array<std::byte, format::frame_header_size> head;
    auto got = file.read_at(position, head);
    if (!got) return got.error();
    return std::all_of(head.begin(), head.begin() + static_cast<std::ptrdiff_t>(*got),
                       [](std::byte b) { return b == std::byte{0}; });
  }

  /// Whether the record that should stand at the scanner's place had been durable: by the mark, or by the word of a good frame
  /// behind it.
  Result<bool> is_rotten(const Loose& loose, const FrameScanner& scanner) {
    const std::uint64_t expected = scanner.next_offset();
    if (!is_last() && bases_[place_ + 1] == expected)
      return false;  // a tail that could not be cut; the log went on in a new segment
    auto here = attested(*loose.file, loose.header.salt, scanner.position(), loose.size, expected);
    if (!here) return here.error();
    if (*here > expected) return true;
    return durable_before(place_ + 1, expected);
  }

  /// Whether the mark, or the segments from `place` on, say that the record at `expected` had been durable.
  Result<bool> durable_before(std::size_t place, std::uint64_t expected) {
    if (result_.mark && result_.mark->next_offset > expected) return true;
    for (std::size_t later = place; later < bases_.size(); ++later) {
      // An index is stored only after its segment, and so all before it, has been synced.
      if (stored_summary(bases_[later])) return true;
      auto other = open_loose(bases_[later]);
      if (!other) continue;
      auto there = attested(*other->file, other->header.salt, format::frames_begin, other->size, bases_[later]);
      if (!there) return there.error();
      if (*there > expected) return true;
    }
    return false;
  }

  /// The greatest durable offset that any good frame in [from, end) testifies.
  static Result<std::uint64_t> attested(const os::File& file, std::uint64_t salt, std::uint64_t from, std::uint64_t end,
                                        std::uint64_t expected) {
    std::uint64_t durable = 0;
    FrameScanner scanner(file, salt, {from, expected, std::nullopt}, end, 1u << 20);
    for (;;) {
      auto step = scanner.next();
      if (!step) return step.error();
      if (*step == FrameScanner::Step::end) return durable;
      if (*step == FrameScanner::Step::frame) {
        durable = std::max(durable, scanner.frame().durable_offset);
        continue;
      }
      auto found = scanner.resync();
      if (!found) return found.error();
      if (!*found) return durable;
    }
  }

  /// False when the tail could not be put aside for lack of space: it stays, and the log goes on in a new segment.
  Result<bool> cut_tail(Loose& loose, const FrameScanner& scanner) {
    const std::string path = path_of(loose.header.base_offset);
    auto content_end = end_of_content(*loose.file, scanner.position(), loose.size);
    if (!content_end) return content_end.error();
    const std::uint64_t bytes = *content_end - scanner.position();
    const std::string aside = fmt::format("{}.tail.{}", path, context_.now.us);
    auto copied = copy(*loose.file, scanner.position(), *content_end, aside);
    if (!copied && copied.error().kind == ErrorKind::disk_full) {
      diagnostics::warning("log", "{}: a torn tail of {} bytes from offset {} stays in {}: no space to put it aside",
                           context_.name, bytes, scanner.next_offset(), path);
      return false;
    }
    if (!copied) return copied.error();
    // finish() syncs it, before anything is written there again.
    if (auto status = loose.file->truncate(scanner.position()); !status) return status.error();
    loose.size = scanner.position();
    context_.counters.torn_bytes.add(bytes);
    diagnostics::warning("log",
                         "{}: a torn tail of {} bytes at byte {} of {} ({}), from offset {} on, was put aside as {} and cut",
                         context_.name, bytes, scanner.position(), path, scanner.reason(), scanner.next_offset(), aside);
    return true;
  }

  Status copy(const os::File& from, std::uint64_t begin, std::uint64_t end, const std::string& to) {
    if (context_.disk.exists(to))
      if (auto status = context_.disk.remove(to); !status) return status;
    auto file = context_.disk.open(to, os::OpenMode::create);
    if (!file) return file.error();
    std::vector<std::byte> chunk(1u << 20);
    for (std::uint64_t at = begin; at < end;) {
      const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(chunk.size(), end - at));
      auto got = from.read_at(at, MutableByteView(chunk).first(size));
      if (!got) return got.error();
      if (*got == 0) break;
      if (auto status = (*file)->write_at(at - begin, ByteView(chunk).first(*got)); !status) return status;
      at += *got;
    }
    if (auto status = without(Site::aside_sync) ? Status() : (*file)->sync(); !status) return status;
    return without(Site::aside_name_sync) ? Status() : context_.disk.sync_directory(context_.directory);
  }

  /// Reports what lies between here and the next good frame, and goes there; false when there is none.
  Result<bool> pass_damage(const Loose& loose, FrameScanner& scanner) {
    const std::string path = path_of(loose.header.base_offset);
    const std::string reason = scanner.reason();
    const std::uint64_t position = scanner.position();
    const std::uint64_t first = scanner.next_offset();
    auto found = scanner.resync();
    if (!found) return found.error();
    if (!*found) {
      // How far it reaches is known from what comes next: the next segment, or the mark. Both report it as missing.
      auto content_end = end_of_content(*loose.file, position, loose.size);
      if (!content_end) return content_end.error();
      context_.counters.corrupt_bytes.add(*content_end - position);
      diagnostics::error("log", "{}: {} from byte {} on cannot be read: {}", context_.name, path, position, reason);
      return false;
    }
    report(first, (*found)->base_offset, path, position, scanner.position() - position, reason);
    return true;
  }

  /// What stands behind the mark may be in the page cache only, and be called clean there by a sync that failed before the
  /// restart: a sync now would succeed and mean nothing. Written once more it is dirty again, and the sync means what it says.
  static Status write_again(os::File& file, std::uint64_t begin, std::uint64_t end) {
    std::vector<std::byte> chunk(static_cast<std::size_t>(std::min<std::uint64_t>(1u << 20, end - begin)));
    while (begin < end) {
      const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(chunk.size(), end - begin));
      auto got = file.read_at(begin, MutableByteView(chunk).first(size));
      if (!got) return got.error();
      if (*got == 0) break;
      if (auto status = file.write_at(begin, ByteView(chunk).first(*got)); !status) return status;
      begin += *got;
    }
    return {};
  }

  /// `start` is what was known before the walk: by the mark, or nothing.
  Status finish(Loose loose, SegmentIndex index, const format::SegmentSummary& start, bool cut, bool closed) {
    const std::uint32_t format = loose.header.format;
    const auto known = index.summary();
    const bool durable_already = result_.mark && result_.mark->next_offset == known.next_offset && !cut;
    if (closed && is_last() && known.next_offset == known.base_offset && !durable_already) {
      // Nothing good in it, and no space to copy it: it makes room under its name for the segment that begins here.
      if (!result_.mark || result_.mark->next_offset <= known.base_offset)
        return set_aside(known.base_offset, "tail", "nothing in it was ever synced");
    }
    if (!durable_already) {
      const std::uint64_t begin = start.end_position == format::frames_begin ? 0 : start.end_position;
      if (auto status = write_again(*loose.file, begin, known.end_position); !status) return status;
    }
    auto segment = Segment::growing(context_.disk, context_.directory, std::move(loose.file), std::move(index), loose.size,
                                    context_.segment_size, {context_.topic, context_.partition});
    if (!durable_already && !without(Site::recovered_sync))
      if (auto status = segment->sync(); !status) return status;
    adopt(segment);
    auto orphans = followed_by_orphans(known.next_offset, cut, closed);
    if (!orphans) return orphans.error();
    if (*orphans)
      if (auto status = set_aside_from(place_ + 1, "it follows what was never synced, so it was never acknowledged"); !status)
        return status;
    // A segment of an older format takes no more: what is new in this one would not be said by its header.
    if (!closed && is_last() && format == format::version) {
      result_.growing = std::move(segment);
    } else if (closed) {
      segment->close();
    } else {
      if (auto status = segment->seal(); !status && status.error().kind != ErrorKind::disk_full) return status;
    }
    return {};
  }

  /// Whether the next file continues records that are not there and never were durable. Known before this segment is closed:
  /// the log goes on in it.
  Result<bool> followed_by_orphans(std::uint64_t next_offset, bool cut, bool closed) {
    // A segment that begins where a cut one ends was begun when the tail was no part of it any more: it is kept.
    if (is_last() || cut || closed || bases_[place_ + 1] <= next_offset)
      return !is_last() && cut && bases_[place_ + 1] != next_offset;
    auto durable = durable_before(place_ + 1, next_offset);
    if (!durable) return durable.error();
    return !*durable;
  }

  void report(std::uint64_t first, std::uint64_t next, std::string file, std::uint64_t position, std::uint64_t bytes,
              std::string reason) {
    context_.counters.corrupt_bytes.add(bytes);
    diagnostics::error("log", "{}: offsets {} to {} are lost ({}, byte {}): {}", context_.name, first, next - 1, file, position,
                       reason);
    result_.damage.push_back({context_.partition, Offset(first), Offset(next), std::move(file), position, std::move(reason)});
  }

  const RecoverContext& context_;
  MarkFile& marks_;
  std::vector<std::uint64_t> bases_;
  std::size_t place_ = 0;
  Recovered result_;
};

}  // namespace

Result<Recovered> recover(const RecoverContext& context, MarkFile& marks) { return Recovery(context, marks).run(); }

}  // namespace iotstream::log
