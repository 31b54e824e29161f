#include "net/connection.hpp"

#include <algorithm>
#include <array>
#include <exception>

#include <fmt/format.h>

#include <iotstream/base/diagnostics.hpp>

namespace iotstream::net {
namespace {

// Answers wait for each other up to this size when requests are pipelined, and go out with one system call.
constexpr std::size_t output_size_max = 64u << 10;
// A body up to this size is copied behind its header: cheaper than a second buffer.
constexpr std::size_t body_copied_max = 16u << 10;
// A refused request's body up to this size is read and forgotten, so that the connection can go on; a longer one ends it.
constexpr std::uint64_t body_discarded_max = 64u << 10;
constexpr std::size_t idle_capacity_max = 4u << 10;
// Requests of one connection that are under way at a time.
constexpr std::size_t overlapping_max = 32;

SteadyTime plus(SteadyTime time, Duration duration) { return time + std::chrono::microseconds(duration.us); }

}  // namespace

void Connection::Input::consume(std::size_t count) {
  begin_ += count;
  if (begin_ < bytes_.size()) return;
  begin_ = 0;
  bytes_.clear();
  if (bytes_.capacity() > idle_capacity_max) bytes_.shrink_to_fit();
}

Connection::Ticket::~Ticket() {
  if (!used_.load(std::memory_order_relaxed)) answer(Response::problem(500, "The request was dropped without an answer."));
}

void Connection::Ticket::answer(Response response) {
  if (used_.exchange(true, std::memory_order_relaxed)) {
    diagnostics::error("net", "a route answered a second time; the second answer is dropped");
    return;
  }
  // Within the handler the answer is picked up when it returns. Otherwise always by post(): the caller may be in the middle of
  // something.
  if (connection_->loop_->here() && connection_->in_handler_ == request_) {
    connection_->answer_ = std::move(response);
  } else {
    Loop& loop = *connection_->loop_;
    loop.post([connection = connection_, request = request_, answer = std::move(response)]() mutable {
      connection->answered(request, std::move(answer));
    });
  }
}

void Connection::Ticket::when_left(std::function<void()> left) {
  connection_->loop_->post([connection = connection_, request = request_, call = std::move(left)]() mutable {
    connection->watch(request, std::move(call));
  });
}

/// Tells a route that keeps its request waiting when the client has gone. The connection itself goes on: a client that has only
/// ended its side gets the answer that the route gives then.
void Connection::watch(std::uint64_t request, std::function<void()> left) {
  if (request != request_ || answer_) return;
  if (broken_ || !transport_)
    left();
  else
    transport_->watch_peer(std::move(left));
}

void Connection::answered(std::uint64_t request, Response response) {
  if (broken_) return;
  const auto found =
      std::find_if(overlapping_.begin(), overlapping_.end(), [&](const Overlapping& one) { return one.request == request; });
  if (found == overlapping_.end()) {
    answer_ = std::move(response);
    answer_came_.notify();
    return;
  }
  found->answer = std::move(response);
  if (found == overlapping_.begin()) answer_came_.notify();
}

Task<std::shared_ptr<WebSocketSession>> Connection::run() {
  loop_->watch(shared_from_this());
  try {
    enter(Phase::header);
    const error_code error = co_await transport_->handshake();
    if (error) {
      broken_ = true;
    } else {
      stopping_ = stopping_ || state_->stopping.load(std::memory_order_relaxed);
      bool goes_on = true;
      while (goes_on) goes_on = co_await serve();
    }
    if (!websocket_) co_await close();
  } catch (const std::exception& exception) {
    diagnostics::error("net", "the connection of {} is dropped: {}", peer_.remote, exception.what());
  }
  broken_ = true;
  if (transport_) transport_->close(false);
  transport_.reset();
  loop_->forget(*this);
  co_return std::move(websocket_);
}

void Connection::enter(Phase phase) {
  const ServerOptions& options = state_->options;
  phase_ = phase;
  switch (phase) {
    case Phase::idle:
      deadline = after(options.config.idle_timeout);
      if (output_.empty() && output_.capacity() > idle_capacity_max) output_.shrink_to_fit();
      break;
    case Phase::header:
      deadline = after(options.header_timeout);
      break;
    case Phase::body:
      body_start_ = std::chrono::steady_clock::now();
      body_before_ = parser_->body_received();
      deadline = plus(body_start_, options.body_timeout);
      break;
    case Phase::handling:
      deadline = never;
      break;
    case Phase::writing:
      deadline = after(options.write_timeout);
      break;
    case Phase::closing:
      deadline = after(options.linger_timeout);
      break;
  }
}

void Connection::expired() {
  if (!transport_) return;
  if (phase_ == Phase::header || phase_ == Phase::body || phase_ == Phase::idle) {
    timed_out_ = true;
    deadline = after(state_->options.linger_timeout);
    transport_->cancel();
    return;
  }
  broken_ = true;
  deadline = never;
  transport_->close(true);
}

void Connection::stop(bool at_once) {
  stopping_ = true;
  if (!transport_) return;
  if (at_once) {
    broken_ = true;
    transport_->close(true);
    if (const auto stream = stream_) stream->leave();
    if (const auto intake = intake_) intake->leave();
    answer_came_.notify();
  } else if (phase_ == Phase::idle) {
    transport_->cancel();
  }
}

/// One request and its answer; false when the connection is to be closed.
Task<bool> Connection::serve() {
  parser_.emplace(state_->parser_limits);
  const bool went_on = co_await receive_header();
  if (!went_on) co_return false;
  if (parser_->failed()) co_return co_await refuse_broken();
  Admission admission = admit(*parser_, state_->policy, state_->router, peer_);
  if (admission.refusal) co_return co_await refuse(admission);
  if (!admission.websocket_accept.empty()) co_return co_await upgrade(admission);
  co_return co_await serve_admitted(admission);
}

Task<bool> Connection::serve_admitted(Admission& admission) {
  const SinkOpener* opener = opener_of(admission);
  const bool streams = opener != nullptr;
  if (!streams) parser_->limit_body();
  if (parser_->failed()) co_return co_await refuse_broken();
  if (parser_->expects_continue() && !parser_->done() && parser_->body_received() == 0 && input_.empty()) {
    const bool settled = co_await settle();
    if (!settled) co_return false;
    output_ += "HTTP/1.1 100 Continue\r\n\r\n";
  }
  bool went_on = co_await receive_body(streams ? state_->options.streamed_from : std::numeric_limits<std::uint64_t>::max());
  if (!went_on) co_return false;
  // A body that came whole with the first bytes is a short one, unless even that is more than may be gathered.
  const bool is_long = !parser_->done() || parser_->body_received() > state_->options.config.body_size_max;
  if (streams && is_long && !parser_->failed()) {
    auto sink = open_sink(admission, *opener);
    if (sink) {
      const bool settled = co_await settle();
      if (!settled) co_return false;
      co_return co_await serve_streamed(admission, sink);
    }
    parser_->limit_body();
    went_on = co_await receive_body();
    if (!went_on) co_return false;
  }
  if (parser_->failed()) co_return co_await refuse_broken();
  Reply how{parser_->http11(), parser_->keep_alive(), admission.request.method == Method::head,
            std::move(admission.foreign_origin)};
  admission.request.body = std::move(parser_->body());
  parser_.reset();
  if (overlaps(admission, how)) {
    start(admission);
    overlapping_.push_back({request_, how, std::exchange(answer_, std::nullopt)});
    state_->metrics.overlapped.add();
    co_return true;
  }
  const bool settled = co_await settle();
  if (!settled) co_return false;
  Response response = co_await handle(admission);
  if (broken_) co_return false;
  co_return co_await reply(response, how);
}

/// Only of requests that came without waiting for answers; the last of them overlaps, too, so that all are answered together.
bool Connection::overlaps(const Admission& admission, const Reply& how) const {
  const bool pipelined = !input_.empty() || !overlapping_.empty();
  return pipelined && how.keep_alive && overlapping_.size() < overlapping_max && admission.match.overlaps != nullptr &&
         (*admission.match.overlaps)(admission.request);
}

/// Writes the answers of the requests that overlap, in their order; false when the connection has ended.
Task<bool> Connection::settle() {
  while (!overlapping_.empty()) {
    enter(Phase::handling);
    // Answers that come together go out together: those that are posted already are let in before anything is written.
    if (!overlapping_.front().answer && !output_.empty()) co_await asio::post(loop_->io(), use_task);
    if (!overlapping_.front().answer) co_await flush();
    while (!overlapping_.front().answer && !broken_) co_await answer_came_.wait();
    if (broken_) co_return false;
    Overlapping next = std::move(overlapping_.front());
    overlapping_.pop_front();
    const bool goes_on = co_await reply(*next.answer, next.how);
    if (!goes_on) co_return false;
  }
  co_return true;
}

const SinkOpener* Connection::opener_of(const Admission& admission) const {
  const BodySinks* sinks = state_->options.sinks;
  const bool asked = sinks != nullptr && admission.request.method == Method::post && admission.match.pattern != nullptr;
  return asked ? sinks->find(*admission.match.pattern) : nullptr;
}

std::unique_ptr<BodySink> Connection::open_sink(Admission& admission, const SinkOpener& opener) {
  try {
    return opener(admission.request, parser_->body());
  } catch (const std::exception& exception) {
    diagnostics::error("net", "the route {} failed: {}", *admission.match.pattern, exception.what());
    return nullptr;
  }
}

/// The body goes to the route while it comes.
Task<bool> Connection::serve_streamed(Admission& admission, std::unique_ptr<BodySink>& sink) {
  Reply how{parser_->http11(), parser_->keep_alive(), admission.request.method == Method::head,
            std::move(admission.foreign_origin)};
  intake_ = std::make_shared<BodyIntake>(loop_, state_->workers, std::move(sink));
  const auto intake = intake_;
  const bool went_on = co_await receive_streamed(*intake);
  bool goes_on = false;
  if (went_on && parser_->failed()) {
    goes_on = co_await refuse_broken();
  } else if (went_on) {
    // What is left of a body that the route does not want is not read: nobody knows how much that is.
    how.keep_alive = how.keep_alive && parser_->done();
    parser_.reset();
    Response response = co_await handle_streamed(admission, *intake);
    if (!broken_) goes_on = co_await reply(response, how);
  }
  intake->leave();
  intake_.reset();
  co_return goes_on;
}

/// True when the body is whole, malformed, or not wanted any further; false when the connection has ended.
Task<bool> Connection::receive_streamed(BodyIntake& intake) {
  std::string piece;
  while (true) {
    piece.swap(parser_->body());
    parser_->body().clear();
    const bool last = parser_->done();
    if (!piece.empty()) {
      enter(Phase::handling);
      const BodyIntake::Outcome outcome = co_await intake.give(piece);
      if (outcome == BodyIntake::Outcome::gone) co_return false;
      if (outcome != BodyIntake::Outcome::taken) co_return true;
    }
    if (last || parser_->failed()) co_return true;
    const bool went_on = co_await receive_body(parser_->body_received() + state_->options.streamed_from);
    if (!went_on) co_return false;
  }
}

Task<bool> Connection::receive_header() {
  enter(input_.empty() ? Phase::idle : Phase::header);
  feed();
  while (!parser_->header_done() && !parser_->failed()) {
    const bool went_on = co_await fill();
    if (!went_on) co_return false;
  }
  co_return true;
}

/// Until the body is whole, or has `bytes_max` bytes and a little more.
Task<bool> Connection::receive_body(std::uint64_t bytes_max) {
  enter(Phase::body);
  feed();
  while (!parser_->done() && !parser_->failed() && parser_->body_received() < bytes_max) {
    const bool went_on = co_await fill();
    if (!went_on) co_return false;
    // Each piece moves the deadline, but on the whole the body must keep up its rate.
    const auto budget = std::chrono::seconds((parser_->body_received() - body_before_) /
                                             std::max<std::uint64_t>(1, state_->options.body_rate_min));
    deadline = std::min(after(state_->options.body_timeout), plus(body_start_, state_->options.body_timeout) + budget);
  }
  co_return true;
}

void Connection::feed() {
  if (!input_.empty() && !parser_->done() && !parser_->failed()) input_.consume(parser_->feed(input_.view()));
}

/// Waits for more bytes and parses them; false when there will be none.
Task<bool> Connection::fill() {
  if (!output_.empty() || !overlapping_.empty()) {
    const Phase phase = phase_;
    const SteadyTime then = deadline;
    const bool settled = co_await settle();
    if (!settled) co_return false;
    const bool went_on = co_await flush();
    if (!went_on) co_return false;
    phase_ = phase;
    deadline = phase == Phase::idle ? after(state_->options.config.idle_timeout) : then;
  }
  if (stopping_ && phase_ == Phase::idle) {
    ends_quietly_ = true;
    co_return false;
  }
  const Read read = co_await transport_->read();
  if (read.error) {
    ends_quietly_ = phase_ == Phase::idle;
    if (timed_out_ && phase_ != Phase::idle) co_return co_await refuse_broken();
    broken_ = !timed_out_ && !stopping_;
    co_return false;
  }
  state_->metrics.bytes_in.add(read.bytes.size());
  if (phase_ == Phase::idle) enter(Phase::header);
  if (!input_.empty()) {
    input_.append(read.bytes);
    feed();
  } else {
    input_.append(read.bytes.substr(parser_->feed(read.bytes)));
  }
  co_return true;
}

/// Answers what is no request, or was too slow in coming; the connection ends with it, since nobody knows where the next
/// request begins.
Task<bool> Connection::refuse_broken() {
  const bool settled = co_await settle();
  if (!settled) co_return false;
  const bool failed = parser_->failed();
  const unsigned status = failed ? parser_->status() : 408;
  state_->metrics.refused(failed ? parser_->reason() : std::string_view("timeout"));
  const std::string_view detail = failed ? parser_->detail() : "The request was too slow in coming.";
  Response response = Response::problem(status, detail);
  const Reply how;
  co_await reply(response, how);
  co_return false;
}

Task<bool> Connection::refuse(Admission& admission) {
  const bool settled = co_await settle();
  if (!settled) co_return false;
  if (!admission.reason.empty()) state_->metrics.refused(admission.reason);
  Reply how{parser_->http11(), parser_->keep_alive(), admission.request.method == Method::head,
            std::move(admission.foreign_origin)};
  if (parser_->body_remaining() > body_discarded_max || parser_->expects_continue()) {
    how.keep_alive = parser_->done() && how.keep_alive;
  } else {
    parser_->discard_body();
    const bool went_on = co_await receive_body();
    if (!went_on) co_return false;
    how.keep_alive = how.keep_alive && !parser_->failed();
  }
  co_return co_await reply(*admission.refusal, how);
}

/// Makes the connection a WebSocket; false, since HTTP ends here, or true after a refusal.
Task<bool> Connection::upgrade(Admission& admission) {
  const bool settled = co_await settle();
  if (!settled) co_return false;
  auto session = std::make_shared<WebSocketSession>(loop_, state_);
  Result<WebSocketEvents> events = (*admission.match.websocket)(admission.request, session);
  if (!events) {
    session->refuse();
    state_->metrics.refused("websocket");
    Response response = Response::from(events.error());
    const Reply how{true, parser_->keep_alive(), false, std::move(admission.foreign_origin)};
    co_return co_await reply(response, how);
  }
  state_->metrics.answered(101);
  output_ += "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ";
  output_ += admission.websocket_accept;
  output_ += "\r\n\r\n";
  session->begin({std::move(transport_), std::move(*events), input_.take(), std::move(output_)});
  websocket_ = std::move(session);
  co_return false;
}

/// Calls the route. What it answers before it returns is in answer_ then.
void Connection::start(Admission& admission) {
  answer_.reset();
  enter(Phase::handling);
  {
    const auto ticket = std::make_shared<Ticket>(self(), ++request_);
    admission.request.departure = ticket;
    in_handler_ = request_;
    try {
      (*admission.match.handler)(std::move(admission.request),
                                 [ticket](Response response) { ticket->answer(std::move(response)); });
    } catch (const std::exception& exception) {
      diagnostics::error("net", "the route {} failed: {}", *admission.match.pattern, exception.what());
    }
  }
  in_handler_ = 0;
}

/// Calls the route and waits for its answer.
Task<Response> Connection::handle(Admission& admission) {
  start(admission);
  if (!answer_) co_await flush();  // earlier answers do not wait for this one
  Response response = co_await answer_of(request_);
  co_return response;
}

/// Lets the route answer to a body that it has taken.
Task<Response> Connection::handle_streamed(Admission& admission, BodyIntake& intake) {
  answer_.reset();
  enter(Phase::handling);
  BodyIntake::Outcome outcome{};
  {
    const auto ticket = std::make_shared<Ticket>(self(), ++request_);
    admission.request.departure = ticket;
    const Respond respond = [ticket](Response response) { ticket->answer(std::move(response)); };
    outcome = co_await intake.finish(respond);
    if (outcome == BodyIntake::Outcome::too_busy)
      ticket->answer(Response::from({ErrorKind::busy, "All workers are busy; try again later."}));
  }
  Response response = co_await answer_of(request_);
  co_return response;
}

/// Waits for the answer to the current request.
Task<Response> Connection::answer_of(std::uint64_t request) {
  enter(Phase::handling);
  while (!answer_ && !broken_) co_await answer_came_.wait();
  request_ = request + 1;
  if (transport_) transport_->unwatch_peer();
  if (!answer_) co_return Response();
  Response response = std::move(*answer_);
  answer_.reset();
  co_return response;
}

Task<bool> Connection::reply(Response& response, const Reply& how) {
  if (unwritable(response)) {
    diagnostics::error("net", "an answer of status {} has a header that cannot be written", response.status);
    response = Response::problem(500, "The answer could not be written.");
  }
  if (response.source && !how.head_only && allows_body(response.status)) co_return co_await reply_stream(response, how);
  const std::string_view body = response.static_body.empty() ? std::string_view(response.body) : response.static_body;
  const bool keep_alive = how.keep_alive && !(stopping_ && overlapping_.empty());
  Framing framing{how.http11, keep_alive, body.size(), how.foreign_origin};
  if (response.source) framing.content_length.reset();  // HEAD: the length is not known
  append_head(output_, response, framing);
  state_->metrics.answered(response.status);
  if (!how.head_only && allows_body(response.status)) {
    if (body.size() > body_copied_max) {
      const bool went_on = co_await flush(body);
      if (!went_on) co_return false;
    } else {
      output_ += body;
    }
  }
  bool goes_on = keep_alive;
  if (output_.size() >= output_size_max) {
    const bool flushed = co_await flush();
    goes_on = goes_on && flushed;
  }
  co_return goes_on;
}

Task<bool> Connection::reply_stream(Response& response, const Reply& how) {
  const bool flushed = co_await flush();
  if (!flushed) co_return false;
  enter(Phase::handling);
  stream_ = std::make_shared<BodyStream>(loop_, state_->workers, std::move(response.source));
  const auto stream = stream_;
  transport_->watch_peer([this] {
    broken_ = true;
    if (const auto left = stream_) left->leave();
  });
  BodyStream::Piece piece = co_await stream->next();
  bool goes_on = false;
  if (!broken_ && (piece.error || piece.last)) {
    // Nothing has been written yet: a failure can still be told as one, and a short answer needs no chunks.
    if (piece.error) response = Response::from(*piece.error);
    if (!piece.error) response.body = std::move(piece.bytes);
    goes_on = co_await reply(response, how);
  } else if (!broken_) {
    const bool keep_alive = how.keep_alive && how.http11 && !stopping_;
    append_head(output_, response, {how.http11, keep_alive, std::nullopt, how.foreign_origin});
    state_->metrics.answered(response.status);
    goes_on = co_await write_stream(*stream, piece, how.http11);
    goes_on = goes_on && keep_alive;
  }
  transport_->unwatch_peer();
  stream->leave();
  stream_.reset();
  co_return goes_on;
}

Task<bool> Connection::write_stream(BodyStream& stream, BodyStream::Piece& piece, bool chunked) {
  while (true) {
    if (piece.error || broken_) {
      // A reset, so that what was cut off is not taken for the whole, whatever the framing.
      broken_ = true;
      transport_->close(true);
      co_return false;
    }
    const bool chunk = chunked && !piece.bytes.empty();  // a chunk of length 0 would be the end
    if (chunk) fmt::format_to(std::back_inserter(output_), "{:x}\r\n", piece.bytes.size());
    const std::string_view tail = chunk ? "\r\n" : "";
    const bool went_on = co_await flush(piece.bytes, tail);
    if (!went_on) co_return false;
    if (piece.last && chunked) output_ += "0\r\n\r\n";
    if (piece.last) co_return true;
    enter(Phase::handling);
    piece = co_await stream.next();
  }
}

/// Writes what has gathered, then `body` and `tail`.
Task<bool> Connection::flush(std::string_view body, std::string_view tail) {
  if (output_.empty() && body.empty()) co_return !broken_;
  enter(Phase::writing);
  std::array<asio::const_buffer, 3> buffers{asio::buffer(output_), asio::buffer(body), asio::buffer(tail)};
  const auto progress = [this](std::size_t written) {
    state_->metrics.bytes_out.add(written);
    deadline = after(state_->options.write_timeout);
  };
  const error_code error = co_await transport_->write(buffers, progress);
  output_.clear();
  if (error) broken_ = true;
  co_return !broken_;
}

Task<void> Connection::close() {
  if (broken_) co_return;
  const bool flushed = co_await flush();
  if (!flushed) co_return;
  if (ends_quietly_) co_return;
  enter(Phase::closing);
  co_await transport_->finish();
  if (!broken_) co_await transport_->drain(*loop_);
}

}  // namespace iotstream::net
