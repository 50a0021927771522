// The words a person would read on an HTML page.
#pragma once

#include <string>
#include <string_view>

namespace troupe::tools {

struct PageText {
  std::string title, text;
};

/// Tags away, blocks on lines of their own, character references resolved; nothing of scripts, styles,
/// comments and templates. No parser of HTML's error rules: on broken pages it says less, never loops. Linear
/// in the page's size; the text is never longer than the page, and valid UTF-8 when the page is.
PageText html_text(std::string_view html);

}  // namespace troupe::tools
