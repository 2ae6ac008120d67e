// The codec: every frame there and back, and whatever a hostile peer may write instead.
#include "core/link/frame.h"

#include <gtest/gtest.h>

#include "core/base/random.h"

namespace causeway::link {
namespace {

class Frames : public testing::Test {
 protected:
  // Reads back the one frame that was written.
  Frame only() {
    WireReader reader(Bytes(space).first(writer.size()));
    Frame frame;
    EXPECT_EQ(read_frame(reader, frame), ReadFrame::kFrame);
    Frame none;
    EXPECT_EQ(read_frame(reader, none), ReadFrame::kEnd);
    return frame;
  }
  ReadFrame read(const std::vector<std::uint8_t>& bytes) {
    WireReader reader(bytes);
    Frame frame;
    return read_frame(reader, frame);
  }

  std::vector<std::uint8_t> space = std::vector<std::uint8_t>(20000);
  WireWriter writer{space};
};

const std::uint64_t kNumbers[]{0, 1, 63, 64, 16383, 16384, (1u << 30) - 1, 1u << 30, kMaxVarint};

TEST_F(Frames, NumbersOfEverySizeSurvive) {
  for (std::uint64_t a : kNumbers) {
    for (std::uint64_t b : kNumbers) {
      writer = WireWriter(space);
      write_credit(writer, a, b);
      Frame f = only();
      EXPECT_EQ(f.type, FrameType::kCredit);
      EXPECT_EQ(f.id, a);
      EXPECT_EQ(f.value, b);
      writer = WireWriter(space);
      write_fin(writer, a, b);
      f = only();
      EXPECT_TRUE(f.type == FrameType::kFin && f.id == a && f.value == b);
      writer = WireWriter(space);
      write_ack(writer, a, b);
      f = only();
      EXPECT_TRUE(f.type == FrameType::kAck && f.id == a && f.value == b);
      writer = WireWriter(space);
      write_reset(writer, a, Reason::kLimit, b);
      f = only();
      EXPECT_TRUE(f.type == FrameType::kReset && f.id == a && f.value == b && f.reason == Reason::kLimit);
    }
    writer = WireWriter(space);
    write_opened(writer, a);
    EXPECT_TRUE(only().type == FrameType::kOpened && only().id == a);
    writer = WireWriter(space);
    write_ping(writer, a);
    EXPECT_TRUE(only().type == FrameType::kPing && only().id == a);
    writer = WireWriter(space);
    write_pong(writer, a);
    EXPECT_TRUE(only().type == FrameType::kPong && only().id == a);
    writer = WireWriter(space);
    write_goaway(writer, a);
    EXPECT_TRUE(only().type == FrameType::kGoaway && only().id == a);
    writer = WireWriter(space);
    write_refused(writer, a, Reason::kNameNotFound);
    EXPECT_TRUE(only().type == FrameType::kRefused && only().id == a && only().reason == Reason::kNameNotFound);
    writer = WireWriter(space);
    write_unlisten(writer, a, Reason::kForbidden, "why");
    EXPECT_TRUE(only().type == FrameType::kUnlisten && only().id == a && only().reason == Reason::kForbidden);
    EXPECT_EQ(as_text(only().bytes), "why");
  }
}

TEST_F(Frames, DataDatagramsAndTextsSurvive) {
  for (std::size_t n : {0u, 1u, 63u, 64u, 16000u}) {
    writer = WireWriter(space);
    MutableBytes out = write_data(writer, 5, 7, n);
    std::fill(out.begin(), out.end(), std::uint8_t(n));
    Frame f = only();
    EXPECT_TRUE(f.type == FrameType::kData && f.id == 5 && f.value == 7 && f.bytes.size() == n);
    writer = WireWriter(space);
    write_datagram(writer, 6, 8, 40000, true, n);
    f = only();
    EXPECT_TRUE(f.type == FrameType::kDatagram && f.id == 6 && f.value == 8 && f.offset == 40000 && f.last && f.bytes.size() == n);
  }
  writer = WireWriter(space);
  for (std::size_t n : {std::size_t(0), std::size_t(1), kMaxParameters}) {
    const std::string parameters(n, 'p');
    writer = WireWriter(space);
    write_listen(writer, 3, as_bytes(parameters));
    EXPECT_TRUE(only().type == FrameType::kListen && only().id == 3 && as_text(only().bytes) == parameters);
    writer = WireWriter(space);
    write_listening(writer, 4, as_bytes(parameters));
    EXPECT_TRUE(only().type == FrameType::kListening && only().id == 4 && as_text(only().bytes) == parameters);
  }
  writer = WireWriter(space);
  write_close(writer, 2, std::string(300, 'x'));
  EXPECT_TRUE(only().type == FrameType::kClose && only().id == 2 && as_text(only().bytes) == std::string(255, 'x'));
}

TEST_F(Frames, OpensOfEveryKindSurvive) {
  const packet::Endpoint v4{packet::Address::v4(10, 0, 0, 1), 80};
  const packet::Endpoint v6{*packet::Address::parse("2001:db8::1"), 443};
  const std::string first(kMaxFirstBytes, 'f');
  for (flow::Protocol protocol : {flow::Protocol::kTcp, flow::Protocol::kUdp, flow::Protocol::kEcho, flow::Protocol::kDns, flow::Protocol::kCatalogue}) {
    for (const packet::Endpoint& to : {v4, v6}) {
      for (const packet::Endpoint& from : {packet::Endpoint(), v4, v6}) {
        for (std::string_view name : {std::string_view(), std::string_view("orders.shop")}) {
          for (std::size_t n : {std::size_t(0), std::size_t(1), kMaxFirstBytes}) {
            OpenFrame open;
            open.stream = 9;
            open.destination = {protocol, std::string(name), to};
            open.source = from;
            open.flags = std::uint8_t(n);
            open.first = as_bytes(std::string_view(first).substr(0, n));
            writer = WireWriter(space);
            write_open(writer, open);
            EXPECT_LE(writer.size(), kOpenOverhead + n);
            OpenFrame got = only().open;
            EXPECT_EQ(only().id, 9u);
            EXPECT_EQ(got.source, from);
            EXPECT_EQ(got.flags, std::uint8_t(n));
            EXPECT_EQ(got.first.size(), n);
            EXPECT_EQ(got.destination.protocol, protocol);
            EXPECT_EQ(got.destination.name, name);
            if (!name.empty()) {
              EXPECT_EQ(got.destination.endpoint.port, to.port);
            } else if (flow::has_address(protocol)) {
              EXPECT_EQ(got.destination.endpoint, to);
            }
          }
        }
      }
    }
  }
}

TEST_F(Frames, TheBoundsOfTheWritersHold) {
  OpenFrame open;
  open.stream = open.listen = kMaxVarint;
  open.destination = {flow::Protocol::kTcp, std::string(255, 'n'), {}};
  open.source = {*packet::Address::parse("2001:db8::1"), 443};
  write_open(writer, open);
  EXPECT_LE(writer.size(), kOpenOverhead);
  writer = WireWriter(space);
  write_data(writer, kMaxVarint, kMaxVarint, 16000);
  EXPECT_LE(writer.size(), kDataOverhead + 16000);
  writer = WireWriter(space);
  write_datagram(writer, kMaxVarint, kMaxVarint, 65535, true, 16000);
  EXPECT_LE(writer.size(), kDatagramOverhead + 16000);
  writer = WireWriter(space);
  write_reset(writer, kMaxVarint, Reason::kInternal, kMaxVarint);
  EXPECT_LE(writer.size(), kSmallFrame);
  writer = WireWriter(space);
  write_close(writer, kMaxVarint, std::string(300, 'x'));
  EXPECT_LE(writer.size(), kTextFrame);
  writer = WireWriter(space);
  write_unlisten(writer, kMaxVarint, Reason::kInternal, std::string(300, 'x'));
  EXPECT_LE(writer.size(), kTextFrame);
  writer = WireWriter(space);
  write_listen(writer, kMaxVarint, as_bytes(std::string(kMaxParameters, 'x')));
  EXPECT_LE(writer.size(), kParametersOverhead + kMaxParameters);
}

TEST_F(Frames, AnUnknownOptionalFrameIsSkippedAndAnUnknownOtherIsNot) {
  writer.varint(0x40);
  writer.varint(5);
  writer.claim(5);
  writer.varint(kMaxVarint);
  writer.varint(0);
  write_ping(writer, 4);
  WireReader reader(Bytes(space).first(writer.size()));
  Frame frame;
  EXPECT_EQ(read_frame(reader, frame), ReadFrame::kFrame);
  EXPECT_EQ(frame.id, 4u);
  EXPECT_EQ(frame.skipped, 2u);
  for (std::uint8_t type : {0x00, 0x12, 0x20, 0x3f, 0x0c}) EXPECT_EQ(read({type, 0, 0, 0, 0}), ReadFrame::kViolation) << int(type);
  EXPECT_EQ(read({0x40, 0x40, 6, 1, 2, 3}), ReadFrame::kViolation) << "longer than the record";
  EXPECT_EQ(read({0x41, 0x01, 5, 2}), ReadFrame::kViolation) << "a type beyond a byte, whose length lies";
}

TEST_F(Frames, AnUnknownReasonIsTakenAsTheUnspecificOne) {
  write_refused(writer, 1, Reason::kTimedOut);
  space[2] = 200;
  EXPECT_EQ(only().reason, Reason::kInternal);
  EXPECT_STRNE(reason_name(Reason::kInternal), "unknown");
  for (int r = 0; r <= int(Reason::kConflict); ++r) EXPECT_STRNE(reason_name(Reason(r)), "unknown");
}

TEST_F(Frames, WhatCannotBeIsAViolation) {
  auto hostile = [&](auto&& write) {
    writer = WireWriter(space);
    write(writer);
    return read({space.begin(), space.begin() + std::ptrdiff_t(writer.size())});
  };
  auto open = [&](std::uint8_t protocol, std::uint8_t kind, std::string_view rest) {
    return hostile([&](WireWriter& w) {
      w.byte(1);
      w.varint(1);
      w.varint(0);
      w.byte(0);  // no flags
      w.byte(protocol);
      w.byte(kind);
      w.bytes(as_bytes(rest));
      w.byte(0);    // no source
      w.varint(0);  // no first bytes
    });
  };
  const std::string v4 = std::string("\x0a\0\0\1\0\x50", 6);
  EXPECT_EQ(open(1, 4, v4), ReadFrame::kFrame);
  EXPECT_EQ(open(0, 4, v4), ReadFrame::kViolation) << "no such protocol";
  EXPECT_EQ(open(6, 4, v4), ReadFrame::kViolation);
  EXPECT_EQ(open(1, 5, v4), ReadFrame::kViolation) << "no such kind of address";
  EXPECT_EQ(open(1, 0, ""), ReadFrame::kViolation) << "towards nowhere";
  EXPECT_EQ(open(4, 0, ""), ReadFrame::kFrame) << "DNS needs no address";
  EXPECT_EQ(open(5, 0, ""), ReadFrame::kFrame) << "nor does the catalogue";
  EXPECT_EQ(open(1, 1, std::string("\x03" "a b\0\x50", 6)), ReadFrame::kViolation) << "a blank in a name";
  EXPECT_EQ(open(1, 1, std::string("\x03" "a\0b\0\x50", 6)), ReadFrame::kViolation) << "a zero in a name";
  EXPECT_EQ(open(1, 1, std::string("\x00\0\x50", 3)), ReadFrame::kViolation) << "an empty name";
  EXPECT_EQ(open(1, 1, std::string("\x03" "a-b\0\x50", 6)), ReadFrame::kFrame);
  EXPECT_EQ(hostile([](WireWriter& w) {
              w.byte(4);
              w.varint(1);
              w.varint(kMaxVarint);
              w.varint(1);
              w.claim(1);
            }),
            ReadFrame::kViolation)
      << "an offset that overflows";
  EXPECT_EQ(hostile([](WireWriter& w) { write_datagram(w, 1, 0, 65535, true, 1); }), ReadFrame::kViolation);
  EXPECT_EQ(hostile([](WireWriter& w) { write_datagram(w, 1, 0, 65534, true, 1); }), ReadFrame::kFrame);
  EXPECT_EQ(hostile([](WireWriter& w) {
              w.byte(0x10);
              w.varint(0);
              w.varint(256);
              w.claim(256);
            }),
            ReadFrame::kViolation)
      << "a text that is too long";
  for (std::uint8_t type : {0x09, 0x11}) {
    EXPECT_EQ(hostile([&](WireWriter& w) {
                w.byte(type);
                w.varint(1);
                w.varint(kMaxParameters + 1);
                w.claim(kMaxParameters + 1);
              }),
              ReadFrame::kViolation)
        << "parameters that are too long";
  }
}

TEST_F(Frames, CutAnywhereIsAViolationNeverAReadBeyond) {
  OpenFrame open;
  open.stream = 1000;
  open.destination = {flow::Protocol::kTcp, "orders.shop", {{}, 80}};
  open.source = {*packet::Address::parse("2001:db8::1"), 443};
  open.first = as_bytes("first");
  std::vector<std::vector<std::uint8_t>> all;
  auto add = [&](auto&& write) {
    writer = WireWriter(space);
    write();
    all.emplace_back(space.begin(), space.begin() + std::ptrdiff_t(writer.size()));
  };
  add([&] { write_open(writer, open); });
  add([&] { write_data(writer, 300, 70000, 20); });
  add([&] { write_datagram(writer, 300, 70000, 5, false, 20); });
  add([&] { write_reset(writer, 300, Reason::kLimit, 70000); });
  add([&] { write_listen(writer, 300, as_bytes("name")); });
  add([&] { write_listening(writer, 300, as_bytes("terms")); });
  add([&] { write_close(writer, 300, "text"); });
  add([&] { write_ack(writer, 300, 70000); });
  add([&] { write_unlisten(writer, 300, Reason::kLimit, "text"); });
  for (const auto& bytes : all) {
    ASSERT_EQ(read(bytes), ReadFrame::kFrame);
    for (std::size_t n = 1; n < bytes.size(); ++n) {
      // In a block of its own size, so that a sanitizer sees a read beyond it.
      std::vector<std::uint8_t> cut(bytes.begin(), bytes.begin() + std::ptrdiff_t(n));
      cut.shrink_to_fit();
      EXPECT_EQ(read(cut), ReadFrame::kViolation) << int(bytes[0]) << " cut to " << n;
    }
  }
}

TEST_F(Frames, RandomRecordsNeverCrash) {
  for (std::uint64_t seed = 1; seed <= 20000; ++seed) {
    SeededRandom random(seed);
    std::vector<std::uint8_t> bytes(random.below(64));
    random.fill(bytes);
    if (!bytes.empty() && random.below(4)) bytes[0] = std::uint8_t(1 + random.below(17));
    WireReader reader(bytes);
    Frame frame;
    int frames = 0;
    while (read_frame(reader, frame) == ReadFrame::kFrame) ASSERT_LT(++frames, 65);
  }
}

}  // namespace
}  // namespace causeway::link
