#include "tools/noise_vectors/replay.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/noise/handshake.h"

namespace causeway::tools {
namespace {

using Json = nlohmann::json;
using noise::Handshake;
using Octets = std::vector<std::uint8_t>;

// What is wrong with one vector; never leaves this file.
struct Wrong {
  std::string why;
};

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Octets decode_hex(const Json& value, const std::string& field) {
  if (!value.is_string()) throw Wrong{field + " is not a string"};
  const auto& text = value.get_ref<const std::string&>();
  if (text.size() % 2 != 0) throw Wrong{field + " has an odd number of hexadecimal digits"};
  Octets out;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0) throw Wrong{field + " is not hexadecimal"};
    out.push_back(std::uint8_t(high << 4 | low));
  }
  return out;
}

std::optional<Octets> optional_hex(const Json& vector, const std::string& field) {
  auto it = vector.find(field);
  if (it == vector.end() || it->is_null()) return std::nullopt;
  return decode_hex(*it, field);
}

Octets key_of(const Json& value, const std::string& field) {
  Octets key = decode_hex(value, field);
  if (key.size() != 32) throw Wrong{field + " has " + std::to_string(key.size()) + " bytes instead of 32"};
  return key;
}

noise::KeyPair key_pair(const Json& vector, const std::string& field) {
  auto it = vector.find(field);
  if (it == vector.end()) throw Wrong{field + " is missing"};
  return noise::from_private(noise::PrivateKey(key_of(*it, field)));
}

std::optional<noise::Psk> psk_of(const Json& vector, const std::string& field) {
  auto it = vector.find(field);
  if (it == vector.end() || it->is_null()) return std::nullopt;
  if (!it->is_array()) throw Wrong{field + " is not an array"};
  if (it->empty()) return std::nullopt;
  if (it->size() > 1) throw Wrong{field + " holds " + std::to_string(it->size()) + " keys where the pattern has one"};
  return noise::Psk(key_of(it->front(), field));
}

std::optional<Handshake::Pattern> pattern_of(const Json& vector) {
  auto name = vector.find("protocol_name");
  if (name == vector.end() || !name->is_string()) throw Wrong{"protocol_name is missing or not a string"};
  if (*name == "Noise_IK_25519_ChaChaPoly_BLAKE2b") return Handshake::Pattern::kIk;
  if (*name == "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b") return Handshake::Pattern::kIkPsk2;
  return std::nullopt;
}

// Both ends of one vector.
class Replay {
 public:
  Replay(Handshake::Pattern pattern, const Json& vector)
      : initiator_ephemeral_(key_pair(vector, "init_ephemeral")),
        responder_ephemeral_(key_pair(vector, "resp_ephemeral")),
        handshake_hash_(optional_hex(vector, "handshake_hash")),
        initiator_(make_initiator(pattern, vector)),
        responder_(make_responder(pattern, vector)) {
    if (pattern != Handshake::Pattern::kIkPsk2) return;
    auto ours = psk_of(vector, "init_psks"), theirs = psk_of(vector, "resp_psks");
    if (!ours && !theirs) throw Wrong{"neither init_psks nor resp_psks holds the pattern's key"};
    initiator_.set_psk(ours ? *ours : *theirs);
    responder_.set_psk(theirs ? *theirs : *ours);
  }

  void message(std::size_t index, const Octets& payload, const Octets& ciphertext) {
    if (index == 0) {
      check(initiator_.write_one(initiator_ephemeral_, payload, written_), "it cannot be written");
      check(written_ == ciphertext, "the ciphertext differs");
      check(responder_.read_one(ciphertext, read_), "it does not open");
    } else if (index == 1) {
      check(responder_.write_two(responder_ephemeral_, payload, written_), "it cannot be written");
      check(written_ == ciphertext, "the ciphertext differs");
      check(initiator_.read_two(ciphertext, read_), "it does not open");
      complete();
    } else {
      transport(index % 2, payload, ciphertext);
    }
    check(read_ == payload, "the payload differs");
  }

  bool complete_handshake() const { return complete_; }

 private:
  static void check(bool holds, const char* otherwise) {
    if (!holds) throw Wrong{otherwise};
  }

  static Handshake make_initiator(Handshake::Pattern pattern, const Json& vector) {
    noise::PublicKey responder = key_pair(vector, "resp_static").public_key;
    if (auto given = vector.find("init_remote_static"); given != vector.end() && !given->is_null()) {
      Octets key = key_of(*given, "init_remote_static");
      std::copy(key.begin(), key.end(), responder.begin());
    }
    Octets prologue = optional_hex(vector, "init_prologue").value_or(Octets());
    return Handshake::initiator(pattern, prologue, key_pair(vector, "init_static"), responder);
  }

  static Handshake make_responder(Handshake::Pattern pattern, const Json& vector) {
    Octets prologue = optional_hex(vector, "resp_prologue").value_or(Octets());
    return Handshake::responder(pattern, prologue, key_pair(vector, "resp_static"));
  }

  void complete() {
    complete_ = true;
    check(initiator_.handshake_hash() == responder_.handshake_hash(), "the two ends' handshake hashes differ");
    const noise::Hash& hash = initiator_.handshake_hash();
    if (handshake_hash_) check(*handshake_hash_ == Octets(hash.begin(), hash.end()), "the handshake hash differs");
    initiator_.split(send_[0], receive_[1]);
    responder_.split(send_[1], receive_[0]);
  }

  // `from`: 0 the initiator, 1 the responder.
  void transport(std::size_t from, const Octets& payload, const Octets& ciphertext) {
    written_ = payload;
    written_.resize(payload.size() + noise::CipherState::kTag);
    check(send_[from].seal({}, written_, payload.size()), "it cannot be written");
    check(written_ == ciphertext, "the ciphertext differs");
    read_ = ciphertext;
    check(receive_[from].open({}, read_), "it does not open");
    read_.resize(read_.size() - noise::CipherState::kTag);
  }

  noise::KeyPair initiator_ephemeral_, responder_ephemeral_;
  std::optional<Octets> handshake_hash_;
  Handshake initiator_, responder_;
  noise::CipherState send_[2], receive_[2];  // by the sender
  Octets written_, read_;
  bool complete_ = false;
};

void replay_messages(Replay& replay, const Json& vector) {
  auto messages = vector.find("messages");
  if (messages == vector.end() || !messages->is_array()) throw Wrong{"messages is missing or not an array"};
  for (std::size_t i = 0; i < messages->size(); ++i) {
    std::string where = "message " + std::to_string(i + 1) + ": ";
    const Json& message = (*messages)[i];
    if (!message.is_object() || !message.contains("ciphertext")) throw Wrong{where + "it has no ciphertext"};
    try {
      Octets payload = optional_hex(message, "payload").value_or(Octets());
      replay.message(i, payload, decode_hex(message["ciphertext"], "ciphertext"));
    } catch (const Wrong& wrong) {
      throw Wrong{where + wrong.why};
    }
  }
  if (!replay.complete_handshake()) throw Wrong{"fewer than the handshake's two messages"};
}

// False: of a protocol that the link does not use.
bool replay_one(const Json& vector) {
  if (!vector.is_object()) throw Wrong{"it is not an object"};
  auto pattern = pattern_of(vector);
  if (!pattern) return false;
  Replay replay(*pattern, vector);
  replay_messages(replay, vector);
  return true;
}

}  // namespace

Result<ReplayReport> replay_vectors(std::string_view text) {
  Json file;
  try {
    file = Json::parse(text);
  } catch (const Json::exception& error) {
    return fail(ErrorCode::kInvalid, std::string("not JSON: ") + error.what());
  }
  if (!file.is_object() || !file.contains("vectors") || !file["vectors"].is_array()) {
    return fail(ErrorCode::kInvalid, "not a vector file: there is no array \"vectors\"");
  }
  ReplayReport report;
  std::size_t number = 0;
  for (const Json& vector : file["vectors"]) {
    ++number;
    try {
      ++(replay_one(vector) ? report.passed : report.skipped);
    } catch (const Wrong& wrong) {
      ++report.failed;
      report.failures.push_back("vector " + std::to_string(number) + ": " + wrong.why);
    }
  }
  return report;
}

}  // namespace causeway::tools
