// CSV bodies by the rules of imported files.
#include "fuzz/gate.hpp"

using namespace iotstream;
using namespace iotstream::test;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  ingest::Submission submission;
  submission.dataset = "d";
  submission.format = ingest::BodyFormat::csv;
  submission.body = {reinterpret_cast<const char*>(data + 1), size - 1};
  FuzzGate::both_ways(submission, data[0]);
  return 0;
}
