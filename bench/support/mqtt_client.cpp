#include "bench/support/mqtt_client.hpp"

#include <cerrno>
#include <poll.h>
#include <unistd.h>

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace iotstream::bench {
namespace {

constexpr std::size_t write_size = 64u << 10;
constexpr std::uint64_t ids = 65'535;
constexpr int patience_ms = 30'000;

void append_two(std::string& out, std::size_t number) {
  out += static_cast<char>(number >> 8 & 0xFF);
  out += static_cast<char>(number & 0xFF);
}

void append_text(std::string& out, std::string_view text) {
  append_two(out, text.size());
  out += text;
}

std::string packet(unsigned head, std::string_view body) {
  std::string out(1, static_cast<char>(head));
  std::size_t size = body.size();
  do {
    out += static_cast<char>(size > 127 ? (size & 127) | 128 : size);
    size >>= 7;
  } while (size > 0);
  return out.append(body);
}

Error lost(std::string_view what) { return {ErrorKind::unavailable, fmt::format("MQTT: {}", what)}; }

}  // namespace

Result<std::unique_ptr<MqttClient>> MqttClient::connect(std::uint16_t port, const std::string& client) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  std::unique_ptr<MqttClient> made(new MqttClient(descriptor));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on = 1;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return lost(fmt::format("nobody listens on port {}", port));
  std::string body;
  append_text(body, "MQTT");
  body += "\x04\x02";
  append_two(body, 0);
  append_text(body, client);
  if (Status sent = made->write(packet(0x10, body)); !sent) return sent.error();
  bool welcome = false;
  while (!welcome && made->read(patience_ms, [&](unsigned head, std::string_view answer) {
    welcome = head == 0x20 && answer.size() == 2 && answer[1] == 0;
  })) {
  }
  if (!welcome) return lost("the connection was refused");
  return made;
}

MqttClient::~MqttClient() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Status MqttClient::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (written < 0 && errno != EINTR) return lost("the connection broke");
    if (written > 0) bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

bool MqttClient::read(int wait_ms, const std::function<void(unsigned, std::string_view)>& take) {
  pollfd waiting{descriptor_, POLLIN, 0};
  if (::poll(&waiting, 1, wait_ms) <= 0) return false;
  const std::size_t before = input_.size();
  input_.resize(before + (256u << 10));
  const ssize_t count = ::recv(descriptor_, input_.data() + before, input_.size() - before, 0);
  input_.resize(before + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  if (count <= 0) return false;
  std::size_t at = 0;
  while (input_.size() - at >= 2) {
    std::size_t length = 0;
    std::size_t next = at + 1;
    bool whole = false;
    for (unsigned shift = 0; next < input_.size() && !whole; shift += 7) {
      const auto byte = static_cast<unsigned char>(input_[next++]);
      length |= static_cast<std::size_t>(byte & 127u) << shift;
      whole = byte < 128;
    }
    if (!whole || input_.size() - next < length) break;
    take(static_cast<unsigned char>(input_[at]), std::string_view(input_).substr(next, length));
    at = next + length;
  }
  input_.erase(0, at);
  return true;
}

Status MqttClient::subscribe(const std::string& filter, unsigned qos) {
  std::string body;
  append_two(body, 1);
  append_text(body, filter);
  body += static_cast<char>(qos);
  if (Status sent = write(packet(0x82, body)); !sent) return sent;
  bool granted = false;
  while (!granted && read(patience_ms, [&](unsigned head, std::string_view) { granted = head == 0x90; })) {
  }
  return granted ? Status() : Status(lost("the subscription was not granted"));
}

Status MqttClient::publish(const std::vector<std::string>& topics, std::string_view payload, unsigned qos, std::uint64_t count,
                           std::uint64_t window) {
  std::vector<std::string> packets;
  std::vector<std::size_t> id_at;
  for (const std::string& topic : topics) {
    std::string body;
    append_text(body, topic);
    id_at.push_back(body.size());
    if (qos > 0) append_two(body, 0);
    body += payload;
    packets.push_back(packet(0x30 | qos << 1, body));
    id_at.back() += packets.back().size() - body.size();
  }
  std::uint64_t sent = 0;
  std::uint64_t acknowledged = qos > 0 ? 0 : count;
  std::string out;
  out.reserve(write_size + packets.front().size());
  while (sent < count || acknowledged < count) {
    out.clear();
    while (sent < count && out.size() < write_size && (qos == 0 || sent - acknowledged < window)) {
      const std::size_t which = sent % packets.size();
      const std::size_t at = out.size() + id_at[which];
      out += packets[which];
      if (qos > 0) {
        const std::uint64_t id = sent % ids + 1;
        out[at] = static_cast<char>(id >> 8);
        out[at + 1] = static_cast<char>(id & 0xFF);
      }
      ++sent;
    }
    if (Status written = write(out); !written) return written;
    if (qos == 0) continue;
    const bool full = sent == count || sent - acknowledged >= window;
    const bool came = read(full ? patience_ms : 0, [&](unsigned head, std::string_view) {
      if (head == 0x40) ++acknowledged;
    });
    if (full && !came) return lost("no acknowledgement came for half a minute");
  }
  return {};
}

Result<std::uint64_t> MqttClient::receive(std::uint64_t count, int patience) {
  std::uint64_t got = 0;
  std::string acknowledgements;
  while (got < count) {
    acknowledgements.clear();
    const bool came = read(patience, [&](unsigned head, std::string_view body) {
      if ((head & 0xF0) != 0x30) return;
      ++got;
      if ((head & 6) == 0) return;
      const auto high = static_cast<unsigned char>(body[0]);
      const std::size_t id_at = 2 + (static_cast<std::size_t>(high) << 8 | static_cast<unsigned char>(body[1]));
      acknowledgements += "\x40\x02";
      acknowledgements += body.substr(id_at, 2);
    });
    if (!came) break;
    if (Status sent = write(acknowledgements); !sent) return sent.error();
  }
  return got;
}

}  // namespace iotstream::bench
