#include "tests/world/askers.h"

#include "tests/world/pattern.h"

namespace causeway::world {

DatagramAsker::DatagramAsker(World& world, std::uint64_t flow, const packet::Endpoint& to)
    : world_(world),
      flow_(flow),
      to_(to),
      socket_(world.laptop.open_udp(
          to.address.is_v6(), [this](const packet::Endpoint& from, Bytes datagram) { received(from, datagram); })) {}

void DatagramAsker::send(std::size_t size) {
  std::vector<std::uint8_t> datagram(size);
  store32(&datagram[0], std::uint32_t(flow_));
  store32(&datagram[4], std::uint32_t(sizes_.size()));
  fill_pattern(flow_ << 32 | sizes_.size(), 0, MutableBytes(datagram).subspan(8));
  sizes_.push_back(size);
  back_.push_back(false);
  world_.laptop.send_udp(socket_, to_, datagram);
}

void DatagramAsker::received(const packet::Endpoint& from, Bytes datagram) {
  std::string who = "datagrams of " + std::to_string(flow_) + ": ";
  if (from != to_) {
    fault_ = who + "an answer from " + from.text();
    return;
  }
  std::uint32_t number = datagram.size() >= 8 ? load32(&datagram[4]) : ~0u;
  if (number >= sizes_.size() || datagram.size() != sizes_[number] || load32(&datagram[0]) != flow_) {
    fault_ = who + "one of " + std::to_string(datagram.size()) + " bytes that was not sent";
  } else if (matching_pattern(flow_ << 32 | number, 0, datagram.subspan(8)) != datagram.size() - 8) {
    fault_ = who + "number " + std::to_string(number) + " is damaged";
  } else if (back_[number]) {
    fault_ = who + "number " + std::to_string(number) + " came twice";
  } else {
    back_[number] = true;
    ++answered_;
  }
}

NameAsker::NameAsker(World& world, const std::string& name, std::uint16_t id, unsigned tries)
    : world_(world),
      name_(name),
      id_(id),
      tries_left_(tries),
      socket_(world.laptop.open_udp(false, [this](const packet::Endpoint&, Bytes message) {
        auto answer = read_answer(message);
        if (answer && answer->id == id_ && !answer_) answer_ = answer;
      })) {}

void NameAsker::ask() { try_again(); }

void NameAsker::try_again() {
  if (answer_ || tries_left_ == 0) return;
  world_.laptop.send_udp(socket_, {kStub, 53}, question(name_, id_));
  world_.time.after(std::chrono::seconds(3), [this] {
    --tries_left_;
    try_again();
  });
}

}  // namespace causeway::world
