// The WebSocket: a bridge between a socket and the hub.
#include <atomic>

#include "http/parameters.hpp"
#include "http/routes.hpp"

namespace iotstream::http {

void add_live_route(net::Router& router, Services& services) {
  router.add_websocket(
      "/api/v1/live",
      [&services](const net::Request& request, std::shared_ptr<net::WebSocket> socket) -> Result<net::WebSocketEvents> {
        const bool json = request.query_value("wire") == "json";
        live::ViewerSink sink;
        sink.send = [socket](std::shared_ptr<const std::string> bytes, bool binary) {
          if (socket->send(std::move(bytes), binary) == net::SendResult::queued) return true;
          socket->close(1013, "too slow: the queue is full");
          return false;
        };
        const live::ViewerId viewer = services.hub.open(std::move(sink), json, request.remote);
        net::WebSocketEvents events;
        events.message = [&services, viewer](std::string_view text, bool) { services.hub.message(viewer, text); };
        events.drained = [] {};
        events.closed = [&services, viewer] { services.hub.close(viewer); };
        return events;
      });
}

}  // namespace iotstream::http
