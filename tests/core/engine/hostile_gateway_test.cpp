// A gateway that has the keys and says what it likes: the laptop connects to what an intercept declared, and to nothing else.
#include <gtest/gtest.h>

#include "core/engine/client.h"
#include "core/intercept/request.h"
#include "tests/core/engine/silent_stack.h"
#include "tests/fuzz/carriers.h"
#include "tests/fuzz/frames.h"

namespace causeway::engine {
namespace {

using fuzz::Blob;
using fuzz::FixedKeys;
using fuzz::operator+;
using Kind = ClientEvent::Kind;

const packet::Endpoint kLocal = *packet::Endpoint::parse("127.0.0.1:8080");
const packet::Endpoint kElsewhere = *packet::Endpoint::parse("127.0.0.1:22");

class HostileGateway : public testing::Test {
 protected:
  HostileGateway() : client(config(), pool, random, stack, names, now) {
    client.start(now);
    client.advance(now);
    exchange();
    say(fuzz::blob({0x0d, 1}));
    EXPECT_EQ(client.status().link, ClientStatus::Link::kUp);
  }
  ~HostileGateway() override {
    client.stop(now);
    exchange();
  }
  static ClientConfig config() {
    ClientConfig out;
    out.keys = FixedKeys::of(FixedKeys::get().client);
    out.gateway_key = FixedKeys::get().gateway.public_key;
    return out;
  }

  void say(const Blob& frames) {
    MutableBytes space = gateway->record_space();
    std::copy(frames.begin(), frames.end(), space.begin());
    gateway->seal(frames.size());
    exchange();
  }
  // Everybody has their turn until nobody has anything to say.
  void exchange() {
    for (int i = 0; i < 8; ++i) {
      client.flush(now);
      client.settle();
      client.take_events(fresh);
      for (ClientEvent& event : std::exchange(fresh, {})) {
        if (event.kind == Kind::kDial) {
          gateway = std::make_unique<link::StreamCarrier>(pool, random, FixedKeys::of(FixedKeys::get().gateway),
                                                          link::StreamCarrier::Timing{}, now);
          client.carrier_connected(now);
        }
        events.push_back(std::move(event));
      }
      if (!gateway) return;
      std::array<Bytes, 2> pieces;
      Blob up;
      std::size_t count = client.transmit(pieces);
      for (std::size_t k = 0; k < count; ++k) up.insert(up.end(), pieces[k].begin(), pieces[k].end());
      client.transmitted(up.size(), now);
      fuzz::feed(
          up, 100000, [&] { return gateway->receive_space(); }, [&](std::size_t n) { gateway->received(n, now); });
      if (gateway->state() == link::StreamCarrier::State::kArrived) gateway->admit(fuzz::welcome_payload(), std::nullopt, now);
      while (auto record = gateway->next_record(now)) read(*record);
      fuzz::feed(
          fuzz::drain(*gateway), 100000, [&] { return client.receive_space(); },
          [&](std::size_t n) { client.received(n, now); });
    }
  }
  void read(const Slice& record) {
    WireReader reader(record.bytes());
    link::Frame frame;
    while (link::read_frame(reader, frame) == link::ReadFrame::kFrame) {
      if (frame.type == link::FrameType::kRefused) refused[frame.id] = frame.reason;
      if (frame.type == link::FrameType::kOpened) opened.push_back(frame.id);
    }
  }

  InterceptId intercept() {
    InterceptRequest request;
    request.service = "orders";
    request.local = kLocal;
    InterceptId id = client.intercept(request, now);
    exchange();
    return id;
  }
  static Blob taken(link::ListenId listen) {
    return fuzz::frame([&](WireWriter& writer) {
      link::write_listening(writer, listen, intercept::encode(intercept::Accepted{false, {kElsewhere}, std::chrono::milliseconds(1)}));
    });
  }
  static Blob open(link::StreamId stream, link::ListenId listen, std::uint8_t flags = 0,
                   flow::Protocol protocol = flow::Protocol::kTcp) {
    return fuzz::frame([&](WireWriter& writer) {
      link::OpenFrame out;
      out.stream = stream;
      out.listen = listen;
      out.flags = flags;
      out.destination = {protocol, "127.0.0.1", kElsewhere};
      out.source = kElsewhere;
      link::write_open(writer, out);
    });
  }
  std::vector<packet::Endpoint> dialled() const {
    std::vector<packet::Endpoint> all;
    for (const ClientEvent& event : events) {
      if (event.kind == Kind::kDialLocal) all.push_back(event.local);
    }
    return all;
  }
  bool is_up() const { return client.status().link == ClientStatus::Link::kUp; }

  BufferPool pool;
  SeededRandom random{3};
  Instant now{std::chrono::hours(1)};
  SilentStack stack;
  SilentNames names;
  Client client;
  std::unique_ptr<link::StreamCarrier> gateway;
  std::vector<ClientEvent> events, fresh;
  std::map<link::StreamId, link::Reason> refused;
  std::vector<link::StreamId> opened;
};

TEST_F(HostileGateway, WithoutAnInterceptAnOpenEndsTheLink) {
  say(open(2, 0));
  EXPECT_TRUE(dialled().empty());
  EXPECT_FALSE(is_up());
}

TEST_F(HostileGateway, AnOpenForAListenThatNeverWasEndsTheLink) {
  intercept();
  say(open(2, 2));
  EXPECT_TRUE(dialled().empty());
  EXPECT_FALSE(is_up());
}

TEST_F(HostileGateway, WhateverAnOpenNamesTheDeclaredAddressIsDialled) {
  intercept();
  say(taken(1) + open(2, 1) + open(4, 1));
  EXPECT_EQ(dialled(), (std::vector{kLocal, kLocal}));
  EXPECT_TRUE(is_up());
}

TEST_F(HostileGateway, NothingButByteStreamsIsTaken) {
  intercept();
  say(open(2, 1, 0, flow::Protocol::kUdp) + open(4, 1, 0, flow::Protocol::kEcho) + open(6, 1, 0, flow::Protocol::kDns) +
      open(8, 1, 0, flow::Protocol::kCatalogue));
  EXPECT_TRUE(dialled().empty());
  for (link::StreamId stream : {2, 4, 6, 8}) EXPECT_EQ(refused[stream], link::Reason::kNotAvailable) << stream;
  EXPECT_TRUE(is_up());
}

TEST_F(HostileGateway, AfterLeaveNothingIsDialled) {
  InterceptId id = intercept();
  say(taken(1));
  client.leave(id, now);
  say(open(2, 1));
  EXPECT_TRUE(dialled().empty());
  EXPECT_EQ(refused[2], link::Reason::kNotAvailable);
}

TEST_F(HostileGateway, AProbeReachesNoProcess) {
  intercept();
  say(open(2, 1, link::kProbe));
  EXPECT_EQ(opened, std::vector<link::StreamId>{2});
  EXPECT_TRUE(dialled().empty());
  say(fuzz::data(2, 0, 1000) + fuzz::fin(2, 1000));
  EXPECT_TRUE(is_up());
  EXPECT_TRUE(dialled().empty());
}

TEST_F(HostileGateway, StreamsThatAreOpenedAndResetAtOnceDoNoHarm) {
  intercept();
  say(open(2, 1) + fuzz::reset(2, 0) + open(4, 1, link::kProbe) + fuzz::reset(4, 0));
  EXPECT_TRUE(is_up());
  const auto all = std::exchange(events, {});
  for (const ClientEvent& event : all) {
    if (event.kind == Kind::kDialLocal) client.dialled(event.relay, now);
  }
  exchange();
  EXPECT_TRUE(is_up());
}

TEST_F(HostileGateway, MoreConnectionsThanMayBeAreRefused) {
  intercept();
  link::StreamId stream = 2;
  for (int n = 0; n < 1100; n += 50) {
    Blob frames;
    for (int i = 0; i < 50; ++i, stream += 2) frames = frames + open(stream, 1);
    say(frames);
  }
  EXPECT_EQ(dialled().size(), 1024u);
  EXPECT_EQ(refused[stream - 2], link::Reason::kLimit);
  EXPECT_TRUE(is_up());
}

TEST_F(HostileGateway, WhatItSaysOfARefusalIsMadePrintable) {
  intercept();
  say(fuzz::frame([](WireWriter& writer) { link::write_unlisten(writer, 1, link::Reason::kConflict, "taken\x1b[31m\n"); }));
  ASSERT_EQ(events.back().kind, Kind::kInterceptEnded);
  EXPECT_EQ(events.back().error.message, "taken?[31m?");
  EXPECT_EQ(events.back().error.code, ErrorCode::kConflict);
}

TEST_F(HostileGateway, ALISTENINGWithoutSenseEndsTheIntercept) {
  intercept();
  say(fuzz::frame([](WireWriter& writer) { link::write_listening(writer, 1, as_bytes("\x01\xff")); }));
  ASSERT_EQ(events.back().kind, Kind::kInterceptEnded);
  EXPECT_EQ(events.back().error.code, ErrorCode::kProtocol);
  say(open(2, 1));
  EXPECT_TRUE(dialled().empty());
}

TEST_F(HostileGateway, AnEndlessCatalogueIsCutOff) {
  client.ask_catalogue(5, "", now);
  exchange();
  say(fuzz::opened(1));
  std::uint64_t at = 0;
  for (int i = 0; i < 800 && events.back().kind != Kind::kCatalogue; ++i, at += 8000) say(fuzz::data(1, at, 8000));
  ASSERT_EQ(events.back().kind, Kind::kCatalogue);
  EXPECT_EQ(events.back().token, 5u);
  EXPECT_EQ(events.back().error.code, ErrorCode::kProtocol);
  EXPECT_TRUE(is_up());
}

TEST_F(HostileGateway, ACatalogueThatNeverComesIsGivenUp) {
  client.ask_catalogue(5, "", now);
  exchange();
  say(fuzz::opened(1));
  for (int i = 0; i < 11; ++i) {
    now += std::chrono::seconds(1);
    say(fuzz::blob({0x0e, 1}));
    client.advance(now);
    exchange();
  }
  ASSERT_EQ(events.back().kind, Kind::kCatalogue);
  EXPECT_EQ(events.back().error.code, ErrorCode::kTimedOut);
}

}  // namespace
}  // namespace causeway::engine
