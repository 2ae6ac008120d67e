// From what the library says to what the control socket says.
#pragma once

#include <causeway/tunnel.h>

#include "core/control/message.h"

namespace causeway::tund {

control::StepAnswer to_answer(const Step& step);
control::TunnelAnswer to_answer(const TunnelStatus& status);
control::ErrorAnswer to_answer(const Failure& failure);

}  // namespace causeway::tund
