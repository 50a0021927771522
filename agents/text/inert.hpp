// Text of models, people and sources as Markdown that shows it and obeys nothing of it.
#pragma once

#include <string>
#include <string_view>

namespace troupe::text {

/// `text` on one line so that CommonMark with GitHub's additions (spec 0.31.2, GFM 0.29) shows it as it is:
/// no heading, list, emphasis, link, image, HTML, code or autolink comes of it. Control characters go, and
/// those that hide or reorder text (bidirectional overrides, zero-width spaces, tags); UTF-8 is expected.
/// Pure, as all here.
std::string inert_line(std::string_view text);

/// The steps it is made of, for text of more than one line: without what hides or reorders it; with a
/// backslash before what means something wherever it stands in a line.
std::string only_visible(std::string_view text);
std::string inert_words(std::string_view text);

/// What a reader of either sees: the text without the backslashes.
std::string without_backslashes(std::string_view text);

}  // namespace troupe::text
