// What an observer may see of the watermarks while the writer and the sync thread work.
#include <atomic>
#include <thread>

#include "log_fixture.hpp"

using namespace iotstream;
using namespace iotstream::log;
using iotstream::log::test::LogFixture;

// The sync thread may be in a round, for the batch before, when the writer publishes the next one. Once it heard of a batch
// before `written` had moved, and `durable` could pass it. That window is some nanoseconds wide: the model looks into it
// (model.log_without_written_first), this test looks at everything around it.
TEST_CASE("the watermarks keep their order at every moment, and never go back", "[threads]") {
  LogFixture f;
  f.open();
  auto& partition = f.partition();
  std::atomic<bool> over{false};
  std::atomic<int> wrong{0};
  std::atomic<std::uint64_t> looks{0};
  std::thread observer([&] {
    Watermarks last;
    while (!over.load(std::memory_order_relaxed)) {
      const Watermarks now = partition.watermarks();
      if (now.earliest > now.durable || now.durable > now.written || now.durable < last.durable || now.written < last.written)
        wrong.fetch_add(1, std::memory_order_relaxed);
      last = now;
      looks.fetch_add(1, std::memory_order_relaxed);
    }
  });
  Offset last;
  for (int i = 0; i != 5'000; ++i) {  // a batch for each record, and the sync thread close behind
    last = LogFixture::append(partition, i, "k", "v");
    while (partition.watermarks().written <= last) std::this_thread::yield();
  }
  REQUIRE(LogFixture::wait(partition, Watermark::durable, last));
  over.store(true, std::memory_order_relaxed);
  observer.join();
  CHECK(wrong.load() == 0);
  CHECK(looks.load() > 0);
}
