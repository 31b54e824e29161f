// Reads a reading that looks like the one before, without looking for its structure first.
#pragma once

#include <string_view>

#include "ingest/encoder.hpp"

namespace iotstream::ingest {

/// Devices send the same members in the same order, event after event. So each member's name is compared with the one that came
/// there the last time, and its value is read where it stands: of the text every byte is looked at once, and there is no index
/// of brackets and quotes. After D. Bonetta and M. Brantner, "FAD.js: Fast JSON Data Access Using JIT-based Speculative
/// Optimizations" (VLDB 2017). What is not as expected — other members, an array, an escape, a blank more than one, anything
/// malformed — is left to JsonReader, which reads the text anew and knows what to say about it. One thread.
class SpeculativeReader {
 public:
  /// True: `encoder`, begun here, has the members of `text`, of which it keeps views. False: nothing is known of `text`, and
  /// the encoder is to be begun anew.
  bool read(std::string_view text, Encoder& encoder);

 private:
  static bool object(const char*& at, const char* end, Encoder& encoder, Level& level, unsigned depth);
  static bool value(const char*& at, const char* end, Encoder& encoder, Member& member, unsigned depth);

  /// After several in a row that were not as expected, so many are not tried: a stream without a pattern pays little for it.
  unsigned pause_ = 0;
  unsigned misses_ = 0;
};

}  // namespace iotstream::ingest
