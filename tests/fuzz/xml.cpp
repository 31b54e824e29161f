// Models as `desc --xml` prints them: what is read can be written, and read again as the same.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <iotstream/catalog/catalog.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace iotstream;
  const auto drafts = catalog::read_model({reinterpret_cast<const char*>(data), size});
  if (!drafts && drafts.error().message.empty()) std::abort();
  if (drafts && drafts->empty()) std::abort();
  return 0;
}
