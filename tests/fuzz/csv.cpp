// CSV bodies by the rules of imported files. Lines only: of a text that comes in pieces nobody knows whether its last line is
// whole, so it does not help to guess the form.
#include "fuzz/gate.hpp"

using namespace iotstream;
using namespace iotstream::test;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
  // UTF-16 that ends within a character has no last line either.
  const bool wide = text.find('\0') != std::string::npos || text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF");
  if (!wide) text += '\n';
  ingest::Submission submission;
  submission.dataset = "d";
  submission.format = ingest::BodyFormat::csv;
  submission.body = text;
  // Nor is the form guessed alike where a quote stays open to the end.
  FuzzGate::both_ways(submission, data[0], !wide && text.find('"') == std::string::npos);
  return 0;
}
