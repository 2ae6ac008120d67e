// What a head says about its message beyond its grammar: how long it is, whether the connection goes on, and whether two
// implementations could disagree on either (RFC 9112, sections 3.2, 6 and 9.3; RFC 9110, section 7.2).
#pragma once

#include "core/http/head.h"
#include "core/http/parser.h"

namespace causeway::http {

// Fills framing, length, keep_alive, upgrade and expects_continue. False: `complaint` says what to answer.
bool frame_request(Head& head, Parser::Complaint& complaint);
bool frame_response(Head& head, Parser::ResponseTo what, Parser::Complaint& complaint);

}  // namespace causeway::http
