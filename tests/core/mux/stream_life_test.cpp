// A stream from open to its end, between two muxes that nothing disturbs.
#include "tests/core/mux/pair.h"

namespace causeway::mux {
namespace {

using Kind = MuxEvent::Kind;

TEST(StreamLife, AnAcceptedStreamCarriesBytesBothWaysAndEndsOnce) {
  Pair pair;
  StreamId id = pair.client.mux.open(tcp(8080), {packet::Address::v4(10, 0, 0, 2), 5555}, 0, {});
  pair.run();
  const MuxEvent& open = pair.gateway.last(Kind::kOpen);
  EXPECT_EQ(open.stream, id);
  EXPECT_EQ(open.destination, tcp(8080));
  EXPECT_EQ(open.source.port, 5555);
  pair.gateway.mux.accept(id);
  pair.run();
  EXPECT_EQ(pair.client.count(Kind::kOpened, id), 1u);

  pair.client.write(id, "question");
  pair.gateway.write(id, "answer");
  pair.run();
  EXPECT_EQ(pair.gateway.read(id), "question");
  EXPECT_EQ(pair.client.read(id), "answer");
  pair.client.mux.finish(id);
  pair.gateway.mux.finish(id);
  pair.run();
  EXPECT_EQ(pair.client.count(Kind::kClosed, id), 1u);
  EXPECT_EQ(pair.gateway.count(Kind::kClosed, id), 1u);
  EXPECT_EQ(pair.client.mux.streams() + pair.gateway.mux.streams(), 0u);
  EXPECT_EQ(pair.pool.in_use(), 0u);
}

TEST(StreamLife, ARefusalCarriesItsReasonAndLeavesNothingBehind) {
  Pair pair;
  StreamId id = pair.client.mux.open(tcp(), {}, 0, {});
  pair.run();
  pair.gateway.mux.refuse(id, Reason::kConnectionRefused);
  pair.run();
  EXPECT_EQ(pair.client.last(Kind::kRefused).reason, Reason::kConnectionRefused);
  EXPECT_EQ(pair.client.count(Kind::kClosed), 0u);
  EXPECT_EQ(pair.client.mux.streams() + pair.gateway.mux.streams(), 0u);
}

TEST(StreamLife, FirstBytesRideOnTheOpenAndAreFollowedByTheRest) {
  Pair pair;
  StreamId id = pair.client.mux.open(tcp(), {}, 0, pair.pool.copy(as_bytes("GET ")));
  pair.run();
  EXPECT_EQ(pair.gateway.read(id), "GET ");
  pair.gateway.mux.accept(id);
  pair.run();
  pair.client.write(id, "/ HTTP/1.1");
  pair.client.mux.finish(id);
  pair.run();
  EXPECT_EQ(pair.gateway.read(id), "/ HTTP/1.1");
  EXPECT_TRUE(pair.gateway.mux.read_done(id));
}

TEST(StreamLife, HalfCloseLetsTheOtherDirectionGoOn) {
  for (bool client_first : {true, false}) {
    Pair pair;
    StreamId id = pair.connected();
    auto& first = client_first ? pair.client : pair.gateway;
    auto& second = client_first ? pair.gateway : pair.client;
    first.write(id, "last words");
    first.mux.finish(id);
    pair.run();
    EXPECT_EQ(second.read(id), "last words");
    EXPECT_TRUE(second.mux.read_done(id));
    EXPECT_EQ(first.count(Kind::kClosed), 0u);
    std::string sent;
    for (int i = 0; i < 50; ++i) {
      second.write(id, std::string(5000, char('a' + i % 26)));
      sent += std::string(5000, char('a' + i % 26));
      pair.run();
    }
    second.mux.finish(id);
    pair.run();
    EXPECT_EQ(first.read(id), sent);
    pair.run();
    EXPECT_EQ(first.count(Kind::kClosed, id), 1u);
    EXPECT_EQ(second.count(Kind::kClosed, id), 1u);
  }
}

TEST(StreamLife, AStreamIsNotClosedBeforeItsLastByteWasRead) {
  Pair pair;
  StreamId id = pair.connected();
  pair.client.write(id, "unread");
  pair.client.mux.finish(id);
  pair.gateway.mux.finish(id);
  pair.run();
  EXPECT_EQ(pair.gateway.count(Kind::kClosed), 0u);
  EXPECT_FALSE(pair.gateway.mux.read_done(id));
  EXPECT_EQ(pair.gateway.read(id), "unread");
  EXPECT_EQ(pair.gateway.count(Kind::kClosed, id), 1u);
}

TEST(StreamLife, AResetEndsBothDirectionsAndIsAnswered) {
  for (bool by_client : {true, false}) {
    Pair pair;
    StreamId id = pair.connected();
    auto& from = by_client ? pair.client : pair.gateway;
    auto& to = by_client ? pair.gateway : pair.client;
    to.write(id, std::string(3000, 'x'));
    from.write(id, std::string(2000, 'y'));
    from.mux.reset(id, Reason::kConnectionReset);
    pair.run();
    EXPECT_EQ(to.last(Kind::kReset).reason, Reason::kConnectionReset);
    to.mux.forget(id);
    pair.run();
    EXPECT_EQ(from.count(Kind::kReset), 0u) << "who resets is not told";
    EXPECT_EQ(from.mux.streams() + to.mux.streams(), 0u);
    EXPECT_EQ(pair.pool.in_use(), 0u);
  }
}

TEST(StreamLife, WhatCameBeforeAResetCanStillBeRead) {
  Pair pair;
  StreamId id = pair.connected();
  pair.client.write(id, "error: no such table");
  pair.run();
  pair.client.mux.reset(id, Reason::kConnectionReset);
  pair.run();
  EXPECT_EQ(pair.gateway.count(Kind::kReset, id), 1u);
  EXPECT_EQ(pair.gateway.read(id), "error: no such table");
  EXPECT_EQ(pair.gateway.mux.streams(), 1u);
  pair.gateway.mux.forget(id);
  EXPECT_EQ(pair.gateway.mux.streams(), 0u);
}

TEST(StreamLife, AResetOfAStreamThatIsStillOpeningReachesThePeer) {
  Pair pair;
  StreamId id = pair.client.mux.open(tcp(), {}, 0, {});
  pair.run();
  pair.client.mux.reset(id, Reason::kNone);
  pair.run();
  EXPECT_EQ(pair.gateway.count(Kind::kReset, id), 1u);
  pair.gateway.mux.forget(id);
  pair.run();
  EXPECT_EQ(pair.client.mux.streams() + pair.gateway.mux.streams(), 0u);
}

TEST(StreamLife, BothSidesResettingAtOnceLeaveNothingBehind) {
  Pair pair;
  StreamId id = pair.connected();
  pair.client.mux.reset(id, Reason::kConnectionReset);
  pair.gateway.mux.reset(id, Reason::kConnectionReset);
  pair.run();
  EXPECT_EQ(pair.client.mux.streams() + pair.gateway.mux.streams(), 0u);
  EXPECT_EQ(pair.client.count(Kind::kReset) + pair.gateway.count(Kind::kReset), 0u);
}

TEST(StreamLife, ARefusalThatCrossesAResetLeavesNothingBehind) {
  Pair pair;
  StreamId id = pair.client.mux.open(tcp(), {}, 0, {});
  pair.run();
  pair.gateway.mux.refuse(id, Reason::kTimedOut);
  pair.client.mux.reset(id, Reason::kNone);
  pair.run();
  EXPECT_EQ(pair.client.mux.streams() + pair.gateway.mux.streams(), 0u);
  EXPECT_EQ(pair.client.count(Kind::kRefused), 0u);
}

TEST(StreamLife, AFinThatCrossesAResetLeavesNothingBehind) {
  Pair pair;
  StreamId id = pair.connected();
  pair.client.write(id, "bye");
  pair.client.mux.finish(id);
  pair.gateway.mux.reset(id, Reason::kConnectionReset);
  pair.run();
  EXPECT_EQ(pair.client.count(Kind::kReset, id), 1u);
  pair.client.mux.forget(id);
  pair.run();
  EXPECT_EQ(pair.client.mux.streams() + pair.gateway.mux.streams(), 0u);
}

TEST(StreamLife, StreamsOfBothSidesHaveIdsOfTheirOwn) {
  Pair pair;
  ListenId listen = pair.client.mux.listen(as_bytes("orders"));
  pair.run();
  EXPECT_EQ(as_text(pair.gateway.last(Kind::kListen).data.bytes()), "orders");
  StreamId down = pair.gateway.mux.open(tcp(), {}, listen, {});
  StreamId up = pair.client.mux.open(tcp(), {}, 0, {});
  pair.run();
  EXPECT_EQ(up % 2, 1u);
  EXPECT_EQ(down % 2, 0u);
  EXPECT_EQ(pair.client.last(Kind::kOpen).listen, listen);
  pair.client.mux.accept(down);
  pair.gateway.mux.accept(up);
  pair.run();
  pair.client.write(down, "from the laptop");
  pair.run();
  EXPECT_EQ(pair.gateway.read(down), "from the laptop");
}

TEST(StreamLife, AnOpenForAListenThatEndedIsRefused) {
  Pair pair;
  ListenId listen = pair.client.mux.listen(as_bytes("orders"));
  pair.run();
  StreamId id = pair.gateway.mux.open(tcp(), {}, listen, {});
  pair.client.mux.unlisten(listen, Reason::kNone, {});
  pair.run();
  EXPECT_EQ(pair.gateway.last(Kind::kRefused).stream, id);
  EXPECT_EQ(pair.gateway.last(Kind::kUnlisten).listen, listen);
  EXPECT_EQ(pair.client.count(Kind::kOpen), 0u);
}

TEST(StreamLife, AGatewayRefusesAListenWithAReason) {
  Pair pair;
  ListenId listen = pair.client.mux.listen(as_bytes("orders"));
  pair.run();
  pair.gateway.mux.unlisten(listen, Reason::kForbidden, "no such service");
  pair.run();
  EXPECT_EQ(pair.client.last(Kind::kUnlisten).reason, Reason::kForbidden);
  EXPECT_EQ(pair.client.last(Kind::kUnlisten).text, "no such service");
}

TEST(StreamLife, AGatewayTakesAListenWithParametersOfItsOwn) {
  Pair pair;
  ListenId listen = pair.client.mux.listen(as_bytes(std::string(link::kMaxParameters, 'l')));
  pair.run();
  EXPECT_EQ(pair.gateway.last(Kind::kListen).data.size, link::kMaxParameters);
  pair.gateway.mux.listening(listen, as_bytes(std::string(link::kMaxParameters, 'g')));
  pair.run();
  EXPECT_EQ(pair.client.last(Kind::kListening).listen, listen);
  EXPECT_EQ(as_text(pair.client.last(Kind::kListening).data.bytes()), std::string(link::kMaxParameters, 'g'));
  EXPECT_TRUE(pair.client.mux.active()) << "a carrier that dies under a listen should be noticed soon";
}

TEST(StreamLife, WhatIsGivenUpIsNotTakenAnyMore) {
  Pair pair;
  ListenId listen = pair.client.mux.listen(as_bytes("orders"));
  pair.run();
  pair.gateway.mux.listening(listen, as_bytes("terms"));
  pair.client.mux.unlisten(listen, Reason::kNone, {});
  pair.run();
  EXPECT_EQ(pair.client.count(Kind::kListening), 0u);
  EXPECT_EQ(pair.client.count(Kind::kUnlisten), 0u) << "it knows that itself";
  pair.gateway.mux.listening(listen, as_bytes("too late"));
  pair.gateway.mux.unlisten(listen, Reason::kConflict, "too late");
  EXPECT_FALSE(pair.gateway.mux.has_frames());
  EXPECT_FALSE(pair.client.mux.active());
  EXPECT_FALSE(pair.gateway.mux.active());
}

TEST(StreamLife, WhatComesAfterAllWasReadIsToldAgainInTheSameTurn) {
  Pair pair;
  StreamId id = pair.connected();
  for (int i = 0; i < 3; ++i) {
    pair.client.write(id, "piece");
    pair.run();
    EXPECT_EQ(pair.gateway.count(Kind::kReadable, id), std::size_t(i + 1));
    EXPECT_EQ(pair.gateway.read(id), "piece");
  }
}

TEST(StreamLife, AProbeIsKnownByItsFlag) {
  Pair pair;
  ListenId listen = pair.client.mux.listen(as_bytes("orders"));
  pair.run();
  pair.gateway.mux.open(tcp(), {}, listen, {}, link::kProbe);
  pair.run();
  EXPECT_EQ(pair.client.last(Kind::kOpen).flags, link::kProbe);
  pair.gateway.mux.open(tcp(), {}, listen, {});
  pair.run();
  EXPECT_EQ(pair.client.last(Kind::kOpen).flags, 0);
}

TEST(StreamLife, TheOpenersLimitAndTheAcceptorsLimitHold) {
  Mux::Settings few = settings();
  few.own.max_streams = few.peer.max_streams = 3;
  Pair pair(few);
  for (int i = 0; i < 3; ++i) EXPECT_NE(pair.client.mux.open(tcp(), {}, 0, {}), 0u);
  EXPECT_EQ(pair.client.mux.open(tcp(), {}, 0, {}), 0u);
  pair.run();
  EXPECT_EQ(pair.gateway.count(Kind::kOpen), 3u);
  pair.gateway.mux.refuse(1, Reason::kTimedOut);
  pair.run();
  EXPECT_NE(pair.client.mux.open(tcp(), {}, 0, {}), 0u) << "a place is free again";
}

TEST(StreamLife, AnOpenerThatWasToldAHigherLimitIsRefusedWhatIsTooMuch) {
  Mux::Settings strict = settings(), generous = settings();
  strict.own.max_streams = 2;
  Pair pair;
  Pair::Side gateway(Mux::Role::kGateway, pair.pool, strict);
  Pair::Side client(Mux::Role::kClient, pair.pool, generous);
  for (int i = 0; i < 4; ++i) client.mux.open(tcp(), {}, 0, {});
  pair.move(client, gateway);
  pair.move(gateway, client);
  EXPECT_EQ(gateway.count(Kind::kOpen), 2u);
  EXPECT_EQ(client.count(Kind::kRefused), 2u);
  EXPECT_EQ(client.last(Kind::kRefused).reason, Reason::kLimit);
}

TEST(StreamLife, LosingTheLinkEndsEveryStreamWithAnEvent) {
  Pair pair;
  StreamId open = pair.connected();
  StreamId opening = pair.client.mux.open(tcp(), {}, 0, {});
  pair.client.write(open, "never to arrive");
  pair.client.mux.lose_all();
  EXPECT_EQ(pair.client.count(Kind::kReset, open), 1u);
  EXPECT_EQ(pair.client.count(Kind::kRefused, opening), 1u);
  EXPECT_EQ(pair.client.last(Kind::kReset).reason, Reason::kLinkLost);
  EXPECT_EQ(pair.client.mux.streams(), 0u);
  pair.gateway.mux.lose_all();
  EXPECT_EQ(pair.pool.in_use(), 0u);
}

TEST(StreamLife, SentBytesAreReportedOnceTheyHaveLeft) {
  Pair pair;
  StreamId id = pair.connected();
  pair.client.write(id, std::string(10000, 'x'));
  EXPECT_EQ(pair.client.mux.unsent(id), 10000u);
  EXPECT_EQ(pair.client.mux.take_sent(id), 0u);
  pair.run();
  EXPECT_EQ(pair.client.count(Kind::kSent, id), 1u);
  EXPECT_EQ(pair.client.mux.take_sent(id), 10000u);
  EXPECT_EQ(pair.client.mux.unsent(id), 0u);
}

}  // namespace
}  // namespace causeway::mux
