#include <limits>
#include <thread>

#include <catch2/catch.hpp>

#include <iotstream/metrics/metrics.hpp>

using iotstream::metrics::Table;

TEST_CASE("the same name and labels are the same metric") {
  Table table;
  auto& counter = table.counter("iotstream_log_records_total", "Records.", Table::label("dataset", "1"));
  counter.add(3);
  CHECK(&table.counter("iotstream_log_records_total", "Records.", Table::label("dataset", "1")) == &counter);
  CHECK(&table.counter("iotstream_log_records_total", "Records.", Table::label("dataset", "2")) != &counter);
  CHECK(counter.value() == 3);
}

TEST_CASE("references stay good while the table grows") {
  Table table;
  auto& first = table.gauge("iotstream_m", "M.");
  first.set(7);
  for (int i = 0; i < 1000; ++i) table.gauge("iotstream_m", "M.", Table::label("n", std::to_string(i))).set(i);
  first.add(1);
  CHECK(table.gauge("iotstream_m", "M.").value() == 8);
}

TEST_CASE("the text has help and type once per name, in order") {
  Table table;
  table.counter("iotstream_b_total", "Second.", Table::label("x", "2")).add(2);
  table.gauge("iotstream_a", "First.").set(-5);
  table.counter("iotstream_b_total", "Second.", Table::label("x", "1")).add();
  table.observe("iotstream_c", "Third.", [] { return 1.5; });
  CHECK(table.prometheus() ==
        "# HELP iotstream_a First.\n# TYPE iotstream_a gauge\niotstream_a -5\n"
        "# HELP iotstream_b_total Second.\n# TYPE iotstream_b_total counter\n"
        "iotstream_b_total{x=\"1\"} 1\niotstream_b_total{x=\"2\"} 2\n"
        "# HELP iotstream_c Third.\n# TYPE iotstream_c gauge\niotstream_c 1.5\n");
}

TEST_CASE("histograms are written in seconds, cumulative, with their sum and count") {
  Table table;
  auto& histogram = table.histogram("iotstream_h_seconds", "H.", Table::label("route", "/"));
  histogram.record_us(90);
  histogram.record_us(4'000);
  histogram.record_us(60'000'000);
  const std::string text = table.prometheus();
  CHECK(text.starts_with("# HELP iotstream_h_seconds H.\n# TYPE iotstream_h_seconds histogram\n"));
  CHECK(text.find("iotstream_h_seconds_bucket{route=\"/\",le=\"0.0001\"} 1\n") != std::string::npos);
  CHECK(text.find("iotstream_h_seconds_bucket{route=\"/\",le=\"0.0025\"} 1\n") != std::string::npos);
  CHECK(text.find("iotstream_h_seconds_bucket{route=\"/\",le=\"0.005\"} 2\n") != std::string::npos);
  CHECK(text.find("iotstream_h_seconds_bucket{route=\"/\",le=\"10\"} 2\n") != std::string::npos);
  CHECK(text.find("iotstream_h_seconds_bucket{route=\"/\",le=\"+Inf\"} 3\n") != std::string::npos);
  CHECK(text.find("iotstream_h_seconds_sum{route=\"/\"} 60.00409\n") != std::string::npos);
  CHECK(text.ends_with("iotstream_h_seconds_count{route=\"/\"} 3\n"));
}

TEST_CASE("a histogram without labels has only its edge") {
  Table table;
  table.histogram("iotstream_h_seconds", "H.");
  CHECK(table.prometheus().find("iotstream_h_seconds_bucket{le=\"0.0001\"} 0\n") != std::string::npos);
  CHECK(table.prometheus().find("iotstream_h_seconds_sum 0\n") != std::string::npos);
}

TEST_CASE("labels and help cannot break the text") {
  CHECK(Table::label("device", "a\"b\\c\nd") == "device=\"a\\\"b\\\\c\\nd\"");
  Table table;
  table.counter("iotstream_x_total", "A \\ and\na \"quote\".").add();
  CHECK(table.prometheus().starts_with("# HELP iotstream_x_total A \\\\ and\\na \"quote\".\n"));
}

TEST_CASE("observed values are asked for at each look, and may be any double") {
  Table table;
  double value = 1;
  table.observe("iotstream_x", "X.", [&] { return value; });
  CHECK(table.prometheus().ends_with("iotstream_x 1\n"));
  value = std::numeric_limits<double>::infinity();
  CHECK(table.prometheus().ends_with("iotstream_x +Inf\n"));
  value = -value;
  CHECK(table.prometheus().ends_with("iotstream_x -Inf\n"));
  value = std::numeric_limits<double>::quiet_NaN();
  CHECK(table.prometheus().ends_with("iotstream_x NaN\n"));
  table.observe("iotstream_x", "X.", [] { return 0.25; });
  CHECK(table.prometheus().ends_with("iotstream_x 0.25\n"));
}

TEST_CASE("many threads count while others look") {
  Table table;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&table, i] {
      auto& counter = table.counter("iotstream_x_total", "X.", Table::label("n", std::to_string(i % 2)));
      for (int n = 0; n < 10'000; ++n) counter.add();
      (void)table.prometheus();
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(table.counter("iotstream_x_total", "X.", Table::label("n", "0")).value() == 20'000);
}

TEST_CASE("a family whose labels are known only at the look is asked for them, and can be replaced") {
  Table table;
  int asked = 0;
  table.collect("iotstream_lag", "Lag.", [&] {
    ++asked;
    return Table::Samples{{Table::label("group", "a\"b"), 3}, {"", 0.5}};
  });
  table.gauge("iotstream_m", "M.").set(1);
  CHECK(table.prometheus() ==
        "# HELP iotstream_lag Lag.\n# TYPE iotstream_lag gauge\niotstream_lag{group=\"a\\\"b\"} 3\niotstream_lag 0.5\n"
        "# HELP iotstream_m M.\n# TYPE iotstream_m gauge\niotstream_m 1\n");
  CHECK(asked == 1);
  table.collect("iotstream_lag", "Lag.", [] { return Table::Samples(); });
  CHECK(table.prometheus().find("iotstream_lag{") == std::string::npos);
}
