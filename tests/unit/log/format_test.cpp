#include "log/format.hpp"

#include <array>
#include <random>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "support/random.hpp"

using namespace iotstream;
using namespace iotstream::log;

namespace {

std::vector<std::byte> frame_with(std::string_view key, std::string_view value) {
  std::vector<std::byte> frame(
      format::align_frame(format::frame_header_size + format::record_header_size + key.size() + value.size()));
  std::byte* at = frame.data() + format::frame_header_size;
  store_le(at, static_cast<std::uint32_t>(value.size()));
  store_le(at + 4, static_cast<std::uint32_t>(key.size()));
  store_le(at + 8, std::int64_t{1'700'000'000'000'001});
  std::memcpy(at + 16, key.data(), key.size());
  std::memcpy(at + 16 + key.size(), value.data(), value.size());
  return frame;
}

format::FrameHeader header_for(const std::vector<std::byte>& frame) {
  format::FrameHeader header;
  header.length = static_cast<std::uint32_t>(frame.size());
  header.previous_crc = 0x01020304;
  header.base_offset = 0x1122334455;
  header.count = 1;
  header.append_time_us = 1'700'000'000'000'002;
  header.min_time_us = header.max_time_us = 1'700'000'000'000'001;
  header.durable_offset = 0x1122334450;
  return header;
}

std::string hex(ByteView bytes) {
  std::string text;
  for (const std::byte b : bytes) text += fmt::format("{:02x}", static_cast<unsigned>(b));
  return text;
}

}  // namespace

TEST_CASE("a sealed frame is, byte by byte, what FORMAT.md says") {
  auto frame = frame_with("dev", "{}");
  format::seal(frame, header_for(frame), 0x0807060504030201, 1024);
  CHECK(hex(ByteView(frame).first(8)) == "4254434858000000");  // BTCH, 88
  CHECK(hex(ByteView(frame).subspan(12)) ==
        "04030201"
        "5544332211000000"
        "01000000"
        "00000000"
        "02401e18240a0600"
        "01401e18240a0600"
        "01401e18240a0600"
        "5044332211000000"
        "02000000"
        "03000000"
        "01401e18240a0600"
        "6465767b7d"
        "000000");
  // The checksum, computed from its definition.
  std::vector<std::byte> covered(16);
  store_le(covered.data(), std::uint64_t{0x0807060504030201});
  store_le(covered.data() + 8, std::uint64_t{1024});
  covered.insert(covered.end(), frame.begin() + 12, frame.end());
  CHECK(load_le<std::uint32_t>(frame.data() + 8) == crc32c(covered));
}

TEST_CASE("a frame passes only as it was sealed, where it was sealed") {
  auto frame = frame_with("device", "some value");
  format::seal(frame, header_for(frame), 77, 4096);
  const auto header = format::parse_frame_header(frame);
  REQUIRE(header);
  CHECK(header->base_offset == 0x1122334455);
  CHECK(header->durable_offset == 0x1122334450);
  CHECK(format::check_frame(frame, 77, 4096));
  CHECK_FALSE(format::check_frame(frame, 78, 4096));
  CHECK_FALSE(format::check_frame(frame, 77, 4104));
  for (std::size_t i = 8; i != frame.size(); ++i)
    for (int bit = 0; bit != 8; ++bit) {
      frame[i] ^= std::byte{1} << bit;
      REQUIRE_FALSE(format::check_frame(frame, 77, 4096));
      frame[i] ^= std::byte{1} << bit;
    }
}

TEST_CASE("headers that cannot be true are no headers") {
  auto frame = frame_with("device", "some value");
  auto header = header_for(frame);
  format::seal(frame, header, 77, 4096);
  CHECK_FALSE(format::parse_frame_header(ByteView(frame).first(63)));
  auto with = [&frame](std::size_t at, std::uint32_t number) {
    auto changed = frame;
    store_le(changed.data() + at, number);
    return changed;
  };
  CHECK_FALSE(format::parse_frame_header(with(0, 0)));
  CHECK_FALSE(format::parse_frame_header(with(4, 65)));
  CHECK_FALSE(format::parse_frame_header(with(4, 8)));
  CHECK_FALSE(format::parse_frame_header(with(4, 0xfffffff8)));
  CHECK_FALSE(format::parse_frame_header(with(24, 0)));
  CHECK_FALSE(format::parse_frame_header(with(24, 0xffffffff)));
}

TEST_CASE("records that do not fit their frame are not read") {
  auto frame = frame_with("key", "value");
  const std::byte* at = frame.data() + format::frame_header_size;
  const std::byte* const end = frame.data() + frame.size();
  store_le(frame.data() + format::frame_header_size, std::uint32_t{0xfffffff0});
  CHECK_FALSE(format::parse_record(at, end));
  store_le(frame.data() + format::frame_header_size + 4, std::uint32_t{format::key_size_mask});
  CHECK_FALSE(format::parse_record(at, end));
  // A gap of nothing; a record whose producer does not fit.
  store_le(frame.data() + format::frame_header_size, std::uint32_t{0});
  store_le(frame.data() + format::frame_header_size + 4, format::gap_bit);
  CHECK_FALSE(format::parse_record(at, end));
  store_le(frame.data() + format::frame_header_size + 4, format::producer_bit);
  CHECK_FALSE(format::parse_record(at, at + format::record_header_size + format::producer_size - 1));
  at = end - 15;
  CHECK_FALSE(format::parse_record(at, end));
}

TEST_CASE("segment header, mark and summary read back, and fail with any bit flipped") {
  std::array<std::byte, format::sector_size> sector;
  format::encode(format::SegmentHeader{99, 3, 12345, 678, "töpic"}, sector);
  auto header = format::parse_segment_header(sector);
  REQUIRE(header);
  CHECK(header->salt == 99);
  CHECK(header->topic == "töpic");
  CHECK(header->base_offset == 12345);
  IOTSTREAM_SEEDED(random);
  for (int i = 0; i != 300; ++i) {
    auto damaged = sector;
    damaged[random() % damaged.size()] ^= std::byte{1} << (random() % 8);
    REQUIRE_FALSE(format::parse_segment_header(damaged));
  }
  format::encode(format::Mark{8, 1, 2, 3, 4, 5, 6, 7, 9, 10}, sector);
  auto mark = format::parse_mark(sector);
  REQUIRE(mark);
  CHECK(mark->sequence == 8);
  CHECK(mark->first_append_us == 10);
  sector[100] ^= std::byte{1};
  CHECK_FALSE(format::parse_mark(sector));
  CHECK_FALSE(format::parse_mark(ByteView(sector).first(100)));
  std::array<std::byte, format::summary_size> bytes;
  const format::SegmentSummary summary{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  format::encode(summary, bytes);
  CHECK(*format::parse_summary(bytes) == summary);
  bytes[70] ^= std::byte{1};
  CHECK(format::parse_summary(bytes).error().kind == ErrorKind::corrupt);
}

TEST_CASE("a newer format is refused by name, not as damage") {
  std::array<std::byte, format::sector_size> sector;
  format::encode(format::SegmentHeader{99, 3, 12345, 678, "t"}, sector);
  store_le(sector.data() + 8, std::uint32_t{format::version + 1});
  store_le(sector.data() + 508, crc32c(ByteView(sector).first(508)));
  CHECK(format::parse_segment_header(sector).error().kind == ErrorKind::unsupported);
}
