// Tools used on behalf of somebody: whoever drives the run, the rights are the asker's (MECHANISMS J4).
#pragma once

#include <troupe/tool.hpp>

#include <string>

namespace troupe::research {

/// The same tools, called as `principal` whatever the driver's context says; unchanged for an empty one.
Toolbox on_behalf_of(const Toolbox& tools, const std::string& principal);

}  // namespace troupe::research
