#include <iotstream/http/api.hpp>

#include "http/assets.hpp"
#include "http/routes.hpp"

namespace iotstream::http {

void add_routes(net::Router& router, Services& services) {
  add_dataset_routes(router, services);
  add_schema_routes(router, services);
  add_history_routes(router, services);
  add_catalog_routes(router, services);
  add_import_routes(router, services);
  add_device_routes(router, services);
  add_log_routes(router, services);
  add_rejected_routes(router, services);
  add_replay_routes(router, services);
  add_verify_route(router, services);
  add_group_routes(router, services);
  add_member_routes(router, services);
  add_operation_routes(router, services);
  add_live_route(router, services);
  add_asset_routes(router, services.front);
}

}  // namespace iotstream::http
