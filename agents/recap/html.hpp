// Text in HTML: nothing a message says can become markup.
#pragma once

#include <string>
#include <string_view>

namespace troupe::recap {

/// `text` for element content and quoted attributes: & < > " ' as entities, control characters other than
/// line breaks and tabs as U+FFFD, invalid UTF-8 too.
std::string escape_html(std::string_view text);

/// escape_html inside <bdi>, so that right-to-left marks in a message cannot reorder the page around it.
std::string isolated_html(std::string_view text);

}  // namespace troupe::recap
