#include "bench/support/bench.hpp"
#include "bench/system/import.hpp"
#include "bench/system/ingest.hpp"
#include "bench/system/log.hpp"
#include "bench/system/mqtt.hpp"
#include "bench/system/path.hpp"
#include "bench/system/profile.hpp"
#include "bench/system/store.hpp"

namespace iotstream::bench {

const std::vector<Entry>& suite() {
  static const std::vector<Entry> entries{
      {"path",
       "the shipped demonstration in a process of its own: start, memory, processor time, and a device's POST to a viewer's "
       "frame",
       path},
      {"log",
       "the log in this process: records of 256 B, one partition, the product's sizes; each figure in turns with its limit; "
       "the "
       "idle process, and one of the starts, are the whole program",
       log_suite},
      {"import",
       "a CSV file of a machine's readings into the catalog, beside prepared SQLite inserts of the same values, 10,000 a "
       "transaction",
       import},
      {"ingest",
       "readings of 512 bytes and 23 members: through the gate in this process, and over HTTP into a process of its own; 1,000 "
       "a "
       "body, or one a request; the client keeps to the last processor",
       ingest},
      {"profile", "the exact profile of an imported CSV file, beside SQLite handing over the same values", profile_suite},
      {"mqtt", "one publisher, one subscriber, messages of 512 bytes over 8 devices; the same client beside Debian's mosquitto",
       mqtt},
      {"store",
       "history in this process: a machine of 14 signals at 10 Hz, 16 columns; 300,000 rows for the writer, 5,000,000 for "
       "questions",
       store_suite},
  };
  return entries;
}

}  // namespace iotstream::bench
