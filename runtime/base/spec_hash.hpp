// When a tool is the tool it was.
#pragma once

#include <troupe/request.hpp>

#include <string>

namespace troupe {

/// 16 hex digits over name, description and schema: to agents another description is another tool. The same
/// on every machine and build, so that it may be stored.
std::string spec_hash(const ToolSpec& spec);

}  // namespace troupe
