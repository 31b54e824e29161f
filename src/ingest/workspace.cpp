#include "ingest/workspace.hpp"

namespace iotstream::ingest {

Result<Encoder*> Workspace::encoder(std::string_view dataset) {
  const auto found = encoders_.find(dataset);
  if (found != encoders_.end()) return found->second.get();
  Result<log::Topic*> topic = open_topic_(dataset);
  if (!topic) return std::move(topic).error();
  auto made = std::make_unique<Encoder>(std::string(dataset), **topic, schemas_, row_);
  return encoders_.emplace(std::string(dataset), std::move(made)).first->second.get();
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
