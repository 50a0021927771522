// A report by models that read strangers' text, as Markdown that obeys nothing of it.
#pragma once

#include "agents/research/evidence.hpp"

#include <span>
#include <string>
#include <string_view>

namespace troupe::research {

/// A report in which only lists, quotations and emphasis are markup, and headings that no source wrote: these
/// are of the third level at most, so that none passes for a section of ours. Links, images, HTML, code and
/// addresses are text. Nothing in it looks like a citation's mark (see without_marks, which is part of it).
/// Pure.
std::string inert_report(std::string_view report, std::span<const Finding> sources);

}  // namespace troupe::research
