// Once the members of a dataset are known, a reading costs no allocation.
#include <atomic>
#include <cstdlib>
#include <new>

#include "unit/ingest/fixture.hpp"

namespace {
std::atomic<std::uint64_t> allocations{0};

void* counted(std::size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
}  // namespace

void* operator new(std::size_t size) { return counted(size); }
void* operator new[](std::size_t size) { return counted(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

using namespace iotstream;

TEST_CASE("a thousand readings cost as many allocations as one") {
  test::GateFixture fixture;
  std::string lines;
  for (int i = 0; i < 1000; ++i) {
    const std::string n = std::to_string(10'000 + i);
    lines += "{\"code\":\"X46789-with-a-name-that-no-short-string-holds\",\"dateHour\":\"2018-01-19 05:37:01.6" + n +
             "\",\"@timestamp\":\"2018-01-19T05:37:01.6" + n + "Z\",\"a\":" + n + ",\"b\":8.6200000000" + n +
             ",\"t\":\"text \\u00e9 " + n + "\",\"tyre\":{\"left\":1.5,\"right\":[1, 2 , \"" + n +
             "\"]},\"big\":184467440737095516" + n + ",\"n\":null,\"y\":true}\n";
  }
  const std::string one = lines.substr(0, lines.find('\n'));
  const auto cost = [&](const std::string& body) {
    ingest::Submission submission;
    submission.dataset = "d";
    submission.body = body;
    submission.format = ingest::BodyFormat::ndjson;
    std::uint64_t accepted = 0;
    const std::uint64_t before = allocations.load();
    fixture.gate->submit(submission, [&](const Result<ingest::Outcome>& outcome) { accepted = outcome->accepted; });
    const std::uint64_t after = allocations.load();
    CHECK(accepted == (body.size() == one.size() ? 1u : 1000u));
    return after - before;
  };
  fixture.taken("d", one);
  for (std::uint32_t i = 0; i < 4; ++i) fixture.log.find("d")->partition(PartitionId(i)).forget();
  cost(lines);
  CHECK(cost(lines) == cost(one));
}
