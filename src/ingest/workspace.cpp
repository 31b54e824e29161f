#include "ingest/workspace.hpp"

namespace iotstream::ingest {

Result<Encoder*> Workspace::encoder(std::string_view dataset) {
  if (last_ != nullptr && dataset == last_dataset_) return last_;
  const auto found = encoders_.find(dataset);
  if (found != encoders_.end()) return remember(*found);
  Result<log::Topic*> topic = open_topic_(dataset);
  if (!topic) return std::move(topic).error();
  auto made = std::make_unique<Encoder>(std::string(dataset), **topic, schemas_, row_);
  return remember(*encoders_.emplace(std::string(dataset), std::move(made)).first);
}

Encoder* Workspace::remember(const Encoders::value_type& one) {
  last_dataset_ = one.first;
  last_ = one.second.get();
  return last_;
}

std::unique_ptr<Workspace> Workspaces::take() {
  {
    const std::scoped_lock lock(mutex_);
    if (!free_.empty()) {
      std::unique_ptr<Workspace> workspace = std::move(free_.back());
      free_.pop_back();
      return workspace;
    }
  }
  return std::make_unique<Workspace>(schemas_, open_topic_);
}

void Workspaces::give_back(std::unique_ptr<Workspace> workspace) {
  workspace->reader().shrink();
  workspace->touched().clear();
  const std::scoped_lock lock(mutex_);
  free_.push_back(std::move(workspace));
}

}  // namespace iotstream::ingest
