// The look of a report.
#pragma once

#include <string_view>

namespace troupe::recap {

/// The page's whole style sheet: light and dark, wide and narrow, screen and paper. Names no font, image or
/// address outside the page.
std::string_view report_style();

}  // namespace troupe::recap
