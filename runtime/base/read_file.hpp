// Files that people hand in, whole and within a bound.
#pragma once

#include <troupe/error.hpp>

#include <cstddef>
#include <string>

namespace troupe {

/// The bytes of a regular file. input_missing when it is not there or cannot be read; invalid_input when it
/// is something else, a folder perhaps, or has more than `bytes_max`. Reads no more than that of one that
/// grows.
Result<std::string> read_bounded(const std::string& path, std::size_t bytes_max);

}  // namespace troupe
