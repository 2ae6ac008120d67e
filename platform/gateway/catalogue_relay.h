// A stream that is answered with a document, which waits here until the stream takes it.
#pragma once

#include <string>

#include "platform/relay/relay.h"

namespace causeway::platform {

class CatalogueRelay final : public Relay {
 public:
  CatalogueRelay(RelayHost& host, engine::RelayId id, std::string document)
      : host_(host), id_(id), document_(std::move(document)) {}

  void start() override;
  // What the client says is of no interest: its question was in its OPEN.
  void writable() override;
  void resume_reading() override { say(); }

 private:
  void say();

  RelayHost& host_;
  engine::RelayId id_;
  std::string document_;
  std::size_t said_ = 0;
};

}  // namespace causeway::platform
