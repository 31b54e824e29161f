// The routes of saved dashboards. Beside `Services`: nothing else in this room knows of them.
#pragma once

#include <iotstream/catalog/dashboards.hpp>
#include <iotstream/http/api.hpp>

namespace iotstream::http {

/// Adds `/api/v1/dashboards`. Before the server starts; `services` and `dashboards` outlive it.
void add_dashboard_routes(net::Router& router, Services& services, catalog::Dashboards& dashboards);

}  // namespace iotstream::http
