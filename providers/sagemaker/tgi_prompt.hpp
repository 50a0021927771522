// A conversation as one text, for models behind calls that know no messages.
#pragma once

#include <troupe/error.hpp>
#include <troupe/request.hpp>

#include <string>
#include <vector>

namespace troupe::providers::sagemaker {

/// A lone user message is its text, untouched, so a caller who knows the model's own template can render it
/// himself. Otherwise each message is a line "### System", "### User" or "### Assistant", its text and an
/// empty line, and the prompt ends with the line "### Assistant". Fails with bad_request when a text holds
/// such a line itself, which would forge a turn.
Result<std::string> render_prompt(const std::vector<Message>& messages);

/// The messages of a prompt; one user message when it does not follow that template.
std::vector<Message> read_prompt(std::string_view prompt);

}  // namespace troupe::providers::sagemaker
