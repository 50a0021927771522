// Text of sources, and of models that read them, as Markdown that shows it and obeys nothing of it.
#pragma once

#include "agents/research/evidence.hpp"

#include <span>
#include <string>
#include <string_view>

namespace troupe::research {

/// `text` on one line so that CommonMark with GitHub's additions (spec 0.31.2, GFM 0.29) shows it as it is:
/// no heading, list, emphasis, link, image, HTML, code or autolink comes of it. Control characters go, and
/// those that hide or reorder text (bidirectional overrides, zero-width spaces, tags); UTF-8 is expected.
/// Pure, as all here.
std::string inert_line(std::string_view text);

/// A report in which only lists, quotations and emphasis are markup, and headings that no source wrote: these
/// are of the third level at most, so that none passes for a section of ours. Links, images, HTML, code and
/// addresses are text. Nothing in it looks like a citation's mark (see without_marks, which is part of it).
std::string inert_report(std::string_view report, std::span<const Finding> sources);

/// What a reader of either sees: the text without the backslashes.
std::string without_backslashes(std::string_view text);

}  // namespace troupe::research
