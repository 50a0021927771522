#include "replay/line_reader.hpp"

#include <fmt/format.h>

#include <cstring>
#include <filesystem>

namespace troupe::replay {

Result<LineReader> LineReader::open(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::error_code ignored;
  if (!file || std::filesystem::is_directory(path, ignored))
    return fail(Errc::input_missing, "cannot open " + path);
  return LineReader(path, std::move(file));
}

std::unexpected<Error> LineReader::wrong(const std::string& what) const {
  return fail(Errc::invalid_input, fmt::format("{}:{}: {}", path_, line_, what));
}

bool LineReader::refill() {
  constexpr std::size_t chunk = 1 << 16;
  std::memmove(buffer_.data(), buffer_.data() + from_, to_ - from_);
  to_ -= from_;
  from_ = 0;
  if (buffer_.size() < to_ + chunk) buffer_.resize(to_ + chunk);
  file_.read(buffer_.data() + to_, chunk);
  auto got = static_cast<std::size_t>(file_.gcount());
  to_ += got;
  return got > 0;
}

Result<bool> LineReader::next(std::string_view& line) {
  ++line_;
  std::size_t looked = 0;
  while (true) {
    const char* begin = buffer_.data() + from_;
    std::size_t held = to_ - from_;
    const void* end = held > looked ? std::memchr(begin + looked, '\n', held - looked) : nullptr;
    if (end != nullptr) {
      auto length = static_cast<std::size_t>(static_cast<const char*>(end) - begin);
      from_ += length + 1;
      line = std::string_view(begin, length);
      break;
    }
    if (held > line_bytes_max) return wrong(fmt::format("longer than {} bytes", line_bytes_max));
    looked = held;
    if (refill()) continue;
    if (held == 0) return false;
    line = std::string_view(buffer_.data() + from_, held);
    from_ = to_;
    break;
  }
  if (line.ends_with('\r')) line.remove_suffix(1);
  return true;
}

}  // namespace troupe::replay
