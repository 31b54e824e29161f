// Lives that follow each other: what one start leaves for the next. Both were found by random work against a reference.
#include <algorithm>

#include "hand_driven.hpp"
#include "support/random.hpp"

using namespace iotstream;
using namespace iotstream::log;
using iotstream::log::test::HandDriven;
using iotstream::log::test::LogFixture;
using iotstream::test::MemoryDisk;

// A failed sync leaves pages that the kernel calls clean and never writes, but shows to whoever reads. The next start read
// them, synced (which succeeded, and meant nothing), and went on behind them: a loss of power then took what had been
// acknowledged.
TEST_CASE("fsyncgate over a restart: what a failed sync left in the page cache is written again before it counts") {
  IOTSTREAM_SEEDED(random);
  HandDriven h;
  h.create();
  h.put(0, "0");
  bool fails = true;
  h.disk->set_fault([&fails](MemoryDisk::Kind kind, const std::string& path) -> std::optional<Error> {
    if (kind != MemoryDisk::Kind::sync || !path.ends_with(".segment") || !std::exchange(fails, false)) return std::nullopt;
    return Error{ErrorKind::io, "the disk lost it"};
  });
  for (int i = 0; i != 2; ++i) {  // several sectors each, so that what follows does not write theirs again
    REQUIRE(h.partition().append(Timestamp{0}, "k", as_bytes(std::string(3000, 's'))).status == AppendStatus::accepted);
    REQUIRE(h.partition().serve() == PartitionLog::Work::done);
  }
  h.partition().sync();
  REQUIRE(h.partition().status().read_only);
  REQUIRE_FALSE(fails);

  h.reopen();  // the same machine: its page cache still shows all three
  h.put(0, "next");
  const auto durable = h.partition().watermarks().durable;
  REQUIRE(durable == Offset(4));
  h.disk = h.disk->after_power_cut(random, 0);
  h.reopen();
  CHECK(h.partition().watermarks().durable == durable);
  CHECK(LogFixture::read_all(h.partition()).size() == 4);
  CHECK(h.partition().status().damage.empty());
}

// A torn tail that could not be put aside for want of space stays, and the log goes on in a new segment. The start after that
// had space, cut the tail, and set the new segment aside with it, "because it follows a torn tail": acknowledged records were
// gone.
TEST_CASE("a torn tail on a full disk: what was acknowledged behind it stays when the tail is cut later") {
  HandDriven h;
  h.create();
  for (int i = 0; i != 5; ++i) h.put(0, fmt::format("{}", i));
  const std::string first = "log/t/0/" + segment_file_name(0);
  auto bytes = h.disk->content(first);
  std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(h.partition().bytes() + 40), 100, std::byte{0x5a});
  h.disk = h.disk->copy();
  h.disk->set_content(first, bytes);
  h.disk->set_capacity(0);
  h.reopen();
  REQUIRE(h.partition().watermarks().durable == Offset(5));
  h.disk->set_capacity(1u << 30);
  h.put(0, "5");
  h.put(0, "6");
  REQUIRE(h.partition().status().segments == 2);
  const auto check = [&h] {
    CHECK(h.partition().watermarks().durable == Offset(7));
    const auto seen = LogFixture::read_all(h.partition());
    REQUIRE(seen.size() == 7);
    for (std::uint64_t i = 0; i != 7; ++i) CHECK(seen[i].value == fmt::format("{}", i));
    CHECK(h.partition().status().damage.empty());
  };
  check();
  h.disk = h.disk->copy();
  h.reopen();
  check();
  const auto paths = h.disk->paths();
  CHECK(std::ranges::any_of(paths, [&first](const auto& path) { return path.starts_with(first + ".tail."); }));
  h.reopen();
  check();
}
