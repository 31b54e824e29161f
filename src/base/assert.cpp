#include <cstdio>
#include <cstdlib>

#include <iotstream/base/assert.hpp>

namespace iotstream::base {

void assertion_failed(const char* file, int line, const char* expression, const std::string& text) noexcept {
  std::fprintf(stderr, "%s:%d: broken invariant: %s: %s\n", file, line, expression, text.c_str());
  std::fflush(stderr);
  std::abort();
}

}  // namespace iotstream::base
