// Tells whether a file or folder has changed since it was read.
#pragma once

#include <filesystem>
#include <string>

namespace troupe::actors {

/// Its path with the newest time of any file in it and how many there are: a file that is written to leaves
/// its folder's own time alone. Of what is not there a name all the same.
std::string edition_of(const std::filesystem::path& path);

}  // namespace troupe::actors
