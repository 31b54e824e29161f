// What one thread needs to read submissions, kept warm from one to the next.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <iotstream/catalog/schemas.hpp>
#include <iotstream/model/row.hpp>

#include "ingest/acknowledgement.hpp"
#include "ingest/encoder.hpp"
#include "ingest/json_reader.hpp"
#include "ingest/point_reader.hpp"

namespace iotstream::ingest {

/// Parser, row builder, and an encoder for every dataset it met. One thread at a time.
class Workspace {
 public:
  using OpenTopic = std::function<Result<log::Topic*>(std::string_view dataset)>;
  Workspace(catalog::Schemas& schemas, OpenTopic open_topic) : schemas_(schemas), open_topic_(std::move(open_topic)) {}

  JsonReader& reader() { return reader_; }
  PointReader& points() { return points_; }
  std::vector<Touched>& touched() { return touched_; }
  /// Errors: those of opening the dataset's topic.
  Result<Encoder*> encoder(std::string_view dataset);

 private:
  using Encoders = std::unordered_map<std::string, std::unique_ptr<Encoder>, Level::Hash, std::equal_to<>>;
  Encoder* remember(const Encoders::value_type& one);

  catalog::Schemas& schemas_;
  OpenTopic open_topic_;
  JsonReader reader_;
  PointReader points_;
  model::RowBuilder row_;
  std::vector<Touched> touched_;
  Encoders encoders_;
  /// The last one asked for: a body is mostly of one dataset.
  Encoder* last_ = nullptr;
  std::string_view last_dataset_;
};

/// Lends workspaces: as many exist as submissions were ever read at once. Thread-safe.
class Workspaces {
 public:
  Workspaces(catalog::Schemas& schemas, Workspace::OpenTopic open_topic)
      : schemas_(schemas), open_topic_(std::move(open_topic)) {}

  std::unique_ptr<Workspace> take();
  void give_back(std::unique_ptr<Workspace> workspace);

 private:
  catalog::Schemas& schemas_;
  Workspace::OpenTopic open_topic_;
  std::mutex mutex_;                              ///< guards free_; held for a push or pop per submission
  std::vector<std::unique_ptr<Workspace>> free_;  ///< the last given back goes first: its memory is warm
};

}  // namespace iotstream::ingest
