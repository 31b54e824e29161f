// A data race on purpose: the canary of ThreadSanitizer. That this program ends well would mean that the alarm is off.
#include <thread>

namespace {
int shared = 0;
}

int main() {
  std::thread other([] { ++shared; });
  ++shared;
  other.join();
  return 0;
}
