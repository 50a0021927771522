#include "runtime/base/read_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace troupe {

Result<std::string> read_bounded(const std::string& path, std::size_t bytes_max) {
  std::error_code unread;
  if (!std::filesystem::exists(path, unread)) return fail(Errc::input_missing, path + " is not there");
  if (!std::filesystem::is_regular_file(path, unread)) return fail(Errc::invalid_input, path + " is no file");
  std::ifstream file(path, std::ios::binary);
  auto bytes = std::filesystem::file_size(path, unread);
  if (!file || unread) return fail(Errc::input_missing, path + " cannot be read");
  std::string text(std::min<std::uintmax_t>(bytes, bytes_max) + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (file.bad()) return fail(Errc::input_missing, path + " cannot be read");
  if (text.size() > bytes_max)
    return fail(Errc::invalid_input, fmt::format("{} is larger than {} bytes", path, bytes_max));
  return text;
}

}  // namespace troupe
