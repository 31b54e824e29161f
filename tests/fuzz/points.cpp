// InfluxDB's line protocol.
#include "fuzz/gate.hpp"

using namespace iotstream;
using namespace iotstream::test;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  static const auto rules = std::make_shared<const ingest::PointRules>(ingest::PointRules{1'000, "", "", {"device", "host"}});
  ingest::Submission submission;
  submission.format = ingest::BodyFormat::points;
  submission.points = rules;
  submission.body = {reinterpret_cast<const char*>(data + 1), size - 1};
  FuzzGate::both_ways(submission, data[0]);
  return 0;
}
