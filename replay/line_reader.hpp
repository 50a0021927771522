// A text file line by line, in memory that does not grow with it.
#pragma once

#include <troupe/error.hpp>

#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::replay {

/// Not thread-safe.
class LineReader {
 public:
  static constexpr std::size_t line_bytes_max = 1 << 20;
  /// input_missing when it cannot be opened.
  static Result<LineReader> open(const std::string& path);

  /// The next line without its end (LF or CRLF), valid until the next call; false at the end of the file.
  /// invalid_input when it is longer than line_bytes_max.
  Result<bool> next(std::string_view& line);
  /// invalid_input that begins with "FILE:LINE: ".
  std::unexpected<Error> wrong(const std::string& what) const;

 private:
  LineReader(std::string path, std::ifstream file) : path_(std::move(path)), file_(std::move(file)) {}
  bool refill();

  std::string path_;
  std::ifstream file_;
  std::vector<char> buffer_;
  std::size_t from_ = 0, to_ = 0;
  std::uint64_t line_ = 0;
};

}  // namespace troupe::replay
