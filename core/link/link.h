// The session above a carrier: fills its records, acknowledges the peer's, tells what of ours has arrived, and decides when the
// carrier is dead.
//
// A carrier is dead when something is outstanding (a record that asks for acknowledgement) and nothing has progressed for 5 s:
// no acknowledgement, no record of the peer, no movement of the kernel's count of acknowledged bytes. Every record but a bare
// acknowledgement is acknowledged within 20 ms, so each is its own echo; on a silent link a PING is sent. Another rides with traffic
// once a second, as windows grow by the round trip.
//
// Violations and CLOSE end the link: over() is true then and error() says why; flush() has written what the peer should know.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/base/ring.h"
#include "core/link/stream_carrier.h"
#include "core/link/traffic.h"

namespace causeway::link {

// CLOSE's codes.
enum class CloseCode : std::uint64_t { kGoodbye = 0, kViolation = 1, kKeyRemoved = 2, kShuttingDown = 3 };

class Link final : private SentItems {
 public:
  struct Timing {
    Duration acknowledge_within = std::chrono::milliseconds(20);
    Duration idle_echo = std::chrono::seconds(25);
    Duration active_echo = std::chrono::seconds(5);
    Duration watched_echo = std::chrono::seconds(1);
    Duration dead_after = std::chrono::seconds(5);
    Duration measure_each = std::chrono::seconds(1);  // under traffic: the way there and back may become another
  };
  struct Echo {
    std::uint64_t token;
    Duration elapsed;
  };

  explicit Link(Traffic& traffic) : Link(traffic, Timing()) {}
  Link(Traffic& traffic, const Timing& timing);

  // `carrier` is open and outlives the link or the next attach. What an earlier one had not acknowledged is given to
  // Traffic::lost().
  void attach(StreamCarrier& carrier, Instant now);

  // Handles the records that have come.
  void receive(Instant now);
  // Fills and seals records while the carrier takes them, up to what there is room for: frames that come later wait behind it.
  void flush(Instant now);
  // How much may be sealed and not transmitted, from now on. Until told otherwise, and at most, kRoom; 0: nothing for now.
  void set_room(std::size_t bytes) { room_ = std::min(bytes, kRoom); }
  // The kernel's count of acknowledged bytes moved.
  void progressed(Instant now) { last_progress_ = now; }

  void echo(std::uint64_t token, Instant now);
  void goaway(StreamId highest);
  void close(CloseCode code, std::string text);

  bool over() const { return error_.has_value(); }
  const Error& error() const { return *error_; }
  bool heard() const { return heard_; }  // a record of the peer has come
  bool peer_is_going() const { return peer_goaway_; }
  std::optional<Duration> round_trip() const { return round_trip_; }
  // The lesser of the last two: what an outage held up says nothing about the path.
  std::optional<Duration> undisturbed_round_trip() const;
  // Whether it matters to know soon that the peer has stopped answering.
  void watch(bool watched) { watched_ = watched; }
  // Since when a sign of life of the peer's engine is owed; kNever: nothing is outstanding. Not moved by what its kernel acknowledges.
  Instant waiting_since() const { return eliciting_outstanding() ? last_sign_ : kNever; }
  // Bytes of DATA that the peer has not acknowledged.
  std::uint64_t unacknowledged() const { return unacknowledged_; }
  void take_echoes(std::vector<Echo>& out) { out.swap(echoes_); }

  // At once when flush() had to stop for a full batch and most of that has been transmitted since.
  Instant deadline() const;
  // Also says when the carrier is dead: over() is true then.
  void advance(Instant now);

 private:
  struct SentRecord {
    std::uint64_t number = 0;
    std::uint32_t items = 0;
    bool eliciting = false;
  };
  struct Ping {
    std::uint64_t wire = 0;
    std::uint64_t token = 0;  // 0: our own
    Instant sent{};
    bool written = false;
  };

  void note(const SentItem& item) override;
  void write_acknowledgement(WireWriter& writer, bool with_traffic, Instant now);
  void write_link_frames(WireWriter& writer, bool with_traffic, Instant now);
  bool frame_received(const Frame& frame, const Slice& record, Instant now);
  bool acknowledgement(const Frame& frame, Instant now);
  void pong(std::uint64_t wire, Instant now);
  void ping(std::uint64_t token, Instant now);
  void end(ErrorCode code, std::string message);
  std::size_t bulk() const;
  bool eliciting_outstanding() const { return eliciting_ > 0; }
  Instant next_ping() const;

  // Unacknowledged payload beyond this holds back bulk; and records beyond that hold back everything but acknowledgements.
  static constexpr std::uint64_t kUnacknowledgedBudget = 16 * 1024 * 1024;
  static constexpr std::size_t kMaxUnacknowledgedRecords = 65536;
  static constexpr std::size_t kRoom = 128 * 1024;
  static constexpr std::size_t kLeastBulk = 2048;  // less of it would cost more than it carries
  static constexpr std::size_t kMaxPongs = 64;
  static constexpr std::uint64_t kAcknowledgeEvery = 16;  // records

  Traffic& traffic_;
  Timing timing_;
  StreamCarrier* carrier_ = nullptr;
  std::uint64_t carrier_index_ = 0;  // how many carriers came before

  Ring<SentRecord> records_;
  Ring<SentItem> items_;
  std::uint32_t items_in_record_ = 0;
  std::size_t eliciting_ = 0;
  std::uint64_t unacknowledged_ = 0;

  std::uint64_t acknowledged_ = 0;  // of the peer's records, by our last ACK
  bool owe_ack_ = false;            // an eliciting record has come since
  Instant ack_due_ = kNever;

  Ring<Ping> pings_;
  Instant last_ping_{};
  std::uint64_t next_ping_token_ = 1;
  Ring<std::uint64_t> pongs_;
  std::vector<Echo> echoes_;
  std::optional<Duration> round_trip_, round_trip_before_;

  bool watched_ = false;
  std::size_t room_ = kRoom;
  bool batch_full_ = false;  // the last flush() left frames behind for want of room

  std::optional<StreamId> goaway_;
  bool goaway_due_ = false;
  std::optional<std::pair<CloseCode, std::string>> close_;
  bool peer_goaway_ = false;
  bool heard_ = false;
  std::optional<Error> error_;
  Instant last_progress_{};
  Instant last_sign_{};     // when a record last came, or since when something is outstanding
  Instant last_elicited_{};  // when a record that asks for an acknowledgement was last sent
};

}  // namespace causeway::link
