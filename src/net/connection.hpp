// One HTTP/1.1 connection of the server: requests in, answers out, in order.
#pragma once

#include <deque>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <iotstream/net/http.hpp>

#include "net/admission.hpp"
#include "net/body_intake.hpp"
#include "net/body_stream.hpp"
#include "net/loop.hpp"
#include "net/request_parser.hpp"
#include "net/response_head.hpp"
#include "net/server_state.hpp"
#include "net/transport.hpp"
#include "net/websocket_session.hpp"

namespace iotstream::net {

class Connection final : public Watched {
 public:
  Connection(std::shared_ptr<Loop> loop, std::shared_ptr<ServerState> state, std::unique_ptr<Transport> transport, Peer peer)
      : loop_(std::move(loop)), state_(std::move(state)), transport_(std::move(transport)), peer_(std::move(peer)) {}

  /// Serves until the connection has ended (nothing), or until it has become a WebSocket, which is to be run next.
  Task<std::shared_ptr<WebSocketSession>> run();

  void expired() override;
  void stop(bool at_once) override;

 private:
  enum class Phase : unsigned char { idle, header, body, handling, writing, closing };

  /// Gives an answer back to the connection, once, from any thread; when it dies without one, that is the answer.
  class Ticket final : public Departure {
   public:
    Ticket(std::shared_ptr<Connection> connection, std::uint64_t request)
        : connection_(std::move(connection)), request_(request) {}
    ~Ticket() override;
    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;
    void answer(Response response);
    void when_left(std::function<void()> left) override;

   private:
    std::shared_ptr<Connection> connection_;
    std::uint64_t request_;
    std::atomic<bool> used_{false};  ///< relaxed: only the first caller goes on, and hands over by post()
  };

  /// Bytes received and not yet parsed.
  class Input {
   public:
    std::string_view view() const { return std::string_view(bytes_).substr(begin_); }
    bool empty() const { return begin_ == bytes_.size(); }
    void append(std::string_view bytes) { bytes_.append(bytes); }
    void consume(std::size_t count);
    std::string take() { return std::exchange(bytes_, {}).substr(std::exchange(begin_, 0)); }

   private:
    std::string bytes_;
    std::size_t begin_ = 0;
  };

  /// How the answer to the current request is to be written.
  struct Reply {
    bool http11 = true;
    bool keep_alive = false;
    bool head_only = false;
    std::string foreign_origin;
  };

  /// A request whose answer is still to come, or to be written, while the next ones begin.
  struct Overlapping {
    std::uint64_t request;
    Reply how;
    std::optional<Response> answer;
  };

  std::shared_ptr<Connection> self() { return std::static_pointer_cast<Connection>(shared_from_this()); }

  Task<bool> serve();
  Task<bool> serve_admitted(Admission& admission);
  Task<bool> receive_header();
  Task<bool> receive_body(std::uint64_t bytes_max = std::numeric_limits<std::uint64_t>::max());
  Task<bool> receive_streamed(BodyIntake& intake);
  Task<bool> fill();
  void feed();
  void enter(Phase phase);

  Task<bool> refuse_broken();
  Task<bool> refuse(Admission& admission);
  Task<bool> upgrade(Admission& admission);
  bool overlaps(const Admission& admission, const Reply& how) const;
  Task<bool> settle();
  void start(Admission& admission);
  Task<Response> handle(Admission& admission);
  Task<Response> handle_streamed(Admission& admission, BodyIntake& intake);
  Task<Response> answer_of(std::uint64_t request);
  const SinkOpener* opener_of(const Admission& admission) const;
  std::unique_ptr<BodySink> open_sink(Admission& admission, const SinkOpener& opener);
  Task<bool> serve_streamed(Admission& admission, std::unique_ptr<BodySink>& sink);
  void answered(std::uint64_t request, Response response);
  void watch(std::uint64_t request, std::function<void()> left);

  Task<bool> reply(Response& response, const Reply& how);
  Task<bool> reply_stream(Response& response, const Reply& how);
  Task<bool> write_stream(BodyStream& stream, BodyStream::Piece& piece, bool chunked);
  Task<bool> flush(std::string_view body = {}, std::string_view tail = {});
  Task<void> close();

  std::shared_ptr<Loop> loop_;
  std::shared_ptr<ServerState> state_;
  std::unique_ptr<Transport> transport_;
  Peer peer_;

  // The loop's thread only.
  std::optional<RequestParser> parser_;
  Input input_;
  std::string output_;
  Phase phase_ = Phase::idle;
  SteadyTime body_start_{};
  std::uint64_t body_before_ = 0;  ///< bytes of the body that had come at body_start_
  bool stopping_ = false;          ///< the current answer is the last
  bool broken_ = false;            ///< the peer is gone, or was cut off: nothing more can be said
  bool timed_out_ = false;
  bool ends_quietly_ = false;     ///< nothing is under way: no need to wait for the peer to read
  std::uint64_t in_handler_ = 0;  ///< the request whose handler is running; 0: none
  std::uint64_t request_ = 0;     ///< counts them, so that a late word about one is not taken for the next
  std::optional<Response> answer_;
  std::deque<Overlapping> overlapping_;
  Signal answer_came_;
  std::shared_ptr<BodyStream> stream_;
  std::shared_ptr<BodyIntake> intake_;
  std::shared_ptr<WebSocketSession> websocket_;
};

}  // namespace iotstream::net
