// The groups of routes; add_routes() of api.hpp adds them all.
#pragma once

#include <iotstream/http/api.hpp>

namespace iotstream::http {

void add_dataset_routes(net::Router& router, Services& services);    // datasets, schemas
void add_history_routes(net::Router& router, Services& services);    // events, series
void add_catalog_routes(net::Router& router, Services& services);    // prototypes, imports
void add_device_routes(net::Router& router, Services& services);     // devices, simulations
void add_log_routes(net::Router& router, Services& services);        // topics, messages, groups
void add_rejected_routes(net::Router& router, Services& services);   // dead letters
void add_replay_routes(net::Router& router, Services& services);     // a topic's range of time, in its pace
void add_verify_route(net::Router& router, Services& services);      // checks log and history
void add_operation_routes(net::Router& router, Services& services);  // health, metrics, status, OpenAPI
void add_live_route(net::Router& router, Services& services);        // the WebSocket

}  // namespace iotstream::http
