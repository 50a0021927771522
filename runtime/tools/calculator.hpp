// The tool that does arithmetic.
#pragma once

#include <troupe/tool.hpp>

namespace troupe::tools {

/// "calculator" {expression}, as evaluate() in arithmetic.hpp reads it. Answers the number, or an error for
/// the model that says what is wrong with the expression.
ToolPtr make_calculator();

}  // namespace troupe::tools
