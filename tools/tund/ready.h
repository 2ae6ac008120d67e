#pragma once

namespace causeway::tund {

// Tells the service manager that callers are heard from now on (sd_notify(3)); nothing where there is none.
void tell_ready();

}  // namespace causeway::tund
