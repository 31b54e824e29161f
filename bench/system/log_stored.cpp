// Much stored: start after kill -9 with 1, 5 and 10 parts of it, sequential reading, seeking by time.
#include "bench/system/log_stored.hpp"

#include <algorithm>
#include <random>

#include <fmt/format.h>

#include <iotstream/os/disk.hpp>

#include "bench/support/server_process.hpp"
#include "bench/support/timing.hpp"
#include "bench/system/log.hpp"

namespace iotstream::bench {

namespace {

/// What may be stored: as asked for, but never more than half of what is free.
Result<std::uint64_t> size_with_room(const std::string& folder, const Options& options) {
  const std::uint64_t wanted = options.quick ? std::min<std::uint64_t>(options.stored_size, 96u << 20) : options.stored_size;
  auto free = os::real_disk().free_bytes(folder);
  if (!free) return free.error();
  if (wanted <= *free / 2) return wanted;
  note(
      fmt::format("{} are free: {} are stored instead of {}", format_size(*free), format_size(*free / 2), format_size(wanted)));
  return *free / 2;
}

/// Reads records until `bytes` of them are read; MB a second.
Result<double> read_rate(log::Partition& partition, std::uint64_t bytes) {
  std::uint64_t read = 0;
  const std::int64_t begin_ns = now_ns();
  for (Offset at; read < bytes;) {
    auto batch = partition.read(at, 1u << 20, log::Watermark::durable);
    if (!batch) return batch.error();
    if (batch->empty()) return Error{ErrorKind::corrupt, fmt::format("no record at offset {}", at)};
    for (const log::Record& record : batch->records()) read += record.key.size() + record.value.size();
    at = batch->records().back().offset + 1;
  }
  return static_cast<double>(read) / seconds_since(begin_ns) / 1e6;
}

/// CRC-32C of as many bytes, in one stream of dependent instructions: in pieces short of where crc32c() sums in lanes.
double checksum_rate(std::uint64_t bytes) {
  constexpr std::size_t piece = 8192;
  const std::vector<std::byte> chunk(1u << 20, std::byte{1});
  std::uint32_t crc = 0;
  const std::int64_t begin_ns = now_ns();
  std::uint64_t summed = 0;
  for (; summed < bytes; summed += piece) crc = crc32c(ByteView(chunk).subspan(summed % chunk.size(), piece), crc);
  const double seconds = seconds_since(begin_ns);
  return crc == 0 && summed == 0 ? 0 : static_cast<double>(summed) / seconds / 1e6;
}

Result<Figure> reading(log::Partition& partition, std::uint64_t stored, bool quick) {
  // Sealed segments only, and few enough that they stay in the page cache.
  const std::uint64_t bytes = std::min<std::uint64_t>(stored / 2, quick ? 16u << 20 : 1u << 30);
  if (auto warm = read_rate(partition, bytes); !warm) return warm.error();
  auto turns = InTurns::run(
      quick ? 2 : 7, [&] { return read_rate(partition, bytes); }, [&]() -> Result<double> { return checksum_rate(bytes); });
  if (!turns) return turns.error();
  return turns->figure("sequential read of sealed segments, checksums verified", "MB/s", "CRC-32C alone, one stream", 0.4,
                       Good::at_least);
}

Result<std::vector<Figure>> seeking(log::Partition& partition, const std::string& stored, bool quick) {
  std::mt19937_64 random(20'260'101);
  const std::uint64_t end = partition.watermarks().durable.value;
  std::vector<double> ms;
  TimerLateness timer;
  for (int i = 0; i != (quick ? 200 : 5000); ++i) {
    const std::uint64_t offset = random() % end;
    const std::int64_t begin_ns = now_ns();
    auto found = partition.seek(stored_time(offset));
    ms.push_back(static_cast<double>(now_ns() - begin_ns) / 1e6);
    if (!found) return found.error();
    if (found->value != offset)
      return Error{ErrorKind::corrupt, fmt::format("the time of offset {} was found at {}", offset, *found)};
  }
  const double lateness_ms = quantile(timer.stop_ms(), 0.99);
  const std::uint64_t runs = ms.size();
  return std::vector<Figure>{
      {fmt::format("seek by time in {}, p50", stored), quantile(ms, 0.5), "ms", runs, "target", 1, 1, Good::at_most},
      {fmt::format("seek by time in {}, p99", stored), quantile(ms, 0.99), "ms", runs, "a bare 1 ms timer's lateness, p99",
       lateness_ms}};
}

void add_starts(std::vector<Figure>& figures, const Starts& starts, const std::string& stored) {
  figures.push_back(
      beside_target(fmt::format("start after kill -9 with {}, the log", stored), starts.log_ms, "ms", 200, Good::at_most));
  figures.push_back(beside_target(fmt::format("start after kill -9 with {}, the whole program", stored), starts.program_ms,
                                  "ms", 200, Good::at_most));
}

}  // namespace

Result<std::vector<Figure>> log_stored_figures(const Options& options) {
  const TemporaryFolder folder;
  auto size = size_with_room(folder.path(), options);
  if (!size) return size.error();
  const std::string data_dir = folder.path() + "/data";
  std::vector<Figure> figures;
  InTurns growth;
  for (const std::uint64_t tenths : {1u, 5u, 10u}) {
    const std::uint64_t stored = *size * tenths / 10;
    if (auto status = fill_stored(data_dir + "/log", stored); !status) return status.error();
    auto starts = starts_after_kill(data_dir, options.quick ? 1 : 5, options.quick ? 20 : 200);
    if (!starts) return starts.error();
    add_starts(figures, *starts, format_size(stored));
    (tenths == 1 ? growth.limit : growth.ours) = starts->log_ms;
  }
  figures.push_back(growth.figure("start after kill -9 with all of it, the log", "ms", "with a tenth of it", 2, Good::at_most));

  auto log = OwnLog::open(data_dir + "/log", 0);  // no cache: what is read comes from the files
  if (!log) return log.error();
  auto partition = (*log)->partition(stored_topic, log::Sync::batch);
  if (!partition) return partition.error();
  auto read = reading(**partition, *size, options.quick);
  if (!read) return read.error();
  figures.push_back(std::move(*read));
  auto sought = seeking(**partition, format_size(*size), options.quick);
  if (!sought) return sought.error();
  figures.insert(figures.end(), sought->begin(), sought->end());
  return figures;
}

}  // namespace iotstream::bench
