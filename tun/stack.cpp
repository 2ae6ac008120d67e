#include "tun/stack.h"

#include "tun/attachment.h"
#include "tun/machine.h"

namespace causeway::tun {

Stack::Stack(BufferPool& pool, Random& random, const StackOptions& options)
    : machine_(std::make_unique<Machine>(pool, random, options)) {}

Stack::~Stack() = default;

std::unique_ptr<engine::Stack> Stack::attach() { return std::make_unique<Attachment>(*machine_); }

std::size_t Stack::connections() const { return machine_->connections(); }

const StackCounters& Stack::counters() const { return machine_->counters(); }

}  // namespace causeway::tun
