// Shows a tool's output to a model as data that cannot pass for anything else (J9).
#pragma once

#include <troupe/tool.hpp>

#include <string>
#include <string_view>

namespace troupe::tools {

/// The text between `<tool_output>` and `</tool_output>`, on lines of their own; an error's opening tag is
/// `<tool_output error="true">`. Within, & < > are written &amp; &lt; &gt;, so that no output can end its own
/// frame, open another or spell a chat template's control token; invalid UTF-8 becomes U+FFFD; control
/// characters but tab and newline, direction overrides and Unicode tag characters, which people do not see
/// and models read, are left out. Whatever the words say, tools are called by name through a Toolbox alone.
std::string as_data(const ToolOutput& output);

/// What as_data does to the words between the tags.
std::string data_text(std::string_view text);

/// One sentence for a system prompt that says what the tags mean.
std::string_view data_notice();

}  // namespace troupe::tools
