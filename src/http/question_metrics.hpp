// Questions that take long, counted and timed.
#pragma once

#include <string_view>

#include <iotstream/http/api.hpp>
#include <iotstream/metrics/metrics.hpp>
#include <iotstream/store/slow_queries.hpp>

namespace iotstream::http {

/// Of one kind of question: sql or profile.
class QuestionMetrics {
 public:
  QuestionMetrics(metrics::Table& table, std::string_view kind)
      : kind_(kind),
        asked_(table.counter("iotstream_http_questions_total", "Questions asked of history and files.",
                             metrics::Table::label("kind", kind))),
        failed_(table.counter("iotstream_http_questions_failed_total", "Questions that were refused, failed or were given up.",
                              metrics::Table::label("kind", kind))),
        seconds_(table.histogram("iotstream_http_question_seconds", "Time that a question took.",
                                 metrics::Table::label("kind", kind))) {}

  /// Counts one, and lists it when it was slow. `failure` is empty when it was answered.
  void note(Services& services, std::string_view what, Duration took, std::uint64_t rows, std::string_view failure) const {
    asked_.add();
    if (!failure.empty()) failed_.add();
    seconds_.record_us(took.us);
    store::SlowQueries::of_process().note(services.clock.now(), kind_, what, took, rows, failure);
  }

 private:
  std::string_view kind_;
  metrics::Counter& asked_;
  metrics::Counter& failed_;
  metrics::Histogram& seconds_;
};

}  // namespace iotstream::http
