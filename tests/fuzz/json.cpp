// JSON in every layout: objects, arrays, NDJSON, envelopes. What simdjson's DOM takes for one object is taken, and nothing that
// it does not take is.
#include "fuzz/gate.hpp"

using namespace iotstream;
using namespace iotstream::test;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  ingest::Submission submission;
  submission.dataset = (data[0] & 1) != 0 ? "d" : "";
  submission.format = (data[0] & 2) != 0 ? ingest::BodyFormat::ndjson : ingest::BodyFormat::json;
  submission.body = {reinterpret_cast<const char*>(data + 2), size - 2};
  FuzzGate::both_ways(submission, data[1]);
  return 0;
}
